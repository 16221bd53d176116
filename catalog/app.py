"""The application: puts the stores, the dialects and the jobs together, and gives each its part of the settings."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.middleware import DefineMiddleware

from catalog.blobs.protocol import Storage
from catalog.blobs.selection import select_storage
from catalog.dialects.front import routes as front
from catalog.dialects.front.built import BuiltPage
from catalog.dialects.http.dialect import Dialect
from catalog.dialects.http.failures import error_handler
from catalog.dialects.http.passwords import Passwords
from catalog.dialects.http.request_log import RequestLog
from catalog.dialects.http.requests.client_ip import TrustedProxies
from catalog.dialects.http.requests.heads import HeadsOfGets
from catalog.dialects.http.requests.overrides import Overrides
from catalog.dialects.http.requests.paths import Parameters, Segments
from catalog.dialects.http.requests.requests import refuse_coded_body
from catalog.dialects.http.requests.shortcuts import Shortcuts
from catalog.dialects.http.sessions import Authentication, Sessions
from catalog.dialects.kubeflow import routes as kubeflow
from catalog.dialects.kubeflow.paths import Paths
from catalog.dialects.mlflow import routes as mlflow
from catalog.dialects.ops import file_descriptors
from catalog.dialects.ops import routes as ops
from catalog.dialects.ops.metrics import Metrics
from catalog.dialects.ops.worker_metrics import WorkerMetrics
from catalog.dialects.v1 import routes as v1
from catalog.dialects.v1.versions import tus
from catalog.domain.audit import Journal
from catalog.domain.cleanup.sweep_schedule import schedule as schedule_sweeps
from catalog.domain.health import Health
from catalog.domain.items.trash import PURGED_EVERY, purge_all
from catalog.domain.jobs import Jobs
from catalog.domain.people.authentication.mail import Outbox
from catalog.domain.tenants.quota_warnings import QuotaWatch
from catalog.domain.tenants.removal import CLEARED_EVERY, clear
from catalog.domain.tenants.tenants import FirstStart, ensure_default
from catalog.operations.backup.scheduled import BackupPlan, ScheduledBackups
from catalog.operations.backup.targets import target_of
from catalog.services import kubeflow_services, mlflow_services, native_services, session_tokens
from catalog.settings.settings import Settings
from catalog.store.connection import connect
from catalog.store.database import Database
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.failures import readable_failures

__all__ = ["FirstStart", "create_app"]

JOURNAL_PATIENCE = 5.0
"""Seconds that a stopping server gives the database to take the last entries."""

MAIL_PATIENCE = 5.0
"""Seconds that a stopping server gives the mail server to take the last mails."""

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
"""Headers that a page of another origin may read (Access-Control-Expose-Headers). tus adds its own."""

BUILT_PAGE = Path(__file__).parent / "web" / "dist"

LARGEST_BODY = 10 * 2**20
"""Bytes of JSON. Uploads have a limit of their own, MAX_UPLOAD_SIZE."""


def create_app(settings: Settings, database_uri: str, worker_metrics: WorkerMetrics | None = None) -> Litestar:
    """Create the application over a database. It connects, and creates the default tenant, when it starts.

    `worker_metrics` collects the metrics of several workers, if there are several.

    Raises DatabaseUnavailable when `database_uri` cannot be understood.
    """
    storage = select_storage(settings.storage_settings)
    database = connect(database_uri, storage)
    sessions = Sessions(database, session_tokens(settings))
    health = Health({"database": database.ping, "storage": storage.probe, "file_descriptors": file_descriptors.check})
    metrics = Metrics(worker_metrics)
    journal = _journal(settings, database)
    traces = _traces(settings.otel_exporter_otlp_endpoint)
    outbox = Outbox()
    services = native_services(settings, database, storage, sessions, outbox)
    quotas = QuotaWatch(database, services.reset_mails.smtp_server, outbox)
    _watch(metrics, journal, quotas)
    dialects = _dialects(settings, services, health, metrics)
    passwords = Passwords(sessions, services.throttle, services.proxies, settings.default_tenant)
    app = Litestar(
        route_handlers=[route for dialect in dialects for route in dialect.routes],
        middleware=[
            Parameters,
            DefineMiddleware(Authentication, sessions=sessions, other_schemes=passwords.read),
        ],
        before_request=refuse_coded_body,
        exception_handlers={Exception: error_handler(dialects)},
        state=State(
            {
                "database": database,
                "first_start": None,
                "health": health,
                "journal": journal,
                "outbox": outbox,
                "sessions": sessions,
            }
        ),
        lifespan=[
            _running(settings, database, storage, journal, quotas),
            _mailing(outbox),
            *([traces.running] if traces else []),
            *([lambda _: worker_metrics.serve(metrics.text)] if worker_metrics else []),
        ],
        plugins=[HeadsOfGets(), Shortcuts()],
        request_max_body_size=LARGEST_BODY,
        cors_config=_cors(settings.cors_origins) if settings.cors_origins else None,
        openapi_config=None,
        logging_config=None,
    )
    if traces:
        app.asgi_handler = traces.around(app.asgi_handler)
    # Outside of everything: the framework's own middlewares do not see a route that is not there.
    proxies, patience = TrustedProxies(settings.trusted_proxies), settings.client_timeout.total_seconds()
    overridden = Overrides(app.asgi_handler, f"/{settings.version}/uploads")
    app.asgi_handler = RequestLog(Segments(Paths(overridden)), journal, metrics, proxies, patience, health)
    return app


def _dialects(settings: Settings, services: v1.NativeServices, health: Health, metrics: Metrics) -> Sequence[Dialect]:
    """The first one words what belongs to no dialect."""
    prefix, api_token = f"/{settings.version}", settings.api_token.get_secret_value()
    native = v1.dialect(services, settings.version, api_token)
    probes = ops.OpsServices(health=health, metrics=metrics)
    # Behind a proxy, every client looks like this machine.
    is_open = settings.metrics_access == "loopback" and not settings.trusted_proxies
    page = front.FrontServices(proxies=services.proxies, built_page=BuiltPage.read(BUILT_PAGE, settings.version))
    return [
        native,
        mlflow.dialect(mlflow_services(settings, services)),
        kubeflow.dialect(kubeflow_services(settings, services)),
        ops.dialect(probes, api_token, native.error_response, open_to_loopback=is_open),
        front.dialect(page, prefix, native.error_response),
    ]


def _journal(settings: Settings, database: Database) -> Journal | None:
    if not settings.log:
        return None
    return Journal(database, settings.log_days, size=settings.log_size, reads=settings.log_reads)


def _traces(endpoint: str) -> Any:
    # Imported on demand: it needs packages of the extra `telemetry`.
    return import_module("catalog.dialects.ops.traces").Traces(endpoint) if endpoint else None


def _watch(metrics: Metrics, journal: Journal | None, quotas: QuotaWatch) -> None:
    metrics.watch("catalog_tenants_near_quota", "Tenants that use 80 % of their quota or more", lambda: quotas.near)
    if journal:
        metrics.watch("catalog_journal_waiting", "Entries that the journal has still to write", lambda: journal.waiting)
        metrics.watch("catalog_journal_written", "Entries written since the start", lambda: journal.written)
        metrics.watch("catalog_journal_dropped", "Entries dropped since the start", lambda: journal.dropped)


def _cors(origins: Iterable[str]) -> CORSConfig:
    return CORSConfig(allow_origins=list(origins), expose_headers=[*READ_BY_BROWSERS, *tus.READ_BY_BROWSERS])


def _running(
    settings: Settings, database: Database, storage: Storage, journal: Journal | None, quotas: QuotaWatch
) -> Any:
    @asynccontextmanager
    async def running(app: Litestar) -> AsyncIterator[None]:
        try:
            await storage.check()
            await database.open(settings.database_wait.total_seconds())
            with readable_failures():
                await clear(database, storage)
                app.state.first_start = await ensure_default(
                    database,
                    storage,
                    RegisteredTenant(id=settings.default_tenant, database=settings.default_tenant_database),
                    settings.default_tenant_admin_username,
                    settings.default_tenant_admin_temporary_password.get_secret_value(),
                )
            try:
                async with _jobs(settings, database, storage, journal, quotas).running():
                    yield
            finally:
                if journal:
                    await journal.close(JOURNAL_PATIENCE)
        finally:
            await database.stop_upgrades()
            database.close()

    return running


def _jobs(
    settings: Settings, database: Database, storage: Storage, journal: Journal | None, quotas: QuotaWatch
) -> Jobs:
    jobs = Jobs()
    jobs.every(CLEARED_EVERY, lambda: clear(database, storage), "the removal of tenants")
    jobs.every(PURGED_EVERY, lambda: purge_all(database), "the purge of the trash")
    quotas.schedule(jobs)
    if settings.backup_every:
        target = target_of(settings.backup_to, settings.storage_settings)
        plan = BackupPlan(settings.backup_every, settings.backup_full_every, settings.backup_keep)
        ScheduledBackups(database, storage, target, plan).schedule(jobs)
    if settings.sweep_every:
        schedule_sweeps(jobs, database, settings.sweep_every, settings.sweep_grace)
    if journal:
        journal.schedule(jobs)
    return jobs


def _mailing(outbox: Outbox) -> Any:
    @asynccontextmanager
    async def mailing(_: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await outbox.drain(MAIL_PATIENCE)

    return mailing
