"""What every part of ./dev bench stands on: servers pinned to one processor, wrk on the others, and what /proc says about a process."""
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
BINARY = os.environ.get("GRANTD_BIN", str(ROOT / "build" / "grantd"))
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("GRANTD_")}
SERVER_CPU, CLIENT_CPUS = "0", ",".join(str(c) for c in sorted(os.sched_getaffinity(0)) if c) or "0"
CLUSTER = ROOT / "tests/pg/cluster.sh"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def say(text):
    print(text, file=sys.stderr, flush=True)


def pinned(cpus, command):
    return ["taskset", "-c", cpus, *map(str, command)]


def form(**values):
    return urllib.parse.urlencode(values)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, process, limit_s=30):
    end = time.monotonic() + limit_s
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit(f"bench: nothing listens on port {port}")


def end(process):
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


# ---- what /proc says ----

def family(pid):
    """A process and its descendants."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += family(int(child))
    return found


def cpu_s(pids):
    total = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def ran_us(pids):
    """Processor time of all threads that are there, as finely as the scheduler counts it."""
    return sum(int(path.read_text().split()[0]) for pid in pids for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1000


def status_number(pid, name):
    return int(re.search(rf"^{name}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M).group(1))


def rss_kib(pids):
    return sum(status_number(pid, "VmRSS") for pid in pids)


def written_bytes(pids):
    return sum(int(re.search(r"^write_bytes: (\d+)", pathlib.Path(f"/proc/{pid}/io").read_text(), re.M).group(1)) for pid in pids)


def switches(pid):
    """Voluntary context switches of all threads: how often one went to sleep, which is how often one woke up."""
    return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", path.read_text(), re.M).group(1))
               for path in pathlib.Path(f"/proc/{pid}/task").glob("*/status"))


# ---- servers ----

class Server:
    """Any server under measurement: a process tree on SERVER_CPU with a base URL."""
    process, netloc, name = None, "", ""
    headers = ()  # of every request, "Name: value"

    def pids(self):
        return family(self.process.pid)

    def url(self, path):
        return f"http://{self.netloc}{path}"

    def connection(self):
        return http.client.HTTPConnection(self.netloc)

    def call(self, method, path, body=None, headers=None):
        c = self.connection()
        c.request(method, path, body, headers if headers is not None else FORM if body else {})
        r = c.getresponse()
        data = r.read()
        c.close()
        return r, data

    def written(self):
        return written_bytes(self.pids())

    def stop(self):
        end(self.process)


class Grantd(Server):
    """A throw-away server with its apps, on a directory of its own."""
    name, binary = "grantd", BINARY

    def __init__(self, directory, *more, store=None):
        environment = {**ENVIRONMENT, **({"GRANTD_STORE": store.url} if store else {})}
        self.store = store
        start = time.monotonic()
        self.process = subprocess.Popen(
            pinned(SERVER_CPU, [self.binary, "dev", "--json", "--listen", "127.0.0.1:0", "--data", directory, "--threads", "1",
                                "--code-ttl", "600", "--requests-per-connection", "0", *more]),
            stdout=subprocess.PIPE, text=True, env=environment)
        self.info = json.loads(self.process.stdout.readline())
        self.start_ms = (time.monotonic() - start) * 1000
        self.address = urllib.parse.urlsplit(self.info["issuer"])
        self.netloc = self.address.netloc

    def admin(self, directory, *words):
        out = subprocess.run([self.binary, *words, "--data", directory, "--json"], capture_output=True, text=True, env=ENVIRONMENT)
        if out.returncode:
            raise SystemExit(f"bench: grantd {' '.join(words)}: {out.stderr}")
        return json.loads(out.stdout)

    def pids(self):
        return family(self.info["pid"]) + (self.store.pids() if self.store else [])

    def own_pids(self):
        return [self.info["pid"]]

    def written(self):
        """What reached the disk for it: pages that the process wrote, or the log of PostgreSQL."""
        return self.store.log_bytes() if self.store else written_bytes(self.own_pids())


class Postgres:
    """A scratch cluster with fsync and synchronous_commit on, on SERVER_CPU as what stands before it."""

    def __init__(self, *settings):
        self.directory = tempfile.mkdtemp(prefix="bench-pg-")
        out = subprocess.run(pinned(SERVER_CPU, [CLUSTER, "start", self.directory, *settings]), check=True, capture_output=True, text=True)
        self.url = out.stdout.strip()

    def pids(self):
        return family(int((pathlib.Path(self.directory) / "db/postmaster.pid").read_text().split()[0]))

    def new_store(self, name):
        """Another database of the same cluster."""
        self.sql(f'CREATE DATABASE "{name}"')
        return Store(self, name)

    def sql(self, text, url=None):
        return subprocess.run(["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", url or self.url, "-c", text], check=True,
                              capture_output=True, text=True).stdout.strip()

    def log_bytes(self):
        return int(self.sql("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"))

    def stop(self):
        subprocess.run([CLUSTER, "stop", self.directory], check=False)


class Store:
    """One of several databases of a cluster."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name
        self.url = cluster.url.replace("@/grantd?", f"@/{name}?")

    def pids(self):
        return self.cluster.pids()

    def log_bytes(self):
        return self.cluster.log_bytes()

    def statements(self):
        """How many it has carried out; one of a whole batch is one."""
        return int(self.cluster.sql(f"SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid"
                                    f" WHERE d.datname = '{self.name}'"))


