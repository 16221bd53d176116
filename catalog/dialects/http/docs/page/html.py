"""HTML elements. Text that is not `Html` is escaped."""

import hashlib
import re
from base64 import b64encode
from html import escape


class Html(str):
    """Text that is HTML."""

    __slots__ = ()


def element(name: str, *inside: str, **attributes: str) -> Html:
    """An attribute whose name is a Python keyword has an underscore appended: `class_`."""
    written = "".join(f' {key.rstrip("_")}="{escape(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{written}>{joined(*inside)}</{name}>")


def joined(*parts: str, between: str = "") -> Html:
    return Html(between.join(part if isinstance(part, Html) else escape(part, quote=False) for part in parts))


def prose(text: str) -> Html:
    """A sentence of the document; text in backticks becomes code."""
    pieces = re.split(r"`([^`]+)`", text)
    return joined(*(element("code", piece) if place % 2 else piece for place, piece in enumerate(pieces)))


def source_of(text: str) -> str:
    """A script or a style as a source in a Content-Security-Policy: by its digest."""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
