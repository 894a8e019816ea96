"""The schema moves on under nodes that serve: release N and N+1 on one database."""
import json
import os
import pathlib
import subprocess
import time

import harness
import nodes
import pytest

# What a next release may add to what this one has: the rules of src/store/store.h.
ADDITIONS = """
ALTER TABLE grants ADD COLUMN next_a BIGINT NOT NULL DEFAULT 7; ALTER TABLE grants ADD COLUMN next_b BYTEA;
ALTER TABLE apps ADD COLUMN next_a TEXT NOT NULL DEFAULT ''; ALTER TABLE accounts ADD COLUMN next_a BIGINT;
ALTER TABLE users ADD COLUMN next_a BIGINT NOT NULL DEFAULT 0; ALTER TABLE members ADD COLUMN next_a TEXT;
ALTER TABLE sessions ADD COLUMN next_a BYTEA; ALTER TABLE uninstalls ADD COLUMN next_a BIGINT;
ALTER TABLE revoked_tokens ADD COLUMN next_a BIGINT; ALTER TABLE keys ADD COLUMN next_a BIGINT NOT NULL DEFAULT 1;
CREATE TABLE next_table (id BYTEA PRIMARY KEY, x BIGINT NOT NULL);
"""


def migrate(store, *words):
    return harness.command("migrate", "--store", store, *words)


def status(store):
    done = migrate(store, "--status", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def record(cluster, version, readable_from):
    """As the last statement of a step does."""
    cluster.ask(f"INSERT INTO schema_versions (version, readable_from) VALUES ({version}, {readable_from}); NOTIFY grantd")


def ended(node):
    """The exit status of a node that leaves by itself, and what it said."""
    code = node.process.wait(harness.PATIENCE_S)
    node.process.stdout.close()
    node.process = None
    return code, node.output().decode()


def refused(farm, store, *options):
    stranger = farm.prepare(store, *options)
    with pytest.raises(AssertionError):
        stranger.start()
    return ended(stranger)


def test_the_operator_migrates_first(clusters, farm):
    store = clusters("db").url
    assert (status(store)["schema"], {step["done"] for step in status(store)["steps"]}) == (0, {False})
    code, said = refused(farm, store, "--no-migrate")
    assert code == 1 and "run grantd migrate" in said
    done = migrate(store)
    assert done.returncode == 0 and f"schema {status(store)['newest']} now" in done.stdout
    assert "step 1: the first schema" in done.stderr
    again = json.loads(migrate(store, "--json").stdout)
    assert again["was"] == again["schema"] == again["newest"]
    found = status(store)
    assert found["schema"] == found["newest"] and all(step["done"] for step in found["steps"])
    assert "nothing to do" in migrate(store).stdout
    farm.start(store, 1, "--no-migrate")


def add_columns(cluster):
    """As a step does it: it waits half a second for its locks, then lets the others go first and tries again."""
    done = subprocess.run(["psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", cluster.url, "-c", f"BEGIN; SET LOCAL lock_timeout = '500ms'; {ADDITIONS} COMMIT"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "lock timeout" in done.stderr, done.stderr
    return done.returncode == 0


def test_a_next_release_migrates_under_load(clusters, farm, place):
    """norm: N04"""
    cluster = clusters("db")
    two = farm.start(cluster.url, 2)
    newest = status(cluster.url)["newest"]
    load = nodes.Load(farm.haproxy(), threads=4).start()
    nodes.wait_until(lambda: len(load.successes) > 50)

    # a step that this release can live with
    nodes.wait_until(lambda: add_columns(cluster))
    cluster.ask("CREATE INDEX CONCURRENTLY next_index ON grants (app_id, created_ms)")
    record(cluster, newest + 1, newest)
    before = len(load.successes)
    nodes.wait_until(lambda: len(load.successes) > before + 100)
    third = farm.start(cluster.url, 1)[0]  # and a node that starts on it
    made = third.new_app("--client-credentials")
    there = harness.App(two[0].api, made.info)
    nodes.wait_until(lambda: there.client_credentials().status == 200)
    assert third.confidential.is_active(two[1].confidential.install()["access_token"])
    assert "nothing to do" in migrate(cluster.url).stdout
    load.stop()
    assert not load.refused and not load.doubtful
    load.check_grants()

    # one that it cannot live with
    record(cluster, newest + 2, newest + 2)
    for node in farm.nodes:
        code, said = ended(node)
        assert code == 1 and "STORE_OUTDATED" in said, said
        assert f"for programs that know schema {newest + 2}, this one knows {newest}" in said or "start a newer grantd" in said
    code, said = refused(farm, cluster.url)
    assert code == 1 and "start a newer grantd" in said
    done = migrate(cluster.url)
    assert done.returncode == 1 and "start a newer grantd" in done.stderr


@pytest.mark.skipif("OLD_GRANTD" not in os.environ, reason="OLD_GRANTD names no program of the release before (docs/changing.md)")
def test_the_release_before_on_the_same_database(clusters, farm, monkeypatch):
    """Both programs, for real: the old one makes the schema and serves, the new one migrates under it, then both serve."""
    cluster = clusters("db")
    new = harness.BINARY
    monkeypatch.setattr(harness, "BINARY", pathlib.Path(os.environ["OLD_GRANTD"]))
    monkeypatch.setattr(harness.schema, "check", lambda *answer: None)  # of this release's answers
    old = farm.start(cluster.url, 2)
    load = nodes.Load(old[0].confidential, threads=4).start()
    nodes.wait_until(lambda: len(load.successes) > 100)
    monkeypatch.setattr(harness, "BINARY", new)
    done = migrate(cluster.url)
    assert done.returncode == 0, done.stderr
    before = len(load.successes)
    nodes.wait_until(lambda: len(load.successes) > before + 100)
    (node,) = farm.start(cluster.url, 1)
    other = nodes.Load(node.confidential, threads=4).start()
    time.sleep(3)
    load.stop()
    other.stop()
    assert not load.refused and not other.refused
    for giver, taker in ((old[1], node), (node, old[0])):
        got = giver.confidential.install()
        assert taker.confidential.is_active(got["access_token"])
        assert taker.confidential.refresh(got["refresh_token"]).status == 200
    load.check_grants()
    other.check_grants()
