"""A store in trouble: UNAVAILABLE, and never a wrong definitive answer."""
import contextlib
import sqlite3

import harness
import test_refusals


@contextlib.contextmanager
def locked(server):
    """Another process holds the store's write lock."""
    (path,) = [p for p in server.data.rglob("*") if p.is_file() and p.read_bytes()[:15] == b"SQLite format 3"]
    other = sqlite3.connect(path, isolation_level=None, timeout=10)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


@harness.only_sqlite
def test_a_store_that_cannot_be_written(dev_factory):
    """norm: N02 I12 V12 V13"""
    server = dev_factory()
    got, code = server.confidential.install(), server.confidential.code()
    rotating = server.public.install()["refresh_token"]
    with locked(server):
        changes = [lambda: server.confidential.redeem(code), lambda: server.public.refresh(rotating), lambda: server.confidential.revoke(got["refresh_token"])]
        for answer in harness.in_parallel(3, lambda i: changes[i]()):
            assert test_refusals.is_refusal(answer, "UNAVAILABLE") and int(answer.headers["retry-after"]) >= 1
        # what only reads goes on
        assert server.confidential.is_active(got["access_token"])
        assert server.confidential.refresh(got["refresh_token"]).status == 200
        assert server.confidential.client_credentials().status == 200
    # nothing was spent by the failures
    assert server.confidential.redeem(code).status == 200
    assert server.public.refresh(rotating).status == 200
    assert server.confidential.is_active(got["access_token"])
    assert server.confidential.revoke(got["refresh_token"]).status == 200
    assert b"STORE_" in server.output()


def test_disabled(dev_factory):
    """norm: C14 F12 I07 I16"""
    server = dev_factory()
    app = server.confidential
    got, code = app.install(), app.code()

    def check(words, name):
        server.admin(*words[:1], "disable", *words[1:])
        assert not app.is_active(got["access_token"]) and not app.is_active(got["refresh_token"])
        assert test_refusals.is_refusal(app.refresh(got["refresh_token"]), name)
        assert app.redeem(code).status == 400 and app.redeem(code).json["error"] == "invalid_grant"
        server.admin(*words[:1], "enable", *words[1:])
        assert app.is_active(got["access_token"])

    check(("account", server.hub_id), "HUB_GONE")
    check(("user", server.user_id), "REFRESH_INVALID")
    server.admin("app", "disable", app.client_id)
    assert test_refusals.is_refusal(app.refresh(got["refresh_token"]), "CLIENT_ID_UNKNOWN")
    assert app.authorize().status == 400
    assert server.resource_server.introspect(got["access_token"]).json == {"active": False}
    server.admin("app", "enable", app.client_id)
    assert app.redeem(code).status == 200


def test_the_next_secret(dev_factory):
    """norm: P05"""
    server = dev_factory()
    app = server.new_app("--client-credentials")
    second = server.admin("app", "secret", "add", app.client_id)["client_secret"]
    for secret in (app.client_secret, second):
        assert app.client_credentials(client_secret=secret).status == 200
    third = server.admin("app", "secret", "add", app.client_id, ok=False)
    assert third.returncode == 1 and third.stderr
    rows = server.admin("app", "secret", "list", app.client_id)["secrets"]
    server.admin("app", "secret", "retire", app.client_id, min(row["secret_id"] for row in rows))
    assert test_refusals.is_refusal(app.client_credentials(), "CLIENT_AUTH")
    assert app.client_credentials(client_secret=second).status == 200


def test_tokens_of_one_server_mean_nothing_to_another(dev, dev_factory):
    """norm: I08"""
    other = dev_factory()
    got = dev.confidential.install()
    for token in (got["access_token"], got["refresh_token"]):
        assert not other.resource_server.is_active(token)
    assert other.confidential.redeem(dev.confidential.code()).json["status"] == "BAD_AUTH_CODE"
    assert other.confidential.refresh(got["refresh_token"]).json["error"] == "invalid_grant"
