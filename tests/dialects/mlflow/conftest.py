"""Users of a tenant, as MLflow's clients speak for them: in this process, and at a real server."""

import pytest

from tests.dialects.mlflow.wire import wire_of
from tests.support.people import Somebody, hired
from tests.support.serving import Server


@pytest.fixture(scope="package")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("server"), MAX_UPLOAD_SIZE="100M", CLIENT_TIMEOUT="60") as server:
        yield server


@pytest.fixture(scope="package")
def user(server, tmp_path_factory) -> Somebody:
    """A user of the real server."""
    return hired(server, tmp_path_factory.mktemp("people"))


@pytest.fixture
async def ada(org):
    return wire_of(org, "ada")


@pytest.fixture
async def bob(org):
    return wire_of(org, "bob")


@pytest.fixture
async def admin(org):
    return wire_of(org, "admin")
