#!/usr/bin/python3
"""How PostgreSQL carries out each hot statement on many grants, and what a grant takes: for docs/scaling.md.

    bench/pg_plans.py BUILD_DIR [ROWS]      ROWS: 10000000
"""
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CLUSTER = HERE.parent / "tests/pg/cluster.sh"
ID = "'\\x{:032x}'::bytea"
HOT = {  # arguments of the one and of the many
    "ASK_GRANT": lambda ids: ([ids[0]], [array(ids, "bytea")]),
    "ASK_GRANT_ALONE": lambda ids: ([ids[0]], [array(ids, "bytea")]),
    "ASK_SUBJECT": lambda ids: (["2001", "1001", "3001"], ["array[2001,2002]::bigint[]", "array[1001,1002]::bigint[]", "array[3001,3001]::bigint[]"]),
    "ASK_UNINSTALLED": lambda ids: (["3001", "1001"], ["array[3001,3001]::bigint[]", "array[1001,1002]::bigint[]"]),
    "ASK_REVOKED_TOKEN": lambda ids: ([ids[0]], [array(ids, "bytea")]),
    "GRANT_INSERT": lambda ids: (insert(1), [array(column, kind) for column, kind in zip(zip(*map(insert, range(SET))), INSERT_TYPES)]),
    "GRANT_ROTATE": lambda ids: ([ids[0], "1", "5", "20000"], [array(ids, "bytea"), numbers(1), numbers(5), numbers(20000)]),
    "GRANT_REVOKE": lambda ids: ([ids[0], "5", "9", "5"], [array(ids, "bytea"), numbers(5), numbers(9), numbers(5)]),
    "GRANT_NOT_BEFORE": lambda ids: ([ids[0], "5"], [array(ids, "bytea"), numbers(5)]),
    "GRANT_TOUCH": lambda ids: ([ids[0], "20001"], [array(ids, "bytea"), numbers(20001)]),
    "PURGE_GRANTS": lambda ids: (["1"], None),
    "PURGE_UNINSTALLED": lambda ids: (["1"], None),
}
GROWING = ["grants", "users", "accounts", "members", "sessions", "revoked_tokens", "uninstalls"]
UNTYPED = ["APP_UPDATE", "ACCOUNT_UPDATE", "USER_UPDATE"]  # arguments that a statement does not use; they name one row by its id
SET = 64


def array(values, kind):
    return f"array[{','.join(values)}]::{kind}[]"


def numbers(value):
    return array([str(value)] * SET, "bigint")


INSERT_TYPES = ["bytea", *["bigint"] * 3, "bytea", *["bigint"] * 2, "bytea", *["bigint"] * 6, *["bytea"] * 2, "bigint", "bytea"]


def insert(number):
    mark = f"'\\xff{number:030x}'::bytea"
    return [mark, "3001", str(1001 + number), str(2001 + number), "'\\x010102'", "1", "NULL", "'\\x00'", "0", "0", "0", "NULL", "0", "1", "'\\x'", "'\\x'", "1", mark]


def psql(url, sql):
    done = subprocess.run(["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", url], input=sql, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]
    return done.stdout


def fill(url, rows):
    """Time-ordered ids, twenty grants to an account, three users to an account, forty apps, every second app rotating."""
    psql(url, f"""
        SET synchronous_commit = off;
        INSERT INTO accounts SELECT 1000 + i, 'a' || i || '.example', 'Account ' || i, 1, 0 FROM generate_series(1, {rows // 20}) i;
        INSERT INTO users (user_id, email, name, password_hash, created_ms, disabled_ms, email_key)
          SELECT 2000 + i, 'u' || i || '@a.example', 'User ' || i, '', 1, 0, 'u' || i || '@a.example' FROM generate_series(1, {rows // 10}) i;
        INSERT INTO members SELECT 2000 + i, 1001 + (i - 1) / 2, 0 FROM generate_series(1, {rows // 10}) i;
        INSERT INTO grants (id, app_id, hub_id, user_id, scopes, created_ms, expires_ms, salt, generation, rotated_ms, access_not_before_ms,
          revoked_ms, last_used_day, auth_time_ms)
          SELECT decode(lpad(to_hex(i), 32, '0'), 'hex'), 3001 + i % 40, 1001 + i % {rows // 20}, 2001 + i % {rows // 10}, '\\x010102', i, NULL,
          uuid_send(gen_random_uuid()), 0, 0, 0, NULL, 19999, 1 FROM generate_series(1, {rows}) i;
        INSERT INTO uninstalls SELECT 4001, 1000 + i, i FROM generate_series(1, {rows // 2}) i;
        INSERT INTO revoked_tokens SELECT uuid_send(gen_random_uuid()), i FROM generate_series(1, {rows // 2}) i;
        INSERT INTO sessions SELECT uuid_send(gen_random_uuid()), 2000 + i, 1, 1, i, NULL FROM generate_series(1, {rows // 2}) i;
        VACUUM ANALYZE;""")


