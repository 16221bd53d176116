"""A mixed load on a catalog that may fail at any moment, and an oracle that remembers what was asked and answered.

What was acknowledged is there. What was refused for now, or cut off, is there as a whole or not at all; until the next
`settle` no request uses such a model, since a database may still carry out what it has received.
"""

import asyncio
import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any, NamedTuple

import httpx

from tests.support.serving import SOON

TAGS = [f"tag-{number}" for number in range(12)]
SIZES = (16, 40_000, 800_000)
LATER = {503, 507}
"""What a database or a storage that is away or full answers. Any other refusal would be a fault."""


class Shape(NamedTuple):
    """What there is to see of a model."""

    name: str
    tags: frozenset[str]
    description: str = ""
    digests: frozenset[str] = frozenset()  # of its versions
    removed: bool = False


class Oracle:
    """Everything that the catalog was asked to keep, and what it said it has kept."""

    def __init__(self) -> None:
        self.may: dict[str, list[Shape]] = {}  # id -> how the model may look; one shape when it is certain
        self.asked: dict[str, Shape] = {}  # name -> the shape of a model whose making was not acknowledged
        self.ordinals: dict[tuple[str, str], str] = {}  # (id, digest) -> the version's
        self.half_removed: set[str] = set()  # ids of models whose removal was cut off and had not happened
        self.written = 0
        self.refused = 0
        self.is_over = False
        self.names = (f"model-{number}" for number in count())
        self._busy: set[str] = set()

    async def until(self, writes: int, *writers: asyncio.Task[None]) -> None:
        """Wait for so many more acknowledged writes."""
        enough = self.written + writes
        async with asyncio.timeout(SOON):
            while self.written < enough:
                assert [writer.result() for writer in writers if writer.done()] == []
                await asyncio.sleep(0.001)

    @contextmanager
    def alone_with(self, chance: random.Random) -> Iterator[tuple[str, Shape]]:
        """Some model that is certain, for one writer at a time. Raises LookupError."""
        free = [key for key in self.certain() if key not in self._busy and not self.may[key][0].removed]
        key = chance.choice(free)
        self._busy.add(key)
        try:
            yield key, self.may[key][0]
        finally:
            self._busy.remove(key)

    def certain(self) -> list[str]:
        return [key for key, shapes in self.may.items() if len(shapes) == 1]

    def shapes(self) -> list[Shape]:
        """Of all models, once they are settled."""
        assert len(self.certain()) == len(self.may)
        return [shape for [shape] in self.may.values()]


