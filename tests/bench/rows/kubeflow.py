"""Kubeflow's API beside the native one, with two workers: read, list by a custom property, create and register.

BENCH_ITEMS says of how many models, as for lists by tag; the fewest are what the others are compared with.
"""

import asyncio
from collections.abc import Iterator
from time import perf_counter
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx

from tests.bench.api import as_user, sent
from tests.bench.loader import NUMBER, Load, load
from tests.bench.plan import Plan
from tests.bench.rows.list_by_tag import counts, filled
from tests.bench.rows.workers import memory_of_all
from tests.bench.server import Running, server
from tests.bench.table import Row, p99_at_most, ratio_at_least

API = "/api/model_registry/v1"
CONNECTIONS = (1, 16)
PROMISED = ratio_at_least(1)
FLAT = p99_at_most(3)

QUERY = "`measure-15` > 0.9"
NATIVE = '{"metadata": {"name": "measure-15", "value": {"$gt": 0.9}}}'
PROPERTIES = {f"measure-{at}": {"metadataType": "MetadataDoubleValue", "double_value": at / 10} for at in range(3)}


class Pair(NamedTuple):
    """A request of this API, and the native one that does the same."""

    name: str
    theirs: Load
    native: Load


def measure(plan: Plan) -> Iterator[Row]:
    of_fewest: list[float] = []
    for count in counts():
        room, tokens = filled(plan, "kubeflow", count)
        with server(room, plan.database, WORKERS="2") as running:
            for connections in CONNECTIONS:
                for pair in _pairs(running, tokens["admin"], plan.requests, connections):
                    yield from _compared(pair, plan, count, connections)
                rates = [_registered(running, tokens["admin"], plan, connections, at) for at in range(plan.rounds)]
                yield Row(f"register, requests/s, of {count}, connections: {connections}", "requests/s", rates)
            latency = load(_list(running, tokens["admin"], max(20, plan.requests // 10), 1))
            name = f"list 10 of {count} by a custom property"
            yield Row(name, "ms", [1000 * each for each in latency], of_fewest, FLAT)
            of_fewest = of_fewest or [1000 * each for each in latency]
            yield Row(f"memory of the workers, of {count}", "MiB", [memory_of_all(running)])


def _pairs(running: Running, token: str, requests: int, connections: int) -> Iterator[Pair]:
    with as_user(running) as admin:
        [theirs] = sent(admin, "GET", f"{running.url}{API}/registered_models?pageSize=1")["items"]
        named = quote(f'{{"name": "{theirs["name"]}"}}')
        [model] = sent(admin, "GET", f"/models?filter={named}")["docs"]
    of = (running.port, token, requests, connections)
    one = f"{API}/registered_models/{theirs['id']}"
    yield Pair("read", _get(one, *of), _get(f"/v1/models/{model['_id']}", *of))
    few = max(20, requests // 5)
    native = f"/v1/models?filter={quote(NATIVE)}&limit=10&after="
    yield Pair("list by a property", _list(running, token, few, connections), _get(native, *of[:2], few, connections))
    names = f"{connections}-{perf_counter()}-{NUMBER}"
    properties = f'{{"a":{{"metadataType":"MetadataDoubleValue","double_value":{NUMBER}.5}}}}'
    new = f'{{"name":"k-{names}","customProperties":{properties}}}'
    ours = f'{{"name":"n-{names}","metadata":[{{"name":"a","value":{NUMBER}.5}}]}}'
    create = Load(running.port, f"{API}/registered_models", token, few, connections, "POST", new)
    yield Pair("create", create, create._replace(path="/v1/models", body=ours))


def _get(path: str, port: int, token: str, requests: int, connections: int) -> Load:
    return Load(port, path, token, requests, connections)


def _list(running: Running, token: str, requests: int, connections: int) -> Load:
    path = f"{API}/registered_models?pageSize=10&orderBy=ID&sortOrder=DESC&filterQuery={quote(QUERY)}"
    return Load(running.port, path, token, requests, connections)


def _compared(pair: Pair, plan: Plan, count: str, connections: int) -> Iterator[Row]:
    """Both in turn, so that what else the machine does slows both."""
    native, theirs = list[float](), list[float]()
    for at in range(plan.rounds):
        first = at * pair.native.requests
        native.append(_rate(pair.native._replace(first=first)))
        theirs.append(_rate(pair.theirs._replace(first=first)))
    name = f"{pair.name}, of {count}, connections: {connections}"
    yield Row(f"{name}, native", "requests/s", native)
    yield Row(name, "requests/s", theirs, native, PROMISED)


def _rate(wanted: Load) -> float:
    began = perf_counter()
    load(wanted)
    return wanted.requests / (perf_counter() - began)


def _registered(running: Running, token: str, plan: Plan, connections: int, at: int) -> float:
    """Requests per second of clients that register a model each, with the five requests of Kubeflow's client."""
    each = max(2, plan.requests // 20 // connections)
    names = iter([f"r-{connections}-{at}-{perf_counter()}-{number}" for number in range(each * connections)])
    began = perf_counter()
    requests = asyncio.run(_register_all(running, token, names, connections))
    return requests / (perf_counter() - began)


async def _register_all(running: Running, token: str, names: Iterator[str], connections: int) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    limits = httpx.Limits(max_connections=connections)
    async with httpx.AsyncClient(base_url=running.url + API, headers=headers, limits=limits, timeout=60) as client:
        return sum(await asyncio.gather(*(_register(client, names) for _ in range(connections))))


async def _register(client: httpx.AsyncClient, names: Iterator[str]) -> int:
    requests = 0
    for name in names:  # shared: the next free client takes the next
        await client.get("/registered_model", params={"name": name})
        model = await _made(client, "/registered_models", name=name, owner="ada", state="LIVE")
        await client.get("/model_version", params={"name": "v1", "parentResourceId": model})
        version = await _made(
            client, "/model_versions", name="v1", registeredModelId=model, author="ada", customProperties=PROPERTIES
        )
        weights = {"artifactType": "model-artifact", "name": name, "uri": "s3://models/x", "state": "UNKNOWN"}
        await _made(client, f"/model_versions/{version}/artifacts", **weights)
        requests += 5
    return requests


async def _made(client: httpx.AsyncClient, path: str, **body: Any) -> str:
    answer = await client.post(path, json=body)
    return str(answer.raise_for_status().json()["id"])
