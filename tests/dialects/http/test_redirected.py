"""Downloads that the storage gives out itself: S3_DOWNLOADS=redirect."""

import httpx

from tests.dialects.v1.test_versions import DATA, uploaded, versions_of
from tests.support.app import OURS, client_of_app, in_database, settings_in
from tests.support.serving import SOON
from tests.support.tenants import organisation


def in_a_bucket(s3, mongo, folder):
    """A client of a catalog that keeps its files in a bucket."""
    values = {"S3_DOWNLOADS": "redirect", **s3.settings(f"s3://{s3.bucket()}")}
    settings = settings_in(folder, "bucket", **values)
    return client_of_app(settings, in_database(mongo, f"{OURS}-bucket-catalogue"), started=True)


async def test_a_download_goes_on_at_the_storage_which_needs_no_token(s3, mongo, tmp_path):
    async with in_a_bucket(s3, mongo, tmp_path) as client:
        org = await organisation(client, "ada", "eve")
        url = await versions_of(client, org, "models", visibility="private")
        await uploaded(client, org, url, name="iris 1.onnx")

        answer = await client.get(f"{url}/1", headers=org.as_("ada"))

        assert (answer.status_code, answer.content) == (307, b"")
        assert answer.headers["cache-control"] == "no-store"
        async with httpx.AsyncClient(timeout=SOON) as anybody:
            fetched = await anybody.get(answer.headers["location"])
        assert (fetched.status_code, fetched.content) == (200, DATA)
        assert fetched.headers["content-disposition"] == "attachment; filename*=UTF-8''iris%201.onnx"
        assert (await client.get(f"{url}/1", headers=org.as_("eve"))).status_code == 403


async def test_what_the_server_answers_itself_it_does_not_send_on(s3, mongo, tmp_path):
    async with in_a_bucket(s3, mongo, tmp_path) as client:
        org = await organisation(client, "ada")
        url = await versions_of(client, org, "models")
        version = await uploaded(client, org, url)

        told = await client.head(f"{url}/1", headers=org.as_("ada"))
        known = await client.get(f"{url}/1", headers=org.as_("ada") | {"If-None-Match": f'"{version["digest"]}"'})
        archive = await client.get(f"{url}/1?archive=zip", headers=org.as_("ada"))

        assert (told.status_code, told.headers["content-length"]) == (200, "10")
        assert known.status_code == 304
        assert (archive.status_code, DATA in archive.content) == (200, True)
