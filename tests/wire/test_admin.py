"""Administration with the real program: through the socket of a running server, on the directory itself, over HTTP."""
import json
import os
import re
import sqlite3
import stat
import subprocess

import pytest

import harness

CALLBACK = "https://shop.example/done"
APP = ("app", "create", "--name", "Shop", "--redirect-uri", CALLBACK)


def run(data, *words, status=0, **more):
    """A command without --json; its outcome must be `status`, and an error is one line."""
    done = harness.command(*words, "--data", data, **more)
    assert done.returncode == status, (words, done.stdout, done.stderr)
    if status:
        assert done.stdout == "" and re.fullmatch(r"grantd: [^\n]+\n", done.stderr), done.stderr
    else:
        assert done.stderr == ""
    return done


def ask(data, *words):
    return json.loads(run(data, *words, "--json").stdout)


@pytest.fixture(params=["running", "alone"])
def place(request, tmp_path, serve_factory):
    """A data directory whose server runs, or that nobody serves."""
    data = tmp_path / "data"
    if request.param == "running":
        serve_factory(data=data)
    return data


# ---- the same everywhere ----

def test_the_whole_of_it(place):
    """One walk through all nouns, with a server and without."""
    run(place, "scope", "create", "read", "--title", "Read it")
    made = ask(place, *APP, "--scope", "read")
    assert made["app_id"] and made["client_secret"].startswith("gds_")
    app = made["client_id"]
    account = ask(place, "account", "create", "--domain", "one.example")["hub_id"]
    user = ask(place, "user", "create", "--email", "ann@one.example", "--account", account, "--role", "installer")["user_id"]
    assert ask(place, "account", "member", "list", account)["members"] == [
        {"hub_id": account, "user_id": user, "role": "installer", "email": "ann@one.example"}]
    assert ask(place, "app", "show", made["app_id"])["client_id"] == app
    assert ask(place, "app", "update", app, "--name", "Shop 2", "--rotate", "--access-ttl", "10m")["access_ttl_s"] == 600
    assert ask(place, "app", "update", app, "--no-rotate")["rotate"] is False
    assert ask(place, "app", "disable", app)["status"] == "disabled"
    assert ask(place, "app", "enable", app)["status"] == "enabled"
    second = ask(place, "app", "secret", "add", app)
    run(place, "app", "secret", "add", app, status=1)
    run(place, "app", "secret", "retire", app, second["secret_id"])
    assert [s["status"] for s in ask(place, "app", "secret", "list", app)["secrets"]] == ["live", "retired"]
    grant = ask(place, "grant", "create", "--app", app, "--account", account, "--user", "ann@one.example")
    assert grant["refresh_token"].startswith("gdr_")
    assert ask(place, "grant", "show", grant["grant_id"])["status"] == "live"
    assert ask(place, "grant", "revoke", grant["grant_id"])["status"] == "revoked"
    assert ask(place, "grant", "revoke", "--app", app, "--account", account)["status"] == "uninstalled"
    assert ask(place, "user", "disable", user)["status"] == "disabled"
    assert ask(place, "scope", "hide", "read")["status"] == "hidden"
    assert [(k["kind"], k["status"]) for k in ask(place, "key", "list")["keys"]] == [("ring", "used"), ("es256", "used")]
    assert ask(place, "key", "rotate", "es256")["kind"] == "es256"
    run(place, "key", "rotate", "es256", status=1)  # one waits
    assert [k["status"] for k in ask(place, "key", "list")["keys"]] == ["used", "used", "next"]
    assert ask(place, "app", "delete", app)["status"] == "deleted"
    assert ask(place, "app", "list")["apps"] == []
    run(place, "app", "show", app, status=1)


def test_two_commands_at_once(place):
    """Neither is refused because of the other, and nothing is lost."""
    run(place, "scope", "create", "read")
    made = harness.in_parallel(6, lambda i: ask(place, "account", "create", "--domain", f"a{i}.example")["hub_id"])
    assert len(set(made)) == 6
    assert sorted(a["hub_id"] for a in ask(place, "account", "list")["accounts"]) == sorted(made)


