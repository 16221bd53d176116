"""One request of this dialect: its caller, its parameters and body, and its answer."""

import re
from collections.abc import Awaitable, Callable, Mapping
from types import UnionType
from typing import TypeVar

import msgspec
from litestar import Response
from litestar.exceptions import InternalServerException

from catalog.dialects.http.encoded import EncodedResponse
from catalog.dialects.http.requests.injection import AnyRequest
from catalog.dialects.http.requests.json_bodies import decoded
from catalog.dialects.kubeflow.api import Api
from catalog.dialects.kubeflow.errors import JSON
from catalog.dialects.kubeflow.models.common import serial_of
from catalog.dialects.kubeflow.services import KubeflowServices
from catalog.domain.access import Caller
from catalog.domain.limits import LONGEST_INTEGER, Limits
from catalog.errors import BUSY, INVALID_FIELD, INVALID_QUERY, REQUIRED_FIELD, STALE, UPLOAD_CUT_OFF, Refused
from catalog.store.query.declarations import shown

T = TypeVar("T")

ARTIFACT_TYPES = "model-artifact, doc-artifact, dataset-artifact, metric or parameter"

ATTEMPTS = 50
"""How often a change is tried that others keep overtaking."""

NO_KEYS = "invalid parameters call, supply either name (and parentResourceId) or externalId"

_encoder = msgspec.json.Encoder()

_MISSING = re.compile(r"Object missing required field `(\w+)`(?: - at `\$(.*)`)?")
_EMPTY = re.compile(r"Expected `str`(?: of length >= 1|, got `null`) - at `\$\.(\w+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`.*", re.DOTALL)


class KubeflowCall:
    """A request, while it is answered."""

    __slots__ = ("api", "caller", "request", "services")

    def __init__(self, request: AnyRequest, api: Api, services: KubeflowServices) -> None:
        self.request = request
        self.api = api
        self.services = services
        self.caller: Caller = request.scope["user"]

    @property
    def limits(self) -> Limits:
        return self.services.limits

    @property
    def serial(self) -> int:
        """The id in the path. Raises Refused: INVALID_FIELD."""
        return serial_of(self.request.path_params["id"])

    def query(self, name: str) -> str:
        """A parameter of the query string; empty if there is none. Raises Refused: INVALID_QUERY."""
        value = str(self.request.query_params.get(name) or "")
        if "\0" in value:
            raise Refused(INVALID_QUERY, f"{name}: the character NUL is not allowed")
        return value

    def parent(self) -> int:
        """`parentResourceId`; 0 if there is none. Raises Refused: INVALID_FIELD."""
        value = self.query("parentResourceId")
        return serial_of(value, "parentResourceId") if value else 0

    def keys(self) -> tuple[str, str]:
        """`name` and `externalId` of a search. Raises Refused: INVALID_QUERY when both are missing."""
        name, external_id = self.query("name"), self.query("externalId")
        if not name and not external_id:
            raise Refused(INVALID_QUERY, NO_KEYS)
        return name, external_id

    def keys_in_parent(self) -> tuple[str, int, str]:
        """`name`, `parentResourceId` and `externalId` of a search; no name without a parent, which is 0 then.

        Raises Refused: INVALID_FIELD, INVALID_QUERY when name or parent is missing, and `externalId`, too.
        """
        name, parent, external_id = self.query("name"), self.parent(), self.query("externalId")
        if not (name and parent) and not external_id:
            raise Refused(INVALID_QUERY, NO_KEYS)
        return name if parent else "", parent, external_id

    async def body(self, type_: type[T] | UnionType) -> T:
        """The JSON object of the request, as a struct. Raises Refused: INVALID_FIELD, REQUIRED_FIELD, MALFORMED_BODY,
        BODY_TOO_LARGE.
        """
        try:
            raw = await self.request.body()
        except InternalServerException:  # how the framework reports a client that has gone
            raise Refused(UPLOAD_CUT_OFF) from None
        if b"\x00" in raw or b"\\u0000" in raw:
            raise Refused(INVALID_FIELD, "the character NUL is not allowed")
        content = await decoded(raw)
        try:
            body: T = msgspec.convert(_with_whole_numbers(content), type_)
        except msgspec.ValidationError as error:
            raise _refusal(str(error)) from None
        except RecursionError:
            raise Refused(INVALID_FIELD, "the body is nested too deeply") from None
        return body


def _with_whole_numbers(content: object) -> object:
    """JSON has one type of numbers: a `step` of 1.0 is the whole number 1. In other fields 1 is read as 1.0."""
    if not isinstance(content, dict):
        return content
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() and abs(value) < LONGEST_INTEGER else value
        for name, value in content.items()
    }


def answer(
    call: KubeflowCall, content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    return EncodedResponse(
        _encoder.encode(content), status_code=status, media_type=JSON, headers={**call.api.headers, **(headers or {})}
    )


async def repeated_while_stale(change: Callable[[], Awaitable[T]]) -> T:
    """Read and change again while others change the same between the two.

    Raises Refused: BUSY after ATTEMPTS, and what `change` raises.
    """
    for _ in range(ATTEMPTS):
        try:
            return await change()
        except Refused as refused:
            if refused.fault is not STALE:
                raise
    raise Refused(BUSY, "others change it again and again")


def _refusal(problem: str) -> Refused:
    if missing := _MISSING.fullmatch(problem):
        if missing[1] == "artifactType":
            return Refused(INVALID_FIELD, f"invalid artifact type, must be either {ARTIFACT_TYPES}")
        if not missing[2]:
            return Refused(REQUIRED_FIELD, f"required field '{missing[1]}' is zero value.")
    if problem.endswith("at `$.artifactType`"):
        return Refused(INVALID_FIELD, f"invalid artifact type, must be either {ARTIFACT_TYPES}")
    if empty := _EMPTY.fullmatch(problem):
        return Refused(REQUIRED_FIELD, f"required field '{empty[1]}' is zero value.")
    if unknown := _UNKNOWN.fullmatch(problem):
        return Refused(INVALID_FIELD, f'json: unknown field "{shown(unknown[1])}"')
    return Refused(INVALID_FIELD, shown(problem) if len(problem) > 200 else problem)  # noqa: PLR2004
