"""The template language of src/pages/templates: text and {{tags}} into a tree, and the typed declarations."""

import re
from dataclasses import dataclass, field


class TemplateError(Exception):
    def __init__(self, where, message):
        super().__init__(f"{where}: error: {message}")


@dataclass(frozen=True)
class Type:
    kind: str  # str, bool, int, lang, enum, record, list
    name: str = ""  # of the enum or record (for a list: of its items)

    def __str__(self):
        return {"list": f"[{self.name}]", "record": self.name, "enum": self.name}.get(self.kind, self.kind)


@dataclass
class Member:
    name: str
    type: Type
    comment: str
    optional: bool = False


@dataclass
class Record:
    name: str
    comment: str
    members: dict = field(default_factory=dict)


@dataclass
class Enum:
    name: str
    comment: str
    values: list

    def constant(self, value):
        return f"{self.name}_{value}".upper()


@dataclass
class Declarations:
    records: dict = field(default_factory=dict)
    enums: dict = field(default_factory=dict)


# The tree. `place` is set by pages_html: "text", "title" or "attribute".
@dataclass
class Text:
    where: str
    text: str


@dataclass
class Put:
    where: str
    kind: str  # text, host, initial, date, index, dir, url, image
    path: str
    lang: str = ""  # url only: name of the language that the address is to switch to
    place: str = ""


@dataclass
class Message:
    where: str
    msgid: str
    args: list  # of (name, kind, path); kind text or host
    place: str = ""


@dataclass
class Literal:
    where: str
    value: object  # str or bool


@dataclass
class Test:
    """A condition given to a partial: (not problem is none)."""

    where: str
    conditions: list
    negated: bool


@dataclass
class Condition:
    where: str
    kind: str  # set, url, image, is
    path: str
    value: str = ""


@dataclass
class If:
    where: str
    conditions: list  # one of them must hold
    negated: bool  # {{#unless}}
    then: list
    otherwise: list


@dataclass
class Each:
    where: str
    path: str
    name: str
    body: list


@dataclass
class Languages:
    where: str
    body: list  # once per language, with language_tag, language_name and language_is_current


@dataclass
class Switch:
    where: str
    path: str
    cases: list  # of (value, where, body)


@dataclass
class Include:
    where: str
    partial: str
    args: dict
    body: list = None  # of a {{#wrap}}


@dataclass
class Body:
    where: str


@dataclass
class Template:
    name: str
    kind: str  # page or partial
    record: Record
    nodes: list


NAME = r"[a-z][a-z0-9_]*"
PATH = rf"{NAME}(?:\.{NAME})*"
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
TOKEN = re.compile(rf'\s*(?:"((?:[^"\\]|\\.)*)"|({PATH})|([=()>]))')


