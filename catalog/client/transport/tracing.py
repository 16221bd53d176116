"""Requests as curl commands, for debugging. Secrets are hidden."""

import json
import re
import shlex
from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import urlencode, urlsplit

from catalog.client.transport.effects import Request, Response

Trace: TypeAlias = Callable[[str], None]
"""Called with lines of text."""

HIDDEN = "****"
SECRET_FIELDS = re.compile(r"password|token|secret|reset", re.IGNORECASE)
SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
LONGEST_BODY = 2000  # characters
LINK = re.compile(r"(/(?:links|signed)/)[^/?]+")
USER = re.compile(r"(?<=://)[^/?#]*@")
"""The name and the password in an address."""


def as_curl(url: str, request: Request) -> str:
    """A request to the server at `url`, or to an address of its own, as a curl command."""
    is_elsewhere = bool(urlsplit(request.path).netloc)
    plain = USER.sub(f"{HIDDEN}@", request.path if is_elsewhere else url + request.path)
    address = LINK.sub(rf"\1{HIDDEN}", plain)
    if is_elsewhere:  # signed by the storage
        address = address.partition("?")[0]
    elif request.query:
        address += f"?{urlencode(request.query, doseq=True)}"
    parts = ["curl", *_method(request), address]
    for name, value in request.headers.items():
        parts += ["-H", f"{name}: {HIDDEN if name.lower() in SECRET_HEADERS else value}"]
    return shlex.join([*parts, *_body(request)])


def outcome(response: Response, seconds: float) -> str:
    request_id = response.headers.get("x-request-id", "")
    return f"# {response.status} in {seconds:.3f} s" + (f", request {request_id}" if request_id else "")


def _method(request: Request) -> list[str]:
    return [] if request.method == "GET" else ["-I"] if request.method == "HEAD" else ["-X", request.method]


def _body(request: Request) -> list[str]:
    if request.body is None:
        return []
    if not isinstance(request.body, bytes):
        return ["--data-binary", f"@FILE ({request.body.size} bytes)"]
    try:
        document = json.loads(request.body)
    except ValueError:
        return ["--data-binary", f"@FILE ({len(request.body)} bytes)"]
    text = json.dumps(_hidden(document), ensure_ascii=False)
    return ["--data", text if len(text) <= LONGEST_BODY else f"{text[:LONGEST_BODY]}..."]


def _hidden(value: object) -> object:
    """A JSON value without the texts of fields that are secrets."""
    if isinstance(value, dict):
        return {
            name: HIDDEN if SECRET_FIELDS.search(name) and isinstance(each, str) else _hidden(each)
            for name, each in value.items()
        }
    return [_hidden(each) for each in value] if isinstance(value, list) else value
