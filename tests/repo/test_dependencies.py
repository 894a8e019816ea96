"""The package lists of ./dev, docs/dependencies.md and the npm lock agree with each other."""
import json
import pathlib
import re

import pytest

import tree

P = pathlib.PurePosixPath
NPM = ["tests/clients", "tests/browser", "bench/peers"]


def packages_of_dev():
    lists = re.findall(r"^[A-Z]+_PACKAGES=\(([^)]*)\)", tree.text(P("dev")), re.M)
    return {word for words in lists for word in words.split()}


def test_every_package_is_explained():
    manual = tree.text(P("docs/dependencies.md"))
    assert packages_of_dev() and not [name for name in packages_of_dev() if f"`{name}`" not in manual]


def test_every_explained_package_is_installed():
    manual = tree.text(P("docs/dependencies.md"))
    named = {name for row in re.findall(r"^\| (`[^|]*) \|", manual, re.M) for name in re.findall(r"`([^`]+)`", row)}
    assert named == packages_of_dev()


@pytest.mark.parametrize("folder", NPM)
def test_npm_versions_are_pinned(folder):
    package = json.loads(tree.text(P(folder, "package.json")))
    wanted = {**package.get("dependencies", {}), **package.get("devDependencies", {})}
    assert wanted and not [v for v in wanted.values() if not re.fullmatch(r"(npm:@?[\w/-]+@)?\d+\.\d+\.\d+", v)]


@pytest.mark.parametrize("folder", NPM)
def test_npm_lock_has_hashes_and_no_addresses(folder):
    lock = json.loads(tree.text(P(folder, "package-lock.json")))
    rows = {name: row for name, row in lock["packages"].items() if name}
    assert rows and not [name for name, row in rows.items() if "resolved" in row or not row["integrity"].startswith("sha512-")]
    assert not [name for name, row in rows.items() if row.get("hasInstallScript")]