def test_pages(place):
    for i in range(5):
        run(place, "scope", "create", f"s{i}")
    assert [s["name"] for s in ask(place, "scope", "list")["scopes"]] == [f"s{i}" for i in range(5)]
    assert [s["name"] for s in ask(place, "scope", "list", "--limit", 2)["scopes"]] == ["s0", "s1"]
    assert "next" not in ask(place, "scope", "list", "--limit", 2)


def test_hostile_strings(place):
    good = ["'; DROP TABLE apps; --", "<script>alert(1)</script>", "Café 😀", "--json", "$(id)", "%s%n", '"\\'] + ["x" * 200]
    bad = ["a\x1b[31mb", "a\nb", "a\x7fb", "gpj.\u202eexe", "a\u2028b", " ", "", "x" * 201, "é" * 101, "a\u0085b"]
    for name in good:
        made = ask(place, "app", "create", f"--name={name}", "--redirect-uri", CALLBACK)
        assert made["name"] == name
        assert name in run(place, "app", "show", made["app_id"]).stdout
    for name in bad:
        run(place, "app", "create", f"--name={name}", "--redirect-uri", CALLBACK, status=1)
    assert len(ask(place, "app", "list")["apps"]) == len(good)
    run(place, "app", "show", "../scopes", status=1)
    run(place, "scope", "show", "a/../../apps", status=1)
    run(place, "user", "show", "x?limit=1@a.example", status=1)


# norm: A13 A14 A15 A16 P04
@pytest.mark.parametrize("uri, good", [
    ("https://a.example/cb", True), ("http://127.0.0.1/cb", True), ("http://[::1]:80/cb", True), ("com.example.app:/cb", True),
    ("https://a.example/cb#x", False), ("http://a.example/cb", False), ("https://*.example/cb", False), ("app:/cb", False),
    ("https://user@a.example/cb", False), ("javascript:alert(1)", False), ("//a.example/cb", False), ("https://a.example/é", False)])
def test_redirect_uris(dev, uri, good):
    done = dev.admin("app", "create", "--name", "x", "--redirect-uri", uri, ok=False)
    assert done.returncode == (0 if good else 1), done.stderr


# norm: A34 P02
def test_client_types(dev):
    public = dev.admin(*APP, "--public")
    assert public["type"] == "public" and public["public"] and public["rotate"] and public["require_pkce"]
    assert "client_secret" not in public
    assert dev.admin("app", "update", public["app_id"], "--no-public", ok=False).returncode == 2
    assert dev.admin("app", "secret", "add", public["app_id"], ok=False).returncode == 1
    assert dev.admin("app", "update", public["app_id"], "--client-credentials", ok=False).returncode == 1


def test_unknown_scopes(dev):
    done = dev.admin(*APP, "--scope", "not.there", ok=False)
    assert done.returncode == 1 and "grantd scope create not.there" in done.stderr
    assert dev.admin(*APP, "--scope", "not.there", "--create-scopes")["scopes"] == ["not.there"]


# ---- what a running server does with it ----

def test_a_new_app_works_at_once(dev):
    app = dev.new_app("--client-credentials")
    assert app.client_credentials().status == 200
    assert app.install()["access_token"]


def test_a_disabled_app_is_refused_at_once(dev):
    app = dev.new_app("--client-credentials")
    tokens = app.install()
    for verb, status in (("disable", 400), ("enable", 200), ("delete", 400)):
        dev.admin("app", verb, app.client_id)
        answer = app.client_credentials()
        assert answer.status == status
        if status == 400:
            assert answer.json["status"] == "BAD_CLIENT_ID"
            assert app.refresh(tokens["refresh_token"]).status == 400
            assert not dev.resource_server.is_active(tokens["access_token"])
        else:
            assert dev.resource_server.is_active(tokens["access_token"])


def secret_works(app, secret):
    return app.client_credentials(client_secret=secret).status == 200


