"""Every way to be refused, over the wire: each row of errors.def that a client can meet. norm: T15 X21"""
import pathlib
import re

import pytest

import harness

ROWS = {
    name: (int(http), error, status, category, text)
    for name, http, error, status, category, text in re.findall(
        r'^REFUSAL\((\w+), (\d+), "(\w+)", "(\w+)", "(\w+)", \w+, "([^"]*)"\)$',
        (harness.ROOT / "src/oauth/errors.def").read_text(), re.M)
}
# what is tested elsewhere, and where
ELSEWHERE = {
    "INTERNAL": "a fault of the program: tests/flow", "RESOURCE_FORMAT": "src/oauth/resources_test.c",
    "CLIENT_KEYS": "test_jwks_uri.py", "CERTIFICATE_MISSING": "tests/flow/mtls_test.c", "CLIENT_CERTIFICATE": "tests/flow/mtls_test.c", "RATE_LIMIT": "test_limits.py", "UNAVAILABLE": "test_trouble.py",
    "ACCESS_DENIED": "test_consent.py", "LOGIN_REQUIRED": "test_consent.py", "ACCOUNT_REQUIRED": "test_consent.py",
    "CONSENT_REQUIRED": "test_consent.py", "FORM_EXPIRED": "test_consent.py", "BEARER_EXPIRED": "test_clock.py", "CODE_EXPIRED": "test_clock.py",
    "HUB_GONE": "test_round_trip.py", "PARAMETER_TOO_LONG": "below", "INSECURE": "test_tls.py", "CLIENT_ASSERTION": "test_assertion.py",
    "LOGOUT_CLIENT": "test_openid.py", "LOGOUT_REDIRECT_URI": "test_openid.py",
}
V1 = "/oauth/v1"


def is_refusal(answer, name, http=None):
    """The answer is this row, to the letter."""
    row_http, error, status, category, text = ROWS[name]
    body = answer.json
    assert answer.status == (http or row_http), answer
    got = (body["error"], body["status"], body["category"], body["message"], body["error_description"])
    assert got == (error, status, category, text, text), answer
    return True


def credentials(dev, **more):
    return {**dev.confidential.credentials, **more}


