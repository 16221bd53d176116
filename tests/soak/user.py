"""One of the users of a soak: does what people do, to models of its own, and remembers what must be there."""

import hashlib
import random
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

MOST = 40  # models of one user; the oldest goes when there is one more
PATIENCE = 60  # seconds


@dataclass
class Remembered:
    name: str
    description: str = ""
    versions: dict[str, str] = field(default_factory=dict)  # ordinal -> digest


class User:
    def __init__(self, client: httpx.AsyncClient, number: int, seed: int) -> None:
        self.client = client
        self.models: dict[str, Remembered] = {}
        self.done = 0  # requests
        self._tag = f"soak-{number}"
        self._number = number
        self._made = 0
        self._chance = random.Random(f"{seed} {number}")

    async def work(self, until: float) -> None:
        """Until so late on the monotonic clock.

        Raises AssertionError, when an answer is not what it must be.
        """
        deeds = (self._create, self._change, self._upload, self._look, self._download, self._list, self._search)
        weights = (3, 3, 2, 8, 4, 4, 1)
        await self._create()
        while time.monotonic() < until:
            [deed] = self._chance.choices(deeds, weights)
            await deed()

    async def compared(self) -> list[str]:
        """What is otherwise than remembered."""
        wrong = []
        for key, model in self.models.items():
            seen = await self._asked("GET", f"/v1/models/{key}")
            if (told := _told(seen)) != model:
                wrong.append(f"{told} is not {model}")
            for ordinal, digest in model.versions.items():
                if await self._digest(key, ordinal) != digest:
                    wrong.append(f"{model.name}, version {ordinal} has other bytes")
        docs = (await self._asked("GET", "/v1/tags/suggest", params={"q": self._tag}))["docs"]
        uses = {word["_id"]: word["uses"] for word in docs}.get(self._tag)
        if uses != len(self.models):
            wrong.append(f"the tag {self._tag} tells of {uses} uses, not {len(self.models)}")
        return wrong

    async def _create(self) -> None:
        self._made += 1
        name = f"model-{self._number}-{self._made}"
        body = {"name": name, "tags": [self._tag], "metadata": [{"name": "turn", "value": self._made}]}
        made = await self._asked("POST", "/v1/models", json=body)
        self.models[made["_id"]] = Remembered(name)
        if len(self.models) > MOST:
            oldest = next(iter(self.models))
            await self._asked("DELETE", f"/v1/models/{oldest}")
            del self.models[oldest]

    async def _change(self) -> None:
        key, model = self._any()
        description = f"changed at request {self.done}"
        await self._asked("PUT", f"/v1/models/{key}", json={"description": description})
        model.description = description

    async def _upload(self) -> None:
        key, model = self._any()
        content = self._chance.randbytes(self._chance.choice((1, 40_000, 2_000_000)) + self._chance.randrange(1000))
        kept = await self._asked("POST", f"/v1/models/{key}/versions", files={"file": ("weights.bin", content)})
        model.versions = _told(kept).versions
        assert hashlib.sha256(content).hexdigest() in model.versions.values()

    async def _look(self) -> None:
        key, model = self._any()
        seen = _told(await self._asked("GET", f"/v1/models/{key}"))
        assert seen == model, f"{seen} is not {model}"

    async def _download(self) -> None:
        key, model = self._any()
        if model.versions:
            ordinal = self._chance.choice(list(model.versions))
            assert await self._digest(key, ordinal) == model.versions[ordinal]

    async def _list(self) -> None:
        asked = {"filter": f'{{"tags": "{self._tag}"}}', "limit": "100"}
        docs = (await self._asked("GET", "/v1/models", params=asked))["docs"]
        assert {doc["_id"] for doc in docs} == self.models.keys()

    async def _search(self) -> None:
        _, model = self._any()
        found = await self._asked("GET", "/v1/search", params={"q": model.name, "limit": "1"})
        assert [hit["name"] for hit in found["docs"]] == [model.name]

    def _any(self) -> tuple[str, Remembered]:
        return self._chance.choice(list(self.models.items()))

    async def _digest(self, key: str, ordinal: str) -> str:
        digest = hashlib.sha256()
        async with self.client.stream("GET", f"/v1/models/{key}/versions/{ordinal}") as answer:
            assert answer.status_code == 200, answer.status_code
            async for block in answer.aiter_bytes():
                digest.update(block)
        self.done += 1
        return digest.hexdigest()

    async def _asked(self, method: str, path: str, **how: Any) -> Any:
        answer = await self.client.request(method, path, **how)
        assert answer.status_code == 200, f"{method} {path}: {answer.status_code} {answer.text}"
        self.done += 1
        return answer.json()


def client_of(url: str, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers={"Authorization": token}, timeout=PATIENCE)


def _told(model: dict[str, Any]) -> Remembered:
    versions = {version["ordinal"]: version["digest"] for version in model["versions"]}
    return Remembered(model["name"], model["description"], versions)
