"""Mutual TLS (RFC 8705): apps known by certificates, tokens bound to them; from our own TLS and from a proxy's headers."""
import base64
import hashlib
import http.client
import json
import os
import re
import ssl
import subprocess
import urllib.parse

import pytest

import harness
from test_tls import make_certificate

METADATA = "/.well-known/oauth-authorization-server"


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Person:
    """A certificate with its key, and what it is called."""

    def __init__(self, folder, name, ca=None, subject=None, alt="DNS:app.example.com"):
        self.pem, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        self.subject = subject or f"/C=US/O=Example/CN={name}"
        words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-out", self.pem, "-days", "30", "-subj", self.subject]
        if ca:
            words += ["-CA", ca.pem, "-CAkey", ca.key]
        openssl(*words, "-addext", f"subjectAltName={alt}")
        self.text = self.pem.read_text()
        self.der = ssl.PEM_cert_to_DER_cert(self.text)
        self.thumbprint = base64.urlsafe_b64encode(hashlib.sha256(self.der).digest()).rstrip(b"=").decode()

    @property
    def nginx(self):
        return {"x-ssl-client-cert": urllib.parse.quote(self.text, safe=""), "x-ssl-client-verify": "SUCCESS"}

    @property
    def rfc9440(self):
        return {"client-cert": f":{base64.b64encode(self.der).decode()}:"}

    @property
    def envoy(self):
        return {"x-forwarded-client-cert": f'By=spiffe://proxy;Hash=00;Cert="{urllib.parse.quote(self.text, safe="")}";Subject="CN=x, y"'}


class MtlsApi(harness.Api):
    """Speaks TLS and shows a certificate, or none."""

    def __init__(self, port, context):
        super().__init__("127.0.0.1", port)
        self.context = context

    def connect(self):
        return http.client.HTTPSConnection(self.host, self.port, timeout=harness.PATIENCE_S, context=self.context)


class World:
    def __init__(self, tmp_path_factory):
        folder = self.folder = tmp_path_factory.mktemp("mtls")
        self.ca, self.other_ca = Person(folder, "ca"), Person(folder, "other-ca")
        alt = "DNS:app.example.com,URI:spiffe://example/app,IP:192.0.2.7,email:ops@example.com"
        self.app = Person(folder, "app", self.ca, alt=alt)
        self.other = Person(folder, "other", self.ca, alt="DNS:other.example.com,URI:spiffe://example/other,IP:192.0.2.8,email:other@example.com")
        self.stranger = Person(folder, "stranger", self.other_ca, subject="/C=US/O=Example/CN=app", alt=alt)
        self.own, self.own_2 = Person(folder, "own"), Person(folder, "own-2")
        front, front_key = make_certificate(folder)
        self.port = harness.free_port()
        options = ["--mtls-listen", f"127.0.0.1:{self.port}", "--tls-certificate", front, "--tls-key", front_key, "--tls-client-ca", self.ca.pem]
        self.server = harness.DevServer(folder / "data", folder / "log", (*harness.NO_LIMITS, *options)).start()

    def api(self, person=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if person:
            context.load_cert_chain(person.pem, person.key)
        return MtlsApi(self.port, context)

    def new_app(self, *options, **more):
        return self.server.new_app(*options, **more)

    def as_(self, app, person=None):
        """The app, speaking from a connection that shows the person's certificate."""
        return harness.App(self.api(person), app.info)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory)
    yield made
    made.server.stop()


# ---- who it is ----

NAMES = ["subject_dn:CN=app,O=Example,C=US", "subject_dn:CN=app, O=Example, C=US", "san_dns:APP.example.com", "san_uri:spiffe://example/app", "san_ip:192.0.2.7", "san_email:ops@example.com"]


@pytest.mark.parametrize("name", NAMES)
def test_tls_client_auth(world, name):
    """The registered name, from a certificate whose chain leads to our authority; nothing else. norm: P01 P08"""
    app = world.new_app("--client-credentials", "--tls-client-auth", name)
    assert "client_secret" not in app.info and app.info["authentication"] == "tls_client_auth"
    assert world.as_(app, world.app).client_credentials().status == 200
    for person in (world.other, world.stranger, world.own, None):
        refused = world.as_(app, person).client_credentials()
        assert refused.status == 400 and refused.json["error"] == "invalid_client" and "certificate" in refused.json["message"], (person, refused)
    assert app.client_credentials().status == 400, "nor without TLS"


