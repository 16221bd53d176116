"""Requests that ask for much with little: how long they take, what they hold up, and what they leave behind.

Each one goes to a server of its own, over loopback, and is given up after LONGEST seconds. Beside it another client
asks for `/health/live` all the time. An answer of any status counts, and the row's name says which; 0 is none at all.
BENCH_HOSTILE names some of them by what their names contain, with commas between; without it all are sent.
"""

import json
import os
import random
import struct
import time
from base64 import b64encode
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event, Thread
from time import perf_counter
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx

from tests.bench import processes
from tests.bench.api import as_user, made, sent, signed_in
from tests.bench.plan import Plan
from tests.bench.server import PASSWORD, Running, server
from tests.bench.table import MIB, Row

LONGEST = 40.0  # seconds
BETWEEN = 0.02  # seconds between two pings
SETTLED = 2.0  # seconds after an answer, in which what it began is written down
FLOOD = 5.0  # seconds of anonymous requests
OPERATOR = "operator-" + PASSWORD
QUOTA = 1_000_000  # bytes
TUS = {"Tus-Resumable": "1.0.0"}
JSON = {"Content-Type": "application/json"}

Send = Callable[[], int]
"""Sends what is measured, and says with which status the last answer came."""


class Attack(NamedTuple):
    name: str
    prepare: Callable[[Running, httpx.Client], Send]


class Seen(NamedTuple):
    """What one attack came to."""

    status: int
    seconds: float
    gap: float  # the longest time without an answer to a ping, in seconds
    memory: int  # bytes that the server and its children held at most, beyond what they held before
    disk: int  # bytes more


def measure(plan: Plan) -> Iterator[Row]:
    wanted = [word for word in os.environ.get("BENCH_HOSTILE", "").split(",") if word]
    for number, attack in enumerate(ATTACKS):
        if wanted and not any(word in attack.name for word in wanted):
            continue
        seen = _attacked(plan, plan.room(f"hostile-{number}"), attack)
        yield Row(f"{attack.name}: the answer, {seen.status}", "s", [seen.seconds])
        yield Row(f"{attack.name}: longest silence", "s", [seen.gap])
        yield Row(f"{attack.name}: peak memory above idle", "MiB", [seen.memory / MIB])
        yield Row(f"{attack.name}: disk", "MiB", [seen.disk / MIB])


def _attacked(plan: Plan, room: Path, attack: Attack) -> Seen:
    with server(room, plan.database, API_TOKEN=OPERATOR) as running, as_user(running) as admin:
        send = attack.prepare(running, admin)
        family = [running.pid, *processes.children(running.pid)]
        for process in family:
            processes.forget_peak(process)
        idle, disk = sum(map(processes.resident, family)), _weight(room)
        with _pinged(running.port) as pings:
            began = perf_counter()
            status = _in_time(send)
            seconds = perf_counter() - began
            time.sleep(SETTLED)
        peak = sum(map(processes.peak, family))
        return Seen(status, seconds, pings.longest_gap, max(0, peak - idle), _weight(room) - disk)


def _in_time(send: Send) -> int:
    with suppress(OSError, HTTPException, httpx.HTTPError):
        return send()
    return 0


def _weight(folder: Path) -> int:
    """Bytes that the files take, also those that are written with holes."""
    total = 0
    for file in folder.rglob("*"):
        with suppress(FileNotFoundError):  # the database removes files of its own at any time
            total += file.lstat().st_blocks * 512
    return total


class Pings:
    """Asks whether the server lives, again and again."""

    def __init__(self, port: int) -> None:
        self.longest_gap = 0.0
        self._port = port
        self._over = Event()

    def run(self) -> None:
        last = perf_counter()
        while not self._over.is_set():
            with suppress(OSError, HTTPException), closing(self._connection()) as connection:
                while not self._over.is_set():
                    connection.request("GET", "/health/live")
                    connection.getresponse().read()
                    self.longest_gap = max(self.longest_gap, perf_counter() - last)
                    last = perf_counter()
                    time.sleep(BETWEEN)
        self.longest_gap = max(self.longest_gap, perf_counter() - last)

    def end(self) -> None:
        self._over.set()

    def _connection(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self._port, timeout=LONGEST)


@contextmanager
def _pinged(port: int) -> Generator[Pings]:
    pings = Pings(port)
    thread = Thread(target=pings.run)
    thread.start()
    try:
        yield pings
    finally:
        pings.end()
        thread.join()


def _asking(client: httpx.Client, method: str, path: str, **how: Any) -> Send:
    """One request. Its answer is read and thrown away, however long it is."""
    request = client.build_request(method, path, **how)

    def send() -> int:
        ends = perf_counter() + LONGEST
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), LONGEST)
        answer = client.send(request, stream=True)
        with closing(answer):
            for _ in answer.iter_raw():
                if perf_counter() > ends:
                    return 0
            return answer.status_code

    return send


def _patterns(count: int) -> Callable[[Running, httpx.Client], Send]:
    def prepare(_: Running, admin: httpx.Client) -> Send:
        letters = random.Random(0)
        for number in range(20):
            described = "".join(letters.choices("ab", k=65_000))
            made(admin, "models", name=f"model-{number}", description=described)
        nor = [{"description": {"$regex": f"a[ab]{{{900 - index}}}x"}} for index in range(count)]
        return _asking(admin, "GET", f"/models?{urlencode({'filter': json.dumps({'$nor': nor})})}")

    return prepare


