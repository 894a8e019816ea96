"""People in front of the authorization server: signing in, choosing, consenting, and everything that goes wrong on the way. ACCESS_DENIED FORM_EXPIRED"""
import html
import re
import urllib.parse

import pytest

import harness
from browser import Browser

NO_THROTTLE = ("--limit-sign-in-failures", "0", "--limit-sign-in-address-failures", "0")


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """One server that asks people, without limits."""
    folder = tmp_path_factory.mktemp("people")
    server = harness.DevServer(folder / "data", folder / "stderr", ("--no-auto-approve", *harness.NO_LIMITS, *NO_THROTTLE)).start()
    yield server
    server.stop()


@pytest.fixture
def ask_factory(dev_factory):
    return lambda *options, **more: dev_factory("--no-auto-approve", *options, **more)


@pytest.fixture
def tab(people):
    return Browser(people)


def text_of(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.body.decode())))


def is_page(answer, *words, status=200):
    assert answer.status == status, answer
    shown = text_of(answer)
    assert all(word in shown for word in words), shown
    return True


def in_file(server, password):
    path = server.log.with_name("password")
    path.write_text(password + "\n")
    path.chmod(0o600)
    return path


def set_password(server, password):
    server.admin("user", "set-password", server.user_id, "--password-file", in_file(server, password))


def new_person(server, email, password="a long enough password", accounts=()):
    made = server.admin("user", "create", "--email", email, "--name", email.split("@")[0], "--password-file", in_file(server, password))
    for hub_id, role in accounts:
        server.admin("account", "member", "add", hub_id, made["user_id"], "--role", role)
    return made["user_id"]


def new_account(server, name):
    return server.admin("account", "create", "--name", name, "--domain", name.lower().replace(" ", "-") + ".example")["hub_id"]


def signed_in(server, app=None, **asked):
    browser = Browser(server)
    browser.authorize(app or server.confidential, **asked)
    browser.sign_in()
    return browser


def is_denied(answer, word="access_denied"):
    assert answer.status == 303 and answer.location["error"] == word and answer.location["state"] == "st" and answer.location["iss"], answer
    return True


# ---- the whole way ----


def test_the_whole_way(people, tab):
    """norm: A01 A03 A16 A18 X11"""
    pkce = harness.Pkce()
    assert is_page(tab.authorize(people.confidential, optional_scope="crm.objects.companies.read", **pkce.asked), "Sign in", "to continue to")
    assert is_page(tab.sign_in(), "Connect", "Dev confidential app", "Read contacts", "Read companies", "localhost:3000")
    answer = tab.submit("allow")
    assert answer.status == 303 and set(answer.location) == {"code", "state", "iss"}
    assert answer.location["state"] == "st" and answer.location["iss"] == people.issuer
    tokens = people.confidential.redeem(answer.location["code"], code_verifier=pkce.verifier).json
    assert set(tokens["scopes"]) == {*people.confidential.scopes, "crm.objects.companies.read"}
    assert tokens["hub_id"] == people.hub_id and tokens["user_id"] == people.user_id


def test_an_issuer_with_a_path(tmp_path):
    """Pages, forms and styles stand at the root of the host, as the metadata says, whatever path the issuer has."""
    port = harness.free_port()
    origin = f"http://127.0.0.1:{port}"
    server = harness.DevServer(tmp_path / "data", tmp_path / "stderr",
                               ("--no-auto-approve", "--issuer", origin + "/tenant", "--brand-colour", "#1a5fb4", *harness.NO_LIMITS), port).start()
    server.issuer = origin  # what a browser names
    try:
        browser = Browser(server)
        assert is_page(browser.authorize(server.confidential), "Sign in")
        styles = re.findall(r'rel="stylesheet" href="([^"]+)"', browser.answer.body.decode())
        assert len(styles) == 2 and all(server.get(style).status == 200 for style in styles)
        assert is_page(browser.sign_in(), "Connect")
        answer = browser.submit("allow")
        assert answer.location["code"] and answer.location["iss"] == origin + "/tenant"
        assert is_page(browser.get("/oauth/connected-apps"), "Your connected apps")
        assert is_page(browser.get("/oauth/sign-out"), "Sign out")
        assert is_page(browser.submit("sign_out"), "signed out")
    finally:
        server.stop()


