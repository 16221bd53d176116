"""Path parameters, and the headers that several routes take."""

from typing import Annotated, Any

from litestar.openapi.spec import Example
from litestar.params import PathParameter

from catalog.dialects.http.docs.parameters import header

ID_EXAMPLE = "65a1b2c3d4e5f60718293a4b"


def _path(description: str, example: str) -> Any:
    return PathParameter(description=description, examples=[Example(value=example)])


ItemKey = Annotated[
    str,
    _path(
        "An id, a name (the caller's own item, else the only readable one), or owner/name. A slash is `%2F`.", "iris"
    ),
]
VersionKey = Annotated[str, _path("The ordinal of a version, else the newest version whose file has that name.", "1")]
FilePath = Annotated[str, _path("A path within the version, such as data/model.onnx.", "model.onnx")]
UploadId = Annotated[str, _path("The id of the upload, from its Location.", "0" * 32)]
UserKey = Annotated[str, _path("The id or the username of a user, percent-encoded.", "ada")]
TrashId = Annotated[str, _path("The id of an entry of the trash.", ID_EXAMPLE)]
TokenId = Annotated[str, _path("The id of a personal access token.", ID_EXAMPLE)]
TenantName = Annotated[str, _path("The name of a tenant.", "acme")]
TermName = Annotated[str, _path("The tag or metadata name, percent-encoded: a slash is `%2F`.", "flowers")]
LinkToken = Annotated[str, _path("The token of the link.", "eyJhbGciOi...")]
DigestKey = Annotated[str, _path("`sha256:` and 64 hexadecimal digits.", f"sha256:{'0' * 64}")]

IF_MATCH = header("If-Match", "Refuse if the resource has changed since this `ETag`.", example='"1"')
IF_NONE_MATCH = header("If-None-Match", "Answer 304 if the resource still has this `ETag`.", example='"1"')
