"""Things that end by themselves. The tests move the server's clock on (clock_at_s), so they wait for nothing and no slowness of the machine is in them."""
import harness
import test_refusals


def test_code_expires(dev_factory):
    """CODE_EXPIRED, after a minute unless an option says otherwise. norm: C11 R10 E80"""
    server = dev_factory(clock=True)
    code = server.confidential.code()
    late = server.confidential.code()
    assert server.confidential.redeem(code).status == 200
    server.pass_time(60)
    assert test_refusals.is_refusal(server.confidential.redeem(late), "CODE_EXPIRED")


def test_access_token_expires(dev_factory):
    """BEARER_EXPIRED. norm: I07"""
    server = dev_factory("--access-ttl", "15m", clock=True)
    got = server.confidential.install()
    assert got["expires_in"] == 900 and server.confidential.is_active(got["access_token"])
    server.pass_time(899)
    assert server.confidential.is_active(got["access_token"])
    server.pass_time(1)
    assert not server.confidential.is_active(got["access_token"])
    assert test_refusals.is_refusal(server.confidential.uninstall(got["access_token"]), "BEARER_EXPIRED")
    assert server.confidential.refresh(got["refresh_token"]).status == 200


def test_refresh_token_with_an_end(dev_factory):
    server = dev_factory(clock=True)
    app = server.new_app("--refresh-absolute", "10m")
    got = app.install()
    again = app.refresh(got["refresh_token"])
    assert again.status == 200 and again.json["expires_in"] == 600  # no access token outlives its grant
    server.pass_time(599)
    assert app.refresh(again.json["refresh_token"]).json["expires_in"] == 1
    server.pass_time(1)
    assert test_refusals.is_refusal(app.refresh(got["refresh_token"]), "REFRESH_INVALID")
    assert not app.is_active(got["refresh_token"])


def test_the_clock_of_production_is_the_machines(tmp_path):
    done = harness.command("check-config", "--data", tmp_path, "--issuer", "https://a.example", "--listen", "127.0.0.1:1", "--clock-at", "1")
    assert done.returncode == 1 and "clock_at_s" in done.stderr
