"""Another program takes the place of the one that runs: nobody is refused, and what is wrong with the new one hurts nobody."""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

import harness

FORM = "grant_type=client_credentials&client_id=x&client_secret=y"


class Upgradable:
    """`grantd serve` from a copy of the binary, so that a test can put something else there."""

    def __init__(self, folder, *options):
        self.folder, self.data, self.log = folder, folder / "data", folder / "log"
        self.binary, self.port = folder / "grantd", harness.free_port()
        shutil.copy(harness.BINARY, self.binary)
        self.options = [*harness.NO_LIMITS, *options]

    def words(self):
        return [self.binary, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}", "--issuer", f"http://127.0.0.1:{self.port}",
                *self.options]

    def start(self, **more):
        with open(self.log, "ab") as err:
            self.process = subprocess.Popen(self.words(), stderr=err, env=harness.plain_environment(), **more)
        self.wait_for("SERVER_READY", 1)
        return self

    def events(self, name=None):
        lines = [json.loads(line) for line in self.log.read_bytes().splitlines() if line.startswith(b"{")]
        return [line for line in lines if name in (None, line["event"])]

    def wait_for(self, name, count):
        harness.wait_until(lambda: len(self.events(name)) >= count, lambda: (name, self.log.read_text()))

    @property
    def pid(self):
        return int((self.data / "grantd.lock").read_text())

    def upgrade(self):
        before = len(self.events("SERVER_READY"))
        done = harness.command("upgrade", "--data", self.data)
        assert done.returncode == 0, (done.stderr, self.log.read_text())
        self.wait_for("SERVER_READY", before + 1)

    def ask(self, timeout=harness.PATIENCE_S):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        c.request("POST", harness.V3, FORM, {"content-type": harness.FORM, "connection": "close"})
        status = c.getresponse().status
        c.close()
        return status

    def stop(self):
        with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        self.process.wait(harness.PATIENCE_S)
        harness.wait_until(lambda: not (self.data / "admin.sock").exists())
        harness.read_reports(self.log)


@pytest.fixture
def server(tmp_path):
    found = Upgradable(tmp_path).start()
    yield found
    found.stop()


def test_twenty_upgrades_and_nobody_is_refused(server):
    """Clients that open a connection for each request, all the time; not one fails."""
    failed, served, done = [], [0] * 4, threading.Event()

    def client(i):
        while not done.is_set():
            try:
                assert server.ask() == 400
                served[i] += 1
            except Exception as error:  # noqa: BLE001 - every failure is told below
                failed.append(repr(error))

    threads = [threading.Thread(target=client, args=(i,)) for i in range(len(served))]
    for thread in threads:
        thread.start()
    pids = {server.pid}
    for _ in range(20):
        server.upgrade()
        pids.add(server.pid)
    done.set()
    for thread in threads:
        thread.join(harness.PATIENCE_S)
    assert not failed and min(served) > 20 and len(pids) == 21


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")
def test_keep_alive_under_load(server, tmp_path):
    script = tmp_path / "post.lua"
    script.write_text(f'wrk.method="POST"; wrk.body="{FORM}"; wrk.headers["Content-Type"]="{harness.FORM}"\n')
    load = subprocess.Popen(["wrk", "-t1", "-c16", "-d600s", "-s", script, f"http://127.0.0.1:{server.port}{harness.V3}"], stdout=subprocess.PIPE, text=True)
    for _ in range(8):
        time.sleep(0.1)  # some load between
        server.upgrade()
    load.send_signal(signal.SIGINT)
    out = load.communicate(timeout=harness.PATIENCE_S * 2)[0]
    assert "Socket errors" not in out and "requests in" in out, out


def test_state_goes_over(server):
    app = json.loads(harness.command("app", "create", "--name", "a", "--redirect-uri", "https://a.example/", "--data", server.data, "--json").stdout)
    server.upgrade()
    shown = harness.command("app", "show", str(app["app_id"]), "--data", server.data, "--json")
    assert shown.returncode == 0 and json.loads(shown.stdout)["client_id"] == app["client_id"], shown.stderr


def test_a_request_under_way_is_finished(server):
    with socket.create_connection(("127.0.0.1", server.port), harness.PATIENCE_S) as s:
        head = f"POST {harness.V3} HTTP/1.1\r\nHost: x\r\nContent-Type: {harness.FORM}\r\nContent-Length: {len(FORM)}\r\n\r\n{FORM[:10]}"
        s.sendall(head.encode())
        harness.wait_until_read(s)
        os.kill(server.pid, signal.SIGUSR2)
        server.wait_for("UPGRADE_PREPARED", 1)
        harness.Admin(server.data / "admin.sock").get("/health/live")  # the same thread answers: it has told the others
        s.sendall(FORM[10:].encode())
        got = s.recv(4096)
        assert got.startswith(b"HTTP/1.1 400") and b"Connection: close" in got
    server.wait_for("SERVER_READY", 2)
    assert server.ask() == 400


