"""Overload: many times the connections that already use the server up, each asking again at once, whatever the answer was.

A limit on requests under way refuses the rest with 503 as soon as they are read. The peak is that of 64 connections without a limit. A load
generator that cannot be slowed down would ask faster than a server can say no; this one asks as fast as it is answered, which is the most that
clients can do who wait for their answer.
"""
import shutil
import tempfile

import kit
import ops
from kit import form
from ops import Operation

PEAK_CONNECTIONS = 64
LOADS = [64, 128, 256, 640, 2560, 6400]
LIMIT = 256  # requests under way beyond which grantd answers 503


class Crowded:
    """A server on a PostgreSQL of its own, with a limit on requests under way (None: none to speak of), and its introspection."""

    def __init__(self, limit):
        self.limit, self.postgres, self.directory = limit, kit.Postgres(), tempfile.mkdtemp(prefix="bench-grantd-")
        self.server = kit.Grantd(self.directory, "--requests-under-way-max", str(limit or 10000), store=self.postgres)
        app = self.server.info["apps"]["confidential"]
        tokens = ops.Minting(self.server, self.directory).tokens(app, 1000)
        self.operation = Operation("introspect", ops.INTROSPECT, [form(token=t[1], **ops.who(app)) for t in tokens], False, b'"active":true')
        ops.probe(self.server, self.operation)

    def load(self, connections, seconds):
        """What was good and what was refused."""
        got = kit.wrk_on(self.server, self.server.url(self.operation.path), self.operation.lines, seconds, connections, mode="shed")
        return {"per_s": got["per_s"], "good_per_s": (got["requests"] - got["status"]) / (got["duration_us"] / 1e6),
                "refused": got["shed"] / max(got["requests"], 1), "others": got["errors"] - got["shed"], "p99_us": got["p99_us"],
                "cpu_us": got["cpu_us"]}

    def stop(self):
        self.server.stop()
        self.postgres.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def one(crowded, connections, options):
    """Rounds of a load, each beside one of the peak: PEAK_CONNECTIONS on the server without a limit. The share is of the same round."""
    free, limited = crowded
    rounds = {server.limit: [] for server in crowded}
    for _ in range(options.rounds):
        peak = free.load(PEAK_CONNECTIONS, max(options.seconds, 2))["good_per_s"]
        for server in (free, limited):
            got = server.load(connections, max(options.seconds, 2))
            rounds[server.limit].append({**got, "share": got["good_per_s"] / peak})
    for limit, of in rounds.items():
        yield {"connections": connections, "limit": limit, **{name: kit.median([r[name] for r in of]) for name in of[0]}, "others": sum(r["others"] for r in of)}


def run(options):
    crowded, rows = [], []
    try:
        for limit in (None, LIMIT):
            crowded.append(Crowded(limit))
        for connections in LOADS[:4] if options.size == "quick" else LOADS:
            rows += one(crowded, connections, options)
            kit.say(f"  {connections} connections: " + ", ".join(f"limit {r['limit']}: {r['share']:.0%} good, {r['refused']:.0%} refused" for r in rows[-2:]))
    finally:
        for server in crowded:
            server.stop()
    rows.sort(key=lambda row: (row["limit"] or 0, row["connections"]))
    ten = next(row for row in rows if row["limit"] and row["connections"] >= 10 * PEAK_CONNECTIONS)
    notes = [f"ten times the connections of the peak, with the limit: {ten['share']:.0%} of the peak's good answers (aim: 90 %), {ten['refused']:.0%} of "
             "all answers are 503. The peak is that of the server without a limit in the same round"]
    return {"operation": "introspect on PostgreSQL", "rows": rows, "notes": notes}


def faults(found):
    return [f"overload: {r['connections']} connections, limit {r['limit']}: {r['others']} errors that are no 503" for r in found["rows"] if r["others"]]
