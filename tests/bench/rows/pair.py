"""Two servers on one database and one S3 store, beside one of them alone. Needs CATALOG_BENCH_DATABASE.

What goes up at one is read at the other. The two share this machine's cores with the database and with
who asks, so this shows that they work together, not how far they scale.
"""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import httpx

from tests.bench.api import as_user, made
from tests.bench.loader import Load, load
from tests.bench.plan import Plan
from tests.bench.server import Running, server
from tests.bench.table import Row
from tests.support.s3_server import s3_server

BUSY = 16  # connections


def measure(plan: Plan) -> Iterator[Row]:
    if plan.database == "embedded":
        raise RuntimeError("two servers need CATALOG_BENCH_DATABASE: an embedded database has one")
    with s3_server() as store:
        settings = store.settings(f"s3://{store.bucket()}/catalog")
        settings |= {"API_TOKEN": secrets.token_urlsafe(32), "JWT_SECRET": secrets.token_urlsafe(32)}
        with (
            server(plan.room("pair-1"), plan.database, **settings) as one,
            server(plan.room("pair-2"), plan.database, **settings) as other,
        ):
            yield from _measured(plan, one, other)


def _measured(plan: Plan, one: Running, other: Running) -> Iterator[Row]:
    with as_user(one) as admin:
        model = made(admin, "models", name=f"shared-{secrets.token_hex(4)}")
        authorization = admin.headers["Authorization"]
        waits = [_handed_over(one, other, authorization, f"/v1/models/{model}/versions") for _ in range(10)]
    token = authorization.split()[-1]
    alone, both = [], []
    for _ in range(plan.rounds):
        alone.append(_rate(plan, token, f"/v1/models/{model}", [one]))
        both.append(_rate(plan, token, f"/v1/models/{model}", [one, other]))
    yield Row("1 KiB up at one server, down at the other, through S3", "ms", waits)
    yield Row("read a model, two servers beside one", "requests/s", both, alone)


def _handed_over(one: Running, other: Running, authorization: str, versions: str) -> float:
    """ms."""
    content = secrets.token_bytes(1024)
    headers = {"Authorization": authorization}
    with httpx.Client(headers=headers, timeout=60) as client:
        began = perf_counter()
        kept = client.post(f"{one.url}{versions}?name=small.bin", content=content).raise_for_status().json()
        ordinal = kept["versions"][-1]["ordinal"]
        read = client.get(f"{other.url}{versions}/{ordinal}").raise_for_status()
        took = perf_counter() - began
    if read.content != content:
        raise RuntimeError("the other server has other bytes")
    return 1000 * took


def _rate(plan: Plan, token: str, path: str, servers: list[Running]) -> float:
    """Requests a second over all servers."""
    each = plan.requests // len(servers)
    wanted = [Load(running.port, path, token, each, BUSY // len(servers)) for running in servers]
    for warm in wanted:
        load(warm._replace(requests=50))
    began = perf_counter()
    with ThreadPoolExecutor(len(wanted)) as pool:
        list(pool.map(load, wanted))
    return each * len(servers) / (perf_counter() - began)
