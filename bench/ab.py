"""Two builds of grantd beside each other, on stores of their own, in alternating rounds: ./dev bench ab --against BINARY [--postgres] [--only WORD ...].

On PostgreSQL each has a database of one cluster; what is counted is grantd's own processor time, that of the database's
processes, and the statements that reached them."""
import shutil
import tempfile

import kit
import ops


class Build(kit.Grantd):
    def __init__(self, binary, store=None):
        self.directory, self.binary = tempfile.mkdtemp(prefix="bench-grantd-"), binary
        super().__init__(self.directory, store=store)

    def stop(self):
        super().stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def run_round(build, operation, options, number):
    """As every bench does it, and what the process alone cost; with a store, what that cost, and the statements of a request."""
    own, store = build.own_pids(), build.store.pids() if build.store else []
    before = build.store.statements() if build.store else 0
    own_us, store_us = kit.ran_us(own), kit.ran_us(store)
    got = ops.run_round(build, operation, options, number)
    got["cpu_us"] = (kit.ran_us(own) - own_us) / max(got["requests"], 1)
    if build.store:
        got["store_us"] = (kit.ran_us(store) - store_us) / max(got["requests"], 1)
        got["statements"] = (build.store.statements() - before) / max(got["requests"], 1)
    return got


def combine(rounds):
    out = ops.combine(rounds)
    out["least_cpu_us"] = min(r["cpu_us"] for r in rounds)
    for name in ("store_us", "statements"):
        if name in rounds[0]:
            out[name] = kit.median([r[name] for r in rounds])
    return out


def run(options):
    cluster = None
    if options.postgres:
        cluster = kit.Postgres("shared_preload_libraries = 'pg_stat_statements'", "autovacuum = off")  # nothing works behind the scenes
        cluster.sql("CREATE EXTENSION pg_stat_statements")
    try:
        return compare(cluster, options)
    finally:
        if cluster:
            cluster.stop()


def compare(cluster, options):
    rows, wanted = [], options.only or [""]
    builds = [Build(binary, cluster and cluster.new_store(name)) for name, binary in (("a", kit.BINARY), ("b", options.against))]
    try:
        kit.say("ab: minting codes and tokens for both ...")
        tables = [ops.operations(build, build.directory, options.count * options.rounds + 1) for build in builds]
        for build in builds if cluster else []:
            cluster.sql("VACUUM ANALYZE", build.store.url)
        for pair in zip(*tables):
            if not any(word in pair[0].name for word in wanted):
                continue
            got = [[], []]
            for build, operation in zip(builds, pair):
                ops.probe(build, operation)
            for number in range(options.rounds):
                for side in (0, 1) if number % 2 else (1, 0):
                    got[side].append(run_round(builds[side], pair[side], options, number))
            a, b = (combine(side) for side in got)
            rows.append({"operation": pair[0].name, "a": a, "b": b, "per_s": kit.median([x["per_s"] / y["per_s"] for x, y in zip(*got)]),
                         "cpu": kit.median([x["cpu_us"] / max(y["cpu_us"], 1e-9) for x, y in zip(*got)])})
    finally:
        for build in builds:
            build.stop()
    return {"against": options.against, "rows": rows}


def faults(found):
    return [f"{r['operation']}: {r[side]['errors']} errors ({side})" for r in found["rows"] for side in ("a", "b") if r[side]["errors"]]
