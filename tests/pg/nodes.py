"""Clusters, nodes, what stands in front of them, and a load that keeps account of every answer."""
import contextlib
import glob
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import threading
import time

import harness

SCRIPT = pathlib.Path(__file__).with_name("cluster.sh")
PROGRAMS = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
OWNER = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


def run(*words, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **more)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


class Cluster:
    """One PostgreSQL server, on a Unix socket and on a port of 127.0.0.1."""

    def __init__(self, folder):
        self.folder, self.port = pathlib.Path(folder), harness.free_port()

    def create(self, *settings):
        run(SCRIPT, "start", self.folder, "listen_addresses = '127.0.0.1'", f"port = {self.port}", *settings,
            env={**os.environ, "PGPORT": str(self.port)})
        return self

    @property
    def url(self):
        return f"postgres://grantd@127.0.0.1:{self.port}/grantd"

    def database(self, name):
        """One more database, empty; its URL."""
        self.ask(f'CREATE DATABASE "{name}"')
        return f"postgres://grantd@127.0.0.1:{self.port}/{name}"

    def ctl(self, *words):
        return run(*OWNER, f"{PROGRAMS}/pg_ctl", "-D", self.folder / "db", "-l", self.folder / "server.log", "-w", *words, cwd="/")

    def start(self):
        self.ctl("start")

    def stop(self, mode="fast"):
        with contextlib.suppress(AssertionError):
            self.ctl("-m", mode, "stop")

    def kill9(self):
        """The machine is gone: nobody says good-bye."""
        pid = int((self.folder / "db/postmaster.pid").read_text().split()[0])
        children = [int(word) for word in subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()]
        for each in [pid, *children]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)

    def ask(self, sql):
        return run("psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", self.port, "-U", "grantd", "grantd", "-c", sql).strip()

    def standby(self, folder):
        """A copy that follows this one synchronously; what is acknowledged here is on both disks."""
        other = Cluster(folder)
        folder.mkdir()
        if OWNER:
            run("chown", "postgres", folder)
        run(*OWNER, f"{PROGRAMS}/pg_basebackup", "-h", "127.0.0.1", "-p", self.port, "-U", "grantd", "-D", folder / "db", "-c", "fast",
            "-R", "-d", "application_name=standby", cwd="/")
        append(folder / "db/postgresql.conf", f"port = {other.port}\nunix_socket_directories = '{folder}'\nsynchronous_standby_names = ''\n")
        other.start()
        self.ask("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        self.ask("SELECT pg_reload_conf()")
        wait_until(lambda: self.ask("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1")
        return other


def append(path, text):
    with open(path, "a") as file:
        file.write(text)


def wait_until(condition, timeout=30):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


class Farm:
    """Nodes: a data directory each, one master key, one issuer, one database."""

    def __init__(self, place):
        self.place, self.nodes, self.proxy = place, [], None
        self.master = secrets.token_bytes(32)
        self.front = harness.free_port()

    def prepare(self, store, *options, kind="dev", within=()):
        number = len(self.nodes)
        data = self.place / f"node{number}"
        data.mkdir(mode=0o700)
        (data / "master.key").write_bytes(self.master)
        (data / "master.key").chmod(0o600)
        options = ["--store", store, "--issuer", f"http://127.0.0.1:{self.front}", *harness.NO_LIMITS, *options]
        make = Node if kind == "dev" else harness.ProductionServer
        node = make(data, self.place / f"node{number}.log", options)
        if kind != "dev":
            node.words = [word for word in node.words if word != node.issuer or node.words[node.words.index(word) - 1] != "--issuer"]
            node.words.remove("--issuer")
        self.nodes.append(node)
        return node

    def start(self, store, count, *options):
        """All at once."""
        made = [self.prepare(store, *options) for _ in range(count)]
        harness.in_parallel(count, lambda i: made[i].start())
        return made

    def haproxy(self):
        """Stands in front of all nodes."""
        servers = "\n".join(f"  server node{i} 127.0.0.1:{node.port}" for i, node in enumerate(self.nodes))
        config = self.place / "haproxy.cfg"
        config.write_text(
            f"defaults\n  mode http\n  timeout connect 2s\n  timeout client 30s\n  timeout server 30s\n"
            f"listen grantd\n  bind 127.0.0.1:{self.front}\n  balance roundrobin\n{servers}\n")
        self.proxy = subprocess.Popen(["haproxy", "-q", "-db", "-f", str(config)])

        def is_up():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.front), 1):
                return True

        wait_until(is_up)
        return harness.App(harness.Api("127.0.0.1", self.front), self.nodes[0].info["apps"]["confidential"])

    def stop(self):
        if self.proxy:
            self.proxy.terminate()
            self.proxy.wait()
        for node in self.nodes:
            if node.process:
                node.stop()


