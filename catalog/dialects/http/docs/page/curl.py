"""A route as a command for curl, with the variables that the documentation sets."""

import json
import re
import shlex
from collections.abc import Iterator
from urllib.parse import urlencode

from catalog.dialects.http.docs.schemas import Schema

TOKENS = {"jwt": "$TOKEN", "operator": "$API_TOKEN"}

METHODS = {"get": "", "head": " -I"}
"""The options of curl for a method, where they are not `-X <method>`."""


def command(method: str, path: str, operation: Schema) -> str:
    parameters = operation.get("parameters", ())
    examples = {each["name"]: str(each["example"]) for each in parameters if "example" in each and each["in"] == "path"}
    place = re.sub(r"{(\w+)}", lambda name: examples[name[1]], path)
    query = urlencode({each["name"]: each["example"] for each in parameters if _is_needed(each, "query")}, safe=":/")
    url = f'"$CATALOG{place}{"?" + query if query else ""}"'
    content = operation.get("requestBody", {}).get("content", {})
    parts = [f"curl{METHODS.get(method, f' -X {method.upper()}')} {url}", *_headers(operation), *_body(method, content)]
    return " \\\n  ".join(parts)


def _is_needed(parameter: Schema, place: str) -> bool:
    return parameter["in"] == place and parameter.get("required", False) and "example" in parameter


def _headers(operation: Schema) -> Iterator[str]:
    for scheme in operation["security"][:1]:
        yield from (f'-H "Authorization: {TOKENS[name]}"' for name in scheme)
    for each in operation.get("parameters", ()):
        name = each["name"]
        if each["in"] == "header" and each.get("required"):
            value = each.get("example", each["schema"].get("const"))
            yield f"-H {shlex.quote(f'{name}: {value}')}"


def _body(method: str, content: Schema) -> Iterator[str]:
    if "multipart/form-data" in content:
        yield "-F file=@model.onnx" if method == "post" else "-T model.onnx"
    elif "application/json" in content:
        yield f"--json {shlex.quote(json.dumps(content['application/json']['example']))}"
    elif content:
        yield from (f"-H 'Content-Type: {next(iter(content))}'", "--data-binary @model.onnx")
