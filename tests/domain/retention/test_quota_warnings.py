"""Warnings about tenants that are near their quota."""

import uuid

import pytest

from catalog.domain.files import quota
from catalog.domain.people.authentication.mail import Outbox, SmtpServer
from catalog.domain.tenants import tenants, usage
from catalog.domain.tenants.quota_warnings import QuotaWatch
from catalog.domain.tenants.tenants import Administrator
from catalog.store.documents.tenants import RegisteredTenant
from tests.dialects.v1.test_password_resets import Letterbox, serving
from tests.support.app import OURS, PASSWORD


@pytest.fixture
async def tenant(database, storage):
    """A tenant with a quota of 1000 bytes."""
    name = f"{OURS}-{uuid.uuid4().hex[:8]}"
    record = RegisteredTenant(id=name, database=name, email="info@example.org", quota_bytes=1000)
    await tenants.make(database, storage, record, Administrator("admin", PASSWORD))
    return await tenants.enter(database, name)


async def test_administrators_are_warned_once_until_there_is_room_again(database, tenant, caplog):
    letterbox, outbox = Letterbox(), Outbox()
    async with serving(letterbox) as port:
        post = SmtpServer.parse(f"127.0.0.1:{port}", "", "", "catalog@example.org", "")
        watches = [QuotaWatch(database, post, outbox) for _ in range(2)]

        async def mails_at(used):
            await tenant.add(quota.BYTES, used - await quota.usage(tenant))
            for watch in watches:  # two servers
                await watch.look()
            await outbox.drain(10)
            return len(letterbox.mails)

        counts = [await mails_at(used) for used in (799, 800, 990, 760, 850, 740, 900)]
        near = [watch.near for watch in watches]

    assert counts == [0, 1, 1, 1, 1, 1, 2]
    assert near == [1, 1]
    assert letterbox.mails[0][1]["To"] == "info@example.org"
    assert "80 % of its quota" in letterbox.mails[0][1].get_content()
    assert [
        record.getMessage().split(" uses ")[1][:4] for record in caplog.records if "quota" in record.getMessage()
    ] == ["80 %", "90 %"]
    assert (await usage.read(tenant))["near_quota"] is True
