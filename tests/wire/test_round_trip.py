"""The ways that succeed, over the wire, under every name that they have. norm: T13 X04 K03"""
import pytest

import harness

BASES = ("/oauth/v3/token", "/oauth/2026-03/token", "/oauth/2026-09/token")


@pytest.mark.parametrize("base", BASES)
def test_code_refresh_introspect_revoke(dev, base):
    """norm: C06 T14 T18 I06 I14 V02 V06 V08 I15"""
    app = dev.confidential.at(base)
    got = app.install()
    assert got["hub_id"] == dev.hub_id and got["user_id"] == dev.user_id and got["expires_in"] == 1800
    assert sorted(got["scopes"]) == sorted(app.scopes) and sorted(got["scope"].split()) == sorted(app.scopes)

    again = app.refresh(got["refresh_token"])
    assert again.status == 200
    assert again.json["refresh_token"] == got["refresh_token"] and again.json["access_token"] != got["access_token"]

    access, refresh = app.introspect(again.json["access_token"]).json, app.introspect(got["refresh_token"]).json
    for info in (access, refresh):
        assert info["active"] and info["client_id"] == app.client_id and info["iss"] == dev.issuer
        assert info["hub_id"] == dev.hub_id and info["user"] == dev.info["user"]["email"] == info["username"]
        assert info["hub_domain"] == dev.info["account"]["domain"]
    assert 0 < access["expires_in"] <= 1800 and access["exp"] - access["iat"] == 1800

    done = app.revoke(got["refresh_token"])
    assert done.status == 200 and done.body == b""
    assert app.refresh(got["refresh_token"]).json["status"] == "BAD_REFRESH_TOKEN"
    for token in (got["access_token"], again.json["access_token"], got["refresh_token"]):
        assert app.introspect(token).json == {"active": False}


def test_client_credentials(dev):
    """norm: K02 K03 K04 E63 T21"""
    got = dev.confidential.client_credentials()
    assert got.status == 200 and got.json["token_use"] == "client_credentials" and "refresh_token" not in got.json
    info = dev.confidential.introspect(got.json["access_token"]).json
    assert info["active"] and info["sub"] == dev.confidential.client_id and "user_id" not in info
    assert dev.confidential.revoke(got.json["access_token"]).status == 200
    assert not dev.confidential.is_active(got.json["access_token"])


def test_client_credentials_by_every_way_of_authenticating(dev):
    """norm: T04 N08"""
    app, form = dev.confidential, {"grant_type": "client_credentials", "scope": dev.confidential.scopes[0]}
    assert dev.post(harness.V3, form, basic=(app.client_id, app.client_secret)).status == 200
    assert dev.post(harness.V3, {**form, **app.credentials}).status == 200
    # RFC 6749 s2.3.1: both halves are form-encoded, whatever the client chooses to escape
    escaped = "".join(f"%{ord(c):02x}" for c in app.client_secret)
    header = harness.base64.b64encode(f"{app.client_id}:{escaped}".encode()).decode()
    assert dev.post(harness.V3, form, headers={"authorization": f"Basic {header}"}).status == 200


def test_public_app(dev):
    """norm: F03 T22 V04"""
    got = dev.public.install()
    first = dev.public.refresh(got["refresh_token"])
    assert first.status == 200 and first.json["refresh_token"] != got["refresh_token"]
    # a lost answer: the same question again gives the same successor (norm: F15)
    assert dev.public.refresh(got["refresh_token"]).json["refresh_token"] == first.json["refresh_token"]
    assert dev.public.revoke(first.json["refresh_token"]).status == 200
    assert dev.public.refresh(first.json["refresh_token"]).json["error"] == "invalid_grant"


def test_rotated_token_outside_the_window_ends_the_grant(dev):
    """norm: F04 F14 I16"""
    app = dev.new_app("--rotate", "--retry-window", "0s")
    got = app.install()
    first = app.refresh(got["refresh_token"]).json
    second = app.refresh(first["refresh_token"]).json
    assert app.is_active(second["access_token"])
    assert app.refresh(got["refresh_token"]).json["status"] == "BAD_REFRESH_TOKEN"
    assert app.refresh(second["refresh_token"]).json["status"] == "BAD_REFRESH_TOKEN"
    assert not app.is_active(second["access_token"])


def test_a_code_works_once_and_its_replay_ends_the_grant(dev):
    """norm: C03 C04"""
    pkce = harness.Pkce()
    code = dev.confidential.code(**pkce.asked)
    got = dev.confidential.redeem(code, code_verifier=pkce.verifier).json
    again = dev.confidential.redeem(code, code_verifier=pkce.verifier)
    assert (again.status, again.json["status"], again.json["error"]) == (400, "BAD_AUTH_CODE", "invalid_grant")
    assert not dev.confidential.is_active(got["access_token"])
    assert dev.confidential.refresh(got["refresh_token"]).json["status"] == "BAD_REFRESH_TOKEN"


