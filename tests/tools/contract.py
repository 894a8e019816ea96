#!/usr/bin/env python3
"""Writes docs/openapi.json and the table of errors in docs/contract.md from src/oauth/errors.def.

The paths, parameters and answers stand here, the errors in errors.def. With --check both are compared, not written.
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPENAPI = ROOT / "docs/openapi.json"
CONTRACT = ROOT / "docs/contract.md"
BEGIN, END = "<!-- errors.def begins -->\n", "<!-- errors.def ends -->\n"

VERSIONS = ("v3", "2026-03", "2026-09")
ROW = re.compile(r'^REFUSAL\((\w+), (\d+), "(\w+)", "(\w+)", "(\w+)", (\w+), "([^"]*)"\)$', re.M)
CLIENT_ROWS = ("CLIENT_ID_MISSING", "CLIENT_ID_UNKNOWN", "CLIENT_AUTH", "CLIENT_ASSERTION", "CLIENT_CERTIFICATE")  # 400, or 401 where Basic was used and at introspection


def refusals():
    found = [
        {"name": n, "http": int(h), "error": e, "status": s, "category": c, "counts": k, "text": t}
        for n, h, e, s, c, k, t in ROW.findall((ROOT / "src/oauth/errors.def").read_text())
    ]
    assert len(found) > 30
    return found


def ref(name):
    return {"$ref": f"#/components/schemas/{name}"}


def text(**more):
    return {"type": "string", **more}


INT32 = {"type": "integer", "minimum": 1, "maximum": 2147483647}
RESOURCES = {"type": "array", "items": text(format="uri", maxLength=512), "maxItems": 8}  # sent as often as needed
SECONDS = {"type": "integer", "minimum": 0}
# a signed one that names a certificate (cnf) may have 640 characters; any other has 512
TOKEN = {"access": {"anyOf": [text(pattern=r"^(gda_[0-9A-Za-z_-]+|eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+)$", maxLength=512),
                              text(pattern=r"^eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+$", maxLength=640)]},
         "refresh": text(pattern="^gdr_[0-9A-Za-z_-]+$", maxLength=512)}
SCOPES = {"type": "array", "items": text(pattern="^[\\x21\\x23-\\x5B\\x5D-\\x7E]+$"), "uniqueItems": True}
SCOPE = text(pattern="^([\\x21\\x23-\\x5B\\x5D-\\x7E]+( [\\x21\\x23-\\x5B\\x5D-\\x7E]+)*)?$")


def closed(properties, optional=()):
    """An object with exactly these members; the optional ones may be missing."""
    return {
        "type": "object", "additionalProperties": False,
        "required": [name for name in properties if name not in optional], "properties": properties,
    }


def error_schemas():
    detail = closed(
        {"message": text(), "in": text(), "code": text(), "context": ref("ErrorContext"), "subCategory": text()},
        optional=("in", "code", "context", "subCategory"))
    safe = "^[\\x20-\\x21\\x23-\\x5B\\x5D-\\x7E]+$"
    body = closed(
        {
            "error": text(enum=sorted({r["error"] for r in refusals()})), "error_description": text(pattern=safe),
            "status": text(enum=sorted({r["status"] for r in refusals()})), "message": text(pattern=safe),
            "category": text(enum=sorted({r["category"] for r in refusals()})),
            "correlationId": text(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"),
            "errors": {"type": "array", "minItems": 1, "items": ref("ErrorDetail")}, "context": ref("ErrorContext"),
            "links": {"type": "object", "additionalProperties": text()}, "subCategory": text(),
        },
        optional=("errors", "context", "links", "subCategory"))
    schemas = {
        "ErrorContext": {"type": "object", "additionalProperties": {"type": "array", "items": text()}},
        "ErrorDetail": detail, "Error": body,
    }
    for http in sorted({r["http"] for r in refusals()}):
        rows = [r for r in refusals() if r["http"] == http or (http == 401 and r["name"] in CLIENT_ROWS)]
        kinds = sorted({(r["error"], r["status"], r["category"], r["text"]) for r in rows})
        schemas[f"Error{http}"] = {"allOf": [ref("Error"), {"anyOf": [
            {"properties": {"error": {"const": e}, "status": {"const": s}, "category": {"const": c},
                            "message": {"const": t}, "error_description": {"const": t}}} for e, s, c, t in kinds]}]}
    return schemas


def token_schemas():
    common = {"access_token": TOKEN["access"], "token_type": {"const": "bearer"}, "expires_in": SECONDS}
    return {
        "TokenForPerson": closed(
            {**common, "refresh_token": TOKEN["refresh"], "token_use": {"const": "access_token"}, "hub_id": INT32,
             "user_id": INT32, "scopes": SCOPES, "scope": SCOPE, "id_token": text(pattern=r"^eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+$")}, optional=("id_token",)),
        "TokenForApp": closed(
            {**common, "token_use": {"const": "client_credentials"}, "hub_id": INT32, "scopes": SCOPES, "scope": SCOPE},
            optional=("hub_id",)),
        "TokenAnswer": {"oneOf": [ref("TokenForPerson"), ref("TokenForApp")]},
    }


def info_schemas():
    signed_int = ("appId", "hubId", "installingUserId", "userId")
    signed_text = ("appInstallId", "audience", "hublet", "newSignature", "scopeToScopeGroupPks", "scopes", "signature",
                   "trialScopeToScopeGroupPks", "trialScopes")
    signed_bool = ("isPrivateDistribution", "isServiceAccount", "isUserLevel")
    signed = closed({
        "expiresAt": {"type": "integer"}, **{n: {"type": "integer", "minimum": 0} for n in signed_int},
        **{n: text() for n in signed_text}, **{n: {"type": "boolean"} for n in signed_bool}})
    common = {
        "active": {"const": True}, "token_type": {"const": "Bearer"}, "client_id": text(), "app_id": INT32, "scopes": SCOPES,
        "scope": SCOPE, "iat": {"type": "integer"}, "exp": {"type": "integer"}, "sub": text(),
        "aud": {"type": ["string", "array"], "items": text()}, "iss": text(format="uri"),
    }
    person = {"hub_id": INT32, "user_id": INT32, "user": text(), "hub_domain": text(), "username": text()}
    cnf = closed({"x5t#S256": text(pattern="^[0-9A-Za-z_-]{43}$")})  # RFC 8705
    access = {"expires_in": SECONDS, "is_private_distribution": {"type": "boolean"}, "signed_access_token": ref("SignedAccessToken")}
    return {
        "SignedAccessToken": signed,
        "Inactive": closed({"active": {"const": False}}),
        "ActiveAccessToken": closed(
            {**common, **person, **access, "token": TOKEN["access"], "token_use": {"const": "access_token"}, "cnf": cnf}, optional=("cnf",)),
        "ActiveRefreshToken": closed(
            {**common, **person, "token": TOKEN["refresh"], "token_use": {"const": "refresh_token"}}, optional=("exp",)),
        "ActiveAppToken": closed(
            {**common, **access, "hub_id": INT32, "hub_domain": text(), "token": TOKEN["access"], "token_use": {"const": "client_credentials"}, "cnf": cnf},
            optional=("hub_id", "hub_domain", "signed_access_token", "cnf")),
        "Introspection": {"oneOf": [ref(n) for n in ("Inactive", "ActiveAccessToken", "ActiveRefreshToken", "ActiveAppToken")]},
        "V1AccessToken": closed(
            {"token": TOKEN["access"], "hub_id": INT32, "app_id": INT32, "user_id": INT32, "user": text(), "hub_domain": text(),
             "scopes": SCOPES, "expires_in": SECONDS, "token_type": {"const": "access"},
             "signed_access_token": ref("SignedAccessToken"), "is_private_distribution": {"type": "boolean"}},
            optional=("user", "hub_domain", "signed_access_token", "is_private_distribution")),
        "V1RefreshToken": closed(
            {"token": TOKEN["refresh"], "hub_id": INT32, "user_id": INT32, "client_id": text(), "user": text(), "hub_domain": text(),
             "scopes": SCOPES, "token_type": {"const": "refresh"}}, optional=("user", "hub_domain")),
    }


CORRELATION = {"x-hubspot-correlation-id": {"description": "the correlationId of an error; quote it in reports", "schema": text(format="uuid")}}


def json_answer(schema, description):
    return {"description": description, "headers": CORRELATION, "content": {"application/json": {"schema": ref(schema)}}}


def errors(*statuses):
    return {str(http): json_answer(f"Error{http}", "refused: see the table of errors in contract.md") for http in statuses}


ALWAYS = (405, 413, 429, 500, 503)


def form(required, **properties):
    return {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": {
        "type": "object", "required": list(required), "properties": properties}}}}


def client(**more):
    return {"client_id": text(maxLength=64), "client_secret": text(maxLength=128), "client_assertion": text(maxLength=8192),
            "client_assertion_type": text(enum=["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]), **more}


def token_operation(name):
    return {"post": {
        "operationId": f"token-{name}", "summary": "Redeem a code, refresh, or get a token for the app itself", "tags": ["token"],
        "security": [{"basic": []}, {}],
        "requestBody": form(("grant_type",), **client(
            grant_type=text(enum=["authorization_code", "refresh_token", "client_credentials"]), code=text(maxLength=512),
            redirect_uri=text(maxLength=2048), code_verifier=text(minLength=43, maxLength=128), refresh_token=text(maxLength=512),
            scope=text(maxLength=8192), resource=RESOURCES)),
        "responses": {"200": json_answer("TokenAnswer", "tokens"), **errors(400, 401, 415, *ALWAYS)}}}


def token_member_operations(name):
    body = form((), **client(token=text(maxLength=512), access_token=text(maxLength=512), refresh_token=text(maxLength=512),
                             token_type_hint=text()))
    plain = form((), **client(token=text(maxLength=512), token_type_hint=text()))
    return {
        "introspect": {"post": {
            "operationId": f"introspect-{name}", "summary": "What a token is worth now (RFC 7662)", "tags": ["token"],
            "security": [{"basic": []}, {}], "requestBody": body,
            "responses": {"200": json_answer("Introspection", "the token, or only that it is not active"), **errors(400, 401, 415, *ALWAYS)}}},
        "revoke": {"post": {
            "operationId": f"revoke-{name}", "summary": "End a token (RFC 7009)", "tags": ["token"], "security": [{"basic": []}, {}],
            "requestBody": plain, "responses": {"200": {"description": "done, or there was nothing to do; no body"}, **errors(400, 401, 415, *ALWAYS)}}},
    }


def authorize_operation(name, parameters):
    def query(name, required=False, **schema):
        return {"name": name, "in": "query", "required": required, "schema": text(**schema)}

    asked = [
        query("client_id", True, maxLength=64), query("redirect_uri", maxLength=2048), query("scope", True, maxLength=8192),
        query("optional_scope", maxLength=8192), query("state", maxLength=4096), query("response_type", enum=["code"]),
        query("code_challenge", minLength=43, maxLength=43), query("code_challenge_method", enum=["S256"]), query("nonce", maxLength=128),
        query("prompt"), query("max_age", pattern="^[0-9]+$"), query("id_token_hint", maxLength=8000), query("claims", maxLength=4096),
        query("response_mode", enum=["query"]), query("login_hint"), query("ui_locales"), {"name": "resource", "in": "query", "schema": RESOURCES},
    ]
    redirect = {"description": "back to the app, with code, state and iss, or with error, error_description, state and iss",
                "headers": {"Location": {"schema": text(format="uri")}}}
    page = {"description": "a page for the person", "content": {"text/html": {"schema": text()}}}
    answers = {"302": redirect, "303": redirect, "200": page, "400": page, "429": page, "500": page, "503": page}
    return {"parameters": parameters, **{method: {
        "operationId": f"authorize-{name}-{method}", "summary": "Ask a person for consent", "tags": ["authorize"],
        "parameters": asked if method == "get" else [], "responses": answers} for method in ("get", "post")}}


PAGE = {"description": "a page for the person", "content": {"text/html": {"schema": text()}}}
GO_ON = {"description": "go on there: a page of this server, or the app with code, state and iss, or with error, error_description, state and iss",
         "headers": {"Location": {"schema": text(format="uri-reference")}}}


def page_answers(*more):
    """What every page for people may answer: itself, the way on, and a page that says what is wrong."""
    return {str(http): GO_ON if http in (302, 303) else PAGE for http in sorted({400, 429, 500, 503, *more})}


LOGOUT = ("id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales")
LOGOUT_FORM = {**{name: text() for name in LOGOUT}, "action": text(enum=["sign_out", "cancel"])}


def page_paths():
    """The pages behind /oauth/authorize. Their forms can only be sent by the browser that they were shown to."""
    sealed = {"csrf": text(), "flow": text()}
    rows = (
        ("sign-in", "Sign in, when no sign-in of the company's own does it", (), {"email": text(maxLength=254), "password": text(maxLength=256),
          "action": text(enum=["sign_in", "cancel"]), "lang": text()}, (200, 303), (303, 403, 404)),
        ("choose-account", "Choose the account", None, {"hub_id": INT32, "action": text(enum=["cancel", "switch_user"])}, (), (303,)),
        ("consent", "Say yes or no", None, {"scope": {"type": "array", "items": text()},
          "action": text(enum=["allow", "cancel", "change_account"])}, (), (303,)),
        ("login", "Back from the company's own sign-in", ("login_verifier",), None, (303,), ()),
        ("connected-apps", "The apps of a person", (), None, (200, 303), ()),
        ("connected-apps/remove", "Take back what an app may do", ("app", "account"), {"action": text(enum=["revoke", "cancel"])}, (200, 303, 404), (303,)),
        ("logout", "An app signs the person out (OpenID Connect RP-Initiated Logout): the same parameters by GET and POST, or the form of its page",
          LOGOUT, LOGOUT_FORM, (200, 302, 303), (303,)),
        ("sign-out", "Sign out", (), {"action": text(enum=["sign_out", "cancel"])}, (200,), (303,)),
    )
    found = {}
    for name, summary, asked, fields, shown, sent in rows:
        found[f"/oauth/{name}"] = {}
        if asked is not None:
            found[f"/oauth/{name}"]["get"] = {
                "operationId": f"{name.replace('/', '-')}-get", "summary": summary, "tags": ["pages"],
                "parameters": [{"name": n, "in": "query", "required": name != "logout", "schema": text()} for n in asked], "responses": page_answers(*shown)}
        if fields is not None:
            found[f"/oauth/{name}"]["post"] = {
                "operationId": f"{name.replace('/', '-')}-post", "summary": summary, "tags": ["pages"], "requestBody": form(() if name == "logout" else ("csrf", "flow"), **sealed, **fields),
                "responses": page_answers(415, *sent)}
    return found


def v1_paths():
    token = {"name": "token", "in": "path", "required": True, "schema": text(maxLength=512)}
    dead = (400, 404, *ALWAYS)
    return {
        "/oauth/v1/token": token_operation("v1"),
        "/oauth/v1/access-tokens/{token}": {"parameters": [token], "get": {
            "operationId": "v1-access-token", "summary": "What an access token says", "tags": ["v1"],
            "responses": {"200": json_answer("V1AccessToken", "the token"), **errors(*dead)}}},
        "/oauth/v1/refresh-tokens/{token}": {"parameters": [token],
            "get": {"operationId": "v1-refresh-token", "summary": "What a refresh token says", "tags": ["v1"],
                    "responses": {"200": json_answer("V1RefreshToken", "the token"), **errors(*dead)}},
            "delete": {"operationId": "v1-refresh-token-delete", "summary": "End a refresh token", "tags": ["v1"],
                       "responses": {"204": {"description": "done; no body"}, **errors(*dead)}}},
    }


def paths():
    found = {}
    for version in VERSIONS:
        base = f"/oauth/{version}/token"
        found[base] = token_operation(version)
        for member, operation in token_member_operations(version).items():
            found[f"{base}/{member}"] = operation
    found.update(v1_paths())
    hub = {"name": "hub_id", "in": "path", "required": True, "schema": INT32}
    found["/oauth/authorize"] = authorize_operation("any", [])
    found.update(page_paths())
    found["/oauth/{hub_id}/authorize"] = authorize_operation("account", [hub])
    for version in VERSIONS:
        found[f"/appinstalls/{version}/external-install"] = {"delete": {
            "operationId": f"uninstall-{version}", "summary": "Remove the app from the account of the access token", "tags": ["installation"],
            "security": [{"bearer": []}], "responses": {"204": {"description": "done; no body"}, **errors(400, 401, *ALWAYS)}}}
    return found


def userinfo_paths():
    answers = {"200": json_answer("UserInfo", "what is known of the person, as far as the scopes go"), **errors(400, 401, 403, 415, *ALWAYS)}
    summary = "What the bearer of an access token with the scope openid may know of the person"
    common = {"summary": summary, "tags": ["openid"], "security": [{"bearer": []}], "responses": answers}
    body = {**form((), access_token=text(maxLength=512)), "required": False}
    return {"/oauth/userinfo": {"get": {"operationId": "userinfo-get", **common},
                                "post": {"operationId": "userinfo-post", **common, "security": [{"bearer": []}, {}], "requestBody": body}}}


def userinfo_schemas():
    known = {"sub": text(pattern="^[1-9][0-9]{0,9}$"), "name": text(), "updated_at": {"type": "integer"}, "email": text(),
             "email_verified": {"type": "boolean"}}
    return {"UserInfo": closed(known, optional=set(known) - {"sub"})}


def well_known_schemas():
    listed = {"type": "array", "items": text(), "minItems": 1, "uniqueItems": True}
    addresses = ("authorization_endpoint", "token_endpoint", "revocation_endpoint", "introspection_endpoint", "jwks_uri")
    lists = ("response_types_supported", "response_modes_supported", "grant_types_supported", "code_challenge_methods_supported",
             "token_endpoint_auth_methods_supported", "revocation_endpoint_auth_methods_supported",
             "introspection_endpoint_auth_methods_supported", "token_endpoint_auth_signing_alg_values_supported",
             "revocation_endpoint_auth_signing_alg_values_supported", "introspection_endpoint_auth_signing_alg_values_supported")
    openid = {**{name: text(format="uri") for name in ("userinfo_endpoint", "end_session_endpoint")},
              **{name: listed for name in ("subject_types_supported", "acr_values_supported", "id_token_signing_alg_values_supported", "claim_types_supported", "claims_supported")},
              "claims_parameter_supported": {"const": True}, "request_parameter_supported": {"const": False},
              "request_uri_parameter_supported": {"const": False}}
    key = {"kty": text(enum=["EC", "RSA"]), "use": {"const": "sig"}, "alg": text(enum=["ES256", "RS256"]), "kid": text(), "crv": text(),
           "x": text(), "y": text(), "n": text(), "e": text()}
    mtls = {"tls_client_certificate_bound_access_tokens": {"const": True}, "mtls_endpoint_aliases": closed({name: text(format="uri") for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint")})}
    apis = {"protected_resources": {**listed, "items": text(format="uri")}}
    return {
        "Metadata": closed({
            "issuer": text(format="uri"), **{name: text(format="uri") for name in addresses}, **{name: listed for name in lists},
            "authorization_response_iss_parameter_supported": {"const": True}, "scopes_supported": SCOPES, **openid, **mtls, **apis}, optional={**openid, **mtls, **apis}),
        "KeySet": closed({"keys": {"type": "array", "minItems": 1, "items": closed(key, optional=("crv", "x", "y", "n", "e"))}}),
    }


def well_known_paths():
    found = {}
    for path, name, schema, summary in (
            ("/.well-known/oauth-authorization-server", "metadata", "Metadata", "All that a client must know (RFC 8414)"),
            ("/.well-known/openid-configuration", "openid-metadata", "Metadata",
             "The same (OpenID Connect Discovery); 404 when the catalogue has no scope openid"),
            ("/.well-known/jwks.json", "jwks", "KeySet", "The keys that tokens are signed with (RFC 7517)")):
        found[path] = {"get": {"operationId": name, "summary": summary, "tags": ["well-known"], "responses": {
            "200": json_answer(schema, "may be kept as Cache-Control says"), "304": {"description": "as before"}, **errors(404, 405, 500, 503)}}}
    return found


def openapi():
    return {
        "openapi": "3.1.0",
        "info": {"title": "grantd", "version": "0.1.0", "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
                 "description": "The public API. Every answer of the test suite's real server is checked against this document."},
        "servers": [{"url": "http://127.0.0.1:8080"}],
        "paths": {**paths(), **userinfo_paths(), **well_known_paths()},
        "components": {
            "schemas": {**error_schemas(), **token_schemas(), **info_schemas(), **userinfo_schemas(), **well_known_schemas()},
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}, "bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def error_table():
    lines = ["| HTTP | `status` | `error` | `category` | `error_description` and `message` | counts as a failed try |", "|---|---|---|---|---|---|"]
    counts = {"COUNTS_NOT": "", "COUNTS_AUTH": "authentication", "COUNTS_GRANT": "code or token"}
    seen = set()
    for r in refusals():
        line = f"| {r['http']} | `{r['status']}` | `{r['error']}` | `{r['category']}` | {r['text']} | {counts[r['counts']]} |"
        if line not in seen:
            lines.append(line)
        seen.add(line)
    return "\n".join(lines) + "\n"


def contract():
    before, rest = CONTRACT.read_text().split(BEGIN)
    return before + BEGIN + error_table() + END + rest.split(END)[1]


def wanted():
    return {OPENAPI: json.dumps(openapi(), indent=1) + "\n", CONTRACT: contract()}


def stale():
    return [path.relative_to(ROOT).as_posix() for path, content in wanted().items() if not path.exists() or path.read_text() != content]


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit("out of date, run tests/tools/contract.py: " + " ".join(stale()) if stale() else 0)
    for path, content in wanted().items():
        path.write_text(content)
