"""People: signing in, choosing, saying yes or no, in a small browser against the real server."""
import re
import urllib.parse

import pytest

import harness
from browser import Browser, Form


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    running = harness.DevServer(
        folder / "data", folder / "stderr",
        (*harness.NO_LIMITS, "--no-auto-approve", "--limit-sign-in-failures", "0", "--limit-sign-in-address-failures", "0")).start()
    yield running
    running.stop()


@pytest.fixture
def browser(server):
    return Browser(server)


def is_back_at(app, answer):
    return answer.status in (302, 303) and answer.headers["location"].startswith(app.redirect_uri)


def test_the_whole_way(server, browser):
    """norm: A03 A27 X08 X09 R02"""
    pkce = harness.Pkce()
    browser.authorize(server.confidential, **pkce.asked)
    assert browser.is_on_sign_in()
    page = browser.sign_in()
    assert page.status == 200 and b"Dev confidential app" in page.body and server.info["account"]["domain"].encode() in page.body
    for scope in server.confidential.scopes:
        assert scope.encode() in page.body
    answer = browser.submit("allow")
    assert answer.status == 303 and is_back_at(server.confidential, answer)
    assert set(answer.location) == {"code", "state", "iss"} and answer.location["state"] == "st"
    got = server.confidential.redeem(answer.location["code"], code_verifier=pkce.verifier)
    assert got.status == 200 and got.json["user_id"] == server.user_id and got.json["hub_id"] == server.hub_id
    # signed in, asked again: consent is asked anew, the password is not
    again = browser.authorize(server.confidential)
    assert not browser.is_on_sign_in() and browser.form.action == "/oauth/consent" and again.status == 200


@pytest.mark.parametrize("where", ["sign-in", "consent"])
def test_no_is_no(server, browser, where):
    """ACCESS_DENIED. norm: R13 R03"""
    browser.authorize(server.confidential)
    if where == "consent":
        browser.sign_in()
    answer = browser.submit("cancel")
    assert answer.status == 303 and is_back_at(server.confidential, answer)
    assert answer.location["error"] == "access_denied" and answer.location["state"] == "st" and answer.location["iss"] == server.issuer


def test_wrong_password_and_unknown_person_look_alike(server, browser):
    browser.authorize(server.confidential)
    wrong = browser.sign_in("not the password").body
    assert browser.is_on_sign_in()
    other = Browser(server)
    other.authorize(server.confidential)
    unknown = other.submit("sign_in", email="nobody@example.com", password="not the password").body
    def tidy(page, email):
        page = re.sub(rb'value="[\w-]{30,}"', b"", page)
        return page.replace(email.encode(), b"")
    assert tidy(wrong, server.info["user"]["email"]) == tidy(unknown, "nobody@example.com")


def test_prompt_none_shows_nothing(server, browser):
    """LOGIN_REQUIRED CONSENT_REQUIRED"""
    answer = browser.authorize(server.confidential, prompt="none")
    assert answer.location["error"] == "login_required" and answer.location["state"] == "st"
    browser.authorize(server.confidential)
    browser.sign_in()
    assert browser.authorize(server.confidential, prompt="none").location["error"] == "consent_required"


def test_forms_of_others_are_refused(server, browser):
    """FORM_EXPIRED. norm: A31"""
    browser.authorize(server.confidential)
    browser.sign_in()
    page, form = browser.answer, browser.form
    for change in ({"csrf": "x" * 43}, {"flow": form.fields["flow"][:-2]}, {"csrf": None}, {"flow": None}):
        browser.answer = page
        refused = browser.submit("allow", **change)
        assert refused.status == 400 and "location" not in refused.headers, change
    # a page of another site makes this browser send the right form
    browser.answer = page
    refused = browser.submit("allow", headers={"origin": "https://evil.example"})
    assert refused.status == 400 and "location" not in refused.headers
    # the form in another browser, without and with a session of its own
    stranger = Browser(server)
    stranger.answer = page
    assert stranger.submit("allow").status == 400
    stranger.authorize(server.confidential)
    stranger.sign_in()
    stranger.answer = page
    assert stranger.submit("allow").status == 400
    # a form of one step does not count at another
    assert Form(page.body).action == "/oauth/consent"
    moved = server.post("/oauth/sign-in", form.fields, headers=browser._headers({"origin": server.issuer}))
    assert moved.status == 400
    # and the good one still works
    browser.answer = page
    assert is_back_at(server.confidential, browser.submit("allow"))


