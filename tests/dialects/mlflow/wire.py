"""MLflow's calls on the wire, as users of a test's tenant, without MLflow's client."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.app import PASSWORD
from tests.support.tenants import Organisation

REGISTRY = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts"


@dataclass
class Wire:
    """The calls of one user."""

    client: httpx.AsyncClient
    headers: dict[str, str]

    async def get(self, call: str, **fields: Any) -> httpx.Response:
        return await self.client.get(f"{REGISTRY}/{call}", params=fields, headers=self.headers)

    async def send(self, method: str, call: str, **fields: Any) -> httpx.Response:
        return await self.client.request(method, f"{REGISTRY}/{call}", json=fields, headers=self.headers)

    async def post(self, call: str, **fields: Any) -> httpx.Response:
        return await self.send("POST", call, **fields)

    async def put_file(self, path: str, content: bytes, **headers: str) -> httpx.Response:
        return await self.client.put(f"{ARTIFACTS}/artifacts/{path}", content=content, headers=self.headers | headers)

    async def get_file(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(f"{ARTIFACTS}/artifacts/{path}", headers=self.headers | headers)

    async def list_files(self, path: str = "") -> list[tuple[str, int | None]]:
        params = {"path": path} if path else {}
        answer = await self.client.get(f"{ARTIFACTS}/artifacts", params=params, headers=self.headers)
        files = answer.raise_for_status().json().get("files", [])
        return [(file["path"], None if file["is_dir"] else file["file_size"]) for file in files]

    async def model(self, name: str, **fields: Any) -> dict[str, Any]:
        """Create a model."""
        answer = await self.post("registered-models/create", name=name, **fields)
        return answer.raise_for_status().json()["registered_model"]

    async def version(self, name: str, source: str = "s3://bucket/model", **fields: Any) -> dict[str, Any]:
        """Create a version."""
        answer = await self.post("model-versions/create", name=name, source=source, **fields)
        return answer.raise_for_status().json()["model_version"]


def wire_of(org: Organisation, username: str) -> Wire:
    return Wire(org.client, org.as_(username))


def basic(name: str, password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"}


def failure(response: httpx.Response) -> tuple[int, str, str]:
    error = response.json()
    return response.status_code, error["error_code"], error["message"]
