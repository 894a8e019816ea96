"""Fixtures: real servers. GRANTD_BIN chooses the binary, so that the sanitizers' builds run the same tests."""
import itertools

import pytest

import harness

_count = itertools.count()


@pytest.fixture(scope="session", autouse=True)
def binary():
    if not harness.BINARY.exists():
        pytest.exit(f"{harness.BINARY} is missing: ./dev build", returncode=3)
    return harness.BINARY


def _dev(tmp_path_factory, *options, **more):
    folder = tmp_path_factory.mktemp(f"dev{next(_count)}")
    return harness.DevServer(folder / "data", folder / "stderr", options, **more)


@pytest.fixture(scope="session")
def dev(tmp_path_factory):
    """One throw-away server for the whole run, without limits, and with deadlines that a busy machine does not miss."""
    server = _dev(tmp_path_factory, *harness.NO_LIMITS, "--header-deadline", "2m", "--body-deadline", "2m").start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def server(dev):
    """What the HTTP tests need of it: .host, .port, .valid_form."""
    return dev


@pytest.fixture(scope="session")
def fast_deadline_server(tmp_path_factory):
    """Deadlines of one second for heads and bodies, two for idle connections."""
    server = _dev(tmp_path_factory, *harness.NO_LIMITS, "--header-deadline", "1s", "--body-deadline", "1s", "--idle-deadline", "2s").start()
    yield server
    server.stop()


@pytest.fixture
def dev_factory(tmp_path_factory):
    """Starts `grantd dev` with options and a data directory of its own; what still runs at the end is stopped."""
    started = []

    def start(*options, limits=False, **more):
        server = _dev(tmp_path_factory, *(() if limits else harness.NO_LIMITS), *options, **more)
        started.append(server.start())
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def serve_factory(tmp_path_factory):
    """Starts `grantd serve`; `data` can be the directory of an earlier one."""
    started = []

    def start(*options, data=None):
        folder = tmp_path_factory.mktemp(f"serve{next(_count)}")
        server = harness.ProductionServer(data or folder / "data", folder / "stderr", options)
        started.append(server.start())
        return server

    yield start
    for server in started:
        server.stop()
