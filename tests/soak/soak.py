#!/usr/bin/python3
"""soak.py SECONDS [--threads N] [--seed N]: a server that is treated badly for a while, by those who connect, cut, crawl, stop in the midst of things
and flood, in clear, with TLS and with HTTP/2, while its certificates are reloaded and the program is replaced. ./dev soak [MINUTES] does it with the
builds of AddressSanitizer and ThreadSanitizer; a few seconds of it are a wire test.

What must hold: who asks properly gets the right answer, also then; no sanitizer reports, no process dies, the memory stays bounded.
"""
import argparse
import contextlib
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import ssl
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "wire"))
import h2raw  # noqa: E402
import harness  # noqa: E402
from test_tls import make_certificate  # noqa: E402
from test_upgrade import Upgradable  # noqa: E402

MEMORY_MAX_MIB = 1500 if harness.SANITIZED else 256  # a sanitizer keeps what was freed
RELOAD_EVERY_S, UPGRADE_EVERY_S = 2, 15


class Place:
    """The server, and how to reach it."""

    def __init__(self, folder):
        self.tls, self.h2c = harness.free_port(), harness.free_port()
        certificate, key = make_certificate(folder)
        self.context = ssl.create_default_context(cafile=certificate)
        self.server = Upgradable(folder, "--tls-listen", f"127.0.0.1:{self.tls}", "--tls-certificate", certificate, "--tls-key", key, "--h2c-listen",
                                 f"127.0.0.1:{self.h2c}", "--threads", "2", "--header-deadline", "2", "--body-deadline", "2", "--handshake-deadline", "2",
                                 "--idle-deadline", "3", "--requests-per-connection", "50").start()
        app = json.loads(harness.command("app", "create", "--name", "Soak", "--redirect-uri", "https://a.example/cb", "--scope", "contacts.read",
                                         "--create-scopes", "--client-credentials", "--data", self.server.data, "--json").stdout)
        self.form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": app["client_id"], "client_secret": app["client_secret"],
                                            "scope": "contacts.read"})
        self.request = (f"POST {harness.V3} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {harness.FORM}\r\n"
                        f"Content-Length: {len(self.form)}\r\n\r\n{self.form}").encode()
        self.h2_request = h2raw.request("POST", harness.V3, more=[("content-type", harness.FORM)])

    def connect(self, dice, secure=None):
        secure = dice.random() < 0.4 if secure is None else secure
        s = socket.create_connection(("127.0.0.1", self.tls if secure else self.server.port), harness.PATIENCE_S)
        return self.context.wrap_socket(s, server_hostname="localhost") if secure else s

    def memory_mib(self):
        with open(f"/proc/{self.server.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


# ---- those who ask properly: what comes back must be right ----

def check(status, body):
    assert status in (200, 503), (status, body[:300])
    if status == 200:
        token = json.loads(body)
        assert token["token_type"] == "bearer" and token["access_token"].startswith("gda_"), body[:300]


def ask(place, dice):
    secure = dice.random() < 0.4
    c = http.client.HTTPSConnection("localhost", place.tls, context=place.context, timeout=harness.PATIENCE_S) if secure else \
        http.client.HTTPConnection("127.0.0.1", place.server.port, timeout=harness.PATIENCE_S)
    with contextlib.closing(c):
        for n in range(dice.choice((1, 1, 3, 60))):
            try:
                c.request("POST", harness.V3, place.form, {"content-type": harness.FORM})
                answer = c.getresponse()
            except (ConnectionError, http.client.HTTPException, ssl.SSLEOFError):
                assert n > 0, "the first request of a connection was not answered"  # between requests a connection may be closed
                return
            check(answer.status, answer.read())
            if answer.will_close:
                return


def ask_slowly(place, dice):
    with place.connect(dice) as s:
        data, at = place.request, 0
        while at < len(data):
            step = dice.randrange(1, 120)
            s.sendall(data[at : at + step])
            at += step
            time.sleep(dice.random() * 0.05)
        check_raw(s, 1)


def pipeline(place, dice):
    count = dice.randrange(2, 12)
    with place.connect(dice) as s:
        s.sendall(place.request * count)
        check_raw(s, 1)


def check_raw(s, at_least):
    """That many whole answers (a program that leaves may close behind one)."""
    heard, count = b"", 0
    while count < at_least:
        part = s.recv(65536)
        assert part, ("cut off", heard[-200:])
        heard += part
        head, end, body = heard.partition(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), None)
        if end and length is not None and len(body) >= length:
            check(int(head[9:12]), body[:length])
            heard, count = body[length:], count + 1


def ask_http2(place, dice):
    streams = list(range(1, 2 * dice.choice((1, 4, 30)), 2))
    with h2raw.Connection(place.h2c) as c:
        for stream in streams:
            c.say(h2raw.headers(stream, place.h2_request, h2raw.END_HEADERS) + h2raw.frame(h2raw.DATA, h2raw.END_STREAM, stream, place.form.encode()))
        waiting, bodies = set(streams), {}
        for kind, flags, stream, payload in c.frames():
            if kind == h2raw.DATA:
                bodies[stream] = bodies.get(stream, b"") + payload
            if kind == h2raw.GOAWAY:
                last = int.from_bytes(payload[:4], "big") & 0x7FFFFFFF
                assert int.from_bytes(payload[4:8], "big") == h2raw.NO_ERROR, payload
                waiting = {stream for stream in waiting if stream <= last}
            if flags & h2raw.END_STREAM and kind in (h2raw.HEADERS, h2raw.DATA) or kind == h2raw.RST_STREAM:
                waiting.discard(stream)
            if not waiting:
                break
        assert not waiting, ("streams that were never answered", waiting)
        for body in bodies.values():
            check(200 if b"access_token" in body else 503, body)