def _safetensors(header: Callable[[], bytes]) -> Callable[[Running, httpx.Client], Send]:
    def prepare(_: Running, admin: httpx.Client) -> Send:
        model = made(admin, "models", name="model")
        told = header()
        content = struct.pack("<Q", len(told)) + told + bytes(64)
        octets = {"Content-Type": "application/octet-stream"}
        path = f"/models/{model}/versions?name=model.safetensors"
        return _asking(admin, "POST", path, content=content, headers=octets)

    return prepare


def _long_integers() -> bytes:
    shape = ",".join(["9" * 4000] * 700)
    return f'{{"0":{{"dtype":"F","shape":[{shape}],"data_offsets":[0,0]}}}}'.encode()


def _empty_lists() -> bytes:
    return b"[" + b"[]," * (8 * MIB // 3 - 1) + b"[]]"


def _bulk_of_ones(_: Running, admin: httpx.Client) -> Send:
    content = b"[" + b"1," * (5 * MIB - 2) + b"1]"
    return _asking(admin, "POST", "/models?verbose=false", content=content, headers=JSON)


def _list_of_large_items(_: Running, admin: httpx.Client) -> Send:
    pairs = [{"name": f"name-{number}", "value": "v" * 4096} for number in range(1000)]
    for start in range(0, 1000, 100):
        sent(admin, "POST", "/metadata", json=[{"_id": pair["name"]} for pair in pairs[start : start + 100]])
    for number in range(12):
        made(admin, "models", name=f"model-{number}", metadata=pairs)
    return _asking(admin, "GET", "/models?limit=100")


def _item_of_many_versions(_: Running, admin: httpx.Client) -> Send:
    model = made(admin, "models", name="model")
    for number in range(200):
        form = {"description": "d" * 65_000}
        sent(admin, "POST", f"/models/{model}/versions", data=form, files={"file": (f"{number}.bin", b"weights")})
    return _asking(admin, "GET", f"/models/{model}")


def _form_of_empty_parts(_: Running, admin: httpx.Client) -> Send:
    model = made(admin, "models", name="model")
    content = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n' * 300_000 + b"--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    return _asking(admin, "POST", f"/models/{model}/versions", content=content, headers=headers)


def _item_of_new_terms(_: Running, admin: httpx.Client) -> Send:
    letters = random.Random(0)
    terms = ["".join(letters.choices("abcdefghijklmnopqrstuvwxyz", k=128)) for _ in range(1500)]
    pairs = [{"name": term, "value": 1} for term in terms[500:]]
    return _asking(admin, "POST", "/models", json={"name": "model", "tags": terms[:500], "metadata": pairs})


def _unfinished_uploads(running: Running, _: httpx.Client) -> Send:
    body = {
        "_id": "small",
        "email": "small@example.org",
        "admin_username": "admin",
        "admin_password": PASSWORD,
        "quota_bytes": QUOTA,
    }
    with signed_in(running, OPERATOR) as operator:
        sent(operator, "POST", "/tenants", json=body)
        credentials = {"username": "admin", "password": PASSWORD, "tenant": "small"}
        token = sent(operator, "POST", "/login", json=credentials)["token"].split()[-1]
    client = signed_in(running, f"Bearer {token}")
    model = made(client, "models", name="model")
    note = f"item {b64encode(model.encode()).decode()},filename {b64encode(b'm.bin').decode()}"
    headers = TUS | {
        "Upload-Length": str(QUOTA),
        "Upload-Metadata": note,
        "Content-Type": "application/offset+octet-stream",
    }

    def send() -> int:
        ends, status = perf_counter() + LONGEST, 0
        with closing(client):
            for _ in range(40):
                if perf_counter() > ends:
                    return 0
                status = client.post("/uploads", headers=headers, content=bytes(QUOTA - 1)).status_code
        return status

    return send


def _anonymous_paths(running: Running, _: httpx.Client) -> Send:
    path = "/v1/models/" + "a" * 60_000

    def send() -> int:
        ends, status = perf_counter() + FLOOD, 0
        with closing(HTTPConnection("127.0.0.1", running.port, timeout=LONGEST)) as connection:
            while perf_counter() < ends:
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                status = answer.status
        return status

    return send


ATTACKS = (
    Attack("a $nor of one pattern over 20 items of 65 000 letters", _patterns(1)),
    Attack("a $nor of 30 patterns over 20 items of 65 000 letters", _patterns(30)),
    Attack("a safetensors header of 700 integers of 4 000 digits", _safetensors(_long_integers)),
    Attack("a safetensors header of 8 MiB of empty lists", _safetensors(_empty_lists)),
    Attack("a POST of 5 million ones", _bulk_of_ones),
    Attack("a list of 12 items of 4 MB", _list_of_large_items),
    Attack("an item of 200 versions with descriptions of 65 KB", _item_of_many_versions),
    Attack("a form of 300 000 empty parts", _form_of_empty_parts),
    Attack("an item with 1 500 new terms of 128 letters", _item_of_new_terms),
    Attack("40 unfinished uploads of 999 999 bytes under a quota of 1 000 000", _unfinished_uploads),
    Attack("5 s of anonymous GETs of paths of 60 KB", _anonymous_paths),
)
