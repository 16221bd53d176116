"""The same file in parts, as a client sends it that can go on after an interruption, beside one request."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from time import perf_counter

from tests.bench.api import as_user
from tests.bench.plan import Plan
from tests.bench.rows.transfer import Transfer, big_file, make_different
from tests.bench.server import server
from tests.bench.table import MIB, Row, at_most

PART = 64 * MIB
FRUGAL = at_most(64, "MiB")


def measure(plan: Plan) -> Iterator[Row]:
    room = plan.room("resumable")
    file = big_file(room / "big.bin", plan.size)
    with server(room, plan.database) as running:
        with as_user(running) as admin:
            transfer = Transfer(running, file, admin)
        whole, parts, peaks = [], [], []
        for _ in range(plan.rounds):
            whole.append(transfer.upload_body())
            transfer.peaks = []
            parts.append(transfer.watched(lambda: _upload_in_parts(transfer)))
            peaks += transfer.peaks
    yield Row("upload in parts of 64 MiB, beside one request", "MB/s", parts, whole)
    yield Row("upload in parts: peak memory above idle", "MiB", peaks, promise=FRUGAL)


def _upload_in_parts(transfer: Transfer) -> float:
    """MB/s."""
    make_different(transfer.file)
    headers = {**transfer.authorization, "Tus-Resumable": "1.0.0"}
    told = f"item {_base64(transfer.model)},filename {_base64('big.bin')}"
    began = perf_counter()
    with closing(HTTPConnection("127.0.0.1", transfer.running.port)) as connection:
        created = {**headers, "Upload-Length": str(transfer.size), "Upload-Metadata": told, "Content-Length": "0"}
        path, _ = _asked(connection, "POST", "/v1/uploads", created, 201)
        with transfer.file.open("rb") as file:
            offset = 0
            while offset < transfer.size:
                part = file.read(PART)
                described = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
                _, offset = _asked(connection, "PATCH", path, headers | described, 204, part)
    return transfer.size / (perf_counter() - began) / 1e6


def _asked(
    connection: HTTPConnection, method: str, path: str, headers: dict[str, str], expected: int, body: bytes = b""
) -> tuple[str, int]:
    """Where the upload is, and how many bytes of it are there."""
    connection.request(method, path, body=body or None, headers=headers)
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != expected:
        raise RuntimeError(f"{method} {path}: {answer.status} {said!r}")
    return answer.headers.get("Location", path), int(answer.headers.get("Upload-Offset", "0"))


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()
