"""Our MLflow API beside `mlflow server`, in turns on one machine: `python -m tests.bench.mlflow --rounds 2`.

Both keep the same models. The server of MLflow has SQLite, one worker and no jobs; with `--defaults` a second one runs
as it is by default. Prints requests a second and p99 of each question, and the ratio of the medians.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import httpx

from tests.bench import processes
from tests.bench.loader import Load, load
from tests.support.memory import folder_in_memory
from tests.support.mlflow_server import mlflow_server
from tests.support.serving import Server

REGISTRY = "/api/2.0/mlflow"
MODELS = 200
MANY = 2000
"""Versions of one model of ours."""

CONNECTIONS = (1, 16)
STARTING = 30  # seconds until all workers of MLflow's server answer
FILE = 2**30  # bytes


class Peer(NamedTuple):
    name: str
    url: str
    token: str = ""

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=300)


def fill(peer: Peer) -> None:
    with peer.client() as client:
        for at in range(MODELS):
            tags = [{"key": "team", "value": f"t{at % 10}"}]
            answer = client.post(f"{REGISTRY}/registered-models/create", json={"name": f"m{at}", "tags": tags})
            answer.raise_for_status()
        create_versions(client, "m0", 2)


def create_versions(client: httpx.Client, model: str, count: int) -> None:
    body = {"name": model, "source": "s3://bucket/model"}
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda _: client.post(f"{REGISTRY}/model-versions/create", json=body), range(count))
        for answer in made:
            answer.raise_for_status()


def questions(peer: Peer) -> Iterator[tuple[str, Load]]:
    by_tag = quote("tags.team = 't3'")
    create = '{"name": "m1", "source": "s3://bucket/NUMBER"}'
    for connections in CONNECTIONS:
        count = 150 * min(connections, 4)
        asked = Load(peer.port, "", peer.token, count, connections)
        path = f"{REGISTRY}/registered-models/get?name=m0"
        yield f"get a model, {connections} connections", asked._replace(path=path)
        path = f"{REGISTRY}/registered-models/search?max_results=10&filter={by_tag}"
        yield f"search 10 by tag, {connections} connections", asked._replace(path=path)
        path = f"{REGISTRY}/model-versions/create"
        yield f"create a version, {connections} connections", asked._replace(path=path, method="POST", body=create)


def compare(peers: list[Peer], rounds: int) -> None:
    rates: dict[tuple[str, str], list[float]] = {}
    waits: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for peer in peers:
            for name, asked in questions(peer):
                took = load(asked)  # by a process whose start does not count
                rates.setdefault((name, peer.name), []).append(len(took) * asked.connections / sum(took))
                waits.setdefault((name, peer.name), []).extend(took)
    for name, _ in questions(peers[0]):
        ours = statistics.median(rates[name, peers[0].name])
        for peer in peers:
            rate = statistics.median(rates[name, peer.name])
            p99 = 1000 * sorted(waits[name, peer.name])[int(0.99 * len(waits[name, peer.name]))]
            print(
                f"{name:34} {peer.name:24} {rate:8.0f} /s  p99 {p99:7.1f} ms  ours is {ours / rate:5.1f} x", flush=True
            )


def compare_sizes(peer: Peer, rounds: int) -> None:
    """A model with 2 versions beside one with many, in turns."""
    with peer.client() as client:
        client.post(f"{REGISTRY}/registered-models/create", json={"name": "large"}).raise_for_status()
        create_versions(client, "large", MANY)
    waits: dict[str, list[float]] = {"m0": [], "large": []}
    for _ in range(rounds):
        for model, found in waits.items():
            path = f"{REGISTRY}/registered-models/get?name={model}"
            waits[model] = found + load(Load(peer.port, path, peer.token, 200, 1))
    few, many = (1000 * statistics.median(found) for found in waits.values())
    print(f"get a model of 2 and of {MANY} versions: {few:.2f} and {many:.2f} ms, {many / few:.2f} x", flush=True)


def compare_files(peers: list[Peer], ours: int, size: int) -> None:
    """One large file up and down, and how much the memory of our server grew."""
    block = os.urandom(2**20)
    for peer in peers:
        path = "/api/2.0/mlflow-artifacts/artifacts/bench/large.bin"
        before, began = processes.resident(ours), time.monotonic()
        with peer.client() as client:
            client.put(path, content=(block for _ in range(size // 2**20))).raise_for_status()
            sent = time.monotonic()
            with client.stream("GET", path, follow_redirects=True) as answer:
                for _ in answer.iter_raw(2**20):
                    pass
        up, down = size / 2**20 / (sent - began), size / 2**20 / (time.monotonic() - sent)
        grown = (processes.resident(ours) - before) / 2**20
        print(f"{size >> 20} MiB: {peer.name:24} up {up:5.0f} down {down:5.0f} MiB/s, our memory {grown:+.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.mlflow", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--defaults", action="store_true", help="Also MLflow's server as it is by default.")
    parser.add_argument("--file", type=int, default=FILE, help="Bytes of the large file; 0: none.")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = folder_in_memory() or Path(tempfile.mkdtemp())
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        for name in ("ours", "alone", "default"):
            (folder / name).mkdir(parents=True)
        server = stack.enter_context(Server(folder / "ours", JWT_EXPIRATIONTIME="1d"))
        token = server.login().json()["token"].removeprefix("JWT ")
        peers = [
            Peer("catalog", server.url, token),
            Peer("mlflow, 1 worker", stack.enter_context(mlflow_server(folder / "alone"))),
        ]
        if asked.defaults:
            url = stack.enter_context(mlflow_server(folder / "default", is_default=True))
            time.sleep(STARTING)
            peers.append(Peer("mlflow, its defaults", url))
        for peer in peers:
            fill(peer)
        compare(peers, asked.rounds)
        compare_sizes(peers[0], asked.rounds)
        if asked.file:
            compare_files(peers[:2], server.pid, asked.file)


if __name__ == "__main__":
    main()
