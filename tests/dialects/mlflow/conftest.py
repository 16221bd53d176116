"""Users of a tenant, as MLflow's clients speak for them."""

import pytest

from tests.dialects.mlflow.wire import wire_of


@pytest.fixture
async def ada(org):
    return wire_of(org, "ada")


@pytest.fixture
async def bob(org):
    return wire_of(org, "bob")


@pytest.fixture
async def admin(org):
    return wire_of(org, "admin")
