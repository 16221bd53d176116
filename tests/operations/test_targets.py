"""Where backups are kept: a folder or a bucket shows them complete or not at all."""

from pathlib import Path

import pytest

from catalog.operations.targets import target_of
from catalog.settings.values import StorageSettings
from tests.support.s3_server import KEY, REGION, SECRET


class LineError(Exception):
    """The line is cut."""


async def chunks(*parts, cut=False):
    for part in parts:
        yield part
    if cut:
        raise LineError


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.process)])
def target(request, tmp_path):
    location, endpoint = str(tmp_path / "backups"), ""
    if request.param == "bucket":
        s3 = request.getfixturevalue("s3")
        location, endpoint = f"s3://{s3.bucket()}/kept", s3.url
    settings = StorageSettings(
        location="files",
        folder=Path("uploads"),
        endpoint=endpoint,
        region=REGION,
        access_key=KEY,
        secret_key=SECRET,
        virtual_host=False,
        encryption="",
        kms_key="",
        ca=None,
        redirects=False,
    )
    return target_of(location, settings)


async def test_a_backup_is_there_when_it_is_complete_and_is_not_replaced_unasked(target):
    large = [bytes(2**20)] * 12  # more than one part of an upload

    with pytest.raises(LineError):
        await target.save("cut.tar", chunks(*large, cut=True))
    await target.save("b.tar", chunks(*large))
    await target.save("a.tar", chunks(b"first"))
    with pytest.raises(FileExistsError):
        await target.save("a.tar", chunks(b"second"))
    names = await target.names()
    await target.save("a.tar", chunks(b"third"), force=True)
    await target.remove("b.tar")

    assert names == ["a.tar", "b.tar"]
    assert (await target.names(), await target.has("b.tar")) == (["a.tar"], False)
