"""HTTP/2: independent clients (curl, nghttp, h2load), the cases of the specification by hand, and floods."""
import json
import signal
import subprocess
import time

import pytest

import h2raw
import harness
from h2raw import (
    ACK, COMPRESSION_ERROR, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, GOAWAY, HEADERS,
    NO_ERROR, PING, PRIORITY, PROTOCOL_ERROR, PUSH_PROMISE, REFUSED_STREAM, RST_STREAM, SETTINGS, STREAM_CLOSED, WINDOW_UPDATE, Connection, fields,
    frame, headers, request)
from test_tls import make_certificate

FORM_FIELDS = (("content-type", harness.FORM),)


class Http2Dev:
    def __init__(self, factory, folder, *options):
        self.plain, self.tls = harness.free_port(), harness.free_port()
        self.certificate, key = make_certificate(folder)
        self.server = factory("--h2c-listen", f"127.0.0.1:{self.plain}", "--tls-listen", f"127.0.0.1:{self.tls}", "--tls-certificate",
                              self.certificate, "--tls-key", key, *options)

    def connect(self, **more):
        return Connection(self.plain, **more)

    def post(self, stream, form=None, more=(), flags=END_STREAM):
        form = self.server.valid_form if form is None else form
        block = request("POST", harness.V3, more=[*FORM_FIELDS, *more])
        return headers(stream, block, END_HEADERS) + frame(DATA, flags, stream, form)

    def still_serves(self):
        with self.connect() as c:
            c.say(self.post(1))
            return c.answer()[0] == 200


@pytest.fixture(scope="module")
def http2(tmp_path_factory):
    started = []

    def factory(*options):
        folder = tmp_path_factory.mktemp("http2")
        started.append(harness.DevServer(folder / "data", folder / "stderr", (*harness.NO_LIMITS, *options)).start())
        return started[-1]

    yield Http2Dev(factory, tmp_path_factory.mktemp("certificate"))
    for server in started:
        server.stop()


# ---- independent clients ----


def curl(*words):
    return subprocess.run(["curl", "-sS", *map(str, words)], capture_output=True, text=True, timeout=harness.PATIENCE_S)


@pytest.mark.parametrize("kind", ["alpn", "prior knowledge", "http/1.1 where both are spoken", "http/1.1 by alpn"])
def test_curl(http2, kind):
    how = {
        "alpn": (["--http2", "--cacert", http2.certificate], f"https://127.0.0.1:{http2.tls}", "2"),
        "prior knowledge": (["--http2-prior-knowledge"], f"http://127.0.0.1:{http2.plain}", "2"),
        "http/1.1 where both are spoken": (["--http1.1"], f"http://127.0.0.1:{http2.plain}", "1.1"),
        "http/1.1 by alpn": (["--http1.1", "--cacert", http2.certificate], f"https://127.0.0.1:{http2.tls}", "1.1"),
    }[kind]
    words, base, version = how
    done = curl(*words, base + harness.V3, "-d", http2.server.valid_form.decode(), "-w", "\n%{http_version} %{http_code}")
    body, said = done.stdout.rsplit("\n", 1)
    assert said == f"{version} 200", (done.stdout, done.stderr)
    assert json.loads(body)["token_type"] == "bearer"


def test_plain_listeners_speak_http1_unless_told(http2):
    with Connection(http2.server.port) as c:
        c.socket.shutdown(1)
        assert c.socket.recv(64).startswith(b"HTTP/1.1 505")


def test_nghttp(http2):
    done = subprocess.run(["nghttp", "-v", "--no-verify-peer", f"https://127.0.0.1:{http2.tls}{harness.V3}"], capture_output=True, text=True,
                          timeout=harness.PATIENCE_S)
    assert ":status: 405" in done.stdout and "allow: POST" in done.stdout and "METHOD_NOT_ALLOWED" in done.stdout


@pytest.mark.parametrize("streams", [1, 100])
def test_h2load(http2, tmp_path, streams):
    (tmp_path / "form").write_bytes(http2.server.valid_form)
    done = subprocess.run(
        ["h2load", "-n", "3000", "-c", "5", "-m", str(streams), "-d", tmp_path / "form", "-H", f"content-type: {harness.FORM}",
         f"http://127.0.0.1:{http2.plain}{harness.V3}"], capture_output=True, text=True, timeout=harness.PATIENCE_S * 3)
    assert "status codes: 3000 2xx" in done.stdout, done.stdout


