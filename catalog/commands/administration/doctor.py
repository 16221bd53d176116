"""`catalog doctor`: checks everything that a server needs, and says how to solve the problems that it finds."""

import asyncio
import os
import resource
import shutil
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

from catalog.blobs.protocol import Storage, StorageSetupError, StorageUnavailableError
from catalog.blobs.s3 import credentials
from catalog.blobs.selection import select_storage
from catalog.commands.administration.certificate import chain_problems
from catalog.domain.people.authentication.mail import MailServerError, SmtpServer
from catalog.durations import human_size
from catalog.operations.stores import open_stores
from catalog.server.certificates import choose, is_real
from catalog.settings.settings import Settings
from catalog.store.database import Database
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.embedded.engines import EngineMissingError, describe, select
from catalog.store.embedded.process import DatabaseInUse, DatabaseUnavailable
from catalog.store.failures import UNAVAILABLE
from catalog.store.migrations.steps.sequence import NEWEST
from catalog.store.migrations.upgrade import number_of
from catalog.vocabulary import Kind

RESOURCES = Path("resources")
PROBE_TENANT = "_doctor"
"""The tenant of a test write to the storage: no tenant's name begins with an underscore."""

LITTLE, NEXT_TO_NOTHING = 5 * 2**30, 2**28  # bytes free
LATE = 5.0  # seconds that two clocks may differ
SOON = 21  # days before a certificate ends
FEW_FILES = 1024
SMALL = 10_000  # items, of a tenant on the embedded database
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Grade(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILURE = "FAILURE"


class CheckResult(NamedTuple):
    grade: Grade
    sentence: str


def ok(sentence: str) -> CheckResult:
    return CheckResult(Grade.OK, sentence)


def warning(sentence: str) -> CheckResult:
    return CheckResult(Grade.WARNING, sentence)


def failure(sentence: str) -> CheckResult:
    return CheckResult(Grade.FAILURE, sentence)


async def examine(settings: Settings) -> AsyncIterator[CheckResult]:
    """Everything that is found, good and bad, as it is found. Nothing is changed, and no folder is created."""
    for finding in (*_settings(settings), *_certificates(settings), *_machine(settings)):
        yield finding
    with TemporaryDirectory(prefix="catalog-doctor-") as scratch:
        async with aclosing(_stores(_with_folders(settings, Path(scratch)))) as findings:
            async for finding in findings:
                yield finding


def _with_folders(settings: Settings, scratch: Path) -> Settings:
    """The settings with folders in `scratch` in place of those that no server has created yet."""
    folders = {"data_path": settings.data_path, "upload_path": settings.upload_path}
    return settings.model_copy(update={name: scratch / name for name, path in folders.items() if not path.exists()})


async def _stores(settings: Settings) -> AsyncGenerator[CheckResult]:
    async with aclosing(_database(settings)) as findings:
        async for finding in findings:
            yield finding
    if settings.mail_settings:
        yield await _mail(SmtpServer.of(settings.mail_settings))
    if settings.storage != "files":
        yield _credentials(settings)
    yield await _storage(select_storage(settings.storage_settings), settings.storage)


def _settings(settings: Settings) -> Iterator[CheckResult]:
    yield ok("The settings can be read")
    if not settings.on_loopback and settings.protocol == "http":
        yield warning(
            f"HOST {settings.host} can be reached from other machines, and PROTOCOL is http: nothing is encrypted"
        )
    if "0.0.0.0/0" in settings.trusted_proxies or "::/0" in settings.trusted_proxies:
        yield failure(
            "TRUSTED_PROXIES trusts every address: any client may say from which address, with which host and under "
            "which path it comes. List the addresses of the proxies"
        )
    if settings.upload_path.absolute() == settings.data_path.absolute() and settings.storage == "files":
        yield failure(
            f"UPLOAD_PATH and DATA_PATH are the same folder, {settings.data_path}: give the files one of their own"
        )
    if settings.http_redirect and settings.protocol == "http":
        yield warning("HTTP_REDIRECT has no effect: PROTOCOL is http")
    if not settings.smtp_server:
        yield warning("SMTP_SERVER is empty: links to reset a password go to the log instead of to people")
    file = settings.data_path / "secrets.env"
    if file.exists() and file.stat().st_mode & OTHERS:
        yield failure(f"{file} can be read by others: chmod 600 {file}")


def _certificates(settings: Settings) -> Iterator[CheckResult]:
    if settings.protocol == "http":
        return
    choice = choose(RESOURCES, settings.httpssecret.get_secret_value())
    for reason in choice.warnings:
        yield failure(reason)
    if choice.leaf is None:
        absent = f"There is no certificate in {RESOURCES}/ that can be used"
        if settings.on_loopback:
            yield warning(f"{absent}: the server speaks plain HTTP (catalog certificate --help)")
        else:
            yield failure(f"{absent}: the server does not start (catalog certificate --help, or PROTOCOL=http)")
        return
    for problem in chain_problems(choice):
        yield warning(problem)
    days = (choice.leaf.not_valid_after_utc - datetime.now(UTC)).days
    kind = "The certificate" if is_real(choice) else "The self-signed certificate"
    sentence = f"{kind} {choice.certificate} ends in {days} days"
    yield ok(sentence) if days > SOON else warning(f"{sentence}: renew it")
    if choice.key and choice.key.stat().st_mode & OTHERS:
        yield warning(f"{choice.key} can be read by others: chmod 600 {choice.key}")


def _machine(settings: Settings) -> Iterator[CheckResult]:
    folders = [settings.data_path] if settings.database == "embedded" else []
    folders += [settings.upload_path] if settings.storage == "files" else []
    for folder in folders:
        yield _room(folder)
    if settings.database == "embedded" and not settings.data_path.exists():
        yield warning(
            f"There is no folder {settings.data_path} yet, and an empty database is tried: if a server has run, repeat "
            "this where it was started, or with its DATA_PATH"
        )
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files < FEW_FILES:
        yield warning(f"A process may open {files} files: raise it to {FEW_FILES} or more (ulimit -n)")


def _room(folder: Path) -> CheckResult:
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return failure(f"{folder} cannot be written to: check who owns {there}")
    free = shutil.disk_usage(there).free
    sentence = f"{folder} has {human_size(free)} free"
    if free < NEXT_TO_NOTHING:
        return failure(f"{sentence}: make room, or uploads will be refused")
    return ok(sentence) if free >= LITTLE else warning(f"{sentence}: that is little for models")


async def _database(settings: Settings) -> AsyncGenerator[CheckResult]:
    began = perf_counter()
    if settings.database == "embedded":
        try:
            yield ok(describe(select(settings.embedded_engine)))
        except EngineMissingError as error:
            yield failure(str(error))
            return
    try:
        async with open_stores(
            settings.database, settings.data_path, settings.storage_settings, settings.embedded_engine
        ) as stores:
            yield ok(f"The database answers ({perf_counter() - began:.2f} s to open it)")
            async for finding in _about(stores.database, embedded=settings.database == "embedded"):
                yield finding
    except DatabaseInUse:
        yield ok("The embedded database is in use by a server that is running")
    except DatabaseUnavailable as error:
        yield failure(str(error))
    except UNAVAILABLE as error:
        yield failure(f"The database stopped answering: {type(error).__name__}")


async def _about(database: Database, *, embedded: bool) -> AsyncIterator[CheckResult]:
    hello = await database.client.admin.command("hello")
    apart = abs((hello["localTime"].replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds())
    if apart > LATE:
        yield failure(f"The clocks of this machine and of the database are {apart:.0f} s apart: use NTP on both")
    if not embedded and "setName" not in hello and hello.get("msg") != "isdbgrid":
        yield warning("The database is a single MongoDB: a replica set survives the loss of a machine")
    unfinished = await database.tenants.records.count_documents({"state": {"$ne": "ready"}})
    if unfinished:
        yield warning(f"{unfinished} tenants are half made or half removed: a server clears them within minutes")
    tenants = await database.tenants.find({"state": "ready"}).to_list()
    yield ok(f"There are {len(tenants)} tenants")
    for finding in _schemas(tenants):
        yield finding
    for record in tenants if embedded else ():
        tenant = database.tenant(record)
        items = sum([await tenant.items(kind).records.estimated_document_count() for kind in Kind])
        if items > SMALL:
            yield warning(
                f"{record.id} has {items} items, and the embedded database is made for {SMALL}: use a MongoDB"
            )


def _schemas(tenants: Sequence[RegisteredTenant]) -> Iterator[CheckResult]:
    """The schema numbers of the tenants, compared with the one that this version writes."""
    numbers = {record.id: max(number_of(record), record.schema_target or 0) for record in tenants}
    if newer := sorted(name for name, number in numbers.items() if number > NEWEST):
        highest = max(numbers.values())
        yield failure(
            f"{_named(newer)} of schema {highest}, and this version knows schemas up to {NEWEST}: run the newer version"
        )
    older = [record for record in tenants if numbers[record.id] <= NEWEST and number_of(record) < NEWEST]
    if older:
        found = ", ".join(map(str, sorted({number_of(record) for record in older})))
        yield warning(
            f"{_named([record.id for record in older])} of schema {found}, and this version writes {NEWEST}: a server "
            "upgrades a tenant when it opens it, and catalog migrate upgrades all"
        )
    if not newer and not older:
        yield ok(f"All tenants are of schema {NEWEST}")


def _named(names: Sequence[str]) -> str:
    """`acme is`, or `acme and 4 more are`."""
    return f"{names[0]} is" if len(names) == 1 else f"{names[0]} and {len(names) - 1} more are"


def _credentials(settings: Settings) -> CheckResult:
    try:
        found = credentials.description(settings.storage_settings.access_key)
    except StorageSetupError as error:
        return failure(str(error))
    return ok(f"The credentials of the storage are those of {found}")


async def _mail(server: SmtpServer) -> CheckResult:
    try:
        await server.check()
    except MailServerError as error:
        return failure(f"SMTP_SERVER {server.host}:{server.port} cannot be used: {error}")
    signed_in = " and accepts the password" if server.username else ""
    return ok(f"The mail server {server.host}:{server.port} answers{signed_in}")


async def _storage(storage: Storage, name: str) -> CheckResult:
    """Try to store, read and remove some bytes."""
    blobs, sent = storage.of(PROBE_TENANT), os.urandom(64)

    async def content() -> AsyncIterator[bytes]:
        yield sent

    began = perf_counter()
    try:
        await storage.check()
        blob = await blobs.put(content())
        received = b"".join([chunk async for chunk in blobs.read(blob.digest)])
        await blobs.drop(blob.digest)
        await storage.forget(PROBE_TENANT)
    except (StorageUnavailableError, StorageSetupError, OSError) as error:
        return failure(f"The storage {name} cannot be used: {error}")
    if received != sent:
        return failure(f"The storage {name} gives back other bytes than it was given")
    return ok(f"The storage {name} keeps, gives and drops bytes ({perf_counter() - began:.2f} s)")


def run(settings: Settings) -> Iterator[CheckResult]:
    """`examine`, a finding at a time."""
    with asyncio.Runner() as runner:
        findings = examine(settings)
        while True:
            finding = runner.run(_next(findings))
            if finding is None:
                return
            yield finding


async def _next(findings: AsyncIterator[CheckResult]) -> CheckResult | None:
    return await anext(findings, None)
