"""Backups."""

from typing import Annotated

from msgspec import Meta

from catalog.dialects.v1.models.common import RequestBody, ShortText
from catalog.errors import INVALID_FIELD, Refused
from catalog.operations.backup import Increment

Identity = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="The identity of the backup that is continued.")]


class BackupRequest(RequestBody):
    """What to back up."""

    tenants: Annotated[list[ShortText] | None, Meta(description="Default: all.", examples=[["acme"]])] = None
    base: Identity | None = None
    since: Annotated[ShortText | None, Meta(description="When that backup was begun.")] = None

    def increment(self) -> Increment | None:
        """Raises Refused: INVALID_FIELD."""
        if self.base is None and self.since is None:
            return None
        if self.base is None or self.since is None:
            raise Refused(INVALID_FIELD, "since: base and since are needed together")
        try:
            return Increment.of(self.base, self.since)
        except ValueError:
            raise Refused(
                INVALID_FIELD, "since: a date that has passed is needed, such as 2026-11-23T02:00:00Z"
            ) from None
