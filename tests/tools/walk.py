#!/usr/bin/env python3
"""The walk of README.md is run, not written: its commands (lines that begin with `$ `) are given to a shell with a real server, and what
they print stands below them, with tokens and ids shortened. Run as a program it writes README.md anew; tests/clients compares.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"(?<=<!-- walk begins -->\n)```console\n(.*?)```\n(?=<!-- walk ends -->)", re.S)
ADDRESS = "http://127.0.0.1:8080"
END = "--- end of one command ---"


def commands(readme):
    return re.findall(r"^\$ ((?:.*\\\n)*.*)$", BLOCK.search(readme).group(1), re.M)


def shorten(text):
    text = re.sub(r"\b(gd[arcs]_)[\w-]{20,}", r"\1...", text)
    text = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "6f1c0e5d-...", text)
    return re.sub(r'("(?:iat|exp)":)\d+', r"\g<1>1790000000", text)


def run(lines, server, directory):
    """The output of each command, in one shell, in `directory`. What a person copies from the first terminal is set before."""
    app = server.confidential
    before = f"ID={app.client_id} SECRET={app.client_secret}\n"
    script = before + "".join(f"{line}\necho '{END}'\n" for line in lines).replace(ADDRESS, server.issuer)
    done = subprocess.run(["bash", "-euo", "pipefail"], input=script, cwd=directory, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    outputs = done.stdout.replace(server.issuer, ADDRESS).replace(f"127.0.0.1%3A{server.port}", "127.0.0.1%3A8080")
    return [shorten(output) for output in outputs.split(END + "\n")[:-1]]


def render(readme, outputs):
    body = "".join(f"$ {line}\n{output}" + ("" if not output or output.endswith("\n") else "\n") for line, output in zip(commands(readme), outputs))
    return BLOCK.sub(lambda match: f"```console\n{body}```\n", readme)


def walk(server, directory):
    """README.md as it should be."""
    readme = README.read_text()
    lines = commands(readme)
    assert len(lines) > 5
    return render(readme, run(lines, server, directory))


if __name__ == "__main__":
    import tempfile

    sys.path.insert(0, str(ROOT / "tests/wire"))
    import harness

    with tempfile.TemporaryDirectory() as folder:
        server = harness.DevServer(pathlib.Path(folder) / "data", pathlib.Path(folder) / "stderr").start()
        README.write_text(walk(server, folder))
        server.stop()