@pytest.mark.parametrize("method, path, form, more", [
    ("POST", harness.V3, None, ()),
    ("POST", harness.V3, "grant_type=x", ()),
    ("POST", harness.V3, "grant_type=a&grant_type=b", ()),
    ("POST", harness.V3, "", ()),
    ("POST", harness.V3 + "/introspect", None, ("authorization: Basic eDp5",)),
    ("POST", harness.V3, "{}", ("content-type: application/json",)),
    ("GET", harness.V3, None, ()),
    ("GET", "/oauth/authorize?client_id=x", None, ()),
    ("GET", "/oauth/authorize?a=%zz", None, ()),
    ("GET", "/a|b", None, ()),
    ("GET", "/a b", None, ()),
    ("DELETE", "/appinstalls/v3/external-install", None, ("authorization: Bearer x",)),
    ("HEAD", "/oauth/authorize", None, ()),
    ("OPTIONS", harness.V3, None, ()),
    ("BREW", "/", None, ()),
])
def test_both_versions_decide_alike(http2, method, path, form, more):
    """The same request by HTTP/1.1, HTTP/2 in clear and HTTP/2 over TLS. norm: N08"""
    def ask(words, base):
        body = ["-d", http2.server.valid_form.decode() if form is None else form] if method == "POST" else []
        said = curl(*words, "--request-target", path, "-X", method, *(["-I"] if method == "HEAD" else []), *body, *(w for h in more for w in ("-H", h)),
                    base + "/", "-o", "/dev/null" if method == "HEAD" else "-", "-w", "\n%{http_code} %{content_type}").stdout
        text, _, verdict = said.rpartition("\n")
        shown = json.loads(text) if text.startswith("{") else {}
        return verdict, {name: value for name, value in shown.items() if name not in ("access_token", "correlationId")}

    first = ask(["--http1.1"], f"http://127.0.0.1:{http2.plain}")
    assert first[0][:3].isdigit() and first[0][:3] != "000"
    if " " in path:
        return  # HTTP/1.1 cannot even say it
    assert ask(["--http2-prior-knowledge"], f"http://127.0.0.1:{http2.plain}") == first
    assert ask(["--http2", "--cacert", http2.certificate], f"https://127.0.0.1:{http2.tls}") == first


# ---- requests by hand ----


def test_a_request_in_pieces(http2):
    with http2.connect() as c:
        for byte in http2.post(1):
            c.say(bytes([byte]))
        assert c.answer()[0] == 200


def test_continuations_and_padding(http2):
    block = request("POST", harness.V3, more=FORM_FIELDS)
    form = http2.server.valid_form
    with http2.connect() as c:
        c.say(frame(HEADERS, 0, 1, block[:10]) + frame(CONTINUATION, 0, 1, block[10:20]) + frame(CONTINUATION, END_HEADERS, 1, block[20:]))
        c.say(frame(DATA, 8, 1, b"\x05" + form[:7] + bytes(5)) + frame(DATA, END_STREAM, 1, form[7:]))
        assert c.answer()[0] == 200


def test_trailers_are_read_and_forgotten(http2):
    with http2.connect() as c:
        c.say(http2.post(1, flags=0) + headers(1, fields([("x-trailer", "1")])))
        assert c.answer()[0] == 200


def test_expect_continue(http2):
    with http2.connect() as c:
        c.say(headers(1, request("POST", harness.V3, more=[*FORM_FIELDS, ("expect", "100-continue")]), END_HEADERS))
        assert h2raw.status_of(c.wait_for(HEADERS)[3]) == 100
        c.say(frame(DATA, END_STREAM, 1, http2.server.valid_form))
        assert c.wait_for(HEADERS)[3]


def test_streams_overtake(http2):
    """A request whose body is on its way holds up nobody."""
    with http2.connect() as c:
        c.say(headers(1, request("POST", harness.V3, more=FORM_FIELDS), END_HEADERS) + headers(3))
        assert c.wait_for(DATA, 3, END_STREAM)
        c.say(frame(DATA, END_STREAM, 1, http2.server.valid_form))
        assert c.wait_for(DATA, 1, END_STREAM)


