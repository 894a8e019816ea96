"""The company's own sign-in in front of grantd: a small application as docs/sign-in.md describes it, and what must not work."""
import http.client
import http.server
import re
import threading
import urllib.parse

import pytest

import harness
from browser import Browser

PASSWORDS = {"developer@example.com": "the company knows it"}


class Company:
    """The whole example: shows what the sign-in is for, checks the password in its own way, and tells grantd through the admin socket."""

    def __init__(self):
        company = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                challenge = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)["login_challenge"][0]
                asked = company.admin("show", challenge=challenge)
                page = f"<form method=post action='?login_challenge={challenge}'>{asked.get('app_name', '')}</form>".encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(page)

            def do_POST(self):
                challenge = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)["login_challenge"][0]
                form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["content-length"])).decode()))
                if "cancel" in form:
                    said = company.admin("reject", challenge=challenge)
                elif PASSWORDS.get(form["email"]) == form["password"]:
                    said = company.admin("accept", challenge=challenge, user=form["email"])
                else:
                    said = {"redirect_to": self.path}
                self.send_response(303)
                self.send_header("Location", said["redirect_to"])
                self.end_headers()

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/sign-in"
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()

    def admin(self, verb, **members):
        answer = harness.Admin(self.admin_socket).send("POST", f"/admin/v1/logins/{verb}", members)
        assert answer.status == 200, answer.body
        return answer.json

    def request(self, method, url, form=None):
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=harness.PATIENCE_S)
        connection.request(method, f"{parts.path}?{parts.query}", urllib.parse.urlencode(form) if form else None)
        answer = connection.getresponse()
        body, location = answer.read(), answer.headers.get("location")
        connection.close()
        return body, location


@pytest.fixture
def company():
    company = Company()
    yield company
    company.http.shutdown()
    company.http.server_close()


@pytest.fixture
def server(dev_factory, company):
    server = dev_factory("--no-auto-approve", "--login-url", company.url)
    company.admin_socket = server.admin_socket
    return server


def challenge_of(browser, server, **asked):
    answer = browser.authorize(server.confidential, **asked)
    assert answer.status == 303, answer
    return answer.headers["location"]


def path_of(url):
    parts = urllib.parse.urlsplit(url)
    return f"{parts.path}?{parts.query}"


def test_the_example(server, company):
    browser = Browser(server)
    there = challenge_of(browser, server)
    assert there.startswith(company.url + "?login_challenge=")
    page, _ = company.request("GET", there)
    assert b"Dev confidential app" in page
    _, again = company.request("POST", there, {"email": "developer@example.com", "password": "wrong"})
    assert "login_challenge" in again
    _, back = company.request("POST", there, {"email": "developer@example.com", "password": "the company knows it"})
    assert back.startswith(server.issuer + "/oauth/login?login_verifier=")
    assert b"Connect app" in browser.get(path_of(back)).body
    assert browser.submit("allow").location["code"]


def test_reject(server, company):
    browser = Browser(server)
    _, back = company.request("POST", challenge_of(browser, server), {"cancel": "1"})
    answer = browser.get(path_of(back))
    assert answer.status == 302 and answer.location["error"] == "access_denied" and answer.location["state"] == "st"


def test_each_side_is_used_once(server, company):
    browser = Browser(server)
    there = challenge_of(browser, server)
    challenge = urllib.parse.parse_qs(urllib.parse.urlsplit(there).query)["login_challenge"][0]
    back = server.admin("login", "accept", challenge, "--user", str(server.user_id))["redirect_to"]
    for verb in (("accept", challenge, "--user", str(server.user_id)), ("reject", challenge)):
        refused = server.admin("login", *verb, ok=False)
        assert refused.returncode == 1 and "answered before" in refused.stderr
    assert browser.get(path_of(back)).status == 200
    browser.cookies.pop("grantd")
    assert browser.get(path_of(back)).status == 400
    assert "grantd" not in browser.cookies


def test_another_browser_cannot_use_it(server, company):
    browser, thief = Browser(server), Browser(server)
    _, back = company.request("POST", challenge_of(browser, server), {"email": "developer@example.com", "password": "the company knows it"})
    assert thief.get(path_of(back)).status == 400
    challenge_of(thief, server)
    assert thief.get(path_of(back)).status == 400
    assert browser.get(path_of(back)).status == 200


def test_a_challenge_is_no_verifier_and_no_form(server):
    browser = Browser(server)
    challenge = urllib.parse.parse_qs(urllib.parse.urlsplit(challenge_of(browser, server)).query)["login_challenge"][0]
    assert browser.get(f"/oauth/login?login_verifier={challenge}").status == 400
    for verifier in ("", "x", challenge[:-1], "A" * 4000):
        assert browser.get(f"/oauth/login?login_verifier={verifier}").status == 400
    assert server.admin("login", "show", "nonsense", ok=False).returncode == 1
    # passwords are not looked at here
    assert server.post("/oauth/sign-in", {"email": "a@b.example", "password": "x", "action": "sign_in"}).status == 404