# name, how to meet it (a function of the server that gives the answer)
TOKEN_CASES = [
    ("CLIENT_ID_MISSING", lambda d: d.post(harness.V3, {"grant_type": "client_credentials"})),
    ("CLIENT_ID_UNKNOWN", lambda d: d.post(harness.V3, {"client_id": "nobody", "client_secret": "x", "grant_type": "client_credentials"})),
    ("CLIENT_ID_UNKNOWN", lambda d: d.post(harness.V3, {"client_id": "nobody", "grant_type": "nonsense"})),  # the client comes first
    ("CLIENT_AUTH", lambda d: d.confidential.client_credentials(client_secret="wrong")),
    ("CLIENT_AUTH", lambda d: d.confidential.client_credentials(client_secret=None)),
    ("CLIENT_AUTH", lambda d: d.confidential.refresh("x", client_secret="wrong")),
    ("CLIENT_AUTH", lambda d: d.public.refresh("x", client_secret="gds_a_public_app_has_none")),
    ("CLIENT_AUTH_TWICE", lambda d: d.post(harness.V3, credentials(d, grant_type="client_credentials"), basic=(d.confidential.client_id, d.confidential.client_secret))),
    ("GRANT_TYPE_MISSING", lambda d: d.post(harness.V3, credentials(d))),
    ("GRANT_TYPE_UNKNOWN", lambda d: d.post(harness.V3, credentials(d, grant_type="password", username="a", password="b"))),
    ("GRANT_TYPE_UNKNOWN", lambda d: d.confidential.client_credentials(client_secret="wrong", grant_type="nonsense")),  # before the secret
    ("GRANT_TYPE_NOT_ALLOWED", lambda d: d.public.client_credentials()),
    ("CODE_MISSING", lambda d: d.confidential.redeem(None)),
    ("CODE_INVALID", lambda d: d.confidential.redeem("gdc_nonsense")),
    ("CODE_INVALID", lambda d: d.confidential.redeem(d.confidential.install()["access_token"])),
    ("CODE_INVALID", lambda d: d.confidential.redeem(d.confidential.install()["refresh_token"])),
    ("CODE_INVALID", lambda d: d.confidential.redeem(d.new_app().code())),
    ("REDIRECT_URI_MISSING", lambda d: d.confidential.redeem(d.confidential.code(), redirect_uri=None)),
    ("REDIRECT_URI_MISMATCH", lambda d: d.confidential.redeem(d.confidential.code(), redirect_uri=d.confidential.redirect_uri + "/")),
    ("REDIRECT_URI_MISMATCH", lambda d: d.confidential.redeem(d.confidential.code(redirect_uri=None), redirect_uri="https://other.example/")),
    ("VERIFIER_MALFORMED", lambda d: d.confidential.redeem(d.confidential.code(**harness.Pkce().asked), code_verifier="a" * 42)),
    ("VERIFIER_MALFORMED", lambda d: d.confidential.redeem(d.confidential.code(**harness.Pkce().asked), code_verifier="a" * 129)),
    ("VERIFIER_MALFORMED", lambda d: d.confidential.redeem(d.confidential.code(**harness.Pkce().asked), code_verifier="a" * 43 + "+")),
    ("VERIFIER_WRONG", lambda d: d.confidential.redeem(d.confidential.code(**harness.Pkce().asked), code_verifier="a" * 43)),
    ("VERIFIER_WRONG", lambda d: d.confidential.redeem(d.confidential.code(**harness.Pkce().asked))),
    ("VERIFIER_WRONG", lambda d: d.confidential.redeem(d.confidential.code(), code_verifier="a" * 43)),  # norm: C07
    ("REFRESH_MISSING", lambda d: d.confidential.refresh(None)),
    ("REFRESH_INVALID", lambda d: d.confidential.refresh("gdr_nonsense")),
    ("REFRESH_INVALID", lambda d: d.confidential.refresh(d.confidential.install()["access_token"])),
    ("REFRESH_INVALID", lambda d: d.confidential.refresh(d.public.install()["refresh_token"])),  # norm: F01
    ("SCOPE", lambda d: d.confidential.client_credentials(scope=None)),
    ("SCOPE", lambda d: d.confidential.client_credentials(scope="no.such.scope")),
    ("SCOPE", lambda d: d.confidential.refresh(d.new_refresh(), scope="no.such.scope")),
    ("REQUEST_MALFORMED", lambda d: d.post(harness.V3, b"grant_type=%zz")),
    ("REQUEST_MALFORMED", lambda d: d.post(harness.V3, b"client_id=%00")),
    ("REQUEST_MALFORMED", lambda d: d.post(harness.V3, b"client_id=%ff")),
    ("PARAMETER_REPEATED", lambda d: d.post(harness.V3, d.valid_form + b"&scope=a")),
    ("PARAMETER_TOO_LONG", lambda d: d.confidential.client_credentials(scope="a" * 9000)),
    ("TOKEN_MISSING", lambda d: d.post(f"{harness.V3}/introspect", credentials(d))),
    ("TOKEN_MISSING", lambda d: d.post(f"{harness.V3}/revoke", credentials(d))),
    ("TOKEN_FOREIGN", lambda d: d.confidential.revoke(d.public.install()["access_token"])),
    ("TOKEN_FORMAT", lambda d: d.get(f"{V1}/access-tokens/nonsense")),
    ("TOKEN_UNKNOWN", lambda d: d.get(f"{V1}/refresh-tokens/{d.revoked_refresh()}")),
    ("CLIENT_PUBLIC", lambda d: d.public.introspect("x")),
    ("BEARER_INVALID", lambda d: d.confidential.uninstall("nonsense")),
    ("BEARER_INVALID", lambda d: d.api.request("DELETE", "/appinstalls/v3/external-install")),
    ("SCOPE_INSUFFICIENT", lambda d: d.get("/oauth/userinfo", headers={"authorization": "Bearer " + d.confidential.install()["access_token"]})),
    ("RESOURCE", lambda d: d.confidential.client_credentials(resource="https://nobody.example/")),  # norm: E01 E03
    ("NOT_FOUND", lambda d: d.get("/nothing")),
    ("NOT_FOUND", lambda d: d.post("/oauth/v2/token", d.valid_form)),
    ("METHOD_NOT_ALLOWED", lambda d: d.get(harness.V3)),
    ("TOO_LARGE", lambda d: d.post(harness.V3, b"a=" + b"b" * 70000)),
    ("MEDIA_TYPE", lambda d: d.post(harness.V3, b"{}", headers={"content-type": "application/json"})),
]


