"""Sizes: what is longer, deeper or wider than the house wants stands in shape_exceptions.txt with a reason."""
import pathlib
import re

import tree

LINES, NESTING, PARAMETERS, FILE_LINES = 60, 3, 5, 700
EXCEPTIONS = tree.ROOT / "tests/repo/shape_exceptions.txt"


def exceptions():
    """`path name: reason`, a line each; the name of a file's own exception is `file`."""
    found = {}
    for line in EXCEPTIONS.read_text().splitlines():
        if line and not line.startswith("#"):
            match = re.fullmatch(r"(\S+) (\w+): (.{15,})", line)
            assert match, f"not of the form `path name: reason`: {line}"
            found[match.group(1), match.group(2)] = match.group(3)
    return found


def all_functions():
    return [function for path in tree.sources() if path.suffix == ".c" for function in tree.functions(path)]


def long_files():
    paths = [p for p in tree.files() if p.suffix in (".c", ".h", ".py", ".mjs", ".sh") or p.name == "dev"]
    return {(str(p), "file"): n for p in paths if (n := tree.text(p).count("\n")) > FILE_LINES}


def breaches():
    found = {}
    for f in all_functions():
        said = [
            f"{value} {what}"
            for value, limit, what in (
                (f.lines, LINES, "lines"), (f.nesting, NESTING, "levels"), (f.parameters, PARAMETERS, "parameters"))
            if value > limit
        ]
        if said:
            found[str(f.path), f.name] = f"{f.place}: {', '.join(said)}"
    for key, lines in long_files().items():
        found[key] = f"{key[0]}: {lines} lines"
    return found


def test_shape():
    allowed = exceptions()
    assert not [said for key, said in breaches().items() if key not in allowed]


def test_exceptions_are_needed():
    found = breaches()
    assert not [key for key in exceptions() if key not in found]


def test_the_function_finder_finds(tmp_path):
    """The finder itself, on a file that is written here."""
    source = (
        "static int a_b(int x, char (*y)(int, int),\n        long z) {\n    if (x) {\n        for (;;) { struct p q = {1, {2}}; }\n    }\n    return 0;\n}\n"
        "#define M(x) \\\n    f(x) {\nvoid c(void) { }\n")
    path = pathlib.Path(tmp_path) / "x.c"
    path.write_text(source)
    found = [(f.name, f.line, f.lines, f.parameters, f.nesting) for f in tree.functions(path)]
    assert found == [("a_b", 1, 7, 3, 2), ("c", 10, 1, 0, 0)]


def report(count=10):
    found = all_functions()
    print("longest functions")
    for f in sorted(found, key=lambda f: -f.lines)[:count]:
        print(f"  {f.lines:4} lines {f.nesting} levels {f.parameters} parameters  {f.place}")
    print("longest files")
    for path in sorted(tree.matching("*.c", "*.h"), key=lambda p: -tree.text(p).count("\n"))[:count]:
        print(f"  {tree.text(path).count(chr(10)):4} {path}")
    lengths = sorted(f.lines for f in found)
    if lengths:
        print(f"{len(lengths)} functions, median {lengths[len(lengths) // 2]} lines, 95 % under {lengths[len(lengths) * 95 // 100] + 1}")


if __name__ == "__main__":
    report()
