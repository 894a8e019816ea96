#!/usr/bin/python3
"""Throughput of grantd beside nginx answering a constant body of the same size, in one run on one machine.

Every figure is a ratio against the nginx run next to it; absolute numbers depend on the machine. The server runs on
processor 0 with one loop thread, the load generator (wrk) on the others. Answers of writing operations leave only
after the commit is on disk (SQLite, synchronous=FULL).
"""
import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
BINARY = os.environ.get("GRANTD_BIN", str(HERE.parent / "build" / "grantd"))
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("GRANTD_")}
SERVER_CPU, CLIENT_CPUS = "0", ",".join(str(c) for c in sorted(os.sched_getaffinity(0)) if c) or "0"


def pinned(cpus, command):
    return ["taskset", "-c", cpus, *command]


class Grantd:
    """A throw-away server with its apps, on a directory of its own."""

    def __init__(self, directory):
        self.process = subprocess.Popen(
            pinned(SERVER_CPU, [BINARY, "dev", "--json", "--listen", "127.0.0.1:0", "--data", directory, "--threads", "1",
                                "--code-ttl", "600"]),
            stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        self.info = json.loads(self.process.stdout.readline())
        self.address = urllib.parse.urlsplit(self.info["issuer"])

    def connection(self):
        return http.client.HTTPConnection(self.address.hostname, self.address.port)

    def admin(self, directory, *words):
        out = subprocess.run([BINARY, *words, "--data", directory, "--json"], check=True, capture_output=True, text=True,
                             env=ENVIRONMENT)
        return json.loads(out.stdout)

    def rss_kib(self):
        text = pathlib.Path(f"/proc/{self.info['pid']}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1))

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.info['pid']}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def written_bytes(self):
        text = pathlib.Path(f"/proc/{self.info['pid']}/io").read_text()
        return int(re.search(r"^write_bytes: (\d+)", text, re.M).group(1))

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


class Nginx:
    """nginx with one worker that answers every request with a constant body."""

    def __init__(self, body_bytes):
        self.directory = tempfile.mkdtemp(prefix="bench-nginx-")
        self.port = 18099
        conf = pathlib.Path(self.directory) / "nginx.conf"
        conf.write_text(f"""
worker_processes 1; daemon off; pid {self.directory}/pid; error_log {self.directory}/error.log crit;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {self.directory}/b; proxy_temp_path {self.directory}/p;
fastcgi_temp_path {self.directory}/f; uwsgi_temp_path {self.directory}/u; scgi_temp_path {self.directory}/s;
server {{ listen 127.0.0.1:{self.port} reuseport; location / {{ default_type application/json; return 200 "{'x' * body_bytes}"; }} }} }}
""")
        self.process = subprocess.Popen(pinned(SERVER_CPU, ["nginx", "-c", str(conf), "-p", self.directory, "-e", "stderr"]))
        time.sleep(0.4)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.directory, ignore_errors=True)


def wrk(url, body_file, mode, seconds, connections):
    threads = max(1, len(CLIENT_CPUS.split(",")))
    out = subprocess.run(
        pinned(CLIENT_CPUS, ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}", "--latency", "-s",
                             str(HERE / "bodies.lua"), url, "--", body_file, mode, str(threads)]),
        capture_output=True, text=True, check=True)
    result = json.loads(re.search(r"^JSON (.*)$", out.stdout, re.M).group(1))
    result["per_s"] = result["requests"] / max(result["duration_us"] / 1e6, 1e-9)
    if mode == "once":  # wrk waits out its time when the bodies are used up; a connection always has one request under way
        result["per_s"] = connections / max(result["mean_us"] / 1e6, 1e-9)
    return result


def form(**values):
    return urllib.parse.urlencode(values)


