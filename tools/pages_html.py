"""Walks a template's tree as HTML: where values may stand, what markup is allowed, and that elements balance."""

import re
from dataclasses import dataclass, replace

from pages_template import Body, Each, If, Include, Message, Put, Switch, TemplateError, Text

VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
FORBIDDEN = {"script", "style", "iframe", "frame", "object", "embed", "applet", "base", "portal", "template", "noscript"}
URL_ATTRIBUTES = {"href", "src", "action", "formaction", "poster", "cite", "data", "background", "ping", "xlink:href"}
FORBIDDEN_ATTRIBUTES = {"style", "srcdoc", "srcset", "http-equiv", "background", "ping", "xlink:href"}
SPOKEN_ATTRIBUTES = {"aria-label", "aria-description", "alt", "title", "placeholder"}
ENTITY = re.compile(r"&(?:#[0-9]+|#x[0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")


@dataclass(frozen=True)
class State:
    mode: str = "text"  # text, tag, in_tag, attribute, equals, value, slash, close, doctype
    word: str = ""  # the name being read
    stack: tuple = ()  # open elements
    tag: str = ""
    attribute: str = ""
    value: str = ""  # static part of the attribute's value so far
    has_url: bool = False  # the attribute's value is a checked address


class Checker:
    def __init__(self, template):
        self.template = template

    def check(self):
        end = self._walk(self.template.nodes, State())
        if end != State():
            what = f"<{end.stack[-1]}> is not closed" if end.stack else "the file ends inside a tag"
            raise TemplateError(self._last(), what)

    def _last(self):
        return self.template.nodes[-1].where if self.template.nodes else self.template.name

    def _walk(self, nodes, state):
        for node in nodes:
            state = getattr(self, "_" + type(node).__name__.lower())(node, state)
        return state

    def _text(self, node, state):
        path, _, line = node.where.rpartition(":")
        line = int(line)
        for offset, char in enumerate(node.text):
            where = f"{path}:{line}"
            if state.mode == "text" and char == "&" and not ENTITY.match(node.text, offset):
                raise TemplateError(where, "a bare &")
            if state.mode == "text" and char.isalpha() and not self._in_entity(node.text, offset):
                raise TemplateError(where, 'visible text must be a translation: {{t "..."}}')
            state = self._step(where, state, char)
            line += char == "\n"
        return state

    @staticmethod
    def _in_entity(text, offset):
        start = text.rfind("&", 0, offset)
        found = ENTITY.match(text, start) if start >= 0 else None
        return bool(found) and found.end() > offset

    def _step(self, where, state, char):
        return getattr(self, "_in_" + state.mode)(where, state, char)

    def _in_text(self, where, state, char):
        return replace(state, mode="tag", word="") if char == "<" else state

    def _in_tag(self, where, state, char):
        if not state.word and char == "/":
            return replace(state, mode="close", word="")
        if not state.word and char == "!":
            return replace(state, mode="doctype", word="")
        if re.match(r"[a-z0-9]", char) and (state.word or char.isalpha()):
            return replace(state, word=state.word + char)
        if not state.word or not (char.isspace() or char in ">/"):
            raise TemplateError(where, f"bad character in a tag name: {char!r}")
        if state.word in FORBIDDEN:
            raise TemplateError(where, f"<{state.word}> is not allowed")
        return self._in_in_tag(where, replace(state, mode="in_tag", tag=state.word, word=""), char)

    def _in_in_tag(self, where, state, char):
        if char.isspace():
            return state
        if char == ">":
            stack = state.stack if state.tag in VOID else state.stack + (state.tag,)
            return State(stack=stack)
        if char == "/":
            return replace(state, mode="slash")
        if not re.match(r"[a-zA-Z]", char):
            raise TemplateError(where, f"bad character in <{state.tag}>: {char!r}")
        return replace(state, mode="attribute", word=char)

    def _in_slash(self, where, state, char):
        if char != ">":
            raise TemplateError(where, "a stray / in a tag")
        return State(stack=state.stack)

    def _in_attribute(self, where, state, char):
        if re.match(r"[a-zA-Z0-9:-]", char):
            return replace(state, word=state.word + char)
        name = state.word.lower()
        if name.startswith("on") or name in FORBIDDEN_ATTRIBUTES:
            raise TemplateError(where, f"the attribute {name} is not allowed")
        if char == "=":
            return replace(state, mode="equals", attribute=name, word="")
        return self._in_in_tag(where, replace(state, mode="in_tag", word=""), char)

    def _in_equals(self, where, state, char):
        if char != '"':
            raise TemplateError(where, f"the value of {state.attribute} needs double quotes")
        return replace(state, mode="value", value="", has_url=False)

    def _in_value(self, where, state, char):
        if char == '"':
            self._check_value(where, state)
            return replace(state, mode="in_tag", attribute="", value="", has_url=False)
        if state.has_url:
            raise TemplateError(where, f"nothing may follow the address in {state.attribute}")
        if state.attribute in SPOKEN_ATTRIBUTES and char.isalpha():
            raise TemplateError(where, f'{state.attribute} must be a translation: {{{{t "..."}}}}')
        return replace(state, value=state.value + char) if state.attribute in URL_ATTRIBUTES else state

    @staticmethod
    def _check_value(where, state):
        value = state.value
        if state.attribute in URL_ATTRIBUTES and not state.has_url:
            if not (re.match(r"/(?![/\\])", value) or value.startswith("#") or value == "data:,"):
                raise TemplateError(where, f"{state.attribute} must be {{{{url ...}}}}, a path or a fragment")

    def _in_close(self, where, state, char):
        if char != ">":
            return replace(state, word=state.word + char)
        if not state.stack or state.stack[-1] != state.word:
            opened = f", <{state.stack[-1]}> is open" if state.stack else ""
            raise TemplateError(where, f"</{state.word}> closes nothing{opened}")
        return State(stack=state.stack[:-1])

    def _in_doctype(self, where, state, char):
        if char != ">":
            return replace(state, word=state.word + char)
        if state.word.lower() != "doctype html":
            raise TemplateError(where, "write comments as {{! ... }}")
        return State(stack=state.stack)

    # Values

    def _place(self, node, state, is_url):
        if state.mode == "text":
            if is_url:
                raise TemplateError(node.where, "an address belongs into an attribute; use {{host x}} to show it")
            return "title" if state.stack[-1:] == ("title",) else "text"
        if state.mode != "value":
            raise TemplateError(node.where, "a value may stand in text or in a quoted attribute only")
        if (state.attribute in URL_ATTRIBUTES) != is_url:
            raise TemplateError(node.where, f"{state.attribute} takes {'{{url x}} or {{image x}}' if not is_url else 'no address'}")
        if is_url and (state.value or state.has_url):
            raise TemplateError(node.where, f"the address must be the whole of {state.attribute}")
        return "attribute"

    def _put(self, node, state):
        is_url = node.kind in ("url", "image")
        node.place = self._place(node, state, is_url)
        if node.kind == "date" and node.place != "text":
            raise TemplateError(node.where, "a date may stand in text only")
        return replace(state, has_url=True) if is_url else state

    def _message(self, node, state):
        node.place = self._place(node, state, False)
        return state

    # Blocks

    def _same(self, node, one, other):
        if one != other:
            raise TemplateError(node.where, "the block does not leave the markup as it found it, or its branches differ")
        return one

    def _if(self, node, state):
        return self._same(node, self._walk(node.then, state), self._walk(node.otherwise, state))

    def _each(self, node, state):
        return self._same(node, self._walk(node.body, state), state)

    _languages = _each

    def _switch(self, node, state):
        for _, _, body in node.cases:
            self._same(node, self._walk(body, state), state)
        return state

    def _include(self, node, state):
        self._in_text_only(node, state)
        if node.body is not None:
            self._same(node, self._walk(node.body, State()), State())
        return state

    def _body(self, node, state):
        self._in_text_only(node, state)
        return state

    @staticmethod
    def _in_text_only(node, state):
        if state.mode != "text":
            raise TemplateError(node.where, "a partial may stand between elements only")


def check(template):
    Checker(template).check()
