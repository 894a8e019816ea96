"""HTTP/1.1 as hostile clients and careless proxies send it: one table, a row each. A request that another reader could understand
differently is refused and its connection closed, and nothing behind it is read as a request."""
import re
import resource
import socket
import time

import pytest

import harness

OPEN, CLOSED, EITHER = "open", "closed", "either"
HALF_CLOSE = "half close"
PATH = b"/oauth/v3/token"
TYPE = b"Content-Type: application/x-www-form-urlencoded\r\n"
PATIENCE_S = 20


class Words:
    """What requests are made of: the server's name and a form that it answers with 200."""

    def __init__(self, server):
        self.host = f"{server.host}:{server.port}".encode()
        self.form = server.valid_form
        self.length = b"Content-Length: %d\r\n" % len(self.form)
        self.valid = self.request()
        self.chunk = b"%x\r\n%s\r\n" % (len(self.form), self.form)

    def request(self, *headers, line=b"POST " + PATH + b" HTTP/1.1", framing=None, body=None, host=None):
        host = b"Host: " + self.host + b"\r\n" if host is None else host
        framing = self.length if framing is None else framing
        body = self.form if body is None else body
        return line + b"\r\n" + host + TYPE + framing + b"".join(h + b"\r\n" for h in headers) + b"\r\n" + body

    def framed(self, framing):
        return self.request(framing=framing + b"\r\n")

    def chunked(self, body):
        return self.request(framing=b"Transfer-Encoding: chunked\r\n", body=body)

    def lined(self, line):
        return self.request(line=line)


def one(make, *wanted, end):
    """The usual row: bytes, the statuses that are right, and what becomes of the connection."""
    return [(make, [set(wanted)])], end


