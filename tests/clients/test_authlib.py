"""Authlib, an independent OAuth client, against the v3 paths."""
import urllib.parse

import pytest
import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge


def session(server, app, method="client_secret_post"):
    made = OAuth2Session(
        app.client_id, app.client_secret, redirect_uri=app.redirect_uri, scope=" ".join(app.scopes), code_challenge_method="S256",
        token_endpoint_auth_method="none" if app.is_public else method)
    made.token_url = f"{server.issuer}/oauth/v3/token"
    return made


def sign_in(server, client):
    """The way to the code and back, as the library wants it; (address with the code, verifier)."""
    verifier = generate_token(64)
    url, state = client.create_authorization_url(f"{server.issuer}/oauth/authorize", code_verifier=verifier)
    answer = requests.get(url, allow_redirects=False, timeout=20)
    assert answer.status_code in (302, 303)
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(answer.headers["location"]).query)
    assert query["state"] == [state] and query["iss"] == [server.issuer]
    return answer.headers["location"], verifier


@pytest.mark.parametrize("kind, method", [("confidential", "client_secret_post"), ("confidential", "client_secret_basic"), ("public", "none")])
def test_code_with_pkce_refresh_and_revoke(server, kind, method):
    """norm: C06 A19 N08"""
    client = session(server, getattr(server, kind), method)
    address, verifier = sign_in(server, client)
    token = client.fetch_token(client.token_url, authorization_response=address, code_verifier=verifier)
    assert token["token_type"] == "bearer" and token["hub_id"] == server.hub_id
    again = client.refresh_token(client.token_url, refresh_token=token["refresh_token"])
    assert again["access_token"] != token["access_token"]
    assert (again["refresh_token"] == token["refresh_token"]) == (kind == "confidential")
    if kind == "confidential":
        info = client.introspect_token(f"{client.token_url}/introspect", token=again["access_token"], token_type_hint="access_token").json()
        assert info["active"] and info["client_id"] == client.client_id
    assert client.revoke_token(f"{client.token_url}/revoke", token=again["refresh_token"], token_type_hint="refresh_token").status_code == 200
    with pytest.raises(OAuthError) as refused:
        client.refresh_token(client.token_url, refresh_token=again["refresh_token"])
    assert refused.value.error == "invalid_grant"


def test_wrong_verifier(server):
    client = session(server, server.confidential)
    address, _ = sign_in(server, client)
    with pytest.raises(OAuthError) as refused:
        client.fetch_token(client.token_url, authorization_response=address, code_verifier=generate_token(64))
    assert refused.value.error == "invalid_grant"


def test_client_credentials(server):
    client = session(server, server.confidential)
    token = client.fetch_token(client.token_url, grant_type="client_credentials")
    assert token["token_use"] == "client_credentials" and "refresh_token" not in token


def test_resource_indicators(server):
    """A grant for two APIs, and tokens for one of them. norm: E03 E04 I10"""
    apis = [f"https://{name}.example/authlib" for name in ("billing", "files")]
    seers = []
    for uri in apis:
        made = server.admin("app", "create", "--name", uri, "--resource-server", "--json")
        server.admin("resource", "create", "--uri", uri, "--resource-server", made["client_id"])
        seers.append(made)
    client = session(server, server.confidential)
    url, _ = client.create_authorization_url(f"{server.issuer}/oauth/authorize")
    url += "&" + urllib.parse.urlencode([("resource", uri) for uri in apis])  # Authlib's own keywords hold one each
    answer = requests.get(url, allow_redirects=False, timeout=20)
    token = client.fetch_token(client.token_url, authorization_response=answer.headers["location"], resource=apis[0])
    again = client.refresh_token(client.token_url, refresh_token=token["refresh_token"], resource=apis[1])

    def seen_by(seer, text):
        asks = OAuth2Session(seer["client_id"], seer["client_secret"], token_endpoint_auth_method="client_secret_basic")
        return asks.introspect_token(f"{client.token_url}/introspect", token=text).json()

    assert seen_by(seers[0], token["access_token"])["aud"] == apis[0] and not seen_by(seers[1], token["access_token"])["active"]
    assert seen_by(seers[1], again["access_token"])["aud"] == apis[1] and not seen_by(seers[0], again["access_token"])["active"]
    with pytest.raises(OAuthError) as refused:
        client.refresh_token(client.token_url, refresh_token=token["refresh_token"], resource="https://elsewhere.example/")
    assert refused.value.error == "invalid_target"
