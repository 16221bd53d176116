"""Users of the Kubeflow Model Registry, over HTTP in this process."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.support.tenants import Organisation

ALPHA, V1 = "/api/model_registry/v1alpha3", "/api/model_registry/v1"


@dataclass
class Registry:
    """One user of one version of the API."""

    client: httpx.AsyncClient
    headers: dict[str, str]
    prefix: str = ALPHA

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.client.get(self.prefix + path, params=query, headers=self.headers)

    async def post(self, path: str, **body: Any) -> httpx.Response:
        return await self.client.post(self.prefix + path, json=body, headers=self.headers)

    async def patch(self, path: str, **body: Any) -> httpx.Response:
        return await self.client.patch(self.prefix + path, json=body, headers=self.headers)

    async def new(self, path: str, **body: Any) -> dict[str, Any]:
        return (await self.post(path, **body)).raise_for_status().json()

    async def model(self, name: str = "iris", **more: Any) -> dict[str, Any]:
        return await self.new("/registered_models", name=name, **more)

    async def version(self, model: dict[str, Any], name: str = "v1", **more: Any) -> dict[str, Any]:
        return await self.new("/model_versions", name=name, registeredModelId=model["id"], **more)

    async def run(self, experiment: str = "trials", run: str = "first") -> dict[str, Any]:
        group = await self.new("/experiments", name=experiment)
        return await self.new("/experiment_runs", experimentId=group["id"], name=run)

    async def found(self, path: str, query: str, **more: Any) -> list[str]:
        """The names that a filter finds."""
        answer = (await self.get(path, filterQuery=query, **more)).raise_for_status()
        return [item["name"] for item in answer.json()["items"]]


def registry(org: Organisation, username: str = "ada", prefix: str = ALPHA) -> Registry:
    return Registry(org.client, {"Authorization": f"Bearer {org.tokens[username].removeprefix('JWT ')}"}, prefix)


@pytest.fixture
async def ada(org: Organisation) -> Registry:
    return registry(org)


@pytest.fixture
async def bob(org: Organisation) -> Registry:
    return registry(org, "bob")