def test_self_signed(world):
    """The registered certificates themselves, whoever signed them; two, so that one can follow the other. norm: P01 P08"""
    both = world.folder / "both.pem"
    both.write_text(world.own.text + world.own_2.text)
    app = world.new_app("--client-credentials", "--tls-client-certificate", both)
    assert app.info["authentication"] == "self_signed_tls_client_auth"
    assert [world.as_(app, p).client_credentials().status for p in (world.own, world.own_2, world.app, world.stranger, None)] == [200, 200, 400, 400, 400]
    world.server.admin("app", "update", app.client_id, "--tls-client-certificate", world.own_2.pem)
    assert [world.as_(app, p).client_credentials().status for p in (world.own, world.own_2)] == [400, 200]
    world.server.admin("app", "update", app.client_id, "--tls-client-auth", "")
    secret = world.server.admin("app", "secret", "add", app.client_id)["client_secret"]
    assert app.client_credentials(client_secret=secret).status == 200


def test_no_way_back_to_a_secret(world):
    """norm: P08 T05"""
    app = world.new_app("--client-credentials")
    secret = app.client_secret
    world.server.admin("app", "update", app.client_id, "--tls-client-auth", "san_dns:app.example.com")
    assert app.client_credentials(client_secret=secret).json["error"] == "invalid_client"
    shown = world.as_(app, world.app)
    assert shown.client_credentials(client_secret=secret).json["error"] == "invalid_client"
    assert shown.client_credentials(client_secret=None).status == 200
    assert shown.api.post(harness.V3, {"grant_type": "client_credentials", "scope": app.scopes[0]}, basic=(app.client_id, secret)).status == 401


def test_all_endpoints_know_the_certificate(world):
    """norm: N08"""
    app = world.new_app("--client-credentials", "--tls-client-auth", "san_dns:app.example.com")
    shown = world.as_(app, world.app)
    token = shown.client_credentials().json["access_token"]
    assert shown.is_active(token) and world.as_(app, world.other).introspect(token).status == 401
    assert world.as_(app, world.other).revoke(token).status == 400 and shown.is_active(token)
    assert shown.revoke(token).status == 200 and not shown.is_active(token)
    code = shown.code()
    assert world.as_(app, world.other).redeem(code).json["error"] == "invalid_client"
    tokens = shown.redeem(code)
    assert tokens.status == 200 and shown.refresh(tokens.json["refresh_token"]).status == 200
    assert world.as_(app).refresh(tokens.json["refresh_token"]).json["error"] == "invalid_client"


BAD = [
    (["--tls-client-auth", "dns:app.example.com"], "san_dns:"), (["--tls-client-auth", "san_dns:"], "san_dns:"), (["--tls-client-auth", "san_ip:nowhere"], "san_ip:"),
    (["--tls-client-auth", "san_dns:a", "--public"], "public"), (["--tls-client-auth", "sha256:00"], "san_dns:"),
]


@pytest.mark.parametrize("options, reason", BAD)
def test_registrations_that_cannot_work(world, options, reason):
    done = world.server.admin("app", "create", "--name", "x", "--redirect-uri", "https://a.example/", *options, ok=False)
    assert done.returncode == 1 and reason in done.stderr


def test_a_file_without_a_certificate(world):
    done = world.server.admin("app", "create", "--name", "x", "--redirect-uri", "https://a.example/", "--tls-client-certificate", world.own.key, ok=False)
    assert done.returncode == 1 and "PEM" in done.stderr


# ---- what is bound to it ----


def confirmed(answer):
    return answer.json.get("cnf", {}).get("x5t#S256")


