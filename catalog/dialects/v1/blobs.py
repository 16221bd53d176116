"""Blobs: whether the catalog stores bytes that the caller may read, so that they need not be uploaded."""

from litestar import Controller, Response, head
from litestar.params import FromPath

from catalog.dialects.http import guards
from catalog.dialects.v1.http import Given
from catalog.domain.access import Caller
from catalog.domain.versions import reuse


class StoredBlobs(Controller):
    path = "/blobs"
    guards = (guards.signed_in,)

    @head("/{digest:str}")
    async def show(self, digest: FromPath[str], caller: Given[Caller]) -> Response[None]:
        size = await reuse.readable_size(caller, digest.removeprefix("sha256:"))
        return Response(None, headers={"Content-Length": str(size)})
