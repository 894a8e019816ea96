"""A key that got out: replaced, then removed; what it made is worth nothing at once, and what came after it lives on."""
import harness

KEYS = "/.well-known/jwks.json"


def keys(dev):
    return [key["kid"] for key in dev.get(KEYS).json["keys"] if key["alg"] == "ES256"]


def test_a_key_that_signs(dev_factory):
    """norm: D10 I07"""
    dev = dev_factory()
    app = dev.new_app("--client-credentials", "--token-format", "jwt", scopes=["oauth"])
    (old,) = keys(dev)
    stolen = app.client_credentials().json["access_token"]
    assert dev.admin("key", "remove", old, "--yes", ok=False).returncode == 1  # in use
    dev.admin("key", "rotate", "es256", "--now")
    fresh = app.client_credentials().json["access_token"]
    assert dev.admin("key", "remove", old, ok=False).returncode == 1  # without --yes
    assert dev.resource_server.is_active(stolen) and dev.resource_server.is_active(fresh)
    dev.admin("key", "remove", old, "--yes")
    assert old not in keys(dev) and len(keys(dev)) == 1
    assert not dev.resource_server.is_active(stolen)
    assert dev.resource_server.is_active(fresh)


def test_a_generation_of_the_ring(dev_factory):
    """Also after a restart; apps with a secret of the new generation go on."""
    dev = dev_factory()
    old = dev.new_app("--client-credentials")
    before = old.install()
    dev.admin("key", "rotate", "ring", "--now")
    new = dev.new_app("--client-credentials")
    server = harness.App(dev.api, dev.admin("app", "create", "--name", "Api", "--resource-server", "--json"))
    after = new.install()
    said = dev.admin("key", "remove", "1", "--yes", "--json")
    assert said["secrets_lost"] >= 2
    for _ in range(2):
        assert not server.is_active(before["access_token"]) and not server.is_active(before["refresh_token"])
        assert server.is_active(after["access_token"]) and new.refresh(after["refresh_token"]).status == 200
        assert old.refresh(before["refresh_token"]).json["status"] == "BAD_CLIENT_SECRET"
        dev.kill9()
        dev.restart()


def test_what_dev_prints_goes_on_working(dev_factory):
    """The secrets of its apps went with the generation that hashed them; after a restart they are there again, the same ones."""
    dev = dev_factory()
    printed = dev.info
    dev.admin("key", "rotate", "ring", "--now")
    dev.admin("key", "remove", "1", "--yes", "--json")
    assert dev.confidential.client_credentials().json["status"] == "BAD_CLIENT_SECRET"
    for _ in range(2):
        dev.kill9()
        dev.restart()
        assert {**dev.info, "pid": 0} == {**printed, "pid": 0}
        tokens = dev.confidential.install()
        assert dev.resource_server.is_active(tokens["access_token"])
        assert len([row for row in dev.admin("app", "secret", "list", dev.confidential.client_id)["secrets"] if row["status"] == "live"]) == 1
