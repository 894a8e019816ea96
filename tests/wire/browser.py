"""A small browser: cookies, redirects on the server itself, and the one form of a page."""
import html.parser
import http.cookies
import urllib.parse


class Form(html.parser.HTMLParser):
    """The first form of a page: where it goes and what its fields hold."""

    def __init__(self, body):
        super().__init__()
        self.action, self.fields, self.buttons, self.is_open = None, {}, [], False
        self.feed(body.decode())

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form" and self.action is None:
            self.action, self.is_open = given["action"], True
            assert given["method"] == "post"
        elif self.is_open and tag == "input" and given.get("name"):
            if given.get("type") not in ("checkbox", "radio") or "checked" in given:
                self.fields[given["name"]] = given.get("value", "")
        elif self.is_open and tag == "button" and given.get("name"):
            self.buttons.append((given["name"], given["value"]))

    def handle_endtag(self, tag):
        self.is_open = self.is_open and tag != "form"


class Browser:
    def __init__(self, server):
        self.server, self.cookies, self.answer = server, {}, None

    def _keep(self, answer):
        for name, value in answer.raw_headers:
            if name.lower() == "set-cookie":
                for key, row in http.cookies.SimpleCookie(value).items():
                    assert row["httponly"] and row["samesite"] == "Lax" and not row["domain"], value
                    self.cookies[key] = row.value
                    if row["max-age"] == "0":
                        del self.cookies[key]
        self.answer = answer
        return answer

    def _headers(self, more):
        jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {**({"cookie": jar} if jar else {}), **more}

    def get(self, path, **more):
        """Follows redirects as long as they stay here."""
        for _ in range(8):
            answer = self._keep(self.server.get(path, headers=self._headers(more)))
            location = answer.headers.get("location", "")
            if answer.status != 303 or not (location.startswith(self.server.issuer + "/") or location.startswith("/")):
                return answer
            path = location.removeprefix(self.server.issuer)
        raise AssertionError("redirected in circles")

    def authorize(self, app, **more):
        asked = {"client_id": app.client_id, "redirect_uri": app.redirect_uri, "scope": " ".join(app.scopes), "state": "st", **more}
        return self.get("/oauth/authorize?" + urllib.parse.urlencode({k: v for k, v in asked.items() if v is not None}))

    @property
    def form(self):
        return Form(self.answer.body)

    def submit(self, button=None, headers=(), follow=True, **fields):
        """Sends the page's form with these fields changed; the button is the first one unless named."""
        form = self.form
        name, value = next((b for b in form.buttons if b[1] == button), form.buttons[0])
        assert button in (None, value), f"no such button: {form.buttons}"
        sent = {**form.fields, **fields, name: value}
        answer = self._keep(self.server.post(
            form.action, {k: v for k, v in sent.items() if v is not None}, headers=self._headers({"origin": self.server.issuer, **dict(headers)})))
        location = answer.headers.get("location", "")
        if follow and answer.status == 303 and (location.startswith(self.server.issuer + "/") or location.startswith("/")):
            return self.get(location.removeprefix(self.server.issuer))
        return answer

    def sign_in(self, password=None, **more):
        person = self.server.info["user"]
        return self.submit("sign_in", email=person["email"], password=password or person["password"], **more)

    def is_on_sign_in(self):
        return self.answer.status < 500 and b'name="password"' in self.answer.body
