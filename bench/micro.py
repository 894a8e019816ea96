#!/usr/bin/python3
"""Parts of a request, each in a loop (bench/micro.c), and what signing a token costs beside `openssl speed ecdsap256`: the same curve of
the same library, on the same processor, in turns."""
import pathlib
import re
import statistics
import subprocess
import sys

import kit

PROGRAM = str(pathlib.Path(kit.BINARY).parent / "bench/bench_micro")
ROUNDS = 3


def said(*command):
    return subprocess.run(kit.pinned("0", list(command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout


def ours():
    """Nanoseconds of one signed access token and of one verification."""
    rows = dict(re.findall(r"^(es256_\w+)_270 +([\d.]+) ns", said(PROGRAM, "es256"), re.MULTILINE))
    return float(rows["es256_sign"]), float(rows["es256_verify"])


def theirs():
    """The same of OpenSSL: its last columns are signatures and verifications a second."""
    rates = re.search(r"nistp256\)? .* ([\d.]+) +([\d.]+)$", said("openssl", "speed", "-seconds", "1", "ecdsap256"), re.MULTILINE)
    return 1e9 / float(rates[1]), 1e9 / float(rates[2])


def main():
    print(said(PROGRAM, *sys.argv[1:]), end="")
    rounds = [(ours(), theirs()) for _ in range(ROUNDS)]
    print(f"\nbeside openssl speed ecdsap256, medians of {ROUNDS} rounds in turns")
    for at, name in enumerate(("sign", "verify")):
        mine, other = (statistics.median(one[who][at] for one in rounds) for who in (0, 1))
        share = statistics.median(one[1][at] / one[0][at] for one in rounds)
        print(f"{'token, ' + name:<28} {mine:8.0f} ns, openssl {other:8.0f} ns: {100 * share:.0f} % of its rate")


if __name__ == "__main__":
    main()