def test_a_replay_without_proof_harms_nobody(dev):
    """norm: C05 C01 C12"""
    pkce = harness.Pkce()
    code = dev.confidential.code(**pkce.asked)
    other = dev.new_app()
    wrong = harness.Pkce().verifier
    # before it is redeemed: others fail, and the code still works
    assert other.redeem(code, code_verifier=pkce.verifier, redirect_uri=dev.confidential.redirect_uri).json["status"] == "BAD_AUTH_CODE"
    assert dev.confidential.redeem(code, code_verifier=wrong).json["status"] == "BAD_CODE_VERIFIER"
    got = dev.confidential.redeem(code, code_verifier=pkce.verifier).json
    # and after it
    assert other.redeem(code, code_verifier=pkce.verifier, redirect_uri=dev.confidential.redirect_uri).status == 400
    assert dev.confidential.redeem(code, code_verifier=wrong).status == 400
    assert dev.confidential.is_active(got["access_token"])


def test_narrower_scope_for_one_token(dev):
    """norm: F07"""
    got = dev.confidential.install()
    less = dev.confidential.refresh(got["refresh_token"], scope=dev.confidential.scopes[0]).json
    assert less["scopes"] == [dev.confidential.scopes[0]]
    assert sorted(dev.confidential.refresh(got["refresh_token"]).json["scopes"]) == sorted(dev.confidential.scopes)


def test_long_values_come_back(dev):
    """norm: E86"""
    state = "s-._~" * 800
    answer = dev.confidential.authorize(state=state)
    assert answer.location["state"] == state and dev.confidential.redeem(answer.location["code"]).status == 200


def test_introspection_by_others(dev):
    """norm: I08 I09 I10 I17 I05 V05 V07 V10 V14"""
    got, other = dev.confidential.install(), dev.new_app()
    for token in (got["access_token"], got["refresh_token"]):
        assert other.introspect(token).json == {"active": False}
        assert dev.resource_server.is_active(token)
        for hint in ("access_token", "refresh_token", "nonsense"):
            assert dev.confidential.introspect(token, token_type_hint=hint).json["active"]
        refused = other.revoke(token)
        assert (refused.status, refused.json["error"], refused.json["status"]) == (400, "unauthorized_client", "BAD_TOKEN")
        assert dev.confidential.is_active(token)
    assert dev.confidential.revoke(got["refresh_token"]).status == 200
    for token in (got["access_token"], got["refresh_token"]):  # dead or alive: another app hears the same (V14)
        answer = other.revoke(token)
        assert (answer.status, answer.json["message"]) == (refused.status, refused.json["message"])
    got = dev.confidential.install()
    for garbage in ("x", "gda_x", got["access_token"][:-1], got["access_token"] + "A", "\u00e9"):
        assert dev.confidential.introspect(garbage).json == {"active": False}
        assert dev.confidential.revoke(garbage).status == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_changed_token_is_dead_and_harms_nobody(dev, kind):
    """norm: T20 F10"""
    got = dev.confidential.install()
    token = got[kind]
    with_connection = dev.api.connect()
    for at in range(4, len(token)):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        assert not dev.confidential.is_active(changed, with_connection)
        if kind == "refresh_token":
            assert dev.confidential.refresh(changed, with_connection).json["status"] == "BAD_REFRESH_TOKEN"
    with_connection.close()
    assert dev.confidential.is_active(token)


def test_field_names_of_the_guide(dev):
    got = dev.confidential.install()
    for name in ("access_token", "refresh_token"):
        answer = dev.post(f"{harness.V3}/introspect", {**dev.confidential.credentials, name: got[name]})
        assert answer.json["active"] and answer.json["token_use"] == name


def test_revoking_an_access_token_takes_its_siblings(dev):
    """norm: V03 V09"""
    got = dev.confidential.install()
    sibling = dev.confidential.refresh(got["refresh_token"]).json["access_token"]
    assert dev.confidential.revoke(got["access_token"]).status == 200
    assert not dev.confidential.is_active(got["access_token"]) and not dev.confidential.is_active(sibling)
    assert dev.confidential.is_active(got["refresh_token"])
    assert dev.confidential.is_active(dev.confidential.refresh(got["refresh_token"]).json["access_token"])


def test_v1(dev):
    """norm: T01"""
    app = dev.confidential.at("/oauth/v1/token")
    got = app.install()
    info = dev.get(f"/oauth/v1/access-tokens/{got['access_token']}")
    assert info.status == 200 and info.json["token_type"] == "access" and info.json["user"] == dev.info["user"]["email"]
    info = dev.get(f"/oauth/v1/refresh-tokens/{got['refresh_token']}")
    assert info.status == 200 and info.json["token_type"] == "refresh" and info.json["client_id"] == app.client_id
    # a token of v1 works under the newer names and the other way round
    assert app.at(harness.V3).refresh(got["refresh_token"]).status == 200
    for _ in range(2):
        gone = dev.api.request("DELETE", f"/oauth/v1/refresh-tokens/{got['refresh_token']}")
        assert gone.status == 204 and gone.body == b""
    assert dev.get(f"/oauth/v1/refresh-tokens/{got['refresh_token']}").status == 404
    assert app.refresh(got["refresh_token"]).json["status"] == "BAD_REFRESH_TOKEN"


