"""The pages in Debian's Chromium: accessible, within the screen, usable with the keyboard, in every language, state and scheme."""
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("GRANTD_BUILD", "build")
PAGES = ["choose_account", "connected_apps", "consent", "error", "notice", "revoke", "sign_in", "sign_out", "signed_out"]


def write_samples(folder, *accent):
    subprocess.run(["ninja", "-C", BUILD, "--quiet", "src/pages/page_samples"], check=True)
    subprocess.run([BUILD / "src/pages/page_samples", folder, *accent], check=True)
    return sorted(path.stem for path in folder.glob("*.html"))


def look_at(folder, names):
    return subprocess.run(["node", ROOT / "tests/browser/check.mjs", folder, *names], capture_output=True, text=True)


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    return folder, write_samples(folder)


def test_every_page_has_a_sample(samples):
    templates = {path.stem for path in (ROOT / "src/pages/templates").glob("*.html")}
    assert templates == {name.split("-")[0] for name in samples[1]} == set(PAGES)


@pytest.fixture(scope="module")
def seen(samples, request):
    """What check.mjs says of every sample of the pages that were asked for, all of them in one browser."""
    folder, names = samples
    wanted = [item.callspec.params["page"] for item in request.session.items if "page" in getattr(getattr(item, "callspec", None), "params", {})]
    return look_at(folder, [name for name in names if name.split("-")[0] in wanted])


@pytest.mark.parametrize("page", PAGES)
def test_page(samples, seen, page):
    names = [name for name in samples[1] if name.startswith(page + "-")]
    lines = seen.stdout.splitlines()
    assert names and not [name for name in names if f"ok {name}" not in lines], seen.stdout + seen.stderr


@pytest.mark.parametrize("accent", ["#ffd400", "#101010", "#e5007d", "#ffffff"])
def test_accent(tmp_path, accent):
    write_samples(tmp_path, accent)
    done = look_at(tmp_path, ["sign_in-1.en", "consent-1.en", "connected_apps-1.en"])
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_page_has_a_picture():
    """docs/screens is written by tests/browser/screens."""
    rows = re.findall(r"^(\w+)-\d\.(en|de|fr)\.(1280|360)\.(light|dark) ([\w-]+)$", (ROOT / "tests/browser/screens").read_text(), re.M)
    assert {page for page, *_ in rows} == set(PAGES)
    assert {f"{name}.png" for *_, name in rows} == {path.name for path in (ROOT / "docs/screens").iterdir()}
    for column, wanted in ((1, {"en", "de", "fr"}), (2, {"1280", "360"}), (3, {"light", "dark"})):
        assert {row[column] for row in rows} == wanted
