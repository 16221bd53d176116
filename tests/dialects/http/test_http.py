"""HTTP as clients of any kind expect it, whatever the route."""

import codecs
import gzip
import json
import re

import pytest
from litestar.routes import HTTPRoute

from catalog.dialects.http.requests.client_ip import TrustedProxies
from tests.support.app import client_of_app
from tests.support.serving import Server

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


# Query strings

LISTS = ["models", "datasets", "algorithms", "tags", "metadata", "users", "tokens", "trash", "log"]
LISTS += ["models/iris/versions", "models/iris/versions/1/files"]


async def refused_query(client, org, path, query, status=400, value=6, method="GET"):
    answer = await client.request(method, f"/v1/{path}?{query}", headers=org.as_("admin"))
    assert (answer.status_code, answer.json()["value"]) == (status, value), answer.text
    return answer.json()["details"]


@pytest.fixture
async def iris(client, org):
    await client.post("/v1/models", json={"name": "iris"}, headers=org.as_("admin"))
    await client.post("/v1/models/iris/versions?name=m.bin", content=b"bytes", headers=org.as_("admin"))


@pytest.mark.parametrize("query", ["limit=abc", "limit=-1", "limit=1.5", "page=0", "page=x", "name=iris", "Limit=5"])
@pytest.mark.parametrize("path", LISTS)
async def test_a_list_refuses_what_it_does_not_understand_by_its_name(client, org, iris, path, query):
    details = await refused_query(client, org, path, query)

    assert details.startswith(query.partition("=")[0])


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("tags/suggest", "query=a"),
        ("tags/suggest", "q=a&limit=many"),
        ("search", "q=a&tag=b"),
        ("search", "q=a&limit=-1"),
        ("models/iris/versions/1", "archiv=zip"),
    ],
)
async def test_other_routes_that_take_parameters_refuse_unknown_ones_too(client, org, iris, path, query):
    details = await refused_query(client, org, path, query)

    assert details.startswith(query.rpartition("&")[2].partition("=")[0])


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("DELETE", "users/ada", "tranfser=bob"),
        ("POST", "models/iris/versions", "filename=m.bin"),
        ("POST", "models", "verbos=false"),
    ],
)
async def test_a_misspelt_parameter_changes_nothing(client, org, iris, method, path, query):
    details = await refused_query(client, org, path, query, 400, 4, method)

    assert details.startswith(query.partition("=")[0])
    assert (await client.get("/v1/users/ada", headers=org.as_("admin"))).status_code == 200


async def test_the_nearest_parameter_is_named_and_the_others(client, org):
    misspelt = await refused_query(client, org, "models", "limt=5")
    a_field = await refused_query(client, org, "models", "name=iris")

    assert "did you mean limit?" in misspelt
    assert "after, alias, archived, filter, library, license, limit, page, select, sort, stage, total" in misspelt
    assert 'filter={"field": "value"}' in a_field


@pytest.mark.parametrize("query", ["_=1700000000", "_t=1&limit=5", "limit=&page=", "metadata.accuracy=0.9", "limit=0"])
async def test_what_a_list_takes_is_taken_and_what_begins_with_an_underscore_ignored(client, org, query):
    assert (await client.get(f"/v1/models?{query}", headers=org.as_("ada"))).status_code == 200


async def test_who_may_not_ask_is_not_told_of_parameters(client):
    assert (await client.get("/v1/models?limt=5")).status_code == 401


# HEAD


def the_gets_of(app):
    for route in app.routes:
        if isinstance(route, HTTPRoute) and "GET" in route.route_handler_map:
            yield route


async def test_every_route_that_answers_get_answers_head(app, client, org, iris):
    for route in the_gets_of(app):
        path = route.path_format
        for name, thing in {"{which}": "1", "{path}": "m.bin", "{token}": "x"}.items():
            path = path.replace(name, thing)
        path = re.sub(r"\{\w+\}", "iris", path)

        got = await client.get(path, headers=org.as_("admin"))
        head = await client.head(path, headers=org.as_("admin"))

        assert (head.status_code, head.content) == (got.status_code, b""), path
        varying = {"/metrics", "/v1/log", "/v1/info", "/health/ready"}
        if path not in varying and got.is_success:  # a refusal names the method
            assert head.headers.get("Content-Length") == got.headers.get("Content-Length"), path
            assert head.headers.get("Content-Type") == got.headers.get("Content-Type"), path


async def test_head_is_allowed_where_get_is(client, org):
    refused = await client.patch("/v1/models", headers=org.as_("ada"))

    assert set(refused.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}


async def test_head_needs_what_get_needs(client, org):
    assert (await client.head("/v1/models")).status_code == 401
    assert (await client.head("/v1/usage", headers=org.as_("ada"))).status_code == 403
    assert (await client.head("/v1/models?limt=1", headers=org.as_("ada"))).status_code == 400


async def test_head_over_a_connection_keeps_the_length_and_the_connection(tmp_path):
    with Server(tmp_path) as server, server.client(server.login().json()["token"]) as admin:
        got, head, again = admin.get("/v1/models"), admin.head("/v1/models"), admin.get("/v1/models")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(got.content))
    assert again.json() == got.json()


# Conditions


def tags_around(etag):
    return {
        "itself": etag,
        "weak": f"W/{etag}",
        "among others": f'"x", W/{etag}, "y"',
        "without blanks": f'"x",{etag}',
        "anything": "*",
    }


