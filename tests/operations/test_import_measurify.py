"""Taking over a Measurify registry: documents as its mongoose keeps them, and files as its multer does."""

from datetime import UTC, datetime, timedelta

import bcrypt
import pytest
from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorClient

from catalog.blobs.memory import MemoryStorage
from catalog.domain.access import Caller
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.people.authentication import sign_in
from catalog.domain.tenants import tenants
from catalog.domain.versions import reading
from catalog.operations.measurify.registry_import import import_registry
from catalog.operations.restore import RestoreError
from catalog.store.connection import connect
from catalog.store.foreign import ForeignDatabase
from catalog.vocabulary import Kind, Role
from tests.support.app import OURS, in_database
from tests.support.commands import run

CATALOGUE = f"{OURS}-measurify"
ORG = f"{OURS}-polytec"
OLD = datetime(2024, 5, 1, tzinfo=UTC)
PASSWORD = "Pass-word-1"
BOSS, ALICE, MODEL, DATASET = (ObjectId() for _ in range(4))


def a_version(ordinal, key, name, minutes=0):
    return {
        "ordinal": ordinal,
        "key": key,
        "original": name,
        "encoding": "7bit",
        "mimetype": "application/octet-stream",
        "size": 10,
        "description": f"the {ordinal}",
        "timestamp": OLD + timedelta(minutes=minutes),
    }


@pytest.fixture
async def registry(mongo, tmp_path):
    """A registry with one tenant in it."""
    client = AsyncIOMotorClient(mongo, tz_aware=True)
    for name in (CATALOGUE, ORG, f"{ORG}-catalog", f"{OURS}-target"):
        await client.drop_database(name)
    theirs = client[ORG]
    await client[CATALOGUE]["tenants"].insert_one(
        {
            "_id": ORG,
            "passwordhash": True,
            "database": ORG,
            "organization": "Polytec",
            "email": "info@example.org",
            "__v": 0,
        }
    )
    secret = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).replace(b"$2b$", b"$2a$").decode()
    said = {"password": secret, "createdPassword": OLD, "validityPasswordDays": 0, "timestamp": OLD, "__v": 0}
    await theirs.users.insert_many(
        [
            {"_id": BOSS, "username": "boss", "email": "boss@example.org", "role": "admin", **said},
            {"_id": ALICE, "username": "alice", "email": "alice@example.org", "role": "regular", **said},
        ]
    )
    await theirs.tags.insert_one({"_id": "vision", "usage": "default", "owner": BOSS, "timestamp": OLD})
    shared = {"owner": ALICE, "visibility": "private", "timestamp": OLD, "lastmod": OLD, "__v": 3}
    await theirs.datasets.insert_one(
        {"_id": DATASET, "name": "flowers", "users": [], "tags": [], "metadata": [], "versions": [], **shared}
    )
    await theirs.models.insert_one(
        {
            "_id": MODEL,
            "name": "iris",
            "users": [BOSS, ObjectId()],
            "datasets": [DATASET],
            "status": "deploy",
            "tags": ["vision", "small"],
            "metadata": [{"name": "accuracy", "value": 0.9}],
            "versions": [a_version("70", "b" * 32, "net.onnx", 5), a_version("1", "a" * 32, "net.onnx")],
            **shared,
        }
    )
    uploads = tmp_path / "theirs"
    uploads.mkdir()
    (uploads / ("a" * 32)).write_bytes(b"the oldest")
    (uploads / ("b" * 32)).write_bytes(b"the newest")
    (tmp_path / "secret").write_bytes(b"not theirs to give")
    source = ForeignDatabase(mongo, CATALOGUE)
    yield client, uploads, source
    source.close()
    client.close()


@pytest.fixture
async def database(mongo, registry):
    opened = connect(in_database(mongo, f"{OURS}-target"))
    await opened.open()
    yield opened
    opened.close()


async def imported(database, storage, registry, *wanted):
    _, uploads, source = registry
    told = []
    database.storage = storage
    await import_registry(database, source, uploads, wanted, told.append)
    return told


async def somebody_of(database, username="alice", role=Role.REGULAR):
    tenant = await tenants.enter(database, ORG)
    user = await tenant.users.find_one({"username": username})
    return Caller(tenant, user.id, username, role)


async def content(storage, version):
    [file] = version["files"]
    return b"".join([chunk async for chunk in storage.of(ORG).read(file["digest"])])


