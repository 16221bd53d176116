"""Runs of experiments."""

from dataclasses import dataclass

from catalog.domain.access import Caller
from catalog.domain.limits import LONGEST_INTEGER, Limits
from catalog.domain.tracking import external_ids, records
from catalog.domain.tracking.experiments import author_of
from catalog.domain.tracking.records import NO_CHANGE, SERIAL, Details, DetailsChange
from catalog.errors import INVALID_FIELD, Refused
from catalog.store.documents.tracking import ExperimentRunDocument
from catalog.store.records import Changes, ExperimentRunRecord
from catalog.vocabulary import RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run. `started` and `ended` are milliseconds of Unix time."""

    details: Details
    status: RunStatus = RunStatus.RUNNING
    started: int | None = None
    ended: int | None = None
    author: str = ""
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChange:
    """What changes. None stays as it is."""

    details: DetailsChange = NO_CHANGE
    status: RunStatus | None = None
    ended: int | None = None
    author: str | None = None
    archived: bool | None = None


async def create(caller: Caller, experiment: int, new: NewRun, limits: Limits) -> ExperimentRunRecord:
    """Add a run to an experiment. Raises Refused: NOT_FOUND, CANNOT_MODIFY, INVALID_FIELD, NAME_TAKEN,
    EXTERNAL_ID_TAKEN.
    """
    tenant = caller.tenant
    group = await records.changeable(caller, tenant.experiments, experiment)
    _refuse_times(new.started, new.ended)
    fields = records.new_fields(caller, new.details, limits, [group["_id"]], await tenant.next(SERIAL))
    document = ExperimentRunDocument(
        **fields,
        experiment=group["_id"],
        experiments=[group["_id"]],
        **records.readers_of((), group["readers"]),
        status=new.status,
        started=new.started,
        ended=new.ended,
        author=author_of(new.author, limits),
        archived=new.archived,
    )
    async with external_ids.reserved(tenant, document.external_id):
        return await records.insert(tenant.runs, document)


async def read(caller: Caller, serial: int) -> ExperimentRunRecord:
    """Raises Refused: NOT_FOUND."""
    return await records.read(caller, caller.tenant.runs, serial)


async def find(caller: Caller, *, name: str = "", experiment: int = 0, external_id: str = "") -> ExperimentRunRecord:
    """The run of an external id, or of a name in an experiment. Raises Refused: NOT_FOUND."""
    of = caller.tenant
    return await records.find_in(caller, of.runs, of.experiments, name=name, parent=experiment, external_id=external_id)


async def change(caller: Caller, serial: int, requested: RunChange, limits: Limits) -> ExperimentRunRecord:
    """Raises Refused: NOT_FOUND, CANNOT_MODIFY, INVALID_FIELD, EXTERNAL_ID_TAKEN, BUSY."""
    record = await records.changeable(caller, caller.tenant.runs, serial)

    def fields(current: ExperimentRunRecord) -> Changes:
        _refuse_times(current.get("started"), requested.ended)
        values = {
            "ended": requested.ended,
            "archived": requested.archived,
            "status": requested.status and requested.status.value,
        }
        return {
            **records.changed_fields(current, requested.details, limits),
            **({} if requested.author is None else {"author": author_of(requested.author, limits)}),
            **{name: value for name, value in values.items() if value is not None},
        }

    async with external_ids.reserved(caller.tenant, requested.details.external_id, record):
        return await records.change(caller.tenant.runs, record, fields)


def _refuse_times(started: int | None, ended: int | None) -> None:
    """Raises Refused: INVALID_FIELD."""
    if any(moment is not None and not 0 <= moment < LONGEST_INTEGER for moment in (started, ended)):
        raise Refused(INVALID_FIELD, "a time is a number of milliseconds since 1970")
    if started is not None and ended is not None and ended < started:
        raise Refused(INVALID_FIELD, "ended: the end is before the start")
