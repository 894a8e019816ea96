#!/usr/bin/env python3
"""Adds up what the stages of `./dev test` left in a directory and prints why tests were skipped, then `N passed, N failed, N skipped`.

*.xml        JUnit files of pytest: one test per case
*-meson.json Meson's test logs: the cases that cmocka counts in each program, or one per program
failed-stages  a stage per line; one that failed without a failed test counts as one failure

Exit status 1 when something failed or no test ran.
"""
import collections
import json
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

CMOCKA = re.compile(r"\[\s*(PASSED|FAILED|SKIPPED)\s*\] (\d+) test\(s\)")
REASON = re.compile(r"^\[\s*REASON\s*\] (.+)$", re.M)  # skip_because of the contract suite
MESON_OK = {"OK", "EXPECTEDFAIL"}


def count_junit(path):
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            failed += 1
        elif "skipped" in kinds:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def count_meson_program(row):
    counts = {"PASSED": 0, "FAILED": 0, "SKIPPED": 0}
    for kind, number in CMOCKA.findall(row.get("stdout", "") + row.get("stderr", "")):
        counts[kind] += int(number)
    ok = row["result"] in MESON_OK
    if row["result"] == "SKIP":
        counts["SKIPPED"] = counts["SKIPPED"] or 1
    elif ok and counts["PASSED"] == 0:
        counts["PASSED"] = 1
    elif not ok and counts["FAILED"] == 0:
        counts["FAILED"] = 1  # a crash, a time-out, a sanitizer's report
    return counts["PASSED"], counts["FAILED"], counts["SKIPPED"]


def count_meson(path):
    rows = [count_meson_program(json.loads(line)) for line in path.read_text().splitlines() if line]
    return tuple(map(sum, zip(*rows))) if rows else (0, 0, 0)


def reasons_junit(path):
    for case in ElementTree.parse(path).iter("testcase"):
        for skipped in case.iter("skipped"):
            yield skipped.get("message") or "no reason given"


def reasons_meson(path):
    for row in (json.loads(line) for line in path.read_text().splitlines() if line):
        if row["result"] == "SKIP":
            yield f"{row.get('name')}: {(row.get('stderr') or '').strip() or 'no reason given'}"
        yield from REASON.findall(row.get("stdout", ""))


def main(directory):
    total = [0, 0, 0]
    failures_of, reasons = {}, collections.Counter()
    for path in sorted(directory.iterdir()):
        if path.suffix == ".xml":
            counts = count_junit(path)
            reasons.update(reasons_junit(path))
        elif path.name.endswith("-meson.json"):
            counts = count_meson(path)
            reasons.update(reasons_meson(path))
        else:
            continue
        stage = path.stem.removesuffix("-meson")
        failures_of[stage] = failures_of.get(stage, 0) + counts[1]
        total = [a + b for a, b in zip(total, counts)]
    failed_stages = directory / "failed-stages"
    if failed_stages.exists():
        total[1] += sum(1 for stage in failed_stages.read_text().split() if not failures_of.get(stage))
    for reason, times in sorted(reasons.items()):
        print(f"skipped {times}: {reason}")
    print("%d passed, %d failed, %d skipped" % tuple(total))
    return 0 if total[0] and not total[1] else 1


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