def test_an_optional_scope_is_left_out(people, tab):
    tab.authorize(people.confidential, optional_scope="crm.objects.companies.read no.such.scope")
    tab.sign_in()
    assert "scope" in tab.form.fields
    answer = tab.submit("allow", scope=None)
    assert set(people.confidential.redeem(answer.location["code"]).json["scopes"]) == set(people.confidential.scopes)


def test_a_scope_that_was_not_shown_is_not_given(people, tab):
    tab.authorize(people.confidential, scope="oauth")
    tab.sign_in()
    answer = tab.submit("allow", scope="crm.objects.contacts.write")
    assert people.confidential.redeem(answer.location["code"]).json["scopes"] == ["oauth"]


@pytest.mark.parametrize("where", ["sign_in", "consent"])
def test_cancel(people, tab, where):
    """norm: A26"""
    tab.authorize(people.confidential)
    if where == "consent":
        tab.sign_in()
    assert is_denied(tab.submit("cancel"))


def test_a_session_skips_the_sign_in_and_never_the_consent(people):
    browser = signed_in(people)
    browser.submit("allow")
    assert is_page(browser.authorize(people.confidential), "Connect app")


def test_post_begins_again_as_get(people, tab):
    asked = {"client_id": people.confidential.client_id, "redirect_uri": people.confidential.redirect_uri, "scope": "oauth", "state": "st"}
    answer = people.post("/oauth/authorize", asked)
    assert answer.status == 303 and answer.headers["location"].startswith("/oauth/authorize?")
    assert is_page(tab.get(answer.headers["location"]), "Sign in")


# ---- prompts ----


def test_prompt_none(people, tab):
    """LOGIN_REQUIRED CONSENT_REQUIRED"""
    answer = tab.authorize(people.confidential, prompt="none")
    assert answer.status == 302 and answer.location["error"] == "login_required" and answer.location["state"] == "st"
    browser = signed_in(people)
    answer = browser.authorize(people.confidential, prompt="none")
    assert answer.status == 302 and answer.location["error"] == "consent_required"


def test_prompt_none_with_a_choice(ask_factory):
    """ACCOUNT_REQUIRED"""
    server = ask_factory()
    server.admin("account", "member", "add", new_account(server, "Second"), server.user_id, "--role", "installer")
    browser = signed_in(server)
    answer = browser.authorize(server.confidential, prompt="none")
    assert answer.status == 302 and answer.location["error"] == "account_selection_required"


def test_prompt_login_asks_once(people):
    browser = signed_in(people)
    assert is_page(browser.authorize(people.confidential, prompt="login"), "Password")
    assert is_page(browser.sign_in(), "Connect app")


def test_prompt_select_account(people):
    browser = signed_in(people)
    assert is_page(browser.authorize(people.confidential, prompt="select_account"), "Choose an account")
    assert is_page(browser.submit(str(people.hub_id)), "Connect app")


def test_login_hint_and_locales(people, tab):
    tab.authorize(people.confidential, login_hint="ada@example.com", ui_locales="xx fr-CA de")
    assert tab.form.fields["email"] == "ada@example.com"
    assert b'<html lang="fr"' in tab.answer.body


def test_language_switch_is_kept(people, tab):
    tab.authorize(people.confidential, lang="de")
    assert b'<html lang="de"' in tab.answer.body
    tab.sign_in()
    assert b'<html lang="de"' in tab.answer.body
    assert b'<html lang="fr"' in people.get("/oauth/sign-in", headers={"accept-language": "fr;q=0.9, de;q=0.1"}).body


# ---- accounts ----