class Case:
    """The server with two more things that the table wants."""

    def __init__(self, dev):
        self.dev = dev

    def __getattr__(self, name):
        return getattr(self.dev, name)

    def new_refresh(self):
        return self.dev.confidential.install()["refresh_token"]

    def revoked_refresh(self):
        token = self.new_refresh()
        assert self.dev.confidential.revoke(token).status == 200
        return token


@pytest.mark.parametrize("name, meet", TOKEN_CASES, ids=[f"{i}-{name}" for i, (name, _) in enumerate(TOKEN_CASES)])
def test_refusal(dev, name, meet):
    """norm: T03 T12 T19 C09 C13 F02 K01 I03 P02 T02"""
    assert is_refusal(meet(Case(dev)), name)


# error by redirect: what is asked -> the row
REDIRECTED = [
    ("RESPONSE_TYPE", {"response_type": "token"}),  # norm: A05 A06
    ("CHALLENGE_METHOD", {"code_challenge": "a" * 43}),  # norm: A21
    ("CHALLENGE_METHOD", {"code_challenge": "a" * 43, "code_challenge_method": "plain"}),  # norm: A20
    ("CHALLENGE_MALFORMED", {"code_challenge": "a" * 42, "code_challenge_method": "S256"}),  # norm: A22
    ("CHALLENGE_MALFORMED", {"code_challenge": "a" * 42 + "=", "code_challenge_method": "S256"}),
    ("SCOPE", {"scope": None}),  # norm: A24
    ("SCOPE", {"scope": "no.such.scope"}),  # norm: A25
    ("RESPONSE_TYPE", {"scope": "openid"}),
    ("REQUEST_OBJECT", {"scope": "openid", "request": "eyJhbGciOiJub25lIn0.e30."}),
    ("REQUEST_URI", {"scope": "openid", "request_uri": "https://app.example/request"}),
    ("REGISTRATION", {"scope": "openid", "registration": "{}"}),
    ("RESPONSE_MODE", {"response_mode": "form_post"}),
    ("CLAIMS_MALFORMED", {"scope": "openid", "response_type": "code", "claims": "x"}),
    ("PERSON_UNKNOWN", {"scope": "openid", "response_type": "code", "claims": '{"id_token":{"sub":{"value":"7"}}}'}),
]


@pytest.mark.parametrize("name, asked", REDIRECTED, ids=[f"{i}-{name}" for i, (name, _) in enumerate(REDIRECTED)])
def test_redirected_refusal(dev, name, asked):
    """norm: R03 R14"""
    answer = dev.confidential.authorize(state="st", **asked)
    assert answer.status in (302, 303), answer
    _, error, _, _, text = ROWS[name]
    assert answer.location == {"error": error, "error_description": text, "state": "st", "iss": dev.issuer}


def test_redirected_refusals_of_an_app(dev):
    """norm: A17"""
    assert dev.public.authorize(state="s").location["error_description"] == ROWS["CHALLENGE_MISSING"][4]
    strict = dev.new_app("--require-pkce")
    assert strict.authorize().location["error_description"] == ROWS["CHALLENGE_MISSING"][4]
    machine = dev.new_app("--grant", "client_credentials")
    assert machine.authorize().location["error"] == ROWS["AUTHORIZE_NOT_ALLOWED"][1]


PAGES = [
    ("AUTHORIZE_CLIENT", {"client_id": "nobody"}), ("AUTHORIZE_CLIENT", {"client_id": None}),
    ("AUTHORIZE_REDIRECT_URI", {"redirect_uri": "https://evil.example/"}),
]


@pytest.mark.parametrize("name, asked", PAGES)
def test_page_refusal(dev, name, asked):
    """norm: A07 A08 A29 X11 X12 X13 X10"""
    answer = dev.confidential.authorize(**asked)
    assert answer.status == ROWS[name][0] and "location" not in answer.headers
    assert ROWS[name][4].encode() in answer.body
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"] and answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer" and answer.headers["x-content-type-options"] == "nosniff"


VARIANTS = ["{}/", "{}?x=1", "{}#", "{}%2e", "{};a", "{}\\", "{}/../x"]


