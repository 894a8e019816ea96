"""The last line of ./dev test comes from real counts."""
import json
import sys

import tree

sys.path.insert(0, str(tree.ROOT / "tests/tools"))
import summary  # noqa: E402


def run(folder, capsys):
    status = summary.main(folder)
    return status, capsys.readouterr().out


def junit(folder, name, *cases):
    body = "".join(f"<testcase name='{i}'>{inside}</testcase>" for i, inside in enumerate(cases))
    (folder / f"{name}.xml").write_text(f"<testsuites><testsuite>{body}</testsuite></testsuites>")


def meson(folder, name, *rows):
    (folder / f"{name}-meson.json").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_nothing_ran(tmp_path, capsys):
    assert run(tmp_path, capsys) == (1, "0 passed, 0 failed, 0 skipped\n")


def test_all_kinds(tmp_path, capsys):
    junit(tmp_path, "wire", "", "", "<skipped message='no tool'/>")
    meson(tmp_path, "unit", {"result": "OK", "stderr": "[  PASSED  ] 12 test(s).\n"}, {"result": "OK"})
    assert run(tmp_path, capsys) == (0, "skipped 1: no tool\n15 passed, 0 failed, 1 skipped\n")


def test_skips_have_their_reasons(tmp_path, capsys):
    said = "[  REASON  ] sqlite: it has no queue\n[  SKIPPED ] 1 test(s), listed below:\n[  PASSED  ] 2 test(s).\n"
    meson(tmp_path, "parts", *[{"result": "OK", "stdout": said}] * 2, {"name": "contract postgres", "result": "SKIP", "stderr": "not installed\n"})
    junit(tmp_path, "wire", "<skipped/>")
    assert run(tmp_path, capsys) == (0, "skipped 1: contract postgres: not installed\nskipped 1: no reason given\n"
                                        "skipped 2: sqlite: it has no queue\n4 passed, 0 failed, 4 skipped\n")


def test_failures_count(tmp_path, capsys):
    junit(tmp_path, "wire", "", "<failure/>", "<error/>")
    meson(tmp_path, "unit", {"result": "FAIL", "stderr": "[  PASSED  ] 3 test(s).\n[  FAILED  ] 2 test(s), listed below"}, {"result": "TIMEOUT"})
    (tmp_path / "failed-stages").write_text("wire\nunit\n")
    assert run(tmp_path, capsys) == (1, "4 passed, 5 failed, 0 skipped\n")


def test_a_crash_after_good_cases_counts(tmp_path, capsys):
    """A sanitizer's report at exit: every case passed, and the program did not."""
    meson(tmp_path, "asan", {"result": "FAIL", "stderr": "[  PASSED  ] 3 test(s).\n"})
    assert run(tmp_path, capsys) == (1, "3 passed, 1 failed, 0 skipped\n")


def test_a_stage_that_failed_without_a_test(tmp_path, capsys):
    junit(tmp_path, "wire", "")
    (tmp_path / "failed-stages").write_text("clang\n")
    assert run(tmp_path, capsys) == (1, "1 passed, 1 failed, 0 skipped\n")
