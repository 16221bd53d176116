"""Warnings about tenants that are near their quota: in the log, as a metric, and by mail to their administrators.

A tenant is warned about once. The warning ends when it uses less than CALM of its quota again.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from catalog.domain.files import quota
from catalog.domain.jobs import Jobs
from catalog.domain.people.authentication.mail import Outbox, SmtpServer
from catalog.durations import human_size
from catalog.errors import Refused
from catalog.store.clock import now
from catalog.store.database import Database
from catalog.store.migrations.opening import open_all
from catalog.store.tenant import Tenant
from catalog.vocabulary import Role

logger = logging.getLogger(__name__)

NEAR = 0.8
CALM = 0.75
"""Shares of the quota. Between them a warning stays as it is, so that it is not given again and again."""

EVERY = 60.0
"""Seconds between two checks of all tenants that have a quota."""

MOST_MAILS = 20
"""How many administrators get a mail."""

MAIL = """\
The files of {tenant} take {used} of {quota}, which is {percent} % of its quota. Uploads are refused when it is used up.

Old versions are removed with `catalog versions prune`, or by a policy: `catalog retention set`. Items in the trash
count until they are purged.
"""


def is_near(used: int, most: int) -> bool:
    """Whether a tenant uses so much of its quota that its administrators are warned. 0 is no quota."""
    return bool(most) and used >= NEAR * most


class QuotaWatch:
    """Checks the quotas of all tenants. `near` is the number of tenants near their quota at the last check."""

    def __init__(self, database: Database, smtp_server: SmtpServer | None, outbox: Outbox) -> None:
        self.near = 0
        self._database = database
        self._smtp_server = smtp_server
        self._outbox = outbox

    def schedule(self, jobs: Jobs) -> None:
        jobs.every(EVERY, self.look, "the look at quotas")

    async def look(self) -> None:
        """Warn about each tenant that has come near its quota, on one of the servers."""
        near = 0
        async for tenant in self._limited():
            used = await quota.usage(tenant)
            near += is_near(used, tenant.quota)
            if is_near(used, tenant.quota):
                await self._warn(tenant, used)
            elif used < CALM * tenant.quota:
                calm = {"$unset": {"quota_warned": ""}}
                await self._database.tenants.records.update_one(
                    {"_id": tenant.name, "quota_warned": {"$ne": None}}, calm
                )
        self.near = near

    async def _limited(self) -> AsyncIterator[Tenant]:
        if await self._database.tenants.records.find_one({"quota_bytes": {"$gt": 0}}, {"_id": 1}) is None:
            return
        async for tenant in open_all(self._database):
            if tenant.quota:
                yield tenant

    async def _warn(self, tenant: Tenant, used: int) -> None:
        """Of all servers, the one that writes the moment warns."""
        first = {"_id": tenant.name, "state": "ready", "quota_warned": None}
        warned = await self._database.tenants.records.update_one(first, {"$set": {"quota_warned": now()}})
        if not warned.modified_count:
            return
        percent = round(100 * used / tenant.quota)
        logger.warning(
            "%s uses %d %% of its quota: %s of %s", tenant.name, percent, human_size(used), human_size(tenant.quota)
        )
        if self._smtp_server is None:
            return
        text = MAIL.format(tenant=tenant.name, used=human_size(used), quota=human_size(tenant.quota), percent=percent)
        administrators = {"role": Role.ADMIN.value, "email": {"$gt": ""}}
        async for user in tenant.users.records.find(administrators, {"email": 1}).limit(MOST_MAILS):
            if address := user.get("email"):
                self._put(partial(self._smtp_server.send, address, f"{tenant.name} is near its quota", text))

    def _put(self, send: Callable[[], Awaitable[None]]) -> None:
        try:
            self._outbox.put(send)
        except Refused:
            logger.warning("a mail about a quota was dropped: too many mails are waiting")
