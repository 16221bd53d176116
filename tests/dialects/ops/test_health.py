"""Alive and ready: what a balancer asks, and what it is told when a part is away."""

import asyncio
import os
import signal
import time

import httpx
import pytest

from catalog.domain.health import Health
from tests.support.app import client_of_app
from tests.support.serving import SOON, Server


async def test_a_server_that_can_serve_is_alive_and_ready(client):
    live, ready = await client.get("/health/live"), await client.get("/health/ready")

    assert (live.status_code, live.json()) == (200, {"status": "live"})
    parts = {"database": "ok", "storage": "ok", "file_descriptors": "ok"}
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", **parts})


async def test_without_its_database_it_is_alive_and_not_ready_and_tells_no_secret(settings):
    away = "mongodb://me:hidden@127.0.0.1:1/nowhere?serverSelectionTimeoutMS=50"
    async with client_of_app(settings, away) as client:
        live, ready = await client.get("/health/live"), await client.get("/health/ready")

    assert live.status_code == 200
    assert (ready.status_code, ready.headers["Retry-After"]) == (503, "1")
    assert ready.json() == {
        "status": "not ready",
        "database": "away",
        "storage": "ok",
        "file_descriptors": "ok",
    }


async def test_a_part_that_hangs_is_away(monkeypatch, storage):
    monkeypatch.setattr("catalog.domain.health.PATIENCE", 0.01)
    health = Health({"database": asyncio.Event().wait, "storage": storage.probe})

    assert await health.away() == {"database"}


async def test_asking_often_asks_the_parts_once():
    asked = []

    async def count():
        asked.append(1)

    health = Health({"database": count})
    await asyncio.gather(*(health.away() for _ in range(10)))

    assert len(asked) == 1


@pytest.fixture(scope="module")
def lingering(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("catalog"), STOP_DELAY="600") as server:
        yield server


def test_a_server_that_is_told_to_stop_says_so_and_still_answers_until_it_is_told_again(lingering):
    assert httpx.get(f"{lingering.url}/health/ready").status_code == 200

    os.kill(lingering.pid, signal.SIGTERM)
    deadline = time.monotonic() + SOON

    while (ready := httpx.get(f"{lingering.url}/health/ready")).status_code == 200:
        assert time.monotonic() < deadline
    served = lingering.login()

    assert (ready.status_code, ready.json()["status"]) == (503, "stopping")
    assert served.status_code == 200
    assert lingering.stop() == 0
