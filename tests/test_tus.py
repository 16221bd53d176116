"""Resumable uploads, as tus 1.0 has them: protocol, permission, and nothing lost or doubled."""

import asyncio
import hashlib
from base64 import b64encode
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.blobs import FileHead
from catalog.blobs.memory import MemoryStorage
from catalog.dialects.v1.resumable import CHECKED
from catalog.domain import items, resumable
from catalog.domain.resumable import Wanted
from catalog.errors import UPLOAD_BUSY, Refused
from catalog.store.documents import now
from catalog.vocabulary import Kind
from tests.conftest import somebody

CONTENT = bytes(range(256)) * 40
SIZE = len(CONTENT)
LIFE = timedelta(days=1)


def metadata(**said):
    return ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in said.items())


class Tus:
    """A client by hand: what it sends is what is seen here."""

    def __init__(self, org, username="ada"):
        self._client = org.client
        self.headers = {**org.as_(username), "Tus-Resumable": "1.0.0"}

    async def begin(self, size=SIZE, content=b"", item="iris", **said):
        told = {"filename": "iris.onnx", "item": item, **said}
        length = {"Upload-Length": str(size)} if size is not None else {"Upload-Defer-Length": "1"}
        headers = {**self.headers, "Upload-Metadata": metadata(**told), **length}
        if content:
            headers["Content-Type"] = "application/offset+octet-stream"
        return await self._client.post("/v1/uploads", headers=headers, content=content)

    async def append(self, where, offset, content, **more):
        headers = {**self.headers, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        return await self._client.patch(where, headers=headers | more, content=content)

    async def look(self, where):
        return await self._client.head(where, headers=self.headers)

    async def terminate(self, where):
        return await self._client.delete(where, headers=self.headers)


@pytest.fixture
async def tus(org):
    await org.client.post("/v1/models", json={"name": "iris"}, headers=org.as_("ada"))
    return Tus(org)


async def versions_of(org):
    return (await org.client.get("/v1/models/iris", headers=org.as_("ada"))).json()["versions"]


async def test_a_file_comes_in_two_parts(org, tus):
    begun = await tus.begin(description="the first", filetype="application/onnx")
    where = begun.headers["Location"]

    first = await tus.append(where, 0, CONTENT[:5000])
    last = await tus.append(where, 5000, CONTENT[5000:])

    assert (begun.status_code, first.status_code, last.status_code) == (201, 204, 204)
    assert (first.headers["Upload-Offset"], last.headers["Upload-Offset"]) == ("5000", str(len(CONTENT)))
    [version] = await versions_of(org)
    assert (version["original"], version["description"]) == ("iris.onnx", "the first")
    assert (version["mimetype"], version["digest"]) == ("application/onnx", hashlib.sha256(CONTENT).hexdigest())
    fetched = await org.client.get(last.headers["Content-Location"], headers=org.as_("ada"))
    assert fetched.content == CONTENT


async def test_a_file_comes_with_the_beginning(org, tus):
    begun = await tus.begin(content=CONTENT, ordinal="spring")

    assert (begun.status_code, begun.headers["Catalog-Ordinal"]) == (201, "spring")
    assert [version["ordinal"] for version in await versions_of(org)] == ["spring"]


async def test_a_file_of_no_bytes_is_whole_at_once(org, tus):
    begun = await tus.begin(size=0)

    assert begun.headers["Upload-Offset"] == "0"
    assert [version["size"] for version in await versions_of(org)] == [0]


async def test_the_size_may_be_told_at_the_end(org, tus):
    where = (await tus.begin(size=None)).headers["Location"]
    await tus.append(where, 0, CONTENT[:100])
    before = await tus.look(where)

    done = await tus.append(where, 100, CONTENT[100:], **{"Upload-Length": str(len(CONTENT))})

    assert (before.headers["Upload-Defer-Length"], before.headers["Upload-Offset"]) == ("1", "100")
    assert done.headers["Catalog-Ordinal"] == "1"


async def test_it_says_how_far_it_is(tus):
    where = (await tus.begin()).headers["Location"]
    await tus.append(where, 0, CONTENT[:100])

    told = await tus.look(where)

    assert told.status_code == 200
    assert (told.headers["Upload-Offset"], told.headers["Upload-Length"]) == ("100", str(len(CONTENT)))
    assert told.headers["Cache-Control"] == "no-store"
    assert "filename" in told.headers["Upload-Metadata"]


async def test_whoever_lost_the_last_answer_asks_again(org, tus):
    where = (await tus.begin()).headers["Location"]
    await tus.append(where, 0, CONTENT)

    told, again = await tus.look(where), await tus.append(where, len(CONTENT), b"")

    assert told.headers["Content-Location"] == again.headers["Content-Location"]
    assert len(await versions_of(org)) == 1


async def test_it_goes_on_at_no_other_offset(tus):
    where = (await tus.begin()).headers["Location"]
    await tus.append(where, 0, CONTENT[:100])

    for offset in (0, 99, 101, len(CONTENT)):
        assert (await tus.append(where, offset, b"x")).status_code == 409
    assert (await tus.look(where)).headers["Upload-Offset"] == "100"


async def test_it_is_not_longer_than_it_said(tus):
    where = (await tus.begin(size=10)).headers["Location"]

    assert (await tus.append(where, 0, b"x" * 11)).status_code == 413


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
async def test_a_damaged_chunk_does_not_count(tus, algorithm):
    where = (await tus.begin()).headers["Location"]
    right = b64encode(hashlib.new(algorithm, CONTENT).digest()).decode()

    damaged = await tus.append(where, 0, CONTENT[:-1] + b"!", **{"Upload-Checksum": f"{algorithm} {right}"})
    untouched = await tus.look(where)
    whole = await tus.append(where, 0, CONTENT, **{"Upload-Checksum": f"{algorithm} {right}"})

    assert (damaged.status_code, untouched.headers["Upload-Offset"], whole.status_code) == (460, "0", 204)


async def test_a_chunk_with_a_checksum_is_held_so_it_is_bounded(tus):
    where = (await tus.begin(size=CHECKED + 1)).headers["Location"]

    refused = await tus.append(where, 0, bytes(CHECKED + 1), **{"Upload-Checksum": "sha1 whatever"})

    assert (refused.status_code, refused.json()["value"]) == (413, 103)
    assert str(CHECKED) in refused.json()["details"]


async def test_a_damaged_file_becomes_no_version(org, tus):
    where = (await tus.begin(sha256="0" * 64)).headers["Location"]

    refused = await tus.append(where, 0, CONTENT)

    assert (refused.status_code, refused.json()["value"]) == (400, 106)
    assert await versions_of(org) == []


async def test_it_can_be_given_up(org, tus):
    where = (await tus.begin()).headers["Location"]
    await tus.append(where, 0, CONTENT[:100])

    assert (await tus.terminate(where)).status_code == 204
    assert (await tus.look(where)).status_code == 404


async def test_a_taken_ordinal_is_refused_before_the_first_byte(org, tus):
    await tus.begin(content=CONTENT, ordinal="spring")

    assert (await tus.begin(ordinal="Spring")).status_code == 400


async def test_an_ordinal_that_is_taken_meanwhile_is_refused_at_the_end(org, tus):
    where = (await tus.begin(ordinal="spring")).headers["Location"]
    await tus.begin(content=CONTENT, ordinal="spring")

    refused = await tus.append(where, 0, CONTENT)

    assert (refused.status_code, refused.json()["value"]) == (400, 5)
    assert len(await versions_of(org)) == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412),
        ({"Upload-Length": "ten"}, 400),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Metadata": "filename !!!"}, 400),
        ({"Upload-Metadata": metadata(filename="x")}, 400),
        ({"Upload-Metadata": metadata(filename="x", item="iris", kind="people")}, 400),
        ({"Upload-Metadata": metadata(item="iris")}, 400),
        ({"Upload-Metadata": metadata(filename="x", item="nobody")}, 404),
        ({"Upload-Metadata": metadata(filename="x", item="iris", sha256="short")}, 400),
    ],
)
async def test_a_beginning_that_is_wrong_is_told_so(org, tus, headers, status):
    right = {"Upload-Length": "10", "Upload-Metadata": metadata(filename="x", item="iris")}

    answer = await org.client.post("/v1/uploads", headers=tus.headers | right | headers)

    assert answer.status_code == status
    assert answer.json()["details"]
    assert answer.headers["Tus-Resumable"] == "1.0.0"