def test_pages_are_closed(server, browser):
    """norm: X11 X12 X13 X14"""
    pages = [browser.authorize(server.confidential), browser.sign_in(), browser.get("/oauth/connected-apps"), browser.get("/oauth/sign-out")]
    for page in pages:
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "script-src" not in policy and "unsafe" not in policy
        assert page.headers["x-frame-options"] == "DENY" and page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert b"<script" not in page.body.lower()
        for found in re.findall(rb'(?:src|href|action)="([^"]*)"', page.body):
            assert found.startswith((b"/", b"data:,", b"#", b"?")), found
    (style,) = set(re.findall(rb'<link rel="stylesheet" href="([^"]+)"', pages[0].body))
    sheet = server.get(style.decode())
    assert sheet.status == 200 and sheet.headers["content-type"].startswith("text/css") and "immutable" in sheet.headers["cache-control"]


@pytest.mark.parametrize("payload", ['"><script>alert(1)</script>', "'onfocus=alert(1) x='", "{{7*7}}", "<!--", "\u202e\u0000".replace("\u0000", "")])
def test_what_is_sent_is_only_text(server, browser, payload):
    """norm: X17"""
    browser.authorize(server.confidential, state=payload, login_hint=payload)
    browser.submit("sign_in", email=payload, password="x")
    body = browser.answer.body.decode()
    assert "<script" not in body and "onfocus=alert(1) x=" not in body.replace("&#39;onfocus", "") and payload not in re.sub(r"value=\"[^\"]*\"", "", body)
    made = server.new_app(name=f"App {payload}"[:60], scopes=["oauth"]) if payload.isprintable() else None
    if made:
        browser.authorize(made)
        assert "<script" not in browser.answer.body.decode()


def test_signing_out_ends_the_session(server, browser):
    browser.authorize(server.confidential)
    browser.sign_in()
    kept = dict(browser.cookies)
    browser.get("/oauth/sign-out")
    browser.submit()
    browser.authorize(server.confidential)
    assert browser.is_on_sign_in()
    # the old cookies too: the session is gone on the server
    old = Browser(server)
    old.cookies = kept
    old.authorize(server.confidential)
    assert old.is_on_sign_in()


def test_a_session_is_new_with_every_sign_in(server, browser):
    """Nobody can plant a session that a person then signs in to."""
    browser.authorize(server.confidential)
    browser.cookies["grantd"] = "A" * 43
    browser.sign_in()
    assert browser.cookies["grantd"] != "A" * 43
    thief = Browser(server)
    thief.cookies["grantd"] = "A" * 43
    thief.authorize(server.confidential)
    assert thief.is_on_sign_in()


def test_a_person_takes_back_what_was_given(server, browser):
    """norm: P07"""
    app = server.new_app(name="Removed by its person", scopes=["oauth"])
    browser.authorize(app)
    browser.sign_in()
    got = app.redeem(browser.submit("allow").location["code"]).json
    page = browser.get("/oauth/connected-apps")
    assert b"Removed by its person" in page.body
    remove = next(
        link for link in re.findall(r'href="(/oauth/connected-apps/remove[^"]*)"', page.body.decode().replace("&amp;", "&"))
        if b"Removed by its person" in browser.get(link).body)
    browser.get(remove)
    assert browser.submit().status in (200, 303)
    assert not app.is_active(got["access_token"]) and app.refresh(got["refresh_token"]).status == 400
    assert b"Removed by its person" not in browser.get("/oauth/connected-apps").body


