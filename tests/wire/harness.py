"""A real grantd and the ways to speak to it. Every answer that passes through is checked: see `check_answer`."""
import base64
import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import pathlib
import random
import re
import secrets
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse

import pytest
import schema

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("GRANTD_BIN", ROOT / "build/grantd")).resolve()
FORM = "application/x-www-form-urlencoded"
V3 = "/oauth/v3/token"
SANITIZED = BINARY.exists() and re.search(rb"__[at]san_init", BINARY.read_bytes()) is not None
PATIENCE_S = 60 if SANITIZED else 20  # a sanitizer makes everything slower
REPORTS = re.compile(rb"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:|Assertion .* failed")
# No test of limits should meet them by chance.
NO_LIMITS = ("--limit-auth-failures", "0", "--limit-grant-failures", "0")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.raw_headers, self.body = status, headers, body
        self.headers = {name.lower(): value for name, value in headers}

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def location(self):
        """The query of the redirect, each name once."""
        query = urllib.parse.urlsplit(self.headers["location"]).query
        pairs = urllib.parse.parse_qsl(query, keep_blank_values=True, strict_parsing=True)
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    def __repr__(self):
        return f"<{self.status} {self.headers.get('content-type')} {self.body[:300]!r}>"


def check_answer(method, path, answer):
    """What holds for every answer of the public listener, but for style sheets, which are files."""
    if path.startswith("/oauth/assets/"):
        return
    seen = answer.headers
    correlation = seen.get("x-hubspot-correlation-id", "")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", correlation), answer
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", seen.get("date", "")), answer
    names = [name.lower() for name, _ in answer.raw_headers if name.lower() != "set-cookie"]
    assert len(names) == len(set(names)), names
    if path.startswith("/oauth/assets/") and answer.status in (200, 304):
        assert seen.get("cache-control") == "public, max-age=31536000, immutable", answer
    elif not path.startswith("/.well-known"):
        assert seen.get("cache-control") == "no-store", answer
    if answer.status in (204, 304):
        assert answer.body == b"" and "content-type" not in seen, answer
    if seen.get("content-type", "").startswith("application/json") and method != "HEAD":
        assert seen["content-type"] == "application/json;charset=utf-8"
        body = answer.json
        assert body.get("correlationId", correlation) == correlation
        if answer.status < 400:
            assert "message" not in body
        schema.check(method, path, answer.status, body)
    elif answer.status >= 400 and method != "HEAD":
        assert seen.get("content-type") == "text/html;charset=utf-8", answer