def test_choosing_an_account(ask_factory):
    server = ask_factory()
    second, third = new_account(server, "Second"), new_account(server, "Third")
    server.admin("account", "member", "add", second, server.user_id, "--role", "installer")
    server.admin("account", "member", "add", third, server.user_id, "--role", "user")
    browser = Browser(server)
    browser.authorize(server.confidential)
    assert is_page(browser.sign_in(), "Choose an account", "Second", "Third", "Only an administrator")
    assert ("hub_id", str(third)) not in browser.form.buttons
    assert is_page(browser.submit(str(second)), "Connect", "Second")
    assert server.confidential.redeem(browser.submit("allow").location["code"]).json["hub_id"] == second
    # another account from the consent page
    browser.authorize(server.confidential)
    browser.submit(str(second))
    assert is_page(browser.submit("change_account"), "Choose an account")
    assert is_denied(browser.submit("cancel"))
    # chosen by the app
    assert is_page(browser.get(f"/oauth/{second}/authorize?{query(server)}"), "Connect", "Second")
    # one where the person may not
    assert is_page(browser.get(f"/oauth/{third}/authorize?{query(server)}"), "Only an administrator")
    assert is_page(browser.get(f"/oauth/999/authorize?{query(server)}"), "Choose an account", "Second")


def query(server, **more):
    app = server.confidential
    return urllib.parse.urlencode({"client_id": app.client_id, "redirect_uri": app.redirect_uri, "scope": "oauth", "state": "st", **more})


def test_not_an_installer(people, tab):
    new_person(people, "user@example.com", accounts=[(people.hub_id, "user")])
    new_person(people, "nobody@example.com")
    for email, words in (("user@example.com", "Only an administrator"), ("nobody@example.com", "You do not belong")):
        browser = Browser(people)
        browser.authorize(people.confidential)
        assert is_page(browser.submit("sign_in", email=email, password="a long enough password"), words)
        assert is_page(browser.submit("switch_user"), "Password")
        browser.get(f"/oauth/{people.hub_id}/authorize?{query(people)}")
        forced = browser.submit("cancel", hub_id=str(people.hub_id), follow=False)
        assert is_denied(forced)


def test_losing_the_role_between_page_and_click(ask_factory):
    server = ask_factory()
    browser = signed_in(server)
    server.admin("account", "member", "add", server.hub_id, server.user_id, "--role", "user")
    assert is_denied(browser.submit("allow"))


# ---- passwords ----


def test_wrong_password_and_unknown_address_look_the_same(people):
    seen = []
    for email in (people.info["user"]["email"], "unknown@example.com"):
        browser = Browser(people)
        browser.authorize(people.confidential)
        answer = browser.submit("sign_in", email=email, password="wrong")
        assert is_page(answer, "The e-mail address or the password is not right", status=403)
        seen.append(re.sub(rb'(value="[^"]*"|<code>[^<]*</code>)', b"", answer.body))
    assert seen[0] == seen[1]


def test_missing_fields(people, tab):
    tab.authorize(people.confidential)
    assert is_page(tab.submit("sign_in", email="", password=""), "Enter your e-mail address", "Enter your password", status=400)
    assert is_page(tab.submit("sign_in", email="a@b.example", password=""), "Enter your password", status=400)
    assert tab.form.fields["email"] == "a@b.example"


def test_a_long_password_is_wrong(people, tab):
    tab.authorize(people.confidential)
    assert tab.sign_in(password=people.info["user"]["password"] + "x" * 1000).status == 403


def test_throttle_slows_guessing_but_not_the_owner(ask_factory):
    """norm: X19"""
    server = ask_factory(clock=True)
    owner = signed_in(server)
    guesser = Browser(server)
    guesser.authorize(server.confidential)
    got = [guesser.sign_in(password="wrong").status for _ in range(6)]
    assert got[:3] == [403] * 3 and got[3:] == [429] * 3
    assert int(guesser.answer.headers["retry-after"]) >= 1 and "Too many tries" in text_of(guesser.answer)
    # not even the right password is looked at now ...
    assert guesser.sign_in().status == 429
    # ... but the browser that signed in before has a count of its own
    owner.authorize(server.confidential, prompt="login")
    assert is_page(owner.sign_in(), "Connect app")
    # and another account is not concerned
    new_person(server, "other@example.com", accounts=[(server.hub_id, "installer")])
    guesser.authorize(server.confidential)
    assert is_page(guesser.submit("sign_in", email="other@example.com", password="a long enough password"), "Connect app")


