"""Two builds of grantd beside each other, on stores of their own, in alternating rounds: ./dev bench ab --against BINARY [--only WORD ...]."""
import shutil
import tempfile

import kit
import ops


class Build(kit.Grantd):
    def __init__(self, binary):
        self.directory, self.binary = tempfile.mkdtemp(prefix="bench-grantd-"), binary
        super().__init__(self.directory)

    def stop(self):
        super().stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def run(options):
    rows, wanted = [], options.only or [""]
    builds = [Build(kit.BINARY), Build(options.against)]
    try:
        kit.say("ab: minting codes and tokens for both ...")
        tables = [ops.operations(build, build.directory, options.count * options.rounds + 1) for build in builds]
        for pair in zip(*tables):
            if not any(word in pair[0].name for word in wanted):
                continue
            got = [[], []]
            for build, operation in zip(builds, pair):
                ops.probe(build, operation)
            for number in range(options.rounds):
                for side in (0, 1) if number % 2 else (1, 0):
                    got[side].append(ops.run_round(builds[side], pair[side], options, number))
            a, b = (ops.combine(side) for side in got)
            rows.append({"operation": pair[0].name, "a": a, "b": b, "per_s": kit.median([x["per_s"] / y["per_s"] for x, y in zip(*got)]),
                         "cpu": kit.median([x["cpu_us"] / max(y["cpu_us"], 1e-9) for x, y in zip(*got)])})
    finally:
        for build in builds:
            build.stop()
    return {"against": options.against, "rows": rows}


def faults(found):
    return [f"{r['operation']}: {r[side]['errors']} errors ({side})" for r in found["rows"] for side in ("a", "b") if r[side]["errors"]]
