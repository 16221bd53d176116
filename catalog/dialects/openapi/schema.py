"""JSON Schema (2020-12) in the words that the tables of routes are written in."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def text(meaning: str = "", longest: int | None = None, **more: Any) -> Schema:
    return _told({"type": "string", **({"maxLength": longest} if longest else {}), **more}, meaning)


def number(meaning: str = "", least: int | None = 0, **more: Any) -> Schema:
    """A whole number."""
    return _told({"type": "integer", **({} if least is None else {"minimum": least}), **more}, meaning)


def measured(meaning: str = "") -> Schema:
    return _told({"type": "number"}, meaning)


def one_of(words: Iterable[str], meaning: str = "", **more: Any) -> Schema:
    return _told({"type": "string", "enum": [str(word) for word in words], **more}, meaning)


def many(each: Schema, meaning: str = "", most: int | None = None) -> Schema:
    return _told({"type": "array", "items": each, **({"maxItems": most} if most else {})}, meaning)


def made_of(properties: Mapping[str, Schema], meaning: str = "", *, optional: Sequence[str] = ()) -> Schema:
    """An answer's object: what is not optional is always there."""
    required = [name for name in properties if name not in optional]
    return _told({"type": "object", "properties": dict(properties), "required": required}, meaning)


def form(properties: Mapping[str, Schema], meaning: str = "", *, required: Sequence[str] = (), **more: Any) -> Schema:
    """A request's object: nothing else is taken, and `null` is as good as leaving out what is not required."""
    taken = {name: each if name in required else or_null(each) for name, each in properties.items()}
    body = {"type": "object", "properties": taken, "additionalProperties": False, **more}
    return _told(body | ({"required": list(required)} if required else {}), meaning)


def any_of(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def or_null(schema: Schema) -> Schema:
    if "$ref" in schema or "anyOf" in schema:
        return any_of(schema, {"type": "null"})
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    enum = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return schema | {"type": [*types, "null"]} | enum


def _told(schema: Schema, meaning: str) -> Schema:
    return schema | {"description": meaning} if meaning else schema
