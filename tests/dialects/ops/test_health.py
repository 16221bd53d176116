"""Alive and ready: what a balancer asks, and what it is told when a part is away."""

import asyncio
import os
import signal
import socket
import time

import httpx
import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from catalog.domain.health import Health
from catalog.server.http.starting import starting_app
from catalog.server.http.uvicorn_server import UvicornServer, base_config
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


async def test_a_server_that_is_told_to_stop_as_soon_as_it_can_be_reached_still_answers_for_the_delay():
    health = Health({})
    config = base_config(starting_app, HttpToolsProtocol)
    server = UvicornServer(config, lambda: server.handle_exit(signal.SIGTERM, None), health, stop_delay=600)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        async with asyncio.timeout(SOON), httpx.AsyncClient() as client:
            while not health.stopping:  # noqa: ASYNC110  nothing else tells
                await asyncio.sleep(0.01)
            live = await client.get(f"http://127.0.0.1:{listener.getsockname()[1]}/health/live")
            server.handle_exit(signal.SIGTERM, None)
            await serving

    assert live.status_code == 200


@pytest.fixture(scope="module")
def lingering(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("catalog"), STOP_DELAY="600") as server:
        yield server


def test_a_server_that_is_told_to_stop_says_so_and_still_answers_until_it_is_told_again(lingering):
    os.kill(lingering.pid, signal.SIGTERM)
    deadline = time.monotonic() + SOON

    while (ready := httpx.get(f"{lingering.url}/health/ready", timeout=SOON)).json()["status"] != "stopping":
        assert time.monotonic() < deadline
    served = lingering.login()

    assert ready.status_code == 503
    assert served.status_code == 200
    assert lingering.stop() == 0