# ---- those who do not: anything may come back, or nothing ----

def cut(place, dice):
    with place.connect(dice, secure=False) as s:
        s.sendall(place.request[: dice.randrange(len(place.request))])
        if dice.random() < 0.5:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def cut_tls(place, dice):
    with place.connect(dice, secure=True) as s:
        s.sendall(place.request[: dice.randrange(1, len(place.request) + 1)])


def cut_handshake(place, dice):
    with socket.create_connection(("127.0.0.1", place.tls), harness.PATIENCE_S) as s:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        with contextlib.suppress(ssl.SSLWantReadError):
            place.context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
        hello = bytearray(outgoing.read())
        if dice.random() < 0.5:
            hello[dice.randrange(len(hello))] ^= 1 << dice.randrange(8)
        s.sendall(hello[: dice.randrange(1, len(hello) + 1)])
        time.sleep(dice.random() * 0.02)


def half_a_request(place, dice):
    """Waits for what the deadline brings."""
    with place.connect(dice) as s:
        s.sendall(place.request[: dice.randrange(1, len(place.request))])
        s.settimeout(harness.PATIENCE_S)
        while s.recv(65536):
            pass


def never_read(place, dice):
    with place.connect(dice) as s:
        s.settimeout(0.2)
        for _ in range(dice.randrange(1, 60)):
            s.sendall(place.request * 10)


def nonsense(place, dice):
    with place.connect(dice) as s:
        s.sendall(dice.randbytes(dice.randrange(1, 4000)))
        s.recv(65536)


def reset_streams(place, dice):
    with h2raw.Connection(place.h2c) as c:
        for stream in range(1, 2 * dice.randrange(1, 80), 2):
            c.say(h2raw.headers(stream, place.h2_request, h2raw.END_HEADERS) + h2raw.frame(h2raw.DATA, h2raw.END_STREAM, stream, place.form.encode()))
            if dice.random() < 0.7:
                c.say(h2raw.frame(h2raw.RST_STREAM, 0, stream, b"\0\0\0\x08"))


def odd_frames(place, dice):
    with h2raw.Connection(place.h2c) as c:
        c.say(h2raw.headers(1, place.h2_request, h2raw.END_HEADERS))
        for _ in range(dice.randrange(1, 30)):
            c.say(h2raw.frame(dice.randrange(12), dice.randrange(256), dice.choice((0, 1, 3, 2)), dice.randbytes(dice.choice((0, 4, 5, 8, 100)))))
        c.socket.settimeout(0.2)
        for _ in c.frames():
            pass


PROPER = [ask, ask, ask_slowly, pipeline, ask_http2]
IMPROPER = [cut, cut, cut_tls, cut_handshake, half_a_request, never_read, nonsense, reset_streams, odd_frames]


class Soak:
    def __init__(self, place, seconds, threads, seed):
        self.place, self.until, self.failed = place, time.monotonic() + seconds, []
        self.counts, self.lock, self.most_mib, self.changes = {}, threading.Lock(), 0, {"reloads": 0, "upgrades": 0}
        self.workers = [threading.Thread(target=self.client, args=(random.Random(f"{seed} {i}"),)) for i in range(threads)]

    def over(self):
        return bool(self.failed) or time.monotonic() >= self.until

    def client(self, dice):
        while not self.over():
            action = dice.choice(dice.choice((PROPER, IMPROPER)))
            try:
                action(self.place, dice)
            except Exception as error:  # noqa: BLE001 - told below
                if not (isinstance(error, OSError) and action in IMPROPER):
                    self.failed.append(f"{action.__name__}: {error!r}")
            with self.lock:
                self.counts[action.__name__] = self.counts.get(action.__name__, 0) + 1

    def operate(self):
        """What an operator does meanwhile."""
        next_reload, next_upgrade = time.monotonic() + 1, time.monotonic() + 3
        while not self.over():
            if time.monotonic() >= next_reload:
                os.kill(self.place.server.pid, signal.SIGHUP)
                self.changes["reloads"] += 1
                next_reload = time.monotonic() + RELOAD_EVERY_S
            if time.monotonic() >= next_upgrade:
                self.place.server.upgrade()
                self.changes["upgrades"] += 1
                next_upgrade = time.monotonic() + UPGRADE_EVERY_S
            self.most_mib = max(self.most_mib, self.place.memory_mib())
            if self.most_mib > MEMORY_MAX_MIB:
                self.failed.append(f"{self.most_mib:.0f} MiB are too much")
            time.sleep(0.2)

    def run(self):
        for worker in self.workers:
            worker.start()
        try:
            self.operate()
        except Exception as error:  # noqa: BLE001 - told below
            self.failed.append(f"operator: {error!r}")
        for worker in self.workers:
            worker.join(harness.PATIENCE_S * 2)
        assert not any(worker.is_alive() for worker in self.workers), "a client waits for ever"


def soak(folder, seconds, threads=4, seed=1):
    """Raises AssertionError with what went wrong. Returns what was done."""
    place = Place(folder)
    found = Soak(place, seconds, threads, seed)
    try:
        found.run()
        assert not found.failed, found.failed
        assert place.server.ask() == 400
    finally:
        place.server.stop()
    return {**found.changes, **found.counts, "most_mib": round(found.most_mib)}


def main():
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=int)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--seed", default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        try:
            print(json.dumps(soak(pathlib.Path(folder), options.seconds, options.threads, options.seed)))
        except AssertionError as error:
            log = pathlib.Path(folder) / "log"
            print(log.read_text(errors="replace")[-4000:] if log.exists() else "", file=sys.stderr)
            print(f"soak: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
