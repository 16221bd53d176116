"""Cards over HTTP: written, read as JSON, Markdown and HTML, removed, and found among the files of a version."""

import uuid

import pytest

from catalog.domain.cards import html
from tests.dialects.v1.test_versions import KINDS, refusal
from tests.support.tenants import Organisation, organisation

TEXT = "---\nlicense: mit\nlanguage: [en, it]\ntags: [flowers]\nmetrics: [f1]\n---\n# Iris\n\nA *small* model.\n"


@pytest.fixture(scope="module")
async def org(client) -> Organisation:
    return await organisation(client, "ada", "bob")


async def item_of(client, org, kind="models", **fields) -> str:
    body = {"name": f"i{uuid.uuid4().hex[:8]}", "visibility": "public", **fields}
    answer = await client.post(f"/v1/{kind}", json=body, headers=org.as_("ada"))
    assert answer.status_code == 200, answer.text
    return f"/v1/{kind}/{answer.json()['_id']}"


@pytest.fixture
async def iris(client, org) -> str:
    """Ada's model, which is public."""
    return await item_of(client, org)


async def put(client, org, item, text, who="ada", **headers):
    if isinstance(text, dict):
        return await client.put(f"{item}/card", json=text, headers=org.as_(who) | headers)
    headers = {"Content-Type": "text/markdown", **headers}
    return await client.put(f"{item}/card", content=text, headers=org.as_(who) | headers)


async def get(client, org, url, who="bob", headers=(), **query):
    return await client.get(url, params=query, headers=org.as_(who) | dict(headers))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", [TEXT, {"text": TEXT}], ids=["markdown", "json"])
async def test_a_card_fills_the_fields_and_is_shown_back(client, org, kind, body):
    item = await item_of(client, org, kind)

    written = await put(client, org, item, body)

    read = await get(client, org, f"{item}/card")
    assert written.status_code == 200, written.text
    assert (read.json(), read.headers["etag"]) == (written.json(), written.headers["etag"])
    assert read.json() | {"text": ""} == {
        "text": "", "body": "# Iris\n\nA *small* model.\n", "license": "mit", "languages": ["en", "it"], "tasks": [],
        "front_matter": {"license": "mit", "language": ["en", "it"], "tags": ["flowers"], "metrics": ["f1"]},
        "tags": ["flowers"], "library": "", "provider": "", "logo": "", "maturity": "", "license_link": "",
    }  # fmt: skip
    shown = (await get(client, org, item)).json()
    assert (shown["license"], shown["languages"], shown["tags"]) == ("mit", ["en", "it"], ["flowers"])


async def test_the_text_of_a_card_is_in_no_list_and_no_item(client, org):
    secret = f"only-in-the-card-{uuid.uuid4().hex}"
    item = await item_of(client, org, tags=["carded"])
    await put(client, org, item, secret)

    shown = [await get(client, org, item), await get(client, org, "/v1/models")]
    shown.append(await get(client, org, "/v1/search", q="carded"))

    assert [answer.status_code for answer in shown] == [200] * 3
    assert not any(secret in answer.text for answer in shown)


async def test_a_card_is_markdown_or_sanitised_html(client, org, iris):
    text = "---\nlicense: mit\n---\n# Iris\n\n<script>alert(1)</script>\n\n[x](javascript:alert)\n\n|a|\n|-|\n|1|\n"
    text += '<img src="https://a.example/x.png" onerror="alert(1)">'
    await put(client, org, iris, text)

    markdown = await get(client, org, f"{iris}/card", format="markdown")
    page = await get(client, org, f"{iris}/card", format="html")

    assert (markdown.text, markdown.headers["content-type"]) == (text, "text/markdown; charset=utf-8")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "sandbox" in page.headers["content-security-policy"]
    assert "<h1>Iris</h1>" in page.text
    assert "<td>1</td>" in page.text
    assert 'src="https://a.example/x.png"' in page.text
    assert not any(word in page.text for word in ("alert(", "<script", "href", "onerror", "license"))
    assert refusal(await get(client, org, f"{iris}/card", format="pdf"))[:2] == (400, 6)


