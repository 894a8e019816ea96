"""What the tests of the repository know about the tree: its files, its C code and its tables."""
import functools
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("GRANTD_BUILD", "build")


@functools.cache
def files():
    """Every file that git knows and that is there, relative to the root."""
    out = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    names = [name for name in out.decode().split("\0") if name]
    return [pathlib.PurePosixPath(name) for name in sorted(names) if (ROOT / name).is_file()]


def text_files():
    """Without pictures, and without the seeds of fuzzing, which are any bytes."""
    return [path for path in files() if path.suffix not in (".png", ".ico") and "seeds" not in path.parts]


def matching(*patterns):
    return [path for path in files() if any(path.match(pattern) for pattern in patterns)]


def under(folder):
    return [path for path in files() if path.as_posix().startswith(folder.rstrip("/") + "/")]


@functools.cache
def text(path):
    return (ROOT / path).read_text(encoding="utf-8", errors="surrogateescape")


def is_test(path):
    return path.stem.endswith(("_test", "_fuzz")) or path.parts[0] == "tests"


def sources():
    """C code of the product, without its tests."""
    return [path for path in matching("src/*/*.c", "src/*/*.h") if not is_test(path)]


def folders():
    return sorted({path.parts[1] for path in files() if path.parts[0] == "src" and len(path.parts) > 2})


NOT_CODE = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)


@functools.cache
def code(path):
    """The text with comments and literals emptied; line numbers stay."""

    def empty(match):
        found = match.group()
        if found.startswith("/"):
            return "\n" * found.count("\n")
        return found[0] + found[0]

    return NOT_CODE.sub(empty, text(path))


class Function:
    """One function definition; `lines` counts from its first line to its closing brace."""

    def __init__(self, path, name, line, lines, parameters, nesting):
        self.path, self.name, self.line = path, name, line
        self.lines, self.parameters, self.nesting = lines, parameters, nesting

    @property
    def place(self):
        return f"{self.path}:{self.line} {self.name}"


START = re.compile(r"^(?!typedef|struct \w+ \{|enum|union|extern)\w[^;={}]*?\b(\w+)\(([^;{}]*)\)[^;={}]*\{", re.M)
BLOCK = re.compile(r"(\)|\belse|\bdo)\s*$")


def count_parameters(inside):
    depth, count = 0, 1 if inside.strip() not in ("", "void") else 0
    for letter in inside:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        count += letter == "," and depth == 0
    return count


def body_of(source, brace):
    """End of the block that opens at `brace`, and how deep blocks (not initialisers) stand in each other inside it."""
    open_braces, deepest = [], 0
    for at in range(brace, len(source)):
        if source[at] == "{":
            open_braces.append(bool(open_braces) and bool(BLOCK.search(source[max(0, at - 200) : at])))
            deepest = max(deepest, sum(open_braces))
        elif source[at] == "}":
            open_braces.pop()
            if not open_braces:
                return at, deepest
    return len(source), deepest


@functools.cache
def functions(path):
    source, found, at = code(path), [], 0
    # what a macro table or a directive says is no function
    source = re.sub(r"^#(?:[^\n]*\\\n)*[^\n]*", lambda m: "\n" * m.group().count("\n"), source, flags=re.M)
    while match := START.search(source, at):
        brace = match.end() - 1
        end, nesting = body_of(source, brace)
        line = source.count("\n", 0, match.start()) + 1
        lines = source.count("\n", match.start(), end) + 1
        found.append(Function(path, match.group(1), line, lines, count_parameters(match.group(2)), nesting))
        at = end
    return found


ROW = re.compile(r"^([A-Z][A-Z_]*)\((\w+)", re.M)


def rows(def_file, *macros):
    """Names of the rows of a table, of these row macros or of all."""
    return [name for macro, name in ROW.findall(code_of_table(def_file)) if not macros or macro in macros]


def code_of_table(def_file):
    return re.sub(r"/\*.*?\*/", "", text(def_file), flags=re.S)


def words_of(paths):
    found = set()
    for path in paths:
        found.update(re.findall(r"\w+", text(path)))
    return found
