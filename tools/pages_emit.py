"""Writes the C of the pages: pages.h, pages.c and pages_meta.c."""

import hashlib
import html
import re

from pages_expand import c_string, lang_constant, placeholder_order
from pages_po import STRONG
from pages_template import PLACEHOLDER

HEAD = "/* Written by tools/pages_compile.py from src/pages; not to be edited. */\n"
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December"]
DATE = "{day} {month} {year}"


def message_c(msgid, text):
    """Escapes a translation; placeholder n of the msgid becomes \\001 and the digit n."""
    order = placeholder_order(msgid)
    out, position = "", 0
    for found in re.finditer(PLACEHOLDER.pattern + "|" + STRONG.pattern, text):
        out += c_string(html.escape(text[position:found.start()]))[1:-1]
        out += found[0] if found[0][0] == "<" else f"\\001{order.index(found[1])}"
        position = found.end()
    return '"' + out + c_string(html.escape(text[position:]))[1:-1] + '"'


def literal_lines(text, indent):
    """A C string literal, one line of it per line of text."""
    return ("\n" + indent).join(c_string(line) for line in text.splitlines(keepends=True)) or '""'


def c_comment(text):
    return f"/* {text.replace('*/', '* /')} */" if text else ""


# Operations -> C

def merged(ops):
    """Joins neighbouring texts and shrinks the white space of line ends."""
    out = []
    for op in ops:
        if op[0] == "text" and out and out[-1][0] == "text":
            out[-1] = ("text", out[-1][1] + op[1])
        else:
            out.append(op)
    return [("text", re.sub(r"[ \t]*\n\s*", "\n", op[1])) if op[0] == "text" else op for op in out if op != ("text", "")]


def op_lines(ops, indent):
    lines = []
    for op in merged(ops):
        if op[0] == "text":
            lines.append(f"{indent}buf_add(out, S({literal_lines(op[1], indent + ' ' * 15)}));")
        elif op[0] == "do":
            lines.append(indent + op[1])
        else:
            lines += {"if": if_lines, "each": each_lines, "switch": switch_lines}[op[0]](op, indent)
    return lines


def if_lines(op, indent):
    _, condition, then, otherwise = op
    then_lines, else_lines = op_lines(then, indent + "    "), op_lines(otherwise, indent + "    ")
    if not then_lines and not else_lines:
        return []
    if not then_lines:
        return [f"{indent}if (!({condition})) {{", *else_lines, indent + "}"]
    lines = [f"{indent}if ({condition}) {{", *then_lines]
    if else_lines:
        lines += [indent + "} else {", *else_lines]
    return lines + [indent + "}"]


def each_lines(op, indent):
    _, (index, item, record, items, count), body = op
    lines = op_lines(body, indent + "    ")
    head = [f"{indent}for (size_t {index} = 0; {index} < {count}; {index}++) {{"]
    if any(f"{item}->" in line for line in lines):
        head.append(f"{indent}    const struct {record} *{item} = &{items}[{index}];")
    return head + lines + [indent + "}"]


def switch_lines(op, indent):
    _, expression, cases = op
    lines = [f"{indent}switch ({expression}) {{"]
    for constant, body in cases:
        lines += [f"{indent}case {constant}:", *op_lines(body, indent + "    "), f"{indent}    break;"]
    return lines + [indent + "}"]


# Header

def member_lines(member):
    remark = "  " + c_comment(member.comment) if member.comment else ""
    kind, name = member.type.kind, member.name
    if kind == "list":
        return [f"    const struct {member.type.name} *{name};{remark}", f"    size_t n_{name};"]
    c_type = {"str": "str", "bool": "bool", "int": "int64_t", "lang": "enum page_lang"}.get(kind)
    if not c_type:
        c_type = f"{kind.replace('record', 'struct')} {member.type.name}"
    return [f"    {c_type} {name};{remark}"]


def struct_lines(record):
    comment = [c_comment(record.comment)] if record.comment else []
    members = [line for member in record.members.values() for line in member_lines(member)]
    return comment + [f"struct {record.name} {{"] + (members or ["    char unused;"]) + ["};", ""]


def header(declarations, pages, langs):
    lines = [HEAD, "#ifndef GRANTD_PAGES_H", "#define GRANTD_PAGES_H", "", '#include "buf.h"', ""]
    lines += ["/* Languages of the pages; English first, it is the source. */"]
    lines += ["enum page_lang { " + ", ".join(lang_constant(lang["tag"]) for lang in langs) + " };"]
    lines += [f"#define PAGE_LANGS {len(langs)}", ""]
    lines += ["struct page_lang_row {", "    str tag;  /* BCP 47 */", "    str name; /* in the language itself */",
              "    str dir;  /* ltr or rtl */", "};", "extern const struct page_lang_row page_langs[PAGE_LANGS];", ""]
    for enum in declarations.enums.values():
        lines += [c_comment(enum.comment)] if enum.comment else []
        lines += [f"enum {enum.name} {{ " + ", ".join(enum.constant(value) for value in enum.values) + " };", ""]
    for record in declarations.records.values():
        lines += struct_lines(record)
    for page in pages:
        lines += struct_lines(page.record)
        lines += [f"void {page.record.name}(struct buf *out, const struct {page.record.name} *p, const struct page_context *ctx);", ""]
    return "\n".join(lines + ["#endif", ""])