class Writer:
    """Does one thing after the other until the server is gone, or it is over. Descriptions have `padding` in them."""

    def __init__(self, client: httpx.AsyncClient, oracle: Oracle, seed: object, padding: int = 0) -> None:
        self._client = client
        self._oracle = oracle
        self._chance = random.Random(str(seed))
        self._padding = "." * padding

    async def write(self) -> None:
        with suppress(httpx.TransportError):
            while not self._oracle.is_over:
                await self.step()

    async def step(self) -> None:
        if self._chance.random() < 0.25:
            return await self.make()
        deeds = (self.upload, self.log, self.retag, self.describe, self.look, self.remove_version, self.remove)
        [deed] = self._chance.choices(deeds, (5, 3, 4, 3, 3, 2, 1))
        try:
            with self._oracle.alone_with(self._chance) as (key, shape):
                await deed(key, shape)
        except LookupError:  # others have them all
            await self.make()

    async def stuff(self) -> None:
        """Nothing but descriptions, to let the database grow."""
        while not self._oracle.is_over:
            try:
                with self._oracle.alone_with(self._chance) as (key, shape):
                    await self.describe(key, shape)
            except LookupError:
                await self.make()

    async def make(self) -> None:
        tags = frozenset(self._chance.sample(TAGS, 3))
        shape = Shape(next(self._oracle.names), tags)
        self._oracle.asked[shape.name] = shape
        answer = await self._client.post("/v1/models", json=a_model(shape))
        if self._acknowledged(answer):
            del self._oracle.asked[shape.name]
            self._oracle.may[answer.json()["_id"]] = [shape]

    async def upload(self, key: str, shape: Shape) -> None:
        content = self._chance.randbytes(self._chance.choice(SIZES) + self._chance.randrange(1000))
        digest = hashlib.sha256(content).hexdigest()
        after = shape._replace(digests=shape.digests | {digest})
        files = {"file": ("weights.bin", content)}
        answer = await self._changed(key, after, "POST", f"/v1/models/{key}/versions", files=files)
        if answer:
            [version] = [version for version in answer["versions"] if version["digest"] == digest]
            self._oracle.ordinals[key, digest] = version["ordinal"]

    async def log(self, key: str, shape: Shape) -> None:
        """A version as MLflow makes it: a file in the artifact service, then a version that names its bytes."""
        content = self._chance.randbytes(SIZES[0] + self._chance.randrange(1000))
        digest, path = hashlib.sha256(content).hexdigest(), f"runs/{self._chance.randrange(10**9)}/weights.bin"
        address = f"/api/2.0/mlflow-artifacts/artifacts/{path}"
        if not self._acknowledged(await self._client.put(address, content=content)):
            return
        body = {"name": shape.name, "source": f"mlflow-artifacts:/{path}"}
        after = shape._replace(digests=shape.digests | {digest})
        answer = await self._changed(key, after, "POST", "/api/2.0/mlflow/model-versions/create", json=body)
        if answer:
            self._oracle.ordinals[key, digest] = answer["model_version"]["version"]
            self._acknowledged(await self._client.delete(address))

    async def retag(self, key: str, shape: Shape) -> None:
        gone = self._chance.choice([*shape.tags, self._chance.choice(TAGS)])
        new = self._chance.choice(TAGS)
        after = shape._replace(tags=shape.tags - {gone} | {new})
        delta = {"remove": [gone] if gone in shape.tags else [], "add": [new]}
        await self._changed(key, after, "PUT", f"/v1/models/{key}", json={"tags": delta})

    async def describe(self, key: str, shape: Shape) -> None:
        after = shape._replace(description=f"{self._chance.random()}{self._padding}")
        await self._changed(key, after, "PUT", f"/v1/models/{key}", json={"description": after.description})

    async def look(self, key: str, shape: Shape) -> None:
        answer = await self._client.get(f"/v1/models/{key}")
        if acknowledged(answer):
            assert shape_of(answer.json()) == shape

    async def remove_version(self, key: str, shape: Shape) -> None:
        if shape.digests:
            digest = self._chance.choice(sorted(shape.digests))
            after = shape._replace(digests=shape.digests - {digest})
            url = f"/v1/models/{key}/versions/{self._oracle.ordinals[key, digest]}"
            await self._changed(key, after, "DELETE", url)

    async def remove(self, key: str, shape: Shape) -> None:
        await self._changed(key, shape._replace(removed=True), "DELETE", f"/v1/models/{key}")

    async def _changed(self, key: str, after: Shape, method: str, url: str, **how: Any) -> Any:
        """The answer to a change, or None when it was not acknowledged: then the model may look either way."""
        before = self._oracle.may[key]
        self._oracle.may[key] = [*before, after]
        answer = await self._client.request(method, url, **how)
        if not self._acknowledged(answer):
            return None
        self._oracle.may[key] = [after]
        return answer.json()

    def _acknowledged(self, answer: httpx.Response) -> bool:
        yes = acknowledged(answer)
        self._oracle.written += yes
        self._oracle.refused += not yes
        return yes


