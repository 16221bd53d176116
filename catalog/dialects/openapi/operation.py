"""A route as the document tells it: who may ask, with what, and every way in which it answers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from catalog.dialects.openapi.parameters import IN_PATHS
from catalog.dialects.openapi.schema import Schema, ref
from catalog.dialects.v1.errors import NativeError, native
from catalog.errors import (
    ADMINISTRATORS_ONLY,
    AMBIGUOUS,
    AUTHENTICATION,
    BODY_TOO_LARGE,
    CONTENT_CODED,
    DATABASE_AWAY,
    HEAD_TOO_LARGE,
    INTERNAL,
    MALFORMED_BODY,
    NOT_SEARCHED,
    READ_ONLY_TOKEN,
    REQUEST,
    TOO_SLOW,
    UNKNOWN_ROUTE,
    UPLOAD_CUT_OFF,
    Fault,
)

JSON = "application/json"
ANY_FILE = "*/*"

SAFE = {"get", "head", "options"}
BODILESS = {"head"}

OF_ANY_BODY = (MALFORMED_BODY, UPLOAD_CUT_OFF, BODY_TOO_LARGE, TOO_SLOW, CONTENT_CODED)

REQUEST_ID = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}


class Who(Enum):
    """Whom a route answers. The value is the sentence for people."""

    ANYBODY = "Anybody."
    RENEWER = "Whoever has a session's token, even one that has expired."
    USER = "Anybody signed in, as far as he may."
    ADMINISTRATOR = "Administrators of the tenant."
    OPERATOR = "Whoever has API_TOKEN."
    WATCHER = "The operator (API_TOKEN). With METRICS_ACCESS=loopback also the server's own machine."

    @property
    def security(self) -> list[dict[str, list[str]]]:
        match self:
            case Who.ANYBODY:
                return []
            case Who.RENEWER:
                return [{"jwt": []}, {"bearer": []}]
            case Who.OPERATOR | Who.WATCHER:
                return [{"operator": []}]
        return [{"jwt": []}, {"bearer": []}]

    def faults(self, method: str) -> tuple[Fault, ...]:
        """How whoever is somebody else is refused."""
        if self is Who.ANYBODY:
            return ()
        if self in {Who.OPERATOR, Who.WATCHER, Who.RENEWER}:
            return (AUTHENTICATION,)
        reads_only = () if method in SAFE else (READ_ONLY_TOKEN,)
        return (AUTHENTICATION, *reads_only, *([ADMINISTRATORS_ONLY] if self is Who.ADMINISTRATOR else []))


@dataclass(frozen=True, kw_only=True)
class Operation:
    method: str
    path: str  # with {names}, and with the prefix of the API
    name: str
    group: str
    summary: str
    answers: Mapping[int, Schema]  # what is not a refusal
    who: Who = Who.USER
    details: str = ""
    parameters: Sequence[Schema] = ()
    body: Schema | None = None
    faults: Sequence[Fault] = field(default=())
    is_filtered: bool = False  # whether it takes `metadata.<name>` besides

    @property
    def query_names(self) -> frozenset[str]:
        """The parameters that it takes in its query string. Others are refused, where there are any."""
        return frozenset(each["name"] for each in self.parameters if each["in"] == "query")

    def told(self) -> Schema:
        """The Operation Object."""
        body = {"requestBody": self.body} if self.body else {}
        parameters = [IN_PATHS[name] for name in re.findall(r"{(\w+)}", self.path)] + list(self.parameters)
        return {
            "operationId": self.name,
            "tags": [self.group],
            "summary": self.summary,
            "description": " ".join(filter(None, [self.details, f"For: {self.who.value}"])),
            **({"parameters": parameters} if parameters else {}),
            **body,
            "responses": self._responses(),
            "security": self.who.security,
        }

    def refusals(self) -> list["Refusals"]:
        """All, by their status."""
        by_status: dict[int, set[NativeError]] = {}
        for fault in self._faults():
            error = native(fault, self.method.upper())
            by_status.setdefault(error.status, set()).add(error)
        bodiless = self.method in BODILESS
        return [Refusals(status, frozenset(errors), bodiless) for status, errors in by_status.items()]

    def _faults(self) -> tuple[Fault, ...]:
        of_paths = (UNKNOWN_ROUTE, REQUEST) if "{" in self.path else ()
        of_items = (AMBIGUOUS,) if "{key}" in self.path else ()
        of_parameters = (HEAD_TOO_LARGE,) if self.parameters else ()
        of_queries = (NOT_SEARCHED if self.method in SAFE else REQUEST,) if self.query_names else ()
        of_bodies = OF_ANY_BODY if self.body else ()
        asked = (*of_paths, *of_items, *of_parameters, *of_queries, *of_bodies)
        common = (*self.who.faults(self.method), *asked, DATABASE_AWAY, INTERNAL)
        return (*self.faults, *common)

    def _responses(self) -> Schema:
        refusals = {each.status: {"$ref": f"#/components/responses/{each.name}"} for each in self.refusals()}
        return {str(status): answer for status, answer in sorted({**refusals, **self.answers}.items())}


class Refusals(NamedTuple):
    """Those of one status that a route may answer with. To HEAD a refusal has no body."""

    status: int
    errors: frozenset[NativeError]
    bodiless: bool

    @property
    def name(self) -> str:
        """How the document calls them."""
        return "_".join(map(str, ["head" if self.bodiless else "refused", self.status, *self._values()]))

    def told(self) -> Schema:
        """The Response Object."""
        each = sorted(self.errors, key=lambda error: (error.value, error.name))
        meaning = "; ".join(f"{error.message} ({error.value})" for error in each)
        if self.bodiless:
            return bare(meaning)
        return answered(meaning, {**ref("Refusal"), "properties": {"value": {"enum": self._values()}}})

    def _values(self) -> list[int]:
        return sorted({error.value for error in self.errors})


def answered(meaning: str, schema: Schema, headers: Mapping[str, Schema] | None = None) -> Schema:
    """A JSON answer."""
    return {"description": meaning, "headers": {**REQUEST_ID, **(headers or {})}, "content": {JSON: {"schema": schema}}}


def bare(meaning: str, headers: Mapping[str, Schema] | None = None) -> Schema:
    """An answer whose headers say it all."""
    return {"description": meaning, "headers": {**REQUEST_ID, **(headers or {})}}


def handed_out(meaning: str, headers: Mapping[str, Schema], mimetype: str = ANY_FILE) -> Schema:
    """An answer that is a file."""
    return {"description": meaning, "headers": {**REQUEST_ID, **headers}, "content": {mimetype: {}}}


def header(meaning: str, schema: Schema | None = None, **more: Any) -> Schema:
    """A header of an answer."""
    return {"description": meaning, "schema": schema or {"type": "string"}, **more}
