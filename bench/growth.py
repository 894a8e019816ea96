"""How the cost of a request grows: with the grants that are there, dead ones beside them, apps, connections; and what an idle server does.

The store of 10^7 grants takes about 2 GB; it lies in GRANTD_BENCH_CACHE or the directory for temporary files, and is deleted at the end. The measured
grants were made by the server; the others are written around them with SQL, with ids of the same milliseconds, so that the measured ones
lie all over the table.
"""
import copy
import os
import pathlib
import random
import shutil
import sqlite3
import tempfile
import time

import kit
import ops
from kit import form
from ops import Operation

MEASURED = 5000  # grants whose tokens are used
CODES = 8000     # redeemed in a round; their grants stay
COLUMNS = ("id, app_id, hub_id, user_id, scopes, created_ms, expires_ms, salt, generation, rotated_ms, access_not_before_ms, revoked_ms, last_used_day,"
           " auth_time_ms")
# Ids of one millisecond (the first six bytes are its). Nobody opens their tokens, so any salt will do.
FILL = f"""INSERT OR IGNORE INTO grants ({COLUMNS})
 WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count)
 SELECT CAST(:prefix || randomblob(10) AS BLOB), 1001 + i % 40, 100000 + abs(random() % :hubs), 100000 + abs(random() % :hubs), x'010102', :ms, :ends_ms,
 :salt, 0, 0, 0, :dead_ms, 0, :ms FROM n"""
APPS = """INSERT INTO apps SELECT {columns} FROM apps a,
 (WITH RECURSIVE n(i) AS (VALUES (:first) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :last) SELECT i FROM n) WHERE a.app_id = :like"""
SECRETS = """INSERT INTO app_secrets (secret_id, app_id, key_number, hash, created_ms, retired_ms)
 SELECT app_id + 1000000, app_id, s.key_number, s.hash, s.created_ms, NULL FROM apps,
 (SELECT key_number, hash, created_ms FROM app_secrets WHERE app_id = :like AND retired_ms IS NULL LIMIT 1) s WHERE app_id BETWEEN :first AND :last - 1"""
FIRST_APP = 10000


