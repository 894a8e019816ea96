"""TLS as strangers meet it: Python's ssl, curl and openssl against the real program; and what may not come without it."""
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import urllib.parse

import pytest

import harness

ISSUER = "https://login.example.com"


def make_certificate(folder, name="localhost", file="front", days=30):
    """PEM files of a certificate that signs itself."""
    certificate, key = folder / f"{file}.pem", folder / f"{file}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate,
         "-days", str(days), "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1"], check=True, capture_output=True)
    os.chmod(key, 0o600)
    return certificate, key


def own_address():
    """An address of this machine that is not loopback; None when it has none."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("192.0.2.1", 9))
        found = s.getsockname()[0]
        return found if not found.startswith("127.") else None
    return None


class TlsDev:
    """`grantd dev` with a TLS address beside its plain one."""

    def __init__(self, dev_factory, folder, *options):
        self.certificate, self.key = make_certificate(folder)
        self.port = harness.free_port()
        self.server = dev_factory("--tls-listen", f"127.0.0.1:{self.port}", "--tls-certificate", self.certificate, "--tls-key", self.key, *options)

    def context(self, version=None):
        context = ssl.create_default_context(cafile=self.certificate)
        context.check_hostname = False
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def connect(self, context=None, session=None):
        plain = socket.create_connection(("127.0.0.1", self.port), harness.PATIENCE_S)
        return (context or self.context()).wrap_socket(plain, server_hostname="localhost", session=session)

    def api(self):
        api = harness.Api("localhost", self.port)
        api.connect = lambda: http.client.HTTPSConnection("127.0.0.1", self.port, timeout=harness.PATIENCE_S, context=self.context())
        return api


@pytest.fixture
def tls(dev_factory, tmp_path):
    return TlsDev(dev_factory, tmp_path)


def test_a_whole_flow(tls):
    app = harness.App(tls.api(), tls.server.info["apps"]["confidential"])
    tokens = app.install()
    assert app.is_active(tokens["access_token"])
    assert app.refresh(tokens["refresh_token"]).status == 200
    assert app.revoke(tokens["refresh_token"]).status == 200
    assert not app.is_active(tokens["access_token"])


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions(tls, version):
    with tls.connect(tls.context(version)) as s:
        assert s.version() == version.name.replace("_", ".")
        s.sendall(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert s.recv(12) == b"HTTP/1.1 404"


@pytest.mark.parametrize("flag", ["-tls1", "-tls1_1"])
def test_old_versions_are_refused(tls, flag):
    """norm: X02"""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{tls.port}", flag, "-cipher", "DEFAULT:@SECLEVEL=0"],
                          input="", capture_output=True, text=True, timeout=harness.PATIENCE_S)
    assert "alert protocol version" in done.stderr and done.returncode != 0


def ticket_of(tls):
    context = tls.context(ssl.TLSVersion.TLSv1_3)
    with tls.connect(context) as s:
        s.sendall(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        while s.recv(4096):
            pass
        assert not s.session_reused
        return context, s.session


def test_sessions_outlive_the_process(tls):
    """The keys of tickets come from the key ring: another process with the same ring takes them."""
    context, session = ticket_of(tls)
    assert session.has_ticket
    tls.server.stop()
    tls.server.restart()
    with tls.connect(context, session) as s:
        assert s.session_reused


def generation_of_tickets(tls):
    """The generation of the key ring in the name of a fresh ticket: "grtk", then its number."""
    said = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{tls.port}", "-servername", "localhost", "-tls1_3", "-ign_eof"],
                          input=b"GET /nothing HTTP/1.0\r\n\r\n", capture_output=True, timeout=harness.PATIENCE_S).stdout.decode(errors="replace")
    return int(re.search(r"0000 - 67 72 74 6b ([0-9a-f]{2})", said).group(1), 16)


def test_tickets_follow_the_key_ring(tls):
    """A new generation seals the next ticket without a restart; those of the one before are still taken."""
    before = generation_of_tickets(tls)
    context, session = ticket_of(tls)
    tls.server.admin("key", "rotate", "ring", "--now")
    assert generation_of_tickets(tls) == before + 1
    with tls.connect(context, session) as again:
        assert again.session_reused


def test_certificates_are_read_anew_on_hangup(tls, tmp_path):
    def shown():
        return ssl.get_server_certificate(("127.0.0.1", tls.port))

    def wait_for(event, count):
        harness.wait_until(lambda: tls.server.output().count(event) >= count, event)

    first = shown()
    old = tls.connect()
    make_certificate(tmp_path)
    tls.server.signal(signal.SIGHUP)
    wait_for(b"TLS_RELOADED", 1)
    second = shown()
    assert second != first
    tls.key.write_text("no key")
    tls.server.signal(signal.SIGHUP)
    wait_for(b"TLS_REFUSED", 1)
    assert shown() == second
    old.sendall(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert old.recv(12) == b"HTTP/1.1 404"
    old.close()


def test_curl_and_the_names(dev_factory, tmp_path):
    """Two certificates on one address; curl chooses by name and checks what it gets."""
    one, one_key = make_certificate(tmp_path, "one.example", "one")
    two, two_key = make_certificate(tmp_path, "two.example", "two")
    port = harness.free_port()
    dev_factory("--tls-listen", f"127.0.0.1:{port}", "--tls-certificate", one, "--tls-key", one_key, "--tls-certificate", two, "--tls-key", two_key)
    for name, certificate, good in (("one.example", one, True), ("two.example", two, True), ("two.example", one, False)):
        done = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", certificate, "--resolve", f"{name}:{port}:127.0.0.1",
                               f"https://{name}:{port}/oauth/v3/token"], capture_output=True, text=True, timeout=harness.PATIENCE_S)
        assert (done.stdout == "405") == good, done.stderr


def test_check_config_looks_at_the_files(tmp_path):
    certificate, key = make_certificate(tmp_path)
    other, _ = make_certificate(tmp_path, file="other")
    words = ["check-config", "--data", tmp_path / "d", "--issuer", ISSUER, "--tls-listen", "0.0.0.0:443"]
    assert harness.command(*words, "--tls-certificate", certificate, "--tls-key", key).returncode == 0
    wrong = harness.command(*words, "--tls-certificate", other, "--tls-key", key)
    assert wrong.returncode == 1 and "does not belong to the certificate" in wrong.stderr
    os.chmod(key, 0o644)
    wrong = harness.command(*words, "--tls-certificate", certificate, "--tls-key", key)
    assert wrong.returncode == 1 and "chmod o=" in wrong.stderr


# ---- what may not come without TLS (X01) ----

TOKEN_FORM = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": "x", "client_secret": "y", "scope": "z"})


def serve_in_clear(serve_factory, address, *options):
    """`serve` with an https issuer and a plain address."""
    server = serve_factory("--issuer", ISSUER, "--listen", f"{address}:{(port := harness.free_port())}", *options)
    return harness.Api(address, port), server


def ask(api, headers=()):
    return api.post(harness.V3, TOKEN_FORM, headers=headers)


def test_exposed_requests_are_refused(serve_factory):
    """norm: X01 I01 V01"""
    address = own_address()
    if not address:
        pytest.skip("this machine has no address besides loopback")
    api, _ = serve_in_clear(serve_factory, address)
    answer = ask(api)
    assert answer.status == 403 and answer.json["status"] == "HTTPS_REQUIRED", "INSECURE"
    assert api.get("/oauth/authorize?client_id=x").status == 403
    # somebody who says that he is a proxy is none
    assert ask(api, {"X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1"}).status == 403


def test_a_trusted_proxy_speaks_for_its_client(serve_factory):
    address = own_address()
    if not address:
        pytest.skip("this machine has no address besides loopback")
    api, _ = serve_in_clear(serve_factory, address, "--trusted-proxy", address)
    assert ask(api).status == 400
    assert ask(api, {"X-Forwarded-Proto": "https"}).status == 400
    assert ask(api, {"X-Forwarded-Proto": "http"}).json["status"] == "HTTPS_REQUIRED"


def test_loopback_is_not_exposed(serve_factory):
    api, _ = serve_in_clear(serve_factory, "127.0.0.1")
    assert ask(api).json["status"] == "BAD_CLIENT_ID"


def test_an_issuer_in_clear_is_for_loopback(tmp_path):
    done = harness.command("check-config", "--data", tmp_path, "--issuer", "http://localhost:8080", "--listen", "0.0.0.0:8080")
    assert done.returncode == 1 and "can be reached from elsewhere" in done.stderr