def test_a_long_list_of_apps_is_paged(server, browser):
    """One app that was installed very often hides no other; its page tells where the list goes on, and only to this browser."""
    old = server.new_app(name="Connected long ago", scopes=["oauth"])
    often = server.new_app(name="Connected very often", scopes=["oauth"])
    browser.authorize(old)
    browser.sign_in()
    hub_id = old.redeem(browser.submit("allow").location["code"]).json["hub_id"]
    admin = harness.Admin(server.admin_socket)
    for _ in range(101):
        made = admin.send("POST", "/admin/v1/grants", {"app": often.client_id, "account": hub_id, "user": str(server.user_id)})
        assert made.status == 201, made.body
    page = browser.get("/oauth/connected-apps").body
    assert b"Connected very often" in page and b"Connected long ago" not in page
    older = re.search(rb'href="([^"]*older=[^"]*)"', page)[1].decode().removeprefix(server.issuer)
    assert b"Connected long ago" in browser.get(older).body
    stranger = Browser(server)
    stranger.authorize(server.confidential)
    stranger.sign_in()
    assert b"Connected long ago" not in stranger.get(older).body, "the place in the list was sealed for another browser"
    assert b"Connected very often" in browser.get("/oauth/connected-apps?older=made-up").body


def test_a_code_under_way_dies_with_the_removal(server, browser):
    """norm: P07"""
    app = server.new_app(name="Removed with a code under way", scopes=["oauth"])
    other = server.new_app(name="Not removed", scopes=["oauth"])
    browser.authorize(app)
    browser.sign_in()
    first = app.redeem(browser.submit("allow").location["code"])
    codes = {}
    for asking in (app, other):
        browser.authorize(asking, prompt="consent")
        codes[asking] = browser.submit("allow").location["code"]
    app_id = server.admin("app", "show", app.client_id)["app_id"]
    browser.get(f"/oauth/connected-apps/remove?app={app_id}&account={first.json['hub_id']}")
    browser.submit("revoke")
    refused = app.redeem(codes[app])
    assert refused.status == 400 and refused.json["error"] == "invalid_grant"
    assert other.redeem(codes[other]).status == 200
    # what the person allows afterwards counts again
    browser.authorize(app)
    assert app.redeem(browser.submit("allow").location["code"]).status == 200


def test_several_accounts_are_chosen(server, browser):
    """ACCOUNT_REQUIRED"""
    second = server.admin("account", "create", "--domain", "second.example", "--name", "Second")["hub_id"]
    server.admin("account", "member", "add", second, server.user_id, "--role", "installer")
    try:
        browser.authorize(server.confidential)
        browser.sign_in()
        assert browser.form.action == "/oauth/choose-account" and b"second.example" in browser.answer.body
        assert browser.authorize(server.confidential, prompt="none").location["error"] in ("account_selection_required", "consent_required")
        # the account in the address is chosen already
        asked = {"client_id": server.confidential.client_id, "redirect_uri": server.confidential.redirect_uri, "scope": "oauth", "state": "s"}
        page = browser.get(f"/oauth/{second}/authorize?{urllib.parse.urlencode(asked)}")
        assert browser.form.action == "/oauth/consent" and b"second.example" in page.body
        answer = browser.submit("allow")
        assert server.confidential.redeem(answer.location["code"]).json["hub_id"] == second
        # an account that is not theirs
        other = server.admin("account", "create", "--domain", "third.example")["hub_id"]
        stranger = browser.get(f"/oauth/{other}/authorize?{urllib.parse.urlencode(asked)}")
        assert b"third.example" not in stranger.body and "code" not in stranger.headers.get("location", "")
    finally:
        server.admin("account", "member", "remove", second, server.user_id)


def test_guessing_passwords_is_slowed_down(dev_factory):
    """norm: X20"""
    server = dev_factory("--no-auto-approve", clock=True)
    browser = Browser(server)
    known = Browser(server)
    known.authorize(server.confidential)
    known.sign_in()
    known.get("/oauth/sign-out")
    known.submit()
    statuses = []
    for i in range(14):
        browser.authorize(server.confidential)
        statuses.append(browser.sign_in(f"wrong {i}").status)
    assert 429 in statuses and statuses[0] != 429
    # the rightful person, in a browser that was here before, is not locked out
    known.authorize(server.confidential)
    assert known.sign_in().status == 200 and known.form.action == "/oauth/consent"


