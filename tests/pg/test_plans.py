"""What docs/scaling.md says of each hot statement can be asked again: the tool knows the statements and their arguments as they are today."""
import re
import subprocess
import sys

import harness


def test_every_hot_statement_has_a_plan_and_none_reads_a_whole_table():
    """norm: N05"""
    out = subprocess.run([sys.executable, harness.ROOT / "bench/pg_plans.py", harness.ROOT / "build", "200000"], capture_output=True, text=True, timeout=300)
    assert out.returncode == 0, out.stderr
    assert "No statement reads a whole table that grows." in out.stdout, out.stdout[:4000]
    found = dict(re.findall(r"^### (.+)\n```\n((?:.|\n)*?)```$", out.stdout, re.M))
    assert {"ASK_GRANT_ALONE", "ASK_GRANT_ALONE, 64 at once", "GRANT_INSERT", "GRANT_INSERT, 64 at once", "GRANT_ROTATE, 64 at once"} <= set(found)
    assert all("Execution Time" in plan for plan in found.values()), out.stdout
    told = (harness.ROOT / "docs/scaling.md").read_text()
    assert [name for name in found if f"### {name}\n" not in told] == []
