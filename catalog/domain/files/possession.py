"""A version from bytes that are here already: for whoever may read them, or shows that he has them too.

Nobody learns what somebody else holds. Whoever cannot read the bytes gets the same challenge, after the same
questions to the database, whether or not they are here. He proves two things with it: a sample, which costs the
server little and is refused after the same time in any case, and then the whole, so that nobody who has most of a
file gets the rest. Whoever gets so far as the second has the bytes of the sample, so he learns nothing new by the time
that takes.
"""

import asyncio
import hmac
import secrets
from collections.abc import Sequence
from contextlib import aclosing
from datetime import timedelta
from time import monotonic
from typing import Any, NamedTuple

import jwt
from bson import ObjectId

from catalog.blobs.protocol import Blob, Blobs, BlobUnknown, FileHead, is_digest
from catalog.domain.access import Caller, changeable_by, readable_by
from catalog.domain.body_fields import Form
from catalog.domain.files import blob_records
from catalog.domain.files.filenames import file_name, media_type
from catalog.domain.limits import LIMITS, LONGEST_DESCRIPTION, Limits
from catalog.domain.versions import versions
from catalog.domain.versions.links import derived_key
from catalog.domain.versions.versions import Told
from catalog.errors import NOT_CREATED, NOT_FOUND, NOT_PROVEN, Refused
from catalog.store.database import Tenant
from catalog.store.documents import now
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind, VersionState

FIELDS = frozenset({"digest", "size", "name", "mimetype", "ordinal", "description", "metadata"})
PROOFS = frozenset({"challenge", "sample", "whole"})

RANGES = 8
RANGE = 4096
"""How many ranges of how many bytes a sample is made of."""

LIFE = timedelta(minutes=15)
"""How long a challenge may be answered: a client hashes some 500 GB in it."""

PATIENCE = 0.3
"""Seconds after which a sample is refused, whether or not the bytes are here. Reading one takes less."""

LONGEST_ANSWER = 2048  # characters of a challenge or a proof

BATCH = 500
"""Versions whose items are looked at together."""


class Challenge(NamedTuple):
    token: str
    """Also the key of both proofs, as it is, in ASCII."""

    ranges: Sequence[tuple[int, int]]
    """First byte, and the one after the last."""


class Challenges:
    """Makes challenges and recognises them. Nothing is kept of one."""

    def __init__(self, secret: str) -> None:
        self._key = derived_key(secret, "possession")

    def make(self, tenant: str, caller: Caller, blob: Blob) -> Challenge:
        claims = {**self._about(tenant, caller, blob), "exp": (now() + LIFE).timestamp(), "jti": secrets.token_hex(16)}
        token = jwt.encode(claims, self._key, algorithm="HS256")
        return Challenge(token, self.ranges(token, blob.size))

    def holds(self, token: str, tenant: str, caller: Caller, blob: Blob) -> bool:
        """Whether this is a challenge that he was given for these bytes, and not too long ago."""
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"], options={"require": ["exp", "jti"]})
        except (jwt.InvalidTokenError, ValueError, OverflowError, RecursionError):
            return False
        about = self._about(tenant, caller, blob)
        return {name: claims.get(name) for name in about} == about

    def ranges(self, token: str, size: int) -> list[tuple[int, int]]:
        """Drawn by the challenge, so that nobody chooses them."""
        starts = []
        for number in range(RANGES):
            drawn = hmac.digest(self._key, f"{number} {token}".encode(), "sha256")
            starts.append(int.from_bytes(drawn, "big") % max(1, size - RANGE + 1))
        return [(start, min(start + RANGE, size)) for start in sorted(starts)]

    def _about(self, tenant: str, caller: Caller, blob: Blob) -> dict[str, Any]:
        return {"tenant": tenant, "sub": str(caller.user), "digest": blob.digest, "size": blob.size}


async def readable_size(tenant: Tenant, digest: str, caller: Caller, blobs: Blobs) -> int:
    """How many bytes a file has that the caller may read in some version.

    Raises Refused: NOT_FOUND, also when others have it, and when its bytes are lost or damaged: then they are needed.
    """
    file = await _readable(tenant, digest, caller) if is_digest(digest) else None
    if file is None or not await blob_records.is_intact(tenant, blobs, Blob(digest, file["size"])):
        raise Refused(NOT_FOUND, digest)
    return int(file["size"])


async def add(
    tenant: Tenant,
    kind: Kind,
    key: str,
    body: Any,
    caller: Caller,
    blobs: Blobs,
    challenges: Challenges,
    limits: Limits = LIMITS,
) -> Raw:
    """Make bytes that are here already the next version of an item, and return the item.

    `{digest, size, name, mimetype, ordinal, description, metadata}`, and what answers a challenge: `{challenge,
    sample, whole}`, see docs/api.md.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, NOT_CREATED; NOT_PROVEN with a challenge, also when nobody has the
    bytes; and what `versions.finish` raises.
    """
    form = Form(body, NOT_CREATED, FIELDS | PROOFS, limits)
    blob, head, told = _blob(form), _head(form), _told(form)
    item = await versions.prepare(tenant, kind, key, caller, told.ordinal)
    file = await _readable(tenant, blob.digest, caller)
    if file is None or not await blob_records.is_intact(tenant, blobs, Blob(blob.digest, file["size"])):
        await _prove(tenant, form, blob, caller, blobs, challenges)
    else:
        blob = Blob(blob.digest, file["size"])
    return await versions.finish(tenant, kind, item, head, blob, caller, blobs, told)


