"""The clients' tests stand on the server of the wire tests."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "wire"))
import harness  # noqa: E402


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clients")
    running = harness.DevServer(folder / "data", folder / "stderr").start()
    yield running
    running.stop()
