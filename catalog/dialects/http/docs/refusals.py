"""The refusals of a route: `responses=refuses(NOT_FOUND, CANNOT_READ)` declares its own, the rest is derived."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from litestar.openapi.datastructures import ResponseSpec
from msgspec import UNSET, Struct, UnsetType

from catalog.errors import Fault

JSON = "application/json"
REQUEST_ID = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}


class Refusal(Struct):
    """Why the server refuses a request."""

    status: int
    value: int
    message: str
    details: str | UnsetType = UNSET


@dataclass
class Refuses(ResponseSpec):
    """The refusals of one status that a route declares."""

    faults: frozenset[Fault] = frozenset()


@dataclass
class Partial(ResponseSpec):
    """An answer with a part of the usual content, such as a range of a file."""


def refuses(*faults: Fault) -> dict[int, ResponseSpec]:
    """The `responses` of a route that refuses with these faults, beside those that every such route has."""
    return {
        fault.status: Refuses(
            Refusal,
            generate_examples=False,
            description=fault.message,
            faults=frozenset(each for each in faults if each.status == fault.status),
        )
        for fault in faults
    }


def answers(status: int, content: Any, description: str) -> dict[int, ResponseSpec]:
    """The `responses` of a route that has another answer than its usual one; `content` is its type, or None."""
    return {status: ResponseSpec(content, generate_examples=False, description=description)}


def answers_part(status: int, description: str) -> dict[int, ResponseSpec]:
    """The `responses` of a route that answers a part of its usual content with this status."""
    return {status: Partial(None, generate_examples=False, description=description)}


def declared(responses: Mapping[int, ResponseSpec] | None) -> frozenset[Fault]:
    """The faults among the declared responses of a route."""
    return frozenset(fault for spec in (responses or {}).values() if isinstance(spec, Refuses) for fault in spec.faults)


class WordedFault(Protocol):
    """A fault in the words of a dialect. `value` is what clients program against."""

    @property
    def name(self) -> str: ...

    @property
    def status(self) -> int: ...

    @property
    def value(self) -> int: ...

    @property
    def message(self) -> str: ...


Wording = Callable[[Fault, str], WordedFault]
"""How a dialect words a fault in its answer to a request of a method."""


def worded(faults: Iterable[Fault], wording: Wording, method: str) -> list["RefusalResponse"]:
    """The refusals of a route, one for each status."""
    statuses: dict[int, set[WordedFault]] = {}
    for fault in faults:
        error = wording(fault, method)
        statuses.setdefault(error.status, set()).add(error)
    is_bodiless = method == "HEAD"
    return [RefusalResponse(status, frozenset(errors), is_bodiless) for status, errors in sorted(statuses.items())]


class RefusalResponse(NamedTuple):
    """The refusals of one status as a Response Object. A refusal of HEAD has no body."""

    status: int
    errors: frozenset[WordedFault]
    is_bodiless: bool

    @property
    def name(self) -> str:
        """Its key among the components of the document."""
        return "_".join(map(str, ["head" if self.is_bodiless else "refused", self.status, *self._values()]))

    @property
    def reference(self) -> dict[str, object]:
        return {"$ref": f"#/components/responses/{self.name}"}

    @property
    def response(self) -> dict[str, Any]:
        bare = {"description": self._sentence(), "headers": REQUEST_ID}
        if self.is_bodiless:
            return bare
        schema = {"$ref": "#/components/schemas/Refusal", "properties": {"value": {"enum": self._values()}}}
        return bare | {"content": {JSON: {"schema": schema}}}

    def _values(self) -> list[int]:
        return sorted({error.value for error in self.errors})

    def _sentence(self) -> str:
        ordered = sorted(self.errors, key=lambda error: (error.value, error.name))
        return "; ".join(f"{error.message} ({error.value})" for error in ordered)
