"""What a client signs to be known by its key (RFC 7523)."""
import secrets
import time

from authlib.jose import JsonWebToken

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def sign(server, app, key, alg="ES256", kid="client", **more):
    # the letter: Authlib takes 16 digits for the number of a credit card, and one id in some thousand begins like one
    claims = {"iss": app.client_id, "sub": app.client_id, "aud": server.issuer, "jti": "j" + secrets.token_hex(8), "exp": int(time.time()) + 60, **more}
    return JsonWebToken([alg]).encode({"alg": alg, **({"kid": kid} if kid else {})}, claims, key).decode()


def send(app, assertion, **more):
    return app.api.post(app.base, {
        "grant_type": "client_credentials", "scope": app.scopes[0], "client_assertion_type": TYPE, "client_assertion": assertion, **more})
