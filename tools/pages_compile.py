#!/usr/bin/env python3
"""Compiles src/pages (templates, translations, style sheet) into C: one struct and one function per page.

pages_compile.py --source src/pages --out DIR    writes pages.h, pages.c and pages_meta.c (run by meson)
pages_compile.py --source src/pages --update-po  writes po/grantd.pot and merges new texts into po/*.po
"""

import argparse
import pathlib
import re
import sys

import pages_emit
import pages_html
import pages_po
from pages_expand import Expander, collect_messages
from pages_template import Declarations, Declarer, Parser, TemplateError

POT_HEADERS = {"Project-Id-Version": "grantd", "Content-Type": "text/plain; charset=UTF-8",
               "Content-Transfer-Encoding": "8bit"}
ENGLISH = {"tag": "en", "name": "English", "dir": "ltr"}


class Pages:
    """Everything below src/pages, parsed and checked as HTML."""

    def __init__(self, source):
        self.source = source
        self.declarations = Declarations()
        records = source / "templates" / "records.decl"
        Declarer(self.declarations, self._shown(records)).read(records.read_text("utf-8"), 1)
        self.partials = self._read("templates/partials/*.html", "partial")
        self.pages = self._read("templates/*.html", "page")
        self.places = {}
        for template in [*self.pages.values(), *self.partials.values()]:
            collect_messages(template.nodes, self.places)
        for msgid in [*pages_emit.MONTHS, pages_emit.DATE]:
            self.places.setdefault(msgid, ["dates"])
        self.places = dict(sorted(self.places.items(), key=lambda item: (item[1][0], 0)))
        for msgid, files in self.places.items():
            pages_po.check_text(files[0], msgid)

    @staticmethod
    def _shown(path):
        return "src/pages/" + "/".join(path.parts[path.parts.index("templates"):])

    def _read(self, pattern, kind):
        found = {}
        for path in sorted(self.source.glob(pattern)):
            template = Parser(path.stem, self._shown(path), path.read_text("utf-8"), self.declarations).parse()
            if template.kind != kind:
                raise TemplateError(self._shown(path) + ":1", f"this must be a {kind}")
            pages_html.check(template)
            found[template.name] = template
        return found

    def catalogues(self):
        for path in sorted((self.source / "po").glob("*.po")):
            yield path, pages_po.read(f"src/pages/po/{path.name}", path.read_text("utf-8"))

    def pot(self):
        comment = "# Texts of the pages. Written by tools/pages_compile.py --update-po; translations are in *.po.\n#"
        return pages_po.write(self.places, None, comment, POT_HEADERS)


def shrink_css(text):
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"\s*\n\s*", "\n", text).strip() + "\n"
    return re.sub(r"([{;,])\n|\n(?=})", lambda found: found[1] or "", text)


def compile_pages(pages, out):
    langs, texts = [ENGLISH], {"en": {msgid: msgid for msgid in pages.places}}
    for path, catalogue in pages.catalogues():
        pages_po.check(catalogue, pages.places)
        tag = catalogue.headers["Language"]
        langs.append({"tag": tag, "name": catalogue.headers["X-Language-Name"], "dir": catalogue.headers["X-Text-Direction"]})
        texts[tag] = {msgid: entry.msgstr for msgid, entry in catalogue.entries.items()}
    pot = pages.source / "po" / "grantd.pot"
    if not pot.exists() or pot.read_text("utf-8") != pages.pot():
        raise TemplateError("src/pages/po/grantd.pot", "out of date; run tools/pages_compile.py --update-po")
    expander = Expander(pages.declarations, pages.partials, {msgid: n for n, msgid in enumerate(pages.places)}, langs)
    expanded = [(page, expander.page(page)) for page in pages.pages.values()]
    refuse_unused(pages, expander.used)
    templates = list(pages.pages.values())
    css = shrink_css((pages.source / "style.css").read_text("utf-8"))
    write(out / "pages.h", pages_emit.header(pages.declarations, templates, langs))
    write(out / "pages.c", pages_emit.source(expanded, expander.messages, texts, langs, css))
    write(out / "pages_meta.c", pages_emit.meta(pages.declarations, templates))


def refuse_unused(pages, used):
    records = [*pages.declarations.records.values(), *(page.record for page in pages.pages.values())]
    for record in records:
        for member in record.members.values():
            if (record.name, member.name) not in used:
                raise TemplateError("src/pages/templates", f"{record.name}.{member.name} is declared and never used")


def update_po(pages):
    write(pages.source / "po" / "grantd.pot", pages.pot())
    for path, catalogue in pages.catalogues():
        write(path, pages_po.write(pages.places, catalogue, catalogue.head_comment, catalogue.headers))


def write(path, text):
    path.write_text(text, "utf-8")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--source", type=pathlib.Path, required=True)
    arguments.add_argument("--out", type=pathlib.Path)
    arguments.add_argument("--update-po", action="store_true")
    given = arguments.parse_args()
    try:
        pages = Pages(given.source)
        if given.update_po:
            update_po(pages)
        if given.out:
            compile_pages(pages, given.out)
    except TemplateError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
