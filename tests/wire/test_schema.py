"""The checker of answers can say no."""
import jsonschema
import pytest

import harness
import schema

GOOD_ERROR = {
    "error": "invalid_grant", "error_description": "missing or unknown auth code", "status": "BAD_AUTH_CODE",
    "message": "missing or unknown auth code", "category": "VALIDATION_ERROR", "correlationId": "0b8a1f0e-3b1c-4c53-9d7e-6a1f3c2b4d5e"}
GOOD_TOKEN = {
    "access_token": "gda_abc", "token_type": "bearer", "expires_in": 1800, "refresh_token": "gdr_abc", "token_use": "access_token",
    "hub_id": 1, "user_id": 2, "scopes": ["a"], "scope": "a"}


def test_good_bodies_pass():
    schema.check("POST", harness.V3, 400, GOOD_ERROR)
    schema.check("POST", harness.V3, 200, GOOD_TOKEN)
    schema.check("POST", harness.V3 + "/introspect", 200, {"active": False})


@pytest.mark.parametrize("status, body", [
    (400, {**GOOD_ERROR, "message": "something else"}),
    (400, {**GOOD_ERROR, "status": "BAD_REFRESH_TOKEN"}),
    (400, {**GOOD_ERROR, "extra": 1}),
    (400, {**GOOD_ERROR, "correlationId": "x"}),
    (400, {k: v for k, v in GOOD_ERROR.items() if k != "category"}),
    (401, GOOD_ERROR),
    (200, {**GOOD_TOKEN, "message": "hello"}),
    (200, {**GOOD_TOKEN, "token_type": "Bearer"}),
    (200, {**GOOD_TOKEN, "hub_id": "1"}),
    (200, {k: v for k, v in GOOD_TOKEN.items() if k != "scope"}),
    (200, {**GOOD_TOKEN, "token_use": "client_credentials"}),
    (200, {**GOOD_TOKEN, "access_token": "gda_" + "a" * 512}),
], ids=range(12))
def test_bad_bodies_do_not(status, body):
    with pytest.raises(jsonschema.ValidationError):
        schema.check("POST", harness.V3, status, body)


def test_undocumented_answers_do_not():
    with pytest.raises(AssertionError):
        schema.check("POST", harness.V3, 202, {})
    with pytest.raises(AssertionError):
        schema.check("POST", harness.V3 + "/revoke", 200, {})
    with pytest.raises(jsonschema.ValidationError):
        schema.check("POST", harness.V3 + "/introspect", 200, {"active": False, "token": "x"})


def test_their_documents_are_used_where_they_are():
    if not schema.theirs():
        pytest.skip("HubSpot's documents are not here")
    assert [d for d in schema.theirs() if d.operation("POST", harness.V3)]
    with pytest.raises(jsonschema.ValidationError):
        for document in schema.theirs():
            schema.check_theirs(document, "POST", harness.V3, 200, {"access_token": 1})