class Node(harness.DevServer):
    """`grantd dev` whose issuer is somewhere else than itself."""

    def __init__(self, data, log, options):
        self.own_port = harness.free_port()
        super().__init__(data, log, options, port=self.own_port)

    def start(self):
        super().start()
        self.port = self.own_port
        self.api.port = self.port
        return self


class Load:
    """Threads that redeem, refresh and introspect through one app until told to stop. Every answer is written down: only success, 503, or
    an invalid_grant that is true may come."""

    def __init__(self, app, threads=8):
        self.app, self.stopping = app, threading.Event()
        self.successes, self.refused, self.wrong = [], 0, []
        self.grants = {}  # refresh token -> code: what was acknowledged
        self.doubtful, self.true_refusals = 0, 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(threads)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a request was never answered"
        assert not self.wrong, self.wrong[:5]

    def note(self, answer, good):
        with self.lock:
            if answer.status == good:
                self.successes.append(time.monotonic())
            elif answer.status == 503:
                self.refused += 1
                assert int(answer.headers["retry-after"]) >= 1
            else:
                self.wrong.append(answer)
        return answer.status == good

    def work(self):
        while not self.stopping.is_set():
            try:
                self.one()
            except Exception as error:  # noqa: BLE001 - told by stop()
                self.wrong.append(error)
                return

    def one(self):
        answer = self.app.authorize()
        if answer.status == 302 and answer.location.get("error") == "temporarily_unavailable":  # 503, told to the app by way of the browser
            with self.lock:
                self.refused += 1
            return
        if not self.note(answer, 302):
            return
        code = answer.location["code"]
        got = self.redeem(code)
        if not got:
            return
        self.note(self.app.refresh(got["refresh_token"]), 200)
        answer = self.app.introspect(got["access_token"])
        if self.note(answer, 200) and not answer.json["active"]:
            self.wrong.append(answer)

    def redeem(self, code):
        """Until it is known: 503 says that nobody knows, and then a refusal can be true."""
        for attempt in range(100):
            answer = self.app.redeem(code)
            if attempt and answer.status == 400 and answer.json["error"] == "invalid_grant":
                self.true_refusals += 1
                return None
            if self.note(answer, 200):
                self.grants[answer.json["refresh_token"]] = code
                return answer.json
            if answer.status != 503 or self.stopping.is_set():
                return None
            time.sleep(0.1)
        return None

    def longest_gap(self):
        times = sorted(self.successes)
        return max(later - earlier for earlier, later in zip(times, times[1:]))

    def check_grants(self):
        """Whatever was acknowledged is there; no code can be redeemed again."""
        lost = [token for token in self.grants if self.app.refresh(token).status != 200]
        assert not lost, f"{len(lost)} of {len(self.grants)} acknowledged grants are lost"
        for code in list(self.grants.values())[:: max(1, len(self.grants) // 50)]:
            assert self.app.redeem(code).status == 400
        assert len(set(self.grants.values())) == len(self.grants)
