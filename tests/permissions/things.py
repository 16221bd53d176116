"""Fresh things of Ada's to ask about. Each maker is given what is made already, and adds what it makes."""

import logging
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable
from uuid import uuid4

from tests.permissions.world import World, access_token
from tests.support.serving import SOON
from tests.support.tenants import organisation

Thing = dict[str, str]
"""What fills the braces of a request."""

Maker = Callable[[World, Thing], Awaitable[Thing]]

SECRET = "only-for-readers"
"""In the name, the description and the file of every private item."""


def fresh() -> str:
    return f"n{uuid4().hex[:12]}"


async def nothing(_: World, thing: Thing) -> Thing:
    return thing


async def an_item(world: World, thing: Thing) -> Thing:
    """A private item, shared with Bob, and edited by a group; or one as `thing` wants it."""
    kind, name = thing.get("kind") or "models", thing.get("title") or f"{SECRET}-{fresh()}"
    shared = {"users": ["bob"], "editors": ["painters"]}
    body = {"name": name, "visibility": thing.get("visibility", "private"), "description": SECRET, **shared}
    made = (await world.ask("POST", f"/v1/{kind}", json=body)).json()
    return {**thing, "kind": kind, "key": made["_id"], "title": name, "shown": name}


async def a_service(world: World, thing: Thing) -> Thing:
    """A run of an experiment, and a service of a model that is shared with Bob; each with an id in `serials`."""
    item, api = await an_item(world, thing), "/api/model_registry/v1alpha3"
    model = (await world.ask("GET", f'/v1/models/{item["key"]}?select=["name"]')).json()["name"]
    registered = (await world.ask("GET", f"{api}/registered_model?name={model}")).json()["id"]

    async def made(path: str, **body: str) -> str:
        name = {"name": f"{SECRET}-{fresh()}"}
        return (await world.ask("POST", f"{api}/{path}", json=body | name)).json()["id"]

    experiment, environment = await made("experiments"), await made("serving_environments")
    run = await made("experiment_runs", experimentId=experiment)
    service = await made("inference_services", registeredModelId=registered, servingEnvironmentId=environment)
    serials = {"experiment": experiment, "run": run, "environment": environment, "service": service}
    return {**item, **serials, "model": registered}


def shown_as(name: str) -> Maker:
    """The same, with the serial of one of them as what is shown or hidden."""

    async def make(world: World, thing: Thing) -> Thing:
        made = await a_service(world, thing)
        return {**made, "shown": f'"serial":{made[name]}'}

    return make


async def a_version(world: World, thing: Thing) -> Thing:
    item = await an_item(world, thing)
    content = f"{SECRET} {item['key']}".encode()
    await world.ask("POST", "/v1/{kind}/{key}/versions?name={title}".format_map(item), content=content)
    info = (await world.ask("GET", "/v1/{kind}/{key}/versions/1/info".format_map(item))).json()
    return {**item, "which": "1", "path": item["title"], "digest": info["digest"]}


async def a_card(world: World, thing: Thing) -> Thing:
    item = await an_item(world, thing)
    await world.ask("PUT", "/v1/{kind}/{key}/card".format_map(item), content=f"# {SECRET} {item['title']}".encode())
    return item


async def a_licensed_item(world: World, thing: Thing) -> Thing:
    """With a license that no other item has."""
    item = await an_item(world, thing)
    await world.ask("PUT", "/v1/{kind}/{key}".format_map(item), json={"license": item["title"]})
    return item


async def an_alias(world: World, thing: Thing) -> Thing:
    """One that pointed to version 2 and points to version 1."""
    version = await a_version(world, thing)
    item = "/v1/{kind}/{key}".format_map(version)
    await world.ask("POST", f"{item}/versions?name=other.bin", content=b"others")
    for which in ("2", "1"):
        await world.ask("PUT", f"{item}/aliases/champion", json={"version": which})
    return {**version, "alias": "champion"}


async def a_draft(world: World, thing: Thing) -> Thing:
    """A draft with one file."""
    item = await an_item(world, thing)
    versions = "/v1/{kind}/{key}/versions".format_map(item)
    await world.ask("POST", versions, json={"draft": True})
    await world.ask("PUT", f"{versions}/1/files/weights.bin", content=SECRET.encode())
    return {**item, "which": "1", "path": "weights.bin"}


async def a_link(world: World, thing: Thing) -> Thing:
    version = await a_version(world, thing)
    made = await world.ask("POST", "/v1/{kind}/{key}/versions/1/link".format_map(version), json={})
    return {**version, "token": made.json()["token"], "name": "weights.bin"}


async def a_removed_item(world: World, thing: Thing) -> Thing:
    item = await an_item(world, thing)
    await world.ask("DELETE", "/v1/{kind}/{key}".format_map(item))
    return item


async def an_item_to_upload_to(world: World, thing: Thing) -> Thing:
    item = await an_item(world, thing)
    item_key, file_name = (b64encode(text.encode()).decode() for text in (item["key"], item["title"]))
    return {**item, "metadata": f"item {item_key},filename {file_name}"}


async def an_upload(world: World, thing: Thing) -> Thing:
    """One that waits for its three bytes."""
    item = await an_item_to_upload_to(world, thing)
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "3", "Upload-Metadata": item["metadata"]}
    begun = await world.client.post("/v1/uploads", headers=world.org.as_("ada") | headers)
    return {**item, "name": begun.raise_for_status().headers["location"].rpartition("/")[2]}