class Store:
    """A data directory whose server comes and goes, and whose tables grow in between."""

    def __init__(self, options):
        self.options = options
        self.directory = tempfile.mkdtemp(prefix="bench-growth-", dir=os.environ.get("GRANTD_BENCH_CACHE"))
        self.grants, self.apps = 0, 0
        server = kit.Grantd(self.directory)
        mint = ops.Minting(server, self.directory)
        self.app = mint.app
        kit.say("growth: minting ...")
        small = options.size == "quick"
        self.tokens = mint.tokens(self.app, MEASURED // 10 if small else MEASURED)
        random.Random(1).shuffle(self.tokens)
        server.stop()

    def edit(self):
        db = sqlite3.connect(pathlib.Path(self.directory) / "grantd.db", isolation_level=None)
        for pragma in ("journal_mode=DELETE", "journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000", "temp_store=MEMORY", "threads=2"):
            db.execute("PRAGMA " + pragma)
        return db

    def done(self, db):
        db.execute("PRAGMA journal_mode=WAL")
        db.close()
        os.sync()

    def fill(self, grants, dead=False):
        """Up to so many grants. Dead ones were revoked just now, so they are not purged yet."""
        now_ms = int(time.time() * 1000)
        begin, db = time.monotonic(), self.edit()
        ends = db.execute("SELECT min(id), max(id) FROM grants").fetchone()
        first, last = (int.from_bytes(end[:6], "big") for end in ends)
        there = db.execute("SELECT count(*) FROM grants").fetchone()[0]
        indexes = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'grants' AND sql IS NOT NULL").fetchall()
        if grants > there:
            db.execute("BEGIN")
            for name, _ in indexes:
                db.execute(f"DROP INDEX {name}")
            for ms in range(first, last + 1):
                db.execute(FILL, {"count": -((there - grants) // (last + 1 - first)), "prefix": ms.to_bytes(6, "big"), "ms": ms, "salt": random.randbytes(16),
                                  "hubs": max(grants // 20, 10), "dead_ms": now_ms if dead else None, "ends_ms": now_ms + 86400000 if dead else None})
            for _, sql in indexes:
                db.execute(sql)
            db.execute("COMMIT")
        self.grants = max(there, grants)
        self.done(db)
        kit.say(f"  {self.grants} grants after {time.monotonic() - begin:.0f} s of filling")

    def add_apps(self, apps):
        db = self.edit()
        columns = [row[1] for row in db.execute("PRAGMA table_info(apps)")]
        new = {"app_id": "i", "client_id": "printf('%08x-0000-4000-8000-000000000000', i)"}
        values = {"first": FIRST_APP + self.apps, "last": FIRST_APP + apps, "like": self.app["app_id"]}
        db.execute("BEGIN")
        db.execute(APPS.format(columns=", ".join(new.get(c, "a." + c) for c in columns)), values)
        db.execute(SECRETS, values)
        db.execute("COMMIT")
        self.apps = apps
        self.done(db)

    def copy(self):
        """Another one with the same apps, keys and grants."""
        other = copy.copy(self)
        other.directory = tempfile.mkdtemp(prefix="bench-growth-", dir=os.environ.get("GRANTD_BENCH_CACHE"))
        shutil.copytree(self.directory, other.directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock", "*.lock"))
        return other

    def start(self, *more):
        return kit.Grantd(self.directory, *more)

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)


def grant_operations(store, server):
    who, codes = ops.who(store.app), CODES // 4 if store.options.size == "quick" else CODES
    mint = ops.Minting(server, store.directory)
    return [
        Operation("introspect", ops.INTROSPECT, [form(token=t[1], **who) for t in store.tokens], False, b'"active":true'),
        Operation("refresh stable", ops.TOKEN, [ops.refresh(store.app, t[0]) for t in store.tokens], False, b'"access_token"'),
        Operation("redeem code", ops.TOKEN, [ops.redeem(store.app, c) for c in mint.codes(store.app, codes * store.options.rounds + 1)], True,
                  b'"access_token"'),
    ]


def row_of(got, operation, x):
    return {"x": x, "operation": operation.name, **{k: got[k] for k in ("per_s", "p50_us", "p99_us", "cpu_us", "written", "errors")}}


def warm_up(server, operation, options):
    """The first second only fills caches."""
    ops.probe(server, operation)
    if not operation.once:
        kit.wrk(server.url(operation.path), operation.lines, 1, options.connections, method=operation.method, headers=server.headers)


def measure(server, operation, options, x):
    """Rounds of one operation at one place of the axis."""
    warm_up(server, operation, options)
    return row_of(ops.combine([ops.run_round(server, operation, options, number) for number in range(options.rounds)]), operation, x)


def in_turns(stores, options, half=False):
    """Each operation on every store, a round here and a round there: what the machine does besides meets all of them. `stores`: place on the axis ->
    store. The rows, and for each operation what the last store takes of the first one's, in the same rounds."""
    servers = {x: store.start() for x, store in stores.items()}
    rows, growth = [], []
    try:
        for same in zip(*(grant_operations(store, servers[x]) for x, store in stores.items())):
            got = {x: [] for x in stores}
            places = list(zip(stores, same))
            for x, operation in places:
                warm_up(servers[x], operation, options)
            for number in range(options.rounds):
                for x, operation in places if number % 2 else reversed(places):
                    got[x].append(ops.run_round(servers[x], operation, options, number))
            fresh = [row_of(ops.combine(got[x]), operation, x) for x, operation in places]
            for row, (x, operation) in zip(fresh, places):
                if half and not operation.once:
                    row["half_p99_us"] = ops.half_load(servers[x], operation, options, row["per_s"])["p99_us"]
            first, last = got[places[0][0]], got[places[-1][0]]
            growth.append((fresh[0], fresh[-1], *(kit.median([b[name] / max(a[name], 1e-9) for a, b in zip(first, last)]) for name in ("cpu_us", "p99_us"))))
            rows += fresh
    finally:
        for server in servers.values():
            server.stop()
    return rows, growth


def growth_notes(growth, what):
    for first, last, cpu, p99 in growth:
        half = f", p99 at half load × {last['half_p99_us'] / first['half_p99_us']:.2f}" if "half_p99_us" in first else ""
        yield f"{first['operation']} from {first['x']:,} to {last['x']:,} {what}: CPU per request × {cpu:.2f}, p99 × {p99:.2f}{half} (aim: 1.2)"


def times_to_ready(store):
    """The median of three starts in ms, and KiB resident before the first request."""
    ready, rss = [], 0
    for _ in range(3):
        server = store.start()
        ready.append(server.start_ms)
        rss = kit.rss_kib(server.own_pids())
        server.stop()
    return kit.median(ready), rss


def by_grants(store, notes):
    """A store for each size, the last of which is `store`."""
    stores = {}
    try:
        for grants in store.options.grants:
            store.fill(grants)
            stores[grants] = store if grants == store.options.grants[-1] else store.copy()
            ready, rss = times_to_ready(stores[grants])
            notes.append(f"{grants:,} grants: ready {ready:.0f} ms after the start (median of 3, the process's own start included), "
                         f"{rss / 1024:.1f} MiB resident before the first request")
        rows, growth = in_turns(stores, store.options, half=True)
    finally:
        for other in stores.values():
            if other is not store:
                other.remove()
    notes += growth_notes(growth, "grants")
    return {"title": "With the number of grants", "x": "grants", "rows": rows}


def beside_dead(options, notes):
    store, stores = Store(options), {}
    try:
        store.fill(MEASURED, dead=True)
        stores[1] = store.copy()
        store.fill(MEASURED + options.dead, dead=True)
        stores[options.dead] = store
        rows, growth = in_turns(stores, options)
    finally:
        for place in {id(s): s for s in (store, *stores.values())}.values():
            place.remove()
    notes += growth_notes(growth, "dead grants")
    return {"title": "With dead grants beside the live ones", "x": "dead grants", "rows": rows}


def by_apps(options, notes):
    """On a small store of its own; the apps take turns."""
    store, rows = Store(options), []
    try:
        for apps in (1, 100, 1000 if options.size == "quick" else 100000):
            store.add_apps(apps)
            server, rnd = store.start(), random.Random(apps)
            names = [f"{FIRST_APP + rnd.randrange(apps):08x}-0000-4000-8000-000000000000" for _ in range(min(apps, 20000))]
            lines = [form(grant_type="client_credentials", scope=store.app["scopes"][0], client_id=name, client_secret=store.app["client_secret"])
                     for name in names]
            try:
                rows.append(measure(server, Operation("client_credentials", ops.TOKEN, lines, False, b'"access_token"'), options, apps))
                notes.append(f"{apps:,} apps: ready {server.start_ms:.0f} ms after the start, {kit.rss_kib(server.own_pids()) / 1024:.1f} MiB resident")
            finally:
                server.stop()
    finally:
        store.remove()
    return {"title": "With the number of apps", "x": "apps", "rows": rows}


def by_connections(options, notes):
    directory, rows = tempfile.mkdtemp(prefix="bench-grantd-"), []
    server = kit.Grantd(directory)
    nginx = None
    try:
        app = server.info["apps"]["confidential"]
        operation = Operation("client_credentials", ops.TOKEN, [form(grant_type="client_credentials", scope=app["scopes"][0], **ops.who(app))], False,
                              b'"access_token"')
        nginx = kit.Nginx({"constant": ops.probe(server, operation)})
        for connections in (16, 64, 256) if options.size == "quick" else (16, 64, 256, 1000, 4000, 10000):
            for target, url in ((server, server.url(operation.path)), (nginx, nginx.url("/constant"))):
                got = kit.wrk_on(target, url, operation.lines, max(options.seconds, 2), connections)
                rows.append({"x": connections, "operation": operation.name if target is server else "nginx's constant answer",
                             **{k: got[k] for k in ("per_s", "p50_us", "p99_us", "cpu_us", "errors")}})
        notes.append(f"after {rows[-1]['x']:,} connections: {kit.rss_kib(server.own_pids()) / 1024:.1f} MiB resident")
        for target, url in ((server, server.url(operation.path)), (nginx, nginx.url("/constant"))):
            got = kit.wrk_on(target, url, operation.lines, max(options.seconds, 2), 64, headers=["Connection: close"])
            rows.append({"x": 64, "label": "64, a new one for each request", "operation": operation.name if target is server else "nginx's constant answer",
                         **{k: got[k] for k in ("per_s", "p50_us", "p99_us", "cpu_us", "errors")}})
    finally:
        server.stop()
        if nginx:
            nginx.stop()
        shutil.rmtree(directory, ignore_errors=True)
    return {"title": "With the number of connections", "x": "connections", "rows": rows}


def reads(pid):
    """System calls that read, of the whole process: a query is at least one."""
    return int(next(line for line in pathlib.Path(f"/proc/{pid}/io").read_text().splitlines() if line.startswith("syscr")).split()[1])


def idle(store, seconds, notes):
    server = store.start()
    try:
        pid = server.own_pids()[0]
        time.sleep(2)  # what a start leaves to do
        before = kit.switches(pid), reads(pid), kit.cpu_s([pid])
        time.sleep(seconds)
        after = kit.switches(pid), reads(pid), kit.cpu_s([pid])
        notes.append(f"idle for {seconds} s with {store.grants:,} grants: {kit.rss_kib([pid]) / 1024:.1f} MiB resident (aim: under 10), "
                     f"{after[0] - before[0]} wake-ups of all threads, {after[1] - before[1]} reads, {after[2] - before[2]:.2f} s of processor time (aim: none)")
    finally:
        server.stop()


def run(options):
    notes, parts = [], {}
    store = Store(options)
    try:
        parts["grants"] = by_grants(store, notes)
        idle(store, 3 if options.size == "quick" else 10, notes)
    finally:
        store.remove()
    parts["dead"] = beside_dead(options, notes)
    parts["apps"] = by_apps(options, notes)
    parts["connections"] = by_connections(options, notes)
    return {"parts": parts, "notes": notes}


def faults(found):
    return [f"{part['title']}: {r['operation']} at {r['x']}: {r['errors']} errors" for part in found["parts"].values() for r in part["rows"] if r["errors"]]
