"""Things that end by themselves."""
import time

import test_refusals


def test_code_expires(dev_factory):
    """CODE_EXPIRED. norm: C11 R10"""
    server = dev_factory("--code-ttl", "1s")
    code = server.confidential.code()
    late = server.confidential.code()
    assert server.confidential.redeem(code).status == 200
    time.sleep(1.2)
    assert test_refusals.is_refusal(server.confidential.redeem(late), "CODE_EXPIRED")


def test_access_token_expires(dev_factory):
    """BEARER_EXPIRED. norm: I07"""
    server = dev_factory("--access-ttl", "1s")
    got = server.confidential.install()
    assert got["expires_in"] == 1 and server.confidential.is_active(got["access_token"])
    time.sleep(1.2)
    assert not server.confidential.is_active(got["access_token"])
    assert test_refusals.is_refusal(server.confidential.uninstall(got["access_token"]), "BEARER_EXPIRED")
    assert server.confidential.refresh(got["refresh_token"]).status == 200


def test_refresh_token_with_an_end(dev_factory):
    server = dev_factory()
    app = server.new_app("--code-ttl", "1s", "--refresh-absolute", "2s")
    got = app.install()
    again = app.refresh(got["refresh_token"])
    assert again.status == 200 and again.json["expires_in"] <= 2  # no access token outlives its grant
    time.sleep(2.2)
    assert test_refusals.is_refusal(app.refresh(got["refresh_token"]), "REFRESH_INVALID")
    assert not app.is_active(got["refresh_token"])