def test_throttled_people_may_try_again(ask_factory):
    """After one second, two, four ..."""
    server = ask_factory(clock=True)
    guesser = Browser(server)
    guesser.authorize(server.confidential)
    assert [guesser.sign_in(password="wrong").status for _ in range(4)] == [403, 403, 403, 429]
    for wait_s in (1, 2, 4, 8):
        assert guesser.answer.headers["retry-after"] == str(wait_s)
        server.pass_time(wait_s)
        assert [guesser.sign_in(password="wrong").status for _ in range(2)] == [403, 429]
    server.pass_time(16)
    assert is_page(guesser.sign_in(), "Connect app")


def test_throttle_counts_tries_at_once(ask_factory):
    server = ask_factory(clock=True)
    tabs = [Browser(server) for _ in range(20)]
    for one in tabs:
        one.authorize(server.confidential)
    got = [answer.status for answer in harness.in_parallel(20, lambda i: tabs[i].sign_in(password="wrong"))]
    assert sorted(got) == [403] * 3 + [429] * 17


def test_throttle_by_address(ask_factory):
    server = ask_factory("--limit-sign-in-address-failures", "5")
    guesser = Browser(server)
    guesser.authorize(server.confidential)
    got = [guesser.submit("sign_in", email=f"{i}@example.com", password="x").status for i in range(7)]
    assert got == [403] * 5 + [429] * 2


# ---- forms that are not ours ----


@pytest.mark.parametrize("field", ["csrf", "flow"])
@pytest.mark.parametrize("change", ["", "x", "other"])
def test_forged_forms(people, field, change):
    """norm: X12"""
    for step in ("sign_in", "allow"):
        one, two = Browser(people), Browser(people)
        for browser in (one, two):
            browser.authorize(people.confidential)
            if step == "allow":
                browser.sign_in()
        forged = two.form.fields[field] if change == "other" else one.form.fields[field][:-1] + change if change else ""
        if forged == one.form.fields[field]:
            continue
        fields = {field: forged, **({"email": people.info["user"]["email"], "password": people.info["user"]["password"]} if step == "sign_in" else {})}
        cookies = dict(one.cookies)
        answer = one.submit(step, **fields)
        assert is_page(answer, "This page has expired", status=400)
        assert one.cookies == cookies, "a refused form must change nothing"


def test_a_whole_form_of_another_browser(people):
    victim, attacker = Browser(people), Browser(people)
    for browser in (victim, attacker):
        browser.authorize(people.confidential)
    victim.answer = attacker.answer
    assert is_page(victim.sign_in(), "This page has expired", status=400)
    assert "grantd" not in victim.cookies


def test_without_cookies(people):
    browser = signed_in(people)
    browser.cookies.clear()
    assert is_page(browser.submit("allow"), "This page has expired", status=400)


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"}])
def test_forms_from_elsewhere(people, headers):
    browser = signed_in(people)
    assert is_page(browser.submit("allow", headers=headers), "This page has expired", status=400)


def test_the_form_of_one_step_is_none_of_another(people):
    browser = signed_in(people)
    consent = browser.form.fields
    answer = people.post("/oauth/sign-out", {"csrf": consent["csrf"], "flow": consent["flow"], "action": "sign_out"},
                         headers={"cookie": "; ".join(f"{k}={v}" for k, v in browser.cookies.items())})
    assert answer.status == 400
    assert is_page(browser.authorize(people.confidential), "Connect app")


def test_an_old_form(ask_factory):
    server = ask_factory("--form-ttl", "15m", clock=True)
    browser = Browser(server)
    browser.authorize(server.confidential)
    server.pass_time(900)
    assert is_page(browser.sign_in(), "This page has expired", status=400)


# ---- tabs, back, double click ----