@pytest.mark.parametrize("token_format", ["opaque", "jwt"])
def test_bound_access_tokens(world, token_format):
    """cnf in the JWT and in what introspection says; a resource server compares it. norm: T17 E40"""
    app = world.new_app("--client-credentials", "--certificate-bound", "--tls-client-auth", "san_dns:app.example.com", "--token-format", token_format)
    shown = world.as_(app, world.app)
    token = shown.client_credentials().json["access_token"]
    assert confirmed(world.server.resource_server.introspect(token)) == world.app.thumbprint == confirmed(shown.introspect(token))
    if token_format == "jwt":
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        assert claims["cnf"] == {"x5t#S256": world.app.thumbprint} and len(token) <= 640
    tokens = shown.install()
    assert confirmed(shown.introspect(tokens["access_token"])) == world.app.thumbprint
    assert "cnf" not in shown.introspect(tokens["refresh_token"]).json
    assert "cnf" not in world.server.confidential.introspect(world.server.confidential.install()["access_token"]).json


def test_a_bound_token_is_for_its_certificate(world):
    """Where we are the API ourselves. norm: T17 E41"""
    app = world.new_app("--certificate-bound", "--tls-client-auth", "san_dns:app.example.com")
    shown = world.as_(app, world.app)
    token = shown.install()["access_token"]
    for person in (world.other, world.stranger, None):
        refused = world.as_(app, person).uninstall(token)
        assert refused.status == 401 and 'error="invalid_token"' in refused.headers["www-authenticate"]
    assert shown.is_active(token) and shown.uninstall(token).status == 204 and not shown.is_active(token)


def test_bound_without_a_certificate(world):
    """A secret proves who it is, but there is nothing to bind to. norm: T17"""
    app = world.new_app("--client-credentials", "--certificate-bound")
    refused = app.client_credentials()
    assert refused.status == 400 and refused.json["error"] == "invalid_request" and "certificate" in refused.json["message"]
    token = world.as_(app, world.own).client_credentials().json["access_token"]
    assert confirmed(app.introspect(token)) == world.own.thumbprint


def test_refresh_tokens_of_public_apps(world):
    """RFC 8705 s4: bound, as nothing else proves whose they are; also through rotation. norm: T17 F04"""
    app = world.new_app("--public", "--certificate-bound")
    pkce = harness.Pkce()
    code = app.code(**pkce.asked)
    assert app.redeem(code, code_verifier=pkce.verifier).json["error"] == "invalid_request"
    tokens = world.as_(app, world.own).redeem(code, code_verifier=pkce.verifier).json
    for person in (world.own_2, world.app):
        assert world.as_(app, person).refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert app.refresh(tokens["refresh_token"]).json["error"] == "invalid_request"
    again = world.as_(app, world.own).refresh(tokens["refresh_token"])
    assert again.status == 200 and again.json["refresh_token"] != tokens["refresh_token"]
    assert world.as_(app, world.own_2).refresh(again.json["refresh_token"]).json["error"] == "invalid_grant"
    assert world.as_(app, world.own).refresh(again.json["refresh_token"]).status == 200


def test_http2_and_certificates(world):
    """norm: N08"""
    app = world.new_app("--client-credentials", "--tls-client-auth", "san_dns:app.example.com")
    done = subprocess.run(
        ["curl", "-sSk", "--http2", "--cert", world.app.pem, "--key", world.app.key, f"https://127.0.0.1:{world.port}{harness.V3}", "-w", "\n%{http_version} %{http_code}",
         "-d", f"client_id={app.client_id}&grant_type=client_credentials&scope={app.scopes[0]}"], capture_output=True, text=True, timeout=harness.PATIENCE_S)
    assert done.stdout.endswith("\n2 200"), done


# ---- what is announced ----


def test_metadata(world, dev):
    """Offered where it works, and nowhere else. norm: D06 E42"""
    said, plain = world.server.get(METADATA).json, dev.get(METADATA).json
    assert said["tls_client_certificate_bound_access_tokens"] is True
    for member in ("token_endpoint_auth_methods_supported", "revocation_endpoint_auth_methods_supported", "introspection_endpoint_auth_methods_supported"):
        assert {"tls_client_auth", "self_signed_tls_client_auth"} <= set(said[member]) and not [m for m in plain[member] if "tls" in m]
    assert said["mtls_endpoint_aliases"] == {
        f"{name}_endpoint": f"https://127.0.0.1:{world.port}{path}"
        for name, path in (("token", harness.V3), ("revocation", f"{harness.V3}/revoke"), ("introspection", f"{harness.V3}/introspect"))}
    assert not [member for member in plain if "tls" in member]