@pytest.mark.parametrize("change", VARIANTS)
def test_redirect_uris_are_compared_byte_for_byte(dev, change):
    """norm: A09 A13"""
    app = dev.new_app(redirect_uri="https://app.example/done")
    assert app.authorize(redirect_uri=change.format(app.redirect_uri)).status == 400
    for other in ("https://APP.example/done", "https://app.example:443/done", "https://user@app.example/done", "https://app.example/Done", "http://app.example/done"):
        assert app.authorize(redirect_uri=other).status == 400


def test_several_redirect_uris_need_one(dev):
    """norm: A12"""
    app = dev.new_app("--redirect-uri", "https://app.example/two")
    assert app.authorize(redirect_uri=None).status == 400


def test_basic_is_answered_with_a_challenge(dev):
    """norm: T07 I11 I02"""
    form = {"grant_type": "client_credentials", "scope": dev.confidential.scopes[0]}
    for basic, name in (((dev.confidential.client_id, "wrong"), "CLIENT_AUTH"), (("nobody", "x"), "CLIENT_ID_UNKNOWN")):
        answer = dev.post(harness.V3, form, basic=basic)
        assert is_refusal(answer, name, 401) and answer.headers["www-authenticate"].startswith("Basic realm=")
    # at introspection it is 401 in any case, with the challenge only where Basic was used
    for sent in ({"client_id": dev.confidential.client_id, "client_secret": "wrong"}, {"client_id": "nobody"}, {}):
        answer = dev.post(f"{harness.V3}/introspect", {"token": "x", **sent})
        assert answer.status == 401 and answer.json["error"] == "invalid_client" and "www-authenticate" not in answer.headers
    assert "www-authenticate" in dev.post(f"{harness.V3}/introspect", {"token": "x"}, basic=("a", "b")).headers


def test_bearer_is_answered_with_a_challenge(dev):
    answer = dev.confidential.uninstall("nonsense")
    assert answer.status == 401 and answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_wrong_method_says_which(dev):
    """norm: T01 I04"""
    for path in (harness.V3, f"{harness.V3}/introspect?token=x", f"{harness.V3}/revoke"):
        for method in ("GET", "PUT", "DELETE", "PATCH"):
            answer = dev.api.request(method, path)
            assert answer.status == 405 and answer.headers["allow"] == "POST"


def test_no_cors(dev):
    """norm: X15"""
    origin = {"origin": "https://app.example"}
    answers = [dev.get("/oauth/authorize", headers=origin), dev.post(harness.V3, dev.valid_form, headers=origin)]
    assert not [name for answer in answers for name in answer.headers if name.startswith("access-control")]


HOSTILE = ['"\\', "<script>alert(1)</script>", "\u00e9\u4e2d", "a\r\nset-cookie: x=1", "%0d%0a", "'" * 500]


@pytest.mark.parametrize("payload", HOSTILE)
def test_nothing_is_echoed(dev, payload):
    """norm: X17 X21"""
    for name in ("client_id", "client_secret", "grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope"):
        answer = dev.confidential.token(**{"grant_type": "authorization_code", "code": "x", name: payload})
        assert answer.status in (400, 401)
        assert payload.encode() not in answer.body
        assert re.fullmatch(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+", answer.json["error_description"])
    for name in ("client_id", "redirect_uri", "scope", "state", "code_challenge", "response_type", "nonce", "prompt", "login_hint"):
        answer = dev.confidential.authorize(**{name: payload})
        assert b"<script>alert" not in answer.body and "set-cookie" not in answer.headers
        assert not re.search(r"[\r\n\x80-\xff<>\"\\]", answer.headers.get("location", ""))


def test_same_work_for_unknown_client_and_wrong_secret(dev):
    """They have the same HTTP status and size of headers; the word differs, because client ids are public. norm: T08"""
    unknown = dev.post(harness.V3, {"client_id": "nobody", "client_secret": "x", "grant_type": "client_credentials"})
    wrong = dev.confidential.client_credentials(client_secret="x")
    assert unknown.status == wrong.status and set(unknown.headers) == set(wrong.headers) and unknown.json["error"] == wrong.json["error"]


def test_every_row_is_met_somewhere():
    met = {name for name, _ in TOKEN_CASES + REDIRECTED + PAGES} | {"CHALLENGE_MISSING", "AUTHORIZE_NOT_ALLOWED"} | set(ELSEWHERE)
    assert met == set(ROWS)
    for name, where in ELSEWHERE.items():
        if where.endswith(".py"):
            assert name in (pathlib.Path(__file__).parent / where).read_text(), name
