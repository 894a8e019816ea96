"""Every operation of grantd beside nginx answering a constant body of the same size, in alternating rounds of one run."""
import argparse
import dataclasses
import shutil
import tempfile
import urllib.parse

import kit
from kit import form

TOKEN, INTROSPECT, REVOKE = "/oauth/v3/token", "/oauth/v3/token/introspect", "/oauth/v3/token/revoke"
METADATA, SIGN_IN = "/.well-known/oauth-authorization-server", "/oauth/sign-in"
TOKEN_PAIR = ('"refresh_token": *"([^"]+)"', '"access_token": *"([^"]+)"')
AIMS = {"client_credentials": 0.7, "introspect opaque": 0.6, "refresh stable": 0.6, "redeem code": 0.4, "refresh rotating": 0.4}


@dataclasses.dataclass
class Operation:
    name: str
    path: str
    lines: list  # bodies of POST, paths of GET
    once: bool   # each line can be used only once: a round takes its share of them
    holds: bytes = b""  # what a right answer holds
    method: str = "POST"

    def share(self, rounds, number):
        return self.lines[1 + number * (len(self.lines) - 1) // rounds:1 + (number + 1) * (len(self.lines) - 1) // rounds]


class Minting:
    """Codes and tokens that are made before the clock runs, by the server itself."""

    def __init__(self, server, directory):
        self.server, self.directory = server, directory
        self.app = server.info["apps"]["confidential"]

    def new_app(self, name, scopes, *flags):
        words = [w for s in scopes for w in ("--scope", s)]
        made = self.server.admin(self.directory, "app", "create", "--name", name, "--redirect-uri", self.app["redirect_uri"], *flags, *words)
        return {**made, "redirect_uri": self.app["redirect_uri"], "scopes": scopes}

    def codes(self, app, count):
        query = form(client_id=app["client_id"], redirect_uri=app["redirect_uri"], scope=" ".join(app["scopes"]))
        found = kit.capture(self.server, "/oauth/authorize", ["/oauth/authorize?" + query] * (count + 200), "[?&]code=([^&]+)", method="GET")
        return [urllib.parse.unquote(code) for code in found][:count]

    def tokens(self, app, count):
        """(refresh, access) of so many new grants."""
        found = kit.capture(self.server, TOKEN, [redeem(app, code) for code in self.codes(app, count + 200)], *TOKEN_PAIR)
        return [tuple(line.split()) for line in found][:count]


def who(app):
    return {"client_id": app["client_id"], "client_secret": app["client_secret"]}


def redeem(app, code):
    return form(grant_type="authorization_code", code=code, redirect_uri=app["redirect_uri"], **who(app))


def refresh(app, token):
    return form(grant_type="refresh_token", refresh_token=token, **who(app))


def operations(server, directory, count):
    """The table of what is measured; `count` single-use lines for each operation that needs them."""
    mint = Minting(server, directory)
    app = mint.app
    rotating, jwt = mint.new_app("bench rotating", app["scopes"], "--rotate"), mint.new_app("bench jwt", app["scopes"][:1], "--token-format=jwt")
    live, signed = mint.tokens(app, 2000), mint.tokens(jwt, 500)
    return [
        Operation("client_credentials", TOKEN, [form(grant_type="client_credentials", scope=app["scopes"][0], **who(app))], False, b'"access_token"'),
        Operation("introspect opaque", INTROSPECT, [form(token=t[1], **who(app)) for t in live], False, b'"active":true'),
        Operation("introspect JWT", INTROSPECT, [form(token=t[1], **who(jwt)) for t in signed], False, b'"active":true'),
        Operation("refresh stable", TOKEN, [refresh(app, t[0]) for t in live], False, b'"access_token"'),
        Operation("refresh rotating", TOKEN, [refresh(rotating, t[0]) for t in mint.tokens(rotating, count)], True, b'"access_token"'),
        Operation("redeem code", TOKEN, [redeem(app, code) for code in mint.codes(app, count)], True, b'"access_token"'),
        Operation("revoke", REVOKE, [form(token=t[0], **who(app)) for t in mint.tokens(app, count)], True),
        Operation("metadata", METADATA, [METADATA], False, b'"issuer"', "GET"),
        Operation("sign-in page", SIGN_IN, [SIGN_IN], False, b"<form", "GET"),
    ]


def probe(server, operation):
    """The first line by itself: its answer must be right. Returns the size of the body."""
    get = operation.method == "GET"
    headers = dict(header.split(": ", 1) for header in server.headers)
    r, body = server.call(operation.method, operation.lines[0] if get else operation.path, None if get else operation.lines[0],
                          {**headers, **({} if get else kit.FORM)})
    if r.status not in (200, 204) or operation.holds not in body:
        raise SystemExit(f"bench: {server.name}: {operation.name} answers {r.status} {body[:300]!r}")
    return len(body)


def run_round(server, operation, options, number):
    """One round, with what it cost in processor time and on disk."""
    written = server.written()
    lines = operation.share(options.rounds, number) if operation.once else operation.lines
    got = kit.wrk_on(server, server.url(operation.path), lines, options.seconds, options.connections, method=operation.method,
                     mode="once" if operation.once else "cycle", headers=server.headers)
    got["written"] = (server.written() - written) / max(got["requests"], 1)
    return got


def combine(rounds):
    """Medians of the rounds; errors add up, and the worst latency counts."""
    out = {name: kit.median([r[name] for r in rounds]) for name in ("per_s", "p50_us", "p99_us", "p999_us", "cpu_us", "written") if name in rounds[0]}
    out["max_us"] = max(r["max_us"] for r in rounds)
    out["errors"] = sum(r["errors"] for r in rounds)
    out["requests"] = sum(r["requests"] for r in rounds)
    out["rounds_per_s"] = [round(r["per_s"]) for r in rounds]
    return out


def half_load(server, operation, options, per_s):
    """The same at about half of the capacity, with random pauses between a connection's requests."""
    connections = 256
    got = kit.wrk(server.url(operation.path), operation.lines, options.seconds, connections, method=operation.method,
                  delay_ms=max(1.0, connections / (per_s / 2) * 1000))
    return {"load": got["per_s"] / per_s, "p50_us": got["p50_us"], "p99_us": got["p99_us"], "errors": got["errors"]}


def limit_round(nginx, operation, options):
    """One round of the constant answer."""
    place = nginx.url("/" + operation.name.replace(" ", "-"))
    lines = [place.removeprefix("http://" + nginx.netloc)] if operation.method == "GET" else operation.lines[:2000]
    return kit.wrk_on(nginx, place, lines, options.seconds, options.connections, method=operation.method)


def row_of(server, operation, ours, limit, halves):
    row = {"operation": operation.name, "grantd": combine(ours), "nginx": combine(limit),
           "share": kit.median([a["per_s"] / b["per_s"] for a, b in zip(ours, limit)]),
           "cpu_share": kit.median([b["cpu_us"] / max(a["cpu_us"], 1e-9) for a, b in zip(ours, limit)]),
           "aim": AIMS.get(operation.name), "rss_kib": kit.rss_kib(server.own_pids())}
    if halves:
        row["half_load"] = {name: kit.median([h[name] for h in halves]) for name in ("load", "p50_us", "p99_us")}
        row["half_load"]["errors"] = sum(h["errors"] for h in halves)
    return row


def measure(server, nginx, table, options):
    """All operations once, then all of them again: a minute in which the machine is busy elsewhere takes a round or two of each, not one operation whole."""
    ours, limit, halves = ({o.name: [] for o in table} for _ in range(3))
    for number in range(options.rounds):
        for operation in table:
            limit[operation.name].append(limit_round(nginx, operation, options))
            ours[operation.name].append(run_round(server, operation, options, number))
            if not operation.once and number % 2 == 0:
                per_s = kit.median([r["per_s"] for r in ours[operation.name]])
                halves[operation.name].append(half_load(server, operation, options, per_s))
        kit.say(f"  round {number + 1} of {options.rounds}")
    return [row_of(server, o, ours[o.name], limit[o.name], halves[o.name]) for o in table]


def run_store(store, options):
    directory = tempfile.mkdtemp(prefix="bench-grantd-")
    server = kit.Grantd(directory, store=store)
    nginx = None
    try:
        kit.say(f"ops on {'PostgreSQL' if store else 'SQLite'}: minting codes and tokens ...")
        table = operations(server, directory, options.count * options.rounds + 1)
        nginx = kit.Nginx({o.name.replace(" ", "-"): max(probe(server, o), 1) for o in table})
        rows = measure(server, nginx, table, options)
        for row in rows:
            g = row["grantd"]
            kit.say(f"  {row['operation']:<20}{g['per_s']:>9.0f}/s  {row['share']:>5.0%} of nginx  p99 {g['p99_us']:>6.0f} us  CPU {g['cpu_us']:>5.1f} us"
                    f"  written {g['written']:>5.0f} B  errors {g['errors']}")
    finally:
        server.stop()
        if nginx:
            nginx.stop()
        shutil.rmtree(directory, ignore_errors=True)
    return rows


def run(options):
    options = argparse.Namespace(**{**vars(options), "rounds": options.ops_rounds})
    found = {"sqlite": run_store(None, options)}
    postgres = kit.Postgres()
    try:
        found["postgres"] = run_store(postgres, options)
    finally:
        postgres.stop()
    return found


def faults(found):
    """What makes the bench fail: an error anywhere."""
    return [f"{store}: {row['operation']}: {row['grantd']['errors']} errors" for store, rows in found.items() for row in rows
            if row["grantd"]["errors"] or row["nginx"]["errors"] or row.get("half_load", {}).get("errors")]
