# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Checks real answers against openapi.yaml: status, headers, content type and body schema.

`Service.call` of stand.py passes every answer through here, so no system test can see an answer that the
contract does not describe. JSON Schema itself is the jsonschema library's job (draft 2020-12, as OpenAPI 3.1
prescribes).
"""
import functools
import json
import pathlib
import re

import jsonschema
import yaml

PATH = pathlib.Path(__file__).resolve().parents[2] / "openapi.yaml"

seen = set()  # (operationId, status) of every answer checked in this run


@functools.lru_cache(maxsize=None)
def document():
    return yaml.safe_load(PATH.read_text())


@functools.lru_cache(maxsize=None)
def resolver():
    return jsonschema.RefResolver("", document())


def dereference(node):
    while isinstance(node, dict) and "$ref" in node:
        _, node = resolver().resolve(node["$ref"])
    return node


def operations():
    for template, item in document()["paths"].items():
        for method in ("get", "put", "post", "delete", "options", "head", "patch"):
            if method in item:
                yield template, method, item[method]


def find(method, path):
    """The operation of a request, or None for a path or method that the contract does not have."""
    path = path.split("?", 1)[0]
    lookup = "get" if method == "HEAD" else method.lower()
    for template, operation_method, operation in operations():
        pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
        if operation_method == lookup and re.fullmatch(pattern, path):
            return operation
    return None


def validate(schema, value, what):
    validator = jsonschema.Draft202012Validator(
        schema, resolver=resolver(), format_checker=jsonschema.FormatChecker())
    problems = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(value)]
    assert not problems, f"{what}: {problems}"


def convert(schema, text):
    """A header's text as the type that its schema names."""
    return int(text) if dereference(schema).get("type") == "integer" else text


def check(method, path, answer):
    what = f"{method} {path} -> {answer.status}"
    operation = find(method, path)
    if operation is None:
        # Not in the contract: the only possible answers are these problems, and OPTIONS.
        assert answer.status in (204, 401, 404, 405, 413, 414, 431), what
        if answer.status >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json", what
        return
    response = operation["responses"].get(str(answer.status))
    assert response is not None, f"{what}: not documented ({operation['operationId']}): {answer!r}"
    response = dereference(response)
    seen.add((operation["operationId"], answer.status))
    for name, header in response.get("headers", {}).items():
        header = dereference(header)
        text = answer.headers.get(name)
        if text is None:
            assert not header.get("required"), f"{what}: header {name} is missing"
            continue
        validate(header["schema"], convert(header["schema"], text), f"{what}: header {name}")
    check_body(method, response, answer, what)


def check_body(method, response, answer, what):
    content = response.get("content")
    if not content:
        assert not answer.body, f"{what}: a body where none is documented: {answer.body[:200]!r}"
        return
    content_type = answer.headers.get("Content-Type", "").split(";")[0]
    assert content_type in content, f"{what}: content type {content_type} is not documented"
    if method == "HEAD":
        assert not answer.body, f"{what}: HEAD has a body"
    elif content_type.endswith("json") and content_type != "application/x-ndjson":
        validate(content[content_type].get("schema", {}), json.loads(answer.body), what)


def documented():
    """Every (operationId, status) of the contract."""
    return {(operation["operationId"], int(status)) for _, _, operation in operations()
            for status in operation["responses"] if status.isdigit()}
