"""The program as an operator meets it."""
import json
import socket

import pytest

import harness


def test_version_and_help():
    for words in (["--version"], ["--help"], ["help"], ["serve", "--help"], ["dev", "--help"]):
        done = harness.command(*words)
        assert done.returncode == 0 and done.stdout and not done.stderr, words


@pytest.mark.parametrize("words", [[], ["nonsense"], ["serve", "--no-such-option"], ["app", "nonsense"], ["dev", "--access-ttl", "soon"], ["app", "create"]])
def test_wrong_usage(words, tmp_path):
    done = harness.command(*words, *(["--data", tmp_path / "d"] if words and words[0] == "app" else []))
    assert done.returncode == 2 and done.stderr.strip() and not done.stdout


def refused(*words):
    done = harness.command(*words)
    assert done.returncode == 1 and done.stderr.strip(), done
    assert not done.stdout
    return done.stderr


def test_unsafe_set_ups_are_refused(tmp_path):
    """norm: X01"""
    data = tmp_path / "data"
    said = refused("serve", "--data", data, "--listen", "127.0.0.1:0", "--issuer", "http://auth.example.com")
    assert "https" in said
    for issuer in ("https://auth.example.com/", "https://auth.example.com?x=1", "https://auth.example.com#f", "ftp://auth.example.com", ""):
        refused("serve", "--data", data, "--listen", "127.0.0.1:0", "--issuer", issuer)
    assert "--data" in refused("serve", "--listen", "127.0.0.1:0", "--issuer", "https://auth.example.com")


def test_world_readable_key_is_refused(serve_factory):
    server = serve_factory()
    server.stop()
    key = server.data / "master.key"
    key.chmod(0o644)
    said = refused("serve", "--data", server.data, "--listen", "127.0.0.1:0", "--issuer", "http://127.0.0.1:1")
    assert "master.key" in said and "chmod" in said
    key.chmod(0o600)
    server.start()


def test_two_servers_on_one_directory(serve_factory):
    server = serve_factory()
    said = refused("serve", "--data", server.data, "--listen", "127.0.0.1:0", "--issuer", "http://127.0.0.1:1")
    assert "in use" in said
    said = refused("dev", "--data", server.data, "--listen", "127.0.0.1:0")
    assert "in use" in said
    assert server.api.post(harness.V3, b"").json["status"] == "BAD_CLIENT_ID"  # the first one does not mind


def test_port_in_use(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert str(port) in refused("serve", "--data", tmp_path / "d", "--listen", f"127.0.0.1:{port}", "--issuer", f"http://127.0.0.1:{port}")


def test_production_has_no_v1_and_no_auto_approval(serve_factory):
    server = serve_factory(*harness.NO_LIMITS)
    made = server.admin("app", "create", "--name", "A", "--redirect-uri", "https://a.example/cb", "--scope", "contacts.read", "--create-scopes", "--client-credentials")
    app = harness.App(server.api, {**made, "redirect_uri": "https://a.example/cb", "scopes": ["contacts.read"]})
    assert app.client_credentials().status == 200
    assert app.at("/oauth/v1/token").client_credentials().status == 404
    assert server.api.get("/oauth/v1/access-tokens/x").status == 404
    page = app.authorize()  # norm: A03
    assert page.status == 200 and b'name="password"' in page.body


def test_an_installation_made_by_the_administrator(serve_factory):
    server = serve_factory(*harness.NO_LIMITS)
    server.admin("account", "create", "--domain", "a.example", "--hub-id", "4711")
    server.admin("user", "create", "--email", "p@a.example", "--user-id", "12", "--account", "4711", "--role", "installer")
    made = server.admin("app", "create", "--name", "A", "--redirect-uri", "https://a.example/cb", "--scope", "contacts.read", "--create-scopes")
    app = harness.App(server.api, {**made, "redirect_uri": "https://a.example/cb", "scopes": ["contacts.read"]})
    token = server.admin("grant", "create", "--app", app.client_id, "--account", "4711", "--user", "12")["refresh_token"]
    got = app.refresh(token).json
    assert (got["hub_id"], got["user_id"], got["scopes"]) == (4711, 12, ["contacts.read"])
    server.stop()
    # administration without a server works on the store itself
    assert [a["client_id"] for a in json.loads(harness.command("app", "list", "--data", server.data, "--json").stdout)["apps"]] == [app.client_id]
    server.start()
    assert app.refresh(token).status == 200


def test_dev_goes_on_with_the_same_data(dev_factory):
    server = dev_factory()
    before, got = server.info, server.confidential.install()
    server.stop()
    server.restart()
    for name in ("apps", "account", "user", "issuer"):
        assert server.info[name] == before[name]
    assert server.confidential.is_active(got["access_token"])
    assert server.confidential.refresh(got["refresh_token"]).status == 200


def test_dev_line_has_what_tools_need(dev):
    assert set(dev.info) >= {"issuer", "admin", "pid", "account", "user", "apps"}
    assert dev.info["pid"] == dev.process.pid and dev.info["admin"].startswith("unix:")
    assert len(dev.confidential.scopes) >= 2 and dev.confidential.client_secret.startswith("gds_") and not dev.public.client_secret


def test_options_from_file_and_environment(dev_factory, tmp_path):
    config = tmp_path / "grantd.ini"
    config.write_text("[grantd]\naccess_ttl_s = 7m\n")
    assert dev_factory("--config", str(config)).confidential.install()["expires_in"] == 420
    assert dev_factory("--config", str(config), "--access-ttl", "8m").confidential.install()["expires_in"] == 480
    config.write_text("[grantd]\nno_such_option = 1\n")
    assert "no_such_option" in refused("dev", "--config", config, "--listen", "127.0.0.1:0")


def test_health(dev):
    def ask(path):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(harness.PATIENCE_S)
            s.connect(dev.admin_socket)
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            return b"".join(iter(lambda: s.recv(65536), b""))

    for path in ("/health/live", "/health/ready"):
        assert ask(path).startswith(b"HTTP/1.1 200 ")
        assert dev.get(path).status == 404  # not for strangers
