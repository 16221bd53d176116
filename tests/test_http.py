"""HTTP as clients of any kind expect it, whatever the route."""

import codecs
import gzip
import json

import pytest

PRESSED = gzip.compress(b'{"name": "pressed"}')
TUS = {"Tus-Resumable": "1.0.0"}
OCTETS = {**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}


async def a_model(client, org, name="iris", **more):
    made = await client.post("/v1/models", json={"name": name, **more}, headers=org.as_("ada"))
    return made.raise_for_status().json()["_id"]


async def an_upload(client, org):
    note = {"Upload-Length": "3", "Upload-Metadata": "item aXJpcw==,filename bQ=="}
    return (await client.post("/v1/uploads", headers=org.as_("ada") | TUS | note)).headers["Location"]


# Bodies


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/v1/login", {}),
        ("POST", "/v1/models", {"Content-Type": "application/json"}),
        ("PUT", "/v1/models/iris", {"Content-Type": "application/json"}),
        ("POST", "/v1/models/iris/versions?name=m.bin", {"Content-Type": "application/octet-stream"}),
        ("POST", "/v1/models/iris/versions", {"Content-Type": "multipart/form-data; boundary=b"}),
        ("PUT", "/v1/models/iris/versions/draft/files/a/b.bin", {}),
        ("PATCH", "{upload}", OCTETS),
    ],
)
@pytest.mark.parametrize("coding", ["gzip", "identity, br", "ZSTD", "utf-8"])
async def test_a_body_that_would_have_to_be_decoded_is_refused(client, org, method, path, headers, coding):
    await a_model(client, org)
    path = path.format(upload=await an_upload(client, org))

    sent = headers | {"Content-Encoding": coding} | org.as_("ada")
    answer = await client.request(method, path, content=PRESSED, headers=sent)

    assert (answer.status_code, answer.json()["value"]) == (415, 151)
    assert answer.headers["Accept-Encoding"] == "identity"
    assert (await client.get("/v1/models/iris", headers=org.as_("ada"))).json()["versions"] == []


@pytest.mark.parametrize("coding", ["identity", "Identity, identity", ""])
async def test_a_body_that_is_as_it_is_may_say_so(client, org, coding):
    headers = org.as_("ada") | {"Content-Encoding": coding}

    made = await client.post("/v1/models", content=b'{"name": "plain"}', headers=headers)

    assert made.json()["name"] == "plain"


async def test_a_content_encoding_without_content_is_nobodys_concern(client, org):
    answer = await client.get("/v1/models", headers=org.as_("ada") | {"Content-Encoding": "gzip"})

    assert answer.status_code == 200


async def test_a_part_of_a_form_that_would_have_to_be_decoded_is_refused(client, org):
    await a_model(client, org)
    form = {"file": ("m.bin", PRESSED, "application/octet-stream", {"Content-Encoding": "gzip"})}

    answer = await client.post("/v1/models/iris/versions", files=form, headers=org.as_("ada"))

    assert (answer.status_code, answer.json()["value"]) == (415, 151)


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/iris/versions"])
async def test_json_may_begin_with_the_mark_of_utf_8(client, org, path):
    await a_model(client, org)
    body = codecs.BOM_UTF8 + json.dumps({"name": "marked"} if path == "/v1/models" else {"draft": True}).encode()

    headers = org.as_("ada") | {"Content-Type": "application/json"}
    answer = await client.post(path, content=body, headers=headers)

    assert answer.status_code == 200
