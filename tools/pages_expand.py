"""Resolves a page's tree against its types: partials are put in, names become C expressions, literals become text.

The result is a list of operations: ("text", html), ("do", statement), ("if", condition, ops, ops),
("each", variable, record, items, count, ops) and ("switch", expression, [(constant, ops)])."""

import html
from dataclasses import dataclass, field

from pages_po import STRONG
from pages_template import PLACEHOLDER, Literal, Message, TemplateError, Test, Type


@dataclass
class Value:
    """What a name stands for: a C expression, or a literal or translation given to a partial."""

    type: Type
    c: str = ""  # for records: the prefix of their members ("p->app.", "ctx->")
    c_count: str = ""  # lists
    literal: object = None
    message: Message = None
    scope: dict = None  # where the message's arguments are looked up
    index: str = ""  # items of {{#each}}: the C variable that counts


@dataclass
class Frame:
    """The body of a {{#wrap}} waiting for its {{body}}."""

    nodes: list
    scope: dict
    outer: object = None


def lang_constant(tag):
    return "PAGE_LANG_" + tag.upper().replace("-", "_")


def c_string(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


@dataclass
class Expander:
    declarations: object
    partials: dict
    messages: dict  # msgid -> number
    langs: list  # of {"tag", "name", "dir"}
    used: set = field(default_factory=set)  # (record, member) that some template reads
    depth: int = 0
    counter: int = 0

    def page(self, template):
        scope = {"ctx": Value(Type("record", "page_context"), "ctx->")}
        for member in template.record.members.values():
            scope[member.name] = self._member(template.record.name, "p->", member)
        self.counter = 0
        return self._ops(template.nodes, scope, None)

    def _member(self, record, prefix, member):
        c = prefix + member.name
        value = Value(member.type, c)
        if member.type.kind == "record":
            value.c = c + "."
        elif member.type.kind == "list":
            value.c_count = f"{prefix}n_{member.name}"
        value.scope = {"record": record, "member": member.name}
        return value

    def _ops(self, nodes, scope, frame):
        ops = []
        for node in nodes:
            ops += getattr(self, "_" + type(node).__name__.lower())(node, scope, frame)
        return ops

    def _resolve(self, where, path, scope):
        first, *rest = path.split(".")
        value = scope.get(first)
        if value is None:
            raise TemplateError(where, f"unknown name {first}; known are {', '.join(sorted(scope))}")
        self._note(value)
        for name in rest:
            record = self.declarations.records.get(value.type.name) if value.type.kind == "record" else None
            if record is None or name not in record.members:
                raise TemplateError(where, f"{path}: no member {name} in a {value.type}")
            value = self._member(record.name, value.c, record.members[name])
            self._note(value)
        return value

    def _note(self, value):
        if value.message is None and value.scope and "record" in value.scope:
            self.used.add((value.scope["record"], value.scope["member"]))

    # Leaves

    def _text(self, node, scope, frame):
        return [("text", node.text)]

    def _put(self, node, scope, frame):
        value = self._resolve(node.where, node.path, scope)
        if node.kind == "index":
            if not value.index:
                raise TemplateError(node.where, f"{node.path} is no item of an {{{{#each}}}}")
            return [("do", f"buf_add_u64(out, {value.index});")]
        if value.message is not None:
            self._need(node, node.kind == "text", value)
            return self._message(value.message, value.scope, frame, node.place)
        if isinstance(value.literal, str):
            self._need(node, node.kind == "text", value)
            return [("text", html.escape(value.literal))]
        kind = {"date": "int"}.get(node.kind, "str")
        if node.kind == "text" and value.type.kind == "int":
            return [("do", f"buf_add_i64(out, {value.c});")]
        if node.kind == "dir" and value.type.kind == "lang":
            return [("do", f"buf_add(out, page_langs[page_lang_known({value.c})].dir);")]
        if node.kind == "text" and value.type.kind == "lang":
            return [("do", f"buf_add(out, page_langs[page_lang_known({value.c})].tag);")]
        self._need(node, value.type.kind == kind and value.literal is None, value)
        call = {"text": "text", "host": "host", "initial": "initial", "url": "url", "image": "image"}.get(node.kind)
        if node.kind == "date":
            return [("do", f"page_put_date(out, ctx->lang, {value.c});")]
        if node.lang:
            lang = self._resolve(node.where, node.lang, scope)
            if lang.type.kind != "str" or lang.literal is None:
                raise TemplateError(node.where, f"{node.lang} is no language_tag")
            return [("do", f"page_put_url_in(out, {value.c}, S({c_string(lang.literal)}));")]
        return [("do", f"page_put_{call}(out, {value.c});")]

    @staticmethod
    def _need(node, fits, value):
        if not fits:
            raise TemplateError(node.where, f"{node.path} is a {value.type}, which does not fit here")

    def _message(self, node, scope, frame, place=""):
        place = place or node.place
        if STRONG.search(node.msgid) and place != "text":
            raise TemplateError(node.where, "a translation with <strong> may stand in text only")
        number = self.messages[node.msgid]
        if not node.args:
            return [("do", f"buf_add(out, m[{number}]);")]
        by_name = {}
        for name, kind, path in node.args:
            value = self._resolve(node.where, path, scope)
            if kind == "host" and value.type.kind == "str" and value.c:
                by_name[name] = f"{{.text = page_url_host({value.c})}}"
            elif kind == "text" and value.type.kind == "str" and value.literal is not None:
                by_name[name] = f"{{.text = S({c_string(value.literal)})}}"
            elif kind == "text" and value.type.kind == "str" and value.c:
                by_name[name] = f"{{.text = {value.c}}}"
            elif kind == "text" and value.type.kind == "int":
                by_name[name] = f"{{.number = {value.c}, .is_number = true}}"
            else:
                raise TemplateError(node.where, f"{path} is a {value.type}, which does not fit into a translation")
        args = ", ".join(by_name[name] for name in placeholder_order(node.msgid))
        return [("do", f"page_put_message(out, m[{number}], (const struct page_arg[]){{{args}}}, {len(by_name)});")]

    # Blocks

    def _if(self, node, scope, frame):
        then, otherwise = (node.otherwise, node.then) if node.negated else (node.then, node.otherwise)
        test = self._any(node.conditions, scope)
        if isinstance(test, bool):
            return self._ops(then if test else otherwise, scope, frame)
        return [("if", test, self._ops(then, scope, frame), self._ops(otherwise, scope, frame))]

    def _any(self, conditions, scope):
        """One C expression for all of them, or True or False when it is known now."""
        tests = [self._condition(condition, scope) for condition in conditions]
        return True in tests or " || ".join(test for test in tests if test is not False) or False

    def _condition(self, condition, scope):
        """A C expression, or True or False when it is known now."""
        value = self._resolve(condition.where, condition.path, scope)
        kind = value.type.kind
        if condition.kind == "is":
            enum = self.declarations.enums.get(value.type.name) if kind == "enum" else None
            if enum is None or condition.value not in enum.values:
                raise TemplateError(condition.where, f"{condition.path} is never {condition.value}")
            return f"{value.c} == {enum.constant(condition.value)}"
        if condition.kind in ("url", "image"):
            if value.literal == "":
                return False
            if kind != "str" or not value.c:
                raise TemplateError(condition.where, f"{condition.path} is no address")
            return f"page_{condition.kind}_ok({value.c})"
        if value.message is not None:
            return True
        if value.literal is not None:
            return bool(value.literal)
        test = {"str": f"{value.c}.n > 0", "bool": value.c, "int": f"{value.c} != 0", "list": f"{value.c_count} > 0"}.get(kind)
        if test is None:
            raise TemplateError(condition.where, f"{condition.path} is a {value.type}: no condition")
        return test

    def _each(self, node, scope, frame):
        value = self._resolve(node.where, node.path, scope)
        if value.type.kind != "list":
            raise TemplateError(node.where, f"{node.path} is a {value.type}, not a list")
        if node.name in scope:
            raise TemplateError(node.where, f"{node.name} stands for something else already")
        self.counter += 1
        index, item = f"i{self.counter}", f"{node.name}_{self.counter}"
        inner = scope | {node.name: Value(Type("record", value.type.name), item + "->", index=index)}
        body = self._ops(node.body, inner, frame)
        return [("each", (index, item, value.type.name, value.c, value.c_count), body)]

    def _languages(self, node, scope, frame):
        ops = []
        for lang in self.langs:
            inner = scope | {
                "language_tag": Value(Type("str"), literal=lang["tag"]),
                "language_name": Value(Type("str"), literal=lang["name"]),
                "language_is_current": Value(Type("bool"), f"page_lang_known(ctx->lang) == {lang_constant(lang['tag'])}"),
            }
            ops += self._ops(node.body, inner, frame)
        return ops

    def _switch(self, node, scope, frame):
        value = self._resolve(node.where, node.path, scope)
        enum = self.declarations.enums.get(value.type.name) if value.type.kind == "enum" else None
        if enum is None:
            raise TemplateError(node.where, f"{node.path} is a {value.type}, not an enum")
        given = {name: where for name, where, _ in node.cases}
        for name, where in given.items():
            if name not in enum.values:
                raise TemplateError(where, f"{enum.name} has no {name}")
        for name in enum.values:
            if name not in given:
                raise TemplateError(node.where, f"{{{{case {name}}}}} is missing")
        cases = [(enum.constant(name), self._ops(body, scope, frame)) for name, _, body in node.cases]
        return [("switch", value.c, cases)]

    def _include(self, node, scope, frame):
        partial = self.partials.get(node.partial)
        if partial is None:
            raise TemplateError(node.where, f"there is no partial {node.partial}")
        if self.depth > 20:
            raise TemplateError(node.where, f"the partial {node.partial} includes itself")
        inner = {"ctx": scope["ctx"]}
        for name in node.args:
            if name not in partial.record.members:
                raise TemplateError(node.args[name].where, f"{node.partial} has no parameter {name}")
        for member in partial.record.members.values():
            inner[member.name] = self._argument(node, member, node.args.get(member.name), scope)
        self.depth += 1
        inner_frame = Frame(node.body, scope, frame) if node.body is not None else None
        ops = self._ops(partial.nodes, inner, inner_frame)
        self.depth -= 1
        return ops

    def _argument(self, node, member, given, scope):
        if given is None:
            empty = {"str": "", "bool": False}.get(member.type.kind)
            if not member.optional or empty is None:
                raise TemplateError(node.where, f"{node.partial} needs {member.name}")
            return Value(member.type, literal=empty)
        if isinstance(given, Literal):
            value = Value(Type("bool" if isinstance(given.value, bool) else "str"), literal=given.value)
        elif isinstance(given, Test):
            test = self._any(given.conditions, scope)
            known = isinstance(test, bool)
            value = Value(Type("bool"), "" if known else f"{'!' * given.negated}({test})", literal=test != given.negated if known else None)
        elif isinstance(given, Message):
            value = Value(Type("str"), message=given, scope=scope)
        else:
            value = self._resolve(given.where, given.path, scope)
        if value.type != member.type:
            raise TemplateError(given.where, f"{member.name} is a {member.type}, this is a {value.type}")
        return value

    def _body(self, node, scope, frame):
        if frame is None:
            raise TemplateError(node.where, "{{body}} stands in a partial that is used by {{#wrap}}")
        return self._ops(frame.nodes, frame.scope, frame.outer)


def placeholder_order(msgid):
    return list(dict.fromkeys(PLACEHOLDER.findall(msgid)))


def collect_messages(nodes, places):
    """Every msgid under `nodes` into places: msgid -> files that use it."""
    for node in nodes:
        if isinstance(node, Message):
            files = places.setdefault(node.msgid, [])
            path = node.where.rpartition(":")[0]
            if path not in files:
                files.append(path)
        for name in ("nodes", "then", "otherwise", "body"):
            collect_messages(getattr(node, name, None) or [], places)
        collect_messages((getattr(node, "args", None) or {}).values() if hasattr(node, "partial") else [], places)
        for case in getattr(node, "cases", []):
            collect_messages(case[2], places)
