"""SIGHUP and `grantd reload`: options and certificates change while requests are served, or not at all."""
import json
import os
import signal
import socket
import ssl
import threading

import pytest

import harness
from test_tls import make_certificate


class Reloading:
    """`grantd dev` with an options file."""

    def __init__(self, dev_factory, folder, options="", **more):
        self.file = folder / "grantd.ini"
        self.write(options)
        self.server = dev_factory("--config", self.file, limits=True, **more)

    def write(self, options):
        self.file.write_text("[grantd]\n" + options)

    def events(self, since=0):
        lines = self.server.output()[since:].splitlines()
        return [json.loads(line) for line in lines if line.startswith(b"{")]

    def hang_up(self, options=None, until=("OPTION_CHANGED", "OPTION_WAITS", "OPTIONS_REFUSED")):
        """Reloads by signal; the events up to one of those (the diff comes in one piece)."""
        if options is not None:
            self.write(options)
        since = len(self.server.output())
        self.server.signal(signal.SIGHUP)
        harness.wait_until(lambda: [e for e in self.events(since) if e["event"] in until], self.server.failed)
        harness.Admin(self.server.admin_socket).get("/health/live")  # the same thread answers: it is done with the signal
        return [e for e in self.events(since) if e["event"].startswith("OPTION") or e["event"].startswith("TLS")]

    def brand(self):
        return self.server.get("/oauth/sign-in").body.decode()


@pytest.fixture
def reloading(dev_factory, tmp_path):
    return Reloading(dev_factory, tmp_path, "brand_name = Before\n")


def test_pages_limits_and_lifetimes_change_at_once(reloading):
    server = reloading.server
    assert "Before" in reloading.brand() and server.get("/oauth/v1/access-tokens/x").status != 404
    said = reloading.hang_up("brand_name = After <b>\nlimit_grant_failures = 2\naccess_ttl_s = 15m\ncompat_v1 = false\nlog_level = debug\n", until=("OPTION_CHANGED",))
    changed = {e["option"]: (e["before"], e["after"]) for e in said if e["event"] == "OPTION_CHANGED"}
    assert changed == {
        "brand_name": ("Before", "After <b>"), "limit_grant_failures": ("20", "2"), "access_ttl_s": ("1800", "900"), "compat_v1": ("true", "false"), "log_level": ("info", "debug")}
    assert "After &lt;b&gt;" in reloading.brand() and server.get("/oauth/v1/access-tokens/x").status == 404
    refused = [server.public.refresh("gdr_x").status for _ in range(3)]
    assert refused == [400, 400, 429]
    assert server.new_app("--client-credentials").client_credentials().json["expires_in"] == 900
    harness.wait_until(lambda: [e for e in reloading.events() if e["event"] == "REGISTRY_PUBLISHED"], "debug lines are not logged")


BAD = [
    ("access_ttl_s = soon", "duration"),
    ("acess_ttl_s = 5", "did you mean access_ttl_s"),
    ("log_level = loud", "log_level is"),
    ("brand_colour = blue", "no colour"),
    ("trusted_proxies = nowhere", "no address"),
    ("login_url = http://elsewhere.example", "https"),
    ("admin_listen = nonsense", "no address"),
    ("tls_listen = 127.0.0.1:0", "certificate"),
    ("[other]\nx = y", "[other]"),
]


@pytest.mark.parametrize("line, reason", BAD)
def test_a_bad_file_changes_nothing(reloading, line, reason):
    """Nor does what is good in it."""
    said = reloading.hang_up("brand_name = After\n" + line + "\n")
    assert [e["event"] for e in said if e["event"] in ("OPTION_CHANGED", "OPTION_WAITS")] == []
    assert reason in next(e for e in said if e["event"] == "OPTIONS_REFUSED")["reason"]
    assert "Before" in reloading.brand()
    done = harness.command("reload", "--data", reloading.server.data)
    assert done.returncode == 1 and reason in done.stderr
    reloading.hang_up("brand_name = Later\n")
    assert "Later" in reloading.brand()


def test_what_would_have_changed_is_said(reloading):
    said = reloading.hang_up("brand_name = After\nbrand_colour = blue\n")
    assert {(e["option"], e["before"], e["after"]) for e in said if e["event"] == "OPTION_REFUSED"} == {("brand_name", "Before", "After"), ("brand_colour", "", "blue")}