def test_show_tells_what_it_is_for(server):
    browser = Browser(server)
    there = challenge_of(browser, server, scope="oauth", login_hint="ada@example.com", ui_locales="de", prompt="login")
    challenge = urllib.parse.parse_qs(urllib.parse.urlsplit(there).query)["login_challenge"][0]
    shown = server.admin("login", "show", challenge)
    assert shown["client_id"] == server.confidential.client_id and shown["scopes"] == ["oauth"]
    assert shown["login_hint"] == "ada@example.com" and shown["ui_locales"] == "de" and shown["must_sign_in_again"] is True


def test_the_account_can_be_chosen_there(server):
    second = server.admin("account", "create", "--name", "Second", "--domain", "second.example")["hub_id"]
    server.admin("account", "member", "add", second, server.user_id, "--role", "installer")
    browser = Browser(server)
    challenge = urllib.parse.parse_qs(urllib.parse.urlsplit(challenge_of(browser, server)).query)["login_challenge"][0]
    back = server.admin("login", "accept", challenge, "--user", "developer@example.com", "--account", second)["redirect_to"]
    assert b"second.example" in browser.get(path_of(back)).body
    assert server.confidential.redeem(browser.submit("allow").location["code"]).json["hub_id"] == second


def account_of(server, name, role="installer"):
    hub_id = server.admin("account", "create", "--name", name, "--domain", f"{name.lower()}.example")["hub_id"]
    server.admin("account", "member", "add", hub_id, server.user_id, "--role", role)
    return hub_id


def challenge_alone(browser, server, **asked):
    return urllib.parse.parse_qs(urllib.parse.urlsplit(challenge_of(browser, server, **asked)).query)["login_challenge"][0]


def offered(page):
    return {int(hub_id) for hub_id in re.findall(rb'name="hub_id" value="(\d+)"', page)}


def query_of(server):
    app = server.confidential
    return urllib.parse.urlencode({"client_id": app.client_id, "redirect_uri": app.redirect_uri, "scope": " ".join(app.scopes)})


def test_exactly_the_accounts_that_were_said(server, company):
    first, second, third = (account_of(server, name) for name in ("First", "Second", "Third"))
    browser = Browser(server)
    # over HTTP as numbers
    back = company.admin("accept", challenge=challenge_alone(browser, server), user="developer@example.com", accounts=[first, third])
    assert offered(browser.get(path_of(back["redirect_to"])).body) == {first, third}
    # an account of the person that was not said is none, by its address too
    for other in (second, server.hub_id):
        assert offered(browser.get(f"/oauth/{other}/authorize?{query_of(server)}").body) == {first, third}
    browser.submit(str(third))
    assert browser.form.action == "/oauth/consent" and b"third.example" in browser.answer.body
    # changing the account, and another app in this session: the same ones
    assert offered(browser.submit("change_account").body) == {first, third}
    assert offered(browser.authorize(server.public, **harness.Pkce().asked).body) == {first, third}
    browser.authorize(server.confidential)
    browser.submit(str(first))
    assert server.confidential.redeem(browser.submit("allow").location["code"]).json["hub_id"] == first


def test_one_account_is_chosen_at_once_and_none_means_all(server):
    second = account_of(server, "Second")
    browser, other = Browser(server), Browser(server)
    back = server.admin("login", "accept", challenge_alone(browser, server), "--user", server.user_id, "--account", second)["redirect_to"]
    browser.get(path_of(back))
    assert browser.form.action == "/oauth/consent" and b"second.example" in browser.answer.body
    assert offered(browser.submit("change_account").body) == {second}
    back = server.admin("login", "accept", challenge_alone(other, server), "--user", server.user_id)["redirect_to"]
    assert offered(other.get(path_of(back)).body) == {server.hub_id, second}


def test_accounts_that_cannot_be_said(server):
    foreign = server.admin("account", "create", "--domain", "foreign.example")["hub_id"]
    challenge = challenge_alone(Browser(server), server)
    for account, words in ((foreign, "does not belong"), (999999, "there is no account"), (0, "hub id"), ("x", "hub id"), (2**31, "hub id")):
        refused = server.admin("login", "accept", challenge, "--user", server.user_id, "--account", server.hub_id, "--account", account, ok=False)
        assert refused.returncode and words in refused.stderr, account
    # none of that used it up
    assert server.admin("login", "accept", challenge, "--user", server.user_id)["redirect_to"]


def test_connected_apps_too(server, company):
    browser = Browser(server)
    answer = browser.get("/oauth/connected-apps")
    _, back = company.request("POST", answer.headers["location"], {"email": "developer@example.com", "password": "the company knows it"})
    assert b"Your connected apps" in browser.get(path_of(back)).body


def test_unsafe_addresses_are_refused():
    for url in ("http://login.example/", "ftp://x/", "nonsense"):
        done = harness.command("dev", "--login-url", url)
        assert done.returncode in (1, 2) and "login_url" in done.stderr
