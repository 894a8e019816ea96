#!/usr/bin/python3
"""The front beside nginx: ./dev bench front [--seconds S] [--rounds N] [--only ROW ...] [--idle N] [--json FILE].

Both servers have one worker on processor 0, the same certificate, TLS versions, tickets and limits, and answer GET with the same fields and the same
number of bytes (grantd its key set, nginx a constant text; an id of the request is in both; --bare: nginx only with the fields it cannot do
without). They take turns, round by round, so that whatever else the machine does meets both. The load stands on
the other processors: where it is what limits (new TLS connections cost a client as much as a server), the rates are close to each other and the
CPU time that the server needs for a request is the figure to look at.

The last rows are memory: what an idle connection costs, plain and with TLS, after one request was answered on it.
"""
import argparse
import json
import pathlib
import re
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile

import kit

PATH = "/.well-known/jwks.json"
CONNECTIONS = 32
KEEP, NEW = "keep-alive", "new connection per request"


class GrantdFront(kit.Grantd):
    def __init__(self, folder, certificate, key):
        self.tls, self.h2c = kit.free_port(), kit.free_port()
        super().__init__(str(folder / "data"), "--tls-listen", f"127.0.0.1:{self.tls}", "--h2c-listen", f"127.0.0.1:{self.h2c}", "--tls-certificate",
                         str(certificate), "--tls-key", str(key), "--idle-deadline", "600")
        self.plain = self.address.port


def fields_of(answer):
    """The fields of an answer of grantd as nginx's directives; those that nginx writes by itself are left out."""
    own = ("date", "content-type", "content-length", "connection")
    pairs = [(name, "$request_id" if name.lower().endswith("correlation-id") else value) for name, value in answer.getheaders() if name.lower() not in own]
    return "".join("add_header {} '{}' always; ".format(name, value) for name, value in pairs)


class NginxFront(kit.Server):
    name = "nginx"

    def __init__(self, folder, certificate, key, size, fields):
        self.plain, self.tls, self.h2c = kit.free_port(), kit.free_port(), kit.free_port()
        self.netloc = f"127.0.0.1:{self.plain}"
        place = f'location = {PATH} {{ default_type application/json; {fields}return 200 "{"x" * size}"; }}'
        conf = folder / "nginx.conf"
        conf.write_text(f"""
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log crit; worker_rlimit_nofile 60000;
events {{ worker_connections 30000; }}
http {{ access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
server {{ listen 127.0.0.1:{self.plain} reuseport; {place} }}
server {{ listen 127.0.0.1:{self.h2c} http2 reuseport; {place} }}
server {{ listen 127.0.0.1:{self.tls} ssl http2 reuseport; ssl_certificate {certificate}; ssl_certificate_key {key};
ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets on; ssl_session_cache off; {place} }} }}
""")
        self.process = subprocess.Popen(kit.pinned(kit.SERVER_CPU, ["nginx", "-c", conf, "-p", folder, "-e", "stderr"]))
        kit.wait_for_port(self.tls, self.process)

    def own_pids(self):
        return self.pids()[1:]


# ---- loads: (server, seconds) -> requests that were answered 200 ----

def h2load(port, scheme, streams, *more):
    def run(server, seconds):
        out = subprocess.run(kit.pinned(kit.CLIENT_CPUS, ["h2load", *more, f"-c{CONNECTIONS}", f"-m{streams}", "-t1", "-D", seconds,
                                                          f"{scheme}://127.0.0.1:{getattr(server, port)}{PATH}"]), capture_output=True, text=True, check=False)
        found = re.search(r"(\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", out.stdout)
        if not found or any(int(n) for n in found.groups()[1:]):
            raise SystemExit(f"bench: h2load: {out.stdout[-600:]}{out.stderr[-600:]}")
        return int(found.group(1))
    return run


def wrk_closing(server, seconds):
    out = subprocess.run(kit.pinned(kit.CLIENT_CPUS, ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "-H", "Connection: close",
                                                      f"http://127.0.0.1:{server.plain}{PATH}"]), capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        raise SystemExit(f"bench: wrk: {out}")
    return int(re.search(r"(\d+) requests in", out).group(1))


