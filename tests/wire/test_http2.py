"""HTTP/2: independent clients (curl, nghttp, h2load), the cases of the specification by hand, and floods."""
import json
import os
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


@pytest.mark.skipif("GRANTD_BIN" in os.environ, reason="a sanitizer's memory says nothing")
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
