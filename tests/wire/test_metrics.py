"""/metrics: the text format of Prometheus, and numbers that are those of what was done."""
import re
import socket

import pytest

import harness
from browser import Browser

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"^({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9]+(?:\.[0-9]+)?|\+Inf|NaN)$")
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


def parse(text):
    """The whole page, strictly: families in one piece, HELP and TYPE before their samples, no sample twice. {(name, labels): value}."""
    assert text.endswith("\n") and "\r" not in text
    samples, types, family, helped = {}, {}, None, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            helped = re.fullmatch(rf"# HELP ({NAME}) \S.*", line)[1]
            assert helped not in types, f"{helped} stands in two places"
        elif line.startswith("# TYPE "):
            family, kind = re.fullmatch(rf"# TYPE ({NAME}) (counter|gauge|histogram)", line).groups()
            assert family == helped
            types[family] = kind
        else:
            found = SAMPLE.match(line)
            assert found, f"no sample: {line}"
            name, labels, value = found.groups()
            assert name.removeprefix(family) in SUFFIXES[types[family]], line
            key = (name, frozenset(re.findall(LABEL, labels or "")))
            assert key not in samples, f"twice: {line}"
            samples[key] = float(value)
    for name, kind in types.items():
        assert kind != "counter" or name.endswith("_total"), name
        if kind == "histogram":
            check_histogram(samples, name)
    return samples


def check_histogram(samples, name):
    rows = {}
    for (sample, labels), value in samples.items():
        if sample == f"{name}_bucket":
            le = next(label for label in labels if label.startswith("le="))
            rows.setdefault(labels - {le}, []).append((float(le[4:-1]), value))
    assert rows
    for labels, buckets in rows.items():
        edges, counts = zip(*buckets)
        assert list(edges) == sorted(set(edges)) and edges[-1] == float("inf")
        assert list(counts) == sorted(counts), "buckets are cumulative"
        assert counts[-1] == samples[f"{name}_count", labels] and samples[f"{name}_sum", labels] >= 0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("metrics")
    server = harness.DevServer(folder / "data", folder / "stderr", (*harness.NO_LIMITS, "--no-auto-approve", "--threads", "2")).start()
    yield server
    server.stop()


def scrape(server):
    answer = harness.Admin(server.admin_socket).get("/metrics")
    assert answer.status == 200 and answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    return parse(answer.body.decode())


def grown(server, act):
    """What the counters have gained by what `act` does."""
    before = scrape(server)
    act()
    return {key: value - before.get(key, 0) for key, value in scrape(server).items()}


def of(samples, name, **labels):
    return samples[name, frozenset(f'{key}="{value}"' for key, value in labels.items())]


def test_requests_are_counted_by_endpoint_and_class(server):
    app = server.confidential

    def act():
        assert app.client_credentials().status == 200
        for _ in range(3):
            assert server.post("/oauth/v3/token", {"grant_type": "client_credentials"}).status == 400
        server.get("/.well-known/oauth-authorization-server")
        server.get("/nothing-here")

    got = grown(server, act)
    assert of(got, "grantd_requests_total", endpoint="token", status="2xx") == 1
    assert of(got, "grantd_requests_total", endpoint="token", status="4xx") == 3
    assert of(got, "grantd_requests_total", endpoint="metadata", status="2xx") == 1
    assert of(got, "grantd_requests_total", endpoint="none", status="4xx") == 1
    assert of(got, "grantd_request_duration_seconds_count", endpoint="token") == 4
    assert of(got, "grantd_refusals_total", reason="CLIENT_ID_MISSING", error="invalid_client") == 3


def test_both_versions_are_one_endpoint(server):
    app = server.confidential
    got = grown(server, lambda: [app.at(base).client_credentials() for base in (harness.V3, "/oauth/2026-03/token")])
    assert of(got, "grantd_requests_total", endpoint="token", status="2xx") == 2


def test_people_and_the_store(server):
    browser = Browser(server)

    def act():
        browser.authorize(server.confidential)
        browser.sign_in("wrong")
        browser.sign_in()
        browser.submit("allow")

    got = grown(server, act)
    assert of(got, "grantd_sign_ins_total", result="right") == 1 and of(got, "grantd_sign_ins_total", result="wrong") == 1
    assert of(got, "grantd_store_commit_changes_count") >= 1 and of(got, "grantd_store_commit_changes_sum") >= 1
    assert of(got, "grantd_requests_total", endpoint="consent", status="3xx") == 1


def test_what_is_no_request_is_counted(server):
    def act():
        with socket.create_connection((server.host, server.port), harness.PATIENCE_S) as s:
            s.sendall(b"GET / HTTP/1.1\r\nbad header\r\n\r\n")
            assert s.recv(12) == b"HTTP/1.1 400"

    assert of(grown(server, act), "grantd_unread_requests_total", status="400") == 1


def test_gauges(server):
    got = scrape(server)
    assert of(got, "grantd_connections") == 0 and of(got, "grantd_requests_under_way") == 0
    assert of(got, "grantd_store_changes_waiting") == 0 and of(got, "grantd_draining") == 0
    with socket.create_connection((server.host, server.port), harness.PATIENCE_S) as s:
        s.sendall(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        s.recv(1)
        assert of(scrape(server), "grantd_connections") == 1
    assert of(got, "process_resident_memory_bytes") > 1 << 20 and of(got, "process_open_fds") > 3
    assert of(got, "process_start_time_seconds") > 1.6e9 and of(got, "process_cpu_seconds_total") > 0
    assert 0 <= of(got, "grantd_key_age_seconds", kind="ring") < 3600 and of(got, "grantd_keys", kind="ring") == 1
    assert [value for (name, _), value in got.items() if name == "grantd_build_info"] == [1]


def test_labels_do_not_grow_with_what_is_asked(server):
    before = set(scrape(server))
    for path in ("/a", "/b", "/oauth/v9/token", "/oauth/%00", "/metrics/x"):
        server.get(path)
    server.post("/oauth/v3/token", {"grant_type": "made-up", "client_id": 'x"}\n'})
    assert set(scrape(server)) == before


def test_never_on_the_public_listener(server):
    assert server.get("/metrics").status == 404 and server.get("/health/live").status == 404


def test_methods(server):
    admin = harness.Admin(server.admin_socket)
    refused = admin.send("POST", "/metrics")
    assert refused.status == 405 and refused.headers["allow"] == "GET, HEAD"
    assert admin.request("HEAD", "/metrics").status == 200


def test_no_secret_is_in_them(server):
    """norm: X22"""
    token = server.confidential.client_credentials().json["access_token"]
    page = harness.Admin(server.admin_socket).get("/metrics").body.decode()
    for secret in (token, server.confidential.client_secret, server.confidential.client_id, server.info["user"]["email"]):
        assert secret not in page
