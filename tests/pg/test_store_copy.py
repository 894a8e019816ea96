"""`grantd store copy`: a server moves from SQLite to PostgreSQL and back, and its clients notice nothing."""
import json
import os
import signal
import sqlite3
import subprocess
import time

import harness
import pytest


def copy(source, target, *words):
    return harness.command("store", "copy", "--from", source, "--to", target, *words)


def copied(source, target, *words):
    done = copy(source, target, "--json", *words)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return {table["name"]: (table["rows"], table["checksum"]) for table in found["tables"]}


def refused(why, source, target, *words):
    done = copy(source, target, *words)
    assert done.returncode == 1 and not done.stdout, done
    assert why in done.stderr and done.stderr.count("\n") == 1, done.stderr


@pytest.fixture
def server(place):
    """A server on SQLite, with a data directory that may be looked at."""
    data = place / "data"
    data.mkdir(mode=0o700)
    one = harness.DevServer(data, place / "log").start()
    yield one
    if one.process:
        one.stop()


def test_from_sqlite_to_postgres_and_back(server, clusters, farm, place):
    cluster, source, home = clusters("db"), f"sqlite:{server.data}", place / "home"
    got = [server.confidential.install() for _ in range(20)]
    rotating = server.new_app("--public")
    first = rotating.install()
    gone = server.confidential.install()
    assert server.confidential.revoke(gone["refresh_token"]).status == 200
    refused("stop it, or copy this moment with --live", source, cluster.url)
    live = copied(source, f"sqlite:{place / 'snapshot'}", "--live")
    server.stop()
    moved = copied(source, cluster.url)
    assert moved["grants"][0] == 22 and moved["keys"][0] >= 1 and moved["signing_keys"][0] >= 1
    assert moved == live

    farm.master = (server.data / "master.key").read_bytes()
    two = farm.start(cluster.url, 2)
    assert two[0].info["apps"] == server.info["apps"]
    for number, one in enumerate(got):
        node = two[number % 2]
        assert node.confidential.is_active(one["access_token"])
        assert node.confidential.refresh(one["refresh_token"]).status == 200
    assert not two[0].confidential.is_active(gone["access_token"])
    there = harness.App(two[1].api, rotating.info)
    second = there.refresh(first["refresh_token"])
    assert second.status == 200
    refused("stop it, or copy this moment with --live", cluster.url, f"sqlite:{home}")
    for node in farm.nodes:
        node.stop()

    back = copied(cluster.url, f"sqlite:{home}")
    assert back["grants"][0] == moved["grants"][0] and back["apps"] == moved["apps"]
    (home / "master.key").write_bytes(farm.master)
    (home / "master.key").chmod(0o600)
    again = harness.DevServer(home, place / "log2").start()
    try:
        assert again.info["apps"] == server.info["apps"]
        assert again.confidential.is_active(got[3]["access_token"])
        third = harness.App(again.api, rotating.info).refresh(second.json["refresh_token"])
        assert third.status == 200
    finally:
        again.stop()


