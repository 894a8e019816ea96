"""Independent clients that know nothing but the issuer: openid-client, oauth4webapi and jose of npm, and Authlib."""
import json
import pathlib
import subprocess

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

HERE = pathlib.Path(__file__).parent


def node(server, app, scenario, **more):
    known = {"client_id": app.client_id, "client_secret": app.client_secret, "redirect_uri": app.redirect_uri, "scopes": app.scopes}
    done = subprocess.run(
        ["node", "discovery.mjs", scenario], cwd=HERE, input=json.dumps({"issuer": server.issuer, "app": known, **more}), capture_output=True,
        text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def signing_app(server):
    return server.new_app("--client-credentials", "--token-format", "jwt", name="Signed", redirect_uri="https://signed.example/done",
                          scopes=["oauth"])


@pytest.mark.parametrize("scenario", ["secretPost", "secretBasic"])
def test_by_the_issuer_alone(server, scenario):
    """norm: D01 D04 D06"""
    node(server, server.new_app("--client-credentials", name=scenario), scenario)


def test_signed_tokens(server, signing_app):
    """norm: E60 E61 E62 E63"""
    node(server, signing_app, "signedTokens")


def test_resource_indicators(server):
    """norm: E01 E03 E04 E62"""
    api = "https://files.example/v1"
    server.admin("resource", "create", "--uri", api, "--token-format", "jwt")
    app = server.new_app("--client-credentials", name="Resources", redirect_uri="https://resources.example/done", scopes=["oauth"])
    node(server, app, "resources", api=api)


@pytest.fixture(scope="module")
def keyed_app(server, tmp_path_factory):
    """An app with a key of its own, and the private half."""
    key = JsonWebKey.generate_key("EC", "P-256", {"kid": "of the client"}, is_private=True)
    path = tmp_path_factory.mktemp("keys") / "jwks.json"
    path.write_text(json.dumps({"keys": [key.as_dict(is_private=False)]}))
    app = server.new_app("--client-credentials", "--jwks", path, name="Keyed", redirect_uri="https://keyed.example/done")
    assert app.client_secret is None and "client_secret" not in app.info
    return app, key


def test_private_key_jwt(server, keyed_app):
    """norm: P01"""
    app, key = keyed_app
    node(server, app, "privateKeyJwt", key=key.as_dict(is_private=True))


def test_private_key_jwt_of_authlib(server, keyed_app):
    """It names the token endpoint for its audience."""
    app, key = keyed_app
    url = f"{server.issuer}/oauth/v3/token"
    client = OAuth2Session(app.client_id, key.as_pem(is_private=True).decode(), token_endpoint_auth_method="private_key_jwt", scope=app.scopes[0])
    client.register_client_auth_method(PrivateKeyJWT(url, alg="ES256"))
    assert client.fetch_token(url, grant_type="client_credentials")["access_token"]


def test_authlib_reads_the_metadata(server):
    said = AuthorizationServerMetadata(requests.get(get_well_known_url(server.issuer, external=True), timeout=20).json())
    said.ALLOWED_TRANSPORTS = None
    for check in ("response_types_supported", "grant_types_supported", "token_endpoint_auth_methods_supported",
                  "code_challenge_methods_supported", "scopes_supported", "introspection_endpoint_auth_methods_supported"):
        getattr(said, f"validate_{check}")()
    assert said["issuer"] == server.issuer


def test_tokens_verify_across_rotations(server, signing_app):
    """Before and after a rotation, and after the key that signed is retired; also through an old refresh token. norm: D08"""
    said = requests.get(get_well_known_url(server.issuer, external=True), timeout=20).json()

    def verify(token):
        keys = JsonWebKey.import_key_set(requests.get(said["jwks_uri"], timeout=20).json())
        claims = JsonWebToken(["ES256"]).decode(token, keys, claims_options={"iss": {"value": server.issuer}, "aud": {"value": server.issuer}})
        claims.validate()
        return claims.header["kid"]

    first = signing_app.install()
    before = verify(first["access_token"])
    server.admin("key", "rotate", "es256")
    assert verify(signing_app.refresh(first["refresh_token"]).json["access_token"]) == before  # the new one is only published
    server.admin("key", "rotate", "es256", "--now")
    after = verify(signing_app.refresh(first["refresh_token"]).json["access_token"])
    assert after != before and verify(first["access_token"]) == before