class Declarer:
    """Reads declaration lines: `record name`, `enum name: a, b`, `member: type  # comment`."""

    def __init__(self, declarations, where):
        self.declarations, self.where = declarations, where

    def read(self, text, first_line, own=None):
        """Members outside of a record go to `own` (a page's or partial's parameters)."""
        record, comment = None, []
        for number, line in enumerate(text.split("\n"), first_line):
            where = f"{self.where}:{number}"
            code, _, remark = (part.strip() for part in line.partition("#"))
            if not code:
                comment = comment + [remark] if remark else comment
                continue
            indented = line[0] in " \t"
            if not indented and code.startswith("record "):
                record = self._record(where, code[7:].strip(), comment)
            elif not indented and code.startswith("enum "):
                record = None
                self._enum(where, code[5:], comment)
            else:
                target = record if indented else own
                if target is None:
                    raise TemplateError(where, "a member needs a record (indented) or a page")
                self._member(where, target, code, remark)
                if not indented:
                    record = None
            if own is not None and comment and not own.comment:
                own.comment = " ".join(comment)
            comment = []
        if own is not None and comment and not own.comment:
            own.comment = " ".join(comment)

    def _fresh(self, where, name):
        if not re.fullmatch(NAME, name):
            raise TemplateError(where, f"not a name: {name}")
        if name in self.declarations.records or name in self.declarations.enums:
            raise TemplateError(where, f"{name} is declared twice")
        return name

    def _record(self, where, name, comment):
        record = Record(self._fresh(where, name), " ".join(comment))
        self.declarations.records[name] = record
        return record

    def _enum(self, where, code, comment):
        name, colon, values = code.partition(":")
        name = self._fresh(where, name.strip())
        values = [value.strip() for value in values.split(",")]
        if not colon or not all(re.fullmatch(NAME, value) for value in values):
            raise TemplateError(where, "write: enum name: one, two")
        self.declarations.enums[name] = Enum(name, " ".join(comment), values)

    def _member(self, where, record, code, remark):
        found = re.fullmatch(rf"({NAME}):\s*(\[?)({NAME})(\]?)(\??)", code)
        if not found or bool(found[2]) != bool(found[4]):
            raise TemplateError(where, "write: name: type (str, bool, int, a record, an enum, or [record])")
        name, is_list, type_name, optional = found[1], bool(found[2]), found[3], bool(found[5])
        if name in record.members:
            raise TemplateError(where, f"{name} is declared twice")
        record.members[name] = Member(name, self._type(where, type_name, is_list), remark, optional)

    def _type(self, where, name, is_list):
        if is_list:
            if name not in self.declarations.records:
                raise TemplateError(where, f"unknown record {name}")
            return Type("list", name)
        if name in ("str", "bool", "int", "lang"):
            return Type(name)
        for kind, known in (("record", self.declarations.records), ("enum", self.declarations.enums)):
            if name in known:
                return Type(kind, name)
        raise TemplateError(where, f"unknown type {name}")


