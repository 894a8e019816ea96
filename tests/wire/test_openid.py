"""OpenID Connect against the real server: what is published, administration, people, and signing out. The rows of the rules are in tests/flow."""
import base64
import json
import re
import urllib.parse

import pytest

import harness
from browser import Browser

OPENID = "/.well-known/openid-configuration"
SIGNED_OUT = "http://localhost:3000/signed-out"


def said_in(id_token):
    """The claims, unverified: the independent clients verify."""
    payload = id_token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def header_of(id_token):
    header = id_token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """A server that asks people."""
    folder = tmp_path_factory.mktemp("openid")
    running = harness.DevServer(
        folder / "data", folder / "stderr",
        (*harness.NO_LIMITS, "--no-auto-approve", "--limit-sign-in-failures", "0", "--limit-sign-in-address-failures", "0")).start()
    yield running
    running.stop()


@pytest.fixture
def browser(people):
    return Browser(people)


def test_one_document_at_both_addresses(dev):
    """norm: D06"""
    document = dev.get(OPENID)
    assert document.body == dev.get("/.well-known/oauth-authorization-server").body
    assert "openid" in document.json["scopes_supported"] and document.json["id_token_signing_alg_values_supported"] == ["RS256", "ES256"]
    assert {key["alg"] for key in dev.get("/.well-known/jwks.json").json["keys"]} >= {"RS256", "ES256"}


def test_production_offers_it_with_the_scope(serve_factory):
    """No scope, no document; the scope, its document and its key, without a restart."""
    server = serve_factory()
    assert server.api.get(OPENID).status == 404
    assert "userinfo_endpoint" not in server.api.get("/.well-known/oauth-authorization-server").json
    assert [key["alg"] for key in server.api.get("/.well-known/jwks.json").json["keys"]] == ["ES256"]
    made = server.admin("scope", "create", "openid")
    assert made["title"]  # people read it on the page of consent
    assert server.api.get(OPENID).json["userinfo_endpoint"] == server.issuer + "/oauth/userinfo"
    assert {key["alg"] for key in server.api.get("/.well-known/jwks.json").json["keys"]} == {"RS256", "ES256"}


def test_settings_of_an_app(dev):
    app = dev.new_app("--id-token-alg", "ES256", "--post-logout-redirect-uri", "https://app.example/bye", scopes=["openid"])
    shown = dev.admin("app", "show", app.client_id)
    assert shown["id_token_signed_response_alg"] == "ES256" and shown["post_logout_redirect_uris"] == ["https://app.example/bye"]
    assert header_of(app.install(response_type="code")["id_token"])["alg"] == "ES256"
    dev.admin("app", "update", app.client_id, "--id-token-alg", "RS256", "--post-logout-redirect-uri=")
    shown = dev.admin("app", "show", app.client_id)
    assert shown["id_token_signed_response_alg"] == "RS256" and shown["post_logout_redirect_uris"] == []
    assert header_of(app.install(response_type="code")["id_token"])["alg"] == "RS256"
    for wrong in (("--id-token-alg", "HS256"), ("--id-token-alg", "none"), ("--post-logout-redirect-uri", "http://app.example/bye")):
        assert dev.admin("app", "update", app.client_id, *wrong, ok=False).returncode == 1


def test_what_administration_knows_of_a_person(dev):
    user = str(dev.user_id)
    try:
        dev.admin("user", "update", user, "--email-verified")
        token = dev.confidential.install(scope="openid email", response_type="code")["access_token"]
        info = dev.get("/oauth/userinfo", headers={"authorization": f"Bearer {token}"}).json
        assert info["email"] == dev.info["user"]["email"] and info["email_verified"] is True
        assert dev.admin("user", "update", user, "--email", "other@example.com")["email_verified"] is False
        info = dev.get("/oauth/userinfo", headers={"authorization": f"Bearer {token}"}).json
        assert info["email"] == "other@example.com" and info["email_verified"] is False
    finally:
        dev.admin("user", "update", user, "--email", dev.info["user"]["email"])


