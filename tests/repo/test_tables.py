"""Facts stand in tables; every row is used, documented and tested."""
import pathlib
import re

import pytest

import tree

P = pathlib.PurePosixPath


def product_code(*but):
    return [path for path in tree.sources() if path.suffix == ".c" and path.as_posix() not in but]


def test_code():
    return [path for path in tree.files() if tree.is_test(path) and path.suffix in (".c", ".h", ".py", ".mjs") and path.parts[:2] != ("tests", "repo")]


test_code.__test__ = False


def table(name):
    path = P(name)
    if path not in tree.files():
        pytest.fail(f"{name} is missing")
    return path


def test_options_are_used():
    names = tree.rows(table("src/app/options.def"))
    used = set()
    for path in product_code():
        used.update(re.findall(r"(?:\.|->)(\w+)", tree.code(path)))
    assert names and not [name for name in names if name not in used]


def test_options_are_documented():
    manual = tree.text(table("docs/configuration.md"))
    assert not [name for name in tree.rows(table("src/app/options.def")) if not re.search(rf"^#+ `?{name}`?$", manual, re.M)]


def test_refusals_are_produced():
    words = tree.words_of(product_code())
    assert not [name for name in tree.rows(table("src/oauth/errors.def")) if f"REFUSAL_{name}" not in words]


def test_refusals_are_tested():
    """Named in a test as REFUSAL_NAME or NAME, or by its own text."""
    words = tree.words_of(test_code())
    assert not [name for name in tree.rows(table("src/oauth/errors.def")) if name not in words and f"REFUSAL_{name}" not in words]


def test_refusal_texts_are_safe():
    """RFC 6749 s5.2: error_description has no quote, backslash or other character outside its set."""
    texts = re.findall(r'^REFUSAL\(.*"([^"]*)"\)$', tree.text(table("src/oauth/errors.def")), re.M)
    assert len(texts) == len(tree.rows(table("src/oauth/errors.def")))
    assert not [t for t in texts if not re.fullmatch(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+", t)]


def test_refusals_are_documented():
    contract = tree.text(table("docs/contract.md"))
    rows = re.findall(r'^REFUSAL\((\w+), (\d+), "(\w+)", "(\w+)"', tree.text(table("src/oauth/errors.def")), re.M)
    assert rows and not [name for name, http, error, status in rows if f"| {http} | `{status}` | `{error}` |" not in contract]


def test_statements_are_used():
    names = tree.rows(table("src/store/statements.def"))
    words = tree.words_of(path for path in product_code() if path.parts[1] == "store")
    assert names and not [name for name in names if not any(word.endswith(name) for word in words)]


def test_events_are_used():
    names = tree.rows(table("src/app/events.def"))
    words = tree.words_of(product_code())
    assert names and not [name for name in names if f"EVENT_{name}" not in words]


def test_faults_are_raised():
    words = tree.words_of(product_code())
    assert not [name for name in tree.rows(table("src/base/faults.def")) if f"FAULT_{name}" not in words]


def test_metrics_are_documented_and_bounded():
    rows = re.findall(r'^METRIC\((\w+), (COUNTER|GAUGE|HISTOGRAM), "(\w+)", "[^"\\]+"\)$', tree.text(table("src/app/metrics.def")), re.M)
    assert len(rows) == len(tree.rows(table("src/app/metrics.def")))
    manual = tree.text(table("docs/operations.md"))
    assert not [name for _, _, name in rows if f"`{name}`" not in manual]
    assert not [name for _, kind, name in rows if (kind == "COUNTER") != name.endswith("_total")]
