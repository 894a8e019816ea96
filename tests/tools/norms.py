#!/usr/bin/env python3
"""Writes docs/norms-coverage.md: which statement of docs/norms.md is named by which test.

A test names a statement in a comment or docstring as `norm: C06 C07`. With --check the table is compared, not written.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs/norms-coverage.md"
ID = r"[A-Z]\d\d"
NAMED = re.compile(rf"\bnorm:((?:[ ,]+{ID}\b)+)")


def norms():
    """id -> (level, statement), in the order of docs/norms.md"""
    rows = re.findall(rf"^\| ({ID}) \| (\w) \| ([^|]+) \|", (ROOT / "docs/norms.md").read_text(), re.M)
    return {name: (level, what.strip()) for name, level, what in rows}


def is_test(path):
    return path.startswith("tests/") or re.search(r"_(test|fuzz)\.c$", path)


def test_files():
    out = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [p for p in sorted(out.split()) if is_test(p) and re.search(r"\.(c|h|py|mjs|inc|def)$", p) and not p.startswith(("tests/tools/", "tests/repo/"))]


def named():
    """id -> files that name it"""
    found = {}
    for path in test_files():
        for match in NAMED.finditer((ROOT / path).read_text(errors="replace")):
            for name in re.findall(ID, match.group(1)):
                found.setdefault(name, set()).add(path)
    return found


def not_here():
    """id -> why it does not apply, from the last part of docs/norms.md"""
    text = (ROOT / "docs/norms.md").read_text().partition("\n## Deliberately not\n")[2]
    return dict(re.findall(rf"^- ({ID}): (.+)$", text, re.M))


def missing():
    """What neither a test names nor a reason leaves out."""
    return [name for name in norms() if name not in named() and name not in not_here()]


def render():
    all_norms, by_id, reasons = norms(), named(), not_here()
    have = [name for name in all_norms if name in by_id]
    lines = [
        "<!-- Written by tests/tools/norms.py; do not edit. -->",
        "# Which norm is tested where", "",
        f"{len(have)} of {len(all_norms)} statements of [norms.md](norms.md) are named by a test.", "",
        "| id | level | tests |", "|---|---|---|",
    ]
    lines += [f"| {name} | {all_norms[name][0]} | {' '.join(f'`{p}`' for p in sorted(by_id[name]))} |" for name in have]
    lines += ["", f"{len(reasons)} do not apply here, each for a reason:", "", "## Deliberately not", "", "| id | why |", "|---|---|"]
    lines += [f"| {name} | {why} |" for name, why in reasons.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    wanted = render()
    if "--check" not in sys.argv:
        TABLE.write_text(wanted)
    elif TABLE.read_text() != wanted:
        sys.exit("docs/norms-coverage.md is out of date: run tests/tools/norms.py")
