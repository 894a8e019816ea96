"""People in front of a running server, in Debian's Chromium: live.mjs walks, this starts the server."""
import json
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("GRANTD_BIN", ROOT / "build/grantd")).resolve()
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("GRANTD_")}
WALKS = ["whole way, en", "whole way, de", "whole way, fr", "the switch of languages", "cancel on every page", "two tabs at once", "the back button",
         "a double click", "the session ends", "keyboard only", "without JavaScript",
         "one account of many, en", "one account of many, de", "one account of many, fr", "signing out for an app, by keys, en", "signing out for an app, by keys, de", "signing out for an app, by keys, fr", "shows an ID token"]


@pytest.fixture(scope="module")
def info(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    words = [BINARY, "dev", "--json", "--no-auto-approve", "--listen", "127.0.0.1:0", "--data", folder / "data", "--limit-sign-in-failures", "0"]
    with open(folder / "stderr", "wb") as err, subprocess.Popen(words, stdout=subprocess.PIPE, stderr=err, env=ENVIRONMENT) as server:
        try:
            line = server.stdout.readline()
            assert line, (folder / "stderr").read_text()
            info = json.loads(line)
            admin = lambda *more: json.loads(subprocess.run(  # noqa: E731
                [BINARY, *more, "--data", folder / "data", "--json"], check=True, capture_output=True, env=ENVIRONMENT).stdout)
            second = admin("account", "create", "--name", "Second Company", "--domain", "second.example")["hub_id"]
            admin("account", "member", "add", str(second), str(info["user"]["user_id"]), "--role", "installer")
            yield info | {"binary": str(BINARY), "data": str(folder / "data")}
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def told(info, request):
    """What live.mjs says of each walk that was asked for, all of them in one browser."""
    wanted = [item.callspec.params["walk"] for item in request.session.items if "walk" in getattr(getattr(item, "callspec", None), "params", {})]
    done = subprocess.run(["node", ROOT / "tests/browser/live.mjs", json.dumps(info), *wanted], capture_output=True, text=True, env=ENVIRONMENT,
                          timeout=180 + 60 * len(wanted))
    return re.findall(r"^(ok|WRONG) (.*(?:\n(?!ok |WRONG ).*)*)", done.stdout, re.M), done


@pytest.mark.parametrize("walk", WALKS)
def test_walk(told, walk):
    said, done = told
    found = [(word, text) for word, text in said if walk in text.partition("\n")[0]]
    assert len(found) == 1, done.stdout + done.stderr
    assert found[0][0] == "ok", found[0][1] + done.stderr


def test_every_walk_is_asked_for():
    names = re.findall(r"^(?:  )?walks\[[\"`]([^\"`$]+)", (ROOT / "tests/browser/live.mjs").read_text(), re.M)
    assert len(names) > 8 and not [name for name in names if not any(walk in name or name in walk for walk in WALKS)]