async def settle(client: httpx.AsyncClient, oracle: Oracle) -> None:
    """Compare what can be seen with what was asked and acknowledged. Then all is certain again."""
    models = {model["_id"]: model async for model in everything(client, "/v1/models")}
    trash = {removed["_id"] async for removed in everything(client, "/v1/trash")}
    for key in models.keys() - oracle.may.keys():
        shape = shape_of(models[key])
        assert oracle.asked.pop(shape.name) == shape
        oracle.may[key] = [shape]
    for key, shapes in oracle.may.items():
        removed = key in trash
        assert (key in models) != removed, f"{shapes[0].name} is not there, or twice"
        if removed:
            assert shapes[-1].removed, f"nobody has removed {shapes[0].name}"
            oracle.may[key] = [shapes[-1]]
        else:
            seen = shape_of(models[key])
            assert seen in shapes, f"{seen} is none of {shapes}"
            assert (await client.get(f"/v1/models/{key}")).json() == models[key]
            oracle.may[key] = [seen]
            if any(shape.removed for shape in shapes):
                oracle.half_removed.add(key)
    await _counted(client, oracle)
    await asyncio.gather(*(_downloaded(client, oracle, model) for model in models.values()))
    for shape in list(oracle.asked.values()):
        # Of what was cut off nothing is left that would be in the way of trying again.
        again = await client.post("/v1/models", json=a_model(shape))
        assert again.status_code == 200, again.text
        oracle.may[again.json()["_id"]] = [oracle.asked.pop(shape.name)]


async def _counted(client: httpx.AsyncClient, oracle: Oracle) -> None:
    shapes = oracle.shapes()
    usage = (await client.get("/v1/usage")).json()
    assert usage["models"] == sum(not shape.removed for shape in shapes)
    removed = {key for key, [shape] in oracle.may.items() if shape.removed}
    # An item goes into the trash before it leaves its place; what was cut off between the two is in both.
    assert len(removed) <= usage["trash"] <= len(removed | oracle.half_removed)
    known = sum(len(shape.digests) for shape in shapes)
    assert usage["versions"] == known, f"{usage['versions']} versions are stored, and models show {known}"


async def _downloaded(client: httpx.AsyncClient, oracle: Oracle, model: dict[str, Any]) -> None:
    for version in model["versions"]:
        oracle.ordinals[model["_id"], version["digest"]] = version["ordinal"]
        answer = await client.get(f"/v1/models/{model['_id']}/versions/{version['ordinal']}")
        assert answer.status_code == 200, answer.text
        assert hashlib.sha256(answer.content).hexdigest() == version["digest"]


async def words_told(client: httpx.AsyncClient) -> dict[str, int]:
    """Tags and names of metadata that the catalog says are used, with how often."""
    tags = {word["_id"]: word["uses"] async for word in everything(client, "/v1/tags")}
    names = {word["_id"]: word["uses"] async for word in everything(client, "/v1/metadata")}
    return {word: uses for word, uses in (tags | names).items() if uses}


def words_used(oracle: Oracle) -> dict[str, int]:
    present = [shape for shape in oracle.shapes() if not shape.removed]
    tags = {tag: sum(tag in shape.tags for shape in present) for tag in TAGS}
    return {word: uses for word, uses in (tags | {"of": len(present)}).items() if uses}


async def everything(client: httpx.AsyncClient, path: str) -> Any:
    page = 1
    while page:
        answer = await client.get(path, params={"limit": 50, "page": page})
        assert answer.status_code == 200, answer.text
        for found in answer.json()["docs"]:
            yield found
        page = answer.json()["nextPage"]


def a_model(shape: Shape) -> dict[str, Any]:
    return {"name": shape.name, "tags": sorted(shape.tags), "metadata": [{"name": "of", "value": shape.name}]}


def shape_of(model: dict[str, Any]) -> Shape:
    assert model["metadata"] == [{"name": "of", "value": model["name"]}]
    digests = frozenset(version["digest"] for version in model["versions"])
    assert len(digests) == len(model["versions"])
    return Shape(model["name"], frozenset(model["tags"]), model["description"], digests)


def acknowledged(answer: httpx.Response) -> bool:
    """Whether it was done. A request that must wait is told so in our shape, and when to come again."""
    if answer.status_code == 200:
        return True
    assert answer.status_code in LATER, f"{answer.request.method} {answer.request.url}: {answer.text}"
    assert answer.json().get("value", 0) > 100 or "error_code" in answer.json(), answer.text
    assert answer.status_code == 507 or int(answer.headers["Retry-After"]) > 0
    return False


def client_of(url: str, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers={"Authorization": token}, timeout=SOON)
