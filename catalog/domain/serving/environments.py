"""Environments: the places where models are served."""

from catalog.domain.access import Caller
from catalog.domain.limits import Limits
from catalog.domain.tracking import external_ids, records
from catalog.domain.tracking.records import Details, DetailsChange
from catalog.store.records import EnvironmentRecord
from catalog.vocabulary import Visibility


async def create(
    caller: Caller, details: Details, limits: Limits, visibility: Visibility = Visibility.PRIVATE
) -> EnvironmentRecord:
    """Create an environment of the caller. Raises Refused: INVALID_FIELD, NAME_TAKEN, EXTERNAL_ID_TAKEN."""
    return await records.create_owned(caller, caller.tenant.environments, details, limits, visibility)


async def read(caller: Caller, serial: int) -> EnvironmentRecord:
    """Raises Refused: NOT_FOUND."""
    return await records.read(caller, caller.tenant.environments, serial)


async def find(caller: Caller, *, name: str = "", external_id: str = "") -> EnvironmentRecord:
    """The environment of a name or an external id. Raises Refused: NOT_FOUND."""
    return await records.find_owned(caller, caller.tenant.environments, name=name, external_id=external_id)


async def change(caller: Caller, serial: int, requested: DetailsChange, limits: Limits) -> EnvironmentRecord:
    """Raises Refused: NOT_FOUND, CANNOT_MODIFY, INVALID_FIELD, EXTERNAL_ID_TAKEN, BUSY."""
    record = await records.changeable(caller, caller.tenant.environments, serial)
    async with external_ids.reserved(caller.tenant, requested.external_id, record):
        return await records.change(
            caller.tenant.environments, record, lambda current: records.changed_fields(current, requested, limits)
        )
