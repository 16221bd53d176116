"""Experiments: groups of runs, which their owner may share with the tenant."""

from dataclasses import dataclass

from catalog.domain.access import Caller
from catalog.domain.limits import LONGEST_NAME, Limits
from catalog.domain.tracking import external_ids, records
from catalog.domain.tracking.records import NO_CHANGE, Details, DetailsChange
from catalog.domain.validation import Validator
from catalog.errors import INVALID_FIELD
from catalog.store.records import Changes, ExperimentRecord
from catalog.vocabulary import Visibility


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExperiment:
    details: Details
    author: str = ""
    archived: bool = False
    visibility: Visibility = Visibility.PRIVATE


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentChange:
    """What changes. None stays as it is."""

    details: DetailsChange = NO_CHANGE
    author: str | None = None
    archived: bool | None = None


async def create(caller: Caller, new: NewExperiment, limits: Limits) -> ExperimentRecord:
    """Create an experiment of the caller. Raises Refused: INVALID_FIELD, NAME_TAKEN, EXTERNAL_ID_TAKEN."""
    own: Changes = {"author": author_of(new.author, limits), "archived": new.archived}
    return await records.create_owned(caller, caller.tenant.experiments, new.details, limits, new.visibility, more=own)


async def read(caller: Caller, serial: int) -> ExperimentRecord:
    """Raises Refused: NOT_FOUND."""
    return await records.read(caller, caller.tenant.experiments, serial)


async def find(caller: Caller, *, name: str = "", external_id: str = "") -> ExperimentRecord:
    """The experiment of a name or an external id. Raises Refused: NOT_FOUND."""
    return await records.find_owned(caller, caller.tenant.experiments, name=name, external_id=external_id)


async def change(caller: Caller, serial: int, requested: ExperimentChange, limits: Limits) -> ExperimentRecord:
    """Raises Refused: NOT_FOUND, CANNOT_MODIFY, INVALID_FIELD, EXTERNAL_ID_TAKEN, BUSY."""
    record = await records.changeable(caller, caller.tenant.experiments, serial)

    def fields(current: ExperimentRecord) -> Changes:
        return {
            **records.changed_fields(current, requested.details, limits),
            **({} if requested.author is None else {"author": author_of(requested.author, limits)}),
            **({} if requested.archived is None else {"archived": requested.archived}),
        }

    async with external_ids.reserved(caller.tenant, requested.details.external_id, record):
        return await records.change(caller.tenant.experiments, record, fields)


def author_of(text: str, limits: Limits) -> str:
    """Raises Refused: INVALID_FIELD."""
    return Validator(INVALID_FIELD, limits).line("owner", text, LONGEST_NAME)