def test_without_an_authority_only_self_signed(dev_factory, tmp_path):
    """norm: D06"""
    front, key = make_certificate(tmp_path)
    server = dev_factory("--mtls-listen", "127.0.0.1:0", "--tls-certificate", front, "--tls-key", key, "--mtls-url", "https://mtls.example.com")
    methods = server.get(METADATA).json["token_endpoint_auth_methods_supported"]
    assert "self_signed_tls_client_auth" in methods and "tls_client_auth" not in methods
    assert server.get(METADATA).json["mtls_endpoint_aliases"]["token_endpoint"] == f"https://mtls.example.com{harness.V3}"


# ---- behind a proxy ----


@pytest.mark.parametrize("style", ["nginx", "rfc9440", "envoy"])
def test_a_proxy_shows_the_certificate(dev_factory, world, style):
    """norm: X03 E43"""
    server = dev_factory("--trusted-proxy", "127.0.0.1", "--proxy-certificate", style)
    app = server.new_app("--client-credentials", "--certificate-bound", "--tls-client-auth", "san_uri:spiffe://example/app")

    def ask(headers):
        return server.post(harness.V3, {"client_id": app.client_id, "grant_type": "client_credentials", "scope": app.scopes[0]}, headers=headers)

    good = ask(getattr(world.app, style))
    assert good.status == 200
    assert confirmed(server.resource_server.introspect(good.json["access_token"])) == world.app.thumbprint
    wrong = [{}, getattr(world.other, style)] + [getattr(world.app, other) for other in ("nginx", "rfc9440", "envoy") if other != style]
    assert [ask(headers).json.get("error") for headers in wrong] == ["invalid_client"] * 4
    if style == "nginx":
        assert ask({**world.app.nginx, "x-ssl-client-verify": "FAILED:unable to verify"}).json["error"] == "invalid_client"


def test_from_anybody_else_it_is_nothing(dev_factory, world):
    """norm: X03 E43"""
    for options in (("--trusted-proxy", "192.0.2.1", "--proxy-certificate", "rfc9440"), ("--trusted-proxy", "127.0.0.1"), ()):
        server = dev_factory(*options)
        app = server.new_app("--client-credentials", "--tls-client-certificate", world.own.pem)
        for headers in (world.own.rfc9440, world.own.nginx, world.own.envoy):
            answer = server.post(harness.V3, {"client_id": app.client_id, "grant_type": "client_credentials", "scope": app.scopes[0]}, headers=headers)
            assert answer.json["error"] == "invalid_client"


def test_a_proxys_own_certificate_is_not_its_clients(dev_factory, world, tmp_path):
    """A trusted proxy that speaks mutual TLS to us proves itself, and nobody else. norm: X03"""
    front, key = make_certificate(tmp_path)
    port = harness.free_port()
    server = dev_factory("--mtls-listen", f"127.0.0.1:{port}", "--tls-certificate", front, "--tls-key", key, "--trusted-proxy", "127.0.0.1", "--proxy-certificate", "rfc9440")
    app = server.new_app("--client-credentials", "--tls-client-certificate", world.own.pem)
    api = world.api(world.own)
    api.port = port
    form = {"client_id": app.client_id, "grant_type": "client_credentials", "scope": app.scopes[0]}
    assert api.post(harness.V3, form).json["error"] == "invalid_client"
    assert api.post(harness.V3, form, headers=world.own.rfc9440).status == 200


def test_options_that_do_not_fit():
    for options, reason in ((["--proxy-certificate", "apache"], "rfc9440"), (["--proxy-certificate", "nginx"], "--trusted-proxy")):
        done = harness.command("dev", *options)
        assert done.returncode == 1 and reason in done.stderr
