#!/usr/bin/python3
"""What another loop and what batching could bring: the emptiest server on epoll and on io_uring (bench/loops.c), and grantd, with 1 and more requests
sent together on each connection."""
import argparse
import pathlib
import shutil
import subprocess
import tempfile

import kit
import ops

PROGRAM = pathlib.Path(kit.BINARY).parent / "bench/bench_loops"
DEPTHS = (1, 4, 16)


class Loop(kit.Server):
    """bench/loops.c on SERVER_CPU."""

    def __init__(self, name):
        self.name = name
        self.process = subprocess.Popen(kit.pinned(kit.SERVER_CPU, [PROGRAM, name]), stdout=subprocess.PIPE, text=True)
        port = self.process.stdout.readline().strip()
        if not port:
            raise SystemExit(f"bench: {name} does not start here")
        self.netloc = f"127.0.0.1:{port}"


class Whole(kit.Grantd):
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="bench-grantd-")
        super().__init__(self.directory)

    def stop(self):
        super().stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def measure(server, path, lines, method, depth, options):
    got = kit.wrk_on(server, server.url(path), lines, options.seconds, options.connections, method=method, depth=depth)
    if got["errors"]:
        raise SystemExit(f"bench: {server.name}: {got['errors']} errors")
    return {"per_s": got["per_s"], "cpu_us": got["cpu_us"]}


def table(servers):
    """(name, server, path, lines, method)"""
    whole = servers[-1]
    app, mint = whole.info["apps"]["confidential"], ops.Minting(whole, whole.directory)
    live = mint.tokens(app, 500)
    return [
        *[(f"empty, {loop.name}", loop, "/", ["/"], "GET") for loop in servers[:-1]],
        ("grantd, client_credentials", whole, ops.TOKEN, [kit.form(grant_type="client_credentials", scope=app["scopes"][0], **ops.who(app))], "POST"),
        ("grantd, introspect", whole, ops.INTROSPECT, [kit.form(token=t[1], **ops.who(app)) for t in live], "POST"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=64)
    options = parser.parse_args()
    servers = [make() for make in (lambda: Loop("epoll"), lambda: Loop("io_uring"), Whole)]
    try:
        rows = table(servers)
        print(f"{'what':<28} {'together':>8} {'requests/s':>10} {'CPU us':>7} {'of epoll':>9} {'of alone':>9}")
        alone = {}
        for depth in DEPTHS:
            rounds = [[measure(*row[1:], depth, options) for row in rows] for _ in range(options.rounds)]
            for at, row in enumerate(rows):
                cpu = kit.median([one[at]["cpu_us"] for one in rounds])
                of_epoll = kit.median([one[at]["cpu_us"] / one[0]["cpu_us"] for one in rounds])
                alone.setdefault(row[0], cpu)
                print(f"{row[0]:<28} {depth:>8} {kit.median([one[at]['per_s'] for one in rounds]):>10.0f} {cpu:>7.2f} {of_epoll:>9.2f} {cpu / alone[row[0]]:>9.2f}")
    finally:
        for server in servers:
            server.stop()


if __name__ == "__main__":
    main()
