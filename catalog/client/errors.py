"""The exceptions of the client, each with advice on what to do next.

`value` is the server's stable number for the error. The client raises no exception of the HTTP library.
"""
# ruff: noqa: N818  public names, which programs catch

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog.client.transport.effects import Response


class CatalogError(Exception):
    """A request or a local step failed. The text says why, and what to do next.

    `status` and `value` come from the server (None if the failure is local), `details` names what was refused,
    `request_id` identifies the request in the server's log, `advice` says what to do next.
    """

    advice = ""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        value: int | None = None,
        details: str = "",
        request_id: str = "",
        advice: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.value = value
        self.details = details
        self.request_id = request_id
        self.advice = advice or type(self).advice

    def __str__(self) -> str:
        text = f"{self.message} ({self.details})" if self.details else self.message
        return f"{text}. {self.advice}" if self.advice else text


class NotSignedIn(CatalogError):
    advice = "Sign in (`catalog login`), or set a token (CATALOG_TOKEN)."


class Forbidden(CatalogError):
    advice = "Ask its owner or an administrator for access."


class NotFound(CatalogError):
    advice = "Check the name and your access: an item that you may not read can look as if it did not exist."


class Expired(NotFound):
    advice = "It has expired: start again."


class Conflict(CatalogError):
    """The resource changed, or is in use, at the same time."""

    advice = "Read it again, then repeat your change."


class Ambiguous(Conflict):
    """Several readable items have this name. `details` lists the owner/name and the id of each."""

    advice = ""  # the details say it


class Invalid(CatalogError):
    """An argument or the request is invalid."""


class Unsafe(Invalid):
    advice = "The inspection found a threat in the file; use a format such as safetensors or ONNX."


class TooLarge(CatalogError):
    advice = "The file is larger than the server accepts (its setting MAX_UPLOAD_SIZE)."


class ProxyTooLarge(TooLarge):
    """A proxy in front of the catalog refuses the size of a request. Smaller parts were tried."""

    advice = "Have its operator raise the limit (nginx: client_max_body_size)."


class OutOfSpace(CatalogError):
    advice = "Remove versions that are no longer needed, or ask the operator for a larger quota."


class Elsewhere(CatalogError):
    """The bytes of a version are not stored in the catalog. `uri` says where they are, if that is known."""

    uri = ""


class Damaged(CatalogError):
    """The bytes do not match their digest."""

    advice = "Try again. If it fails again, the file changed during the transfer, or a disk or the network is faulty."


class Unavailable(CatalogError):
    """There is no response, or one that asks to try again later.

    `sent` says whether the request may have reached the server and taken effect.
    """

    advice = "Try again in a moment."

    sent = True
    retry_after: float | None = None  # seconds, from the server


class Untrusted(CatalogError):
    advice = "If you trust the server, name its certificate: ca=, or CATALOG_CA."


class TooManyAttempts(Unavailable):
    advice = "Wait as long as the server says, then try again."


class Offline(CatalogError):
    advice = "Download it once while connected; then it is in the cache."


class ServerError(CatalogError):
    advice = "The server failed: give its operator the request id."


class NotACatalog(CatalogError):
    advice = "Check the address of the catalog. Example: http://127.0.0.1:8080."


class CatalogWarning(UserWarning):
    """Something to know about a result."""


class UnsafeFileWarning(CatalogWarning):
    """The inspection found a threat in a file that was pushed or pulled."""


_BY_VALUE: dict[int, type[CatalogError]] = {
    3: NotSignedIn,
    2: Damaged,
    106: Damaged,
    122: Damaged,
    14: Invalid,
    16: Invalid,
    27: Invalid,
    148: Ambiguous,
}
"""Exceptions by error value, where the status alone would be misleading."""

_BY_STATUS: dict[int, type[CatalogError]] = {
    401: NotSignedIn,
    403: Forbidden,
    404: NotFound,
    408: Unavailable,
    409: Conflict,
    410: Expired,
    412: Conflict,
    413: TooLarge,
    422: Unsafe,
    423: Conflict,
    429: TooManyAttempts,
    503: Unavailable,
    507: OutOfSpace,
}

_ADVICE = {
    2: "The server's copy is missing or damaged: push the file again, and tell the operator.",
    100: "Check the path in the address of the catalog, if it has one (CATALOG_URL); or the server is older than this.",
    113: "Only an administrator can inspect it and set its state to LIVE.",
    114: "Create a new version: the files of a closed version never change.",
    115: "Close it first.",
    170: "List the aliases: catalog alias ls.",
    171: "Read it again, then decide whether to move it.",
    196: "Undeploy it first, or remove it nevertheless (--force, force=True).",
    172: "Point them to another version, or remove them with it (--force, force=True).",
    120: "Another process is sending this upload: wait for it, or stop it.",
    125: "Use a token with the scope write: tokens.create(..., scope='write').",
}
"""Advice by error value, where that of the exception would be misleading."""

SERVER_ERROR = 500
TOO_LARGE = 413


@contextmanager
def refuse_unencodable() -> Iterator[None]:
    """Turn a text that cannot be sent, as it is not UTF-8, into Invalid."""
    try:
        yield
    except UnicodeEncodeError as error:
        sign = ascii(error.object[error.start])  # not the rest: it may be a secret
        raise Invalid(f"A name or a value is not UTF-8: it has the sign {sign}") from None


def error_from(response: "Response") -> CatalogError:
    """The exception for an error response."""
    body = _body(response)
    if body is None and response.status == TOO_LARGE:
        return ProxyTooLarge("The proxy in front of the catalog takes smaller bodies only", status=response.status)
    if body is None and response.status < SERVER_ERROR:
        return NotACatalog(f"The server answered {response.status}, not as a catalog does", status=response.status)
    document = body or {"message": f"The server answered {response.status}"}
    number = document.get("value")
    value = number if isinstance(number, int) else None
    default = Invalid if response.status < SERVER_ERROR else ServerError
    kind = _BY_VALUE.get(value or 0) or _BY_STATUS.get(response.status) or default
    if response.status in {502, 504}:  # from a proxy that cannot reach the server
        kind = Unavailable
    error = kind(
        str(document.get("message", "")),
        status=response.status,
        value=value,
        details=str(document.get("details", "")),
        request_id=response.headers.get("x-request-id", ""),
        advice=_ADVICE.get(value or 0, ""),
    )
    if isinstance(error, Unavailable):
        error.retry_after = _seconds(response.headers.get("retry-after", ""))
    return error


def _body(response: "Response") -> dict[str, object] | None:
    """The JSON of an error response. A response to HEAD has no body: its request id shows that a catalog answered."""
    try:
        body = response.json() if response.content else None
    except ValueError:
        return None
    if isinstance(body, dict) and "message" in body:
        return body
    if not response.content and "x-request-id" in response.headers:
        return {"message": f"The server answered {response.status}"}
    return None


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() else None
