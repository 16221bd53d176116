"""Fills a tenant with the demo, or removes it, as an administrator of the tenant."""

from catalog.domain.access import Caller
from catalog.domain.demo import filling, removal
from catalog.domain.demo.filling import Filled, Report
from catalog.domain.demo.removal import Emptied
from catalog.domain.tenants import tenants
from catalog.operations.backup.writing import UnknownTenantError
from catalog.store.database import Database
from catalog.store.query.paging.cursors import ASCENDING
from catalog.vocabulary import Role


async def fill(database: Database, tenant: str, models: int, report: Report) -> Filled:
    """Make what the tenant lacks of the demo. Raises UnknownTenantError; Refused; DatabaseError."""
    return await filling.fill(await _administrator(database, tenant), models, report)


async def remove(database: Database, tenant: str) -> Emptied:
    """Take the demo away from the tenant. Raises UnknownTenantError; Refused; DatabaseError."""
    return await removal.remove(await _administrator(database, tenant))


async def _administrator(database: Database, name: str) -> Caller:
    """The administrator who has been there longest."""
    tenant = await tenants.enter(database, name, None)
    if tenant is None:
        raise UnknownTenantError(f"There is no tenant {name}. The first start of the server makes DEFAULT_TENANT")
    administrators = tenant.users.records.find({"role": Role.ADMIN.value}).sort("timestamp", ASCENDING).limit(1)
    [user] = await administrators.to_list(1)
    return Caller.of(tenant, user)
