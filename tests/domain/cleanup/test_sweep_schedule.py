"""Rounds of the sweep over all tenants: by the server itself, over HTTP and from the command line."""

import asyncio
import os
import subprocess
import sys
import uuid
from datetime import timedelta

import pytest

from catalog.blobs.files import FileStorage
from catalog.domain.cleanup import sweep_schedule
from catalog.domain.cleanup.sweep import SweepResult
from catalog.domain.cleanup.sweep_schedule import TenantSweep
from catalog.domain.jobs import Jobs
from catalog.domain.tenants import tenants
from catalog.domain.tenants.tenants import Administrator
from catalog.errors import BUSY, INTERNAL, NOT_FOUND, REQUEST, Refused
from catalog.store.clock import now
from catalog.store.concurrency.leases import Lease
from catalog.store.derived import term_counts
from catalog.store.documents.tenants import RegisteredTenant
from tests.domain.cleanup.test_sweep import DAY, HOUR, grow_old, there
from tests.domain.files.test_blob_records import OPERATOR, chunks
from tests.support.app import OURS, PASSWORD
from tests.support.serving import SOON, TENANT, Server, environment


@pytest.fixture
def storage(tmp_path):
    return FileStorage(tmp_path)


@pytest.fixture
async def made(database, storage):
    """Two tenants that are ready, the second with a blob that nothing names, from long ago."""
    names = [f"{OURS}-{letter}{uuid.uuid4().hex[:8]}" for letter in "ab"]
    for name in names:
        record = RegisteredTenant(id=name, database=name)
        await tenants.make(database, storage, record, Administrator("admin", PASSWORD))
    return names


async def sweeps_of(database, storage, **how):
    return [each async for each in sweep_schedule.sweep_tenants(database, grace=DAY, **how)]


async def test_a_round_sweeps_every_tenant(database, storage, made, tmp_path):
    await storage.of(made[1]).put(chunks(b"nobody names this"))
    await grow_old(await tenants.enter(database, made[1]), tmp_path)

    sweeps = await sweeps_of(database, storage)

    assert sweeps == [TenantSweep(made[0]), TenantSweep(made[1], SweepResult(blobs=1, bytes=17))]
    assert await sweeps_of(database, storage, only=made[1]) == [TenantSweep(made[1])]


async def test_pages_of_tenants_are_walked_to_the_end(database, storage, made, monkeypatch):
    monkeypatch.setattr(sweep_schedule, "PAGE", 1)

    assert [each.tenant for each in await sweeps_of(database, storage, dry_run=True)] == made


async def test_a_tenant_that_was_swept_lately_is_not_due(database, storage, made):
    await sweeps_of(database, storage, only=made[0], every=HOUR)

    assert [each.tenant for each in await sweeps_of(database, storage, every=HOUR)] == [made[1]]

    await database.tenants.records.update_many({}, {"$set": {"swept": now() - HOUR - timedelta(seconds=1)}})
    assert [each.tenant for each in await sweeps_of(database, storage, every=HOUR)] == made


async def test_the_uses_of_words_are_counted_again_after_a_start_and_then_once_a_day(
    database, storage, made, monkeypatch
):
    tenant = await tenants.enter(database, made[0])
    monkeypatch.setattr(term_counts, "SETTLED", 0)

    async def mended(counted_since):
        await tenant.tags.records.update_one({"_id": "flowers"}, {"$set": {"uses": 3}}, upsert=True)
        await database.tenants.records.update_many({}, {"$unset": {"swept": ""}})
        [each] = await sweeps_of(database, storage, only=made[0], every=HOUR, counted_since=counted_since)
        return each.result.words

    start = now()
    assert [await mended(start), await mended(start), await mended(now() + timedelta(milliseconds=1))] == [1, 0, 1]
    await database.tenants.records.update_many({}, {"$set": {"recounted": now() + DAY}})  # by a clock that was wrong
    assert await mended(start) == 1


async def test_a_tenant_that_another_server_sweeps_is_left_to_it_until_that_is_dead(database, storage, made):
    await database.tenants.records.update_one(
        {"_id": made[0]}, {"$set": {"sweeping": now() + sweep_schedule.LEASE_LENGTH}}
    )

    one, other = await sweeps_of(database, storage)

    assert (one.refused.fault, other.refused) == (BUSY, None)
    await database.tenants.records.update_one({"_id": made[0]}, {"$set": {"sweeping": now() - timedelta(seconds=1)}})
    assert [each.refused for each in await sweeps_of(database, storage)] == [None, None]