def s_time(how):
    """openssl's own client: one connection after the other, each with one request. Says itself which of them were resumed."""
    def run(server, seconds):
        clients = [subprocess.Popen(kit.pinned(kit.CLIENT_CPUS, ["openssl", "s_time", "-connect", f"127.0.0.1:{server.tls}", how, "-time", seconds, "-www", PATH]),
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for _ in range(2)]
        said = [client.communicate()[0] for client in clients]
        done = [re.search(r"(\d+) connections in \d+ real seconds", text) for text in said]
        if not all(done) or (how == "-reuse" and any("r" not in text for text in said)):
            raise SystemExit(f"bench: s_time: {said}")
        return sum(int(found.group(1)) for found in done)
    return run


ROWS = {
    f"plain, {KEEP}": h2load("plain", "http", 1, "--h1"),
    f"plain, {NEW}": wrk_closing,
    f"TLS 1.3, {KEEP}": h2load("tls", "https", 1, "--h1"),
    f"TLS 1.3, {NEW}": s_time("-new"),
    f"TLS 1.3, {NEW}, resumed": s_time("-reuse"),
    "HTTP/2, TLS, 1 stream": h2load("tls", "https", 1),
    "HTTP/2, TLS, 16 streams": h2load("tls", "https", 16),
    "HTTP/2, plain, 1 stream": h2load("h2c", "http", 1),
    "HTTP/2, plain, 16 streams": h2load("h2c", "http", 16),
}


def measure(servers, load, seconds, rounds):
    """{name: {"per_s", "cpu_us"}} with the medians of the rounds."""
    found = {s.name: [] for s in servers}
    for _ in range(rounds):
        for s in servers:
            before = kit.cpu_s(s.own_pids())
            count = load(s, seconds)
            found[s.name].append((count / seconds, (kit.cpu_s(s.own_pids()) - before) * 1e6 / max(count, 1)))
    return {name: {"per_s": kit.median([r for r, _ in runs]), "cpu_us": kit.median([c for _, c in runs])} for name, runs in found.items()}


# ---- memory ----

def open_idle(port, count, context):
    request = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    opened = []
    for _ in range(count):
        s = socket.create_connection(("127.0.0.1", port), 10)
        s = context.wrap_socket(s) if context else s
        s.sendall(request)
        head = s.recv(65536)
        assert head.startswith(b"HTTP/1.1 200"), head[:100]
        opened.append(s)
    return opened


def idle_bytes(server, port, count, context):
    """What one connection adds to the resident memory."""
    warm = open_idle(port, 100, context)
    before = kit.rss_kib(server.own_pids())
    opened = open_idle(port, count, context)
    after = kit.rss_kib(server.own_pids())
    for s in warm + opened:
        s.close()
    return round((after - before) * 1024 / count)


def measure_idle(servers, count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    found = {}
    for name, attribute, use in (("plain", "plain", None), ("TLS 1.3", "tls", context)):
        n = min(count, hard - 200)
        found[f"idle connection, {name}"] = {s.name: {"bytes": idle_bytes(s, getattr(s, attribute), n, use), "connections": n} for s in servers}
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return found


# ---- the table ----

def line(name, row):
    ours, theirs = row["grantd"], row["nginx"]
    if "bytes" in ours:
        return f"| {name} | {ours['bytes']} B | {theirs['bytes']} B | {theirs['bytes'] / max(ours['bytes'], 1):.2f} | | | |"
    return (f"| {name} | {ours['per_s']:.0f}/s | {theirs['per_s']:.0f}/s | {ours['per_s'] / theirs['per_s']:.2f} | {ours['cpu_us']:.1f} µs | "
            f"{theirs['cpu_us']:.1f} µs | {theirs['cpu_us'] / max(ours['cpu_us'], 0.1):.2f} |")


def make_certificate(folder):
    certificate, key = folder / "front.pem", folder / "front.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", key, "-out", certificate, "-nodes",
                    "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    key.chmod(0o600)
    return certificate, key


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench front", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", help="rows whose name has one of these words in it")
    parser.add_argument("--idle", type=int, default=10000, help="idle connections to open; 0: do not")
    parser.add_argument("--bare", action="store_true", help="nginx without the fields of our answer")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures here as well")
    return parser.parse_args()


def main():
    options, found = parse(), {}
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-front-"))
    certificate, key = make_certificate(folder)
    ours = GrantdFront(folder, certificate, key)
    answer, body = ours.call("GET", PATH)
    servers = [ours, NginxFront(folder, certificate, key, len(body), "" if options.bare else fields_of(answer))]
    print("| row | grantd | nginx | ratio | CPU a request | nginx | ratio |\n|---|---|---|---|---|---|---|", flush=True)
    try:
        for name, load in ROWS.items():
            if options.only is None or any(word in name for word in options.only):
                found[name] = measure(servers, load, options.seconds, options.rounds)
                print(line(name, found[name]), flush=True)
        for name, row in measure_idle(servers, options.idle).items() if options.idle else ():
            found[name] = row
            print(line(name, row), flush=True)
    finally:
        for s in servers:
            s.stop()
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