async def a_word(world: World, thing: Thing) -> Thing:
    word = thing.get("word") or fresh()
    await world.ask("POST", "/v1/{words}".format_map(thing), "admin", json={"_id": word})
    return {**thing, "word": word, "shown": word}


async def two_words(world: World, thing: Thing) -> Thing:
    other = await a_word(world, thing)
    return {**await a_word(world, thing), "into": other["word"]}


async def the_word_suggest(world: World, thing: Thing) -> Thing:
    """Whose path the suggestions have taken. It may be there already."""
    await world.client.post("/v1/{words}".format_map(thing), headers=world.org.as_("admin"), json={"_id": "suggest"})
    return thing


async def the_owner(world: World, thing: Thing) -> Thing:
    return {**thing, "key": world.org.ids["ada"], "shown": world.org.ids["ada"]}


async def a_user(world: World, thing: Thing) -> Thing:
    """A person who owns nothing, with credentials that stand for the owner's."""
    name = fresh()
    await world.org.hire(name)
    theirs = world.org.as_(name)
    return {
        **thing,
        "tenant": world.org.name,
        "key": world.org.ids[name],
        "email": f"{name}@example.org",
        "owner": theirs["Authorization"],
        "read token": (await access_token(world.client, theirs, "read"))["Authorization"],
        "write token": (await access_token(world.client, theirs, "write"))["Authorization"],
    }


class Heard(logging.Handler):
    """What a logger says, in one text."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += record.getMessage()


async def leave_to_choose_a_password(world: World, thing: Thing) -> Thing:
    """What a mail brings: without a mail server it stands in the log."""
    user, heard, logger = (
        await a_user(world, thing),
        Heard(),
        logging.getLogger("catalog.domain.people.authentication.password_resets"),
    )
    logger.addHandler(heard)
    try:
        asked = await world.client.post(f"/v1/self/reset?tenant={world.org.name}", json={"email": user["email"]})
        asked.raise_for_status()
        await world.app.state.outbox.drain(SOON)
    finally:
        logger.removeHandler(heard)
    return {**user, "reset": re.search(r"token=([0-9a-f]+)", heard.text)[1]}


async def a_group(world: World, thing: Thing) -> Thing:
    """A group whose only member is Ada."""
    made = (await world.ask("POST", "/v1/groups", "admin", json={"name": fresh(), "members": ["ada"]})).json()
    return {**thing, "key": made["_id"], "shown": made["_id"]}


async def a_robot(world: World, thing: Thing) -> Thing:
    made = (await world.ask("POST", "/v1/robots", "admin", json={"username": fresh()})).json()
    return {**thing, "key": made["_id"], "shown": made["_id"]}


async def an_access_token(world: World, thing: Thing) -> Thing:
    made = (await world.ask("POST", "/v1/tokens", json={"name": fresh()})).json()
    return {**thing, "token_id": made["_id"], "shown": made["_id"]}


async def no_asset(world: World, thing: Thing) -> Thing:
    """The name of no file of the page: those that there are change with each build."""
    return {**thing, "asset": "no-such-file.js"}


async def the_tenant(world: World, thing: Thing) -> Thing:
    return {**thing, "name": world.org.name, "shown": world.org.name}


async def a_tenant(world: World, thing: Thing) -> Thing:
    return {**thing, "name": (await organisation(world.client)).name}


async def an_entry(world: World, thing: Thing) -> Thing:
    """Of the journal, which is written a little later."""
    path = f"/v1/models/{fresh()}"
    await world.client.delete(path, headers=world.org.as_("ada"))
    await world.app.state.journal.flush()
    return {**thing, "shown": path}


async def a_model(world: World, thing: Thing) -> Thing:
    """One that is asked for by its name, which a refusal repeats: so it is no secret."""
    return await an_item(world, {**thing, "kind": "models", "title": fresh()})


async def a_model_version(world: World, thing: Thing) -> Thing:
    return await a_version(world, {**thing, "kind": "models", "title": fresh()})


ARTIFACTS = "/api/2.0/mlflow-artifacts"


async def an_artifact(world: World, thing: Thing) -> Thing:
    folder = fresh()
    await world.ask("PUT", f"{ARTIFACTS}/artifacts/{folder}/weights.bin", content=SECRET.encode())
    return {**thing, "folder": folder, "path": f"{folder}/weights.bin", "shown": "weights.bin"}


async def an_artifact_folder(_: World, thing: Thing) -> Thing:
    return {**thing, "path": fresh()}


async def a_part_upload(world: World, thing: Thing, folder: str = "") -> Thing:
    """One whose only part has arrived."""
    file = fresh()
    create = f"{ARTIFACTS}/mpu/create/{folder}".rstrip("/")
    begun = (await world.ask("POST", create, json={"path": file, "num_parts": 1})).json()
    url = begun["credentials"][0]["url"]
    (await world.client.put(url, content=b"part")).raise_for_status()
    return {**thing, "path": folder or file, "file": file, "upload": begun["upload_id"], "url": url}


async def a_part_upload_in_a_folder(world: World, thing: Thing) -> Thing:
    return await a_part_upload(world, thing, fresh())


async def a_part_address(world: World, thing: Thing) -> Thing:
    upload = await a_part_upload(world, thing)
    return {**upload, "token": upload["url"].rpartition("/")[2]}


async def a_file_address(world: World, thing: Thing) -> Thing:
    artifact = await an_artifact(world, thing)
    presigned = await world.ask("GET", f"{ARTIFACTS}/presigned/{artifact['path']}")
    return {**artifact, "token": presigned.json()["url"].rpartition("/")[2]}
