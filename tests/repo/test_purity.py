"""The pure folders call nothing that waits, reads a clock, draws a random number or keeps state."""
import re
import subprocess

import pytest

import test_floors
import tree

PURE = [folder for folder, row in test_floors.FLOORS.items() if row[3] and folder in tree.folders()]

# All that they may call besides the project's own pure code: memory and text, nothing else.
LIBC = re.compile(
    r"^_?_?(mem(cpy|cmp|set|move|chr|rchr|mem)|str(len|nlen|chr)|v?snprintf|qsort|bsearch|abort|assert_fail)(_chk)?$"
    r"|^(__stack_chk_fail|__assert_fail|_GLOBAL_OFFSET_TABLE_)$"
)
# The project's own functions that do something.
IMPURE = re.compile(r"^(random_|crypto_start|pwhash_|pwpool_|db_|web_|storage_|instance_)")


def archive(folder):
    path = tree.BUILD / "src" / folder / f"lib{folder}.a"
    if not path.exists():
        pytest.fail(f"{path} is not built: ./dev build")
    return path


def symbols(folder, *flags):
    out = subprocess.run(["nm", *flags, archive(folder)], check=True, capture_output=True, text=True, cwd=tree.BUILD).stdout
    return out.splitlines()


def undefined(folder):
    return {line.split()[-1] for line in symbols(folder, "-u") if " U " in line}


def defined(folder):
    return {line.split()[-1] for line in symbols(folder, "--defined-only") if len(line.split()) == 3}


@pytest.mark.parametrize("folder", PURE)
def test_calls_nothing_impure(folder):
    sees = test_floors.FLOORS[folder][1] - {"db"}
    project = set().union(*(defined(other) for other in sees | {folder} if other in tree.folders()))
    wrong = {name for name in undefined(folder) if (name not in project and not LIBC.match(name)) or IMPURE.match(name)}
    assert not wrong


@pytest.mark.parametrize("folder", PURE)
def test_keeps_no_state(folder):
    """No writable static data: constants with addresses in them stand in .data.rel.ro and are fine."""
    wrong = []
    for line in symbols(folder, "--format=sysv"):
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 7 and cells[3] == "OBJECT" and re.match(r"^(\.data(?!\.rel\.ro)|\.bss|\.tdata|\.tbss|\*COM\*)", cells[6]):
            wrong.append(f"{cells[0]} in {cells[6]}")
    assert not wrong


def test_the_check_can_fail():
    """A folder that does something is not pure by these rules."""
    names = undefined("crypto") | undefined("db")
    assert any(not LIBC.match(name) for name in names)
