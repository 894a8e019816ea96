"""Several nodes on one database agree, and hear of each other."""
import subprocess
import time

import harness
import nodes
import pytest


def test_nodes_started_at_once_agree(clusters, farm):
    cluster = clusters("db")
    three = farm.start(cluster.url, 3)
    assert three[0].info["apps"] == three[1].info["apps"] == three[2].info["apps"]
    assert cluster.ask("SELECT count(*) FROM apps") == "3"
    for giver, taker in ((0, 1), (1, 2), (2, 0)):
        code = three[giver].confidential.code()
        got = three[taker].confidential.redeem(code)
        assert got.status == 200
        assert three[giver].confidential.redeem(code).json["status"] == "BAD_AUTH_CODE"


def test_a_revocation_is_seen_by_the_next_request_everywhere(clusters, farm):
    """norm: V02"""
    one, two = farm.start(clusters("db").url, 2)
    for _ in range(20):
        got = one.confidential.install()
        assert two.confidential.is_active(got["access_token"])
        assert one.confidential.revoke(got["refresh_token"]).status == 200
        assert not two.confidential.is_active(got["access_token"])
        assert two.confidential.refresh(got["refresh_token"]).status == 400


POLL_PERIOD_S = 5


@pytest.mark.parametrize(("options", "changes"), [((), 10), (("--store-pooled",), 1)], ids=["notify", "poll"])
def test_changes_are_heard_of_at_other_nodes(clusters, farm, options, changes):
    """Who only polls hears of each change at another round. Who is told has heard of many before so many rounds are over."""
    one, two = farm.start(clusters("db").url, 2, *options)
    made = one.new_app("--client-credentials")
    there = harness.App(two.api, made.info)
    nodes.wait_until(lambda: there.client_credentials().status == 200)
    began = time.monotonic()
    for i in range(changes):
        one.admin("app", ("disable", "enable")[i % 2], made.client_id)
        nodes.wait_until(lambda i=i: (there.client_credentials().status == 200) == bool(i % 2))
    assert changes == 1 or time.monotonic() - began < (changes - 1) * POLL_PERIOD_S


def test_another_master_key_is_refused(clusters, farm):
    cluster = clusters("db")
    farm.start(cluster.url, 1)
    farm.master = b"x" * 32
    stranger = farm.prepare(cluster.url)
    with pytest.raises(AssertionError):
        stranger.start()
    stranger.process.wait(harness.PATIENCE_S)
    stranger.process.stdout.close()
    stranger.process = None
    assert b"master.key" in stranger.output() or b"key" in stranger.output()


def test_connections_are_the_stated_number(clusters, farm):
    """Two for each loop and two for administration, whatever the load."""
    cluster = clusters("db")
    (node,) = farm.start(cluster.url, 1, "--threads", "3")
    harness.in_parallel(32, lambda i: node.confidential.install())
    assert cluster.ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'grantd'") == "8"


def test_behind_a_pooler_in_transaction_mode(clusters, farm, place):
    cluster, port = clusters("db"), harness.free_port()
    config = place / "pgbouncer.ini"
    config.write_text(
        f"[databases]\ngrantd = host=127.0.0.1 port={cluster.port} user=grantd\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
        f"unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 2\nlogfile = {cluster.folder}/pgbouncer.log\n")
    config.chmod(0o644)
    pooler = subprocess.Popen([*nodes.OWNER, "pgbouncer", "-q", str(config)], cwd="/", stderr=subprocess.DEVNULL)
    try:
        nodes.wait_until(lambda: subprocess.run(["pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]).returncode == 0)
        two = farm.start(f"postgres://grantd@127.0.0.1:{port}/grantd", 2, "--store-pooled")
        results = harness.in_parallel(16, lambda i: [two[i % 2].confidential.install() for _ in range(10)])
        for got in (got for some in results for got in some):
            assert two[0].confidential.is_active(got["access_token"])
        token = two[0].public.install()["refresh_token"]
        answers = harness.in_parallel(16, lambda i: two[i % 2].public.refresh(token))
        assert {a.status for a in answers} == {200} and len({a.json["refresh_token"] for a in answers}) == 1
    finally:
        farm.stop()
        farm.nodes.clear()
        pooler.terminate()
        pooler.wait()