def explain(url, text, arguments):
    call = f"EXECUTE s({', '.join(arguments)})" if arguments else "EXECUTE s"
    return psql(url, f"SET plan_cache_mode = force_generic_plan; SET jit = off; BEGIN; PREPARE s AS {text};"
                     f" EXPLAIN (ANALYZE, BUFFERS, WAL, COSTS off, TIMING off, SUMMARY on) {call}; ROLLBACK;")


def whole_tables(url, table):
    """Statements whose plan reads all of a table that grows: (name, line of the plan). The arguments do not matter to a plan that is made without them."""
    for name, texts in table.items():
        for text in filter(None, texts if name not in UNTYPED else ()):
            count = max(map(int, re.findall(r"\$(\d+)", text)), default=0)
            plan = psql(url, f"SET plan_cache_mode = force_generic_plan; SET random_page_cost = 1.1; PREPARE s AS {text};"  # the price of a solid disk
                             f" EXPLAIN EXECUTE s{'(' + ', '.join(['NULL'] * count) + ')' if count else ''};")
            for line in plan.splitlines():
                if (found := re.search(r"Seq Scan on (\w+)", line)) and found.group(1) in GROWING:
                    yield name, line.strip()


def kept(plan):
    """Without what says nothing about the plan."""
    skip = ("SET", "BEGIN", "PREPARE", "ROLLBACK", "Planning", "Buffers", "WAL", "Heap Fetches", "Conflict", "Tuples", "Cache", "Hits")
    return "\n".join(line for line in plan.splitlines() if line and not line.strip().startswith(skip))


def statements(build):
    subprocess.run(["ninja", "-C", build, "bench/bench_sql"], check=True, capture_output=True)
    out = subprocess.run([f"{build}/bench/bench_sql"], check=True, capture_output=True, text=True).stdout
    return {name: (one, many) for name, one, many in (line.split("\t") for line in out.splitlines())}


def main():
    build, rows = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10000000
    url = os.environ.get("TEST_POSTGRES")
    if not url:
        os.execv(CLUSTER, [str(CLUSTER), "run", sys.executable, *sys.argv])
    # a start and an end of grantd make the schema
    server = subprocess.Popen([f"{build}/grantd", "dev", "--json", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              env={"PATH": os.environ["PATH"], "GRANTD_STORE": url})
    server.stdout.readline()
    server.terminate()
    server.wait()
    psql(url, "TRUNCATE accounts, users, members, grants")
    fill(url, rows)
    size = [int(x) for x in psql(url, "SELECT pg_relation_size('grants'); SELECT pg_indexes_size('grants')").split()]
    print(f"{rows} grants: {size[0] / rows:.0f} bytes each in the table, {size[1] / rows:.0f} in its indexes\n")
    every = max(1, rows // SET)
    ids = [ID.format(1 + i * every) for i in range(SET)]
    table = statements(build)
    reading_all = [f"- {name}: {line}" for name, line in whole_tables(url, table)]
    print("\n".join(["Statements that read a whole table that grows:", *reading_all]) if reading_all else "No statement reads a whole table that grows.", end="\n\n")
    for name, arguments in HOT.items():
        one, many = arguments(ids)
        for what, text, given in (("", table[name][0], one), (f", {SET} at once", table[name][1], many)):
            if text and given:
                print(f"### {name}{what}\n```\n{kept(explain(url, text, given))}\n```\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
