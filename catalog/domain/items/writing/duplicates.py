"""Why a unique index refused an item."""

from catalog.errors import EXTERNAL_ID_TAKEN, Fault, Refused
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind


async def taken(tenant: Tenant, kind: Kind, external_id: str | None, fault: Fault) -> Refused:
    """The refusal of an item whose external id is taken, else of one whose name is taken, with `fault`."""
    if external_id and await tenant.items(kind).records.find_one({"external_id": external_id}, {"_id": 1}):
        return Refused(EXTERNAL_ID_TAKEN, external_id)
    return Refused(fault, f"A {kind.one} with the same name already exists for this user")