def test_window_of_the_peer_is_kept(http2):
    """No more than the peer wants; the rest when it wants more."""
    with http2.connect(settings=b"\x00\x04\x00\x00\x00\x0a") as c:
        c.say(headers(1))
        assert len(c.wait_for(DATA, 1)[3]) == 10
        c.say(frame(WINDOW_UPDATE, 0, 1, (60000).to_bytes(4, "big")))
        assert c.wait_for(DATA, 1, END_STREAM)


@pytest.mark.parametrize("block, want", [
    (request(more=[("x", "a" * 17000)]), 431),
    (request(more=[(f"x{i}", "1") for i in range(110)]), 431),
    (request(more=[(f"x{i}", "a" * 1000) for i in range(20)]), 431),
    (request(path="/" + "a" * 9000), 414),
    (request("POST", harness.V3, more=[*FORM_FIELDS, ("content-length", "70000")]), 413),
    (request(authority=None), 400),
    (request(authority="a b"), 400),
    (request(more=[("host", "other.example")]), 400),
    (request(authority=None, more=[("host", "localhost")]), 404),
    (request(more=[("host", "localhost")]), 404),
    (request(more=[("te", "trailers")]), 404),
    (request(path="http://other.example/"), 400),
    (request(path="*"), 400),
    (request("OPTIONS", path="*"), 404),
    (request(more=[("cookie", "a=1"), ("cookie", "b=2")]), 404),
])
def test_refused_as_http1_would(http2, block, want):
    flags = END_HEADERS | (0 if b"70000" in block else END_STREAM)
    parts = [block[i : i + 16000] for i in range(0, len(block), 16000)]
    with http2.connect() as c:
        c.say(frame(HEADERS, flags & ~END_HEADERS if len(parts) > 1 else flags, 1, parts[0]))
        for i, part in enumerate(parts[1:], 2):
            c.say(frame(CONTINUATION, END_HEADERS if i == len(parts) else 0, 1, part))
        status, body = c.answer()
        assert status == want or (status == "reset" and want == 400), (status, body)


def test_a_body_that_is_too_large(http2):
    with http2.connect() as c:
        c.wait_for(SETTINGS)  # it opens the window a little beyond the limit, so that there is an answer and no error
        c.say(frame(SETTINGS, ACK) + headers(1, request("POST", harness.V3, more=FORM_FIELDS), END_HEADERS))
        for _ in range(5):
            c.say(frame(DATA, 0, 1, bytes(13800)))
        status, body = c.answer()
        assert status == 413 and json.loads(body)["status"] == "TOO_LARGE"
        assert c.wait_for(RST_STREAM, 1)[3] == bytes(4)
        c.say(headers(3))
        assert c.wait_for(HEADERS, 3)


def test_no_more_streams_than_announced(http2):
    open_request = request("POST", harness.V3, more=FORM_FIELDS)
    many = b"".join(headers(2 * i + 1, open_request, END_HEADERS) for i in range(129))
    with http2.connect() as c:
        assert b"\x00\x03\x00\x00\x00\x80" in c.wait_for(SETTINGS)[3]
        c.say(frame(SETTINGS, ACK) + many)  # it knows the limit and passes it
        assert c.goaway() == PROTOCOL_ERROR
    with http2.connect() as c:
        c.say(many)
        got = c.wait_for(RST_STREAM)
        assert got[2] == 257 and int.from_bytes(got[3], "big") == REFUSED_STREAM
        c.say(frame(DATA, END_STREAM, 1, http2.server.valid_form))
        assert c.wait_for(DATA, 1, END_STREAM)


# ---- the specification's cases: what ends the connection, and how ----

PRIO = b"\x00\x00\x00\x00\x10"