def test_bad_input(server, clusters, place):
    cluster, source = clusters("db"), f"sqlite:{server.data}"
    server.stop()
    for words in (("--from", source), ("--to", cluster.url), ()):
        done = harness.command("store", "copy", *words)
        assert done.returncode == 1 and "--from URL --to URL" in done.stderr
    assert harness.command("store").returncode == 2
    assert harness.command("store", "copy", "--from").returncode == 2
    assert harness.command("store", "copy", "--listen", "127.0.0.1:1").returncode == 2
    refused("names no store", "mysql://root@/x", cluster.url)
    refused("names no store", "/var/lib/grantd", cluster.url)
    refused("names no store", "sqlite:", cluster.url)
    refused("there is no store at", f"sqlite:{place / 'nowhere'}", cluster.url)
    refused("there is no store at", f"sqlite:{server.data / 'other.db'}", cluster.url)
    refused("cannot be read", source, "postgres://[")
    refused("can read a password", source, "postgres://u:secret@127.0.0.1/x")
    refused("cannot be reached", source, f"postgres://grantd@127.0.0.1:{harness.free_port()}/x")
    refused("the source is no store", cluster.url, f"sqlite:{place / 'new'}")
    refused("in use by process", source, source)
    other = place / "other"
    other.mkdir(mode=0o700)
    (other / "master.key").write_bytes(b"x" * 32)
    (other / "master.key").chmod(0o600)
    refused("has another master.key", source, f"sqlite:{other}")

    # a database that is behind, one that is ahead, one that is not empty
    copied(source, cluster.url)
    refused("the target is not empty", source, cluster.url)
    cluster.ask("INSERT INTO schema_versions (version, readable_from) VALUES (999, 1)")
    refused("take a newer grantd", cluster.url, f"sqlite:{place / 'new2'}")
    connection = sqlite3.connect(server.data / "grantd.db")
    connection.execute("DELETE FROM schema_versions WHERE version > 5")
    connection.commit()
    connection.close()
    refused("run grantd migrate", source, f"sqlite:{place / 'new3'}")


def fill(path, count):
    connection = sqlite3.connect(path)
    connection.executemany(
        "INSERT INTO grants (id, app_id, hub_id, user_id, scopes, created_ms, salt, generation, rotated_ms, access_not_before_ms, last_used_day,"
        " auth_time_ms) VALUES (?, 1, 1, 1, x'01', 1, ?, 0, 0, 0, 0, 1)", ((os.urandom(16), os.urandom(16)) for _ in range(count)))
    connection.commit()
    connection.close()


@pytest.mark.parametrize("kind", ["postgres", "sqlite"])
def test_killed_in_the_middle(server, clusters, place, kind):
    """All or nothing: the target is as empty as it was and the same command does it then, or the kill came too late and all of it is there."""
    server.stop()
    source = f"sqlite:{server.data}"
    fill(server.data / "grantd.db", 30000)
    cluster = clusters("db") if kind == "postgres" else None

    def empty_target(number):
        return cluster.database(f"target{number}") if cluster else f"sqlite:{place / f'there{number}'}"

    began = time.monotonic()
    assert copied(source, empty_target(0))["grants"][0] == 30000
    whole_s = time.monotonic() - began
    cut = 0
    for number in (2, 5, 8):
        target = empty_target(number)
        process = subprocess.Popen(
            [harness.BINARY, "store", "copy", "--from", source, "--to", target], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=harness.plain_environment(None))
        time.sleep(whole_s * number / 10)  # any instant will do: what is asserted holds for each
        process.send_signal(signal.SIGKILL)
        process.wait()
        again = copy(source, target, "--json")
        if "not empty" in again.stderr:  # what is there is whole: it can be copied on, which counts and compares it
            found = copied(target, empty_target(f"{number}b"))["grants"][0]
        else:
            assert again.returncode == 0, again.stderr
            found = {table["name"]: table["rows"] for table in json.loads(again.stdout)["tables"]}["grants"]
            cut += 1
        assert found == 30000
    assert cut  # else it would show nothing


def test_the_copy_is_checked(server, clusters, place):
    """A target that changes what it is given is found out, and keeps nothing."""
    cluster = clusters("db")
    server.confidential.install()
    server.stop()
    assert harness.command("migrate", "--store", cluster.url).returncode == 0
    cluster.ask("CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.auth_time_ms := NEW.auth_time_ms + 1; RETURN NEW; END'")
    cluster.ask("CREATE TRIGGER spoil BEFORE INSERT ON grants FOR EACH ROW EXECUTE FUNCTION spoil()")
    refused("nothing was kept", f"sqlite:{server.data}", cluster.url)
    assert cluster.ask("SELECT (SELECT count(*) FROM grants) + (SELECT count(*) FROM keys) + (SELECT count(*) FROM apps)") == "0"
    cluster.ask("DROP TRIGGER spoil ON grants")
    assert copied(f"sqlite:{server.data}", cluster.url)["grants"][0] == 1
