"""The results of ./dev bench as files: results.json (everything), results.md (tables) and a plot for each part."""
import datetime
import json
import os
import pathlib
import platform
import re
import shlex
import subprocess
import sys

import kit
import plot

STORES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


def command_output(*words):
    done = subprocess.run(words, capture_output=True, text=True, cwd=kit.ROOT, check=False)
    return (done.stdout + done.stderr).strip()


def machine():
    """What the figures depend on, in words."""
    cpu = re.search(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    memory = re.search(r"^MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text(), re.M)
    return f"{os.cpu_count()} x {cpu.group(1) if cpu else platform.machine()}, {int(memory.group(1)) // 1048576 + 1} GiB, Linux {platform.release()}"


def stamp(words, load_before):
    """Where a part of the results comes from. The load tells whether the machine was the bench's own."""
    dirty = "+" if command_output("git", "status", "--porcelain", "--untracked-files=no", "--", "src", "bench", "meson.build") else ""
    return {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), "machine": machine(),
            "commit": command_output("git", "rev-parse", "--short", "HEAD") + dirty, "command": "./dev bench " + shlex.join(words),
            "load_before": load_before, "wrk": command_output("wrk", "-v").split(" [")[0], "nginx": command_output("nginx", "-v").split(": ")[-1]}


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join("---" if i == 0 else "---:" for i in range(len(head))) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def milli(us):
    return f"{us / 1000:.2f}" if us < 100000 else f"{us / 1000:.0f}"


def percent(share):
    return "" if share is None else f"{share:.0%}"


# ---- a text and plots for each part: (markdown, {file: svg}) ----

def ops(found, subtitle):
    text, plots = "", {}
    for store, rows in found.items():
        text += f"\n### {STORES[store]}\n\n" + table(
            ["operation", "requests/s", "nginx", "share", "aim", "CPU share", "p50 ms", "p99 ms", "p99.9 ms", "p99 at half load", "CPU µs", "nginx CPU", "written B", "RSS MiB", "errors"],
            [[r["operation"], f"{r['grantd']['per_s']:.0f}", f"{r['nginx']['per_s']:.0f}", percent(r["share"]), percent(r["aim"]), percent(r["cpu_share"]), milli(r["grantd"]["p50_us"]),
              milli(r["grantd"]["p99_us"]), milli(r["grantd"]["p999_us"]), milli(r["half_load"]["p99_us"]) if "half_load" in r else "",
              f"{r['grantd']['cpu_us']:.1f}", f"{r['nginx']['cpu_us']:.1f}", f"{r['grantd']['written']:.0f}", f"{r['rss_kib'] / 1024:.1f}",
              str(r["grantd"]["errors"])] for r in rows])
    names = [r["operation"] for r in found["sqlite"]]
    plots["ops-share.svg"] = plot.bars(
        "Requests per second, as a share of nginx's constant answer", subtitle, "% of nginx", names,
        {STORES[s]: [100 * r["share"] for r in rows] for s, rows in found.items()}, aims=[100 * r["aim"] if r["aim"] else None for r in found["sqlite"]])
    plots["ops-cpu.svg"] = plot.bars(
        "Processor time per request", subtitle, "µs", names,
        {**{STORES[s]: [r["grantd"]["cpu_us"] for r in rows] for s, rows in found.items()}, "nginx": [r["nginx"]["cpu_us"] for r in found["sqlite"]]})
    plots["ops-latency.svg"] = plot.bars(
        "Latency on SQLite, as many requests under way as there are connections", subtitle, "ms", names,
        {name: [r["grantd"][key] / 1000 for r in found["sqlite"]] for name, key in (("p50", "p50_us"), ("p99", "p99_us"), ("p99.9", "p999_us"))}, log=True)
    return text, plots


def peers(found, subtitle):
    text = "\n" + table(
        ["operation", *[f"{s['name']} /s" for s in found["servers"]], *[f"grantd is × {s['name']}" for s in found["servers"] if s["against"]]],
        [[row["operation"], *[f"{row['per_s'][s['name']]:.0f}" if s["name"] in row["per_s"] else "" for s in found["servers"]],
          *[f"{row['ratio'][s['name']]:.0f}" if s["name"] in row["ratio"] else "" for s in found["servers"] if s["against"]]] for row in found["rows"]])
    text += "\nRatios are medians over the rounds, against grantd with the same kind of store:\n\n" + "".join(
        f"- {s['name']} against {s['against']}; {s['durable']}\n" for s in found["servers"] if s["against"])
    text += "\nProcessor time per request in µs (with PostgreSQL: its own as well):\n\n" + table(
        ["operation", *[s["name"] for s in found["servers"]]],
        [[row["operation"], *[f"{row['cpu_us'][s['name']]:.0f}" if s["name"] in row["cpu_us"] else "" for s in found["servers"]]] for row in found["rows"]])
    if found["skipped"]:
        text += "\nNot measured: " + "; ".join(f"{name}: {why}" for name, why in found["skipped"].items()) + ".\n"
    plots = {"peers.svg": plot.bars(
        "Requests per second of one processor, grantd and others", subtitle, "requests/s", [r["operation"] for r in found["rows"]],
        {s["name"]: [r["per_s"].get(s["name"]) for r in found["rows"]] for s in found["servers"]}, log=True)}
    return text, plots


def growth(found, subtitle):
    text, plots = "", {}
    for name, part in found["parts"].items():
        text += f"\n### {part['title']}\n\n" + table(
            [part["x"], "operation", "requests/s", "p50 ms", "p99 ms", "CPU µs", "p99 at half load", "errors"],
            [[r.get("label", f"{r['x']:,}"), r["operation"], f"{r['per_s']:.0f}", milli(r["p50_us"]), milli(r["p99_us"]), f"{r['cpu_us']:.1f}",
              milli(r["half_p99_us"]) if "half_p99_us" in r else "", str(r["errors"])] for r in part["rows"]])
        plots.update(growth_plot(name, part, subtitle))
    text += "\n" + "\n".join(f"- {line}" for line in found["notes"]) + "\n"
    return text, plots


def growth_plot(name, part, subtitle):
    """A line needs at least two places on the axis."""
    if len({r["x"] for r in part["rows"]}) < 2:
        return {}
    operations = list(dict.fromkeys(r["operation"] for r in part["rows"] if "label" not in r))
    series = {o: [(r["x"], r["cpu_us"]) for r in part["rows"] if r["operation"] == o and "label" not in r] for o in operations}
    return {f"growth-{name}.svg": plot.lines("Processor time per request: " + part["title"].lower(), subtitle, (part["x"], "CPU µs per request"), series)}


def overload(found, subtitle):
    text = "\n" + table(
        ["connections", "limit of requests under way", "answers/s", "good/s", "share of the peak", "refused (503)", "p99 ms", "CPU µs", "other errors"],
        [[str(r["connections"]), str(r["limit"] or "none"), f"{r['per_s']:.0f}", f"{r['good_per_s']:.0f}", percent(r["share"]), percent(r["refused"]),
          milli(r["p99_us"]), f"{r['cpu_us']:.1f}", str(r["others"])] for r in found["rows"]])
    text += "\n" + "\n".join(f"- {line}" for line in found["notes"]) + "\n"
    series = {}
    for r in found["rows"]:
        end = f"limit {r['limit']}" if r["limit"] else "no limit"
        series.setdefault("good, " + end, []).append((r["connections"], r["good_per_s"]))
        if r["limit"]:
            series.setdefault("all, " + end, []).append((r["connections"], r["per_s"]))
    return text, {"overload.svg": plot.lines("Overload: " + found["operation"], subtitle, ("connections that ask without a pause", "answers/s"), series)}


AB_LAST = {False: [("p99_us", ".0f")], True: [("store_us", ".1f"), ("statements", ".3f")]}


def ab(found, _):
    rows, on_postgres = found["rows"], "statements" in found["rows"][0]["a"]
    return f"\nThis build (A) beside {found['against']} (B); the ratios are medians of the rounds:\n\n" + table(
        ["operation", "A /s", "B /s", "A / B", "A CPU µs", "B CPU µs", "A / B", "A least", "B least",
         *(["A database's µs", "B", "A statements", "B"] if on_postgres else ["A p99 µs", "B p99 µs"])],
        [[r["operation"], f"{r['a']['per_s']:.0f}", f"{r['b']['per_s']:.0f}", f"{r['per_s']:.2f}", f"{r['a']['cpu_us']:.1f}", f"{r['b']['cpu_us']:.1f}",
          f"{r['cpu']:.2f}", f"{r['a']['least_cpu_us']:.1f}", f"{r['b']['least_cpu_us']:.1f}",
          *(f"{r[side][what]:{form}}" for what, form in AB_LAST[on_postgres] for side in "ab")] for r in rows]), {}


def plain(found, _):
    """Parts that print their own table, in Markdown or for a terminal."""
    text = found["text"].strip()
    return f"\n{text}\n" if text.startswith("|") else f"\n```text\n{text}\n```\n", {}


PARTS = {"ops": ("Every operation", ops), "peers": ("Other servers", peers), "growth": ("How cost grows", growth), "overload": ("Overload", overload),
         "front": ("TLS and HTTP/2", plain), "loops": ("What another loop and batching could bring", plain), "pg": ("PostgreSQL beside pgbench", plain), "micro": ("Parts of a request", plain), "ab": ("A build beside another", ab)}

HEAD = """# Results

Written by `./dev bench`; [README.md](README.md) says how to read it. A figure means something only beside another one of the same run.
"""


def write(folder, results):
    """All files from all results; parts that were not run anew stay as they were."""
    folder.mkdir(parents=True, exist_ok=True)
    text = HEAD
    for name, (title, render) in PARTS.items():
        if name not in results:
            continue
        origin = results[name]["stamp"]
        subtitle = f"{origin['date']}, {origin['commit']}, {origin['machine']}"
        body, plots = render(results[name]["found"], subtitle)
        text += (f"\n## {title}\n\n{origin['date']}, commit {origin['commit']}, `{origin['command']}`\n\n{origin['machine']}; {origin['wrk']}, {origin['nginx']}; "
                 f"load of the machine before it: {origin['load_before']}\n")
        text += "".join(f"\n![{file}]({file})\n" for file in plots) + body
        for file, svg in plots.items():
            (folder / file).write_text(svg)
    (folder / "results.md").write_text(text)
    (folder / "results.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


def read(folder):
    path = folder / "results.json"
    return json.loads(path.read_text()) if path.exists() else {}


def show(name, found, out=sys.stdout):
    """The table of a part on the terminal."""
    text, _ = PARTS[name][1](found, "")
    print(f"\n{PARTS[name][0]}\n{text}", file=out, flush=True)
