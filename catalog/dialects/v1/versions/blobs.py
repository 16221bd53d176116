"""Blobs: whether the catalog stores bytes that the caller may read, so that they need not be uploaded."""

from litestar import Controller, Response, head

from catalog.dialects.http import guards
from catalog.dialects.http.docs.parameters import response_header
from catalog.dialects.http.docs.refusals import refuses
from catalog.dialects.http.requests.injection import Injected
from catalog.dialects.v1.requests.parameters import DigestKey
from catalog.domain.access import Caller
from catalog.domain.versions import reuse
from catalog.errors import NOT_FOUND

SIZE = response_header("Content-Length", "The size in bytes.")


class StoredBlobs(Controller):
    path = "/blobs"
    tags = ("Links and bytes",)
    guards = (guards.signed_in,)

    @head(
        "/{digest:str}",
        operation_id="sizeOfBytes",
        response_description="The caller may read the bytes.",
        response_headers=[SIZE],
        responses=refuses(NOT_FOUND),
    )
    async def show(self, digest: DigestKey, caller: Injected[Caller]) -> Response[None]:
        """Check whether the server has certain bytes.

        Bytes that the caller may not read are answered like bytes that the server does not have.
        """
        size = await reuse.readable_size(caller, digest.removeprefix("sha256:"))
        return Response(None, headers={"Content-Length": str(size)})
