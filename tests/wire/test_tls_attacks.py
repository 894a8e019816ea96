"""The list of testssl.sh's vulnerabilities, each as the hello that asks for it, by hand: what no TLS library of today would say."""
import socket
import struct

import pytest

import harness
from test_tls import make_certificate

ALERT, HANDSHAKE, HEARTBEAT, CHANGE_CIPHER = 21, 22, 24, 20
SERVER_HELLO, SERVER_HELLO_DONE = 2, 14
UNEXPECTED_MESSAGE, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, PROTOCOL_VERSION, INAPPROPRIATE_FALLBACK = 10, 40, 47, 70, 86
GOOD = 0xC02B  # ECDHE-ECDSA-AES128-GCM-SHA256
SECURE_RENEGOTIATION, FALLBACK = 0x00FF, 0x5600

GROUPS = (10, struct.pack(">HHH", 4, 29, 23))
POINTS = (11, b"\x01\x00")
SIGNATURES = (13, struct.pack(">HHHHHH", 10, 0x0403, 0x0804, 0x0401, 0x0203, 0x0201))
USUAL = (GROUPS, POINTS, SIGNATURES)


def record(kind, payload, version=0x0301):
    return struct.pack(">BHH", kind, version, len(payload)) + payload


def hello(ciphers=(GOOD,), version=0x0303, compressions=b"\x00", more=(), session=b""):
    extensions = b"".join(struct.pack(">HH", kind, len(data)) + data for kind, data in (*USUAL, *more))
    body = (struct.pack(">H", version) + bytes(range(32)) + bytes([len(session)]) + session + struct.pack(">H", 2 * len(ciphers))
            + b"".join(struct.pack(">H", cipher) for cipher in ciphers) + bytes([len(compressions)]) + compressions
            + struct.pack(">H", len(extensions)) + extensions)
    return record(HANDSHAKE, b"\x01" + struct.pack(">I", len(body))[1:] + body, min(version, 0x0301))


class Talk(harness.Wire):
    def __init__(self, port):
        super().__init__("127.0.0.1", port)

    def record(self):
        """The next one as (kind, payload); None at the end of the connection."""
        while len(self.heard) < 5 or len(self.heard) < 5 + int.from_bytes(self.heard[3:5], "big"):
            try:
                part = self.socket.recv(65536)
            except ConnectionResetError:
                part = b""
            if not part:
                return None
            self.heard += part
        n = 5 + int.from_bytes(self.heard[3:5], "big")
        one, self.heard = (self.heard[0], self.heard[5:n]), self.heard[n:]
        return one

    def alert(self):
        """The first alert; None when the connection ends without."""
        for kind, payload in iter(self.record, None):
            if kind == ALERT:
                return payload[1]
        return None

    def flight(self):
        """The messages of the server up to its ServerHelloDone: {type: body}."""
        found, text = {}, b""
        while SERVER_HELLO_DONE not in found:
            kind, payload = self.record()
            assert kind == HANDSHAKE, (kind, payload)
            text += payload
            while len(text) >= 4 and len(text) >= 4 + int.from_bytes(text[1:4], "big"):
                n = 4 + int.from_bytes(text[1:4], "big")
                found[text[0]], text = text[4:n], text[n:]
        return found


def server_hello(body):
    """(session, cipher, compression, {extension: data})"""
    n = body[34]
    session, rest = body[35 : 35 + n], body[35 + n :]
    cipher, compression, rest = int.from_bytes(rest[:2], "big"), rest[2], rest[5:]
    extensions = {}
    while rest:
        kind, size = struct.unpack(">HH", rest[:4])
        extensions[kind], rest = rest[4 : 4 + size], rest[4 + size :]
    return session, cipher, compression, extensions


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attacks")
    certificate, key = make_certificate(folder)
    port = harness.free_port()
    server = harness.DevServer(folder / "data", folder / "stderr", (*harness.NO_LIMITS, "--tls-listen", f"127.0.0.1:{port}", "--tls-certificate",
                                                                    certificate, "--tls-key", key)).start()
    server.tls_port = port
    yield server
    with Talk(port) as talk:  # after all of it
        talk.say(hello())
        assert SERVER_HELLO in talk.flight()
    server.stop()


