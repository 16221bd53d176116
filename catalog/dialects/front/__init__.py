"""What a browser is shown at `/`: the page of `catalog/web`.

Where it is not built, a small page takes its place, on which the link of a reset mail leads to a new password.
"""

import hashlib
from base64 import b64encode
from functools import cache
from html import escape
from pathlib import Path

from litestar import Controller, MediaType, Response, get
from litestar.status_codes import HTTP_304_NOT_MODIFIED

from catalog.dialects.front.built import POLICY, BuiltPage, PageFile
from catalog.dialects.http.docs.refusals import refuses
from catalog.dialects.http.requests.headers import is_unchanged
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.v1.requests.parameters import AssetName
from catalog.errors import UNKNOWN_ROUTE, Refused


@cache
def asset(name: str) -> str:
    """A file beside this one."""
    return Path(__file__).with_name(name).read_text()


@cache
def page(prefix: str) -> str:
    """The page, which calls the API below `prefix` by a relative address: a proxy may serve all of it below a path."""
    parts = {"{style}": asset("page.css"), "{script}": asset("page.js"), "{api}": escape(prefix.lstrip("/"))}
    whole = asset("page.html")
    for place, content in parts.items():
        whole = whole.replace(place, content)
    return whole


@cache
def policy() -> str:
    """The Content-Security-Policy: the page's own style and script, by their digests, and calls to its own server."""
    style, script = (_digest(asset(name)) for name in ("page.css", "page.js"))
    return (
        f"default-src 'none'; style-src '{style}'; script-src '{script}'; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )


def _digest(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


class Front(Controller):
    tags = ("Documentation",)
    opt = {"public": True}  # noqa: RUF012  Litestar's way

    @get(
        "/",
        operation_id="front",
        response_description="The page.",
        responses=refuses(UNKNOWN_ROUTE),
        media_types=["text/html"],
    )
    async def show(
        self, request: AnyRequest, native_prefix: Injected[str], built_page: Injected[BuiltPage | None]
    ) -> Response[bytes]:
        """Show a browser the page.

        Other clients are refused.
        """
        if "text/html" not in request.headers.get("accept", ""):
            raise Refused(UNKNOWN_ROUTE, f"{request.method} /", headers={"Vary": "Accept"})
        if built_page:
            return sent(request, built_page.index, {"Cache-Control": "no-cache", "Vary": "Accept, Accept-Encoding"})
        headers = {"Vary": "Accept", "Content-Security-Policy": policy()}
        return Response(page(native_prefix).encode(), media_type=MediaType.HTML, headers=headers)

    @get(
        "/assets/{asset:str}",
        operation_id="pageAsset",
        response_description="The file.",
        responses=refuses(UNKNOWN_ROUTE),
        media_types=["text/javascript", "text/css"],
    )
    async def show_asset(
        self, request: AnyRequest, asset: AssetName, built_page: Injected[BuiltPage | None]
    ) -> Response[bytes]:
        """Fetch a file of the page."""
        file = built_page and built_page.file(f"assets/{asset}")
        if not file:
            raise Refused(UNKNOWN_ROUTE, f"{request.method} /assets/{asset}")
        # Its name changes with its content.
        return sent(request, file, {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"})


def sent(request: AnyRequest, file: PageFile, headers: dict[str, str]) -> Response[bytes]:
    """A file of the page: compressed for a client that accepts gzip, 304 for one that has it."""
    headers |= {"ETag": file.etag, "Content-Security-Policy": POLICY}
    if is_unchanged(request, file.etag):
        return Response(b"", status_code=HTTP_304_NOT_MODIFIED, media_type=file.media_type, headers=headers)
    if file.compressed and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.compressed, media_type=file.media_type, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)
