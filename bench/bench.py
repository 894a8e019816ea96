#!/usr/bin/python3
"""The benchmarks of grantd: ./dev bench [PART ...] [--quick]. Parts: all, ops, peers, growth, overload, front, loops, pg, micro, ab.
./dev bench gate [--update] is another thing: instructions per request, which ./dev test compares (bench/gate.py).

Every figure is a ratio against something that ran next to it; absolute numbers depend on the machine. The server under measurement runs on
processor 0 with one loop thread, the load generator (wrk) on the others. Answers of writing operations leave only after the commit is on
disk. A part that saw an error, or an answer that is wrong, makes the bench fail. docs/performance/README.md says how to read the results.
"""
import argparse
import importlib
import os
import pathlib
import subprocess
import sys
import time
import traceback

import kit
import report

# What each size of a run takes: seconds of a round, rounds, rounds beside nginx (that is where the aims are), single-use codes and
# tokens of a round, grants of the growth part, and how many dead ones it puts beside the live ones.
SIZES = {
    "full": {"seconds": 1, "rounds": 3, "ops_rounds": 7, "count": 25000, "grants": [10**4, 10**5, 10**6, 10**7], "dead": 10**6},
    "long": {"seconds": 4, "rounds": 5, "ops_rounds": 5, "count": 60000, "grants": [10**4, 10**5, 10**6, 10**7], "dead": 10**7},
    "quick": {"seconds": 1, "rounds": 1, "ops_rounds": 1, "count": 3000, "grants": [10**4, 10**5], "dead": 10**5},
}
# Parts that are programs of their own and print a table: the program, and its words for each size.
SCRIPTS = {
    "front": (["front.py"], {"full": "--seconds 1 --idle 2000", "long": "", "quick": "--seconds 1 --rounds 1 --idle 200"}),
    "loops": (["loops.py"], {"full": "--rounds 3", "quick": "--seconds 1 --rounds 1"}),
    "pg": (["pg.py"], {"full": "--seconds 2", "long": "", "quick": "--seconds 1 --count 3000"}),
    "micro": (["micro.py"], {}),
}
PARTS = ["ops", "peers", "growth", "overload", "front", "loops", "pg", "micro"]


def run_script(name, options):
    """A part that is a program of its own."""
    program, words = SCRIPTS[name]
    command = [sys.executable, str(kit.HERE / program[0])]
    done = subprocess.run([*command, *(options.rest or words.get(options.size, "").split())], stdout=subprocess.PIPE, text=True, check=False)
    return {"text": done.stdout}, [f"{name}: ended with {done.returncode}"] if done.returncode else []


def run_part(name, options):
    if name in SCRIPTS:
        return run_script(name, options)
    module = importlib.import_module(name)
    found = module.run(options)
    return found, module.faults(found)


def keep(name, found, options, load_before):
    """The files anew. Two builds beside each other are nobody's results."""
    report.show(name, found)
    if name == "ab":
        return
    results = report.read(options.out)
    results[name] = {"stamp": report.stamp(sys.argv[1:], load_before), "found": found}
    report.write(options.out, results)


def try_part(name, options, load_before):
    """What was wrong with a part. One that ends early leaves its old results, and the next one runs all the same."""
    try:
        found, wrong = run_part(name, options)
    except (Exception, SystemExit) as why:  # its servers are ended by now
        traceback.print_exc()
        return [f"{name}: ended early: {why}"]
    keep(name, found, options, load_before)
    return wrong


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", choices=["all", *PARTS, "ab", []], help="what to measure; all: everything but ab")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a look: one short round, small stores; written to build-release/bench-quick")
    size.add_argument("--long", action="store_true", help="more and longer rounds")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--out", type=pathlib.Path, help="where results.md, results.json and the plots go; default: docs/performance")
    parser.add_argument("--against", metavar="BINARY", help="the other build of ab")
    parser.add_argument("--postgres", action="store_true", help="ab: on PostgreSQL, a database each")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="ab, front: the rows with one of these words in their name")
    options, rest = parser.parse_known_args()
    if rest and not (len(options.part) == 1 and options.part[0] in SCRIPTS):
        parser.error(f"unknown: {' '.join(rest)}")
    if "ab" in options.part and not options.against:
        parser.error("ab needs --against BINARY")
    options.rest = rest + (["--only", *options.only] if options.only else [])
    options.size = "quick" if options.quick else "long" if options.long else "full"
    for name, value in SIZES[options.size].items():
        setattr(options, name, value)
    options.out = options.out or kit.ROOT / ("build-release/bench-quick" if options.quick else "docs/performance")
    options.part = PARTS if not options.part or "all" in options.part else options.part
    return options


def main():
    options, start, faults = parse(), time.monotonic(), []
    load_before = f"{os.getloadavg()[0]:.2f}"
    for name in options.part:
        begin = time.monotonic()
        kit.say(f"== {name}")
        faults += try_part(name, options, load_before)
        kit.say(f"== {name}: {time.monotonic() - begin:.0f} s")
    kit.say(f"== all: {time.monotonic() - start:.0f} s; results in {options.out}")
    for fault in faults:
        kit.say(f"bench: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
