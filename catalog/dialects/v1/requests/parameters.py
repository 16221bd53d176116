"""Path parameters, and the headers that several routes take."""

from typing import Annotated

from catalog.dialects.http.docs.parameters import header, path, query
from catalog.dialects.http.docs.schemas import Schema
from catalog.dialects.http.requests.injection import AnyRequest
from catalog.errors import INVALID_QUERY, Refused

ID_EXAMPLE = "65a1b2c3d4e5f60718293a4b"

ItemKey = Annotated[
    str,
    path("An id, a name (the caller's own item, else the only readable one), or owner/name. A slash is `%2F`.", "iris"),
]
VersionKey = Annotated[
    str, path("The ordinal of a version, an alias, `latest`, or the name of a file: its newest version.", "1")
]
AliasName = Annotated[str, path("An alias.", "champion")]
FilePath = Annotated[str, path("A path within the version, such as data/model.onnx.", "model.onnx")]
UploadId = Annotated[str, path("The id of the upload, from its Location.", "0" * 32)]
UserKey = Annotated[str, path("The id or the username of a user, percent-encoded.", "ada")]
GroupKey = Annotated[str, path("The id or the name of a group, percent-encoded.", "vision")]
RobotKey = Annotated[str, path("The id or the name of a robot, percent-encoded.", "nightly")]
TrashId = Annotated[str, path("The id of an entry of the trash.", ID_EXAMPLE)]
TokenId = Annotated[str, path("The id of a personal access token.", ID_EXAMPLE)]
TenantName = Annotated[str, path("The name of a tenant.", "acme")]
TermName = Annotated[str, path("The tag or metadata name, percent-encoded: a slash is `%2F`.", "flowers")]
LinkToken = Annotated[str, path("The token of the link.", "eyJhbGciOi...")]
LinkName = Annotated[str, path("A name of your choice; of a folder one with `.zip` or `.tar`.", "iris.zip")]
DigestKey = Annotated[str, path("`sha256:` and 64 hexadecimal digits.", f"sha256:{'0' * 64}")]

IF_MATCH = header("If-Match", "Refuse if the resource has changed since this `ETag`.", example='"1"')
IF_NONE_MATCH = header("If-None-Match", "Answer 304 if the resource still has this `ETag`.", example='"1"')


def flag_query(name: str, description: str, *, default: bool = False) -> Schema:
    """A parameter of the query string that is true or false. `flag` reads it."""
    return query(name, description, {"type": "string", "enum": ["true", "false"], "default": _word(default)})


def flag(request: AnyRequest, name: str, *, default: bool = False) -> bool:
    """Raises Refused: INVALID_QUERY."""
    text = request.query_params.get(name, _word(default))
    if text not in {"true", "false"}:
        raise Refused(INVALID_QUERY, f"{name}: true or false is needed")
    return text == "true"


def _word(truth: object) -> str:
    return "true" if truth else "false"