async def test_an_item_without_a_card_has_empty_html(client, org, iris):
    page, plain = [await get(client, org, f"{iris}/card", format=name) for name in ("html", "markdown")]

    assert (page.status_code, page.text, plain.status_code) == (200, "", 404)


async def test_a_card_that_is_written_to_be_slow_is_refused_as_html(client, org, iris):
    await put(client, org, iris, "[" * 500_000)

    first = await get(client, org, f"{iris}/card", format="html")
    again = await get(client, org, f"{iris}/card", format="html")

    assert refusal(first)[:2] == refusal(again)[:2] == (422, 177)
    assert len((await get(client, org, f"{iris}/card", format="markdown")).text) == 500_000


async def test_html_is_rendered_once(client, org, iris, monkeypatch):
    await put(client, org, iris, f"# {uuid.uuid4()}")
    first = await get(client, org, f"{iris}/card", format="html")
    monkeypatch.setattr(html, "PROGRAM", ("/no/such/program",))

    again = await get(client, org, f"{iris}/card", format="html", headers={"If-None-Match": '"0"'}.items())
    unchanged = await get(client, org, f"{iris}/card", format="html", headers={"If-None-Match": first.headers["etag"]})

    assert (again.text, unchanged.status_code) == (first.text, 304)


async def test_a_change_of_an_earlier_revision_is_refused(client, org, iris):
    first = await put(client, org, iris, "# one")
    await put(client, org, iris, "# two")
    stale = {"If-Match": first.headers["etag"]}

    refused = await put(client, org, iris, "# three", **stale)
    not_removed = await client.delete(f"{iris}/card", headers=org.as_("ada") | stale)

    assert refusal(refused)[:2] == refusal(not_removed)[:2] == (412, 109)
    assert (await get(client, org, f"{iris}/card")).json()["text"] == "# two"


async def test_a_card_is_removed_and_its_fields_stay(client, org, iris):
    await put(client, org, iris, TEXT)

    removed = await client.delete(f"{iris}/card", headers=org.as_("ada"))

    assert (removed.status_code, removed.json()["license"]) == (200, "mit")
    assert refusal(await get(client, org, f"{iris}/card"))[:2] == (404, 9)
    assert refusal(await client.delete(f"{iris}/card", headers=org.as_("ada")))[:2] == (404, 9)


async def test_a_card_goes_to_the_trash_and_comes_back(client, org, iris):
    await put(client, org, iris, TEXT)
    await client.delete(iris, headers=org.as_("ada"))

    await client.post(f"/v1/trash/{iris.rpartition('/')[2]}/restore", headers=org.as_("ada"))

    assert (await get(client, org, f"{iris}/card")).json()["text"] == TEXT


WRONG = {
    "a wrong front matter": ("---\nlicense: {a: b}\n---\n", (400, 8)),
    "an alias": ("---\na: &a 1\nb: *a\n---\n", (400, 8)),
    "a tag that is not allowed": ("---\ntags: ['\u202e']\n---\n", (400, 8)),
    "bytes that are no text": (b"\xff\xfe", (400, 102)),
    "NUL": ("a\0b", (400, 8)),
    "too many bytes": (b"x" * (2**20 + 1), (413, 103)),
    "no text": ({"markdown": "x"}, (400, 8)),
    "too much JSON": ({"text": "é" * 2**20}, (400, 8)),
}


@pytest.mark.parametrize(("text", "expected"), WRONG.values(), ids=WRONG.keys())
async def test_a_wrong_card_is_refused_and_changes_nothing(client, org, iris, text, expected):
    answer = await put(client, org, iris, text)

    assert refusal(answer)[:2] == expected, answer.text
    assert refusal(await get(client, org, f"{iris}/card"))[:2] == (404, 9)


