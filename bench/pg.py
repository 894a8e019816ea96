#!/usr/bin/python3
"""grantd on PostgreSQL beside pgbench doing the same statements, prepared, on the same number of connections, in the same run.

PostgreSQL is a scratch cluster with fsync and synchronous_commit on. grantd's figures are whole requests over HTTP, 64 at once, with the load
generator (wrk) on the same machine; a pgbench transaction is the statements that such a request makes, and nothing else. The log that
PostgreSQL wrote is counted per operation.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse

import kit
import ops

ROWS = 100000  # of pgbench's own, beside grantd's

KEY = "decode(lpad(to_hex(:r::int), 32, '0'), 'hex')"
NEW_KEY = "int8send((extract(epoch FROM clock_timestamp()) * 1000000)::bigint) || substr(uuid_send(gen_random_uuid()), 1, 8)"
PERSON = ("u.user_id, u.disabled_ms, u.email, u.name, a.hub_id, a.disabled_ms, a.domain, m.user_id, n.uninstalled_ms")
JOINS = (" LEFT JOIN users u ON u.user_id = {user} LEFT JOIN accounts a ON a.hub_id = {hub}"
         " LEFT JOIN members m ON m.user_id = {user} AND m.hub_id = {hub} LEFT JOIN uninstalls n ON n.app_id = {app} AND n.hub_id = {hub}")
GRANT = ("SELECT g.id, g.app_id, g.hub_id, g.user_id, g.scopes, g.created_ms, g.expires_ms, g.salt, g.generation, g.rotated_ms,"
         f" g.access_not_before_ms, g.revoked_ms, g.last_used_day, g.auth_time_ms, {PERSON} FROM grants g"
         + JOINS.format(user="g.user_id", hub="g.hub_id", app="g.app_id") + f" WHERE g.id = {KEY};\n")
SUBJECT = f"SELECT {PERSON} FROM (SELECT 1 AS one) q" + JOINS.format(user="2001", hub="1001", app="3001") + ";\n"
INSERT = ("INSERT INTO grants (id, app_id, hub_id, user_id, scopes, created_ms, salt, generation, rotated_ms, access_not_before_ms, last_used_day,"
          f" auth_time_ms) VALUES ({NEW_KEY}, 3001, 1001, 2001, '\\x010102', 1, uuid_send(gen_random_uuid()), 0, 0, 0, 0, 1)"
          " ON CONFLICT (id) DO NOTHING;\n")
ROTATE = f"UPDATE grants SET generation = generation + 1, rotated_ms = :r::int, last_used_day = 20000 WHERE id = {KEY} AND revoked_ms IS NULL;\n"
RANDOM = f"\\set r random(1, {ROWS})\n"

# What a request of grantd asks and changes.
SCRIPTS = {
    "introspect": RANDOM + GRANT,
    "refresh stable": RANDOM + GRANT,
    "refresh rotating": RANDOM + GRANT + ROTATE,
    "redeem code": SUBJECT + INSERT,
}


def psql(url, sql):
    return subprocess.run(["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", url, "-c", sql], check=True, capture_output=True, text=True).stdout.strip()


def log_bytes(url):
    return int(psql(url, "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"))


class Server(kit.Grantd):
    def __init__(self, directory, url, threads):  # not pinned: it has as many threads as there are processors
        self.process = subprocess.Popen(
            [kit.BINARY, "dev", "--json", "--listen", "127.0.0.1:0", "--data", directory, "--threads", str(threads), "--code-ttl", "600"],
            stdout=subprocess.PIPE, text=True, env={**kit.ENVIRONMENT, "GRANTD_STORE": url})
        self.info = json.loads(self.process.stdout.readline())
        self.netloc = urllib.parse.urlsplit(self.info["issuer"]).netloc


def fill(url):
    """pgbench's own rows, in the same table as grantd's."""
    psql(url, "INSERT INTO grants (id, app_id, hub_id, user_id, scopes, created_ms, salt, generation, rotated_ms, access_not_before_ms,"
              " last_used_day, auth_time_ms) SELECT decode(lpad(to_hex(r), 32, '0'), 'hex'), 3001, 1001, 2001, '\\x010102', 1,"
              f" uuid_send(gen_random_uuid()), 0, 0, 0, 0, 1 FROM generate_series(1, {ROWS}) r")
    psql(url, "VACUUM ANALYZE")
    psql(url, "CHECKPOINT")


def pgbench(url, script, seconds, connections):
    """Rate, and the time within which 99 of 100 are done."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "script.sql"
        path.write_text(script)
        before = log_bytes(url)
        out = subprocess.run(
            ["pgbench", "-n", "-M", "prepared", "-f", str(path), "-c", str(connections), "-j", "2", "-T", str(seconds), "-l",
             "--log-prefix", f"{folder}/log", url], check=True, capture_output=True, text=True, cwd=folder).stdout
        times = sorted(int(line.split()[2]) for log in pathlib.Path(folder).glob("log.*") for line in log.open())
        written = log_bytes(url) - before
    return {"per_s": float(re.search(r"tps = ([\d.]+)", out).group(1)), "p99_us": times[len(times) * 99 // 100], "log": written / len(times)}


def measure(server, url, operation, options):
    name = operation.name.removesuffix(" opaque")
    psql(url, "CHECKPOINT")
    beside = pgbench(url, SCRIPTS[name], options.seconds, 2 * options.threads)
    psql(url, "CHECKPOINT")
    before = log_bytes(url)
    ours = kit.wrk(server.url(operation.path), operation.lines, options.seconds, options.connections, mode="once" if operation.once else "cycle")
    ours["log"] = (log_bytes(url) - before) / max(ours["requests"], 1)
    return {"operation": name, "grantd": ours, "pgbench": beside, "share": ours["per_s"] / beside["per_s"]}


def run(url, options):
    results = []
    with tempfile.TemporaryDirectory(prefix="bench-grantd-") as directory:
        server = Server(directory, url, options.threads)
        try:
            print("minting codes and tokens ...", file=sys.stderr, flush=True)
            rows = [row for row in ops.operations(server, directory, options.count) if row.name.removesuffix(" opaque") in SCRIPTS]
            fill(url)
            print(f"PostgreSQL {psql(url, 'SHOW server_version')}, {2 * options.threads} connections for each of the two,"
                  f" fsync {psql(url, 'SHOW fsync')}, synchronous_commit {psql(url, 'SHOW synchronous_commit')}")
            print(f"{'operation':<18}{'grantd/s':>10}{'pgbench/s':>11}{'share':>8}{'p99 us':>9}{'pgbench':>9}{'log B':>8}{'pgbench':>9}{'errors':>8}")
            for row in rows:
                r = measure(server, url, row, options)
                results.append(r)
                g, p = r["grantd"], r["pgbench"]
                print(f"{r['operation']:<18}{g['per_s']:>10.0f}{p['per_s']:>11.0f}{r['share']:>8.0%}{g['p99_us']:>9}{p['p99_us']:>9}{g['log']:>8.0f}"
                      f"{p['log']:>9.0f}{g['errors']:>8}", flush=True)
        finally:
            server.stop()
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=64, help="HTTP connections")
    parser.add_argument("--threads", type=int, default=2, help="loop threads of grantd; each has two connections to PostgreSQL")
    parser.add_argument("--count", type=int, default=20000, help="codes minted beforehand")
    parser.add_argument("--json", metavar="FILE", help="write the results there as well")
    options = parser.parse_args()
    url = os.environ.get("TEST_POSTGRES")
    if not url:
        os.execv(kit.CLUSTER, [str(kit.CLUSTER), "run", sys.executable, *sys.argv])
    results = run(url, options)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=1))
    return 1 if any(r["grantd"]["errors"] for r in results) else 0


if __name__ == "__main__":
    sys.exit(main())