async def _readable(tenant: Tenant, digest: str, caller: Caller) -> Raw | None:
    """A file with these bytes in a version that the caller may open, if there is one."""
    fields = {"item": 1, "kind": 1, "state": 1, "files": {"$elemMatch": {"digest": digest}}}
    batch: list[Raw] = []
    async for version in tenant.versions.raw.find({"files.digest": digest}, fields):
        batch.append(version)
        if len(batch) == BATCH:
            if file := await _among(tenant, batch, caller):
                return file
            batch = []
    return await _among(tenant, batch, caller)


async def _among(tenant: Tenant, batch: Sequence[Raw], caller: Caller) -> Raw | None:
    """Asks the same number of questions whatever there is."""
    readable: set[ObjectId] = set()
    changeable: set[ObjectId] = set()
    for kind in Kind:
        ids = [version["item"] for version in batch if version["kind"] == kind]
        among = {"_id": {"$in": ids or [ObjectId()]}}
        for found, access in ((readable, readable_by(caller)), (changeable, changeable_by(caller))):
            async for item in tenant.items(kind).raw.find(among | access, {"_id": 1}):
                found.add(item["_id"])
    for version in batch:
        is_draft = version["state"] == VersionState.DRAFT
        is_open = caller.is_admin or version["state"] != VersionState.QUARANTINED
        if is_open and version["item"] in (changeable if is_draft else readable):
            file: Raw = version["files"][0]
            return file
    return None


async def _prove(tenant: Tenant, form: Form, blob: Blob, caller: Caller, blobs: Blobs, challenges: Challenges) -> None:
    """Raises Refused: NOT_PROVEN, unless the form has the right answer to a challenge for these bytes."""
    began = monotonic()
    token, sample, whole = (form.text(name, LONGEST_ANSWER) or "" for name in ("challenge", "sample", "whole"))
    answered = token.isascii() and challenges.holds(token, tenant.name, caller, blob)
    if not answered or not await _sampled(tenant, blobs, blob, token, challenges.ranges(token, blob.size), sample):
        if token:
            await asyncio.sleep(max(0.0, began + PATIENCE - monotonic()))
        raise _challenged(challenges.make(tenant.name, caller, blob))
    if not hmac.compare_digest(await _mac(blobs, blob, token, [(0, blob.size)]), whole.encode()):
        raise _challenged(challenges.make(tenant.name, caller, blob))


async def _sampled(
    tenant: Tenant, blobs: Blobs, blob: Blob, token: str, ranges: Sequence[tuple[int, int]], sample: str
) -> bool:
    if not await blob_records.is_intact(tenant, blobs, blob):
        return False
    try:
        return hmac.compare_digest(await _mac(blobs, blob, token, ranges), sample.encode())
    except BlobUnknown:  # a sweep was quicker
        return False


async def _mac(blobs: Blobs, blob: Blob, token: str, ranges: Sequence[tuple[int, int]]) -> bytes:
    """The HMAC-SHA256 of the ranges, one after the other, in hex."""
    mac = hmac.new(token.encode(), digestmod="sha256")
    for start, stop in ranges:
        async with aclosing(blobs.read(blob.digest, start, stop)) as blocks:
            async for block in blocks:
                await asyncio.to_thread(mac.update, block)
    return mac.hexdigest().encode()


def _challenged(challenge: Challenge) -> Refused:
    spans = ",".join(f"{start}-{stop - 1}" for start, stop in challenge.ranges if start < stop)
    return Refused(
        NOT_PROVEN,
        "with `challenge`, `sample` and `whole` as the documentation says, or upload the file",
        headers={"Possession-Challenge": challenge.token, "Possession-Ranges": f"bytes={spans}"},
    )


def _blob(form: Form) -> Blob:
    digest = form.required("digest", "sha256: and 64 hexadecimal characters are needed").removeprefix("sha256:").lower()
    if not is_digest(digest):
        form.refuse("digest: sha256: and 64 hexadecimal characters are needed")
    return Blob(digest, form.size("size") or 0)


def _head(form: Form) -> FileHead:
    name = file_name(form.required("name", "the name of the file is needed"))
    return FileHead(name, media_type(form.text("mimetype") or "", name), "binary")


def _told(form: Form) -> Told:
    return Told(
        (form.text("ordinal") or "").strip(),
        form.text("description", LONGEST_DESCRIPTION) or "",
        form.pairs("metadata"),
    )
