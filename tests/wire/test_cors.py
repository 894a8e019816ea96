"""Pages of other origins: what they may read, and that a refusal can be read wherever a success can."""
import subprocess

import pytest

from harness import FORM, V3, free_port

KEYS, METADATA = "/.well-known/jwks.json", "/.well-known/oauth-authorization-server"
PAGE = "http://localhost:3000"  # where the public app of dev lives
STRANGER = "https://stranger.example"
REVOKE, INTROSPECT, V1 = f"{V3}/revoke", f"{V3}/introspect", "/oauth/v1/token"


def allowed(answer):
    return answer.headers.get("access-control-allow-origin")


def preflight(api, path, origin=PAGE, method="POST"):
    return api.request("OPTIONS", path, headers={"origin": origin, "access-control-request-method": method, "access-control-request-headers": "content-type"})


@pytest.mark.parametrize("path", [V3, "/oauth/2026-09/token", REVOKE, V1])
def test_preflight(dev, path):
    """norm: X16"""
    answer = preflight(dev.api, path)
    assert answer.status == 204 and allowed(answer) == PAGE and answer.headers["access-control-allow-methods"] == "POST"
    assert "content-type" in answer.headers["access-control-allow-headers"].lower() and int(answer.headers["access-control-max-age"]) > 0
    assert "access-control-allow-credentials" not in answer.headers and answer.headers["vary"] == "Origin"
    stranger = preflight(dev.api, path, STRANGER)
    assert stranger.status == 204 and allowed(stranger) is None and "access-control-allow-methods" not in stranger.headers


@pytest.mark.parametrize("path", [METADATA, KEYS])
def test_what_is_published_is_for_every_page(dev, path):
    """norm: X16"""
    assert allowed(preflight(dev.api, path, STRANGER, "GET")) == "*"
    for headers in ({}, {"origin": STRANGER}, {"origin": "null"}):
        assert allowed(dev.get(path, headers=headers)) == "*"
    refused = dev.api.request("DELETE", path, headers={"origin": STRANGER})
    assert refused.status == 405 and allowed(refused) == "*"


ERRORS = [
    (405, "GET", V3, None, FORM),
    (405, "PUT", REVOKE, b"x", FORM),
    (415, "POST", V3, b"{}", "application/json"),
    (413, "POST", V3, b"a" * 70000, FORM),
    (400, "POST", V3, b"grant_type=%zz", FORM),
    (400, "POST", V3, b"grant_type=password&client_id=nobody", FORM),
    (400, "POST", REVOKE, b"token=x", FORM),
    (400, "POST", V1, b"client_id=a&client_id=b", FORM),
]


@pytest.mark.parametrize("status, method, path, body, content_type", ERRORS)
def test_errors_can_be_read_as_well(dev, status, method, path, body, content_type):
    """norm: X16"""
    for origin, want in ((PAGE, PAGE), (STRANGER, None)):
        answer = dev.api.request(method, path, body=body, headers={"origin": origin, "content-type": content_type})
        assert answer.status == status and allowed(answer) == want and answer.headers["vary"] == "Origin", answer
    assert "x-hubspot-correlation-id" in dev.get(V3, headers={"origin": PAGE}).headers["access-control-expose-headers"]


def test_chunked_and_too_large(dev):
    """The head is known when the body turns out too large. norm: X16"""
    answer = dev.api.request("POST", V3, body=(b"a" * 4000 for _ in range(20)), headers={"origin": PAGE, "content-type": FORM})
    assert answer.status == 413 and allowed(answer) == PAGE


def test_limits_can_be_read(dev_factory):
    """A page that is slowed down can see for how long. norm: X16"""
    server = dev_factory("--limit-grant-failures", "1", limits=True)
    form = {**server.public.credentials, "grant_type": "refresh_token", "refresh_token": "gdr_x"}
    answers = [server.post(V3, form, headers={"origin": PAGE}) for _ in range(3)]
    assert answers[-1].status == 429 and {allowed(a) for a in answers} == {PAGE} and "retry-after" in answers[-1].headers["access-control-expose-headers"].lower()


def test_whole_way_of_a_page(dev):
    """norm: X16"""
    app = dev.public
    tokens = app.install()
    refreshed = dev.post(V3, {**app.credentials, "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}, headers={"origin": PAGE})
    assert refreshed.status == 200 and allowed(refreshed) == PAGE
    ended = dev.post(REVOKE, {**app.credentials, "token": refreshed.json["refresh_token"]}, headers={"origin": PAGE})
    assert ended.status == 200 and allowed(ended) == PAGE


def test_origins_follow_the_apps(dev):
    """At once, when an app is made, disabled or deleted. norm: X16"""
    origin = "https://fresh.example:8443"
    assert allowed(preflight(dev.api, V3, origin)) is None
    app = dev.new_app("--public", name="Fresh page", redirect_uri=f"{origin}/cb")
    assert allowed(preflight(dev.api, V3, origin)) == origin
    dev.admin("app", "disable", app.client_id)
    assert allowed(preflight(dev.api, V3, origin)) is None
    dev.admin("app", "enable", app.client_id)
    assert allowed(preflight(dev.api, V3, origin)) == origin
    dev.admin("app", "delete", app.client_id)
    assert allowed(preflight(dev.api, V3, origin)) is None


def test_nowhere_else(dev):
    """Not where people are, nor where only servers speak. norm: X15"""
    tokens = dev.confidential.install()
    asked = [
        preflight(dev.api, "/oauth/authorize", method="GET"), preflight(dev.api, INTROSPECT), preflight(dev.api, "/oauth/sign-in"), preflight(dev.api, "/nothing"),
        preflight(dev.api, "/appinstalls/v3/external-install", method="DELETE"),
        dev.get("/oauth/authorize", headers={"origin": PAGE}), dev.get("/oauth/sign-in", headers={"origin": PAGE}), dev.get("/oauth/connected-apps", headers={"origin": PAGE}),
        dev.post(INTROSPECT, {**dev.confidential.credentials, "token": tokens["access_token"]}, headers={"origin": PAGE}),
        dev.get(f"/oauth/v1/access-tokens/{tokens['access_token']}", headers={"origin": PAGE}),
    ]
    assert [a.status for a in asked[:5]] == [405, 405, 405, 404, 405]
    assert not [name for answer in asked for name in answer.headers if name.startswith("access-control")]


def test_options_without_a_question(dev):
    """A preflight names its method; any other OPTIONS is a method like another."""
    assert dev.api.request("OPTIONS", V3).status == 405
    assert dev.api.request("OPTIONS", V3, headers={"origin": PAGE}).status == 405


@pytest.mark.parametrize("length", ["70000", None])
def test_http2_as_well(dev_factory, tmp_path, length):
    """Whether the length is announced or not. norm: X16"""
    port, body = free_port(), tmp_path / "body"
    body.write_bytes(b"a" * 70000)
    dev_factory("--h2c-listen", f"127.0.0.1:{port}")
    more = ["--no-content-length"] if length is None else []
    said = subprocess.run(["nghttp", "-v", *more, "-d", body, "-H", f"origin: {PAGE}", f"http://127.0.0.1:{port}{V3}"], capture_output=True, text=True, timeout=30).stdout
    assert ":status: 413" in said and f"access-control-allow-origin: {PAGE}" in said, said
