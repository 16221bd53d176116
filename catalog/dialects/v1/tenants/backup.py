"""Backups of a running server."""

from litestar import Controller, post
from litestar.response import Stream

from catalog.blobs.protocol import Storage
from catalog.dialects.http.docs.refusals import refuses
from catalog.dialects.http.requests.injection import Injected
from catalog.dialects.v1.models.tenants.backup import BackupRequest
from catalog.dialects.v1.requests.bodies import Json
from catalog.dialects.v1.tenants.usage import TAG
from catalog.errors import BACKUP_CHANGED, NOT_FOUND, TENANT_NEWER, Refused
from catalog.operations.backup.streaming import stream
from catalog.operations.backup.writing import ResumptionRefusedError, UnknownTenantError, find_tenants
from catalog.store.database import Database
from catalog.store.migrations.upgrade import missing_steps


class Backups(Controller):
    """Guarded by `guards.operator_only`, which `routes` adds: it knows API_TOKEN."""

    path = "/backup"
    tags = (TAG,)
    opt = {"public": True}  # noqa: RUF012  Litestar's way: API_TOKEN is not a user's token

    @post(
        status_code=200,
        operation_id="backup",
        media_type="application/x-tar",
        response_description="The archive. It is complete if it has its end.",
        responses=refuses(NOT_FOUND, BACKUP_CHANGED, TENANT_NEWER),
    )
    async def backup(
        self, data: Json[BackupRequest], database: Injected[Database], storage: Injected[Storage]
    ) -> Stream:
        """Back up tenants while the server runs.

        The archive is written as it is read, in constant memory. An archive without its end is not a backup; a
        request with `resume` gets the missing part.
        """
        resume = data.resume.resumption() if data.resume else None
        try:
            records = await find_tenants(database, data.tenants or ())
        except UnknownTenantError as unknown:
            raise Refused(NOT_FOUND, str(unknown)) from None
        for record in records:
            missing_steps(record)
        try:
            if resume:
                resume.remaining(records)
        except ResumptionRefusedError as changed:
            raise Refused(BACKUP_CHANGED, str(changed)) from None
        archive = stream(database, storage, records, since=data.increment(), resume=resume)
        return Stream(archive, media_type="application/x-tar")
