"""HTTP/2 by hand: frames as bytes, so that a test can say what no library would. Fields are written as literals without Huffman."""
import contextlib
import socket
import struct
import time

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, \
    COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM = range(12)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
PATIENCE_S = 20


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    return struct.pack(">I", len(payload) if length is None else length)[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    if len(value) < 127:
        return bytes([len(value)]) + value
    out, rest = [127], len(value) - 127
    while rest >= 128:
        out.append(rest % 128 + 128)
        rest //= 128
    return bytes([*out, rest]) + value


def field(name, value):
    return b"\x00" + text(name) + text(value)


def fields(pairs):
    return b"".join(field(name, value) for name, value in pairs)


def request(method="GET", path="/nothing", scheme="http", authority="localhost", more=()):
    pseudo = [(":method", method), (":scheme", scheme), (":path", path), (":authority", authority)]
    return fields([pair for pair in pseudo if pair[1] is not None] + list(more))


def headers(stream, block=None, flags=END_STREAM | END_HEADERS):
    return frame(HEADERS, flags, stream, request() if block is None else block)


_INDEXED = {0x88: 200, 0x89: 204, 0x8A: 206, 0x8B: 304, 0x8C: 400, 0x8D: 404, 0x8E: 500}


def status_of(block):
    """:status of the first answer of a connection; it stands first."""
    if block[0] in _INDEXED:
        return _INDEXED[block[0]]
    assert block[0] in (0x48, 0x08), block[:8]
    size, value = block[1] & 127, block[2 : 2 + (block[1] & 127)]
    if not block[1] & 128:
        return int(value)
    bits, digits = "".join(f"{byte:08b}" for byte in value), ""
    while len(digits) < 3:
        if bits[:5] in ("00000", "00001", "00010"):
            digits, bits = digits + str(int(bits[:5], 2)), bits[5:]
        else:
            digits, bits = digits + str(int(bits[:6], 2) - 0b011001 + 3), bits[6:]
    assert size
    return int(digits)


class Connection:
    def __init__(self, port, host="127.0.0.1", settings=b"", greet=True):
        self.socket = socket.create_connection((host, port), PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.heard = b""
        if greet:
            self.say(PREFACE + frame(SETTINGS, payload=settings))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def say(self, data):
        """What the server does not want to hear any more is lost: that is a result, not an error of the test."""
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(data)

    def frames(self):
        """Every frame until the end of the connection."""
        while True:
            while len(self.heard) >= 9:
                n = int.from_bytes(self.heard[:3], "big")
                if len(self.heard) < 9 + n:
                    break
                one = (self.heard[3], self.heard[4], int.from_bytes(self.heard[5:9], "big"), self.heard[9 : 9 + n])
                self.heard = self.heard[9 + n :]
                yield one
            try:
                part = self.socket.recv(65536)
            except ConnectionResetError:
                return
            if not part:
                return
            self.heard += part

    def wait_for(self, kind, stream=None, flags=0):
        """The first such frame; None when the connection ends before."""
        for got in self.frames():
            if got[0] == kind and (stream is None or got[2] == stream) and got[1] & flags == flags:
                return got
        return None

    def goaway(self):
        """The error of the GOAWAY that ends the connection; None when it ends without."""
        begun, code = time.monotonic(), None
        for kind, _, _, payload in self.frames():
            if kind == GOAWAY:
                code = int.from_bytes(payload[4:8], "big")
                self.socket.shutdown(socket.SHUT_WR) if code is not None else None
        assert time.monotonic() - begun < PATIENCE_S
        return code

    def answer(self, stream=1):
        """(status, body) of the first answer on this connection; the error of the stream's end when it is reset before."""
        status, body = None, b""
        for kind, flags, of, payload in self.frames():
            if of == stream and kind == HEADERS and status in (None, 100):
                status = status_of(payload)
            elif of == stream and kind == DATA:
                body += payload
            elif of == stream and kind == RST_STREAM and status is None:
                return "reset", int.from_bytes(payload, "big")
            elif kind == GOAWAY and status is None:
                return "goaway", int.from_bytes(payload[4:8], "big")
            if of == stream and kind in (HEADERS, DATA) and flags & END_STREAM:
                return status, body
        return "closed", None
