"""What is published below /.well-known: true, cacheable, readable from any page, and current after a rotation."""
import json
import time

import pytest

import harness

METADATA, KEYS = "/.well-known/oauth-authorization-server", "/.well-known/jwks.json"
OPENID = "/.well-known/openid-configuration"
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k", "oth"}


def path_of(dev, url):
    assert url.startswith(dev.issuer + "/")
    return url[len(dev.issuer):]


def test_metadata_names_what_is_there(dev):
    """Every announced address answers its own kind of request, and no other method. norm: D01 D04 D06 V01"""
    said = dev.get(METADATA).json
    assert said["issuer"] == dev.issuer
    for member in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        assert dev.api.post(path_of(dev, said[member]), {}).status in (400, 401)
        assert dev.get(path_of(dev, said[member])).status == 405
    assert dev.get(path_of(dev, said["authorization_endpoint"])).status == 400
    assert dev.get(path_of(dev, said["userinfo_endpoint"])).status == 401
    assert dev.get(path_of(dev, said["end_session_endpoint"])).status == 303
    assert dev.get(path_of(dev, said["jwks_uri"])).json["keys"]


def test_grant_types_are_honest(dev):
    """norm: D06"""
    said = dev.get(METADATA).json["grant_types_supported"]
    for name in said:
        refused = dev.confidential.token(grant_type=name)
        assert refused.json["error"] != "unsupported_grant_type", name
    for name in ("password", "implicit", "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:jwt-bearer"):
        assert name not in said and dev.confidential.token(grant_type=name).json["error"] == "unsupported_grant_type"


def test_auth_methods_are_honest(dev):
    """norm: D06"""
    said = dev.get(METADATA).json
    form = {"grant_type": "client_credentials", "scope": dev.confidential.scopes[0]}
    assert "client_secret_post" in said["token_endpoint_auth_methods_supported"]
    assert dev.api.post(dev.confidential.base, {**form, **dev.confidential.credentials}).status == 200
    assert "client_secret_basic" in said["token_endpoint_auth_methods_supported"]
    assert dev.api.post(dev.confidential.base, form, basic=(dev.confidential.client_id, dev.confidential.client_secret)).status == 200
    assert "none" in said["token_endpoint_auth_methods_supported"]
    assert "none" not in said["introspection_endpoint_auth_methods_supported"]
    assert dev.api.post(path_of(dev, said["introspection_endpoint"]), {"client_id": dev.public.client_id, "token": "x"}).status == 401


def test_challenge_methods_are_honest(dev):
    """norm: D02"""
    assert dev.get(METADATA).json["code_challenge_methods_supported"] == ["S256"]
    refused = dev.public.authorize(code_challenge="a" * 43, code_challenge_method="plain", state="s")
    assert refused.location["error"] == "invalid_request"


@pytest.mark.parametrize("path", [METADATA, OPENID, KEYS])
def test_caching(dev, path):
    """norm: D07 X16"""
    first = dev.get(path, headers={"origin": "https://page.example"})
    assert first.status == 200 and int(first.headers["cache-control"].removeprefix("public, max-age=")) > 0
    assert first.headers["access-control-allow-origin"] == "*"
    again = dev.get(path, headers={"if-none-match": first.headers["etag"], "origin": "https://page.example"})
    assert again.status == 304 and again.headers["etag"] == first.headers["etag"] and "cache-control" in again.headers
    assert again.headers["access-control-allow-origin"] == "*"
    assert dev.get(path, headers={"if-none-match": '"other"'}).status == 200
    head = dev.api.request("HEAD", path)
    assert head.status == 200 and head.headers["content-length"] == str(len(first.body)) and head.body == b""
    assert dev.api.post(path, {}).headers["allow"] == "GET, HEAD"


def test_no_cors_where_people_are(dev):
    """norm: X15"""
    asked = dev.api.get("/oauth/authorize?client_id=x", headers={"origin": "https://page.example"})
    assert "access-control-allow-origin" not in asked.headers


def test_scopes_follow_the_catalogue(dev_factory):
    """No restart, and a new ETag with new content."""
    dev = dev_factory()
    before = dev.get(METADATA)
    dev.admin("scope", "create", "fresh.scope")
    after = dev.get(METADATA, headers={"if-none-match": before.headers["etag"]})
    assert after.status == 200 and set(after.json["scopes_supported"]) - set(before.json["scopes_supported"]) == {"fresh.scope"}


def test_protected_resources(dev_factory):
    """RFC 9728 s4: what is said there can be asked for, letter by letter; what has no such name, or is gone, is not said. norm: D06 E03"""
    dev = dev_factory()
    assert "protected_resources" not in dev.get(METADATA).json
    for uris in (["https://api.example/v2", "https://api.example/"], ["urn:example:files"], ["https://gone.example/"], ["https://files.example/"]):
        dev.admin("resource", "create", *(word for uri in uris for word in ("--uri", uri)))
    dev.admin("resource", "delete", "https://gone.example/")
    said = dev.get(METADATA).json["protected_resources"]
    assert said == ["https://api.example/v2", "https://files.example/"]
    for uri in said:
        form = {**dev.confidential.credentials, "grant_type": "client_credentials", "scope": "oauth", "resource": uri}
        token = dev.post("/oauth/v3/token", form).json["access_token"]
        assert dev.resource_server.introspect(token).json["aud"] == uri
    assert not [path for path in ("/.well-known/oauth-protected-resource",) if dev.get(path).status != 404]


def test_rotation_by_itself(dev_factory):
    """Keys come, are used and go without a restart; the set is never empty and never private. norm: D09 D10"""
    dev = dev_factory("--signing-key-ttl", "4m", "--signing-key-ahead", "2m", clock=True)
    assert dev.get(KEYS).headers["cache-control"] == "public, max-age=60"
    seen, deadline = [], time.monotonic() + 2 * harness.PATIENCE_S
    while len(seen) < 3:
        assert time.monotonic() < deadline
        dev.pass_time(30)
        keys = dev.get(KEYS).json["keys"]
        assert keys and not any(PRIVATE & set(key) for key in keys)
        mine = {key["kid"] for key in keys if key["alg"] == "ES256"}
        seen += sorted(mine - set(seen))
        listed = {row["key"]: row["status"] for row in dev.admin("key", "list")["keys"] if row["kind"] == "es256"}
        assert list(listed.values()).count("used") == 1 and set(listed) >= mine
    assert {key["kid"] for key in dev.get(KEYS).json["keys"]} >= set(seen)  # tokens of the first could still live


def test_rotation_by_hand_survives_a_kill(dev_factory):
    """norm: N01"""
    dev = dev_factory()
    dev.admin("key", "rotate", "es256")
    before = dev.get(KEYS).json
    assert [key["alg"] for key in before["keys"]].count("ES256") == 2
    dev.kill9()
    dev.restart()
    assert dev.get(KEYS).json == before
    assert json.dumps(dev.admin("key", "list")).count('"next"') == 1
