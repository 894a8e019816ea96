"""Guessing is slowed down, and those who do nothing wrong notice nothing. RATE_LIMIT"""
import json

import harness

WRONG = "gds_wrong"


def test_guessing_secrets_is_limited_and_the_good_pass(dev_factory):
    """norm: X19"""
    server = dev_factory(limits=True)
    connection = server.api.connect()
    good = [server.confidential.client_credentials(connection).status for _ in range(500)]
    assert set(good) == {200}

    wrong = [server.confidential.client_credentials(connection, client_secret=WRONG) for _ in range(400)]
    refused = [a for a in wrong if a.status == 429]
    assert {a.status for a in wrong} == {400, 429}
    assert 370 <= len(refused) <= 385, len(refused)
    body = refused[0].json
    assert body["status"] == "RATE_LIMIT" and body["error"] == "temporarily_unavailable"
    assert 1 <= int(refused[0].headers["retry-after"]) <= 60
    assert [name for name in refused[0].headers if name.startswith("x-hubspot-ratelimit-")]

    # another app at the same address is not concerned
    other = server.new_app()
    assert other.client_credentials().status == 400 and other.install()["token_type"] == "bearer"
    assert server.public.install()["token_type"] == "bearer"
    connection.close()


def test_guessing_codes_and_tokens_is_limited(dev_factory):
    """norm: C12 X19"""
    server = dev_factory(limits=True)
    for meet in (lambda: server.public.refresh("gdr_nonsense"), lambda: server.confidential.redeem("gdc_nonsense")):
        got = [meet().status for _ in range(40)]
        assert got[:20] == [400] * 20 and 429 in got[20:22] and got[-1] == 429


def test_introspection_counts_authentication_only(dev_factory):
    server = dev_factory(limits=True)
    assert {server.confidential.introspect("gda_nonsense").status for _ in range(60)} == {200}
    assert {server.confidential.revoke("gda_nonsense").status for _ in range(60)} == {200}


def test_the_limit_is_an_option(dev_factory):
    server = dev_factory("--limit-auth-failures", "3", limits=True)
    got = [server.confidential.client_credentials(client_secret=WRONG).status for _ in range(6)]
    assert got[:3] == [400] * 3 and got[-1] == 429
    server = dev_factory("--limit-auth-failures", "0", limits=True)
    assert {server.confidential.client_credentials(client_secret=WRONG).status for _ in range(60)} == {400}


def test_an_address_behind_a_proxy(dev_factory):
    """Only a proxy that was configured says who the client is. norm: X03"""
    def fail(server, address):
        form = {**server.confidential.credentials, "client_secret": WRONG, "grant_type": "client_credentials"}
        return server.post(harness.V3, form, headers={"x-forwarded-for": address}).status

    trusting = dev_factory("--limit-auth-failures", "5", "--trusted-proxy", "127.0.0.0/8", limits=True)
    assert [fail(trusting, "192.0.2.1") for _ in range(8)][-1] == 429
    assert fail(trusting, "192.0.2.2") == 400
    distrusting = dev_factory("--limit-auth-failures", "5", limits=True)
    assert [fail(distrusting, f"192.0.2.{i}") for i in range(1, 9)][-1] == 429


def test_forwarded_of_a_proxy(dev_factory, tmp_path):
    """RFC 7239, once it is what the proxy is said to write; the other kind of header could be the client's. One address for limits and log. norm: X03"""
    file = tmp_path / "grantd.ini"
    file.write_text("[grantd]\ntrusted_proxies = 127.0.0.0/8\nproxy_headers = forwarded\n")
    server = dev_factory("--config", file, "--limit-auth-failures", "5", limits=True)

    def fail(**headers):
        form = {**server.confidential.credentials, "client_secret": WRONG, "grant_type": "client_credentials"}
        return server.post(harness.V3, form, headers={name.replace("_", "-"): value for name, value in headers.items()}).status

    chain = 'for=198.51.100.9, for="192.0.2.1:4711";proto=http, for=127.0.0.2'
    assert [fail(forwarded=chain) for _ in range(8)][-1] == 429
    assert fail(forwarded="for=192.0.2.2") == 400 and fail(forwarded="for=198.51.100.9") == 400
    assert fail(forwarded="for=192.0.2.1", x_forwarded_for="192.0.2.77") == 429
    lines = [json.loads(line) for line in server.output().splitlines() if b"REQUEST_LIMITED" in line]
    assert {line["peer"] for line in lines} == {"192.0.2.1"}
    file.write_text("[grantd]\ntrusted_proxies = 127.0.0.0/8\n")
    server.admin("reload")
    assert fail(forwarded="for=192.0.2.1", x_forwarded_for="192.0.2.77") == 400, "from now on the other header counts"
    file.write_text("[grantd]\n")
    server.admin("reload")
    assert [fail(x_forwarded_for=f"192.0.2.{i}") for i in range(100, 108)][-1] == 429, "nobody is trusted any more"
