"""Why a unique index refused an item."""

from bson import ObjectId

from catalog.errors import EXTERNAL_ID_TAKEN, Fault, Refused
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind


async def taken(
    tenant: Tenant, kind: Kind, owner: ObjectId, name: str, external_id: str | None, fault: Fault
) -> Refused | None:
    """The refusal of an item whose external id is taken, else of one whose name is taken, with `fault`.

    None when neither is, any more.
    """
    records = tenant.items(kind).records
    if external_id and await records.find_one({"external_id": external_id}, {"_id": 1}):
        return Refused(EXTERNAL_ID_TAKEN, external_id)
    if await records.find_one({"owner": owner, "name": name}, {"_id": 1}):
        return Refused(fault, f"A {kind.one} with the same name already exists for this user")
    return None