def test_two_tabs(people):
    """norm: A24"""
    one = Browser(people)
    one.authorize(people.confidential, state="one")
    two = Browser(people)
    two.cookies = one.cookies
    two.authorize(people.public, state="two", **harness.Pkce().asked)
    two.sign_in()
    one.sign_in()
    first, second = one.submit("allow"), two.submit("allow")
    assert first.location["state"] == "one" and "code" in first.location
    # the second tab's page was made in the session that the first tab's sign-in has ended: it is asked once more
    assert is_page(second, "Connect app")
    assert two.submit("allow").location["state"] == "two"


def test_double_click_makes_one_grant(people):
    browser = signed_in(people)
    page = browser.answer
    codes = []
    for _ in range(2):
        browser.answer = page
        codes.append(browser.submit("allow").location["code"])
    assert codes[0] != codes[1]
    assert people.confidential.redeem(codes[1]).status == 200
    assert people.confidential.redeem(codes[0]).json["status"] == "BAD_AUTH_CODE"


def test_back_to_a_consent_that_was_used(people):
    """A second code for the same grant would look like theft; the person is asked once more, and what was installed lives."""
    browser = signed_in(people)
    page = browser.answer
    tokens = people.confidential.redeem(browser.submit("allow").location["code"]).json
    browser.answer = page
    assert is_page(browser.submit("allow"), "Connect app")
    again = people.confidential.redeem(browser.submit("allow").location["code"])
    assert again.status == 200
    assert people.confidential.refresh(tokens["refresh_token"]).status == 200


def test_back_to_the_sign_in(people, tab):
    tab.authorize(people.confidential)
    page = tab.answer
    tab.sign_in()
    old = tab.cookies["grantd"]
    tab.answer = page
    assert is_page(tab.sign_in(), "Connect app")
    assert tab.cookies["grantd"] != old
    stale = Browser(people)
    stale.cookies = {**tab.cookies, "grantd": old}
    assert is_page(stale.authorize(people.confidential), "Password"), "the id of before is worth nothing"


# ---- the end of sessions ----


def test_sign_out(people):
    browser = signed_in(people)
    kept = dict(browser.cookies)
    assert is_page(browser.get("/oauth/sign-out"), "Do you want to sign out?", people.info["user"]["email"])
    assert is_page(browser.submit("sign_out"), "You are signed out")
    assert "grantd" not in browser.cookies
    browser.cookies = kept
    assert is_page(browser.authorize(people.confidential), "Password")


def test_a_new_password_ends_sessions(ask_factory):
    server = ask_factory()
    browser = signed_in(server)
    set_password(server, "another long password")
    assert is_page(browser.submit("allow"), "Password")
    assert is_page(browser.submit("sign_in", email=server.info["user"]["email"], password="another long password"), "Connect app")


@pytest.mark.parametrize("option, lives", [((), True), (("--password-change-ends-grants",), False)])
def test_a_new_password_and_grants(ask_factory, option, lives):
    server = ask_factory(*option)
    tokens = server.confidential.redeem(signed_in(server).submit("allow").location["code"]).json
    set_password(server, "another long password")
    assert server.resource_server.is_active(tokens["access_token"]) == lives
    assert server.resource_server.is_active(tokens["refresh_token"]) == lives


def test_disabling_a_person_ends_sessions(ask_factory):
    server = ask_factory()
    browser = signed_in(server)
    server.admin("user", "disable", server.user_id)
    assert is_page(browser.submit("allow"), "Password")
    assert browser.sign_in().status == 403


def test_a_session_outlives_the_server_and_the_store_holds_no_id(ask_factory):
    server = ask_factory()
    browser = signed_in(server)
    server.stop()
    stored = b"".join(path.read_bytes() for path in server.data.glob("grantd.db*"))
    assert browser.cookies["grantd"].encode() not in stored
    import base64
    assert base64.urlsafe_b64decode(browser.cookies["grantd"] + "==")[1:] not in stored
    server.restart()
    assert browser.submit("allow").location["code"]