def test_what_needs_a_restart_waits(reloading):
    said = reloading.hang_up("brand_name = After\nthreads = 2\nstore = postgres://root:swordfish@db.example/x\n", until=("OPTION_WAITS",))
    waits = {("threads", "0", "2"), ("store", "(hidden)", "(changed)")}
    if harness.POSTGRES:  # the environment says which store, and counts more than the file
        waits = {("threads", "0", "2")}
    assert {(e["option"], e["before"], e["after"]) for e in said if e["event"] == "OPTION_WAITS"} == waits
    assert "After" in reloading.brand() and b"swordfish" not in reloading.server.output()
    assert reloading.server.confidential.install()


def test_flags_and_environment_stay_what_they_were(dev_factory, tmp_path):
    one = tmp_path / "grantd.ini"
    one.write_text("[grantd]\nhelp_url = https://help.example/1\n")
    server = dev_factory("--config", one, "--brand-name", "Of the flag")
    one.write_text("[grantd]\nbrand_name = Of the file\nhelp_url = https://help.example/2\n")
    told = server.admin("reload")
    assert [o["option"] for o in told["options"]] == ["help_url"]
    page = server.get("/oauth/sign-in").body.decode()
    assert "Of the flag" in page and "https://help.example/2" in page


def test_the_command_tells(reloading):
    reloading.write("brand_name = After\nthreads = 3\n")
    told = reloading.server.admin("reload")
    assert told == {"options": [
        {"option": "threads", "before": "0", "after": "3", "taken": "at the next start"},
        {"option": "brand_name", "before": "Before", "after": "After", "taken": "now"}]}
    assert "After" in reloading.brand()
    reloading.file.unlink()
    done = harness.command("reload", "--data", reloading.server.data)
    assert done.returncode == 1 and "cannot be read" in done.stderr and "After" in reloading.brand()


def test_without_a_server(tmp_path):
    done = harness.command("reload", "--data", tmp_path / "data")
    assert done.returncode == 1 and "no server runs" in done.stderr


def test_deadlines_of_connections(reloading):
    """For what begins after it; idle connections that are there keep the time they had."""
    server = reloading.server
    reloading.hang_up("brand_name = Before\nidle_deadline_s = 1\n")
    with socket.create_connection((server.host, server.port), harness.PATIENCE_S) as fresh:
        assert fresh.recv(1) == b"", "closed by the server, long before a minute is over"


def test_another_certificate(dev_factory, tmp_path):
    """A name more, without a restart; and a bad key of one leaves all as they were."""
    port = harness.free_port()
    (first, first_key), (second, second_key) = make_certificate(tmp_path, "localhost", "one"), make_certificate(tmp_path, "second.example", "two")
    one = f"tls_listen = 127.0.0.1:{port}\ntls_certificate = {first}\ntls_key = {first_key}\n"
    both = f"tls_listen = 127.0.0.1:{port}\ntls_certificate = {first}, {second}\ntls_key = {first_key}, {second_key}\n"
    reloading = Reloading(dev_factory, tmp_path, one)

    def name_of(asked):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", port), harness.PATIENCE_S) as plain, context.wrap_socket(plain, server_hostname=asked) as shown:
            der = shown.getpeercert(binary_form=True)
        return "second.example" if b"second.example" in der else "localhost"

    assert name_of("second.example") == "localhost"
    reloading.hang_up(both)
    assert name_of("second.example") == "second.example" and name_of("localhost") == "localhost"
    os.chmod(second_key, 0o644)
    said = reloading.hang_up(both + "brand_name = Never\n")
    assert [e["event"] for e in said if e["event"] in ("OPTIONS_REFUSED", "TLS_REFUSED")] == ["OPTIONS_REFUSED", "TLS_REFUSED"]
    assert name_of("second.example") == "second.example"
    os.chmod(second_key, 0o600)
    reloading.hang_up(one)
    assert name_of("second.example") == "localhost"


def test_under_load_nothing_fails(reloading):
    server, over, failures, done = reloading.server, threading.Event(), [], []

    def work(_):
        connection, n = server.api.connect(), 0
        while not over.is_set():
            answer = server.post(harness.V3, server.valid_form, connection=connection)
            page = server.get("/oauth/sign-in", connection=connection)
            n += 2
            if answer.status != 200 or page.status != 200:
                failures.append((answer, page))
        connection.close()
        done.append(n)

    def reload(_):
        for i in range(25):
            reloading.write(f"brand_name = Brand {i}\nidle_deadline_s = {30 + i}\nlimit_auth_failures = {i}\n" + ("access_ttl_s = never\n" if i % 5 == 4 else ""))
            harness.command("reload", "--data", server.data)
        over.set()

    harness.in_parallel(5, lambda i: reload(i) if i == 0 else work(i))
    assert not failures and sum(done) > 50 and "Brand 23" in reloading.brand()