class Nginx(Server):
    """nginx with one worker; each location of `sizes` (name -> bytes) answers with a constant body of that size."""
    name = "nginx"

    def __init__(self, sizes):
        self.directory = tempfile.mkdtemp(prefix="bench-nginx-")
        port = free_port()
        self.netloc = f"127.0.0.1:{port}"
        places = "".join(f'location = /{name} {{ default_type application/json; return 200 "{"x" * n}"; }}\n' for name, n in sizes.items())
        conf = pathlib.Path(self.directory) / "nginx.conf"
        conf.write_text(f"""
worker_processes 1; daemon off; pid {self.directory}/pid; error_log {self.directory}/error.log crit;
events {{ worker_connections 12000; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {self.directory}/b; proxy_temp_path {self.directory}/p;
fastcgi_temp_path {self.directory}/f; uwsgi_temp_path {self.directory}/u; scgi_temp_path {self.directory}/s;
server {{ listen 127.0.0.1:{port} reuseport; {places} }} }}
""")
        self.process = subprocess.Popen(pinned(SERVER_CPU, ["nginx", "-c", conf, "-p", self.directory, "-e", "stderr"]))
        wait_for_port(port, self.process)

    def stop(self):
        super().stop()
        shutil.rmtree(self.directory, ignore_errors=True)


# ---- load ----

def wrk(url, lines, seconds, connections, *, mode="cycle", method="POST", delay_ms=0.0, depth=1, capture=(), headers=()):
    """One run of wrk over the lines (a list, or a file that is there). With `capture` (Lua patterns) returns what it found as well."""
    threads = max(1, len(CLIENT_CPUS.split(",")))
    with tempfile.TemporaryDirectory(prefix="bench-load-") as folder:
        path = pathlib.Path(folder) / "lines" if isinstance(lines, list) else lines
        if isinstance(lines, list):
            path.write_text("\n".join(lines) + "\n")
        more = [f"{folder}/found", *capture] if capture else []
        out = subprocess.run(
            pinned(CLIENT_CPUS, ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}", "--timeout", "30s", "--latency", *[w for h in headers for w in ("-H", h)],
                                 "-s", HERE / "load.lua", url, "--", path, mode, threads, method, delay_ms, depth, *more]),
            capture_output=True, text=True, check=False, timeout=seconds + 60)
        found = re.search(r"^JSON (.*)$", out.stdout, re.M)
        if not found:
            raise SystemExit(f"bench: wrk failed: {out.stdout[-500:]} {out.stderr[-500:]}")
        result = json.loads(found.group(1))
        result["per_s"] = result["requests"] / max(result["duration_us"] / 1e6, 1e-9)
        if not capture:
            return result
        return result, [line for part in pathlib.Path(folder).glob("found.*") for line in part.read_text().splitlines()]


def wrk_on(server, url, *args, **more):
    """The same, with the processor time that each request cost the server (cpu_us)."""
    before = cpu_s(server.pids())
    got = wrk(url, *args, **more)
    got["cpu_us"] = (cpu_s(server.pids()) - before) * 1e6 / max(got["requests"], 1)
    return got


def capture(server, path, lines, *patterns, method="POST", headers=(), lost=200):
    """Sends every line once and returns what the answers hold; the last ones may be missing, `lost` at most."""
    result, found = wrk(server.url(path), lines, 300, 32, mode="once", method=method, capture=patterns, headers=headers)
    if result["errors"] or len(found) < len(lines) - lost:
        raise SystemExit(f"bench: preparing {path} failed: {len(found)} of {len(lines)}, {result}")
    return found


def median(values):
    values = sorted(values)
    return values[len(values) // 2] if len(values) % 2 else (values[len(values) // 2 - 1] + values[len(values) // 2]) / 2