@harness.only_sqlite
def test_idle_and_absolute_limits(ask_factory):
    """The shortest that the options allow, with the clock of the store moved: rows are aged by hand."""
    import sqlite3
    for column in ("expires_ms", "created_ms"):
        server = ask_factory()
        browser = signed_in(server)
        with sqlite3.connect(server.data / "grantd.db") as store:
            store.execute(f"UPDATE sessions SET {column} = {column} - 90000000")
        store.close()
        assert is_page(browser.authorize(server.confidential), "Password")


# ---- connected apps ----


def test_connected_apps(ask_factory):
    server = ask_factory()
    browser = Browser(server)
    assert is_page(browser.get("/oauth/connected-apps"), "Sign in")
    assert is_page(browser.sign_in(), "No app has access")
    browser.authorize(server.confidential)
    first = server.confidential.redeem(browser.submit("allow").location["code"]).json
    browser.authorize(server.confidential, scope="oauth")
    second = server.confidential.redeem(browser.submit("allow").location["code"]).json
    assert is_page(browser.get("/oauth/connected-apps"), "Dev confidential app", "Read contacts")
    assert text_of(browser.answer).count("Connected on") == 1
    remove = html.unescape(re.search(r'href="([^"]*/remove[^"]*)"', browser.answer.body.decode())[1])
    assert is_page(browser.get(remove), "Remove Dev confidential app ?")
    assert is_page(browser.submit("cancel"), "Dev confidential app")
    browser.get(remove)
    assert is_page(browser.submit("revoke"), "was removed", "No app has access")
    for tokens in (first, second):
        for name in ("access_token", "refresh_token"):
            assert not server.resource_server.is_active(tokens[name])
    # going back and sending it again changes nothing
    assert browser.get(remove).status == 200
    assert is_page(browser.get("/oauth/connected-apps?removed=3001"), "was removed")


def test_removing_leaves_other_people_alone(ask_factory):
    server = ask_factory()
    new_person(server, "other@example.com", accounts=[(server.hub_id, "installer")])
    mine = signed_in(server)
    server.confidential.redeem(mine.submit("allow").location["code"])
    other = Browser(server)
    other.authorize(server.confidential)
    other.submit("sign_in", email="other@example.com", password="a long enough password")
    tokens = server.confidential.redeem(other.submit("allow").location["code"]).json
    mine.get(f"/oauth/connected-apps/remove?app=3001&account={server.hub_id}")
    # the form in the session of somebody else
    page, kept = mine.answer, dict(mine.cookies)
    mine.authorize(server.confidential, prompt="login")
    mine.submit("sign_in", email="other@example.com", password="a long enough password")
    mine.answer = page
    assert is_page(mine.submit("revoke"), "This page has expired", status=400)
    mine.cookies = kept
    assert server.resource_server.is_active(tokens["access_token"])


def test_remembered_consent(ask_factory):
    server = ask_factory("--remember-consent")
    browser = signed_in(server, scope="oauth crm.objects.contacts.read")
    server.confidential.redeem(browser.submit("allow").location["code"])
    answer = browser.authorize(server.confidential, scope="oauth", prompt="none")
    assert answer.status == 302 and "code" in answer.location
    assert is_page(browser.authorize(server.confidential, scope="oauth", prompt="consent"), "Connect app")
    assert is_page(browser.authorize(server.confidential, scope="crm.objects.contacts.write"), "asks for more access")
    pkce = harness.Pkce()
    browser.authorize(server.public, scope="oauth", **pkce.asked)
    server.public.redeem(browser.submit("allow").location["code"], code_verifier=pkce.verifier)
    assert is_page(browser.authorize(server.public, scope="oauth", **pkce.asked), "Connect app"), "public apps always ask"
    assert browser.authorize(server.public, scope="oauth", prompt="none", **pkce.asked).location["error"] == "consent_required"


# ---- hostile text ----

HOSTILE = ['"><script>alert(1)</script>', "'><img src=x onerror=alert(1)>", "{{7*7}}", "\u202eevil", "</title><script>", "a\nb", "javascript:alert(1)"]