async def test_anybody_is_told_what_the_server_can_do(client):
    told = await client.options("/v1/uploads")

    assert told.status_code == 204
    assert told.headers["Tus-Version"] == "1.0.0"
    assert set(told.headers["Tus-Extension"].split(",")) >= {"creation", "termination", "checksum", "expiration"}


async def test_nobody_else_sees_an_upload(org, other_org, tus):
    where = (await tus.begin()).headers["Location"]

    for stranger in (Tus(org, "bob"), Tus(org, "admin"), Tus(other_org)):
        assert (await stranger.look(where)).status_code == 404
        assert (await stranger.append(where, 0, CONTENT)).status_code == 404
        assert (await stranger.terminate(where)).status_code == 404
    assert (await tus.look(where)).headers["Upload-Offset"] == "0"


async def test_only_who_may_change_the_item_uploads_to_it(org, tus):
    assert (await Tus(org, "bob").begin()).status_code in {403, 404}


# Without a server around it


async def an_upload(tenant, size=SIZE):
    ada = await somebody(tenant)
    await items.create(tenant, Kind.MODEL, {"name": "iris"}, ada)
    wanted = Wanted(FileHead("iris.onnx", "a/b", "binary"), size)
    return await resumable.begin(tenant, Kind.MODEL, "iris", wanted, ada, LIFE), ada


