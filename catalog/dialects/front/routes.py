"""The page that a browser gets at `/`: that of `catalog/web`, or a small one if it has not been built."""

from dataclasses import dataclass
from typing import Annotated

from litestar import Controller, MediaType, Response, get
from litestar.di import Provide
from litestar.status_codes import HTTP_304_NOT_MODIFIED

from catalog.dialects.front.built import POLICY, BuiltPage, PageFile
from catalog.dialects.front.small_page import page, policy
from catalog.dialects.http.dialect import Dialect, ErrorResponse, Routes, dependencies
from catalog.dialects.http.docs.parameters import path
from catalog.dialects.http.docs.refusals import refuses
from catalog.dialects.http.requests.client_ip import TrustedProxies
from catalog.dialects.http.requests.headers import is_unchanged
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.http.requests.requests import check_request
from catalog.errors import UNKNOWN_ROUTE, Refused

AssetName = Annotated[str, path("The name of a file of the page.", "index.js")]


@dataclass(frozen=True, kw_only=True)
class FrontServices:
    proxies: TrustedProxies
    built_page: BuiltPage | None


def dialect(services: FrontServices, api: str, error_response: ErrorResponse[bytes]) -> Dialect:
    """`api` is the prefix of the API that the page calls, `error_response` words refusals."""

    def api_prefix(request: AnyRequest) -> str:
        return f"{services.proxies.outer_prefix(request.scope)}{api}"

    routes = Routes(
        "/",
        route_handlers=[Front],
        dependencies=dependencies(services) | {"api_prefix": Provide(api_prefix, sync_to_thread=False)},
        before_request=check_request,
    )
    return Dialect(("/assets",), [routes], error_response)


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
        self, request: AnyRequest, api_prefix: Injected[str], built_page: Injected[BuiltPage | None]
    ) -> Response[bytes]:
        """Show a browser the page.

        Other clients are refused.
        """
        if "text/html" not in request.headers.get("accept", ""):
            raise Refused(UNKNOWN_ROUTE, f"{request.method} /", headers={"Vary": "Accept"})
        if built_page:
            return sent(request, built_page.index, {"Cache-Control": "no-cache", "Vary": "Accept, Accept-Encoding"})
        headers = {"Vary": "Accept", "Content-Security-Policy": policy()}
        return Response(page(api_prefix).encode(), media_type=MediaType.HTML, headers=headers)

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