@pytest.mark.parametrize("how", tags_around(""))
@pytest.mark.parametrize("path", ["/v1/models/iris", "/v1/models/iris/versions/1/info"])
async def test_what_is_known_is_not_sent_again(client, org, iris, path, how):
    first = await client.get(path, headers=org.as_("admin"))

    known = {"If-None-Match": tags_around(first.headers["ETag"])[how]} | org.as_("admin")
    got, head = await client.get(path, headers=known), await client.head(path, headers=known)

    for answer in (got, head):
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == first.headers["ETag"]
        assert answer.headers["Cache-Control"] == "private, no-cache"


async def test_what_has_changed_is_sent(client, org, iris):
    old = (await client.get("/v1/models/iris", headers=org.as_("admin"))).headers["ETag"]
    await client.put("/v1/models/iris/versions/1", json={"description": "new"}, headers=org.as_("admin"))

    answer = await client.get("/v1/models/iris", headers=org.as_("admin") | {"If-None-Match": f'{old}, "x"'})

    assert answer.json()["versions"][0]["description"] == "new"


async def test_an_item_is_sent_again_when_a_dataset_in_it_has_changed(client, org):
    await client.post("/v1/datasets", json={"name": "petals"}, headers=org.as_("ada"))
    await a_model(client, org, datasets=["petals"])
    known = (await client.get("/v1/models/iris", headers=org.as_("ada"))).headers["ETag"]
    await client.put("/v1/datasets/petals", json={"description": "new"}, headers=org.as_("ada"))

    answer = await client.get("/v1/models/iris", headers=org.as_("ada") | {"If-None-Match": known})
    changed = await client.put(
        "/v1/models/iris", json={"description": "x"}, headers=org.as_("ada") | {"If-Match": known}
    )

    assert answer.json()["datasets"][0]["description"] == "new"
    assert changed.status_code == 200  # the model itself is unchanged


async def test_a_change_may_name_several_revisions(client, org):
    await a_model(client, org)
    seen = (await client.get("/v1/models/iris", headers=org.as_("ada"))).headers["ETag"]

    async def put(tags):
        headers = org.as_("ada") | {"If-Match": tags}
        return (await client.put("/v1/models/iris", json={"description": tags}, headers=headers)).status_code

    assert [await put(tags) for tags in ('"7", "8"', f"W/{seen}", "nonsense", f'"7", {seen}', seen, '"2"')] == [
        412,
        412,
        412,
        200,
        412,
        200,
    ]


# X-HTTP-Method-Override


@pytest.mark.parametrize("said", ["PATCH", "patch"])
async def test_an_upload_goes_on_where_only_post_gets_through(client, org, said):
    await a_model(client, org)
    upload = await an_upload(client, org)

    headers = org.as_("ada") | OCTETS | {"X-HTTP-Method-Override": said}
    answer = await client.post(upload, content=b"abc", headers=headers)

    assert (answer.status_code, answer.headers["Upload-Offset"], answer.headers["Catalog-Ordinal"]) == (204, "3", "1")


async def test_an_upload_is_given_up_where_only_post_gets_through(client, org):
    await a_model(client, org)
    upload = await an_upload(client, org)

    answer = await client.post(upload, headers=org.as_("ada") | TUS | {"X-HTTP-Method-Override": "DELETE"})

    assert answer.status_code == 204
    assert (await client.head(upload, headers=org.as_("ada") | TUS)).is_client_error


@pytest.mark.parametrize(
    ("method", "path", "override"),
    [
        ("POST", "/v1/models/iris", "DELETE"),
        ("GET", "/v1/models/iris", "DELETE"),
        ("POST", "/v1/models/uploads/x", "PATCH"),
        ("POST", "{upload}", "GET"),
    ],
)
async def test_no_other_request_becomes_another(client, org, method, path, override):
    await a_model(client, org)
    path = path.format(upload=await an_upload(client, org))

    headers = org.as_("ada") | TUS | {"X-HTTP-Method-Override": override}
    answer = await client.request(method, path, headers=headers)

    assert answer.status_code in {200, 404, 405}
    assert (await client.get("/v1/models/iris", headers=org.as_("ada"))).status_code == 200


async def test_addresses_that_clients_are_told_begin_with_the_path_of_the_proxy(settings, mongo):
    behind = settings.model_copy(update={"public_url": "https://models.example/registry"})
    async with client_of_app(behind, mongo) as client:
        document = (await client.get("/schema/openapi.json")).json()

    assert document["servers"] == [{"url": "/registry"}]


async def test_an_upload_and_a_link_are_where_the_proxy_has_them(app, client, org, iris, monkeypatch):
    monkeypatch.setattr(
        TrustedProxies, "outer_prefix", lambda *_: "/registry"
    )  # as of a trusted proxy: see test_client_ip

    upload = await client.post(
        "/v1/uploads",
        headers=org.as_("admin") | TUS | {"Upload-Length": "3", "Upload-Metadata": "item aXJpcw==,filename bQ=="},
    )
    link = await client.post("/v1/models/iris/versions/1/link", headers=org.as_("admin"))

    assert upload.headers["Location"].startswith("/registry/v1/uploads/")
    assert link.json()["url"].startswith("/registry/v1/links/")
