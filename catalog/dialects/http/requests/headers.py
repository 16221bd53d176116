"""Headers about a file, of requests and responses: its name, its digest and its age."""

import re
from base64 import b64decode
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import quote, unquote

from catalog.dialects.http.requests.injection import AnyRequest
from catalog.errors import CONTENT_CODED, NOT_CREATED, Refused


def raw_header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The first value of a header of an ASGI scope, by its name in lower case; None without it.

    The framework's own map of all headers costs many times as much.
    """
    return dict(reversed(list(headers))).get(name)


def as_text(raw: bytes) -> str:
    """Decode a header: UTF-8, or else Latin-1, which always succeeds."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def parameters(header: str) -> dict[str, str]:
    """The `key=value` of a header. A backslash hides only a quote or itself: browsers send paths as they are."""
    found = re.findall(r';\s*([^\s=;"]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^;]*))', header)
    return {key.lower(): re.sub(r'\\(["\\])', r"\1", quoted) or bare.strip(' \t"') for key, quoted, bare in found}


def disposition_name(disposition: str) -> str | None:
    """The file name in a Content-Disposition, as the client wrote it; None: it has none."""
    fields = parameters(disposition)
    extended = re.fullmatch(r"(utf-8|iso-8859-1)'[^']*'(.*)", fields.get("filename*", ""), re.IGNORECASE)
    if extended:
        return unquote(extended[2], encoding=extended[1])
    # In forms, browsers percent-encode these three, but not the percent sign itself.
    plain = fields.get("filename")
    return plain and re.sub("%22|%0[AD]", lambda sign: unquote(sign[0]), plain, flags=re.IGNORECASE)


def refuse_coded(encodings: Iterable[str]) -> None:
    """Refuse encoded content: the catalog stores bytes as they are, and never decodes them.

    `encodings` are values of Content-Encoding. Raises Refused: CONTENT_CODED (RFC 9110, 15.5.16).
    """
    codings = {coding.strip().lower() for line in encodings for coding in line.split(",")}
    if unknown := codings - {"", "identity"}:
        details = f"Content-Encoding: send the bytes as they are, without {', '.join(sorted(unknown))[:100]!a}"
        raise Refused(CONTENT_CODED, details, headers={"Accept-Encoding": "identity"})


def announced_digest(request: AnyRequest, *headers: str) -> str:
    """The SHA-256 of the file that the client announces, in hex, or "".

    Raises Refused: NOT_CREATED for one that cannot be understood, or two that differ.
    """
    found = [(header, sha256_member(header, request.headers.getall(header, []))) for header in headers]
    found.append(("?sha256", str(request.query_params.get("sha256", ""))))
    announced = {as_hex(where, digest) for where, digest in found if digest}
    if len(announced) > 1:
        raise Refused(NOT_CREATED, f"the digests in {', '.join(where for where, digest in found if digest)} differ")
    return announced.pop() if announced else ""


def sha256_member(header: str, lines: Iterable[str]) -> str:
    """What a digest header says after `sha-256=`; other algorithms are ignored."""
    for member in filter(None, (member.strip() for line in lines for member in line.split(","))):
        algorithm, equals, value = member.partition("=")
        if not equals or not value:
            raise malformed_digest(header)
        if algorithm.strip().lower() == "sha-256":
            return value.strip()
    return ""


def as_hex(where: str, digest: str) -> str:
    """A SHA-256 in hex, from hex, base64 or, as RFC 9530 has it, `:base64:`."""
    if re.fullmatch("[0-9a-fA-F]{64}", digest):
        return digest.lower()
    try:
        raw = b64decode(re.sub("^:(.*):$", r"\1", digest), validate=True)
    except ValueError:
        raise malformed_digest(where) from None
    if len(raw) != 32:  # noqa: PLR2004  a SHA-256 is this long
        raise malformed_digest(where)
    return raw.hex()


def malformed_digest(where: str) -> Refused:
    return Refused(NOT_CREATED, f"{where}: not a SHA-256; write sha-256=:base64:, or ?sha256= and 64 hex characters")


def entity_tags(request: AnyRequest, header: str) -> list[str] | None:
    """The tags of an If-Match or If-None-Match, `W/` included; `["*"]`, or None without the header."""
    lines = request.headers.getall(header, [])
    if not lines:
        return None
    listed = ",".join(lines).strip()
    return ["*"] if listed == "*" else re.findall(r'(?:W/)?"[^"]*"', listed)


def is_unchanged(request: AnyRequest, etag: str) -> bool:
    """Whether the client has what has this strong tag: If-None-Match is compared weakly (RFC 9110, 13.1.2)."""
    if raw_header(request.scope["headers"], b"if-none-match") is None:
        return False
    tags = entity_tags(request, "if-none-match") or []
    return tags == ["*"] or etag in {tag.removeprefix("W/") for tag in tags}


def attachment(name: str) -> str:
    """RFC 6266: a name that every client reads, and beside it, when they differ, the name."""
    plain = re.sub(r"[^ !#$&'()+,\-.0-9;=@A-Z\[\]^_`a-z{}~]", "_", name)
    extended = f"; filename*=UTF-8''{quote(name, safe='!#$&+^`|', errors='replace')}" if plain != name else ""
    return f'attachment; filename="{plain}"{extended}'


def http_date(moment: datetime) -> str:
    """A moment as an HTTP date. One without a zone, as the database returns it, is UTC."""
    return format_datetime(moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC), usegmt=True)


def moment_of(date: str) -> datetime | None:
    """The moment of an HTTP date; None for any other text, which is treated as absent."""
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
