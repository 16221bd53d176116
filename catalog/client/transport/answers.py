"""Checks of what a server answers, which may be another program or hostile: size, redirects and JSON."""

from typing import TypedDict
from urllib.parse import urljoin, urlsplit

from catalog.client.errors import NotACatalog, error_from
from catalog.client.results import Document
from catalog.client.transport.effects import Response

LARGEST_ANSWER = 64 * 2**20
"""Bytes of an answer that is held in memory."""


REDIRECTED = {301, 302, 303, 307, 308}


class AnswerInMemory:
    """Collects the body of an answer. Raises NotACatalog when it does not end."""

    def __init__(self) -> None:
        self.content = bytearray()

    def add(self, block: bytes) -> None:
        self.content += block
        if len(self.content) > LARGEST_ANSWER:
            raise NotACatalog(f"The server's answer has more than {LARGEST_ANSWER} bytes")


class ListAnswer(TypedDict):
    docs: list[Document]


class PageAnswer(ListAnswer):
    nextCursor: str | None


class LoginAnswer(TypedDict):
    token: str


def document(response: Response) -> dict[str, object]:
    """The JSON of a response, with its revision. Raises NotACatalog."""
    try:
        found = response.json()
    except (ValueError, RecursionError):
        raise NotACatalog("The server's response is not JSON", status=response.status) from None
    if not isinstance(found, dict):
        raise NotACatalog("The server's response is not an object of JSON", status=response.status)
    tag = response.headers.get("etag", "").strip('"').partition(".")[0]
    if tag.isdigit():
        found["revision"] = int(tag)
    return found


def accepted(response: Response, url: str) -> Response:
    """The response, unless it refuses the request or leads elsewhere. Raises CatalogError."""
    if response.refused:
        raise error_from(response)
    if response.status not in REDIRECTED:
        return response
    here, there = urlsplit(url), urlsplit(urljoin(f"{url}/", response.headers.get("location", "")))
    address = f"{there.scheme}://{there.netloc}"
    if (here.scheme, there.scheme) == ("http", "https") and here.hostname == there.hostname:
        raise NotACatalog(
            f"{url} answers over https only", status=response.status, advice=f"Use the address {address}{here.path}."
        )
    raise NotACatalog(f"{url} leads to {address}, which is not followed", status=response.status)


def refuse_downgrade(url: str, location: str) -> None:
    """Raises NotACatalog for a download that leads from https to plain HTTP."""
    here, there = urlsplit(url), urlsplit(urljoin(f"{url}/", location))
    if here.scheme == "https" and there.scheme != "https":
        address = f"{there.scheme}://{there.netloc}"
        raise NotACatalog(f"{url} leads to {address}, which is not encrypted, and is not followed")
