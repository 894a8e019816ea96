"""Ten times as much as the server takes: what is too much is told so at once, the rest is answered, and administration notices nothing."""
import contextlib
import re
import select
import selectors
import socket
import sqlite3
import time
import urllib.parse

import pytest

import h2raw
import harness

PLACES = 16
CROWD = 10 * PLACES
GROWTH_MAX_MIB = 512 if harness.SANITIZED else 64  # a sanitizer keeps what was freed


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A server with little room: so many requests, so many changes that wait for the disk."""
    folder = tmp_path_factory.mktemp("overload")
    h2c = harness.free_port()
    server = harness.DevServer(folder / "data", folder / "stderr", (
        *harness.NO_LIMITS, "--threads", "1", "--write-queue-max", PLACES, "--requests-under-way-max", CROWD // 2, "--h2c-listen", f"127.0.0.1:{h2c}",
        "--streams-per-connection", "3", "--bytes-per-connection", 131072, "--code-ttl", "10m",
        "--store-deadline", "60s")).start()  # nobody is refused because the machine is slow
    server.h2c = h2c
    yield server
    server.stop()


def memory_mib(server):
    with open(f"/proc/{server.process.pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1)) / 1024


def status_of(server, path):
    return harness.Admin(server.admin_socket).get(path).status


def redemption(app, code):
    form = urllib.parse.urlencode({**app.credentials, "grant_type": "authorization_code", "code": code, "redirect_uri": app.redirect_uri})
    return (f"POST {harness.V3} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {harness.FORM}\r\n"
            f"Content-Length: {len(form)}\r\n\r\n{form}").encode()


def ask_all(server, requests, meanwhile=lambda sockets: None):
    """All of them at once, each on a connection of its own; what came back, in their order."""
    sockets = [socket.create_connection((server.host, server.port), harness.PATIENCE_S) for _ in requests]
    for s, request in zip(sockets, requests):
        s.sendall(request)
    meanwhile(sockets)
    heard = [b""] * len(sockets)
    with selectors.DefaultSelector() as waiting:
        for i, s in enumerate(sockets):
            waiting.register(s, selectors.EVENT_READ, i)
        deadline = time.monotonic() + harness.PATIENCE_S
        while waiting.get_map():
            assert time.monotonic() < deadline, "a request was never answered"
            for key, _ in waiting.select(1):
                part = key.fileobj.recv(65536)
                heard[key.data] += part
                if not part:
                    waiting.unregister(key.fileobj)
                    key.fileobj.close()
    return heard


def statuses(answers):
    for answer in answers:
        assert answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 503 ")), answer[:200]
        assert answer.startswith(b"HTTP/1.1 200 ") or re.search(rb"\r\nRetry-After: \d+\r\n", answer), answer
    return [int(answer[9:12]) for answer in answers]


def wait_for_answers(sockets, count):
    deadline = time.monotonic() + harness.PATIENCE_S
    while len(select.select(sockets, [], [], 1)[0]) < count:
        assert time.monotonic() < deadline, "requests wait that should have been refused"


@contextlib.contextmanager
def stopped_disk(server):
    """No change is written as long as this lasts."""
    with contextlib.closing(sqlite3.connect(server.data / "grantd.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def codes(server, count):
    connection = server.api.connect()
    found = [server.confidential.code(connection) for _ in range(count)]
    connection.close()
    return found


@harness.only_sqlite
def test_more_changes_than_places(small):
    """Every change is answered: done, or 503 and not done, so that it can be asked for again. Health and administration go on."""
    seen = []
    wanted = codes(small, CROWD)
    requests = [redemption(small.confidential, code) for code in wanted]
    with contextlib.ExitStack() as disk:
        disk.enter_context(stopped_disk(small))

        def meanwhile(sockets):
            """Those that are too many are told so while nothing moves."""
            wait_for_answers(sockets, CROWD - 4 * PLACES)
            seen.extend(status_of(small, path) for path in ("/health/live", "/health/ready", "/admin/v1/apps"))
            disk.close()

        got = statuses(ask_all(small, requests, meanwhile))
    assert seen == [200, 200, 200]
    assert 1 <= got.count(200) and got.count(503) >= CROWD - 4 * PLACES, got
    again = [i for i, status in enumerate(got) if status == 503]
    for start in range(0, len(again), PLACES // 2):
        assert set(statuses(ask_all(small, [requests[i] for i in again[start : start + PLACES // 2]]))) == {200}


def test_a_crowd_that_does_not_stop(small):
    """Rounds of ten times the places, changes and questions mixed, with administration in between, which writes as well."""
    before, total = memory_mib(small), []
    form = small.valid_form.decode()
    question = (f"POST {harness.V3} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {harness.FORM}\r\n"
                f"Content-Length: {len(form)}\r\n\r\n{form}").encode()
    for round_number in range(5):
        requests = [part for code in codes(small, CROWD // 2) for part in (redemption(small.confidential, code), question)]
        made = []

        def meanwhile(_):
            made.append(small.new_app(name=f"Made in round {round_number}").client_id)
            assert status_of(small, "/health/live") == status_of(small, "/health/ready") == 200

        total += statuses(ask_all(small, requests, meanwhile))
        assert made[0]
    assert total.count(200) > 0
    assert memory_mib(small) - before < GROWTH_MAX_MIB


def test_streams_and_bytes_of_a_connection(small):
    """SETTINGS says how many; a peer that lets its answers lie gets no new ones made."""
    with h2raw.Connection(small.h2c) as c:
        _, _, _, settings = c.wait_for(h2raw.SETTINGS)
        pairs = {int.from_bytes(settings[i : i + 2], "big"): int.from_bytes(settings[i + 2 : i + 6], "big") for i in range(0, len(settings), 6)}
        assert pairs[3] == 3
        c.say(b"".join(h2raw.headers(stream, flags=h2raw.END_HEADERS) for stream in (1, 3, 5, 7)))
        assert c.answer(7) == ("reset", h2raw.REFUSED_STREAM)
