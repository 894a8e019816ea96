"""The front door's own rules through the real program: who a client is, and how much it may have."""
import json
import socket
import struct

import pytest

import harness
from test_tls import own_address

BAD = "grant_type=client_credentials&client_id=x&client_secret=y"
V2 = b"\r\n\r\n\0\r\nQUIT\n"


def v2(address, port=5000, additions=b""):
    body = socket.inet_aton(address) + socket.inet_aton("192.0.2.1") + struct.pack(">HH", port, 443) + additions
    return V2 + b"\x21\x11" + struct.pack(">H", len(body)) + body


def ask(host, port, before=b"", form=BAD):
    """The status of one answer; None when there is none."""
    with socket.create_connection((host, port), harness.PATIENCE_S) as s:
        s.sendall(before + f"POST {harness.V3} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {harness.FORM}\r\n"
                  f"Content-Length: {len(form)}\r\n\r\n{form}".encode())
        got = b""
        while part := s.recv(4096):
            got += part
    return int(got[9:12]) if got else None


def limited_peers(server):
    return [json.loads(line)["peer"] for line in server.output().splitlines() if b"REQUEST_LIMITED" in line]


@pytest.mark.parametrize("header", [v2("203.0.113.7"), b"PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r\n"])
def test_the_balancer_names_the_client(dev_factory, header):
    """Limits and log count the client, not the balancer."""
    server = dev_factory("--proxy-protocol", "127.0.0.0/8", "--limit-auth-failures", "2", limits=True)
    assert [ask("127.0.0.1", server.port, header) for _ in range(3)] == [400, 400, 429]
    assert ask("127.0.0.1", server.port, v2("203.0.113.8")) == 400
    assert ask("127.0.0.1", server.port) is None
    harness.wait_until(lambda: limited_peers(server))
    assert limited_peers(server) == ["203.0.113.7"]


def test_in_clear_behind_a_balancer(serve_factory):
    """What the balancer says of its client's TLS is what counts."""
    address = own_address()
    if not address:
        pytest.skip("this machine has no address besides loopback")
    port = harness.free_port()
    serve_factory("--issuer", "https://login.example.com", "--listen", f"{address}:{port}", "--proxy-protocol", address)
    tls, clear = b"\x20\x00\x05\x01\0\0\0\0", b"\x20\x00\x05\x00\0\0\0\0"
    assert ask(address, port, v2("203.0.113.7", additions=tls)) == 400
    assert ask(address, port, v2("203.0.113.7", additions=clear)) == 403
    assert ask(address, port, v2("203.0.113.7")) == 403


def test_requests_of_a_connection(dev_factory):
    server = dev_factory("--requests-per-connection", "2")
    connection = server.api.connect()
    assert [server.api.get("/nothing", connection=connection).headers.get("connection") for _ in range(2)] == [None, "close"]


def test_connections_of_an_address(dev_factory):
    server = dev_factory("--proxy-protocol", "127.0.0.1", "--connections-per-address", "3", "--threads", "1")
    held = []
    for _ in range(3):
        s = socket.create_connection(("127.0.0.1", server.port), harness.PATIENCE_S)
        s.sendall(v2("203.0.113.7"))
        harness.wait_until_read(s)
        held.append(s)
    assert ask("127.0.0.1", server.port, v2("203.0.113.7")) is None
    assert ask("127.0.0.1", server.port, v2("203.0.113.8")) == 400
    for s in held:
        s.close()
    harness.wait_until(lambda: ask("127.0.0.1", server.port, v2("203.0.113.7")) == 400)


def test_the_options_are_checked(tmp_path):
    done = harness.command("check-config", "--data", tmp_path, "--issuer", "https://a.example", "--listen", "127.0.0.1:1", "--proxy-protocol", "10.0.0.0/40")
    assert done.returncode == 1 and "10.0.0.0/40" in done.stderr
