"""What the tests of backups share."""

from pathlib import Path

import pytest

from catalog.operations.backup.targets import target_of
from catalog.settings.values import StorageSettings
from tests.support.s3_server import KEY, REGION, SECRET


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
