"""Files that are written by a program are as that program writes them now."""
import json
import re
import subprocess
import sys

import pytest

import tree

sys.path.insert(0, str(tree.ROOT / "tests/tools"))
import contract  # noqa: E402


def test_contract_and_openapi_are_current():
    assert not contract.stale(), "run tests/tools/contract.py"


def test_openapi_is_a_valid_schema():
    import jsonschema

    document = json.loads(contract.OPENAPI.read_text())
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    names = set(document["components"]["schemas"])
    used = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert used <= names and names - used <= {name for name in names if name.startswith("Error")}


def binary():
    path = tree.BUILD / "grantd"
    if not path.exists():
        pytest.fail("build/grantd is missing: ./dev build")
    return path


@pytest.mark.parametrize("words, page", [(["docs", "options"], "docs/configuration.md"), (["docs", "admin"], "docs/admin.md"),
                                         (["docs", "admin-openapi"], "docs/admin-openapi.json")])
def test_manual_pages_are_current(words, page):
    done = subprocess.run([binary(), *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tree.ROOT / page).read_text() == done.stdout
