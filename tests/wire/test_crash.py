"""What was acknowledged stays true when the process is killed, and nothing is lost when it is asked to end."""
import http.client
import signal
import threading

import pytest

import harness


class Ledger:
    """What a client was told. Only what it was told counts: an answer that never came may have happened or not."""

    def __init__(self):
        self.lock = threading.Lock()
        self.live, self.redeemed, self.revoked, self.unanswered = [], [], [], []

    def note(self, row, value):
        with self.lock:
            getattr(self, row).append(value)


class Client(threading.Thread):
    """Installs, refreshes and revokes for as long as it is answered."""

    def __init__(self, app, ledger):
        super().__init__(daemon=True)
        self.app, self.ledger, self.error, self.round = app, ledger, None, 0
        self.connection = app.api.connect()

    def run(self):
        try:
            while True:
                self.once()
        except (OSError, http.client.HTTPException):
            self.ledger.note("unanswered", self)
        except BaseException as error:  # noqa: B902 - told to the test
            self.error = error

    def once(self):
        pkce = harness.Pkce()
        code = self.app.code(self.connection, **pkce.asked)
        got = self.app.redeem(code, self.connection, code_verifier=pkce.verifier)
        assert got.status == 200, got
        self.ledger.note("redeemed", (code, pkce.verifier))
        token, access = got.json["refresh_token"], got.json["access_token"]
        for _ in range(3):
            again = self.app.refresh(token, self.connection)
            assert again.status == 200, again
            token = again.json["refresh_token"]
        self.round += 1
        if self.round % 2:
            self.ledger.note("live", token)
        else:
            answer = self.app.revoke(token, self.connection)
            assert answer.status == 200, answer
            self.ledger.note("revoked", (token, access))


def load(app, threads=8):
    ledger = Ledger()
    clients = [Client(app, ledger) for _ in range(threads)]
    for client in clients:
        client.start()
    return ledger, clients


def join(clients):
    for client in clients:
        client.join(harness.PATIENCE_S)
        assert not client.is_alive(), "a request was never answered"
    errors = [client.error for client in clients if client.error]
    if errors:
        raise errors[0]


def verify(server, app, ledger):
    """Asks about everything that the ledger says. Replays of codes come last, because they end their grants."""
    connection = app.api.connect()
    for token, access in ledger.revoked:
        assert app.refresh(token, connection).json["status"] == "BAD_REFRESH_TOKEN"
        assert not server.resource_server.is_active(access, connection)
    for token in ledger.live:
        answer = app.refresh(token, connection)
        assert answer.status == 200, (token, answer)
    for code, verifier in ledger.redeemed:
        answer = app.redeem(code, connection, code_verifier=verifier)
        assert answer.status == 400 and answer.json["status"] in ("BAD_AUTH_CODE", "EXPIRED_AUTH_CODE"), answer
    connection.close()


@pytest.mark.parametrize("kind", ["confidential", "public"])
def test_kill9_under_load(dev_factory, kind):
    """norm: N01 F06"""
    server = dev_factory("--code-ttl", "600s")
    for _ in range(3):
        ledger, clients = load(getattr(server, kind))
        harness.wait_until(lambda: len(ledger.redeemed) >= 60 and len(ledger.revoked) >= 20)
        server.kill9()
        join(clients)
        before = server.info
        server.restart()
        assert server.info["apps"] == before["apps"]
        verify(server, getattr(server, kind), ledger)


def test_an_unanswered_refresh_can_be_repeated(dev_factory):
    """The process dies between the commit and the answer, somewhere: the client asks again with the same token. norm: F15 N01"""
    server = dev_factory()
    for _ in range(6):
        tokens = [server.public.install()["refresh_token"] for _ in range(8)]
        current, answered, stop = dict(enumerate(tokens)), [], threading.Event()

        def work(i):
            connection = server.public.api.connect()
            while not stop.is_set():
                try:
                    current[i] = server.public.refresh(current[i], connection).json["refresh_token"]
                    answered.append(i)
                except (OSError, http.client.HTTPException):
                    return

        threads = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(8)]
        for thread in threads:
            thread.start()
        harness.wait_until(lambda: len(answered) >= 40)
        server.kill9()
        stop.set()
        for thread in threads:
            thread.join(harness.PATIENCE_S)
        server.restart()
        for token in current.values():
            answer = server.public.refresh(token)
            assert answer.status == 200, answer
            assert server.public.refresh(answer.json["refresh_token"]).status == 200


def test_sigterm_under_load_loses_no_answered_request(dev_factory):
    """norm: N01"""
    server = dev_factory("--code-ttl", "600s")
    ledger, clients = load(server.confidential)
    harness.wait_until(lambda: len(ledger.redeemed) >= 30)
    assert server.stop() == 0
    join(clients)
    server.restart()
    verify(server, server.confidential, ledger)
    assert b"SERVER_STOPPED" in server.output()


def test_sigterm_finishes_what_is_under_way(dev_factory):
    """A request whose body is still coming when the signal arrives is answered."""
    server = dev_factory()
    connection = server.api.connect()
    connection.putrequest("POST", harness.V3)
    connection.putheader("content-type", harness.FORM)
    connection.putheader("content-length", str(len(server.valid_form)))
    connection.endheaders(server.valid_form[:10])
    harness.wait_until_read(connection.sock)
    server.signal(signal.SIGTERM)
    harness.wait_until(lambda: b"SERVER_DRAINING" in server.output())
    connection.send(server.valid_form[10:])
    answer = connection.getresponse()
    assert answer.status == 200 and answer.read()
    connection.close()
    assert server.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_that_end(dev_factory, number):
    """An idle connection holds nothing up."""
    server = dev_factory("--drain-deadline", "300s")
    idle = server.api.connect()
    idle.connect()
    harness.wait_until_read(idle.sock)
    server.signal(number)
    assert server.process.wait(harness.PATIENCE_S) == 0
    idle.close()