# norm: P05
def test_secret_rotation(dev):
    app = dev.new_app("--client-credentials")
    first, second = app.client_secret, dev.admin("app", "secret", "add", app.client_id)
    assert secret_works(app, first) and secret_works(app, second["client_secret"])
    assert dev.admin("app", "secret", "add", app.client_id, ok=False).returncode == 1
    listed = dev.admin("app", "secret", "list", app.client_id)["secrets"]
    assert [s["status"] for s in listed] == ["live", "live"] and "gds_" not in json.dumps(listed)
    dev.admin("app", "secret", "retire", app.client_id, listed[0]["secret_id"])
    assert not secret_works(app, first) and secret_works(app, second["client_secret"])
    third = dev.admin("app", "secret", "add", app.client_id)["client_secret"]
    assert secret_works(app, third) and secret_works(app, second["client_secret"]) and not secret_works(app, first)
    shown = dev.admin("app", "show", app.client_id)
    assert shown["live_secrets"] == 2 and "gds_" not in json.dumps(shown)


# norm: P07
def test_grants_are_listed_and_revoked(dev):
    app = dev.new_app()
    tokens = app.install()
    (listed,) = dev.admin("grant", "list", "--app", app.client_id)["grants"]
    assert (listed["hub_id"], listed["user_id"], listed["status"]) == (dev.hub_id, dev.user_id, "live")
    assert sorted(listed["scopes"]) == sorted(app.scopes)
    dev.admin("grant", "revoke", listed["grant_id"])
    assert not app.is_active(tokens["access_token"])
    answer = app.refresh(tokens["refresh_token"])
    assert answer.status == 400 and answer.json["error"] == "invalid_grant"
    assert dev.admin("grant", "list", "--app", app.client_id, "--live")["grants"] == []


def test_a_revoked_grant_leaves_no_access_token(dev_factory):
    """Also where a client's own revocation would leave them."""
    dev = dev_factory("--revocation-keep-access-tokens")
    tokens = dev.confidential.install()
    (listed,) = dev.admin("grant", "list")["grants"]
    dev.admin("grant", "revoke", listed["grant_id"])
    assert not dev.confidential.is_active(tokens["access_token"])


def test_uninstall(dev):
    app = dev.new_app()
    tokens = app.install()
    dev.admin("grant", "revoke", "--app", app.client_id, "--account", dev.hub_id)
    assert app.refresh(tokens["refresh_token"]).json["status"] == "BAD_HUB"
    (listed,) = dev.admin("grant", "list", "--app", app.client_id)["grants"]
    assert listed["status"] == "uninstalled"
    again = app.install()
    assert app.is_active(again["access_token"])


@pytest.mark.parametrize("noun, key, status", [("user", "user_id", "BAD_REFRESH_TOKEN"), ("account", "hub_id", "BAD_HUB")])
def test_people_and_accounts_are_disabled_at_once(dev_factory, noun, key, status):
    dev = dev_factory()
    tokens, name = dev.confidential.install(), getattr(dev, key)
    dev.admin(noun, "disable", name)
    assert dev.confidential.refresh(tokens["refresh_token"]).json["status"] == status
    assert not dev.confidential.is_active(tokens["access_token"])
    dev.admin(noun, "enable", name)
    assert dev.confidential.refresh(tokens["refresh_token"]).status == 200


def test_an_installation_without_a_browser(dev):
    """An integration that moves here gets a refresh token that works like any other, also with rotation."""
    for option in ((), ("--rotate",)):
        app = dev.new_app(*option)
        made = dev.admin("grant", "create", "--app", app.client_id, "--account", dev.hub_id, "--user", dev.info["user"]["email"])
        answer = app.refresh(made["refresh_token"])
        assert answer.status == 200 and answer.json["hub_id"] == dev.hub_id and answer.json["user_id"] == dev.user_id
        assert sorted(answer.json["scopes"]) == sorted(app.scopes)
        assert app.is_active(answer.json["access_token"])
        assert app.refresh(answer.json["refresh_token"]).status == 200


def test_what_a_command_changed_is_there_after_a_restart(dev_factory):
    dev = dev_factory()
    app = dev.new_app("--client-credentials")
    dev.stop()
    run(dev.data, "app", "update", app.client_id, "--name", "Between")
    secret = ask(dev.data, "app", "secret", "add", app.client_id)["client_secret"]
    dev.restart()
    assert harness.App(dev.api, app.info).client_id == app.client_id
    again = harness.App(dev.api, {**app.info, "client_secret": secret})
    assert again.client_credentials().status == 200
    assert dev.admin("app", "show", app.client_id)["name"] == "Between"


