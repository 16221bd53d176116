"""The application: the only file that knows every room."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Router
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from catalog.blobs import Storage
from catalog.blobs.files import FileStorage
from catalog.dialects import guards
from catalog.dialects.sessions import Authentication, Sessions
from catalog.dialects.v1 import about, items, names, people, search, tenants, trash, versions
from catalog.dialects.v1.wire import AnyRequest, refusal
from catalog.domain.access import Caller
from catalog.domain.credentials import Tokens
from catalog.domain.forms import Limits
from catalog.domain.tenants import Administrator, FirstStart, clear, ensure_default
from catalog.domain.users import Policy
from catalog.settings import Settings
from catalog.store.database import Database, connect, told_in_a_sentence
from catalog.store.documents import TenantRecord

__all__ = ["FirstStart", "create_app"]

LARGEST_BODY = 10 * 2**20
"""Bytes of JSON. Uploads have a limit of their own, MAX_UPLOAD_SIZE."""


def create_app(settings: Settings, database_uri: str) -> Litestar:
    """The application over a database. Connecting, and making the default tenant, waits for its start.

    Raises DatabaseUnavailable when `database_uri` cannot be understood.
    """
    database = connect(database_uri)
    storage = FileStorage(settings.upload_path)
    tokens = Tokens(
        settings.jwt_secret.get_secret_value(), settings.jwt_expirationtime, settings.jwt_renew_expirationtime
    )
    sessions = Sessions(database, tokens)
    return Litestar(
        route_handlers=[*_native(settings)],
        dependencies=_given(settings, database, storage, sessions) | {"caller": Provide(_caller, sync_to_thread=False)},
        middleware=[Authentication(sessions)],
        exception_handlers={Exception: refusal},
        state=State({"database": database, "first_start": None}),
        lifespan=[_running(settings, database, storage)],
        request_max_body_size=LARGEST_BODY,
        cors_config=CORSConfig(allow_origins=list(settings.cors_origins)) if settings.cors_origins else None,
        openapi_config=None,
        logging_config=None,
    )


def _native(settings: Settings) -> list[ControllerRouterHandler]:
    for_operator = Router(
        "/", route_handlers=[tenants.Tenants], guards=[guards.operator_only(settings.api_token.get_secret_value())]
    )
    login = Router("/login", route_handlers=[people.Login])
    versioned = Router(
        f"/{settings.version}",
        route_handlers=[
            about.About,
            about.Info,
            for_operator,
            login,
            people.Users,
            items.Models,
            items.Datasets,
            items.Algorithms,
            versions.ModelVersions,
            versions.DatasetVersions,
            versions.AlgorithmVersions,
            trash.Trash,
            names.Tags,
            names.MetadataNames,
            search.Search,
        ],
    )
    return [versioned, login]


def _given(settings: Settings, database: Database, storage: Storage, sessions: Sessions) -> dict[str, Provide]:
    """What handlers may ask for by name."""
    administrator = Administrator(
        settings.default_tenant_admin_username,
        settings.default_tenant_admin_temporary_password.get_secret_value(),
    )
    values = {
        "database": database,
        "storage": storage,
        "sessions": sessions,
        "policy": Policy(settings.min_password_strength, settings.default_days_validity_password),
        "default_tenant": settings.default_tenant,
        "default_administrator": administrator,
        "trash_days": settings.trash_days,
        "limits": Limits(
            name=settings.limit_name,
            tag=settings.limit_tag,
            metadata_name=settings.limit_metadata_name,
            metadata_value=settings.limit_metadata_value,
            tags=settings.limit_tags,
            metadata=settings.limit_metadata,
            users=settings.limit_users,
        ),
        "max_upload_size": settings.max_upload_size,
        "token_life": settings.jwt_expirationtime.text,
        "demo": settings.demo,
        "log": settings.log,
    }
    return {name: _always(value) for name, value in values.items()}


def _always(value: Any) -> Provide:
    def given() -> Any:
        return value

    return Provide(given, sync_to_thread=False)


def _caller(request: AnyRequest) -> Caller:
    caller: Caller = request.scope["user"]  # `guards.signed_in` has seen that there is one
    return caller


def _running(settings: Settings, database: Database, storage: Storage) -> Any:
    @asynccontextmanager
    async def running(app: Litestar) -> AsyncIterator[None]:
        try:
            await database.open()
            with told_in_a_sentence():
                await clear(database, storage)
                app.state.first_start = await ensure_default(
                    database,
                    storage,
                    TenantRecord(id=settings.default_tenant, database=settings.default_tenant_database),
                    settings.default_tenant_admin_username,
                    settings.default_tenant_admin_temporary_password.get_secret_value(),
                )
            yield
        finally:
            database.close()

    return running
