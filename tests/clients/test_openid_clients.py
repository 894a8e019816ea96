"""OpenID Connect by independent clients: openid-client of npm, and Authlib."""
import json
import pathlib
import subprocess
import urllib.parse

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.oidc.core import CodeIDToken, UserInfo
from authlib.oidc.discovery import OpenIDProviderMetadata
from authlib.oidc.discovery import get_well_known_url as openid_url

HERE = pathlib.Path(__file__).parent
SIGNED_OUT = "https://people.example/bye"


@pytest.fixture(scope="module", params=["RS256", "ES256"])
def app(server, request):
    made = server.new_app("--id-token-alg", request.param, "--post-logout-redirect-uri", SIGNED_OUT, name=request.param,
                          redirect_uri="https://people.example/done", scopes=["openid", "profile", "email"])
    made.alg = request.param
    return made


@pytest.mark.parametrize("scenario", ["whole", "claims", "mismatches", "silent"])
def test_openid_client(server, app, scenario):
    """norm: D01 D06 R14"""
    known = {"client_id": app.client_id, "client_secret": app.client_secret, "redirect_uri": app.redirect_uri}
    done = subprocess.run(["node", "openid.mjs", scenario], cwd=HERE, capture_output=True, text=True, timeout=120,
                          input=json.dumps({"issuer": server.issuer, "app": known, "alg": app.alg, "signed_out": SIGNED_OUT}))
    assert done.returncode == 0, done.stderr


def metadata(server):
    found = OpenIDProviderMetadata(requests.get(openid_url(server.issuer, external=True), timeout=20).json())
    found.ALLOWED_TRANSPORTS = None
    return found


def test_authlib_validates_the_document(server):
    """Everything but the https of a test server's addresses."""
    said = metadata(server)
    for name in ("acr_values_supported", "subject_types_supported", "id_token_signing_alg_values_supported", "claims_supported", "claims_parameter_supported",
                 "request_parameter_supported", "request_uri_parameter_supported", "claim_types_supported", "grant_types_supported"):
        getattr(said, f"validate_{name}")()
    assert said["issuer"] == server.issuer and said["userinfo_endpoint"].startswith(server.issuer)


def test_authlib_reads_the_id_token(server, app):
    """Signature, issuer, audience, times, nonce and at_hash, as Authlib checks them; also after the key was replaced. norm: D08"""
    said = metadata(server)
    client = OAuth2Session(app.client_id, app.client_secret, redirect_uri=app.redirect_uri, scope="openid email",
                           token_endpoint_auth_method="client_secret_basic")
    url, state = client.create_authorization_url(said["authorization_endpoint"], nonce="n-0S6")
    answer = requests.get(url, allow_redirects=False, timeout=20)
    token = client.fetch_token(said["token_endpoint"], authorization_response=answer.headers["location"], state=state)

    def parse(text, nonce="n-0S6"):
        keys = JsonWebKey.import_key_set(requests.get(said["jwks_uri"], timeout=20).json())
        claims = JsonWebToken([app.alg]).decode(
            text, keys, claims_cls=CodeIDToken, claims_options={"iss": {"values": [server.issuer]}, "aud": {"value": app.client_id}},
            claims_params={"nonce": nonce, "client_id": app.client_id, "access_token": token["access_token"]})
        claims.validate(leeway=5)
        return claims

    claims = parse(token["id_token"])
    assert claims.header["alg"] == app.alg and claims["sub"] == str(server.user_id)
    with pytest.raises(Exception, match="nonce"):
        parse(token["id_token"], nonce="another")
    server.admin("key", "rotate", app.alg.lower(), "--now")
    assert parse(token["id_token"])["sub"] == claims["sub"]
    person = UserInfo(requests.get(said["userinfo_endpoint"], headers={"authorization": f"Bearer {token['access_token']}"}, timeout=20).json())
    assert person.sub == claims["sub"] and person.email == server.info["user"]["email"]
    assert "email" not in urllib.parse.urlsplit(answer.headers["location"]).query