# ---- passwords ----

def test_passwords_come_from_files_or_standard_input(dev, tmp_path):
    file = tmp_path / "password"
    file.write_text("correct horse\n")
    email = "typist@one.example"
    assert dev.admin("user", "create", "--email", email, "--password-file", file)["has_password"]
    for data, status in (("another horse\n", 0), ("another horse", 0), ("short", 1), ("", 1), ("x" * 257, 1), ("x" * 256, 0)):
        done = harness.command("user", "set-password", email, "--password-file", "-", "--data", dev.data, input=data)
        assert done.returncode == status, done.stderr
        assert not data.strip() or data.strip() not in done.stdout + done.stderr
    assert dev.admin("user", "set-password", email, "--password-file", tmp_path / "none", ok=False).returncode == 2
    assert b"horse" not in dev.output()


# ---- backup ----

# The owner of a backup restores it by putting it and master.key into a new directory.
@harness.only_sqlite
def test_backup_while_serving(dev_factory, tmp_path, serve_factory):
    dev = dev_factory()
    app = dev.new_app("--client-credentials")
    tokens = app.install()
    copy = tmp_path / "copy.db"
    said = run(dev.data, "backup", "copy.db", cwd=tmp_path).stdout
    assert "master.key" in said and "done" in said
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    before = copy.read_bytes()
    assert "exists" in run(dev.data, "backup", copy, status=1).stderr and copy.read_bytes() == before
    assert dev.admin("backup", "status")["state"] == "done"
    assert dev.confidential.client_credentials().status == 200
    restored = tmp_path / "restored"
    restored.mkdir(mode=0o700)
    (restored / "grantd.db").write_bytes(before)
    (restored / "master.key").write_bytes((dev.data / "master.key").read_bytes())
    for name in ("grantd.db", "master.key"):
        os.chmod(restored / name, 0o600)
    server = serve_factory(data=restored)
    moved = harness.App(server.api, app.info)
    assert moved.client_credentials().status == 200
    assert moved.refresh(tokens["refresh_token"]).status == 200


@harness.only_sqlite
def test_backup_without_a_server(tmp_path):
    data = tmp_path / "data"
    run(data, "scope", "create", "read")
    assert ask(data, "backup", tmp_path / "copy.db")["state"] == "done"
    with sqlite3.connect(tmp_path / "copy.db") as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    run(data, "backup", tmp_path / "none" / "copy.db", status=1)


# ---- HTTP ----

def test_the_socket_is_the_owners(dev):
    assert stat.S_IMODE(os.stat(dev.admin_socket).st_mode) == 0o600


def test_http(dev):
    admin = harness.Admin(dev.admin_socket)
    made = admin.send("POST", "/admin/v1/scopes", {"name": "by.http"})
    assert made.status == 201 and made.json["name"] == "by.http" and made.headers["cache-control"] == "no-store"
    refused = admin.send("POST", "/admin/v1/scopes", {"name": "by.http"})
    assert refused.status == 409 and refused.json["error"]["code"] == "conflict" and refused.json["error"]["message"]
    wrong = admin.send("DELETE", "/admin/v1/scopes")
    assert wrong.status == 405 and wrong.headers["allow"] == "POST, GET"
    assert admin.request("POST", "/admin/v1/scopes", "name=x", {"content-type": harness.FORM}).status == 415
    assert admin.send("GET", "/admin/v1/none").status == 404
    assert admin.request("POST", "/admin/v1/scopes", "[" * 60000, {"content-type": "application/json"}).status == 400
    assert admin.request("POST", "/admin/v1/scopes", "x" * 70000, {"content-type": "application/json"}).status == 413
    page = admin.send("GET", "/admin/v1/scopes?limit=1")
    following = admin.send("GET", f"/admin/v1/scopes?limit=1&after={page.json['next']}")
    assert page.json["scopes"] != following.json["scopes"]
    for path in ("/health/live", "/health/ready"):
        assert admin.send("GET", path).status == 200


