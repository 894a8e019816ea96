"""Keys and client assertions on several nodes of one database."""
import json

from authlib.jose import JsonWebKey

import assertion
import harness
import nodes

KEYS = "/.well-known/jwks.json"


def kids(node):
    """Of the keys for access tokens; `dev` has one for ID tokens as well."""
    return {key["kid"] for key in node.get(KEYS).json["keys"] if key["alg"] == "ES256"}


def test_nodes_sign_with_the_same_keys(clusters, farm):
    """Also when they start on an empty store at once; a token of one is live at the other. norm: D08"""
    one, two = farm.start(clusters("db").url, 2)
    assert kids(one) == kids(two) and len(kids(one)) == 1
    made = one.new_app("--client-credentials", "--token-format", "jwt", scopes=["oauth"])
    token = made.client_credentials().json["access_token"]
    nodes.wait_until(lambda: two.resource_server.is_active(token))


def test_a_rotation_is_heard_of(clusters, farm):
    """norm: D09"""
    one, two = farm.start(clusters("db").url, 2)
    one.admin("key", "rotate", "es256")
    nodes.wait_until(lambda: kids(two) == kids(one))
    assert len(kids(two)) == 2
    assert two.admin("key", "rotate", "es256", ok=False).returncode == 1  # one waits, wherever it was made


def test_a_removal_is_heard_of(clusters, farm):
    one, two = farm.start(clusters("db").url, 2)
    (old,) = [key["kid"] for key in one.get(KEYS).json["keys"] if key["alg"] == "ES256"]
    one.admin("key", "rotate", "es256", "--now")
    one.admin("key", "remove", old, "--yes")
    nodes.wait_until(lambda: old not in kids(two))
    assert kids(one) == kids(two) and kids(one)


def test_an_assertion_is_taken_once_by_all_nodes(clusters, farm, place):
    """At one node, then at the other; and at both at once."""
    one, two = farm.start(clusters("db").url, 2)
    key = JsonWebKey.generate_key("EC", "P-256", is_private=True)
    path = place / "jwks.json"
    path.write_text(json.dumps({"keys": [key.as_dict(is_private=False)]}))
    made = one.new_app("--client-credentials", "--jwks", path)
    there = harness.App(two.api, made.info)

    def sign():
        return assertion.sign(one, made, key, kid=None)

    def send(app, text):
        return assertion.send(app, text).status

    nodes.wait_until(lambda: send(there, sign()) == 200)
    used = sign()
    assert send(made, used) == 200 and send(there, used) == 400
    for _ in range(10):
        both = sign()
        assert sorted(harness.in_parallel(8, lambda i, both=both: send((made, there)[i % 2], both))) == [200] + [400] * 7
