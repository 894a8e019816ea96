"""Who may include whom. The table is the one of docs/design.md."""
import re

import pytest

import tree

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)

# Headers of C itself that do nothing to the world; all that a pure folder may take from the system.
PURE_HEADERS = {"stdbool.h", "stddef.h", "stdint.h", "string.h", "limits.h", "inttypes.h", "stdalign.h", "assert.h", "stdarg.h"}
# Headers of libraries: each stays in the folders that the table names.
LIBRARIES = re.compile(r"^(sqlite3|libpq-fe|sodium|uv|jansson|ini|cmocka|systemd/.*|openssl/.*|curl/.*|nghttp2/.*|cjose/.*|sodium/.*)(\.h)?$")


def table():
    """folder -> (floor, folders it sees, library headers it may include, pure)"""
    design = tree.text(tree.pathlib.PurePosixPath("docs/design.md"))
    found = {}
    for line in design.splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if len(cells) == 6 and cells[0].isdigit():
            floor, folder, _, sees, outside, pure = cells
            words = re.findall(r"[\w/.*-]+", outside.replace("`", ""))
            found[folder.strip("`")] = (int(floor), set(re.findall(r"\w+", sees)), words, pure == "yes")
    return found


FLOORS = table()


def includes(path):
    return [(kind == '"', name) for kind, name in INCLUDE.findall(re.sub(r"/\*.*?\*/", "", tree.text(path), flags=re.S))]


def owner_of():
    """Header -> folder, with the headers that the build writes."""
    owners = {path.name: path.parts[1] for path in tree.under("src") if path.suffix in (".h", ".def")}
    for path in tree.matching("src/*/meson.build"):
        for made in re.findall(r"output:\s*\[([^\]]*)\]", tree.text(path)):
            owners.update({name: path.parts[1] for name in re.findall(r"'([^']+\.h)'", made)})
    return owners


def test_every_folder_has_a_floor():
    assert set(tree.folders()) <= set(FLOORS)


def test_a_floor_sees_lower_floors_only():
    wrong = [f"{folder} sees {other}" for folder, (floor, sees, _, _) in FLOORS.items() for other in sees if FLOORS[other][0] >= floor]
    assert not wrong


def test_oauth_and_store_do_not_meet():
    assert not {"store", "db"} & FLOORS["oauth"][1]
    assert "oauth" not in FLOORS["store"][1]


@pytest.mark.parametrize("folder", tree.folders())
def test_includes(folder):
    _, sees, libraries, pure = FLOORS[folder]
    owners = owner_of()
    wrong = []
    for path in tree.under(f"src/{folder}"):
        if path.suffix not in (".c", ".h"):
            continue
        for own, name in includes(path):
            if own:
                bad = "/" in name or owners.get(name) not in sees | {folder}
            elif LIBRARIES.match(name):
                bad = not any(re.fullmatch(word.replace("*", ".*"), name) for word in libraries)
                bad = bad and not (tree.is_test(path) and name == "cmocka.h")
            else:
                bad = pure and not tree.is_test(path) and name not in PURE_HEADERS
            if bad:
                wrong.append(f"{path}: {name}")
    assert not wrong


def test_headers_have_distinct_names():
    names = [path.name for path in tree.matching("src/*/*.h")]
    assert len(names) == len(set(names))


def test_static_libraries_link_what_they_see():
    """meson.build gives a folder no more than the table does."""
    wrong = []
    for folder, (_, sees, _, _) in FLOORS.items():
        path = tree.pathlib.PurePosixPath(f"src/{folder}/meson.build")
        if path not in tree.files() or folder == "cmd":
            continue
        given = set(re.findall(r"\b(\w+)_dep\b", tree.text(path))) - {folder}
        wrong += [f"{folder}: {other}" for other in given - sees]
    assert not wrong
