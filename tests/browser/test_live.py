"""People in front of a running server, in Debian's Chromium: live.mjs walks, this starts the server."""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("GRANTD_BIN", ROOT / "build/grantd")).resolve()
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("GRANTD_")}
WALKS = ["whole way, en", "whole way, de", "whole way, fr", "the switch of languages", "cancel on every page", "two tabs at once", "the back button",
         "a double click", "the session ends", "keyboard only", "without JavaScript"]


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
            yield info
        finally:
            server.terminate()


@pytest.mark.parametrize("walk", WALKS)
def test_walk(info, walk):
    done = subprocess.run(["node", ROOT / "tests/browser/live.mjs", json.dumps(info), walk], capture_output=True, text=True, timeout=180)
    assert done.returncode == 0 and done.stdout.startswith("ok "), done.stdout + done.stderr
