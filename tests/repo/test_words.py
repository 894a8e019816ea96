"""What may not stand in a file: banned calls, paths of one machine, white space at line ends, foreign formatting."""
import re
import shutil
import subprocess

import pytest

import tree

# call -> what to use instead
BANNED = {
    "strcpy": "buf or memcpy", "strcat": "buf", "sprintf": "snprintf or buf_printf", "vsprintf": "vsnprintf", "gets": "read",
    "strncpy": "memcpy", "strncat": "buf", "atoi": "str_to_u64", "atol": "str_to_u64", "atoll": "str_to_u64",
    "rand": "random_fill", "srand": "random_fill", "random": "random_fill", "time": "clock_gettime", "gmtime": "timetext_iso",
    "localtime": "timetext_iso", "strtok": "str_take", "alloca": "the arena", "system": "nothing", "popen": "nothing",
    "tmpnam": "mkstemp", "mktemp": "mkstemp", "getwd": "getcwd", "signal": "sigaction", "strdup": "arena_copy", "asprintf": "arena_printf",
}
CALL = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(BANNED))
GETENV = re.compile(r"\b(secure_)?getenv\s*\(")


def c_files():
    return tree.matching("*.c", "*.h")


def places(pattern, path, text):
    return [f"{path}:{text.count(chr(10), 0, m.start()) + 1} {m.group().strip()}" for m in pattern.finditer(text)]


def test_no_banned_calls():
    assert not [place for path in c_files() for place in places(CALL, path, tree.code(path))]


def test_the_environment_is_read_in_one_place():
    users = {path for path in c_files() if not tree.is_test(path) and GETENV.search(tree.code(path))}
    allowed = {path for path in users if path.parts[1] == "cmd" or path.as_posix() == "src/app/options.c"}
    assert users == allowed and len(users) <= 1


def test_no_path_of_one_machine():
    # in parts, because this file is looked at as well
    words = ["/wo" "rk/", "sha" "red/", "/tmp/ba" "sh", "/ro" "ot/", "/home" "/", "fa" "rm-"]
    wrong = []
    for path in tree.text_files():
        wrong += [f"{path}: {word}" for word in words if word in tree.text(path)]
    assert not wrong


def test_no_unfinished_words():
    pattern = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
    assert not [place for path in tree.files() if path.suffix in (".c", ".h", ".def", ".py", ".mjs", ".md", ".build") for place in places(pattern, path, tree.text(path))]


def test_text_files_are_clean():
    wrong = []
    for path in tree.text_files():
        text = tree.text(path)
        wrong += places(re.compile(r"[ \t]+$", re.M), path, text)
        if text and not text.endswith("\n"):
            wrong.append(f"{path}: no line end at the end")
        if "\r" in text:
            wrong.append(f"{path}: carriage return")
    assert not wrong


def test_clang_format():
    tool = shutil.which("clang-format-14")
    assert tool, "clang-format-14 is missing (./dev test installs it)"
    paths = [str(path) for path in c_files()]
    done = subprocess.run([tool, "--dry-run", "-Werror", *paths], cwd=tree.ROOT, capture_output=True, text=True)
    wrong = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error", done.stderr, re.M)))
    assert not wrong and done.returncode == 0


@pytest.mark.parametrize("script", ["dev", ".ci/run"])
def test_scripts_parse(script):
    subprocess.run(["bash", "-n", script], cwd=tree.ROOT, check=True)


def test_headers_are_guarded():
    wrong = []
    for path in tree.matching("src/*/*.h"):
        guard = f"GRANTD_{path.stem.upper()}_H"
        if f"#ifndef {guard}\n#define {guard}\n" not in tree.text(path):
            wrong.append(str(path))
    assert not wrong


def test_every_test_is_registered():
    wrong = []
    for path in tree.matching("*_test.c", "*_fuzz.c"):
        build = tree.ROOT / path.parent / "meson.build"
        stems = {path.stem, path.stem.removesuffix("_test").removesuffix("_fuzz"), path.name}
        said = build.read_text() if build.exists() else ""
        if not any(f"'{stem}'" in said for stem in stems):
            wrong.append(str(path))
    assert not wrong


def test_every_source_is_built():
    wrong = []
    for path in tree.matching("src/*/*.c"):
        if not tree.is_test(path) and f"'{path.name}'" not in (tree.ROOT / path.parent / "meson.build").read_text():
            wrong.append(str(path))
    assert not wrong