@pytest.mark.parametrize("payload", HOSTILE)
def test_hostile_parameters(people, payload):
    """norm: X17"""
    names = ("client_id", "redirect_uri", "scope", "optional_scope", "state", "nonce", "prompt", "login_hint", "ui_locales", "lang", "code_challenge")
    for name in names:
        browser = Browser(people)
        answer = browser.authorize(people.confidential, **{name: payload})
        assert answer.status < 500
        assert b"<script" not in answer.body and b"<img" not in answer.body and b"onerror=alert(1)>" not in answer.body
        assert "\u202e" not in answer.body.decode()
        if answer.status == 200:
            answer = browser.sign_in(password=payload)
            assert answer.status == 403 and b"<script" not in answer.body
            answer = browser.submit("sign_in", email=payload, password="x")
            assert answer.status in (400, 403) and b"<script" not in answer.body
    answer = people.get("/oauth/connected-apps/remove?" + urllib.parse.urlencode({"app": payload, "account": payload}))
    assert answer.status == 404 and b"<script" not in answer.body


def test_hostile_names_are_shown_as_text(ask_factory):
    server = ask_factory()
    app = server.new_app(name="<script>alert(1)</script>", redirect_uri="https://app.example/done")
    browser = signed_in(server, app)
    assert b"<script" not in browser.answer.body and b"&lt;script&gt;alert(1)" in browser.answer.body


EVIL_URIS = [
    "https://evil.example/", "http://localhost:3000/oauth-callback/", "http://localhost:3000/oauth-callback/..", "http://localhost:3000/oauth-callback?x=1",
    "http://localhost:3000/oauth-callback#x", "http://localhost:3000/oauth-callback%2f", "http://localhost:3000/OAUTH-CALLBACK", "http://localhost:3000//oauth-callback",
    "http://LOCALHOST:3000/oauth-callback", "http://localhost.:3000/oauth-callback", "http://localhost.evil.example:3000/oauth-callback",
    "http://localhost:3000@evil.example/oauth-callback", "http://evil.example@localhost:3000/oauth-callback", "http://localhost:3000.evil.example/oauth-callback",
    "https://localhost:3000/oauth-callback", "ftp://localhost:3000/oauth-callback", "//localhost:3000/oauth-callback", "/oauth-callback", "oauth-callback",
    "http:/localhost:3000/oauth-callback", "http:localhost:3000/oauth-callback", "http:///localhost:3000/oauth-callback", "http://localhost:3000\\oauth-callback",
    "http:\\\\localhost:3000\\oauth-callback", "http://localhost:3000/oauth-callback ", " http://localhost:3000/oauth-callback",
    "http://localhost:3000/oauth-callback\t", "http://localhost:3000/oauth-callback\n", "http://localhost:3000/oauth-callback\r\nset-cookie: x=1",
    "http://localhost:3000/oauth-callback%0d%0aset-cookie:x", "http://localhost:3000/oauth-callback%00", "http://localhost:3000/oauth%2dcallback",
    "http://localhost:3000/./oauth-callback", "http://localhost:3000/x/../oauth-callback", "http://localhost:3000/oauth-callback;x", "http://localhost:3000/oauth-callback&x=1",
    "http://localhost:3000/oauth-callback\u3002", "http://localhost\u3002evil.example/oauth-callback", "http://loc\u0430lhost:3000/oauth-callback",
    "http://127.0.0.1:3000/oauth-callback", "http://127.1:3000/oauth-callback", "http://2130706433:3000/oauth-callback", "http://0x7f000001:3000/oauth-callback",
    "http://[::1]:3000/oauth-callback", "http://[::ffff:127.0.0.1]:3000/oauth-callback", "http://0.0.0.0:3000/oauth-callback", "http://user:pw@localhost:3000/oauth-callback",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "javascript://localhost:3000/oauth-callback%0aalert(1)", "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)", "file:///etc/passwd", "blob:http://localhost:3000/x", "about:blank", "view-source:http://localhost:3000/oauth-callback",
    "http://localhost:3000/oauth-callback?redirect=https://evil.example", "http://localhost:99999/oauth-callback", "http://localhost:-1/oauth-callback",
    "http://localhost:3000:80/oauth-callback", "http://localhost:/oauth-callback/x", "urn:ietf:wg:oauth:2.0:oob", "http://*:3000/oauth-callback", "http://%6cocalhost:3000/oauth-callback",
    "http://localhost:3000/oauth-callback" + "x" * 2100, "http://localhost:3000/oauth-callback\u202e",
]


