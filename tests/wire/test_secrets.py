"""Nothing that was handed out stands in a log line or in the data directory."""
import os
import stat

import harness


def everything_on_disk(folder):
    """The data directory, and the database when the store is elsewhere."""
    held = b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    return held + (harness.postgres_dump(folder) if harness.POSTGRES else b"")


def parts_of(token):
    """The token and the pieces of it that a log could hold: long runs of its body."""
    body = token[4:-6]
    return [token.encode(), body.encode(), body[:24].encode(), body[-24:].encode()]


def test_no_token_in_logs_or_files(dev_factory):
    """norm: X22 F11 P05"""
    server = dev_factory("--log-level", "debug")
    secrets = []
    for app in (server.confidential, server.public):
        pkce = harness.Pkce()
        code = app.code(**pkce.asked)
        got = app.redeem(code, code_verifier=pkce.verifier).json
        again = app.refresh(got["refresh_token"]).json
        secrets += [code, got["access_token"], got["refresh_token"], again["access_token"], again["refresh_token"]]
        # failures are logged more readily than successes
        app.redeem(code, code_verifier=harness.Pkce().verifier)
        app.refresh(got["refresh_token"] + "x")
        app.token(grant_type="refresh_token", refresh_token=got["refresh_token"], client_secret="gds_canary_of_the_tests_0123456789")
        server.get(f"/oauth/v1/access-tokens/{got['access_token']}")
        server.get(f"/oauth/v1/refresh-tokens/{again['refresh_token']}")
        server.get(f"/nothing/{got['access_token']}?token={got['refresh_token']}")
        app.uninstall(got["access_token"] + "x")
    secrets += [server.confidential.client_secret, server.resource_server.client_secret, server.info["user"]["password"]]
    secrets.append(server.confidential.client_credentials().json["access_token"])
    made = server.new_app()
    secrets.append(made.client_secret)
    server.stop()
    held = everything_on_disk(server.data)
    logged = server.output()
    assert (b"INSERT INTO public.grants" if harness.POSTGRES else b"SQLite format 3") in held  # we look in the right place
    assert b"SERVER_READY" in logged
    for secret in secrets:
        for part in parts_of(secret) if secret.startswith("gd") else [secret.encode()]:
            assert part not in logged and part not in held
    assert b"canary_of_the_tests" not in logged + held
    server.start()


def test_files_are_for_the_owner_alone(dev):
    assert stat.S_IMODE(os.stat(dev.data).st_mode) == 0o700
    for path in dev.data.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_log_lines_are_json(dev_factory):
    server = dev_factory("--log-level", "debug")
    server.confidential.install()
    server.stop()
    lines = server.output().decode().splitlines()
    assert lines
    for line in lines:
        row = harness.json.loads(line)
        assert {"event", "level", "time"} <= set(row), line
    server.start()
