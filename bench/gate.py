#!/usr/bin/python3
"""Instructions per request of each endpoint, counted by callgrind and compared with bench/instructions.json: ./dev bench gate [--update].

A clock measures the machine and what else it does; a count of instructions is the same on an idle and on a busy one, so a test can stand on it.
`own` is what our code executes, the libraries left out; it is compared when the compiler is the one of the numbers. `all` has the libraries in
it and is compared when they are the same as well. A request may cost 5 % more; whoever needs more, and knows why, writes the numbers anew and says why.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
NUMBERS = HERE / "instructions.json"
ALLOWED = 1.05
LIBRARIES = ["libc6", "libsqlite3-0", "libssl3", "libsodium23", "libjansson4", "valgrind"]


def compiler():
    return "gcc " + subprocess.run(["gcc", "-dumpfullversion"], check=True, capture_output=True, text=True).stdout.strip()


def libraries():
    """Versions of what takes part, and what the libraries choose their code by."""
    out = subprocess.run(["dpkg-query", "-W", "-f=${Package} ${Version}\n", *LIBRARIES], capture_output=True, text=True, check=False).stdout
    flags = re.search(r"^flags\s*:(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    known = [word for word in ("aes", "pclmulqdq", "avx2", "bmi2", "adx", "sha_ni", "erms", "fsrm") if flags and word in flags.group(1).split()]
    return sorted(out.split("\n"))[1:] + ["cpu " + " ".join(known)]


def count_file(path, program):
    """One dump of callgrind: (row, {"own", "all"}) for one request. What a call cost stands in the line behind calls= and is not its own."""
    total, own, inside, skip, name = 0, 0, False, False, None
    for line in path.read_text().splitlines():
        if line.startswith("desc: Trigger: Client Request: "):
            name, requests = line.removeprefix("desc: Trigger: Client Request: ").rsplit("/", 1)
        elif line.startswith("ob="):
            inside = line.endswith(program)
        elif line.startswith("calls="):
            skip = True
        elif line[:1].isdigit():
            cost = 0 if skip else int(line.split()[1])
            skip, total, own = False, total + cost, own + (cost if inside else 0)
    return name and (name, {"own": round(own / int(requests)), "all": round(total / int(requests))})


def count(build):
    """Builds bench_paths and counts every row of it."""
    subprocess.run(["ninja", "-C", build, "--quiet", "bench/bench_paths"], check=True)
    with tempfile.TemporaryDirectory(prefix="bench-gate-") as folder:
        done = subprocess.run(["valgrind", "--tool=callgrind", "--instr-atstart=no", "--compress-strings=no", "--compress-pos=no",
                               f"--callgrind-out-file={folder}/out", f"{build}/bench/bench_paths"], capture_output=True, text=True, check=False)
        rows = [count_file(path, "/bench_paths") for path in pathlib.Path(folder).glob("out.*")]
    if done.returncode or not any(rows):
        raise SystemExit(f"bench: bench_paths under callgrind ended with {done.returncode}: {done.stderr[-800:]}")
    return dict(sorted(row for row in rows if row))


def known():
    return json.loads(NUMBERS.read_text())


def comparable():
    """Which of the two numbers can be compared here; none with another compiler."""
    if known()["compiler"] != compiler():
        return []
    return ["own", "all"] if known()["libraries"] == libraries() else ["own"]


def compare(found, kinds):
    """What costs more than it may, and what is missing on either side."""
    wanted = known()["instructions"]
    wrong = [f"{name}: only {'counted' if name in found else 'in instructions.json'}" for name in sorted(set(found) ^ set(wanted))]
    for name in sorted(set(found) & set(wanted)):
        wrong += [f"{name}: {found[name][kind]} instructions ({kind}), {found[name][kind] / wanted[name][kind]:.3f} of the {wanted[name][kind]} committed"
                  for kind in kinds if found[name][kind] > wanted[name][kind] * ALLOWED]
    return wrong


def main():
    build = os.environ.get("GRANTD_BUILD", str(HERE.parent / "build"))
    found = count(build)
    before = known()["instructions"] if NUMBERS.exists() else {}
    for name, row in found.items():
        then = before.get(name, row)
        print(f"{name:<20}{row['own']:>9} own {row['own'] / then['own']:>6.3f}{row['all']:>10} all {row['all'] / then['all']:>6.3f}")
    if "--update" in sys.argv:
        NUMBERS.write_text(json.dumps({"compiler": compiler(), "libraries": libraries(), "instructions": found}, indent=1) + "\n")
        return 0
    wrong = compare(found, comparable())
    print("\n".join(wrong) if wrong else f"compared: {', '.join(comparable()) or 'nothing, another compiler'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
