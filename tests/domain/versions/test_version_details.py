"""What is said of a version beside its files, versions whose bytes are kept elsewhere, and archived ones."""

import json
from base64 import b64encode

import pytest

from tests.dialects.v1.test_versions import DATA, KINDS, refusal, upload, uploaded, versions_of
from tests.support.tenants import Organisation, organisation

DETAILS = {
    "author": "Ada Lovelace",
    "stage": "staging",
    "archived": True,
    "external_id": "run-1",
    "run": {"id": "4711", "link": "https://runs.example.org/4711"},
}
TEXTS = {
    "author": "Ada Lovelace",
    "stage": "staging",
    "archived": "true",
    "external_id": "run-1",
    "run_id": "4711",
    "run_link": "https://runs.example.org/4711",
}
"""The same in a form, in a query string and in the metadata of tus."""


@pytest.fixture(scope="module")
async def org(client) -> Organisation:
    return await organisation(client, "ada", "bob")


@pytest.fixture
async def iris(client, org) -> str:
    """Where the versions of ada's model are. It is public."""
    return await versions_of(client, org, "models")


async def get(client, org, url, who="ada", **query):
    return await client.get(url, params=query, headers=org.as_(who))


async def post(client, org, url, **body):
    return await client.post(url, json=body, headers=org.as_("ada"))


async def put(client, org, url, **body):
    return await client.put(url, json=body, headers=org.as_("ada"))


async def details_of(client, org, url, which="1"):
    version = (await get(client, org, f"{url}/{which}/info")).json()
    return {name: version[name] for name in DETAILS}


async def listed(client, org, url, **query):
    answer = await get(client, org, url, **query)
    return [version["ordinal"] for version in answer.json()["docs"]]


async def registered(client, org, url, uri="s3://models/iris.onnx", **said):
    answer = await post(client, org, url, uri=uri, **said)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def by_form(client, org, url):
    return await client.post(url, data=TEXTS, files={"file": ("a.bin", DATA)}, headers=org.as_("ada"))


async def by_parameters(client, org, url):
    return await client.post(url, content=DATA, params={"name": "a.bin", **TEXTS}, headers=org.as_("ada"))


async def by_draft(client, org, url):
    await post(client, org, url, draft=True, **DETAILS)
    await client.put(f"{url}/1/files/a.bin", content=DATA, headers=org.as_("ada"))
    return await client.post(f"{url}/1/close", headers=org.as_("ada"))


async def by_digest(client, org, url):
    stored = await uploaded(client, org, await versions_of(client, org, "models"))
    return await post(client, org, url, digest=stored["digest"], name="a.bin", **DETAILS)


async def by_tus(client, org, url):
    metadata = {"item": url.split("/")[3], "kind": url.split("/")[2], "filename": "a.bin", **TEXTS}
    note = ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in metadata.items())
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(DATA)), "Upload-Metadata": note}
    headers |= {"Content-Type": "application/offset+octet-stream"}
    return await client.post("/v1/uploads", content=DATA, headers=org.as_("ada") | headers)


async def by_uri(client, org, url):
    return await post(client, org, url, uri="s3://models/iris.onnx", **DETAILS)


@pytest.mark.parametrize("create", [by_form, by_parameters, by_draft, by_digest, by_tus, by_uri])
async def test_a_version_has_its_details_however_it_is_created(client, org, iris, create):
    answer = await create(client, org, iris)

    assert answer.status_code in {200, 201}, answer.text
    assert await details_of(client, org, iris) == DETAILS
    assert (await get(client, org, f"{iris}/1/info")).json()["state"] == "ARCHIVED"


@pytest.mark.parametrize("kind", KINDS)
async def test_the_details_of_a_version_change(client, org, kind):
    url = await versions_of(client, org, kind)
    await uploaded(client, org, url)

    changed = await put(client, org, f"{url}/1", **DETAILS)
    shown = await details_of(client, org, url)
    cleared = await put(client, org, f"{url}/1", author="", stage="none", archived=False, external_id="", run={})

    assert changed.status_code == 200, changed.text
    assert shown == DETAILS
    assert {name: cleared.json()[name] for name in DETAILS} == {
        "author": "", "stage": "none", "archived": False, "external_id": None, "run": None,
    }  # fmt: skip