async def test_a_tenant_that_is_removed_meanwhile_is_left(database, storage, made, monkeypatch):
    monkeypatch.setattr(sweep_schedule, "BEAT", 0.001)

    async def endless(*args, **kwargs):
        await database.tenants.records.update_one({"_id": made[0]}, {"$set": {"state": "removing"}})
        await asyncio.Event().wait()

    monkeypatch.setattr(sweep_schedule, "sweep", endless)

    [each] = await sweeps_of(database, storage, only=made[0])

    assert each.refused.fault is BUSY


async def test_the_trouble_of_one_tenant_is_not_the_next_ones(database, storage, made, monkeypatch, caplog):
    async def broken(tenant, *args, **kwargs):
        if tenant.name == made[0]:
            raise OSError("a broken disk")
        return SweepResult()

    monkeypatch.setattr(sweep_schedule, "sweep", broken)

    one, other = await sweeps_of(database, storage)

    assert (one.refused.fault, other) == (INTERNAL, TenantSweep(made[1]))
    assert "a broken disk" in caplog.text


@pytest.mark.parametrize(("how", "fault"), [({"only": "nobody"}, NOT_FOUND), ({"grace": HOUR / 7}, REQUEST)])
async def test_what_a_round_is_refused_for(database, storage, how, fault):
    with pytest.raises(Refused) as refusal:
        [each async for each in sweep_schedule.sweep_tenants(database, **{"grace": DAY} | how)]

    assert refusal.value.fault is fault


async def test_a_server_sweeps_by_itself(database, storage, made, tmp_path, monkeypatch):
    await storage.of(made[0]).put(chunks(b"nobody names this"))
    await grow_old(await tenants.enter(database, made[0]), tmp_path)

    both_are_swept, release, released = asyncio.Event(), Lease.release, []

    async def counted_release(lease, changes):
        await release(lease, changes)
        released.append(lease)
        if len(released) == len(made):
            both_are_swept.set()

    monkeypatch.setattr(Lease, "release", counted_release)
    jobs = Jobs()
    sweep_schedule.schedule(jobs, database, timedelta(milliseconds=1), DAY)
    async with jobs.running():
        await asyncio.wait_for(both_are_swept.wait(), SOON)

    assert await there(storage.of(made[0])) == set()


# Over HTTP, and from the command line.


async def test_the_operator_has_a_tenant_swept(client, org, other_org):
    url = f"/v1/sweep?dry_run=true&grace=1h&tenant={org.name}"

    answer = await client.post(url, headers=OPERATOR)

    nothing_removed = dict.fromkeys(SweepResult._fields, 0)
    assert answer.json() == {"dry_run": True, "tenants": [{"_id": org.name, **nothing_removed}]}
    assert (await client.post(url, headers=org.as_("admin"))).status_code == 401


@pytest.mark.parametrize(
    ("query", "status", "details"),
    [
        ("tenant=nobody", 404, "nobody"),
        ("grace=1m", 400, "grace: at least 10m is needed, so that running uploads keep their bytes"),
        ("grace=soon", 400, "grace: should be a duration such as 45s, 30m, 12h or 7d (a bare number is seconds)"),
        ("dry_run=perhaps", 400, "dry_run: true or false is needed"),
    ],
)
async def test_a_sweep_that_cannot_be_is_refused_in_a_sentence(client, query, status, details):
    answer = await client.post(f"/v1/sweep?{query}", headers=OPERATOR)

    assert (answer.status_code, answer.json()["details"]) == (status, details)


def test_the_command_has_a_running_server_sweep(tmp_path):
    with Server(tmp_path) as server:
        folder = tmp_path / "uploads" / TENANT
        for name, data in {"incoming/" + 32 * "a": b"x" * 2048, f"ab/{'ab' * 32}": b"y" * 5 * 2**20}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
            os.utime(folder / name, (0, 0))

        told = [catalog(tmp_path, "sweep", "--server", server.url, *more) for more in (["--dry-run"], [], [])]

        found = "1 unused file (5 MiB) and 1 interrupted upload (2 KiB)"
        assert told == [
            (0, f"{TENANT}: would remove {found}"),
            (0, f"{TENANT}: removed {found}"),
            (0, f"{TENANT}: removed nothing"),
        ]
        code, sentence = catalog(tmp_path, "sweep", "--server", server.url, "--grace", "5m")
        assert (code, sentence.startswith("The request has errors (grace: at least 10m is needed")) == (1, True)


def catalog(folder, *arguments):
    command = [sys.executable, "-m", "catalog", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def test_without_a_token_the_command_says_where_to_put_it(tmp_path):
    assert catalog(tmp_path, "sweep") == (2, "API_TOKEN is not known here: put it into CATALOG_TOKEN")
    assert list(tmp_path.iterdir()) == []
