"""private_key_jwt over the wire: used once, whoever is asked, also after a restart; and in parallel."""
import json
import secrets

import pytest
from authlib.jose import JsonWebKey

import harness
from assertion import send, sign


@pytest.fixture(scope="module")
def key():
    return JsonWebKey.generate_key("EC", "P-256", {"kid": "client"}, is_private=True)


@pytest.fixture
def app_of(key, tmp_path):
    def make(dev):
        path = tmp_path / "jwks.json"
        path.write_text(json.dumps({"keys": [key.as_dict(is_private=False)]}))
        return dev.new_app("--client-credentials", "--jwks", path, name=secrets.token_hex(4))

    return make


def refused(answer):
    """CLIENT_ASSERTION"""
    return answer.status == 400 and answer.json["error"] == "invalid_client"


def test_good_and_then_used(dev, app_of, key):
    """norm: T11"""
    app = app_of(dev)
    one = sign(dev, app, key)
    assert send(app, one).status == 200
    assert refused(send(app, one))
    assert send(app, sign(dev, app, key), client_id=app.client_id).status == 200


def test_used_also_after_a_kill(dev_factory, app_of, key):
    """norm: N01"""
    dev = dev_factory()
    app = app_of(dev)
    one = sign(dev, app, key)
    assert send(app, one).status == 200
    dev.kill9()
    dev.restart()
    assert refused(send(app, one))
    assert send(app, sign(dev, app, key)).status == 200


def test_once_in_parallel(dev, app_of, key):
    """Sixteen at once with the same assertion: one wins. norm: T11"""
    app = app_of(dev)
    for _ in range(5):
        one = sign(dev, app, key)
        answers = harness.in_parallel(16, lambda i, one=one: send(app, one))
        assert [a.status for a in answers].count(200) == 1 and all(a.status == 200 or refused(a) for a in answers)


def test_algorithms(dev, app_of, key):
    """Neither none nor an HMAC keyed with what is public. norm: D06"""
    app = app_of(dev)
    public = json.dumps(key.as_dict(is_private=False))
    assert refused(send(app, sign(dev, app, {"kty": "oct", "k": "c2VjcmV0"}, alg="HS256"), client_id=app.client_id))
    assert refused(send(app, sign(dev, app, public, alg="HS256"), client_id=app.client_id))
    unsigned = sign(dev, app, key).rsplit(".", 1)[0] + "."
    assert refused(send(app, unsigned, client_id=app.client_id))
    said = dev.get("/.well-known/oauth-authorization-server").json["token_endpoint_auth_signing_alg_values_supported"]
    assert not {"none", "HS256", "HS384", "HS512"} & set(said)


def test_announced_algorithms_work(dev, tmp_path):
    """norm: D06"""
    said = dev.get("/.well-known/oauth-authorization-server").json["token_endpoint_auth_signing_alg_values_supported"]
    for alg in said:
        pair = JsonWebKey.generate_key(*(("EC", "P-256") if alg.startswith("ES") else ("RSA", 2048)), is_private=True)
        path = tmp_path / f"{alg}.json"
        path.write_text(json.dumps({"keys": [pair.as_dict(is_private=False)]}))
        app = dev.new_app("--client-credentials", "--jwks", path, name=alg)
        assert send(app, sign(dev, app, pair, alg, kid=None)).status == 200, alg


def test_keys_are_changed_without_a_restart(dev, app_of, key, tmp_path):
    """norm: P08"""
    app = app_of(dev)
    other = JsonWebKey.generate_key("EC", "P-256", {"kid": "client"}, is_private=True)
    path = tmp_path / "next.json"
    path.write_text(json.dumps({"keys": [other.as_dict(is_private=False)]}))
    assert refused(send(app, sign(dev, app, other)))
    dev.admin("app", "update", app.client_id, "--jwks", path)
    assert send(app, sign(dev, app, other)).status == 200 and refused(send(app, sign(dev, app, key)))
    assert dev.admin("app", "secret", "add", app.client_id, ok=False).returncode == 1
    dev.admin("app", "update", app.client_id, "--jwks", "")
    assert refused(send(app, sign(dev, app, other)))
    secret = dev.admin("app", "secret", "add", app.client_id)["client_secret"]
    form = {"grant_type": "client_credentials", "scope": app.scopes[0], "client_id": app.client_id, "client_secret": secret}
    assert app.api.post(app.base, form).status == 200