async def test_an_item_shows_details_of_its_versions_where_there_are_any(client, org, iris):
    await uploaded(client, org, iris)
    await registered(client, org, iris, stage="production", archived=True)

    versions = (await get(client, org, iris.removesuffix("/versions"))).json()["versions"]

    assert [{"stage", "archived", "uri"} & version.keys() for version in versions] == [
        set(),
        {"stage", "archived", "uri"},
    ]
    assert (versions[1]["uri"], versions[1]["state"]) == ("s3://models/iris.onnx", "ARCHIVED")


WRONG = {
    "a stage of another system": {"stage": "shipped"},
    "an author on two lines": {"author": "Ada\nBob"},
    "a long external id": {"external_id": "x" * 256},
    "a run on two lines": {"run": {"id": "1\n2"}},
    "a run with more": {"run": {"id": "1", "experiment": "2"}},
    "an address without a scheme": {"uri": "models/iris.onnx"},
    "an address with a line break": {"uri": "s3://models/iris\r\nX: y"},
    "an address with a separator of lines": {"uri": "s3://models/\u2028iris"},
    "an endless address": {"uri": "s3://" + "x" * 4096},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
async def test_details_are_checked_at_creation_and_change(client, org, iris, wrong):
    await registered(client, org, iris)

    created = await post(client, org, iris, **({"uri": "s3://models/2"} | wrong))
    changed = await put(client, org, f"{iris}/1", **wrong)

    assert refusal(created)[:2] == (400, 5)
    assert refusal(changed)[:2] == (400, 8)


@pytest.mark.parametrize("text", [{"stage": "shipped"}, {"archived": "maybe"}, {"author": "x" * 256}, {"run_id": "\t"}])
async def test_the_texts_of_an_upload_are_checked(client, org, iris, text):
    by_query = await client.post(iris, content=DATA, params={"name": "a", **text}, headers=org.as_("ada"))
    in_form = await client.post(iris, data=text, files={"file": ("a", DATA)}, headers=org.as_("ada"))

    assert refusal(by_query)[:2] == refusal(in_form)[:2] == (400, 5)
    assert await listed(client, org, iris, archived="all") == []


async def test_a_text_of_a_form_is_bounded(client, org, iris):
    answer = await client.post(iris, data={"author": "x" * 9000}, files={"file": ("a", DATA)}, headers=org.as_("ada"))

    assert refusal(answer)[:2] == (413, 103)


async def test_an_external_id_is_unique_in_its_item(client, org, iris):
    await registered(client, org, iris, external_id="run-1")
    await registered(client, org, iris)
    another_item = await versions_of(client, org, "models")

    answers = [
        await post(client, org, iris, uri="s3://other", external_id="run-1"),
        await put(client, org, f"{iris}/2", external_id="run-1"),
        await client.post(iris, data={"external_id": "run-1"}, files={"file": ("a", DATA)}, headers=org.as_("ada")),
        await post(client, org, iris, draft=True, external_id="run-1"),
    ]

    assert [refusal(answer) for answer in answers] == [(409, 175, "run-1")] * 4
    assert (await registered(client, org, another_item, external_id="run-1"))["external_id"] == "run-1"
    assert await listed(client, org, iris) == ["2", "1"]


# Bytes elsewhere


async def test_a_download_leads_to_the_bytes_if_they_are_on_the_web(client, org, iris):
    await registered(client, org, iris, uri="https://example.org/modèle.onnx?a=1%20b")

    answers = [await client.request(method, f"{iris}/1", headers=org.as_("bob")) for method in ("GET", "HEAD")]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert {answer.headers["location"] for answer in answers} == {"https://example.org/mod%C3%A8le.onnx?a=1%20b"}


@pytest.mark.parametrize("uri", ["s3://models/iris.onnx", "file:///models/iris", "javascript:alert(1)", "hdfs:x"])
async def test_a_download_from_elsewhere_is_refused_and_names_the_address(client, org, iris, uri):
    await registered(client, org, iris, uri=uri)

    answers = [await get(client, org, f"{iris}/1"), await get(client, org, f"{iris}/1/verify")]

    assert [refusal(answer) for answer in answers] == [(409, 176, f"they are at {uri}")] * 2


async def test_a_version_of_bytes_elsewhere_has_no_files(client, org, iris):
    version = await registered(client, org, iris, description="of the paper", metadata=[{"name": "a", "value": 1}])

    assert (version["uri"], version["state"], version["ordinal"]) == ("s3://models/iris.onnx", "LIVE", "1")
    assert (version["files"], version["size"], version["digest"], version["file_count"]) == ([], 0, "", 0)
    assert (await get(client, org, f"{iris}/1/files")).json()["docs"] == []
    assert (await put(client, org, f"{iris}/1", uri="gs://b/iris")).json()["uri"] == "gs://b/iris"


async def test_the_record_of_such_a_version_can_be_sent_back(client, org, iris):
    version = await registered(client, org, iris, **DETAILS | {"external_id": ""})

    again = await post(client, org, iris, **version | {"ordinal": "copy"})

    assert again.status_code == 200, again.text
    same = version.keys() - {"_id", "key", "ordinal", "serial", "timestamp", "lastmod"}
    assert {name: again.json()[name] for name in same} == {name: version[name] for name in same}


async def test_a_version_with_files_gets_no_address(client, org, iris):
    await uploaded(client, org, iris)
    await post(client, org, iris, draft=True)

    for which in ("1", "2"):
        assert refusal(await put(client, org, f"{iris}/{which}", uri="s3://a"))[:2] == (400, 8)
    assert refusal(await post(client, org, iris, draft=True, uri="s3://a"))[:2] == (400, 5)


async def test_a_link_leads_to_bytes_elsewhere(client, org, iris):
    await registered(client, org, iris, uri="https://example.org/iris")
    link = (await post(client, org, f"{iris}/1/link")).json()["url"]

    answer = await client.get(link)

    assert (answer.status_code, answer.headers["location"]) == (303, "https://example.org/iris")


# Archived


async def test_archived_versions_leave_the_list_and_stay_readable(client, org, iris):
    for _ in range(3):
        await uploaded(client, org, iris)

    await put(client, org, f"{iris}/2", archived=True)

    assert await listed(client, org, iris) == ["3", "1"]
    assert await listed(client, org, iris, archived="true") == ["2"]
    assert await listed(client, org, iris, archived="all") == ["3", "2", "1"]
    assert (await get(client, org, f"{iris}/2")).content == DATA
    assert refusal(await get(client, org, iris, archived="perhaps"))[:2] == (400, 6)


async def test_the_state_and_the_flag_say_the_same(client, org, iris):
    await uploaded(client, org, iris)

    said = []
    for change in ({"state": "ARCHIVED"}, {"archived": False}, {"archived": True}, {"state": "LIVE"}):
        version = (await put(client, org, f"{iris}/1", **change)).json()
        said.append((version["state"], version["archived"]))

    assert said == [("ARCHIVED", True), ("LIVE", False), ("ARCHIVED", True), ("LIVE", False)]
    assert refusal(await put(client, org, f"{iris}/1", state="LIVE", archived=True))[:2] == (400, 8)


async def test_a_file_name_means_the_newest_version_that_is_not_archived(client, org, iris):
    for content in (b"one", b"two"):
        await upload(client, org, iris, content, "a.onnx")

    found = []
    for archived in ("2", "1"):
        await put(client, org, f"{iris}/{archived}", archived=True)
        found.append((await get(client, org, f"{iris}/a.onnx")).content)

    assert found == [b"one", b"two"]


@pytest.mark.parametrize("send", [by_form, by_parameters, by_tus])
async def test_what_a_file_was_made_from_is_recorded_with_it(client, org, iris, send, monkeypatch):
    at = await versions_of(client, org, "datasets")
    await registered(client, org, at)
    reference = {"kind": "datasets", "item": at.split("/")[3], "number": 1}

    metadata = [{"name": "accuracy", "value": 0.5}]
    monkeypatch.setitem(TEXTS, "metadata", json.dumps(metadata))
    monkeypatch.setitem(TEXTS, "inputs", json.dumps([{**reference, "number": 2}]))
    refused = await send(client, org, iris)
    monkeypatch.setitem(TEXTS, "inputs", json.dumps([reference]))
    await send(client, org, iris)
    version = (await get(client, org, f"{iris}/1/info")).json()

    assert (refused.status_code, "inputs: Version not existent" in refused.text) == (400, True)
    assert (version["inputs"], version["metadata"]) == ([reference], metadata)
    assert (await client.get(f"{iris}/1/info", headers=org.as_("ada"))).headers["etag"].startswith('"1')


@pytest.mark.parametrize("text", ["[", '{"name": "x"}', '[{"name": "x"}]'])
async def test_details_that_are_not_what_they_should_be_are_refused_before_the_file(client, org, iris, text):
    query = {"name": "a.bin", "metadata": text}

    answer = await client.post(iris, content=DATA, params=query, headers=org.as_("ada"))

    assert (answer.status_code, "metadata" in answer.json()["details"]) == (400, True)
