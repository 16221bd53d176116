"""The application: the only file that knows every room."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from importlib import import_module
from typing import Any

from litestar import Litestar, Router
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from catalog.blobs.protocol import Storage
from catalog.blobs.selection import storage_of
from catalog.dialects.front import Front
from catalog.dialects.http import guards
from catalog.dialects.http.client_ip import Addresses
from catalog.dialects.http.heads import HeadsOfGets
from catalog.dialects.http.overrides import Overrides
from catalog.dialects.http.paths import Parameters, Segments
from catalog.dialects.http.request_log import Observed
from catalog.dialects.http.requests import Requests
from catalog.dialects.http.sessions import Authentication, Sessions
from catalog.dialects.openapi.document import operations
from catalog.dialects.openapi.routes import Docs, Documentation, Schema
from catalog.dialects.ops import file_descriptors, health
from catalog.dialects.ops.metrics import Metrics
from catalog.dialects.ops.worker_metrics import Colleagues
from catalog.dialects.v1 import (
    about,
    drafts,
    items,
    links,
    log,
    password_resets,
    people,
    search,
    tenants,
    terms,
    tokens,
    trash,
    tus,
    usage,
    versions,
)
from catalog.dialects.v1.http import AnyRequest, refusal
from catalog.domain.access import Caller
from catalog.domain.audit import Journal
from catalog.domain.cleanup.sweep_schedule import keep_swept
from catalog.domain.health import Health
from catalog.domain.limits import Limits
from catalog.domain.people.credentials import Tokens
from catalog.domain.people.devices import Devices
from catalog.domain.people.login_throttle import Attempts
from catalog.domain.people.mail import Outbox, Post
from catalog.domain.people.password_resets import Resets
from catalog.domain.people.users import Policy
from catalog.domain.tenants.tenants import Administrator, FirstStart, clear, ensure_default, keep_clear
from catalog.domain.versions.links import Links
from catalog.settings.settings import Settings
from catalog.store.database import Database, connect, told_in_a_sentence
from catalog.store.documents import RegisteredTenant

__all__ = ["FirstStart", "create_app"]

JOURNAL_PATIENCE = 5.0
"""Seconds that a server which stops gives the database to take the last entries."""

MAIL_PATIENCE = 5.0
"""Seconds that a server which stops gives the mail server to take the last mails."""

READ_BY_BROWSERS = (
    "ETag",
    "Last-Modified",
    "Content-Disposition",
    "Content-Length",
    "Content-Range",
    "Accept-Ranges",
    "Accept-Encoding",
    "Repr-Digest",
    "Retry-After",
    "Allow",
    "WWW-Authenticate",
    "X-Request-ID",
)
"""Headers that a page of another origin sees only when it is told that it may. tus has more."""

LARGEST_BODY = 10 * 2**20
"""Bytes of JSON. Uploads have a limit of their own, MAX_UPLOAD_SIZE."""


def create_app(settings: Settings, database_uri: str, colleagues: Colleagues | None = None) -> Litestar:
    """The application over a database. Connecting, and making the default tenant, waits for its start.

    `colleagues` are the other workers, if there are any.

    Raises DatabaseUnavailable when `database_uri` cannot be understood.
    """
    storage = storage_of(settings)
    database = connect(database_uri, storage)
    tokens = Tokens(
        settings.jwt_secret.get_secret_value(), settings.jwt_expirationtime, settings.jwt_renew_expirationtime
    )
    sessions = Sessions(database, tokens)
    readiness = Health(
        {"database": database.ping, "storage": storage.probe, "file_descriptors": file_descriptors.check}
    )
    metrics = Metrics(colleagues)
    journal = (
        Journal(database, settings.log_days, size=settings.log_size, reads=settings.log_reads) if settings.log else None
    )
    if journal:
        _watch(journal, metrics)
    traces = _traces(settings.otel_exporter_otlp_endpoint)
    outbox = Outbox()
    given = _given(settings, database, storage, sessions, outbox)
    given |= {"health": _always(readiness), "metrics": _always(metrics)}
    app = Litestar(
        route_handlers=[*_native(settings), *_watching(settings)],
        dependencies=given | {"caller": Provide(_caller, sync_to_thread=False)},
        middleware=[Parameters(), Authentication(sessions)],
        before_request=Requests(operations(f"/{settings.version}")).look_at,
        exception_handlers={Exception: refusal},
        state=State(
            {"database": database, "first_start": None, "health": readiness, "journal": journal, "outbox": outbox}
        ),
        lifespan=[
            _running(settings, database, storage),
            _mailing(outbox),
            *([_journalling(journal)] if journal else []),
            *([traces.running] if traces else []),
            *([lambda _: colleagues.told(metrics.text)] if colleagues else []),
        ],
        plugins=[HeadsOfGets()],
        request_max_body_size=LARGEST_BODY,
        cors_config=_cors(settings.cors_origins) if settings.cors_origins else None,
        openapi_config=None,
        logging_config=None,
    )
    if traces:
        app.asgi_handler = traces.around(app.asgi_handler)
    # Outside of everything: the framework's own middlewares do not see a route that is not there.
    addresses, patience = Addresses(settings.trusted_proxies), settings.client_timeout.total_seconds()
    overridden = Overrides(app.asgi_handler, f"/{settings.version}/uploads")
    app.asgi_handler = Observed(Segments(overridden), journal, metrics, addresses, patience, readiness)
    return app


def _traces(endpoint: str) -> Any:
    # Imported when wanted: what it needs is in an extra of its own.
    return import_module("catalog.dialects.ops.traces").Traces(endpoint) if endpoint else None


def _watching(settings: Settings) -> list[ControllerRouterHandler]:
    token = settings.api_token.get_secret_value()
    open_to_loopback = settings.metrics_access == "loopback" and not settings.trusted_proxies
    may_watch = guards.operator_or_loopback(token) if open_to_loopback else guards.operator_only(token)
    return [health.Probes, Router("/", route_handlers=[health.Measured], guards=[may_watch])]


def _watch(journal: Journal, metrics: Metrics) -> None:
    metrics.watch("catalog_journal_waiting", "Entries that the journal has still to write", lambda: journal.waiting)
    metrics.watch("catalog_journal_written", "Entries written since the start", lambda: journal.written)
    metrics.watch("catalog_journal_dropped", "Entries dropped since the start", lambda: journal.dropped)


def _cors(origins: Iterable[str]) -> CORSConfig:
    return CORSConfig(allow_origins=list(origins), expose_headers=[*READ_BY_BROWSERS, *tus.READ_BY_BROWSERS])


def _native(settings: Settings) -> list[ControllerRouterHandler]:
    for_operator = Router(
        "/",
        route_handlers=[tenants.Tenants, usage.Sweeps, log.OperatorsLog],
        guards=[guards.operator_only(settings.api_token.get_secret_value())],
    )
    login = Router("/login", route_handlers=[people.Login])
    versioned = Router(
        f"/{settings.version}",
        route_handlers=[
            about.About,
            about.Info,
            for_operator,
            tenants.TenantNames,
            login,
            people.Users,
            tokens.Tokens,
            password_resets.Self,
            tus.Offer,
            tus.Uploads,
            items.Models,
            items.Datasets,
            items.Algorithms,
            versions.ModelVersions,
            versions.DatasetVersions,
            versions.AlgorithmVersions,
            drafts.ModelFolders,
            drafts.DatasetFolders,
            drafts.AlgorithmFolders,
            links.ModelLink,
            links.DatasetLink,
            links.AlgorithmLink,
            links.Linked,
            links.Blobs,
            trash.Trash,
            terms.Tags,
            terms.MetadataNames,
            search.Search,
            usage.Usage,
            log.Log,
            Docs,
        ],
    )
    return [versioned, login, Schema, Front]


def _given(
    settings: Settings, database: Database, storage: Storage, sessions: Sessions, outbox: Outbox
) -> dict[str, Provide]:
    """What handlers may ask for by name."""
    administrator = Administrator(
        settings.default_tenant_admin_username,
        settings.default_tenant_admin_temporary_password.get_secret_value(),
    )
    addresses = Addresses(settings.trusted_proxies, settings.public_url)
    limits = _limits(settings)
    values = {
        "database": database,
        "storage": storage,
        "sessions": sessions,
        "attempts": Attempts(database, counts_loopback=Addresses(settings.trusted_proxies).names_loopback),
        "devices": Devices(settings.jwt_secret.get_secret_value()),
        "addresses": addresses,
        "reset_mails": _resets(settings, outbox),
        "policy": Policy(settings.min_password_strength, settings.default_days_validity_password),
        "default_tenant": settings.default_tenant,
        "public_tenants": settings.public_tenants,
        "holds_api_token": guards.recognises(settings.api_token.get_secret_value()),
        "default_administrator": administrator,
        "trash_days": settings.trash_days,
        "sweep_grace": settings.sweep_grace,
        "upload_life": timedelta(days=settings.upload_days),
        "limits": limits,
        "documentation": Documentation(f"/{settings.version}", limits),
        "max_upload_size": settings.max_upload_size,
        "signed": Links(settings.jwt_secret.get_secret_value()),
        "token_life": settings.jwt_expirationtime.text,
        "demo": settings.demo,
        "log": settings.log,
    }

    def outer_prefix(request: AnyRequest) -> str:
        return addresses.prefix_of(request.scope)

    def native_prefix(request: AnyRequest) -> str:
        """What every address of ours begins with that a client is told."""
        return f"{addresses.prefix_of(request.scope)}/{settings.version}"

    asked = {"outer_prefix": outer_prefix, "native_prefix": native_prefix}
    return {name: _always(value) for name, value in values.items()} | {
        name: Provide(answer, sync_to_thread=False) for name, answer in asked.items()
    }


def _limits(settings: Settings) -> Limits:
    return Limits(
        name=settings.limit_name,
        tag=settings.limit_tag,
        metadata_name=settings.limit_metadata_name,
        metadata_value=settings.limit_metadata_value,
        tags=settings.limit_tags,
        metadata=settings.limit_metadata,
        users=settings.limit_users,
        new_terms=settings.limit_new_terms,
        terms=settings.limit_terms,
        uploads=settings.limit_uploads,
        elements=settings.limit_elements,
    )


def _resets(settings: Settings, outbox: Outbox) -> Resets:
    post = settings.smtp_server and Post.of(
        settings.smtp_server,
        settings.smtp_username,
        settings.smtp_password.get_secret_value(),
        settings.smtp_email,
        settings.email_tag,
    )
    port = settings.https_port if settings.protocol == "https" else settings.http_port
    public_url = settings.public_url.rstrip("/") or f"{settings.protocol}://{settings.host}:{port}"
    return Resets(post or None, public_url, settings.version, settings.reset_expirationtime, outbox)


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
            await storage.check()
            await database.open(settings.database_wait)
            with told_in_a_sentence():
                await clear(database, storage)
                app.state.first_start = await ensure_default(
                    database,
                    storage,
                    RegisteredTenant(id=settings.default_tenant, database=settings.default_tenant_database),
                    settings.default_tenant_admin_username,
                    settings.default_tenant_admin_temporary_password.get_secret_value(),
                )
            clearing = asyncio.create_task(keep_clear(database, storage))
            sweeping = asyncio.create_task(_sweeping(settings, database, storage))
            try:
                yield
            finally:
                await _ended(clearing)
                await _ended(sweeping)
        finally:
            database.close()

    return running


async def _sweeping(settings: Settings, database: Database, storage: Storage) -> None:
    if settings.sweep_every:
        await keep_swept(database, storage, settings.sweep_every, settings.sweep_grace)


async def _ended(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _mailing(outbox: Outbox) -> Any:
    @asynccontextmanager
    async def mailing(_: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await outbox.drain(MAIL_PATIENCE)

    return mailing


def _journalling(journal: Journal) -> Any:
    @asynccontextmanager
    async def journalling(_: Litestar) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(journal.keep()), asyncio.create_task(journal.forget())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await journal.close(JOURNAL_PATIENCE)

    return journalling