def collect(server, count, make):
    """make(connection) `count` times over a few connections, with progress."""
    def share(n):
        c, out = server.connection(), []
        for _ in range(n):
            out.append(make(c))
        return out
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        parts = [count // 4 + (1 if i < count % 4 else 0) for i in range(4)]
        return [x for part in pool.map(share, parts) for x in part]


def authorize(app):
    query = form(client_id=app["client_id"], redirect_uri=app["redirect_uri"], scope=" ".join(app["scopes"]))

    def one(c):
        c.request("GET", "/oauth/authorize?" + query)
        r = c.getresponse()
        r.read()
        return urllib.parse.parse_qs(urllib.parse.urlsplit(r.getheader("Location")).query)["code"][0]
    return one


def token_call(fields):
    def one(c):
        c.request("POST", "/oauth/v3/token", form(**fields()), {"Content-Type": "application/x-www-form-urlencoded"})
        r = c.getresponse()
        body = json.loads(r.read())
        if r.status != 200:
            raise SystemExit(f"preparing failed: {body}")
        return body
    return one


def operations(server, directory, count):
    """The table of what is measured: name, path, bodies, once or cycle."""
    app = server.info["apps"]["confidential"]
    who = {"client_id": app["client_id"], "client_secret": app["client_secret"]}
    mint = authorize(app)
    code_form = lambda code: {"grant_type": "authorization_code", "code": code, "redirect_uri": app["redirect_uri"], **who}
    rotating = server.admin(directory, "app", "create", "--name", "bench rotating", "--redirect-uri", app["redirect_uri"],
                            "--rotate", *[w for s in app["scopes"] for w in ("--scope", s)])
    rotating["redirect_uri"], rotating["scopes"] = app["redirect_uri"], app["scopes"]
    rotating_who = {"client_id": rotating["client_id"], "client_secret": rotating["client_secret"]}
    mint_rotating = authorize(rotating)

    def redeem(make, secret):
        def one(c):
            code = make(c)
            return token_call(lambda: {**code_form(code), **secret})(c)
        return one
    live = collect(server, 2000, redeem(mint, who))
    rotated = collect(server, count // 2, redeem(mint_rotating, rotating_who))
    codes = collect(server, count, mint)
    return [
        ("client_credentials", "/oauth/v3/token", [form(grant_type="client_credentials", scope=app["scopes"][0], **who)], "cycle"),
        ("introspect", "/oauth/v3/token/introspect", [form(token=t["access_token"], **who) for t in live], "cycle"),
        ("refresh stable", "/oauth/v3/token", [form(grant_type="refresh_token", refresh_token=t["refresh_token"], **who) for t in live], "cycle"),
        ("refresh rotating", "/oauth/v3/token",
         [form(grant_type="refresh_token", refresh_token=t["refresh_token"], **rotating_who) for t in rotated], "once"),
        ("redeem code", "/oauth/v3/token", [form(**code_form(c)) for c in codes], "once"),
        ("revoke", "/oauth/v3/token/revoke", [form(token=t["refresh_token"], **rotating_who) for t in rotated], "once"),
    ]


def answer_bytes(server, path, body):
    c = server.connection()
    c.request("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})
    return len(c.getresponse().read())


def measure(server, row, options):
    name, path, bodies, mode = row
    with tempfile.NamedTemporaryFile("w", suffix=".bodies") as f:
        f.write("\n".join(bodies) + "\n")
        f.flush()
        body_bytes = answer_bytes(server, path, bodies[0]) if mode == "cycle" else 450
        nginx = Nginx(body_bytes)
        try:
            limit = wrk(f"http://127.0.0.1:{nginx.port}{path}", f.name, "cycle", options.seconds, options.connections)
        finally:
            nginx.stop()
        cpu, written = server.cpu_s(), server.written_bytes()
        ours = wrk(f"http://{server.address.netloc}{path}", f.name, mode, options.seconds, options.connections)
        ours["cpu_us"] = (server.cpu_s() - cpu) * 1e6 / max(ours["requests"], 1)
        ours["written"] = (server.written_bytes() - written) / max(ours["requests"], 1)
    return {"operation": name, "grantd": ours, "nginx": limit, "share": ours["per_s"] / limit["per_s"], "rss_kib": server.rss_kib()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--count", type=int, default=40000, help="codes minted beforehand")
    parser.add_argument("--json", metavar="FILE", help="write the results there as well")
    options = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="bench-grantd-")
    server = Grantd(directory)
    results = []
    try:
        print("minting codes and tokens ...", file=sys.stderr, flush=True)
        rows = operations(server, directory, options.count)
        print(f"{'operation':<20}{'req/s':>10}{'nginx':>10}{'share':>8}{'p50 us':>9}{'p99 us':>9}{'CPU us':>8}{'B written':>11}{'errors':>8}")
        for row in rows:
            r = measure(server, row, options)
            results.append(r)
            g = r["grantd"]
            print(f"{r['operation']:<20}{g['per_s']:>10.0f}{r['nginx']['per_s']:>10.0f}{r['share']:>8.0%}{g['p50_us']:>9}{g['p99_us']:>9}"
                  f"{g['cpu_us']:>8.1f}{g['written']:>11.0f}{g['errors']:>8}", flush=True)
        print(f"resident memory after the run: {server.rss_kib() / 1024:.1f} MiB")
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=1))
    return 1 if any(r["grantd"]["errors"] for r in results) else 0


if __name__ == "__main__":
    sys.exit(main())
