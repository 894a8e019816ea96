"""grantd beside the authorization servers that Debian and npm can install, every operation in turn on one processor, in one run.

Each round measures all servers one after the other; a ratio is that of a round, and its median counts. How each one is set up, and what it
keeps when the power fails: docs/performance/peers.md.
"""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import kit
import ops
from kit import form
from ops import Operation

NODE_CLIENT = {"client_id": "bench", "client_secret": "a-secret-of-43-characters-as-grantd-makes-1"}
NODE_REDIRECT = "http://localhost:3000/oauth-callback"
ORDER = ["client_credentials", "refresh", "introspect", "redeem code"]


class Ours(kit.Grantd):
    """grantd with the operations that others have as well."""
    against, durable = None, "durable"

    def __init__(self, store=None):
        self.directory = tempfile.mkdtemp(prefix="bench-grantd-")
        super().__init__(self.directory, store=store)
        self.name = "grantd, PostgreSQL" if store else "grantd, SQLite"

    def operations(self, tokens, codes):
        mint = ops.Minting(self, self.directory)
        app, live = mint.app, mint.tokens(mint.app, tokens)
        who = ops.who(app)
        return [
            Operation("client_credentials", ops.TOKEN, [form(grant_type="client_credentials", scope=app["scopes"][0], **who)], False, b'"access_token"'),
            Operation("refresh", ops.TOKEN, [ops.refresh(app, t[0]) for t in live], False, b'"access_token"'),
            Operation("introspect", ops.INTROSPECT, [form(token=t[1], **who) for t in live], False, b'"active":true'),
            Operation("redeem code", ops.TOKEN, [ops.redeem(app, code) for code in mint.codes(app, codes)], True, b'"access_token"'),
        ]

    def stop(self):
        super().stop()
        shutil.rmtree(self.directory, ignore_errors=True)


class Node(kit.Server):
    """A server from npm; one process, because there is one processor and their memory is not shared."""
    against, durable = "grantd, SQLite", "it keeps nothing: its store is its memory"

    def __init__(self, name, script, introspects):
        self.name, self.introspects = name, introspects
        port = kit.free_port()
        self.netloc = f"127.0.0.1:{port}"
        self.process = subprocess.Popen(kit.pinned(kit.SERVER_CPU, ["node", kit.HERE / "peers" / script, port]), stderr=subprocess.DEVNULL,
                                        env={**os.environ, "NODE_ENV": "production"})
        kit.wait_for_port(port, self.process)

    def operations(self, tokens, codes):
        made = json.loads(self.call("GET", f"/prepare?codes={codes}&tokens={tokens}")[1])
        rows = [
            Operation("client_credentials", "/token", [form(grant_type="client_credentials", scope="oauth", **NODE_CLIENT)], False, b'"access_token"'),
            Operation("refresh", "/token", [form(grant_type="refresh_token", refresh_token=t["refresh"], **NODE_CLIENT) for t in made["tokens"]], False,
                      b'"access_token"'),
            Operation("redeem code", "/token", [form(grant_type="authorization_code", code=code, redirect_uri=NODE_REDIRECT, **NODE_CLIENT)
                                                for code in made["codes"]], True, b'"access_token"'),
        ]
        if self.introspects:
            rows.append(Operation("introspect", "/token/introspection", [form(token=t["access"], **NODE_CLIENT) for t in made["tokens"]], False,
                                  b'"active":true'))
        return rows


def glewlwyd(store):
    import peers_glewlwyd
    server = peers_glewlwyd.Glewlwyd(store)
    server.against = "grantd, PostgreSQL" if store else "grantd, SQLite"
    server.durable = "durable as grantd: a commit for each answer that writes"
    return server


def missing_of_glewlwyd():
    return None if pathlib.Path("/usr/bin/glewlwyd").exists() else "not installed"


def missing_of_node():
    if not shutil.which("node"):
        return "Node.js is not installed"
    return None if (kit.HERE / "peers/node_modules").exists() else "npm ci was not run in bench/peers"


# name, what is missing, how to start it (with a PostgreSQL of its own or None), lines of single use for a round
SERVERS = [
    ("grantd, SQLite", lambda: None, lambda _: Ours(), 20000),
    ("grantd, PostgreSQL", lambda: None, Ours, 20000),
    ("Glewlwyd, SQLite", missing_of_glewlwyd, lambda _: glewlwyd(None), 400),
    ("Glewlwyd, PostgreSQL", missing_of_glewlwyd, glewlwyd, 400),
    ("oidc-provider", missing_of_node, lambda _: Node("oidc-provider", "oidc.mjs", True), 6000),
    ("node-oauth", missing_of_node, lambda _: Node("node-oauth", "node-oauth.mjs", False), 12000),
]


def start(stack, skipped, options):
    """Every server that is there, with its operations."""
    postgres, started = kit.Postgres(), []
    stack.callback(postgres.stop)
    for name, missing, make, once in SERVERS:
        why = missing()
        if why:
            skipped[name] = why
            continue
        server = make(postgres if "PostgreSQL" in name else None)
        stack.callback(server.stop)
        kit.say(f"peers: preparing {name} ...")
        small = options.size == "quick"
        rows = {o.name: o for o in server.operations(200, (once // 5 if small else once) * options.rounds + 1)}
        for operation in rows.values():
            ops.probe(server, operation)
        for operation in rows.values():
            if isinstance(server, Node) and not operation.once:  # compilers of JavaScript begin when something is used often
                kit.wrk(server.url(operation.path), operation.lines, 1, options.connections, headers=server.headers)
        started.append((server, rows))
    return started


def measure(name, started, options):
    rounds = {server.name: [] for server, rows in started if name in rows}
    for number in range(options.rounds):
        for server, rows in started:
            if name in rows:
                rounds[server.name].append(ops.run_round(server, rows[name], options, number))
    ratio = {server.name: kit.median([a["per_s"] / b["per_s"] for a, b in zip(rounds[server.against], rounds[server.name])])
             for server, rows in started if name in rows and server.against}
    both = {server: ops.combine(of) for server, of in rounds.items()}
    return {"operation": name, "ratio": ratio, "all": both, "per_s": {s: r["per_s"] for s, r in both.items()},
            "cpu_us": {s: r["cpu_us"] for s, r in both.items()}}


def run(options):
    skipped = {}
    with contextlib.ExitStack() as stack:
        started = start(stack, skipped, options)
        rows = []
        for name in ORDER:
            rows.append(measure(name, started, options))
            kit.say(f"  {name:<20}" + "  ".join(f"{s} {v:.0f}/s" for s, v in rows[-1]["per_s"].items()))
        servers = [{"name": s.name, "against": s.against, "durable": s.durable} for s, _ in started]
    return {"rows": rows, "servers": servers, "skipped": skipped}


def faults(found):
    return [f"{row['operation']}: {server}: {r['errors']} errors" for row in found["rows"] for server, r in row["all"].items() if r["errors"]]