@pytest.mark.parametrize("what", ["no program", "a program that fails", "options that are refused"])
def test_a_bad_program_changes_nothing(tmp_path, what):
    options = tmp_path / "options.ini"
    options.write_text("[grantd]\n")
    server = Upgradable(tmp_path, "--config", options).start()
    pid = server.pid
    if what == "options that are refused":
        options.write_text("[grantd]\nnonsense = 1\n")
    else:
        aside = tmp_path / "other"
        aside.write_text("nothing" if what == "no program" else "#!/bin/sh\nexit 3\n")
        aside.chmod(0o755)
        aside.rename(server.binary)
    os.kill(pid, signal.SIGUSR2)
    server.wait_for("UPGRADE_FAILED", 1)
    assert server.pid == pid and server.ask() == 400
    server.stop()


def test_no_server_to_upgrade(tmp_path):
    done = harness.command("upgrade", "--data", tmp_path)
    assert done.returncode == 1 and "no server runs" in done.stderr


# ---- systemd ----


class Notified:
    """What systemd would hear."""

    def __init__(self, folder):
        self.path = str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(harness.PATIENCE_S)

    def wait_for(self, word):
        while True:
            said = self.socket.recv(4096).decode().split("\n")
            for line in said:
                if line.startswith(word):
                    return line


def test_systemd_is_told(tmp_path):
    notified = Notified(tmp_path)
    server = Upgradable(tmp_path)
    environment = {**harness.plain_environment(), "NOTIFY_SOCKET": notified.path, "WATCHDOG_USEC": "300000"}
    with open(server.log, "ab") as err:
        server.process = subprocess.Popen(server.words(), stderr=err, env=environment)
    notified.wait_for("READY=1")
    notified.wait_for("WATCHDOG=1")
    notified.wait_for("WATCHDOG=1")
    os.kill(server.pid, signal.SIGHUP)
    notified.wait_for("RELOADING=1")
    notified.wait_for("READY=1")
    old = server.pid
    os.kill(old, signal.SIGUSR2)
    told = int(notified.wait_for("MAINPID=").removeprefix("MAINPID="))
    notified.wait_for("READY=1")
    assert told == server.pid != old
    notified.wait_for("WATCHDOG=1")
    os.kill(server.pid, signal.SIGTERM)
    notified.wait_for("STOPPING=1")
    server.stop()


def activated(server, *sockets, **more):
    """Starts it as systemd would: sockets at 3 and up, and LISTEN_PID of the process itself."""
    lines = "\n".join(f"os.dup2({s.fileno() + 100}, {3 + i})" for i, s in enumerate(sockets))
    code = (f"import os, sys\n{lines}\nos.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='{len(sockets)}')\n"
            "os.execv(sys.argv[1], sys.argv[1:])")
    high = [os.dup2(s.fileno(), s.fileno() + 100) for s in sockets]
    with open(server.log, "ab") as err:
        server.process = subprocess.Popen(["/usr/bin/python3", "-c", code, *map(str, server.words())], stderr=err, pass_fds=high,
                                          env=harness.plain_environment(), **more)
    for fd in high:
        os.close(fd)


def listening(port):
    s = socket.create_server(("127.0.0.1", port))
    return s


def test_socket_activation(tmp_path):
    """Who connected before there was a process is served when there is one."""
    server = Upgradable(tmp_path)
    with listening(server.port) as held:
        early = socket.create_connection(("127.0.0.1", server.port), harness.PATIENCE_S)
        early.sendall(b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        activated(server, held)
        assert early.recv(12) == b"HTTP/1.1 404"
        early.close()
        assert server.ask() == 400
        server.upgrade()
        assert server.ask() == 400
        server.stop()


def test_a_socket_that_no_option_names_is_refused(tmp_path):
    server = Upgradable(tmp_path)
    with listening(0) as other:
        activated(server, other)
        assert server.process.wait(harness.PATIENCE_S) == 1
        assert f"127.0.0.1:{other.getsockname()[1]} was handed to us" in server.log.read_text()


def test_the_units_name_what_exists():
    folder = harness.ROOT / "packaging"
    unit = (folder / "grantd.service").read_text()
    assert "Type=notify" in unit and "grantd serve" in unit
    assert pathlib.Path(folder / "grantd.socket").exists()