@pytest.mark.parametrize("said, want", [
    (frame(DATA, 0, 0, b"x"), {PROTOCOL_ERROR}),
    (frame(DATA, 0, 1, b"x"), {PROTOCOL_ERROR, STREAM_CLOSED}),
    (frame(HEADERS, 5, 0, request()), {PROTOCOL_ERROR}),
    (frame(HEADERS, 5, 2, request()), {PROTOCOL_ERROR}),
    (frame(CONTINUATION, END_HEADERS, 1, request()), {PROTOCOL_ERROR}),
    (frame(HEADERS, 0, 1, request()[:9]) + frame(PING, 0, 0, bytes(8)), {PROTOCOL_ERROR}),
    (frame(HEADERS, 0, 1, request()[:9]) + frame(CONTINUATION, END_HEADERS, 3, request()[9:]), {PROTOCOL_ERROR}),
    (frame(RST_STREAM, 0, 0, bytes(4)), {PROTOCOL_ERROR}),
    (frame(RST_STREAM, 0, 1, bytes(4)), {PROTOCOL_ERROR}),
    (frame(RST_STREAM, 0, 1, bytes(3)), {FRAME_SIZE_ERROR}),
    (frame(SETTINGS, 0, 1), {PROTOCOL_ERROR}),
    (frame(SETTINGS, 0, 0, bytes(5)), {FRAME_SIZE_ERROR}),
    (frame(SETTINGS, ACK, 0, bytes(6)), {FRAME_SIZE_ERROR}),
    (frame(SETTINGS, 0, 0, b"\x00\x04\x80\x00\x00\x00"), {FLOW_CONTROL_ERROR}),
    (frame(SETTINGS, 0, 0, b"\x00\x05\x00\x00\x00\x01"), {PROTOCOL_ERROR}),
    (frame(SETTINGS, 0, 0, b"\x00\x02\x00\x00\x00\x02"), {PROTOCOL_ERROR}),
    (frame(PUSH_PROMISE, END_HEADERS, 1, bytes(4) + request()), {PROTOCOL_ERROR}),
    (frame(PING, 0, 1, bytes(8)), {PROTOCOL_ERROR}),
    (frame(PING, 0, 0, bytes(7)), {FRAME_SIZE_ERROR}),
    (frame(GOAWAY, 0, 1, bytes(8)), {PROTOCOL_ERROR}),
    (frame(WINDOW_UPDATE, 0, 0, bytes(4)), {PROTOCOL_ERROR}),
    (frame(WINDOW_UPDATE, 0, 0, bytes(3)), {FRAME_SIZE_ERROR}),
    (frame(WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff"), {FLOW_CONTROL_ERROR}),
    (frame(WINDOW_UPDATE, 0, 1, b"\x00\x00\x00\x01"), {PROTOCOL_ERROR}),
    (frame(HEADERS, 5, 1, b"\xff\xff\xff\xff\xff\xff"), {COMPRESSION_ERROR}),
    (frame(HEADERS, 5, 1, b"\x80"), {COMPRESSION_ERROR}),
    (frame(HEADERS, 5, 1, b"\x3f\xff\xff\x03"), {COMPRESSION_ERROR}),
    (frame(DATA, 8, 1, b"\x05x"), {PROTOCOL_ERROR, STREAM_CLOSED}),
    (frame(HEADERS, 0xD, 1, b"\xff" + request()), {PROTOCOL_ERROR}),
    (frame(PING, 0, 0, b"", length=16385) + bytes(16385), {FRAME_SIZE_ERROR}),
    (headers(1, request("POST", harness.V3), END_HEADERS) + frame(DATA, 0, 1, b"", length=16385) + bytes(16385), {FRAME_SIZE_ERROR}),
    (frame(HEADERS, 5, 1, b"", length=16385) + bytes(16385), {FRAME_SIZE_ERROR}),
    (frame(PRIORITY, 0, 0, PRIO), {PROTOCOL_ERROR}),
    (frame(HEADERS, 0, 1, request()[:9]) + frame(PRIORITY, 0, 1, PRIO), {PROTOCOL_ERROR}),
    (frame(HEADERS, 0, 1, request()[:9]) + frame(HEADERS, 5, 3, request()), {PROTOCOL_ERROR}),
    (frame(HEADERS, 0, 1, request()[:9]) + frame(DATA, 1, 1, b"x"), {PROTOCOL_ERROR}),
    (frame(HEADERS, 0, 1, request()[:9]) + frame(0x42, 0, 1, b"x"), {PROTOCOL_ERROR}),
    (frame(HEADERS, 0, 1, request()[:9]) + frame(CONTINUATION, END_HEADERS, 0, request()[9:]), {PROTOCOL_ERROR}),
    (headers(1) + frame(CONTINUATION, END_HEADERS, 1, request()), {PROTOCOL_ERROR}),
    (frame(HEADERS, 1, 1, request()[:9]) + frame(CONTINUATION, END_HEADERS, 1, request()[9:]) + frame(CONTINUATION, END_HEADERS, 1, b""), {PROTOCOL_ERROR}),
    (headers(1, request("POST", harness.V3), END_HEADERS) + frame(DATA, 0, 1, b"x") + frame(CONTINUATION, END_HEADERS, 1, request()), {PROTOCOL_ERROR}),
    (headers(3, request("POST", harness.V3), END_HEADERS) + headers(1), {PROTOCOL_ERROR}),
    (headers(1, request("POST", harness.V3), END_HEADERS) + headers(1, fields([("x-trailer", "1")])) + headers(1), {STREAM_CLOSED}),
    (headers(1, request("POST", harness.V3), END_HEADERS) + frame(RST_STREAM, 0, 1, (8).to_bytes(4, "big")) + headers(1), {STREAM_CLOSED}),
    (frame(SETTINGS, 0, 0, b"\x00\x05\x01\x00\x00\x00"), {PROTOCOL_ERROR}),
    (frame(WINDOW_UPDATE, 0, 0, b"\x40\x00\x00\x00") * 2, {FLOW_CONTROL_ERROR}),
    (frame(HEADERS, 5, 1, request() + b"\x7f\xff\x03\x01x"), {COMPRESSION_ERROR}),
    (frame(HEADERS, 5, 1, request() + b"\x20"), {COMPRESSION_ERROR}),
    (frame(HEADERS, 5, 1, request() + b"\x00\x01x\x82\xff\xff"), {COMPRESSION_ERROR}),
    (frame(HEADERS, 5, 1, request() + b"\x00\x01x\x81\x18"), {COMPRESSION_ERROR}),
    (frame(HEADERS, 5, 1, request() + b"\x00\x01x\x84\xff\xff\xff\xff"), {COMPRESSION_ERROR}),
])
def test_errors_of_the_connection(http2, said, want):
    with http2.connect() as c:
        c.say(said)
        assert c.goaway() in want
    assert http2.still_serves()


@pytest.mark.parametrize("block", [
    request(more=[("Upper", "x")]),
    request(more=[("connection", "close")]),
    request(more=[("transfer-encoding", "chunked")]),
    request(more=[("keep-alive", "1")]),
    request(more=[("upgrade", "h2c")]),
    request(more=[("te", "gzip")]),
    request(more=[("x", "a\r\nx-evil: 1")]),
    request(more=[("x", b"a\x00b")]),
    request(more=[("x y", "1")]),
    request(more=[(":unknown", "1")]),
    request(more=[("x", "1"), (":path", "/late")]),
    request(path=None),
    request(scheme=None),
    request(method=None),
    request(path=""),
    request(more=[(":path", "/again")]),
    request(more=[(":status", "200")]),
    fields([(":method", "GET")]) + request(),
    fields([(":scheme", "http")]) + request(),
    request(path="/a\r\nx-evil: 1"),
    request(method="GE T"),
    request(more=[("content-length", "1")]),
    request(more=[("content-length", "0"), ("content-length", "0")]),
    request(more=[("content-length", "x")]),
])
def test_malformed_requests_end_their_stream(http2, block):
    with http2.connect() as c:
        c.say(headers(1, block))
        verdict = c.answer()
        assert verdict == ("reset", PROTOCOL_ERROR) or verdict[0] == 400, verdict
        c.say(headers(3))
        assert c.wait_for(HEADERS, 3)


def test_length_and_body_must_agree(http2):
    with http2.connect() as c:
        c.say(http2.post(1, more=[("content-length", "3")]))
        assert c.answer() == ("reset", PROTOCOL_ERROR)


@pytest.mark.parametrize("said, want", [
    (frame(HEADERS, 0x25, 1, b"\x00\x00\x00\x01\x10" + request()), PROTOCOL_ERROR),
    (frame(PRIORITY, 0, 1, PRIO[:4]), FRAME_SIZE_ERROR),
    (headers(1, request("POST", harness.V3), END_HEADERS) + headers(1, request(), END_HEADERS), PROTOCOL_ERROR),
    (headers(1, request("POST", harness.V3), END_HEADERS) + headers(1, fields([(":method", "GET")])), PROTOCOL_ERROR),
    (headers(1, request("POST", harness.V3), END_HEADERS) + frame(WINDOW_UPDATE, 0, 1, b"\x40\x00\x00\x00") * 2, FLOW_CONTROL_ERROR),
    (headers(1, request("POST", harness.V3), END_HEADERS) + frame(WINDOW_UPDATE, 0, 1, bytes(4)), PROTOCOL_ERROR),
    (headers(1, request("POST", harness.V3, more=[("content-length", "3")]), END_HEADERS) + frame(DATA, 0, 1, b"x") + frame(DATA, END_STREAM, 1, b"x"),
     PROTOCOL_ERROR),
])
def test_errors_of_a_stream(http2, said, want):
    """They may end the connection instead (RFC 9113 s5.4.2)."""
    with http2.connect() as c:
        c.say(said)
        status, code = c.answer()
        assert status in ("reset", "goaway") and code == want, (status, code)
    assert http2.still_serves()


def huffman(value):
    """Of the digits 0 to 2 and small letters a, c, e, i, o, s, t, which have five bits each."""
    code = {"0": 0, "1": 1, "2": 2, "a": 3, "c": 4, "e": 5, "i": 6, "o": 7, "s": 8, "t": 9}
    bits = "".join(f"{code[char]:05b}" for char in value)
    bits += "1" * (-len(bits) % 8)
    return bytes([0x80 + len(bits) // 8]) + int(bits, 2).to_bytes(len(bits) // 8, "big")


AUTHORITY = h2raw.text("localhost")
PSEUDO = b"\x82\x86\x04" + h2raw.text("/nothing")  # GET and http by their index, the path by the index of its name


@pytest.mark.parametrize("block", [
    PSEUDO + b"\x41" + AUTHORITY,
    PSEUDO + b"\x01" + AUTHORITY,
    PSEUDO + b"\x11" + AUTHORITY,
    PSEUDO + b"\x41" + AUTHORITY + b"\x40" + h2raw.text("x-a") + h2raw.text("1"),
    PSEUDO + b"\x41" + AUTHORITY + b"\x40" + huffman("aotic") + huffman("tase"),
    PSEUDO + b"\x41" + AUTHORITY + b"\x00" + huffman("aotic") + huffman("tase"),
    PSEUDO + b"\x41" + AUTHORITY + b"\x10" + huffman("aotic") + huffman("tase"),
    PSEUDO + b"\x41" + AUTHORITY + b"\x10" + h2raw.text("x-a") + h2raw.text("1"),
    b"\x20" + PSEUDO + b"\x41" + AUTHORITY,
    b"\x20\x3f\xe1\x1f" + PSEUDO + b"\x41" + AUTHORITY,
])
def test_every_way_to_write_a_field(http2, block):
    """RFC 7541 s6: indexed, literal with, without and never indexed, with and without Huffman's code, and sizes of the table."""
    with http2.connect() as c:
        c.say(headers(1, block))
        assert c.answer()[0] == 404


@pytest.mark.parametrize("before, behind", [
    (frame(PRIORITY, 0, 1, PRIO), b""),
    (frame(PRIORITY, 0, 5, PRIO), b""),
    (frame(PRIORITY, 0, 1, PRIO[:4] + b"\xff"), b""),
    (frame(PRIORITY, 0, 1, b"\x80\x00\x00\x03\x00"), b""),
    (frame(SETTINGS, 0, 0, b"\x00\x42\x00\x00\x00\x01"), b""),
    (frame(SETTINGS, 0, 0, b"\x00\x04\x00\x00\x00\x64\x00\x04\x00\x00\xff\xff"), b""),
    (frame(PING, ACK, 0, bytes(8)), b""),
    (frame(PING, 0xFE, 0, bytes(8)), b""),
    (frame(PING, 0, 0, bytes(8)).replace(b"\x06\x00\x00\x00\x00\x00", b"\x06\x00\x80\x00\x00\x00"), b""),
    (headers(1, request("POST", harness.V3), END_HEADERS) + frame(RST_STREAM, 0, 1, b"\x00\x00\x00\xff"), b""),
    (b"", frame(WINDOW_UPDATE, 0, 3, b"\x00\x00\x00\x01")),
    (b"", frame(PRIORITY, 0, 3, PRIO)),
    (frame(WINDOW_UPDATE, 0, 0, b"\x00\x00\x00\x01"), b""),
])
def test_frames_that_change_nothing(http2, before, behind):
    """What is unknown, or no longer means anything, or comes late, ends neither the connection nor another stream."""
    with http2.connect() as c:
        c.say(before + headers(3) + behind)
        assert c.answer(3)[0] == 404
        c.say(frame(PRIORITY, 0, 3, PRIO) + headers(5))
        assert c.wait_for(HEADERS, 5)


def test_a_peer_that_leaves(http2):
    """With a reason that nobody knows: what it still asked for is answered, then the connection ends (RFC 9113 s6.8, s7)."""
    with http2.connect() as c:
        c.say(headers(1) + frame(GOAWAY, 0, 0, bytes(4) + b"\x00\x00\x00\xff"))
        assert c.answer()[0] == 404
        assert c.goaway() is None


def test_the_largest_frame(http2):
    """2^14 bytes are taken, whatever becomes of them: here the form is not one (RFC 9113 s4.2)."""
    with http2.connect() as c:
        c.say(headers(1, request("POST", harness.V3, more=FORM_FIELDS), END_HEADERS) + frame(DATA, END_STREAM, 1, b"a" * 16384))
        assert c.answer()[0] == 400


def test_settings_are_acknowledged_first(http2):
    """The server's preface is SETTINGS, and ours are acknowledged (RFC 9113 s3.4, s6.5.3)."""
    with http2.connect() as c:
        heard = c.frames()
        first = next(heard)
        assert first[0] == SETTINGS and not first[1] & ACK
        assert any(got[0] == SETTINGS and got[1] & ACK for got in heard)


def test_windows_follow_the_settings(http2):
    """A window that was 10 becomes negative, and counts on from there (RFC 9113 s6.9.2)."""
    with http2.connect(settings=b"\x00\x04\x00\x00\x00\x0a") as c:
        c.say(headers(1))
        assert len(c.wait_for(DATA, 1)[3]) == 10
        c.say(frame(SETTINGS, 0, 0, b"\x00\x04\x00\x00\x00\x04") + frame(WINDOW_UPDATE, 0, 1, (9).to_bytes(4, "big")))
        assert len(c.wait_for(DATA, 1)[3]) == 3
        c.say(frame(SETTINGS, 0, 0, b"\x00\x04\x00\x00\xff\xff"))
        assert c.wait_for(DATA, 1, END_STREAM)


def test_trailers_that_come_too_late(http2):
    """The request was answered before its end: what its sender had on the way is no error."""
    with http2.connect() as c:
        c.say(headers(1, request("POST", harness.V3, more=[*FORM_FIELDS, ("content-length", "70000")]), END_HEADERS))
        assert c.answer()[0] == 413
        assert c.wait_for(RST_STREAM, 1)[3] == bytes(4)
        c.say(frame(DATA, 0, 1, b"x") + headers(1, fields([("x-trailer", "1")])) + headers(3))
        assert c.wait_for(HEADERS, 3)


def test_a_bad_preface(http2):
    with Connection(http2.tls, greet=False) as c:
        c.say(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert c.goaway() is None
    with http2.connect(greet=False) as c:
        c.say(h2raw.PREFACE + headers(1))
        assert c.goaway() == PROTOCOL_ERROR
    with http2.connect(greet=False) as c:
        c.say(b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n")
        assert c.socket.recv(64).startswith(b"HTTP/1.1 505")


def test_ping_is_answered(http2):
    with http2.connect() as c:
        c.say(frame(PING, 0, 0, b"12345678"))
        assert c.wait_for(PING)[1:] == (ACK, 0, b"12345678")


def test_unknown_frames_are_ignored(http2):
    with http2.connect() as c:
        c.say(frame(0x42, 0xFF, 0, b"x" * 100) + headers(1))
        assert c.answer()[0] == 404


# ---- floods ----


def flood(http2, one, count=3000, before=b""):
    with http2.connect() as c:
        c.say(before)
        for start in range(0, count, 100):
            c.say(b"".join(one(i) for i in range(start, start + 100)))
        return c.goaway()


@pytest.mark.parametrize("name, one, before", [
    ("rapid reset", lambda i: headers(2 * i + 1) + frame(RST_STREAM, 0, 2 * i + 1, (8).to_bytes(4, "big")), b""),
    ("ping", lambda i: frame(PING, 0, 0, bytes(8)), b""),
    ("settings", lambda i: frame(SETTINGS), b""),
    ("window", lambda i: frame(WINDOW_UPDATE, 0, 0, b"\x00\x00\x00\x01"), b""),
    ("priority", lambda i: frame(PRIORITY, 0, 2 * i + 1, PRIO), b""),
    ("empty data", lambda i: frame(DATA, 0, 1), headers(1, request("POST", harness.V3, more=FORM_FIELDS), END_HEADERS)),
    ("malformed", lambda i: headers(2 * i + 1, request(path=None)), b""),
])
def test_floods_end_the_connection(http2, name, one, before):
    assert flood(http2, one, before=before) == ENHANCE_YOUR_CALM, name
    assert http2.still_serves()


def test_continuation_flood(http2):
    """CVE-2024-27316 and its brothers: a head that never ends."""
    with http2.connect() as c:
        c.say(frame(HEADERS, 0, 1, request()))
        for _ in range(300):
            c.say(frame(CONTINUATION, 0, 1, fields([("x", "y" * 1000)])))
        assert c.goaway() in (ENHANCE_YOUR_CALM, PROTOCOL_ERROR)
    assert http2.still_serves()


def test_a_bomb_of_fields(http2):
    """A few bytes that unpack to megabytes: one long field, named again and again."""
    block = request() + b"\x40" + h2raw.text("x") + h2raw.text("y" * 4000) + b"\xbe" * 12000
    with http2.connect() as c:
        c.say(frame(HEADERS, END_STREAM | END_HEADERS, 1, block))
        assert c.goaway() == ENHANCE_YOUR_CALM


def rss_kib(server):
    text = open(f"/proc/{server.process.pid}/status").read()
    return int(text.split("VmRSS:")[1].split()[0])


@pytest.mark.skipif(harness.SANITIZED, reason="a sanitizer's memory says nothing")
def test_memory_is_bounded(http2):
    """Every stream of ten connections begun and none finished, with as much body as the window lets in."""
    before = rss_kib(http2.server)
    connections = [http2.connect() for _ in range(10)]
    open_request = request("POST", harness.V3, more=FORM_FIELDS)
    for c in connections:
        c.say(b"".join(headers(2 * i + 1, open_request, END_HEADERS) + frame(DATA, 0, 2 * i + 1, bytes(8000)) for i in range(128)))
    for c in connections:
        harness.wait_until_read(c.socket)
    assert rss_kib(http2.server) - before < 10 * 6000
    for c in connections:
        c.socket.close()
    assert http2.still_serves()


# ---- deadlines and the end ----


def test_deadlines(dev_factory, tmp_path):
    server = Http2Dev(dev_factory, tmp_path, "--header-deadline", "1s", "--body-deadline", "1s", "--idle-deadline", "2s")
    idle, idle_since = server.connect(), time.monotonic()
    with server.connect() as c:
        begun = time.monotonic()
        c.say(headers(1, request("POST", harness.V3, more=FORM_FIELDS), END_HEADERS))
        for _ in range(8):  # a trickle does not move it
            c.say(frame(DATA, 0, 1, b"a"))
            time.sleep(0.1)
        assert c.answer()[0] == 408 and time.monotonic() - begun > 0.9
    with server.connect() as c:
        c.say(frame(HEADERS, 0, 1, request()))
        assert c.goaway() == ENHANCE_YOUR_CALM
    with idle:
        assert idle.goaway() == NO_ERROR and time.monotonic() - idle_since > 1.9
    with server.connect(greet=False) as c:
        c.say(h2raw.PREFACE[:10])
        assert c.socket.recv(64).startswith(b"HTTP/1.1 408")


def test_drain(dev_factory, tmp_path):
    """What is under way is finished, the peer is told which request was the last, and the process ends."""
    server = Http2Dev(dev_factory, tmp_path)
    with server.connect() as busy, server.connect() as idle:
        busy.say(headers(1, request("POST", harness.V3, more=FORM_FIELDS), END_HEADERS))
        assert busy.wait_for(SETTINGS) and idle.wait_for(SETTINGS)
        harness.wait_until_read(busy.socket)
        server.server.signal(signal.SIGTERM)
        assert idle.goaway() == NO_ERROR
        busy.say(frame(DATA, END_STREAM, 1, server.server.valid_form))
        assert busy.wait_for(HEADERS, 1)[3][0] == 0x88  # 200
        assert busy.wait_for(DATA, 1, END_STREAM)
    server.server.stop()
