"""What can go wrong, in families, each with what to do next.

`except NotFound` reads better than a status; `value` is the server's own number for the refusal, which never changes
its meaning. Nothing of the HTTP library comes out of the client.
"""
# ruff: noqa: N818  the sentence that `except NotFound` makes matters more than a suffix

from catalog.client.effects import Answer


class CatalogError(Exception):
    """Something did not work. The text says what, and what to do next.

    `status` and `value` are the server's (None when the trouble is on this side), `details` names the thing refused,
    `request_id` finds the request in the server's log, `advice` is what to do next.
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
        told = f"{self.message} ({self.details})" if self.details else self.message
        return f"{told}. {self.advice}" if self.advice else told


class NotSignedIn(CatalogError):
    advice = "Sign in (`catalog login`), or give a token (CATALOG_TOKEN)."


class Forbidden(CatalogError):
    advice = "Ask its owner, or an administrator."


class NotFound(CatalogError):
    advice = "Look at the name, and whether you may read it: what one may not read may not show either."


class Expired(NotFound):
    advice = "It is over: begin anew."


class Conflict(CatalogError):
    """Somebody or something was first."""

    advice = "Read it again and repeat your change."


class Ambiguous(Conflict):
    """Several items have the name. `details` lists the owner/name and the id of each."""

    advice = ""  # the details say it


class Invalid(CatalogError):
    """The request, or an argument, is wrong."""


class Unsafe(Invalid):
    advice = "The inspection found a threat in the file; use a format such as safetensors or ONNX."


class TooLarge(CatalogError):
    advice = "The server takes no file of this size (its setting MAX_UPLOAD_SIZE)."


class OutOfSpace(CatalogError):
    advice = "Remove what is not needed any more, or ask the operator for a larger quota."


class Damaged(CatalogError):
    """Bytes are not what was announced."""

    advice = "Try again; if it happens again, the file changed meanwhile or a disk or a line is broken."


class Unavailable(CatalogError):
    """No answer, or one that asks to try again later.

    `sent` says whether the request may have arrived: then something that is not repeatable may have been done.
    """

    advice = "Try again in a moment."

    sent = True
    retry_after: float | None = None  # seconds, as the server asks


class Untrusted(CatalogError):
    advice = "If the server is yours, name its certificate: ca=, or CATALOG_CA."


class TooManyAttempts(Unavailable):
    advice = "Wait as long as the server asks, then try again."


class Offline(CatalogError):
    advice = "Fetch it once while connected; then it is in the cache."


class ServerError(CatalogError):
    advice = "This is the server's fault: give its operator the request id."


class NotACatalog(CatalogError):
    advice = "Look at the address: the catalog's own, without a path, such as http://127.0.0.1:8080."


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
"""Where the status alone would mislead."""

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
    2: "The server has lost or damaged its bytes: push the file again, and tell the operator.",
    113: "Only an administrator can look at it and set its state to LIVE.",
    114: "Make a new version: the files of one that is closed never change.",
    115: "Close it first.",
    120: "Another process is sending this upload: wait for it, or end it.",
    125: "Use a token that may write: tokens.create(..., scopes=['write']).",
}
"""Where the family's advice would mislead."""

SERVERS_FAULT = 500


def refusal(answer: Answer) -> CatalogError:
    """The exception that a refusal of the server is raised as."""
    body = _body(answer)
    if body is None and answer.status < SERVERS_FAULT:
        return NotACatalog(f"The server answered {answer.status}, not as a catalog does", status=answer.status)
    told = body or {"message": f"The server answered {answer.status}"}
    number = told.get("value")
    value = number if isinstance(number, int) else None
    by_kind = Invalid if answer.status < SERVERS_FAULT else ServerError
    family = _BY_VALUE.get(value or 0) or _BY_STATUS.get(answer.status) or by_kind
    if answer.status in {502, 504}:  # a proxy without a server behind it
        family = Unavailable
    error = family(
        str(told.get("message", "")),
        status=answer.status,
        value=value,
        details=str(told.get("details", "")),
        request_id=answer.headers.get("x-request-id", ""),
        advice=_ADVICE.get(value or 0, ""),
    )
    if isinstance(error, Unavailable):
        error.retry_after = _seconds(answer.headers.get("retry-after", ""))
    return error


def _body(answer: Answer) -> dict[str, object] | None:
    """The refusal in words; a HEAD has none, but is one of ours when it has a request id."""
    try:
        body = answer.json() if answer.content else None
    except ValueError:
        return None
    if isinstance(body, dict) and "message" in body:
        return body
    if not answer.content and "x-request-id" in answer.headers:
        return {"message": f"The server answered {answer.status}"}
    return None


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() else None
