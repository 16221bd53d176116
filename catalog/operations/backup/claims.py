"""Claims: leases on the names of backups in a bucket."""

import secrets
import socket
from datetime import timedelta
from time import monotonic

from catalog.blobs.protocol import UnknownBlobError
from catalog.blobs.s3.bucket import Bucket

RENEWED_EVERY = 60.0
LASTS = timedelta(minutes=15)
"""Seconds between two renewals, and the time without one after which its writer counts as killed. A backup whose source
sends nothing ends earlier than that."""


class Claim:
    """The object that says who writes a backup. It is written again every RENEWED_EVERY seconds.

    One that is older than LASTS is of a killed writer, and the next one takes it over. The earlier one, should it live,
    finds another claim before it completes, and fails. Raises StorageUnavailableError.
    """

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket = bucket
        self._key = key
        self._token = f"{socket.gethostname()} {secrets.token_hex(8)}"
        self._renewed = 0.0

    async def acquire(self) -> None:
        """Raises FileExistsError while another writer has it."""
        if not await self._create():
            if not await self._is_abandoned():
                writer = (await self._read()).partition(" ")[0] or "another"
                raise FileExistsError(
                    f"it is being written, by {writer}; if that was killed, try again "
                    f"{LASTS.total_seconds() / 60:.0f} minutes after that, or use --force"
                )
            await self._bucket.drop(self._key)
            if not await self._create():
                raise FileExistsError("it is being written by another")

    async def renew(self) -> None:
        """Every RENEWED_EVERY seconds. Raises FileExistsError when another writer has taken it over."""
        if monotonic() - self._renewed > RENEWED_EVERY:
            await self.check()
            await self._bucket.write(self._key, self._token.encode())
            self._renewed = monotonic()

    async def check(self) -> None:
        """Raises FileExistsError when another writer has taken it over."""
        if await self._read() != self._token:
            raise FileExistsError("another writer has taken it over")

    async def release(self) -> None:
        if await self._read() == self._token:
            await self._bucket.drop(self._key)

    async def _create(self) -> bool:
        self._renewed = monotonic()
        return await self._bucket.create(self._key, bytearray(self._token.encode()))

    async def _is_abandoned(self) -> bool:
        found = await self._bucket.head(self._key)
        return found is not None and await self._bucket.clock(f"{self._key}.clock") - found.modified > LASTS

    async def _read(self) -> str:
        try:
            return b"".join([block async for block in self._bucket.read(self._key)]).decode(errors="replace")
        except UnknownBlobError:
            return ""
