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


def one(server, operation, connections, limit, options, peak):
    """A load, with what was good and what was refused."""
    seconds, cpu = max(options.seconds, 2), kit.cpu_s(server.pids())
    got = kit.wrk(server.url(operation.path), operation.lines, seconds, connections, mode="shed")
    good = (got["requests"] - got["status"]) / (got["duration_us"] / 1e6)
    return {"connections": connections, "limit": limit, "per_s": got["per_s"], "good_per_s": good, "share": good / (peak or good),
            "refused": got["shed"] / max(got["requests"], 1), "others": got["errors"] - got["shed"], "p99_us": got["p99_us"],
            "cpu_us": (kit.cpu_s(server.pids()) - cpu) * 1e6 / max(got["requests"], 1)}


def run_limit(limit, options, peak):
    postgres = kit.Postgres()
    directory = tempfile.mkdtemp(prefix="bench-grantd-")
    server = kit.Grantd(directory, "--requests-under-way-max", str(limit or 10000), store=postgres)
    try:
        app = server.info["apps"]["confidential"]
        tokens = ops.Minting(server, directory).tokens(app, 1000)
        operation = Operation("introspect", ops.INTROSPECT, [form(token=t[1], **ops.who(app)) for t in tokens], False, b'"active":true')
        ops.probe(server, operation)
        rows = []
        for connections in LOADS[:4] if options.size == "quick" else LOADS:
            rows.append(one(server, operation, connections, limit, options, peak))
            peak = peak or rows[0]["good_per_s"]
            kit.say(f"  {connections} connections, limit {limit}: {rows[-1]['good_per_s']:.0f} good/s, {rows[-1]['refused']:.0%} refused")
        return rows
    finally:
        server.stop()
        postgres.stop()
        shutil.rmtree(directory, ignore_errors=True)


def run(options):
    free = run_limit(None, options, None)
    peak = max(row["good_per_s"] for row in free)
    for row in free:
        row["share"] = row["good_per_s"] / peak
    limited = run_limit(LIMIT, options, peak)
    ten = next(row for row in limited if row["connections"] >= 10 * PEAK_CONNECTIONS)
    notes = [f"ten times the connections of the peak, with the limit: {ten['share']:.0%} of the peak's good answers (aim: 90 %), {ten['refused']:.0%} of "
             f"all answers are 503; the load was {ten['per_s'] / peak:.1f} times the peak"]
    return {"operation": "introspect on PostgreSQL", "rows": free + limited, "notes": notes}


def faults(found):
    return [f"overload: {r['connections']} connections, limit {r['limit']}: {r['others']} errors that are no 503" for r in found["rows"] if r["others"]]