def test_hostile_redirect_uris(people):
    """norm: A07 A08 A12 A13 A30 X10"""
    assert len(set(EVIL_URIS)) >= 60
    browser = signed_in(people)
    for uri in EVIL_URIS:
        for one in (Browser(people), browser):
            for more in ({}, {"prompt": "none"}, {"scope": None}, {"response_type": "token"}):
                answer = one.authorize(people.confidential, redirect_uri=uri, **more)
                assert answer.status == 400 and "location" not in answer.headers, uri
                assert "BAD_REDIRECT_URI" in text_of(answer) and b"evil.example" not in answer.body, uri


# ---- headers ----


def test_headers_of_pages(people, tab):
    """norm: X13 X14"""
    tab.authorize(people.confidential)
    pages = [tab.answer, tab.sign_in(), tab.get("/oauth/connected-apps"), tab.get("/oauth/sign-out"), people.get("/oauth/authorize?client_id=x")]
    for page in pages:
        seen = page.headers
        policy = dict(part.strip().split(" ", 1) for part in seen["content-security-policy"].split(";"))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'" and "script-src" not in policy
        assert seen["x-frame-options"] == "DENY" and seen["referrer-policy"] == "no-referrer" and seen["x-content-type-options"] == "nosniff"
        assert seen["cache-control"] == "no-store" and "access-control-allow-origin" not in seen
        assert b"<script" not in page.body and b" style=" not in page.body and not re.search(rb'(src|href)="https?://', page.body)
    assert "http://localhost:3000" in pages[0].headers["content-security-policy"]
    assert people.get("/oauth/authorize?client_id=x", headers={"origin": "https://evil.example"}).headers.get("access-control-allow-origin") is None


def test_cookies(serve_factory):
    server = serve_factory("--issuer", "https://auth.example")
    answer = server.api.get("/oauth/sign-in")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-grantd-browser=") and {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_assets(people, tab):
    tab.authorize(people.confidential)
    path = re.search(r'href="(/oauth/assets/[^"]+)"', tab.answer.body.decode())[1]
    answer = people.get(path)
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/css") and answer.headers["cache-control"].endswith("immutable")
    assert people.get(path, headers={"if-none-match": answer.headers["etag"]}).status == 304
    assert people.get("/oauth/assets/style.css").status == 404 and people.get("/oauth/assets/..%2fx").status == 404


def test_brand(ask_factory):
    server = ask_factory("--brand-name", "Acme <Login>", "--brand-colour", "#1a5fb4", "--privacy-url", "https://acme.example/privacy")
    page = server.get("/oauth/sign-in")
    assert b"Acme &lt;Login&gt;" in page.body and b"https://acme.example/privacy" in page.body
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page.body.decode())
    assert len(sheets) == 2 and all(server.get(sheet).status == 200 for sheet in sheets)


def test_serve_is_complete(serve_factory):
    """Made by administration alone, used by a person."""
    server = serve_factory()
    hub_id = new_account(server, "Acme")
    new_person(server, "ada@example.com", accounts=[(hub_id, "installer")])
    made = server.admin("app", "create", "--name", "Sync", "--redirect-uri", "https://app.example/cb", "--scope", "oauth", "--create-scopes")
    app = harness.App(server.api, {**made, "redirect_uri": "https://app.example/cb", "scopes": ["oauth"]})
    server.get, server.post = server.api.get, server.api.post
    browser = Browser(server)
    browser.authorize(app)
    assert is_page(browser.submit("sign_in", email="ADA@example.com", password="a long enough password"), "Sync", "Acme")
    assert app.redeem(browser.submit("allow").location["code"]).json["hub_id"] == hub_id
