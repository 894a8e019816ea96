"""What the compiler of the pages refuses, with file and line, and what it writes."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import pages_compile  # noqa: E402
import pages_emit  # noqa: E402
import pages_po  # noqa: E402
from pages_template import TemplateError  # noqa: E402

RECORDS = """record page_context
    lang: lang
record page_item
    name: str
enum page_kind: one, two
"""
HEAD = """{{declare page
# A page.
name: str
on: bool
kind: page_kind
items: [page_item]
number: int
}}
<i lang="{{ctx.lang}}">{{#if on}}{{name}}{{/if}}{{#if kind is one}}{{/if}}{{#each items as entry}}{{entry.name}}{{/each}}{{number}}</i>
"""  # nine lines

# body -> part of the message; bodies begin on line 10
REFUSED = {
    "{{nobody}}": "p.html:10: error: unknown name nobody",
    "\n\n{{name.first}}": "p.html:12: error: name.first: no member first in a str",
    "{{items}}": "is a [page_item], which does not fit",
    "{{on}}": "is a bool, which does not fit",
    "{{#if on}}": "{{#if}} is never closed",
    "{{#if on}}{{/each}}": "{{/each}} closes nothing; {{#if}} of src/pages/templates/p.html:10 is open",
    "{{/if}}": "{{/if}} closes nothing",
    "{{else}}": "{{else}} without an {{#if}}",
    "{{#if on}}{{else}}{{else}}{{/if}}": "{{else}} without an {{#if}}",
    "{{#if items is one}}{{/if}}": "items is never one",
    "{{#if kind is three}}{{/if}}": "kind is never three",
    "{{#if kind}}{{/if}}": "no condition",
    "{{#switch kind}}{{case one}}{{/switch}}": "{{case two}} is missing",
    "{{#switch kind}}{{case one}}{{case one}}{{/switch}}": "{{case one}} twice",
    "{{#switch kind}}{{case ten}}{{case one}}{{case two}}{{/switch}}": "page_kind has no ten",
    "{{#switch kind}}<b></b>{{case one}}{{/switch}}": "text between {{#switch}} and its first {{case}}",
    "{{#each name as x}}{{/each}}": "not a list",
    "{{#each items as name}}{{/each}}": "stands for something else already",
    "{{index name}}": "is no item of an {{#each}}",
    "{{> nothing}}": "there is no partial nothing",
    "{{> part}}": "part needs text",
    "{{> part text=on}}": "text is a str, this is a bool",
    "{{> part text=name extra=name}}": "part has no parameter extra",
    "{{> loop}}": "includes itself",
    "{{body}}": "{{body}} stands in a partial",
    "{{t \"Hello {who}\"}}": "placeholders ['who'] and arguments [] differ",
    "{{t \"Hello\" who=name}}": "placeholders [] and arguments ['who'] differ",
    "{{t \"Hello <em>x</em>\"}}<b title=\"{{t \"<strong>x</strong>\"}}\"></b>": "may stand in text only",
    "{{name": "stray {{",
    "}}": "stray }}",
    "{{na me}}": "cannot read {{na me}}",
    "{{{name}}}": "cannot read",
    # where values may stand
    "<script>{{name}}</script>": "<script> is not allowed",
    "<style>b{}</style>": "<style> is not allowed",
    "<iframe></iframe>": "<iframe> is not allowed",
    "<base>": "<base> is not allowed",
    "<b class={{name}}></b>": "in text or in a quoted attribute only",
    "<b class='{{name}}'></b>": "the value of class needs double quotes",
    "<b class=x></b>": "the value of class needs double quotes",
    "<b {{name}}></b>": "in text or in a quoted attribute only",
    "<{{name}}></b>": "in text or in a quoted attribute only",
    "<b onclick=\"{{name}}\"></b>": "the attribute onclick is not allowed",
    "<b ONCLICK=\"\"></b>": "the attribute onclick is not allowed",
    "<b style=\"{{name}}\"></b>": "the attribute style is not allowed",
    "<a href=\"{{name}}\"></a>": "href takes {{url x}}",
    "<a href=\"https://{{name}}\"></a>": "href takes {{url x}}",
    "<a href=\"/x{{url name}}\"></a>": "must be the whole of href",
    "<a href=\"{{url name}}/x\"></a>": "nothing may follow the address in href",
    "<a href=\"javascript:x\"></a>": "must be {{url ...}}, a path or a fragment",
    "<a href=\"//evil.example\"></a>": "must be {{url ...}}, a path or a fragment",
    "<form action=\"{{name}}\"></form>": "action takes {{url x}}",
    "<b class=\"{{url name}}\"></b>": "class takes no address",
    "{{url name}}": "an address belongs into an attribute",
    "<!-- x -->": "write comments as {{! ... }}",
    # markup
    "<b>": "<b> is not closed",
    "<b></i>": "</i> closes nothing, <b> is open",
    "</b>": "</b> closes nothing",
    "{{#if on}}<b>{{/if}}</b>": "does not leave the markup as it found it",
    "<b {{#if on}}class=\"{{/if}}\"></b>": "does not leave the markup as it found it",
    "{{#each items as x}}<b>{{/each}}": "does not leave the markup as it found it",
    "<b class=\"{{> part text=name}}\"></b>": "a partial may stand between elements only",
    "Hello": "visible text must be a translation",
    "<b title=\"Hello\"></b>": "title must be a translation",
    "<b>&</b>": "a bare &",
}

PARTIALS = {
    "part": "{{declare partial\n# A partial.\ntext: str\n}}\n<b>{{text}}</b>\n",
    "choice": "{{declare partial\n# Two ways.\ntext: str?\n}}\n{{#if text}}<u></u>{{else}}<s></s>{{/if}}\n",
    "loop": "{{declare partial\n# A loop.\n}}\n{{> loop}}\n",
}


def tree(folder, body):
    source = pathlib.Path(folder)
    (source / "templates" / "partials").mkdir(parents=True)
    (source / "po").mkdir()
    (source / "templates" / "records.decl").write_text(RECORDS)
    (source / "templates" / "p.html").write_text(HEAD + body)
    for name, text in PARTIALS.items():
        (source / "templates" / "partials" / f"{name}.html").write_text(text)
    (source / "style.css").write_text("/* x */\na {\n  b: c;\n}\n")
    return source


def built(body, po=None, update=True):
    """pages.h and pages.c of one page."""
    with tempfile.TemporaryDirectory() as folder:
        source = tree(folder, body)
        pages = pages_compile.Pages(source)
        if update:
            pages_compile.update_po(pages)
        if po is not None:
            (source / "po" / "de.po").write_text(po)
        pages_compile.compile_pages(pages, source)
        return (source / "pages.h").read_text(), (source / "pages.c").read_text()


def german(body, change=lambda text: text):
    """The complete .po of a page, every text translated as itself, then changed."""
    with tempfile.TemporaryDirectory() as folder:
        pages = pages_compile.Pages(tree(folder, body))
        catalogue = pages_po.Catalogue("de.po")
        catalogue.entries = {msgid: pages_po.Entry("", msgid, msgid) for msgid in pages.places}
        headers = {"Language": "de", "X-Language-Name": "Deutsch", "X-Text-Direction": "ltr"}
        return change(pages_po.write(pages.places, catalogue, "", headers))


class Refusals(unittest.TestCase):
    def test_table(self):
        for body, message in REFUSED.items():
            with self.subTest(body), self.assertRaises(TemplateError) as caught:
                built(body)
            with self.subTest(body):
                self.assertIn(message, str(caught.exception))
                self.assertRegex(str(caught.exception), r"^src/pages/templates/[a-z/]+\.html:\d+: error: ")

    def test_unused_member(self):
        with tempfile.TemporaryDirectory() as folder:
            source = tree(folder, "")
            page = source / "templates" / "p.html"
            page.write_text(page.read_text().replace("on: bool", "on: bool\nspare: str"))
            pages = pages_compile.Pages(source)
            pages_compile.update_po(pages)
            with self.assertRaisesRegex(TemplateError, "page_p.spare is declared and never used"):
                pages_compile.compile_pages(pages, source)


class Translations(unittest.TestCase):
    BODY = '{{t "Good <strong>{day}</strong> & bye" day=name}}'

    def refused(self, message, change):
        po = german(self.BODY, change)
        with self.assertRaisesRegex(TemplateError, message):
            built(self.BODY, po)

    def test_complete(self):
        text = built(self.BODY, german(self.BODY))[1]
        self.assertIn('ROW("Good <strong>\\0010</strong> &amp; bye")', text)

    def test_missing(self):
        self.refused("de.po:[0-9]+: error: not translated", lambda po: po.replace('msgstr "March"', 'msgstr ""'))

    def test_fuzzy(self):
        self.refused("de.po:[0-9]+: error: fuzzy", lambda po: po.replace('msgid "March"', '#, fuzzy\nmsgid "March"'))

    def test_left_over(self):
        self.refused("no longer used: 'Old'", lambda po: po + '\nmsgid "Old"\nmsgstr "Alt"\n')

    def test_twice(self):
        self.refused("twice: March", lambda po: po + '\nmsgid "March"\nmsgstr "Alt"\n')

    def test_placeholders(self):
        self.refused("placeholders differ", lambda po: po.replace('msgstr "Good <strong>{day}', 'msgstr "Good <strong>{tag}'))

    def test_emphasis(self):
        self.refused("<strong> differs", lambda po: po.replace('msgstr "Good <strong>{day}</strong>', 'msgstr "Good {day}'))

    def test_emphasis_order(self):
        self.refused("not balanced", lambda po: po.replace('msgstr "Good <strong>{day}</strong>', 'msgstr "Good </strong>{day}<strong>'))

    def test_markup_is_text(self):
        po = german(self.BODY, lambda po: po.replace('msgstr "Good <strong>{day}</strong>', 'msgstr "<script>Good <strong>{day}</strong>'))
        self.assertIn("&lt;script&gt;Good", built(self.BODY, po)[1])

    def test_header(self):
        self.refused("the header Language is missing", lambda po: po.replace('"Language: de\\n"\n', ""))

    def test_template_out_of_date(self):
        with self.assertRaisesRegex(TemplateError, "grantd.pot: error: out of date"):
            built(self.BODY, update=False)

    def test_multiline_strings(self):
        po = german(self.BODY, lambda po: po.replace('msgid "March"\nmsgstr "March"', 'msgid ""\n"Mar"\n"ch"\nmsgstr ""\n"M\\"ä"\n"rz"'))
        self.assertIn("M&quot;ärz", built(self.BODY, po)[1])


class Output(unittest.TestCase):
    def test_same_twice(self):
        self.assertEqual(built("<b>{{name}}</b>"), built("<b>{{name}}</b>"))

    def test_strings_are_merged(self):
        text = built('<b>{{> part text="a&b"}}</b>')[1]
        self.assertIn('"<b><b>a&amp;b</b>\\n"', text.replace("\n", ""))

    def test_values_escape(self):
        text = built("<b title=\"{{name}}\">{{name}}</b>")[1]
        self.assertEqual(text.count("page_put_text(out, p->name);"), 3)

    def test_struct(self):
        text = built("")[0]
        self.assertIn("void page_p(struct buf *out, const struct page_p *p, const struct page_context *ctx);", text)
        self.assertIn("    const struct page_item *items;\n    size_t n_items;\n", text)

    def test_literals_are_decided_at_once(self):
        text = built('{{> choice}}{{> choice text="x"}}')[1]
        self.assertIn('"<s></s>\\n"\n                   "<u></u>\\n"', text)

    def test_css(self):
        self.assertEqual(pages_compile.shrink_css("/* x */\na {\n  b: c;\n  d: e;\n}\n\nf { g: h; }\n"), "a {b: c;d: e;}\nf { g: h; }\n")

    def test_c_strings(self):
        self.assertEqual(pages_emit.message_c("{a} \"x\" {b}", "{b} \\ {a}"), '"\\0011 \\\\ \\0010"')


if __name__ == "__main__":
    unittest.main()
