"""A person who belongs to more accounts than a page shows."""
import html
import re

import harness
from browser import Browser
from test_browser_flow import is_page, new_person


def test_one_account_of_a_thousand(dev_factory):
    """Without a script, and with nothing but what the pages offer."""
    server = dev_factory("--no-auto-approve")
    person = new_person(server, "many@example.com")
    admin = harness.Admin(server.admin_socket)
    ids = {}
    for n in range(1000):
        name = f"Branch {n:03} of {'Zürich' if n % 2 else 'Genève'}"
        made = admin.send("POST", "/admin/v1/accounts", {"name": name, "domain": f"b{n}.example"})
        assert made.status == 201, made.body
        ids[name] = made.json["hub_id"]
        admin.send("PUT", f"/admin/v1/accounts/{made.json['hub_id']}/members/{person}", {"role": "installer"})
    browser = Browser(server)
    browser.authorize(server.confidential, prompt="consent")
    assert is_page(browser.submit("sign_in", email="many@example.com", password="a long enough password"), "Choose an account", "Branch 000")
    # by pages: each account is on exactly one
    seen, pages = [], 0
    while True:
        seen += [value for name, value in browser.form.buttons if name == "hub_id"]
        pages += 1
        later = re.search(r'<a class="button" href="([^"]+)" rel="next">', browser.answer.body.decode())
        if not later:
            break
        assert is_page(browser.get(html.unescape(later[1])), "Choose an account", "Previous page")
    assert sorted(map(int, seen)) == sorted(ids.values()) and pages == 20
    # by a search, whose answer is a page that can be loaded again
    assert is_page(browser.submit("find", find="branch 777"), "Branch 777 of Zürich")
    assert [b for b in browser.form.buttons if b[0] == "hub_id"] == [("hub_id", str(ids["Branch 777 of Zürich"]))]
    assert is_page(browser.submit("find", find="Zürich"), "Branch 001", "Next page", "Show all accounts")
    assert is_page(browser.submit("find", find="<i>nothing</i>"), "has “<i>nothing</i>” in its name", "Show all accounts")
    assert is_page(browser.submit("find", find=""), "Branch 000")
    browser.submit("find", find="b999.EXAMPLE")
    assert is_page(browser.submit(str(ids["Branch 999 of Zürich"])), "Connect", "Branch 999 of Zürich")
    assert server.confidential.redeem(browser.submit("allow").location["code"]).json["hub_id"] == ids["Branch 999 of Zürich"]