def test_nothing_of_a_person_is_logged(dev_factory):
    """norm: X22"""
    server = dev_factory("--no-auto-approve", "--log-level", "debug")
    browser = Browser(server)
    browser.authorize(server.confidential)
    browser.sign_in("a wrong password")
    browser.authorize(server.confidential)
    browser.sign_in()
    code = browser.submit("allow").location["code"]
    server.stop()
    held = b"".join(path.read_bytes() for path in server.data.rglob("*") if path.is_file())
    for secret in (server.info["user"]["password"], "a wrong password", code, *browser.cookies.values()):
        assert secret.encode() not in server.output() and secret.encode() not in held
    server.start()


OPTIONAL = "crm.objects.companies.read"


@pytest.fixture
def lacking(server):
    """Sets what the account of the seed lacks."""
    def lack(*scopes):
        words = [word for scope in scopes for word in ("--without-scope", scope)] or ["--without-scope="]
        shown = server.admin("account", "update", server.hub_id, *words)
        assert shown["without_scopes"] == list(scopes) == server.admin("account", "show", server.hub_id)["without_scopes"]

    yield lack
    lack()


def test_what_the_account_lacks_is_left_out(server, browser, lacking):
    """norm: A04"""
    browser.authorize(server.confidential, optional_scope=OPTIONAL)
    browser.sign_in()
    assert browser.form.fields["scope"] == OPTIONAL
    lacking(OPTIONAL)  # while the page is open
    code = browser.submit("allow").location["code"]
    assert OPTIONAL not in server.confidential.redeem(code).json["scopes"]
    page = browser.authorize(server.confidential, optional_scope=OPTIONAL)
    assert page.status == 200 and browser.form.action == "/oauth/consent" and "scope" not in browser.form.fields
    forged = browser.submit("allow", scope=OPTIONAL)
    assert OPTIONAL not in server.confidential.redeem(forged.location["code"]).json["scopes"]


def test_what_the_account_lacks_cannot_be_required(server, browser, lacking):
    browser.authorize(server.confidential)
    browser.sign_in()
    lacking(server.confidential.scopes[-1])  # while the page is open
    for answer in (browser.submit("allow"), browser.authorize(server.confidential), browser.authorize(server.confidential, prompt="none")):
        assert is_back_at(server.confidential, answer) and answer.location["error"] == "invalid_scope"
        assert answer.location["state"] == "st" and answer.location["iss"] == server.issuer
    refused = server.admin("grant", "create", "--app", server.confidential.client_id, "--account", server.hub_id,
                           "--user", server.user_id, ok=False)
    assert refused.returncode == 1 and "lacks a scope" in refused.stderr
    lacking()
    assert browser.authorize(server.confidential).status == 200 and browser.submit("allow").location["code"]


def test_what_the_account_lacks_without_a_browser(dev_factory):
    """Approved at once: the same."""
    server = dev_factory()
    app = server.confidential
    server.admin("account", "update", server.hub_id, "--without-scope", OPTIONAL)
    answer = Browser(server).authorize(app, optional_scope=OPTIONAL)
    assert OPTIONAL not in app.redeem(answer.location["code"]).json["scopes"]
    made = server.admin("account", "create", "--domain", "less.example", "--without-scope", OPTIONAL, "--without-scope", app.scopes[0])
    assert sorted(made["without_scopes"]) == sorted([OPTIONAL, app.scopes[0]])
    server.admin("account", "update", server.hub_id, "--without-scope", app.scopes[0])
    answer = Browser(server).authorize(app)
    assert answer.location["error"] == "invalid_scope" and answer.location["state"] == "st"
    assert server.admin("account", "update", server.hub_id, "--without-scope", "no.such.scope", ok=False).returncode == 1
