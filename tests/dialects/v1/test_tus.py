"""Resumable uploads, as tus 1.0 has them: the protocol, permission, and what becomes of a file."""

import hashlib
from base64 import b64encode

import pytest

from catalog.dialects.v1.versions.tus import CHECKED
from catalog.domain.tenants import tenants
from catalog.store.clock import now
from tests.support.app import API_TOKEN, OURS, client_of_app, in_database

CONTENT = bytes(range(256)) * 40
SIZE = len(CONTENT)


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


async def test_a_size_that_cannot_be_is_refused(tus):
    where = (await tus.begin(size=None)).headers["Location"]
    await tus.append(where, 0, CONTENT[:100])

    too_small = await tus.append(where, 100, b"", **{"Upload-Length": "99"})
    told = await tus.append(where, 100, b"", **{"Upload-Length": "200"})
    another = await tus.append(where, 100, b"", **{"Upload-Length": "300"})

    assert (too_small.status_code, told.status_code, another.status_code) == (400, 204, 400)
    assert "100 already" in too_small.json()["details"]


async def test_it_says_how_far_it_is(tus):
    where = (await tus.begin()).headers["Location"]
    await tus.append(where, 0, CONTENT[:100])

    told = await tus.look(where)

    assert told.status_code == 200
    assert (told.headers["Upload-Offset"], told.headers["Upload-Length"]) == ("100", str(len(CONTENT)))
    assert told.headers["Cache-Control"] == "no-store"
    assert "filename" in told.headers["Upload-Metadata"]


async def test_a_client_that_lost_the_last_answer_asks_again(org, tus):
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

    async def unannounced():
        yield b"x" * 11

    assert (await tus.append(where, 0, b"x" * 11)).status_code == 413
    assert (await tus.append(where, 0, unannounced())).status_code == 413
    assert (await tus.look(where)).headers["Upload-Offset"] == "0"


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
    assert (await tus.look(where)).status_code == 404  # nothing that comes could mend it


async def test_it_can_be_given_up(org, tus):
    where = (await tus.begin()).headers["Location"]
    await tus.append(where, 0, CONTENT[:100])

    assert (await tus.terminate(where)).status_code == 204
    assert (await tus.look(where)).status_code == 404


async def test_an_upload_whose_time_is_over_is_gone(org, tus, app):
    where = (await tus.begin()).headers["Location"]
    tenant = await tenants.enter(app.state.database, org.name)
    await tenant.uploads.records.update_one({"_id": where.rpartition("/")[2]}, {"$set": {"expires": now()}})

    answers = [await tus.look(where), await tus.append(where, 0, CONTENT), await tus.terminate(where)]

    assert [answer.status_code for answer in answers] == [410] * 3


async def test_the_quota_counts_what_came_in_earlier_parts(org, tus):
    operator = {"Authorization": API_TOKEN}
    await org.client.put(f"/v1/tenants/{org.name}", json={"quota_bytes": 1000}, headers=operator)

    where = (await tus.begin(size=None)).headers["Location"]
    fits, too_much = [await tus.append(where, at, CONTENT[:600]) for at in (0, 600)]

    assert (await tus.begin(size=1001)).json()["value"] == 111
    assert (fits.status_code, too_much.status_code, too_much.json()["value"]) == (204, 507, 111)
    assert int((await tus.look(where)).headers["Upload-Offset"]) <= 1000


async def a_draft(org):
    wanted = {"draft": True, "ordinal": "v 2"}
    return await org.client.post("/v1/models/iris/versions", json=wanted, headers=org.as_("ada"))


async def test_a_file_goes_into_a_draft(org, tus):
    await a_draft(org)

    where = (await tus.begin(path="data/weights.bin", version="v 2")).headers["Location"]
    await tus.append(where, 0, CONTENT[:5000])
    done = await tus.append(where, 5000, CONTENT[5000:])
    closed = await org.client.post("/v1/models/iris/versions/v%202/close", headers=org.as_("ada"))
    asked_again = await tus.look(where)

    assert (done.status_code, closed.status_code) == (204, 200)
    assert [file["path"] for file in closed.json()["files"]] == ["data/weights.bin"]
    assert done.headers["Content-Location"].endswith("/versions/v%202/files/data/weights.bin")
    assert asked_again.headers["Content-Location"] == done.headers["Content-Location"]
    fetched = await org.client.get(done.headers["Content-Location"], headers=org.as_("ada"))
    assert fetched.content == CONTENT


async def test_a_draft_that_was_closed_takes_no_more(org, tus):
    await a_draft(org)
    await tus.begin(path="a", version="v 2", content=CONTENT)
    where = (await tus.begin(path="b", version="v 2")).headers["Location"]
    await org.client.post("/v1/models/iris/versions/v%202/close", headers=org.as_("ada"))

    at_the_end, at_the_beginning = await tus.append(where, 0, CONTENT), await tus.begin(path="c", version="v 2")

    assert [(each.status_code, each.json()["value"]) for each in (at_the_end, at_the_beginning)] == [(409, 114)] * 2
    assert (await tus.look(where)).status_code == 409


@pytest.mark.parametrize(
    "said", [{"path": "a"}, {"version": "v 2"}, {"path": "../a", "version": "v 2"}, {"path": "a", "version": "none"}]
)
async def test_a_file_of_a_draft_needs_a_path_and_a_draft(org, tus, said):
    await a_draft(org)

    assert (await tus.begin(**said)).status_code in {400, 404}


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


def listed(answer, header):
    return {name.strip().lower() for name in answer.headers[header].split(",")}


async def test_a_page_of_another_origin_may_upload(org, tus, settings, mongo):
    of_a_page = {"Origin": "https://ui.example"}
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "upload-offset,tus-resumable"}
    allowing = settings.model_copy(update={"cors_origins": ("https://ui.example",)})
    async with client_of_app(allowing, in_database(mongo, f"{OURS}-catalogue")) as client:
        preflight = await client.options("/v1/uploads/x", headers=of_a_page | asked)
        told = {"Upload-Length": "10", "Upload-Metadata": metadata(filename="x", item="iris")}
        begun = await client.post("/v1/uploads", headers=tus.headers | of_a_page | told)
        of_tus = await client.options("/v1/uploads")

    assert preflight.status_code == 204
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
    assert {"upload-offset", "tus-resumable"} <= listed(preflight, "Access-Control-Allow-Headers")
    assert begun.headers["Access-Control-Allow-Origin"] == "https://ui.example"
    readable = listed(begun, "Access-Control-Expose-Headers")
    assert {"location", "upload-offset", "upload-length", "catalog-ordinal"} <= readable
    assert of_tus.headers["Tus-Version"] == "1.0.0"
