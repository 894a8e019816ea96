"""No endpoint costs more instructions than it did (bench/gate.py): a test of speed that no clock takes part in."""
import json
import shutil
import sys

import pytest

import tree

sys.path.insert(0, str(tree.ROOT / "bench"))
import gate  # noqa: E402


@pytest.fixture(scope="module")
def found():
    assert shutil.which("valgrind"), "valgrind is missing (./dev test installs it)"
    if not gate.comparable():
        pytest.skip(f"the numbers are of {gate.known()['compiler']}, this is {gate.compiler()}")
    return gate.count(str(tree.BUILD))


def test_requests_cost_what_they_did(found):
    """Whoever needs more instructions and knows why: ./dev bench gate --update, and the reason into the commit."""
    assert gate.compare(found, gate.comparable()) == []


def test_a_slower_request_is_seen(tmp_path, monkeypatch):
    numbers = json.loads(gate.NUMBERS.read_text())
    name, row = next(iter(numbers["instructions"].items()))
    slower = {**numbers["instructions"], name: {kind: int(value * 1.06) for kind, value in row.items()}}
    assert len(gate.compare(slower, ["own", "all"])) == 2
    assert gate.compare(numbers["instructions"], ["own", "all"]) == []
    assert gate.compare({name: row}, ["own"]) and gate.compare({**numbers["instructions"], "new": row}, ["own"]) == ["new: only counted"]


def test_the_parser_counts_own_costs_only(tmp_path):
    dump = tmp_path / "out.1"
    dump.write_text("desc: Trigger: Client Request: a row/2\nob=/x/bench_paths\nfn=a\n0 10\ncob=/lib/c.so\ncfn=b\ncalls=1 0\n0 90\n12 4\n\nob=/lib/c.so\nfn=b\n7 90\n")
    assert gate.count_file(dump, "/bench_paths") == ("a row", {"own": 7, "all": 52})
