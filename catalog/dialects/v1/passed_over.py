"""What a POST passes over: fields that our own answers show and no client can set. So an answer can be sent back."""

from collections.abc import Collection
from typing import Any

from catalog.dialects.openapi import answers
from catalog.dialects.openapi.schema import Schema
from catalog.dialects.v1 import version_bodies


def _shown_only(answer: Schema, settable: Collection[str]) -> frozenset[str]:
    return frozenset(answer["properties"] | answers.DATES) - frozenset(settable)


VERSIONS = _shown_only(answers.VERSION_RECORD, version_bodies.DRAFT | version_bodies.STORED_BYTES)


def without(body: Any, shown_only: Collection[str]) -> Any:
    """The object without those fields. Anything else is left to be refused."""
    if not isinstance(body, dict):
        return body
    return {name: value for name, value in body.items() if name not in shown_only}
