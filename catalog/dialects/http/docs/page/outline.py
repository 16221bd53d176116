"""A schema as HTML: its type in one line, the fields of an object as a list."""

import json
from collections.abc import Iterator

from catalog.dialects.http.docs.page.html import Html, element, joined, prose
from catalog.dialects.http.docs.schemas import Schema

SCHEMAS = "#/components/schemas/"


def anchor(name: str) -> str:
    return f"schema-{name}"


def kind(schema: Schema) -> Html:
    """The type, in one line."""
    if name := schema.get("$ref", "").removeprefix(SCHEMAS):
        return element("a", name, href=f"#{anchor(name)}")
    if either := schema.get("anyOf"):
        return joined(*(kind(each) for each in either), between=" or ")
    if "const" in schema:
        return element("code", json.dumps(schema["const"]))
    if "enum" in schema:
        return joined(*(element("code", json.dumps(word)) for word in schema["enum"]), between=" ")
    types = schema.get("type", "anything")
    named = joined(*(_named(each, schema) for each in (types if isinstance(types, list) else [types])), between=" or ")
    return joined(named, *(f", {limit}" for limit in _limits(schema)))


def inside(schema: Schema) -> Html:
    """The fields of an object or of the elements of a list; empty for other types."""
    properties = schema.get("properties") or (schema.get("items") or {}).get("properties")
    if not properties:
        return joined(*(inside(each) for each in schema.get("anyOf", ()) if "$ref" not in each))
    required = set(schema.get("required", ()))
    rows = [joined(_term(name, name in required), _meaning(each)) for name, each in properties.items()]
    return element("dl", *rows)


def _term(name: str, is_required: bool) -> Html:
    return element("dt", element("code", name), *([element("b", " *", title="always there")] if is_required else []))


def _meaning(schema: Schema) -> Html:
    description = joined(": ", prose(schema["description"])) if "description" in schema else ""
    return element("dd", kind(schema), description, inside(schema))


def _named(name: str, schema: Schema) -> Html:
    if name == "array" and "prefixItems" in schema:
        return joined("pair of ", joined(*(kind(each) for each in schema["prefixItems"]), between=" and "))
    if name == "array" and "items" in schema:
        return joined("list of ", kind(schema["items"]))
    if name == "null":
        return element("code", "null")
    return joined({"object": "object", "integer": "whole number", "string": "text"}.get(name, name))


def _limits(schema: Schema) -> Iterator[str]:
    if schema.get("format") == "date-time":
        yield "a date and time"
    if longest := schema.get("maxLength"):
        yield f"at most {longest} characters"
    if most := schema.get("maxItems"):
        yield f"at most {most} of them"
    if "default" in schema:
        yield f"default {schema['default']}"
