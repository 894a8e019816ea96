"""Translations: reads and writes the subset of .po files that the pages need (no plurals, no contexts)."""

import re
from dataclasses import dataclass, field

from pages_template import PLACEHOLDER, TemplateError

STRONG = re.compile(r"</?strong>")
ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


@dataclass
class Entry:
    where: str
    msgid: str = ""
    msgstr: str = ""
    fuzzy: bool = False


@dataclass
class Catalogue:
    path: str
    headers: dict = field(default_factory=dict)
    entries: dict = field(default_factory=dict)
    head_comment: str = ""


def unquote(where, text):
    found = re.fullmatch(r'\s*"((?:[^"\\]|\\.)*)"\s*', text)
    if not found:
        raise TemplateError(where, f"not a quoted string: {text.strip()}")
    try:
        return re.sub(r"\\(.)", lambda escape: ESCAPES[escape[1]], found[1])
    except KeyError as error:
        raise TemplateError(where, f"unknown escape \\{error.args[0]}") from None


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def read(path, text):
    """Every entry of a .po file; the one with the empty msgid becomes `headers`."""
    catalogue = Catalogue(path)
    entry, part, fuzzy, head = None, None, False, []
    for number, line in enumerate(text.split("\n"), 1):
        where = f"{path}:{number}"
        if not line.strip():
            entry = part = None
        elif line.startswith("#"):
            fuzzy = fuzzy or (line.startswith("#,") and "fuzzy" in line)
            if entry is None and not catalogue.entries and not catalogue.headers:
                head.append(line)
        elif line.startswith("msgid "):
            entry, part = Entry(where, unquote(where, line[6:]), "", fuzzy), "msgid"
            fuzzy = False
        elif line.startswith("msgstr ") and entry:
            entry.msgstr, part = unquote(where, line[7:]), "msgstr"
            _keep(catalogue, entry)
        elif line.startswith('"') and entry and part:
            setattr(entry, part, getattr(entry, part) + unquote(where, line))
        else:
            raise TemplateError(where, "only comments, msgid and msgstr are understood")
    catalogue.head_comment = "\n".join(line for line in head if not line.startswith("#,"))
    for line in catalogue.entries.pop("", Entry(path)).msgstr.split("\n"):
        name, _, value = line.partition(":")
        if name:
            catalogue.headers[name.strip()] = value.strip()
    return catalogue


def _keep(catalogue, entry):
    if entry.msgid in catalogue.entries:
        raise TemplateError(entry.where, f"twice: {entry.msgid}")
    catalogue.entries[entry.msgid] = entry


def check(catalogue, msgids):
    """Everything translated, nothing fuzzy, nothing left over, the same placeholders and emphasis as in English."""
    for header in ("Language", "X-Language-Name", "X-Text-Direction"):
        if not catalogue.headers.get(header):
            raise TemplateError(catalogue.path, f"the header {header} is missing")
    for msgid in msgids:
        entry = catalogue.entries.get(msgid)
        if entry is None or not entry.msgstr:
            where = entry.where if entry else catalogue.path
            raise TemplateError(where, f"not translated: {msgid!r}; run tools/pages_compile.py --update-po and translate it")
        if entry.fuzzy:
            raise TemplateError(entry.where, f"fuzzy: {msgid!r}")
        if sorted(PLACEHOLDER.findall(msgid)) != sorted(PLACEHOLDER.findall(entry.msgstr)):
            raise TemplateError(entry.where, f"placeholders differ: {msgid!r}")
        if sorted(STRONG.findall(msgid)) != sorted(STRONG.findall(entry.msgstr)):
            raise TemplateError(entry.where, f"<strong> differs: {msgid!r}")
        check_text(entry.where, entry.msgstr)
    for msgid, entry in catalogue.entries.items():
        if msgid not in msgids:
            raise TemplateError(entry.where, f"no longer used: {msgid!r}; run tools/pages_compile.py --update-po")


def check_text(where, text):
    """Placeholders are {name}, <strong> is balanced and the only markup."""
    rest = PLACEHOLDER.sub("", text)
    if "{" in rest or "}" in rest or re.search(r"[\x00-\x1f]", rest):
        raise TemplateError(where, f"a stray brace or control character: {text!r}")
    depth = 0
    for tag in STRONG.findall(rest):
        depth += 1 if tag == "<strong>" else -1
        if depth not in (0, 1):
            raise TemplateError(where, f"<strong> is not balanced: {text!r}")
    if depth:
        raise TemplateError(where, f"<strong> is not balanced: {text!r}")


def write(messages, catalogue, head_comment, headers):
    """`messages`: msgid -> list of places. Text of a .pot (catalogue None) or of a merged .po."""
    lines = [head_comment] if head_comment else []
    lines += ['msgid ""', 'msgstr ""'] + [quote(f"{name}: {value}\n") for name, value in headers.items()] + [""]
    for msgid, places in messages.items():
        entry = catalogue.entries.get(msgid) if catalogue else None
        lines += ["#: " + " ".join(places)]
        if entry and entry.fuzzy:
            lines += ["#, fuzzy"]
        lines += ["msgid " + quote(msgid), "msgstr " + quote(entry.msgstr if entry else ""), ""]
    return "\n".join(lines)