def test_v1_takes_parameters_from_the_query_and_others_do_not(dev):
    """norm: T01 T06"""
    query = dev.valid_form.decode()
    assert dev.post(f"/oauth/v1/token?{query}", b"").status == 200
    refused = dev.post(f"{harness.V3}?{query}", b"")
    assert refused.status == 400 and refused.json["status"] == "BAD_CLIENT_ID"


@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09"])
def test_uninstall(dev, version):
    app = dev.new_app()
    first, second = app.install(), app.install()
    pending = app.code()
    assert app.uninstall(first["access_token"], version).status == 204
    for got in (first, second):
        assert app.refresh(got["refresh_token"]).json["status"] == "BAD_HUB"
        assert not app.is_active(got["access_token"]) and not app.is_active(got["refresh_token"])
    assert app.redeem(pending).json["status"] == "BAD_HUB"  # HUB_GONE
    # and it can be installed again
    assert app.is_active(app.install()["access_token"])


def test_authorize_answers(dev):
    """norm: A01 R01 R02 R04 R08 R12"""
    for state in ("x", "a+b&c=d%20é", "s" * 4000):
        answer = dev.confidential.authorize(state=state)
        assert answer.status in (302, 303)
        assert answer.headers["location"].startswith(dev.confidential.redirect_uri + "?")
        assert set(answer.location) == {"code", "state", "iss"}
        assert answer.location["state"] == state and answer.location["iss"] == dev.issuer and len(answer.location["code"]) <= 512
    assert set(dev.confidential.authorize().location) == {"code", "iss"}
    assert "code" in dev.confidential.authorize(path=f"/oauth/{dev.hub_id}/authorize").location
    assert "code" in dev.confidential.authorize(response_type="code").location


def test_redirect_uri_may_be_left_out(dev):
    """norm: C10"""
    code = dev.confidential.code(redirect_uri=None)
    assert dev.confidential.redeem(code, redirect_uri=None).status == 200
    assert dev.confidential.redeem(dev.confidential.code(redirect_uri=None)).status == 200


def test_query_of_the_redirect_uri_is_kept(dev):
    """norm: R07"""
    app = dev.new_app(redirect_uri="https://app.example/done?a=1")
    answer = app.authorize(state="s")
    assert answer.headers["location"].startswith("https://app.example/done?a=1&") and answer.location["a"] == "1"


def test_loopback_port(dev):
    """norm: A10 A11 A16"""
    app = dev.new_app("--public", redirect_uri="http://127.0.0.1/cb")
    pkce = harness.Pkce()
    code = app.code(redirect_uri="http://127.0.0.1:49152/cb", **pkce.asked)
    assert app.redeem(code, redirect_uri="http://127.0.0.1:49152/cb", code_verifier=pkce.verifier).status == 200
    for other in ("http://127.0.0.1:49152/other", "http://127.0.0.1:80@evil.example/cb", "https://127.0.0.1:1/cb", "http://[::1]:1/cb"):
        assert app.authorize(redirect_uri=other, **pkce.asked).status == 400


def test_odd_paths(dev):
    for path in ("//oauth//v3/token", "/oauth/v3/token/", "/oauth/v3//token//"):
        assert dev.post(path, dev.valid_form).status == 200


def test_unknown_and_empty_parameters(dev):
    """norm: X05 X07"""
    extra = dev.valid_form + b"&foo=1&foo=2&bar=&code_verifier=&refresh_token="
    assert dev.post(harness.V3, extra).status == 200
    assert dev.post(harness.V3, dev.valid_form, headers={"content-type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8"}).status == 200
    answer = dev.post(harness.V3, dev.valid_form.replace(b"grant_type=client_credentials", b"grant_type="))
    assert answer.json["error"] == "invalid_request" and answer.json["status"] == "BAD_GRANT_TYPE"


def test_tokens_have_no_structure(dev):
    """Prefix, length and distinctness; no two tokens of one grant share more than the prefix. norm: X18"""
    tokens = [dev.confidential.client_credentials().json["access_token"] for _ in range(50)]
    assert len(set(tokens)) == 50 and all(t.startswith("gda_") and len(t) <= 512 for t in tokens)
    bodies = [t[4:-6] for t in tokens]
    shared = max(len([1 for a, b in zip(bodies[0], other) if a == b]) for other in bodies[1:])
    assert shared < len(bodies[0]) / 4