async def of(*chunks):
    for chunk in chunks:
        yield chunk


async def test_two_at_once_do_not_mix_their_bytes(tenant, storage):
    upload, ada = await an_upload(tenant)
    blobs, both = storage.of(tenant.name), asyncio.Barrier(2)
    first_is_in = asyncio.Event()

    async def slowly():
        first_is_in.set()
        await both.wait()
        yield CONTENT

    async def second():
        await first_is_in.wait()
        with pytest.raises(Refused) as refused:
            await resumable.append(tenant, upload, 0, of(CONTENT), ada, blobs)
        await both.wait()
        return refused.value.fault

    done, fault = await asyncio.gather(resumable.append(tenant, upload, 0, slowly(), ada, blobs), second())

    assert (done.ordinal, fault) == ("1", UPLOAD_BUSY)


async def test_an_end_that_is_repeated_makes_no_second_version(tenant, storage):
    upload, ada = await an_upload(tenant)
    blobs = storage.of(tenant.name)
    await blobs.append(upload["_id"], 0, of(CONTENT))
    await resumable._made(tenant, upload, ada, blobs)  # and the server dies before it notes what the upload became

    again = await resumable.append(tenant, upload, len(CONTENT), of(), ada, blobs)

    assert again.ordinal == "1"
    assert await tenant.versions.raw.count_documents({}) == 1


async def test_a_lease_of_a_dead_server_ends(tenant, storage):
    upload, ada = await an_upload(tenant)
    moment = now()
    await tenant.uploads.raw.update_one({"_id": upload["_id"]}, {"$set": {"held": moment + resumable.LEASE}})
    done = await resumable.append(tenant, upload, 0, of(CONTENT), ada, storage.of(tenant.name))

    assert done.ordinal == "1"


async def test_what_nobody_goes_on_with_is_forgotten(tenant, storage):
    upload, ada = await an_upload(tenant)
    blobs = storage.of(tenant.name)
    await resumable.append(tenant, upload, 0, of(CONTENT[:10]), ada, blobs)
    assert await resumable.expire(tenant, blobs) == 0
    await tenant.uploads.raw.update_one({"_id": upload["_id"]}, {"$set": {"expires": now()}})

    assert await resumable.expire(tenant, blobs) == 1

    assert await tenant.uploads.raw.count_documents({}) == 0
    assert [left async for left in blobs.leftovers()] == []


async def cut_off(part):
    yield part
    raise ConnectionError


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.binary(max_size=50), st.booleans()), max_size=12))
def test_however_it_is_cut_the_bytes_are_the_same(parts):
    async def run():
        blobs, name = MemoryStorage().of("acme"), "a" * 32
        sent = b""
        for part, vanishes in parts:
            with suppress(ConnectionError):
                await blobs.append(name, len(sent), cut_off(part) if vanishes else of(part))
            reached = await blobs.length(name)
            sent += part[: reached - len(sent)]
        return sent, await blobs.finish(name)

    sent, blob = asyncio.run(run())

    assert blob == (hashlib.sha256(sent).hexdigest(), len(sent))