# Source

def table_lines(head, rows):
    return [head + " = {", *("    " + row + "," for row in rows), "};", ""]


def message_tables(messages, texts, langs):
    lines = ["#define ROW(lit) {(lit), sizeof(lit) - 1}", ""]
    lines += [f"static const str page_messages[PAGE_LANGS][{len(messages)}] = {{"]
    for lang in langs:
        rows = [f"ROW({message_c(msgid, texts[lang['tag']][msgid])})," for msgid in messages]
        lines += [f"    [{lang_constant(lang['tag'])}] = {{", *("        " + row for row in rows), "    },"]
    lines += ["};", "", "const uint16_t page_month_messages[12] = {" + ", ".join(str(messages[month]) for month in MONTHS) + "};",
              f"const uint16_t page_date_message = {messages[DATE]};", "",
              "const str *page_messages_of(enum page_lang lang) { return page_messages[page_lang_known(lang)]; }", ""]
    return lines


def style_lines(css):
    digest = hashlib.sha256(css.encode()).hexdigest()[:16]
    return ["const struct page_asset page_style = {", f'    ROW("/oauth/assets/style.{digest}.css"),',
            '    ROW("text/css; charset=utf-8"),', f'    ROW("\\"{digest}\\""),',
            f"    ROW({literal_lines(css, '        ')}),", "};", ""]


def page_lines(page, ops):
    name = page.record.name
    body = op_lines(ops, "    ")
    text = "\n".join(body)
    lines = [f"void {name}(struct buf *out, const struct {name} *p, const struct page_context *ctx) {{"]
    lines += ["    const str *m = page_messages_of(ctx->lang);"] if re.search(r"\bm\[", text) else []
    lines += ["    (void)p;"] if "p->" not in text else []
    return lines + body + ["}", ""]


def source(pages, messages, texts, langs, css):
    """`pages`: list of (template, operations)."""
    lines = [HEAD, '#include "pages.h"', "", '#include "page_asset.h"', '#include "page_lang.h"', '#include "page_out.h"',
             '#include "page_url.h"', ""]
    lines += message_tables(messages, texts, langs)
    lines += table_lines("const struct page_lang_row page_langs[PAGE_LANGS]",
                         [f"{{ROW({c_string(lang['tag'])}), ROW({c_string(lang['name'])}), ROW({c_string(lang['dir'])})}}" for lang in langs])
    lines += style_lines(css)
    for page, ops in pages:
        lines += page_lines(page, ops)
    return "\n".join(lines)


# Meta: what the structs look like, for tests that fill every member

def field_row(record, member, declarations):
    name, kind = member.name, member.type.kind
    row = [f'"{name}"', f"PAGE_FIELD_{kind.upper()}", f"offsetof(struct {record.name}, {name})"]
    row += [f"offsetof(struct {record.name}, n_{name})" if kind == "list" else "0"]
    row += [str(len(declarations.enums[member.type.name].values)) if kind == "enum" else "0"]
    row += [f"&shape_{member.type.name}" if kind in ("list", "record") else "NULL"]
    return "{" + ", ".join(row) + "}"


def shape_lines(record, declarations):
    rows = [field_row(record, member, declarations) for member in record.members.values()]
    lines = []
    if rows:
        lines += table_lines(f"static const struct page_field fields_{record.name}[]", rows)
    fields = f"fields_{record.name}" if rows else "NULL"
    return lines + [f"static const struct page_shape shape_{record.name} = {{{c_string(record.name)}, "
                    f"sizeof(struct {record.name}), {fields}, {len(rows)}}};", ""]


def meta(declarations, pages):
    lines = [HEAD, '#include "page_meta.h"', "", "#include <stddef.h>", ""]
    for record in declarations.records.values():
        lines += shape_lines(record, declarations)
    for page in pages:
        name = page.record.name
        lines += shape_lines(page.record, declarations)
        lines += [f"static void render_{name}(struct buf *out, const void *p, const struct page_context *ctx) {{", f"    {name}(out, p, ctx);", "}", ""]
    rows = [f"{{{c_string(page.name)}, &shape_{page.record.name}, render_{page.record.name}}}" for page in pages]
    lines += table_lines("const struct page_row page_rows[]", rows)
    lines += [f"const size_t page_count = {len(pages)};", "const struct page_shape *const page_context_shape = &shape_page_context;", ""]
    return "\n".join(lines)