async def test_datasets_that_the_catalog_has_are_linked(client, org, iris):
    dataset = (await get(client, org, await item_of(client, org, "datasets"))).json()

    written = await put(client, org, iris, f"---\ndatasets: [{dataset['name']}, squad]\n---\n")

    assert written.json()["front_matter"]["datasets"] == [dataset["name"], "squad"]
    assert [each["_id"] for each in (await get(client, org, iris)).json()["datasets"]] == [dataset["_id"]]


FIELDS = {
    "license": "mit", "license_link": "https://example.org/mit", "languages": ["en"], "tasks": ["regression"],
    "library": "sklearn", "provider": "ACME", "logo": "data:image/png;base64,AAAA", "maturity": "stable",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
async def test_the_fields_are_set_with_the_item_too(client, org, kind):
    created, changed = await item_of(client, org, kind, **FIELDS), await item_of(client, org, kind)

    answer = await client.put(changed, json=FIELDS, headers=org.as_("ada"))

    assert answer.status_code == 200, answer.text
    for item in (created, changed):
        shown = (await get(client, org, item)).json()
        assert {name: shown[name] for name in FIELDS} == FIELDS
    cleared = await client.put(changed, json={"languages": [], "license": ""}, headers=org.as_("ada"))
    assert (cleared.json()["languages"], cleared.json()["license"], cleared.json()["tasks"]) == ([], "", ["regression"])


# A README among the files


async def in_a_folder(client, org, item, name, text):
    await client.post(f"{item}/versions", json={"draft": True, "ordinal": "v"}, headers=org.as_("ada"))
    for path in (name, "weights.bin", "docs/README.md"):
        content = text if path == name else b"other"
        await client.put(f"{item}/versions/v/files/{path}", content=content, headers=org.as_("ada"))
    return await client.post(f"{item}/versions/v/close", headers=org.as_("ada"))


async def alone(client, org, item, name, text):
    return await client.post(f"{item}/versions", content=text, params={"name": name}, headers=org.as_("ada"))


@pytest.mark.parametrize("push", [in_a_folder, alone])
@pytest.mark.parametrize("name", ["README.md", "readme.md"])
async def test_a_readme_becomes_the_card_of_an_item_that_has_none(client, org, iris, push, name):
    pushed = await push(client, org, iris, name, TEXT)
    await push(client, org, iris, name, "# another")

    assert pushed.status_code == 200, pushed.text
    card = (await get(client, org, f"{iris}/card")).json()
    assert (card["text"], card["license"]) == (TEXT, "mit")


async def test_an_mlmodel_in_a_folder_describes_its_version_and_the_item(client, org, iris):
    pushed = await in_a_folder(client, org, iris, "MLmodel", "flavors: {sklearn: {}}\nmodel_size_bytes: 5")

    card = (await get(client, org, f"{iris}/card")).json()
    assert pushed.json()["metadata"] == [
        {"name": "mlmodel.flavors", "value": "sklearn"},
        {"name": "mlmodel.model_size_bytes", "value": 5},
    ]
    assert "`sklearn`" in card["text"]


@pytest.mark.parametrize(
    ("text", "card"),
    [("---\na: *b\n---\n# Iris", "---\na: *b\n---\n# Iris"), (b"\xff\xfe", None), (b"x" * (2**20 + 1), None)],
    ids=["a wrong front matter", "no text", "too large"],
)
async def test_a_readme_that_cannot_be_a_card_does_not_stop_a_push(client, org, iris, text, card):
    pushed = await alone(client, org, iris, "README.md", text)

    assert pushed.status_code == 200, pushed.text
    shown = await get(client, org, f"{iris}/card")
    assert shown.json().get("text") == card


async def test_the_answer_of_a_push_has_the_revision_after_the_card(client, org, iris):
    pushed = await alone(client, org, iris, "README.md", TEXT)

    changed = await client.put(
        iris, json={"description": "x"}, headers=org.as_("ada") | {"If-Match": pushed.headers["etag"]}
    )

    assert changed.status_code == 200