def test_the_public_listener_has_no_administration(dev):
    assert dev.api.get("/admin/v1/apps").status == 404
    assert dev.api.get("/health/live").status == 404


def test_tcp_needs_the_token(dev_factory, tmp_path):
    token = "t0ken-of-a-good-length-0123456789"
    file = tmp_path / "token"
    file.write_text(token + "\n")
    file.chmod(0o600)
    port = harness.free_port()
    dev = dev_factory("--admin-listen", f"127.0.0.1:{port}", "--admin-token-file", str(file))
    api = harness.Api("127.0.0.1", port, checked=False)
    for headers in ({}, {"authorization": f"Bearer {token}x"}, {"authorization": "Bearer "}, {"authorization": f"Basic {token}"}):
        answer = api.get("/admin/v1/apps", headers)
        assert answer.status == 401 and answer.headers["www-authenticate"] == "Bearer", headers
    assert api.get("/admin/v1/apps", {"authorization": f"Bearer {token}"}).status == 200
    assert api.get("/health/live").status == 200
    done = harness.command("app", "list", "--json", "--admin-listen", f"127.0.0.1:{port}", "--admin-token-file", file)
    assert done.returncode == 0 and len(json.loads(done.stdout)["apps"]) == 3, done.stderr
    file.chmod(0o644)
    done = harness.command("app", "list", "--admin-listen", f"127.0.0.1:{port}", "--admin-token-file", file)
    assert done.returncode == 1 and "chmod 600" in done.stderr
    assert token.encode() not in dev.output()


def test_changes_are_logged_without_secrets(dev_factory):
    dev = dev_factory()
    app = dev.new_app()
    dev.admin("app", "disable", app.client_id)
    dev.stop()
    log = dev.output().decode()
    lines = [json.loads(line) for line in log.splitlines() if "ADMIN_CHANGED" in line]
    assert [line["command"] for line in lines][-2:] == ["app_create", "app_disable"]
    assert str(app.info["app_id"]) in lines[-1]["subject"]
    assert "gds_" not in log


# ---- usage ----

@pytest.mark.parametrize("words", [
    ("app",), ("app", "eat"), ("app", "show"), ("app", "show", "a", "b"), ("app", "show", ""), ("app", "delete", ""),
    ("app", "create"), ("app", "create", "--name"), ("app", "create", "--name", "x", "--colour", "red"), ("app", "list", "--limit", "x"),
    ("app", "list", "--limit", "0"), ("app", "create", "--name", "x", "--access-ttl", "soon"), ("account", "show", "x"),
    ("grant", "revoke"), ("backup",), ("user", "set-password", "a@b.example"), ("app", "show", "x", "--data")])
def test_wrong_usage(tmp_path, words):
    run(tmp_path / "data", *words, status=2) if words[-1] != "--data" else None
    done = harness.command(*words)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.startswith("grantd: ")
    assert not (tmp_path / "data").exists()


def test_reading_makes_no_directory(tmp_path):
    assert "no data directory" in run(tmp_path / "typo", "app", "list", status=1).stderr
    assert not (tmp_path / "typo").exists()


def test_help(tmp_path):
    for words in (("app", "create"), ("app",), ("grant", "revoke"), ("app", "secret")):
        done = harness.command(*words, "--help")
        assert done.returncode == 0 and done.stderr == "" and max(map(len, done.stdout.splitlines())) <= 170
    assert "--redirect-uri" in harness.command("app", "create", "--help").stdout


def test_the_environment_names_the_directory(tmp_path):
    environment = {**harness.plain_environment(), "GRANTD_DATA": str(tmp_path / "data")}
    done = subprocess.run([harness.BINARY, "scope", "create", "x", "--json"], capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and json.loads(done.stdout)["name"] == "x"


def test_the_openapi_document_is_current():
    page = harness.ROOT / "docs/admin-openapi.json"
    assert harness.command("docs", "admin-openapi").stdout == page.read_text(), "grantd docs admin-openapi > docs/admin-openapi.json"
