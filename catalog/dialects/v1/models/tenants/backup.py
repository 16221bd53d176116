"""Backups."""

from typing import Annotated

from msgspec import Meta

from catalog.dialects.v1.models.common import RequestBody, ShortText
from catalog.errors import INVALID_FIELD, Refused
from catalog.operations.backup.writing import Increment, Resumption

Identity = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="The identity of the backup that is continued.")]


class ResumptionBody(RequestBody):
    """What an interrupted backup has, which is not sent again."""

    made: Annotated[ShortText, Meta(description="When it was begun.")]
    done: Annotated[dict[str, str], Meta(description="The generations of the tenants that it has whole, by name.")]
    tenant: Annotated[
        str, Meta(max_length=255, description="The tenant that had not ended, if bytes of it are there.")
    ] = ""
    generation: Annotated[str, Meta(max_length=64, description="Its generation.")] = ""
    after: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$", description="The last digest of its bytes.")] = ""

    def resumption(self) -> Resumption:
        """Raises Refused: INVALID_FIELD."""
        try:
            return Resumption(Increment.of("", self.made), self.done, self.tenant, self.generation, self.after)
        except ValueError:
            raise Refused(INVALID_FIELD, "resume.made: a date that has passed is needed") from None


class BackupRequest(RequestBody):
    """What to back up."""

    tenants: Annotated[list[ShortText] | None, Meta(description="Default: all.", examples=[["acme"]])] = None
    base: Identity | None = None
    since: Annotated[ShortText | None, Meta(description="When that backup was begun.")] = None

    resume: ResumptionBody | None = None

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
