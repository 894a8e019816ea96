"""The walk of README.md does what it says, as it stands."""
import sys

import harness

sys.path.insert(0, str(harness.ROOT / "tests/tools"))
import walk  # noqa: E402


def test_walk(server, tmp_path):
    assert walk.README.read_text() == walk.walk(server, tmp_path), "run tests/tools/walk.py"
