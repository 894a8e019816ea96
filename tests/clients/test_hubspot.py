"""HubSpot's Node client, the current release and the one before. norm: N08"""
import json
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent


@pytest.mark.parametrize("scenario", ["roundTrip", "information", "archive", "errors"])
@pytest.mark.parametrize("package", ["@hubspot/api-client", "hubspot-api-client-13"])
def test_hubspot_api_client(server, package, scenario):
    done = subprocess.run(
        ["node", "hubspot.mjs", package, scenario], cwd=HERE, input=json.dumps(server.info), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_versions_are_the_pinned_ones():
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]
    for name, version in wanted.items():
        installed = json.loads((HERE / "node_modules" / name / "package.json").read_text())
        assert installed["version"] == version.rsplit("@", 1)[-1]
        assert installed["name"] == (version.removeprefix("npm:").rsplit("@", 1)[0] if version.startswith("npm:") else name)
