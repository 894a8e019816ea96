"""The database dies, restarts, is cut off, is full, under load. Clients see success, a refusal that is true, or 503; what was acknowledged is
there afterwards, and service comes back by itself. How long it was away is printed."""
import os
import subprocess
import time

import harness
import nodes
import pytest

DETECTED_S = 0.5  # what a cluster manager would need to see that the primary is gone


def told(name, load, what):
    print(f"\n{name}: {len(load.successes)} answers, {load.refused} times 503, {load.true_refusals} true refusals after 503,"
          f" longest time without a success {load.longest_gap():.2f} s, {len(load.grants)} acknowledged grants, {what}")


def more_successes(load):
    """The load is under way."""
    before = len(load.successes)
    nodes.wait_until(lambda: len(load.successes) >= before + 200)


def test_a_primary_dies_and_its_standby_takes_over(clusters, farm, place):
    """norm: N02"""
    primary = clusters("primary", "max_wal_senders = 4", "wal_level = replica")
    standby = primary.standby(place / "standby")
    clusters.adopt(standby)
    store = f"postgres://grantd@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/grantd?target_session_attrs=read-write"
    farm.start(store, 3)
    load = nodes.Load(farm.haproxy()).start()
    more_successes(load)
    died = time.monotonic()
    primary.kill9()
    time.sleep(DETECTED_S)
    standby.ctl("promote")
    nodes.wait_until(lambda: load.successes and load.successes[-1] > died + DETECTED_S + 1)
    more_successes(load)
    load.stop()
    told("failover", load, f"{DETECTED_S} s of it until somebody promoted the standby")
    load.check_grants()


def test_a_restart_under_load(clusters, farm):
    """norm: N02"""
    cluster = clusters("db")
    farm.start(cluster.url, 3)
    load = nodes.Load(farm.haproxy()).start()
    for mode in ("fast", "immediate"):
        more_successes(load)
        cluster.ctl("-m", mode, "restart")
    after = time.monotonic()
    nodes.wait_until(lambda: load.successes[-1] > after + 1)
    load.stop()
    told("restart, twice", load, "of one server")
    load.check_grants()


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces and mounts need root")
def test_a_full_disk(clusters, farm, place):
    """The database's disk is full: changes are 503, what only reads goes on while the server lives; with room again all goes on."""
    disk = place / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=140m,mode=755", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("a file system cannot be mounted here")
    try:
        cluster = nodes.Cluster(disk / "db").create("max_wal_size = 64MB", "min_wal_size = 32MB", "wal_recycle = off")
        clusters.adopt(cluster)
        farm.start(cluster.url, 2)
        load = nodes.Load(farm.haproxy()).start()
        more_successes(load)
        filler = disk / "filler"
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 65536)
            except OSError:
                pass
        deadline = time.monotonic() + 60
        while load.refused < 5 and time.monotonic() < deadline:
            cluster_writes(cluster)
        assert load.refused, "the disk did not become full"
        filler.unlink()
        restart_if_gone(cluster)
        after = time.monotonic()
        nodes.wait_until(lambda: load.successes[-1] > after + 1)
        load.stop()
        told("full disk", load, "until there was room again")
        load.check_grants()
    finally:
        farm.stop()
        farm.nodes.clear()
        cluster.stop("immediate")
        subprocess.run(["umount", "-l", str(disk)], check=False)


def cluster_writes(cluster):
    """More log than the load writes by itself."""
    subprocess.run(
        ["psql", "-q", "-X", cluster.url, "-c", "CREATE TABLE IF NOT EXISTS ballast (t text)", "-c",
         "INSERT INTO ballast SELECT repeat(md5(random()::text), 30) FROM generate_series(1, 2000)"], capture_output=True, check=False)
    time.sleep(0.1)


def restart_if_gone(cluster):
    """A server that could not write its log has ended itself; whoever looks after it starts it again."""
    if subprocess.run(["pg_isready", "-q", "-h", "127.0.0.1", "-p", str(cluster.port)]).returncode:
        cluster.stop("immediate")
        cluster.start()


class Wire:
    """A network namespace with two links to us: one to the database, one for clients. Names and networks are this run's own."""

    def __init__(self):
        number = os.getpid() % 12000
        self.nets = [f"10.{200 + number // 250}.{number % 250}", f"10.{150 + number // 250}.{number % 250}"]
        self.space = f"grantd{os.getpid() % 100000}"
        self.links = [f"gr{os.getpid() % 100000}{letter}" for letter in "ac"]

    def lay(self):
        if subprocess.run(["ip", "netns", "add", self.space], capture_output=True).returncode:
            pytest.skip("network namespaces are not allowed here")
        nodes.run("ip", "-n", self.space, "link", "set", "lo", "up")
        for link, net in zip(self.links, self.nets):
            nodes.run("ip", "link", "add", link, "type", "veth", "peer", "name", f"{link}i", "netns", self.space)
            nodes.run("ip", "addr", "add", f"{net}.1/24", "dev", link)
            nodes.run("ip", "link", "set", link, "up")
            nodes.run("ip", "-n", self.space, "addr", "add", f"{net}.2/24", "dev", f"{link}i")
            nodes.run("ip", "-n", self.space, "link", "set", f"{link}i", "up")
        return self

    def cut(self):
        """The database's address is nowhere any more: packets to it vanish, nobody is told."""
        nodes.run("ip", "addr", "del", f"{self.nets[0]}.1/24", "dev", self.links[0])

    def mend(self):
        nodes.run("ip", "addr", "add", f"{self.nets[0]}.1/24", "dev", self.links[0])

    def remove(self):
        for link in self.links:
            subprocess.run(["ip", "link", "del", link], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "del", self.space], capture_output=True, check=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_a_node_is_cut_off(clusters, farm):
    """One of two nodes loses its way to the database, silently: it answers 503 (long before TCP would notice), the other goes on; then it is back."""
    wire = Wire().lay()
    try:
        cluster = clusters("db", "listen_addresses = '*'")
        nodes.append(cluster.folder / "db/pg_hba.conf", f"host all all {wire.nets[0]}.0/24 trust\n")
        cluster.ask("SELECT pg_reload_conf()")
        (whole,) = farm.start(cluster.url, 1)
        lost = farm.prepare(f"postgres://grantd@{wire.nets[0]}.1:{cluster.port}/grantd", "--store-deadline", "2s")
        lost.words += ["--listen", f"{wire.nets[1]}.2:{lost.own_port}"]
        lost.prefix = ("ip", "netns", "exec", wire.space)
        lost.start()
        lost.api.host = f"{wire.nets[1]}.2"
        check_cut(whole.confidential, lost.confidential, wire)
    finally:
        farm.stop()
        farm.nodes.clear()
        wire.remove()


def check_cut(whole, lost, wire):
    token = whole.install()["refresh_token"]
    assert lost.refresh(token).status == 200
    wire.cut()
    slowest = 0
    for _ in range(6):
        started = time.monotonic()
        answer = lost.refresh(token)
        slowest = max(slowest, time.monotonic() - started)
        assert answer.status == 503 and int(answer.headers["retry-after"]) >= 1
        assert whole.refresh(token).status == 200
    wire.mend()
    back = time.monotonic()
    nodes.wait_until(lambda: lost.refresh(token).status == 200)
    print(f"\ncut off: slowest 503 after {slowest:.2f} s, service {time.monotonic() - back:.2f} s after the link was back")