@pytest.mark.parametrize("name, said, want", [
    ("POODLE: SSL 3.0", hello(version=0x0300), {PROTOCOL_VERSION, HANDSHAKE_FAILURE}),
    ("BEAST: TLS 1.0", hello(version=0x0301), {PROTOCOL_VERSION}),
    ("TLS 1.1", hello(version=0x0302), {PROTOCOL_VERSION}),
    ("a fallback that somebody forced", hello((GOOD, FALLBACK)), {INAPPROPRIATE_FALLBACK}),
    ("ROBOT: RSA key exchange", hello((0x009C, 0x009D, 0x002F, 0x0035, 0x003C, 0x003D)), {HANDSHAKE_FAILURE}),
    ("SWEET32: blocks of 64 bits", hello((0x000A, 0x0016, 0xC008, 0xC012, 0x0007)), {HANDSHAKE_FAILURE}),
    ("FREAK: RSA for export", hello((0x0003, 0x0006, 0x0008, 0x0062, 0x0064)), {HANDSHAKE_FAILURE}),
    ("LOGJAM: finite fields", hello((0x0011, 0x0014, 0x0033, 0x0039, 0x009E, 0x009F, 0xCCAA)), {HANDSHAKE_FAILURE}),
    ("LUCKY13: CBC", hello((0xC009, 0xC00A, 0xC013, 0xC014, 0xC023, 0xC024, 0xC027, 0xC028)), {HANDSHAKE_FAILURE}),
    ("RC4", hello((0x0004, 0x0005, 0xC007, 0xC011)), {HANDSHAKE_FAILURE}),
    ("no encryption", hello((0x0001, 0x0002, 0x003B, 0xC006, 0xC010)), {HANDSHAKE_FAILURE}),
    ("nobody is authenticated", hello((0x0018, 0x0034, 0x006C, 0xC018, 0xC019)), {HANDSHAKE_FAILURE}),
    ("CRIME: compression alone", hello(compressions=b"\x01"), {ILLEGAL_PARAMETER, 50}),
])
def test_hellos_that_are_refused(tls, name, said, want):
    with Talk(tls.tls_port) as talk:
        talk.say(said)
        assert talk.alert() in want, name


def test_drown(tls):
    """CVE-2016-0800: the hello of SSL 2.0 gets no answer in its own tongue."""
    ciphers = bytes.fromhex("0700c0 030080 010080 060040 040080 020080")
    body = b"\x01\x00\x02" + struct.pack(">HHH", len(ciphers), 0, 16) + ciphers + bytes(16)
    with Talk(tls.tls_port) as talk:
        talk.say(struct.pack(">H", 0x8000 | len(body)) + body)
        heard = b""
        while True:
            try:
                part = talk.socket.recv(4096)
            except ConnectionResetError:
                break
            if not part:
                break
            heard += part
        assert heard == b"" or heard[0] == ALERT, heard


def test_what_the_server_chooses(tls):
    """CRIME: no compression, though it is offered. Secure renegotiation (RFC 5746) is confirmed, heartbeats and a session of others' are not."""
    with Talk(tls.tls_port) as talk:
        talk.say(hello((GOOD, SECURE_RENEGOTIATION), compressions=b"\x01\x00", more=((15, b"\x01"), (35, b"x" * 160)), session=b"\x01"))
        session, cipher, compression, extensions = server_hello(talk.flight()[SERVER_HELLO])
    assert cipher == GOOD and compression == 0
    assert extensions[0xFF01] == b"\x00" and 15 not in extensions
    assert len(session) in (0, 32)  # Ticketbleed, CVE-2016-9244: never more of our memory than was sent


def test_heartbleed(tls):
    """CVE-2014-0160: a heartbeat that says it is longer than it is."""
    with Talk(tls.tls_port) as talk:
        talk.say(hello(more=((15, b"\x01"),)))
        talk.flight()
        talk.say(record(HEARTBEAT, b"\x01\x40\x00", 0x0303))
        kinds = [kind for kind, _ in iter(talk.record, None)]
        assert HEARTBEAT not in kinds and kinds in ([ALERT], [])


def test_change_cipher_spec_too_early(tls):
    """CVE-2014-0224: before there are keys."""
    with Talk(tls.tls_port) as talk:
        talk.say(hello())
        talk.flight()
        talk.say(record(CHANGE_CIPHER, b"\x01", 0x0303))
        assert talk.alert() == UNEXPECTED_MESSAGE


def test_breach(tls):
    """CVE-2013-3587: answers are never compressed. Opossum: a connection in clear does not become another kind on the way."""
    answer = harness.Api(tls.host, tls.port).request("GET", "/.well-known/jwks.json", headers={"Accept-Encoding": "gzip, deflate, br", "Connection": "Upgrade",
                                                                                               "Upgrade": "TLS/1.2"})
    assert answer.status == 200 and "content-encoding" not in {name.lower() for name in answer.headers}