class Api:
    """Speaks HTTP to one address. Answers are checked unless `checked` is off (the admin listener has its own rules)."""

    def __init__(self, host, port, checked=True):
        self.host, self.port, self.checked = host, port, checked

    def connect(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE_S)

    def request(self, method, path, body=None, headers=(), connection=None):
        """One request; on a connection of its own unless one is given."""
        own = connection or self.connect()
        try:
            own.request(method, path, body=body, headers=dict(headers))
            got = own.getresponse()
            answer = Answer(got.status, got.getheaders(), got.read())
        finally:
            if connection is None:
                own.close()
        if self.checked:
            check_answer(method, path, answer)
        return answer

    def get(self, path, headers=(), connection=None):
        return self.request("GET", path, headers=headers, connection=connection)

    def post(self, path, form, basic=None, headers=(), connection=None):
        """`form`: a dict, a list of pairs or the bytes themselves."""
        body = form if isinstance(form, (bytes, str)) else urllib.parse.urlencode(form)
        sent = {"content-type": FORM, **dict(headers)}
        if basic:
            pair = ":".join(urllib.parse.quote_plus(part) for part in basic)
            sent["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        return self.request("POST", path, body=body, headers=sent, connection=connection)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(self.path)


class Admin(Api):
    """Administration over HTTP, through the socket of a running server."""

    def __init__(self, path):
        super().__init__("localhost", 0, checked=False)
        self.path = path

    def connect(self):
        return UnixConnection(self.path)

    def send(self, method, path, body=None):
        headers = {} if body is None else {"content-type": "application/json"}
        return self.request(method, path, None if body is None else json.dumps(body), headers)


class Pkce:
    def __init__(self):
        self.verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(self.verifier.encode()).digest()
        self.challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        self.asked = {"code_challenge": self.challenge, "code_challenge_method": "S256"}


class App:
    """An app as its developer knows it, with the calls that it makes."""

    def __init__(self, api, info, base=V3):
        self.api, self.info, self.base = api, info, base
        self.client_id, self.client_secret = info["client_id"], info.get("client_secret")
        self.redirect_uri = info.get("redirect_uri") or next(iter(info.get("redirect_uris") or []), None)
        self.scopes = info.get("scopes") or []
        self.is_public = not self.client_secret

    def at(self, base):
        return App(self.api, self.info, base)

    @property
    def credentials(self):
        found = {"client_id": self.client_id}
        return {**found, "client_secret": self.client_secret} if self.client_secret else found

    def authorize(self, path="/oauth/authorize", connection=None, **more):
        asked = {"client_id": self.client_id, "redirect_uri": self.redirect_uri, "scope": " ".join(self.scopes), **more}
        asked = {name: value for name, value in asked.items() if value is not None}
        return self.api.get(f"{path}?{urllib.parse.urlencode(asked)}", connection=connection)

    def code(self, connection=None, **more):
        answer = self.authorize(connection=connection, **more)
        assert answer.status in (302, 303) and "code" in answer.location, answer
        return answer.location["code"]

    def token(self, connection=None, **form):
        form = {name: value for name, value in {**self.credentials, **form}.items() if value is not None}
        return self.api.post(self.base, form, connection=connection)

    def redeem(self, code, connection=None, **more):
        return self.token(connection, **{"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri, **more})

    def refresh(self, refresh_token, connection=None, **more):
        return self.token(connection, grant_type="refresh_token", refresh_token=refresh_token, **more)

    def client_credentials(self, connection=None, **more):
        return self.token(connection, **{"grant_type": "client_credentials", "scope": self.scopes[0], **more})

    def install(self, connection=None, **more):
        """The whole way to tokens; the JSON of the answer."""
        pkce = Pkce()
        answer = self.redeem(self.code(connection, **pkce.asked, **more), connection, code_verifier=pkce.verifier)
        assert answer.status == 200, answer
        return answer.json

    def introspect(self, token, connection=None, **more):
        return self.api.post(f"{self.base}/introspect", {**self.credentials, "token": token, **more}, connection=connection)

    def is_active(self, token, connection=None):
        answer = self.introspect(token, connection)
        assert answer.status == 200, answer
        return answer.json["active"]

    def revoke(self, token, connection=None, **more):
        return self.api.post(f"{self.base}/revoke", {**self.credentials, "token": token, **more}, connection=connection)

    def uninstall(self, access_token, version="v3"):
        return self.api.request("DELETE", f"/appinstalls/{version}/external-install", headers={"authorization": f"Bearer {access_token}"})


class Wire:
    """A socket to a server, for what no client library says. What was heard and not yet looked at stands in .heard."""

    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.heard = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def say(self, data):
        self.socket.sendall(data)


class Ports:
    """Ports for servers that are told theirs. They are below those that the kernel gives away by itself, and locked against every other
    run of the tests on this machine, so nobody takes one before its server, or while that is started again."""

    FIRST, LAST = 10000, 32000

    def __init__(self):
        self.lock, self.next, self.file = threading.Lock(), random.randrange(self.FIRST, self.LAST), None

    def take(self):
        with self.lock:
            if self.file is None:
                path = pathlib.Path(tempfile.gettempdir(), f"grantd-test-ports.{os.getuid()}")
                self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            for _ in range(self.FIRST, self.LAST):
                port, self.next = self.next, self.next + 1 if self.next < self.LAST else self.FIRST
                if self.is_ours(port) and self.is_free(port):
                    return port
        raise AssertionError("no port is free")

    def is_ours(self, port):
        """A byte of a file stands for a port; the lock ends with the process."""
        with contextlib.suppress(BlockingIOError, PermissionError):
            fcntl.lockf(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
            return True
        return False

    @staticmethod
    def is_free(port):
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind(("127.0.0.1", port))
            return True
        return False


free_port = Ports().take


def read_reports(path):
    text = path.read_bytes()
    found = REPORTS.search(text)
    assert not found, text[max(0, found.start() - 200) : found.start() + 4000].decode(errors="replace")


class Server:
    """One process. `stop` ends it politely and demands a clean exit; `kill9` does not ask."""

    prefix = ()  # of the command: what runs it somewhere else

    def __init__(self, words, data, log):
        self.words, self.data, self.log = list(words), pathlib.Path(data), pathlib.Path(log)
        self.process = None

    def start(self):
        with open(self.log, "ab") as err:
            self.process = subprocess.Popen(
                [*self.prefix, BINARY, *map(str, self.words), "--data", str(self.data)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err,
                env=plain_environment(self.data))
        return self

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, timeout=PATIENCE_S):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the server did not end after SIGTERM") from None
        finally:
            self.process.stdout.close()
            self.process = None
        read_reports(self.log)
        assert status == 0, f"exit status {status}: {self.log.read_bytes()[-2000:].decode(errors='replace')}"
        return status

    def kill9(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process = None
        read_reports(self.log)

    def output(self):
        """All that it has written to standard error so far."""
        return self.log.read_bytes()

    def admin(self, *words, ok=True):
        """`grantd WORDS --data DIR --json`: the JSON it prints."""
        done = command(*words, "--data", self.data, "--json")
        if ok:
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout) if done.stdout.strip() else None
        return done

    def failed(self):
        return f"the server ended: {self.output()[-2000:].decode(errors='replace')}"


# The URL of a PostgreSQL cluster (tests/pg/cluster.sh): then every data directory has a database of its own in it instead of a file.
POSTGRES = os.environ.get("TEST_POSTGRES")
_databases = set()
only_sqlite = pytest.mark.skipif(POSTGRES is not None, reason="about the file of a SQLite store")


def postgres_store(data):
    """The URL of the database that belongs to a data directory; made when it is asked for first."""
    url = urllib.parse.urlsplit(POSTGRES)
    name = "t" + hashlib.sha256(str(data).encode()).hexdigest()[:20]
    if name not in _databases:
        subprocess.run(["psql", "-q", POSTGRES, "-c", f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy"], check=True)
        _databases.add(name)
    return url._replace(path="/" + name).geturl().replace("postgres:/" + name, "postgres:///" + name)


def postgres_dump(data):
    """Everything in the database of a data directory, bytes as they are and as hexadecimal digits."""
    dump = subprocess.run(["pg_dump", "--inserts", postgres_store(data)], check=True, capture_output=True).stdout
    return dump + b"".join(bytes.fromhex(digits.decode()) for digits in re.findall(rb"'\\\\x((?:[0-9a-f]{2})+)'", dump))


def plain_environment(data=None):
    """No GRANTD_* of the person who runs the tests, and the sanitizers' options. With PostgreSQL the store of a data directory."""
    found = {name: value for name, value in os.environ.items() if not name.startswith("GRANTD_")}
    return {**found, "GRANTD_STORE": postgres_store(data)} if POSTGRES and data else found


def command(*words, **more):
    """A command of the command line, run to its end."""
    data = next((word for flag, word in zip(words, words[1:]) if flag == "--data"), None)
    return subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, timeout=PATIENCE_S, env=plain_environment(data), **more)


class DevServer(Server):
    """`grantd dev --json`. `info` is what it printed; .api, .confidential, .public and .resource_server speak to it."""

    def __init__(self, data, log, options=NO_LIMITS, port=None, clock=False):
        """With `clock` its time stands still but for pass_time."""
        self.clock, self.clock_at_s = pathlib.Path(data).with_name("clock.ini"), int(time.time())
        if clock:
            self.write_clock()
            options = (*options, "--config", self.clock)
        super().__init__(["dev", "--json", "--listen", f"127.0.0.1:{port or free_port()}", *options], data, log)

    def start(self):
        super().start()
        line = self.process.stdout.readline()
        assert line, self.failed()
        self.info = json.loads(line)
        self.issuer = self.base = self.info["issuer"]
        self.host, self.port = "127.0.0.1", urllib.parse.urlsplit(self.issuer).port
        self.admin_socket = self.info["admin"].removeprefix("unix:")
        self.api = Api(self.host, self.port)
        self.post, self.get = self.api.post, self.api.get
        apps = self.info["apps"]
        self.confidential, self.public = App(self.api, apps["confidential"]), App(self.api, apps["public"])
        self.resource_server = App(self.api, apps["resource_server"])
        self.hub_id, self.user_id = self.info["account"]["hub_id"], self.info["user"]["user_id"]
        self.valid_form = urllib.parse.urlencode(
            {**self.confidential.credentials, "grant_type": "client_credentials", "scope": self.confidential.scopes[0]}).encode()
        return self

    def restart(self):
        """The same data and the same port."""
        return self.start()

    def write_clock(self):
        self.clock.write_text(f"[grantd]\nclock_at_s = {self.clock_at_s}\n")

    def pass_time(self, seconds):
        self.clock_at_s += seconds
        self.write_clock()
        assert [row["option"] for row in self.admin("reload")["options"]] == ["clock_at_s"]

    def new_app(self, *options, name="Test app", redirect_uri="https://app.example/done", scopes=None):
        """An app made through administration, usable at once. Its scopes are those of the confidential app unless said."""
        words = ["app", "create", "--name", name]
        if redirect_uri:
            words += ["--redirect-uri", redirect_uri]
        for scope in self.confidential.scopes if scopes is None else scopes:
            words += ["--scope", scope]
        made = self.admin(*words, *options)
        return App(self.api, {**made, "redirect_uri": redirect_uri, "scopes": list(self.confidential.scopes if scopes is None else scopes)})


class ProductionServer(Server):
    """`grantd serve`."""

    def __init__(self, data, log, options=()):
        self.host, self.port = "127.0.0.1", free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        super().__init__(["serve", "--listen", f"127.0.0.1:{self.port}", "--issuer", self.issuer, *options], data, log)

    def start(self):
        super().start()
        wait_until(self.listens, "the server does not listen")
        self.api = Api(self.host, self.port)
        return self

    def listens(self):
        assert self.process.poll() is None, self.failed()
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), 1):
            return True
        return False


def wait_until(condition, what="it did not come about", patience=None):
    """Polls; the patience is only for what never comes about."""
    deadline = time.monotonic() + (patience or PATIENCE_S)
    while not condition():
        assert time.monotonic() < deadline, what() if callable(what) else what
        time.sleep(0.01)


def wait_until_read(connection):
    """Until the server has taken this connection (of IPv4) and read all that was sent on it: the kernel's table says so."""
    ends = [f"{socket.inet_aton(address)[::-1].hex()}:{port:04x}".upper() for address, port in (connection.getpeername(), connection.getsockname())]

    def is_read():
        for row in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
            words = row.split()
            if words[1:3] == ends:
                return words[9] != "0" and int(words[4].partition(":")[2], 16) == 0
        return False

    wait_until(is_read, "the server does not read")


def in_parallel(count, work):
    """Runs work(i) in `count` threads that start together; the results in order. The first exception is raised."""
    barrier, results, errors = threading.Barrier(count), [None] * count, []

    def run(i):
        try:
            barrier.wait()
            results[i] = work(i)
        except BaseException as error:  # noqa: B902 - told to the test below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S * 4)
        assert not thread.is_alive(), "a request was never answered"
    if errors:
        raise errors[0]
    return results
