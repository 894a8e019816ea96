"""A few seconds of tests/soak: cuts, crawlers and floods while certificates are reloaded and the program is replaced."""
import sys

import harness

sys.path.insert(0, str(harness.ROOT / "tests/soak"))
import soak  # noqa: E402


@harness.only_sqlite
def test_a_short_soak(tmp_path):
    done = soak.soak(tmp_path, 8)
    assert done["reloads"] > 0 and done["upgrades"] > 0 and done["ask"] > 0 and done["ask_http2"] > 0, done
