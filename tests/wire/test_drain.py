"""A server that was asked to end: what is under way is finished, nothing new is taken, and who asks twice means it."""
import contextlib
import signal
import socket

import harness

FORM = b"POST /oauth/v3/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n"


def half_a_request(server):
    """A connection whose request is begun, and what is still to be sent of it."""
    body = server.valid_form
    connection = socket.create_connection((server.host, server.port), harness.PATIENCE_S)
    connection.sendall(FORM % len(body) + body[:10])
    harness.wait_until_read(connection)
    return connection, body[10:]


def refuses_connections(server):
    try:
        socket.create_connection((server.host, server.port), harness.PATIENCE_S).close()
    except ConnectionRefusedError:
        return True
    return False


def is_ready(server):
    return harness.Admin(server.admin_socket).get("/health/ready").status == 200


@contextlib.contextmanager
def draining(dev_factory, drain):
    """The body's deadline is no help: what ends the process is the drain."""
    server = dev_factory("--drain-deadline", drain, "--body-deadline", "300s")
    connection, rest = half_a_request(server)
    assert is_ready(server)
    server.signal(signal.SIGTERM)
    harness.wait_until(lambda: b"SERVER_DRAINING" in server.output(), "the signal was not heard")
    with connection:
        yield server, connection, rest


def ends_by_itself(server):
    return server.process.wait(harness.PATIENCE_S) == 0


def test_what_is_under_way_is_finished(dev_factory):
    with draining(dev_factory, "300s") as (server, connection, rest):
        assert not is_ready(server)
        # nobody waits in a queue that is never served
        harness.wait_until(lambda: refuses_connections(server), "connections are still taken")
        connection.sendall(rest)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 200 ") and b"access_token" in answer
        assert ends_by_itself(server)


def test_the_drain_has_a_deadline(dev_factory):
    with draining(dev_factory, "1s") as (server, _, _):
        assert ends_by_itself(server)


def test_the_second_signal_ends_at_once(dev_factory):
    with draining(dev_factory, "300s") as (server, _, _):
        server.signal(signal.SIGTERM)
        assert ends_by_itself(server)