def test_the_whole_way(people, browser):
    """The page of consent says in words what an app would know; the sign-in is dated when it happened."""
    browser.authorize(people.confidential, scope="openid profile", nonce="n-1", response_type="code")
    page = browser.sign_in()
    assert b"Recognise you when you come back" in page.body and b"See your name" in page.body
    got = people.confidential.redeem(browser.submit("allow").location["code"]).json
    claims = said_in(got["id_token"])
    assert claims["nonce"] == "n-1" and claims["sub"] == str(people.user_id) and claims["aud"] == people.confidential.client_id
    assert 0 <= claims["iat"] - claims["auth_time"] < 60
    info = people.get("/oauth/userinfo", headers={"authorization": f"Bearer {got['access_token']}"}).json
    assert info["sub"] == claims["sub"] and info["name"]


def signed_in(browser, app):
    browser.authorize(app, scope="openid", response_type="code")
    browser.sign_in()
    return app.redeem(browser.submit("allow").location["code"]).json["id_token"]


def is_signed_in(browser):
    browser.get("/oauth/connected-apps")
    return not browser.is_on_sign_in()


def logout(browser, **asked):
    return browser.get("/oauth/logout?" + urllib.parse.urlencode(asked))


def test_an_app_signs_out(people, browser):
    """norm: X10"""
    hint = signed_in(browser, people.confidential)
    answer = logout(browser, id_token_hint=hint, post_logout_redirect_uri=SIGNED_OUT, state="a b")
    assert answer.status == 302 and answer.headers["location"] == SIGNED_OUT + "?state=a%20b"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert not is_signed_in(browser)


def test_the_question(people, browser):
    """Without an ID token anybody could have made the link. norm: X11 X12"""
    signed_in(browser, people.confidential)
    page = logout(browser, client_id=people.confidential.client_id, post_logout_redirect_uri=SIGNED_OUT, ui_locales="de")
    assert page.status == 200 and "möchte Sie hier abmelden" in page.body.decode()
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert re.search(r"form-action 'self' http://localhost:3000\b", page.headers["content-security-policy"])
    browser.submit("cancel")
    assert is_signed_in(browser)
    logout(browser, client_id=people.confidential.client_id, post_logout_redirect_uri=SIGNED_OUT)
    answer = browser.submit("sign_out")
    assert answer.status == 303 and answer.headers["location"] == SIGNED_OUT
    assert not is_signed_in(browser)


@pytest.mark.parametrize("asked, word", [
    ({"post_logout_redirect_uri": "https://evil.example/"}, b"BAD_REDIRECT_URI"),
    ({"post_logout_redirect_uri": SIGNED_OUT + "/x"}, b"BAD_REDIRECT_URI"),  # LOGOUT_REDIRECT_URI
    ({"client_id": "nobody", "post_logout_redirect_uri": SIGNED_OUT}, b"BAD_CLIENT_ID"),  # LOGOUT_CLIENT
])
def test_wrong_logouts_are_pages(people, browser, asked, word):
    """norm: X10 X11"""
    hint = signed_in(browser, people.confidential)
    answer = logout(browser, id_token_hint=hint, **asked)
    assert answer.status == 400 and word in answer.body and "location" not in answer.headers
    assert is_signed_in(browser)


def test_a_disabled_app_names_nobody(people, browser):
    app = people.new_app("--post-logout-redirect-uri", "https://app.example/bye", scopes=["openid"])
    hint = signed_in(browser, app)
    people.admin("app", "disable", app.client_id)
    assert logout(browser, id_token_hint=hint, post_logout_redirect_uri="https://app.example/bye").status == 400
    assert logout(browser, id_token_hint=hint).status == 200  # asks
    people.admin("app", "enable", app.client_id)
    assert logout(browser, id_token_hint=hint, post_logout_redirect_uri="https://app.example/bye").status == 302


def test_secrets_stay_out_of_the_log(people, browser):
    """norm: X22"""
    hint = signed_in(browser, people.confidential)
    logout(browser, id_token_hint=hint)
    assert hint.encode() not in people.output() and hint.split(".")[1].encode() not in people.output()
