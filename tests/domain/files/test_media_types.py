"""The type of a file by its name, when the client says none."""

import re
from base64 import b64encode

import pytest

from catalog.domain.files.media_types import BY_SUFFIX, type_of_name

NAMES = {
    "config.json": "application/json",
    "README.md": "text/markdown",
    "MODEL.YAML": "application/yaml",
    "train.parquet": "application/vnd.apache.parquet",
    "data.tar.gz": "application/gzip",
    "net.onnx": "application/octet-stream",
    "net.safetensors": "application/octet-stream",
    "Makefile": "application/octet-stream",
    ".json": "application/octet-stream",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_stands_for_one_type_on_every_machine(name):
    assert type_of_name(name) == NAMES[name]


def test_the_table_is_well_formed():
    assert all(re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", kind) for kind in BY_SUFFIX.values())
    assert all(suffix == suffix.lower() for suffix in BY_SUFFIX)
    assert list(BY_SUFFIX) == sorted(BY_SUFFIX)


async def kept_type(client, org, response):
    assert response.is_success, response.text
    [version] = (await client.get("/v1/models/iris", headers=org.as_("ada"))).json()["versions"]
    return version["mimetype"]


@pytest.fixture
async def iris(client, org):
    await client.post("/v1/models", json={"name": "iris"}, headers=org.as_("ada"))


@pytest.mark.parametrize(
    ("declared", "mimetype"),
    [
        (None, "text/markdown"),
        ("", "text/markdown"),
        ("nonsense", "text/markdown"),
        ("application/x-www-form-urlencoded", "text/markdown"),
        ("text/plain; charset=utf-8", "text/plain"),
        ("application/octet-stream", "application/octet-stream"),
    ],
)
async def test_a_body_alone_has_the_type_that_is_said_or_that_of_its_name(client, org, iris, declared, mimetype):
    headers = org.as_("ada") | ({} if declared is None else {"Content-Type": declared})

    sent = await client.post("/v1/models/iris/versions?name=a.md", content=b"# A", headers=headers)

    assert await kept_type(client, org, sent) == mimetype


@pytest.mark.parametrize(
    ("declared", "mimetype"),
    [("application/octet-stream", "application/json"), ("", "application/json"), ("text/plain", "text/plain")],
)
async def test_a_form_says_octet_stream_of_what_it_does_not_know(client, org, iris, declared, mimetype):
    form = {"file": ("a.json", b"{}", declared)}

    sent = await client.post("/v1/models/iris/versions", files=form, headers=org.as_("ada"))

    assert await kept_type(client, org, sent) == mimetype


async def test_an_upload_in_parts_has_the_type_of_its_name(client, org, iris):
    note = f"item {b64encode(b'iris').decode()},filename {b64encode(b'a.csv').decode()}"
    tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "3", "Upload-Metadata": note}
    octets = {"Content-Type": "application/offset+octet-stream"}

    sent = await client.post("/v1/uploads", content=b"1,2", headers=org.as_("ada") | tus | octets)

    assert await kept_type(client, org, sent) == "text/csv"


async def test_a_file_of_a_folder_has_the_type_of_its_path(client, org, iris):
    await client.post("/v1/models/iris/versions", json={"draft": True, "ordinal": "d"}, headers=org.as_("ada"))
    path = "/v1/models/iris/versions/d/files/docs/a.html"

    put = await client.put(path, content=b"<p>", headers=org.as_("ada"))

    assert put.json()["mimetype"] == "text/html"