CL = b"Content-Length: "
TE = b"Transfer-Encoding: "
ROWS = {
    "valid": one(lambda w: w.valid, 200, end=OPEN),
    "chunked ok": one(lambda w: w.chunked(w.chunk + b"0\r\n\r\n"), 200, end=OPEN),
    "2x CL same": one(lambda w: w.framed(w.length + w.length[:-2]), 400, end=CLOSED),
    "2x CL differ": one(lambda w: w.framed(w.length + CL + b"3"), 400, end=CLOSED),
    "CL list": one(lambda w: w.framed(CL + b"%d, %d" % (len(w.form), len(w.form))), 400, end=CLOSED),
    "CL + TE chunked": one(
        lambda w: w.request(framing=w.length + TE + b"chunked\r\n", body=w.chunk + b"0\r\n\r\n"), 400, end=CLOSED),
    "TE xchunked": one(lambda w: w.framed(TE + b"xchunked"), 501, end=CLOSED),
    "TE chunked, identity": one(lambda w: w.framed(TE + b"chunked, identity"), 501, end=CLOSED),
    "TE twice": one(lambda w: w.framed(TE + b"chunked\r\n" + TE + b"chunked"), 501, end=CLOSED),
    "TE in HTTP/1.0": one(
        lambda w: w.request(line=b"POST " + PATH + b" HTTP/1.0", framing=TE + b"chunked\r\n", body=w.chunk + b"0\r\n\r\n"), 400, end=CLOSED),
    "CL +n": one(lambda w: w.framed(CL + b"+%d" % len(w.form)), 400, end=CLOSED),
    "CL -1": one(lambda w: w.framed(CL + b"-1"), 400, end=CLOSED),
    "CL 42abc": one(lambda w: w.framed(CL + b"%dabc" % len(w.form)), 400, end=CLOSED),
    "CL 2^64+n": one(lambda w: w.framed(CL + b"%d" % (2**64 + len(w.form))), 400, end=CLOSED),
    "CL empty": one(lambda w: w.framed(CL), 400, end=CLOSED),
    "no CL no TE": one(lambda w: w.request(framing=b"", body=b""), 400, 411, end=EITHER),
    "body 100 KB": one(lambda w: w.request(framing=CL + b"102400\r\n", body=b"x" * 102400), 413, end=CLOSED),
    "chunked body 100 KB": one(lambda w: w.chunked(b"19000\r\n" + b"x" * 102400 + b"\r\n0\r\n\r\n"), 413, end=CLOSED),
    "chunk size 17 hex digits": one(lambda w: w.chunked(b"1%016x\r\n%s\r\n0\r\n\r\n" % (len(w.form), w.form)), 400, end=CLOSED),
    "chunk bare LF": one(lambda w: w.chunked(b"%x\n%s\n0\n\n" % (len(w.form), w.form)), 400, end=CLOSED),
    "chunk ext": one(lambda w: w.chunked(b"%x;a=b\r\n%s\r\n0\r\n\r\n" % (len(w.form), w.form)), 200, 400, end=EITHER),
    "chunk trailer": one(lambda w: w.chunked(w.chunk + b"0\r\nX-Trailer: a\r\n\r\n"), 200, 400, end=EITHER),
    "chunk 0x": one(lambda w: w.chunked(b"0x%x\r\n%s\r\n0\r\n\r\n" % (len(w.form), w.form)), 400, end=CLOSED),
    "bare LF line ends": one(lambda w: w.valid.replace(b"\r\n", b"\n"), 400, end=CLOSED),
    "bare CR in value": one(lambda w: w.request(b"X-A: b\rc"), 400, end=CLOSED),
    "obs-fold": one(lambda w: w.request(b"X-A: b\r\n c"), 400, end=CLOSED),
    "space before 1st header": one(lambda w: w.request(host=b" Host: " + w.host + b"\r\n"), 400, end=CLOSED),
    "NUL in header value": one(lambda w: w.request(b"X-A: b\0c"), 400, end=CLOSED),
    "space before colon": one(lambda w: w.request(b"X-A : b"), 400, end=CLOSED),
    "bad header name char": one(lambda w: w.request(b"X(A: b"), 400, end=CLOSED),
    "empty header name": one(lambda w: w.request(b": b"), 400, end=CLOSED),
    "header without colon": one(lambda w: w.request(b"abc"), 400, end=CLOSED),
    "header 7 KB": one(lambda w: w.request(b"X-A: " + b"x" * 7000), 200, end=OPEN),
    "header 20 KB": one(lambda w: w.request(b"X-A: " + b"x" * 20000), 431, end=EITHER),
    "header 200 KB": one(lambda w: w.request(b"X-A: " + b"x" * 200000), 431, end=CLOSED),
    "200 headers": one(lambda w: w.request(*[b"X-A: b"] * 200), 431, end=CLOSED),
    "2000 headers": one(lambda w: w.request(*[b"X-A: b"] * 2000), 431, end=CLOSED),
    "URI 20 KB": one(lambda w: w.lined(b"POST " + PATH + b"?" + b"x" * 20000 + b" HTTP/1.1"), 414, end=EITHER),
    "URI with NUL": one(lambda w: w.lined(b"POST " + PATH + b"\0x HTTP/1.1"), 400, end=CLOSED),
    "URI with space": one(lambda w: w.lined(b"POST " + PATH + b" x HTTP/1.1"), 400, end=CLOSED),
    "URI %2e%2e / %00": one(lambda w: w.lined(b"POST /%2e%2e/%00" + PATH + b" HTTP/1.1"), 404, 400, end=EITHER),
    "2 spaces in req line": one(lambda w: w.lined(b"POST  " + PATH + b" HTTP/1.1"), 400, end=CLOSED),
    "3 pipelined": ([(lambda w: w.valid * 3, [{200}] * 3)], OPEN),
    "pipelined 50": ([(lambda w: w.valid * 50, [{200}] * 50)], OPEN),
    "Expect 100-continue": (
        [(lambda w: w.request(b"Expect: 100-continue", body=b""), [{100}]), (lambda w: w.form, [{200}])], OPEN),
    "Expect: foo": one(lambda w: w.request(b"Expect: foo"), 417, end=CLOSED),
    "absolute-form, ours": one(lambda w: w.lined(b"POST http://" + w.host + PATH + b" HTTP/1.1"), 200, end=OPEN),
    "absolute-form, not ours": one(lambda w: w.lined(b"POST http://other.example" + PATH + b" HTTP/1.1"), 400, end=CLOSED),
    "HTTP/1.0": one(lambda w: w.lined(b"POST " + PATH + b" HTTP/1.0"), 200, end=CLOSED),
    "HTTP/1.0 keep-alive": one(lambda w: w.request(b"Connection: keep-alive", line=b"POST " + PATH + b" HTTP/1.0"), 200, end=OPEN),
    "HTTP/1.2": one(lambda w: w.lined(b"POST " + PATH + b" HTTP/1.2"), 505, end=CLOSED),
    "HTTP/2.0": one(lambda w: w.lined(b"POST " + PATH + b" HTTP/2.0"), 505, end=CLOSED),
    "HTTP/0.9": one(lambda w: b"GET " + PATH + b"\r\n", 400, end=CLOSED),
    "lower-case method": one(lambda w: w.lined(b"post " + PATH + b" HTTP/1.1"), 405, 400, end=EITHER),
    "unknown method FOO": one(lambda w: w.lined(b"FOO " + PATH + b" HTTP/1.1"), 405, 501, end=EITHER),
    "missing Host": one(lambda w: w.request(host=b""), 400, end=CLOSED),
    "two Hosts": one(lambda w: w.request(b"Host: " + w.host), 400, end=CLOSED),
    "leading CRLF": one(lambda w: b"\r\n" + w.valid, 200, 400, end=EITHER),
    "GET with CL body+next": ([(lambda w: w.lined(b"GET " + PATH + b" HTTP/1.1") + w.valid, [{405}, {200}])], OPEN),
    "half close after req": ([(lambda w: w.valid, []), (HALF_CLOSE, [{200}])], CLOSED),
    "TLS hello on plain": one(lambda w: bytes.fromhex("16030100a5010000a10303") + bytes(160), 400, None, end=CLOSED),
    "h2 preface": one(lambda w: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000"), 505, end=CLOSED),
    "h2c Upgrade": one(
        lambda w: w.request(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"),
        200, end=OPEN),
}


class Client(harness.Wire):
    """A socket and the answers that came over it."""

    def __init__(self, server):
        super().__init__(server.host, server.port)
        self.socket.settimeout(PATIENCE_S)

    def say(self, data):
        if data == HALF_CLOSE:
            self.socket.shutdown(socket.SHUT_WR)
        else:
            super().say(data)

    def more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.heard += data
        return data

    def answer(self):
        """The next status; None when the connection ends instead."""
        while b"\r\n\r\n" not in self.heard:
            if not self.more():
                assert not self.heard, self.heard
                return None
        head, _, rest = self.heard.partition(b"\r\n\r\n")
        status = int(re.match(rb"HTTP/1\.1 (\d{3}) ", head).group(1))
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        n = int(length.group(1)) if length else 0
        assert length or status in (100, 204, 304), head
        while len(rest) < n:
            data = self.more()
            assert data, "the body is cut"
            rest += data
        self.heard = rest[n:]
        return status

    def is_closed(self):
        return not self.heard and not self.more()


def check_fresh(server, words):
    with Client(server) as client:
        client.say(words.valid)
        assert client.answer() == 200


@pytest.mark.parametrize("name", ROWS)
def test_row(server, name):
    words = Words(server)
    stages, end = ROWS[name]
    with Client(server) as client:
        for i, (make, wanted) in enumerate(stages):
            data = make if make == HALF_CLOSE else make(words)
            # what stands behind the end must not be read as a request
            behind = words.valid if end == CLOSED and i == len(stages) - 1 and data != HALF_CLOSE else b""
            client.say(data + behind if behind else data)
            for statuses in wanted:
                assert client.answer() in statuses
        if end == CLOSED:
            assert client.is_closed()
        if end == OPEN:
            client.say(words.valid)
            assert client.answer() == 200
    check_fresh(server, words)


@pytest.mark.parametrize("name", [name for name, (stages, _) in ROWS.items() if len(stages) == 1])
def test_row_in_small_pieces(server, name):
    """The packets of a request do not matter."""
    words = Words(server)
    (make, wanted), end = ROWS[name][0][0], ROWS[name][1]
    data = make(words)
    step = max(1, len(data) // 60)
    with Client(server) as client:
        try:
            for at in range(0, len(data), step):
                client.say(data[at : at + step])
                time.sleep(0.0005)
        except (BrokenPipeError, ConnectionResetError):
            assert end != OPEN
        for statuses in wanted:
            assert client.answer() in statuses
        if end == CLOSED:
            assert client.is_closed()


def trickle(client, data, pause_s=0.2):
    """Sends a byte now and then until the server answers or ends; how long that took."""
    start = time.monotonic()
    client.socket.settimeout(pause_s)
    for i in range(len(data)):
        client.say(data[i : i + 1])
        try:
            client.more()
            break
        except TimeoutError:
            continue
    client.socket.settimeout(PATIENCE_S)
    return time.monotonic() - start


SLOW = {
    "1 byte/s header": lambda w: (b"", w.valid),
    "1 byte/s body": lambda w: (w.valid[: -len(w.form)], w.form),
    "1 byte/s chunked body": lambda w: (w.chunked(b""), w.chunk),
}


@pytest.mark.parametrize("name", SLOW)
def test_slow_request_is_cut(fast_deadline_server, name):
    """Deadlines are absolute: bytes that trickle do not move them. Meanwhile others are served."""
    server = fast_deadline_server
    words = Words(server)
    at_once, slowly = SLOW[name](words)
    with Client(server) as client:
        client.say(at_once)
        took_s = trickle(client, slowly)
        assert took_s > 0.8
        assert client.answer() == 408
        assert client.is_closed()
    check_fresh(server, words)


@pytest.mark.parametrize("requests", [0, 1])
def test_idle_connection_is_closed(fast_deadline_server, requests):
    words = Words(fast_deadline_server)
    with Client(fast_deadline_server) as client:
        for _ in range(requests):
            client.say(words.valid)
            assert client.answer() == 200
        start = time.monotonic()
        assert client.is_closed()
        assert time.monotonic() - start > 1.8


def test_slow_connections_delay_nobody(server):
    words = Words(server)
    slow = [Client(server) for _ in range(50)]
    for i, client in enumerate(slow):
        client.say(words.valid[: i * len(words.valid) // 50])
    for _ in range(20):
        check_fresh(server, words)
    for i, client in enumerate(slow):
        client.say(words.valid[i * len(words.valid) // 50 :])
        assert client.answer() == 200
        client.socket.close()


def test_expect_is_refused_before_the_body(server):
    words = Words(server)
    with Client(server) as client:
        client.say(words.request(b"Expect: 100-continue", framing=CL + b"1000000\r\n", body=b""))
        assert client.answer() == 413
        assert client.is_closed()


def test_head_has_no_body(server):
    words = Words(server)
    with Client(server) as client:
        client.say(b"HEAD /nowhere HTTP/1.1\r\nHost: " + words.host + b"\r\n\r\n")
        while b"\r\n\r\n" not in client.heard:
            assert client.more()
        assert client.heard.endswith(b"\r\n\r\n")
        assert re.search(rb"\r\nContent-Length: \d+\r\n", client.heard)
        client.heard = b""
        client.say(words.valid)
        assert client.answer() == 200


def test_every_answer_has_a_date(server):
    words = Words(server)
    for data in (words.valid, words.framed(CL + b"-1"), words.lined(b"POST /nowhere HTTP/1.1")):
        with Client(server) as client:
            client.say(data)
            while b"\r\n\r\n" not in client.heard:
                assert client.more()
            assert re.search(rb"\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", client.heard)


@pytest.fixture
def descriptors():
    """As many as the machine allows, for tests with thousands of sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def test_idle_connections_cost_little(dev_factory, descriptors):
    """10,000 connections (or what the machine allows) that have been served and wait for their next request."""
    server = dev_factory()
    words = Words(server)
    count = min(10_000, descriptors - 200)
    check_fresh(server, words)
    before = resident_bytes(server.process.pid)
    clients = []
    for i in range(count):
        client = Client(server)
        clients.append(client)
        if i % 10 == 0:
            client.say(words.valid)
            assert client.answer() == 200
    check_fresh(server, words)
    cost = (resident_bytes(server.process.pid) - before) / count
    last = clients[0]
    last.say(words.valid)
    assert last.answer() == 200
    for client in clients:
        client.socket.close()
    if not harness.SANITIZED:  # a sanitizer's memory is its own
        assert cost < 4096