async def test_everything_is_where_it_was(database, storage, registry):
    [done] = await imported(database, storage, registry)

    alice = await somebody_of(database)
    item = await items.read(alice, Kind.MODEL, Reference(str(MODEL)))
    assert (done.users, done.items, done.versions, done.size, done.problems) == (2, 2, 2, 20, [])
    assert (item["name"], item["status"], item["datasets"], item["users"]) == ("iris", "deploy", [DATASET], [BOSS])
    assert (item["timestamp"], item["metadata"]) == (OLD, [{"name": "accuracy", "value": 0.9}])
    for which, expected in (("1", b"the oldest"), ("70", b"the newest"), ("net.onnx", b"the newest")):
        version = await reading.read(alice, Kind.MODEL, Reference("iris", which))
        assert await content(storage, version) == expected


async def test_people_sign_in_with_the_passwords_they_had(database, storage, registry):
    await imported(database, storage, registry)

    alice = await somebody_of(database)
    signed_in = await sign_in.sign_in(alice.tenant, "alice", PASSWORD)

    assert signed_in["_id"] == ALICE


async def test_words_are_counted(database, storage, registry):
    await imported(database, storage, registry)

    alice = await somebody_of(database)
    words = {word["_id"]: (word["usage"], word.get("uses", 0)) async for word in alice.tenant.tags.records.find({})}
    assert words == {"vision": ("default", 1), "small": ("folk", 1)}


async def test_the_next_version_has_the_next_number(database, storage, registry):
    await imported(database, storage, registry)

    alice = await somebody_of(database)
    item = await items.read(alice, Kind.MODEL, Reference("iris"))

    assert item["last_version"] == 70


async def test_what_was_taken_over_is_not_taken_twice(database, storage, registry):
    await imported(database, storage, registry)

    [again] = await imported(database, storage, registry)

    assert (again.users, again.words, again.items, again.versions, again.problems) == (0, 0, 0, 0, [])


async def test_an_import_that_was_killed_goes_on(database, registry):
    class Dying(MemoryStorage):
        lives = 1

        def of(self, tenant):
            blobs = super().of(tenant)
            put = type(blobs).put

            async def dying(content, announced=None):
                if not self.lives:
                    raise RuntimeError("killed")
                self.lives -= 1
                return await put(blobs, content, announced)

            blobs.put = dying
            return blobs

    storage = Dying()
    with pytest.raises(RuntimeError):
        await imported(database, storage, registry)
    assert await tenants.enter(database, ORG) is None

    storage.lives = 10
    [done] = await imported(database, storage, registry)

    assert (done.versions, done.problems) == (1, [])
    alice = await somebody_of(database)
    assert await alice.tenant.versions.records.count_documents({}) == 2


KEYS = [
    "../secret",
    "/etc/hostname",
    "",
    "missing",
    ".",
    "..",
    "a/../b",
    f"{ORG}/../../secret",
    "other/theirs",
    "linked",
]


@pytest.mark.parametrize("key", KEYS, ids=[str(number) for number in range(len(KEYS))])  # ORG differs between processes
async def test_a_file_that_is_not_there_is_told_of(database, storage, registry, key):
    client, uploads, _ = registry
    (uploads / "other").mkdir()
    (uploads / "other" / "theirs").write_bytes(b"another tenant's")
    (uploads / "linked").symlink_to(uploads / "other" / "theirs")
    await client[ORG].models.update_one({"_id": MODEL}, {"$set": {"versions": [a_version("1", key, "net.onnx")]}})

    [done] = await imported(database, storage, registry)

    assert (done.items, done.versions) == (2, 0)
    assert done.problems == [f"version 1 of model iris: there is no file {key!r} in {registry[1].resolve()}"]


@pytest.mark.parametrize("key", ["k" * 5000, "a\0b", "a\nb", 7, None, ["a"], {"a": 1}, True], ids=str)
async def test_a_key_that_is_no_name_is_one_line_and_the_rest_is_brought(database, storage, registry, key):
    client, _, _ = registry
    odd, good = a_version("1", key, "net.onnx"), a_version("2", "a" * 32, "net.onnx", 1)
    await client[ORG].models.update_one({"_id": MODEL}, {"$set": {"versions": [odd, good]}})

    [done] = await imported(database, storage, registry)

    [problem] = done.problems
    assert done.versions == 1
    assert problem.startswith("version 1 of model iris: there is no file ")
    assert problem.isprintable()
    assert len(problem) < 1000


async def test_a_file_in_the_tenants_own_folder_is_taken(database, storage, registry):
    client, uploads, _ = registry
    (uploads / ORG).mkdir()
    (uploads / ORG / "mine").write_bytes(b"mine")
    both = [a_version("1", "mine", "net.onnx"), a_version("2", f"{ORG}/mine", "net.onnx", 1)]
    await client[ORG].models.update_one({"_id": MODEL}, {"$set": {"versions": both}})

    [done] = await imported(database, storage, registry)

    assert (done.versions, done.problems) == (2, [])