class Parser:
    """One template file into a Template."""

    def __init__(self, name, shown_path, text, declarations):
        self.name, self.shown_path, self.text, self.declarations = name, shown_path, text, declarations
        self.kind, self.record = None, None
        self.nodes = []
        self.open = []  # (tag word, node, where), innermost last
        self.target = self.nodes  # where nodes go; None between {{#switch}} and its first {{case}}
        self.outer_targets = []

    def parse(self):
        position = 0
        for found in re.finditer(r"\{\{(.*?)\}\}", self.text, re.S):
            self._text(position, found.start())
            position = found.end()
            self._tag(found[1], found.start())
            if self._stands_alone(found):
                position += 1
        self._text(position, len(self.text))
        if self.open:
            word, _, where = self.open[-1]
            raise TemplateError(where, f"{{{{#{word}}}}} is never closed")
        if not self.record:
            raise TemplateError(f"{self.shown_path}:1", "the {{declare page}} or {{declare partial}} block is missing")
        return Template(self.name, self.kind, self.record, self.nodes)

    def _stands_alone(self, found):
        """A block's tag on a line of its own takes the line with it."""
        is_block = found[1][:1] in ("#", "/", ">", "!") or found[1].split()[0] in ("else", "case", "body", "declare")
        line_start = found.start() == 0 or self.text[found.start() - 1] == "\n"
        return is_block and line_start and self.text[found.end():found.end() + 1] == "\n"

    def _where(self, offset):
        return f"{self.shown_path}:{self.text.count(chr(10), 0, offset) + 1}"

    def _text(self, start, end):
        text = self.text[start:end]
        brace = re.search(r"\{\{|\}\}", text)
        if brace:
            raise TemplateError(self._where(start + brace.start()), f"stray {brace[0]}")
        if not self.record:
            if text.strip():
                raise TemplateError(self._where(start), "the {{declare}} block must come first")
            return
        if text and isinstance(self._opened(), Switch) and self.target is None:
            if text.strip():
                raise TemplateError(self._where(start), "text between {{#switch}} and its first {{case}}")
            return
        if text:
            self.target.append(Text(self._where(start), text))

    def _opened(self):
        return self.open[-1][1] if self.open else None

    def _tag(self, body, offset):
        where = self._where(offset)
        if body.startswith("!"):
            return
        if body.startswith("declare "):
            self._declare(where, body, offset)
            return
        if not self.record:
            raise TemplateError(where, "the {{declare}} block must come first")
        marker = body[0] if body[:1] in ("#", "/", ">") else ""
        words = body[len(marker):].strip()
        word = re.match(r"[a-z_]*", words)[0]
        rest = words[len(word):]
        if self.target is None and not (marker == "/" or word == "case"):
            raise TemplateError(where, "a tag between {{#switch}} and its first {{case}}")
        if marker == "#":
            self._open(where, word, rest)
        elif marker == "/":
            self._close(where, word)
        elif marker == ">":
            self._add(Include(where, word, self._args(where, rest)))
        elif word == "else" and not rest.strip():
            self._else(where)
        elif word == "case" and rest.strip():
            self._case(where, rest.strip())
        else:
            self._add(self._leaf(where, word, rest, words))

    def _add(self, node):
        self.target.append(node)

    def _declare(self, where, body, offset):
        if self.record or self.nodes:
            raise TemplateError(where, "only one {{declare}} block, at the top")
        head, _, lines = body.partition("\n")
        self.kind = head.split()[1] if len(head.split()) == 2 else ""
        if self.kind not in ("page", "partial"):
            raise TemplateError(where, "write {{declare page or {{declare partial")
        self.record = Record(f"page_{self.name}", "")
        first_line = self.text.count("\n", 0, offset) + 2
        Declarer(self.declarations, self.shown_path).read(lines, first_line, self.record)

    def _leaf(self, where, word, rest, words):
        if word == "t":
            tokens = self._tokens(where, rest)
            return self._message(where, tokens)
        if word == "body" and not rest.strip():
            return Body(where)
        if word in ("url", "image", "host", "initial", "date", "index", "dir") and rest.strip():
            tokens = self._tokens(where, rest)
            lang = ""
            if word == "url" and [kind for kind, _ in tokens[1:]] == ["path", "=", "path"] and tokens[1][1] == "lang":
                lang, tokens = tokens[3][1], tokens[:1]
            if [kind for kind, _ in tokens] != ["path"]:
                raise TemplateError(where, f"write {{{{{word} name}}}}")
            return Put(where, word, tokens[0][1], lang)
        if not re.fullmatch(PATH, words):
            raise TemplateError(where, f"cannot read {{{{{words}}}}}")
        return Put(where, "text", words)

    def _open(self, where, word, rest):
        rest = rest.strip()
        if word in ("if", "unless"):
            conditions = [self._condition(where, part) for part in rest.split(" or ")]
            node = If(where, conditions, word == "unless", [], [])
            self._enter(word, node, where, node.then)
        elif word == "each":
            found = re.fullmatch(rf"({PATH})\s+as\s+({NAME})", rest)
            if not found:
                raise TemplateError(where, "write {{#each list as item}}")
            node = Each(where, found[1], found[2], [])
            self._enter(word, node, where, node.body)
        elif word == "switch" and re.fullmatch(PATH, rest):
            node = Switch(where, rest, [])
            self._enter(word, node, where, None)
        elif word == "languages" and not rest:
            node = Languages(where, [])
            self._enter(word, node, where, node.body)
        elif word == "wrap":
            partial = re.match(rf"{NAME}", rest)
            if not partial:
                raise TemplateError(where, "write {{#wrap partial}}")
            node = Include(where, partial[0], self._args(where, rest[partial.end():]), [])
            self._enter(word, node, where, node.body)
        else:
            raise TemplateError(where, f"cannot read {{{{#{word} {rest}}}}}")

    def _enter(self, word, node, where, target):
        self.target.append(node)
        self.open.append((word, node, where))
        self.outer_targets.append(self.target)
        self.target = target

    def _close(self, where, word):
        if not self.open or self.open[-1][0] != word:
            expected = f"; {{{{#{self.open[-1][0]}}}}} of {self.open[-1][2]} is open" if self.open else ""
            raise TemplateError(where, f"{{{{/{word}}}}} closes nothing{expected}")
        self.open.pop()
        self.target = self.outer_targets.pop()

    def _else(self, where):
        node = self._opened()
        if not isinstance(node, If) or self.target is node.otherwise:
            raise TemplateError(where, "{{else}} without an {{#if}}")
        self.target = node.otherwise

    def _case(self, where, value):
        node = self._opened()
        if not isinstance(node, Switch) or not re.fullmatch(NAME, value):
            raise TemplateError(where, "{{case value}} without a {{#switch}}")
        if value in [known for known, _, _ in node.cases]:
            raise TemplateError(where, f"{{{{case {value}}}}} twice")
        self.target = []
        node.cases.append((value, where, self.target))

    def _condition(self, where, text):
        text = text.strip()
        found = re.fullmatch(rf"(url|image)\s+({PATH})", text)
        if found:
            return Condition(where, found[1], found[2])
        found = re.fullmatch(rf"({PATH})\s+is\s+({NAME})", text)
        if found:
            return Condition(where, "is", found[1], found[2])
        if re.fullmatch(PATH, text):
            return Condition(where, "set", text)
        raise TemplateError(where, f"cannot read the condition: {text}")

    def _tokens(self, where, text):
        tokens, position = [], 0
        text = text.rstrip()
        while position < len(text):
            found = TOKEN.match(text, position)
            if not found:
                raise TemplateError(where, f"cannot read: {text[position:].strip()}")
            if found[1] is not None:
                tokens.append(("string", re.sub(r"\\(.)", r"\1", found[1])))
            elif found[2]:
                tokens.append(("path", found[2]))
            else:
                tokens.append((found[3], found[3]))
            position = found.end()
        return tokens

    def _message(self, where, tokens):
        """A string, then name=path pairs; consumes `tokens`."""
        if not tokens or tokens[0][0] != "string":
            raise TemplateError(where, 'write {{t "English text" name=value}}')
        msgid, args = tokens.pop(0)[1], []
        while tokens and tokens[0][0] != ")":
            if [kind for kind, _ in tokens[:3]] != ["path", "=", "path"]:
                raise TemplateError(where, "arguments of a translation are name=value or name=host(value)")
            name, kind, path = tokens[0][1], "text", tokens[2][1]
            del tokens[:3]
            if path == "host" and [kind for kind, _ in tokens[:3]] == ["(", "path", ")"]:
                kind, path = "host", tokens[1][1]
                del tokens[:3]
            args.append((name, kind, path))
        names = [name for name, _, _ in args]
        used = PLACEHOLDER.findall(msgid)
        if sorted(set(used)) != sorted(names):
            raise TemplateError(where, f"placeholders {sorted(set(used))} and arguments {sorted(names)} differ")
        return Message(where, msgid, args)

    def _args(self, where, text):
        """name=path, name="literal", name=true, name=t("English text" name=path), name=(not condition)"""
        tokens, args = self._tokens(where, text), {}
        while tokens:
            if [kind for kind, _ in tokens[:2]] != ["path", "="] or len(tokens) < 3:
                raise TemplateError(where, "arguments of a partial are name=value")
            name, kind, value = tokens[0][1], tokens[2][0], tokens[2][1]
            del tokens[:3]
            if name in args:
                raise TemplateError(where, f"{name} is given twice")
            if kind == "string":
                args[name] = Literal(where, value)
            elif kind == "path" and value == "t" and tokens and tokens[0][0] == "(":
                tokens.pop(0)
                args[name] = self._message(where, tokens)
                if not tokens or tokens.pop(0)[0] != ")":
                    raise TemplateError(where, 'write t("English text" name=value)')
            elif kind == "(":
                args[name] = self._test(where, tokens)
            elif kind == "path" and value in ("true", "false"):
                args[name] = Literal(where, value == "true")
            elif kind == "path":
                args[name] = Put(where, "text", value)
            else:
                raise TemplateError(where, f"cannot read the argument {name}")
        return args

    def _test(self, where, tokens):
        words = []
        while tokens and tokens[0][0] == "path":
            words.append(tokens.pop(0)[1])
        if not words or not tokens or tokens.pop(0)[0] != ")":
            raise TemplateError(where, "write name=(condition)")
        negated = words[0] == "not"
        text = " ".join(words[1:] if negated else words)
        return Test(where, [self._condition(where, part) for part in text.split(" or ")], negated)
