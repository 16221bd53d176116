"""The exchanges of versions as clients of the reference know them: every field and every word of them is answered."""

import re
from typing import Any

import pytest

from tests.dialects.v1.test_versions import KINDS
from tests.support.tenants import Organisation, organisation

ID = re.compile("[0-9a-f]{24}")
KEY = re.compile("[0-9a-f]{24,32}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

FIRST = {
    "ordinal": "1", "key": KEY, "original": "net.onnx", "encoding": "7bit", "mimetype": "application/octet-stream",
    "size": 10, "description": "first", "timestamp": MOMENT,
}  # fmt: skip
SEVENTIETH = {
    "ordinal": "70", "key": KEY, "original": "net.onnx", "encoding": "7bit", "mimetype": "application/octet-stream",
    "size": 12, "description": "", "timestamp": MOMENT,
}  # fmt: skip
BOB = {"_id": ID, "username": "bob"}
"""The reference also shows the address and the role of other users; here only administrators see them."""

OURS = {
    "versionsTotal", "description", "license", "lastmod", "digest", "state", "external_id", "archived", "aliases",
    "license_link", "languages", "tasks", "library", "provider", "logo", "maturity",
}  # fmt: skip
"""What the catalog says besides."""


def recorded_item(kind: str, versions: list[dict[str, Any]], users: Any = BOB) -> dict[str, Any]:
    trained = {} if kind == "datasets" else {"datasets": [], "status": "training"}
    return trained | {
        "users": [users], "visibility": "public", "tags": ["tag_1", "folk_1"], "_id": ID, "name": "MyFirst",
        "metadata": [{"name": "meta_1", "value": "value_1"}], "owner": ID, "versions": versions, "timestamp": MOMENT,
    }  # fmt: skip


def differences(recorded: Any, answered: Any, where: str = "") -> list[str]:
    """Where an answer says something else than was recorded. Ids and moments are of the same form only."""
    if isinstance(recorded, re.Pattern):
        fits = isinstance(answered, str) and recorded.fullmatch(answered)
        return [] if fits else [f"{where}: {answered!r}"]
    if isinstance(recorded, dict) and isinstance(answered, dict):
        added = [f"{where}.{name} is new" for name in answered.keys() - recorded.keys() - OURS]
        missing = [f"{where}.{name} is missing" for name in recorded.keys() - answered.keys()]
        both = recorded.keys() & answered.keys()
        return (
            added
            + missing
            + [line for name in both for line in differences(recorded[name], answered[name], f"{where}.{name}")]
        )
    if isinstance(recorded, list) and isinstance(answered, list) and len(recorded) == len(answered):
        pairs = enumerate(zip(recorded, answered, strict=True))
        return [line for index, pair in pairs for line in differences(*pair, f"{where}.{index}")]
    return [] if recorded == answered else [f"{where}: {answered!r}"]


@pytest.fixture(scope="module")
async def org(client) -> Organisation:
    return await organisation(client, "ada", "bob")


@pytest.fixture(scope="module", params=KINDS)
async def kind(request) -> str:
    return request.param


@pytest.fixture
async def ask(client, org, kind):
    """A request about the versions of a new item of ada's, with two versions in it."""
    body = {"name": "MyFirst", "visibility": "public", "tags": ["tag_1", "folk_1"], "users": [org.ids["bob"]]}
    body |= {"metadata": [{"name": "meta_1", "value": "value_1"}]}
    made = (await client.post(f"/v1/{kind}", json=body, headers=org.as_("ada"))).json()

    async def asking(method, path="", who="ada", parent=made["_id"], headers=(), **options):
        url = f"/v1/{kind}/{parent}/versions{path}"
        return await client.request(method, url, headers=org.as_(who) | dict(headers), **options)

    asking.item = made["_id"]
    asking.first = await asking("POST", files={"file": ("net.onnx", b"ONNX-bytes")}, data={"description": "first"})
    asking.seventieth = await asking("POST", "?ordinal=70", files={"file": ("net.onnx", b"ONNX-bytes-2")})
    yield asking
    await client.delete(f"/v1/{kind}/{made['_id']}", headers=org.as_("ada"))


async def test_upload(ask, kind):
    assert (ask.first.status_code, differences(recorded_item(kind, [FIRST]), ask.first.json())) == (200, [])
    assert ask.first.headers["content-type"] == "application/json; charset=utf-8"


async def test_upload_with_a_custom_ordinal(ask, kind):
    recorded = recorded_item(kind, [FIRST, SEVENTIETH])

    assert (ask.seventieth.status_code, differences(recorded, ask.seventieth.json())) == (200, [])


def refused(status: int, value: int, message: str, details: str) -> dict[str, Any]:
    return {"status": status, "value": value, "message": message, "details": details}


async def test_upload_with_a_duplicate_ordinal(ask):
    answer = await ask("POST", "?ordinal=70", files={"file": ("net.onnx", b"x")})

    assert answer.json() == refused(
        400,
        5,
        "Resource not created",
        "Ordinal value duplicated: 70 , Please choose another value or let default incremental choice",
    )


async def test_upload_without_a_file(ask):
    answer = await ask("POST")

    assert answer.json() == refused(400, 5, "Resource not created", "Missing file")


async def test_upload_of_a_wrong_part_is_the_clients_mistake(ask):
    """The reference answers 500 and shows its stack."""
    answer = await ask("POST", files={"wrong": ("a.txt", b"x")})

    assert answer.json() == refused(
        400, 5, "Resource not created", 'Missing file: the form has the parts "wrong"; send it as "file"'
    )


async def test_upload_by_somebody_else(ask):
    answer = await ask("POST", who="bob", files={"file": ("net.onnx", b"x")})

    assert answer.json() == refused(403, 12, "You cannot modify this resource", ask.item)


async def test_upload_to_an_unknown_item(ask):
    answer = await ask("POST", parent="fake", files={"file": ("net.onnx", b"x")})

    assert answer.json() == refused(404, 9, "Resource Not found", "fake")


async def test_download(ask):
    answer = await ask("GET", "/1", who="bob")

    assert (answer.status_code, answer.content) == (200, b"ONNX-bytes")
    assert {name: answer.headers[name] for name in ("content-type", "content-disposition", "accept-ranges")} == {
        "content-type": "application/octet-stream",
        "content-disposition": 'attachment; filename="net.onnx"',
        "accept-ranges": "bytes",
    }
    assert answer.headers["content-length"] == "10"
    assert {"last-modified", "etag"} <= answer.headers.keys()


async def test_download_of_a_range(ask):
    answer = await ask("GET", "/1", headers={"Range": "bytes=0-3"})

    assert (answer.status_code, answer.content, answer.headers["content-range"]) == (206, b"ONNX", "bytes 0-3/10")
    assert answer.headers["content-length"] == "4"


async def test_download_by_the_files_name(ask):
    """The reference's own document promises it; the reference answers 404."""
    assert (await ask("GET", "/net.onnx")).content == b"ONNX-bytes-2"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_an_unknown_ordinal(ask, method):
    assert (await ask(method, "/999")).json() == refused(404, 9, "Resource Not found", "999")


async def test_delete(ask, kind):
    answer = await ask("DELETE", "/70")

    assert (answer.status_code, differences(recorded_item(kind, [FIRST]), answer.json())) == (200, [])


async def test_delete_by_somebody_else(ask):
    answer = await ask("DELETE", "/1", who="bob")

    assert answer.json() == refused(403, 12, "You cannot modify this resource", ask.item)


async def test_delete_of_the_item(client, org, ask, kind):
    await ask("DELETE", "/70")

    answer = await client.delete(f"/v1/{kind}/{ask.item}", headers=org.as_("ada"))

    assert (answer.status_code, differences(recorded_item(kind, [FIRST], ID), answer.json())) == (200, [])


def test_a_difference_is_seen():
    item = {"a": ID, "b": [{"c": 1}]}

    assert differences(item, {"a": "0" * 24, "b": [{"c": 1, "digest": ""}]}) == []
    assert differences(item, {"a": "x", "b": [{"c": 1}]}) == [".a: 'x'"]
    assert differences(item, {"b": [{"c": 2, "d": 1}]}) == [".a is missing", ".b.0.d is new", ".b.0.c: 2"]
    assert differences(item, {"a": "0" * 24, "b": []}) == [".b: []"]