async def test_a_file_that_versions_of_two_tenants_name_is_given_to_none(database, storage, registry):
    client, _, _ = registry
    other = f"{ORG}-other"
    await client.drop_database(other)
    await client[CATALOGUE]["tenants"].insert_one({"_id": other, "database": other, "email": "info@example.org"})
    theirs = {"_id": ObjectId(), "name": "thief", "owner": ALICE, "versions": [a_version("1", "b" * 32, "stolen")]}
    await client[other].models.insert_one(theirs)

    both = await imported(database, storage, registry)

    told = [problem for done in both for problem in done.problems]
    assert [done.versions for done in both] == [1, 0]
    assert [problem.partition(": ")[2] for problem in told] == [
        f"the file {'b' * 32!r} is named by versions of other tenants, too"
    ] * 2


@pytest.mark.parametrize(
    "fields",
    [
        {"versions": "none"},
        {"versions": {"a": 1}},
        {"versions": [7]},
        {"versions": [None, a_version("1", "a" * 32, "net.onnx") | {"mimetype": 7}]},
        {"versions": [a_version("1", "a" * 32, "net.onnx") | {"timestamp": "yesterday"}]},
        {"versions": [a_version("1", "a" * 32, "net.onnx") | {"description": ["a"]}]},
        {"versions": [a_version("1", "a" * 32, "net.onnx") | {"encoding": {}}]},
        {"users": 7},
        {"users": [{}]},
        {"tags": [["a"]]},
        {"tags": "a"},
        {"metadata": [{"name": "a"}]},
        {"metadata": ["a"]},
        {"name": 7},
        {"name": None},
        {"owner": "alice"},
        {"visibility": 7},
        {"datasets": "a"},
        {"timestamp": "yesterday"},
    ],
    ids=str,
)
async def test_odd_types_are_a_line_each_and_the_import_goes_on(database, storage, registry, fields):
    client, _, _ = registry
    odd = {"_id": ObjectId(), "name": "odd", "owner": ALICE, "timestamp": OLD - timedelta(days=1)}
    await client[ORG].models.insert_one(odd | fields)
    await client[ORG].users.insert_one({"_id": {"a": 1}, "username": ["x"]})
    await client[ORG].tags.insert_one({"_id": 7})

    [done] = await imported(database, storage, registry)

    assert done.versions >= 2
    assert all(problem.isprintable() for problem in done.problems)
    assert len(done.problems) >= 2


async def test_a_tenant_that_cannot_be_taken_over_is_a_line_and_the_others_are_brought(database, storage, registry):
    client, _, _ = registry
    await client[CATALOGUE]["tenants"].insert_many(
        [{"_id": 7}, {"_id": "admin"}, {"_id": "../up"}, {"_id": "x", "email": 7}]
    )

    done = {each.tenant: each for each in await imported(database, storage, registry)}

    assert {name: len(each.problems) for name, each in done.items()} == {"7": 1, "../up": 1, "admin": 1, "x": 1, ORG: 0}
    assert done[ORG].versions == 2


async def test_what_cannot_be_taken_over_is_told_and_the_rest_is(database, storage, registry):
    client, _, _ = registry
    await client[ORG].datasets.insert_one({"_id": ObjectId(), "name": "odd", "owner": ALICE, "visibility": "secret"})
    await client[ORG].datasets.insert_one({"_id": ObjectId(), "owner": ALICE})

    [done] = await imported(database, storage, registry)

    assert done.items == 2
    assert [problem.split(":")[0] for problem in done.problems] == ["dataset odd", "dataset None"]


async def test_a_registry_without_that_tenant(database, storage, registry):
    with pytest.raises(RestoreError, match="no tenant nobody"):
        await imported(database, storage, registry, "nobody")


@pytest.mark.process
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["mongodb://127.0.0.1:1/registry?serverSelectionTimeoutMS=100", "."],
            "The registry's database cannot be read",
        ),
        (["mongodb://127.0.0.1:1/registry-catalog", "no-such-folder"], "is not a folder"),
        (["not a uri", "."], "The registry's database cannot be read"),
    ],
)
def test_a_mistake_gets_a_sentence(tmp_path, arguments, sentence):
    done = run(tmp_path, "import", "measurify", *arguments)

    assert done.exit_code == 1
    assert sentence in done.stderr
