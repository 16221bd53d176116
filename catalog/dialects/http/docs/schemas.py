"""JSON Schemas (2020-12) of the types that handlers declare.

msgspec derives them, so a schema and the decoder cannot disagree. Litestar's own schemas write every union as `oneOf`,
and a whole number matches both the integer and the number.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Meta

Schema = dict[str, Any]

TEMPLATE = "#/components/schemas/{name}"
REFERENCE = TEMPLATE.format(name="")
GENERIC = re.compile("([A-Za-z]+)_([A-Za-z]+)_")
"""The name that msgspec gives to a generic struct, such as `Page_Model_`."""

LIMIT = "x-limit:"


def at_most(limit: str, **more: Any) -> Meta:
    """For text or a list: the longest that the operator's setting `limit` allows. The domain checks it."""
    return Meta(extra_json_schema={"maxLength": f"{LIMIT}{limit}"}, **more)


def at_most_elements(limit: str, **more: Any) -> Meta:
    """The same for a list."""
    return Meta(extra_json_schema={"maxItems": f"{LIMIT}{limit}"}, **more)


class Schemas:
    """The schemas of a document. `limits` are what the operator's settings allow, by name.

    A `suffix` of the names of structs is left out of the names of their schemas.
    """

    def __init__(self, limits: Mapping[str, int], suffix: str = "") -> None:
        self.components: dict[str, Schema] = {}
        self._limits = limits
        self._suffix = suffix

    def of(self, annotation: object) -> Schema:
        """The schema of a type; what it refers to becomes a component."""
        [schema], components = msgspec.json.schema_components([annotation], ref_template=TEMPLATE)
        for name, component in components.items():
            self.components[self._name(name)] = self._patched(component) | {"title": self._name(name)}
        patched: Schema = self._patched(schema)
        return patched

    def selected(self, reference: Schema, always: Collection[str]) -> Schema:
        """The schema of an object from which `select` leaves out fields; those of `always` stay."""
        name = name_of(reference)
        whole = self.components[name]
        required = [field for field in whole["required"] if field in always]
        part = whole | {"required": required, "title": f"{name}InList", "description": "`select` may leave fields out."}
        self.components[f"{name}InList"] = part
        return {"$ref": f"{REFERENCE}{name}InList"}

    def example(self, schema: Schema) -> object:
        """A value made of the examples of the fields; None without any."""
        if "examples" in schema:
            return schema["examples"][0]
        if "$ref" in schema:
            return self.example(self.components[name_of(schema)])
        for either in schema.get("anyOf", ()):
            if (example := self.example(either)) is not None:
                return example
        if schema.get("type") == "array":
            element = self.example(schema.get("items", {}))
            return None if element is None else [element]
        return dict(self._examples(schema.get("properties", {}))) or None

    def _examples(self, properties: Mapping[str, Schema]) -> Iterator[tuple[str, object]]:
        for name, schema in properties.items():
            if (example := self.example(schema)) is not None:
                yield name, example

    def _patched(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._patched(each) for each in value]
        if isinstance(value, str):
            return self._text(value)
        if not isinstance(value, dict):
            return value
        patched = {name: self._patched(each) for name, each in value.items() if (name, each) != ("default", None)}
        return patched | {"type": "string"} if _is_enumeration(patched) else patched

    def _text(self, value: str) -> object:
        if value.startswith(LIMIT):
            return self._limits[value.removeprefix(LIMIT)]
        return REFERENCE + self._name(value.removeprefix(REFERENCE)) if value.startswith(REFERENCE) else value

    def _name(self, name: str) -> str:
        """`Page_Model_` is called `ModelPage`."""
        generic = GENERIC.fullmatch(name)
        parts = (generic[2], generic[1]) if generic else (name,)
        return "".join(part.removesuffix(self._suffix) for part in parts)


def name_of(reference: Schema) -> str:
    return str(reference["$ref"]).removeprefix(REFERENCE)


def resolved(annotation: Any, types: Mapping[Any, Any]) -> Any:
    """A type with the type variables of a generic controller replaced."""
    if isinstance(annotation, TypeVar):
        return types[annotation]
    variables = getattr(annotation, "__parameters__", ())
    return annotation[tuple(types[each] for each in variables)] if variables else annotation


def _is_enumeration(schema: Schema) -> bool:
    return "type" not in schema and all(isinstance(each, str) for each in schema.get("enum", [0]))
