"""A real server, which the tests of the client share: each has users and items of its own."""

from collections.abc import Iterator

import pytest

from tests.support.serving import Server

DEMONSTRATION = "demonstration"
"""The tenant that may have the demo."""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"API_TOKEN": "an operator's token of the tests", "DEMO": "true", "DEFAULT_TENANT_DEMO": DEMONSTRATION}
    with Server(tmp_path_factory.mktemp("server"), **settings) as server:
        yield server
