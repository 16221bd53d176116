"""Connecting: what the address may be, and what a wrong one is answered."""

import pytest

from catalog.store import database as database_module
from catalog.store.connection import connect
from catalog.store.database import CATALOGUE
from catalog.store.embedded.process import DatabaseUnavailable


@pytest.mark.parametrize("uri", ["", "nonsense", "http://localhost", "mongodb://", "mongodb://h:x/", "mongodb://h/a b"])
async def test_what_is_no_address_is_refused_in_one_sentence(uri):
    with pytest.raises(DatabaseUnavailable, match=r"^DATABASE is not a MongoDB address: [^\n]+$"):
        connect(uri)


async def test_a_database_that_does_not_answer_is_told_without_the_drivers_topology():
    database = connect("mongodb://127.0.0.1:1/catalogue?serverSelectionTimeoutMS=50")

    with pytest.raises(DatabaseUnavailable, match=r"^DATABASE cannot be reached: 127.0.0.1:1: [^<]+$"):
        await database.open()

    database.close()


async def test_a_database_that_is_late_is_waited_for_and_given_up_then(monkeypatch, caplog):
    monkeypatch.setattr(database_module, "RETRY", 0.001)
    database = connect("mongodb://127.0.0.1:1/catalogue?serverSelectionTimeoutMS=10")

    with pytest.raises(DatabaseUnavailable, match=r"^DATABASE cannot be reached: 127.0.0.1:1: [^<]+$"):
        await database.open(0.1)

    assert all(line.startswith("DATABASE cannot be reached: 127.0.0.1:1: ") for line in caplog.messages)
    database.close()


async def test_a_wrong_password_is_told(mongo):
    database = connect(mongo.replace("catalog:", "catalog:not-"))

    with pytest.raises(DatabaseUnavailable, match=r"^the database of DATABASE refused: (?i:authentication failed)"):
        await database.open()

    database.close()


@pytest.mark.parametrize(("path", "name"), [("", CATALOGUE), ("/", CATALOGUE), ("/registry", "registry")])
async def test_the_path_of_the_address_names_the_catalogue(path, name):
    database = connect(f"mongodb://127.0.0.1:1{path}")

    assert database.catalogue == name
    database.close()


@pytest.mark.parametrize(
    ("options", "concern"),
    [
        ("", {"w": "majority", "j": True}),
        ("?w=1", {"w": 1, "j": True}),
        ("?journal=false", {"w": "majority", "j": False}),
    ],
)
async def test_a_write_waits_for_the_disk_unless_the_address_says_otherwise(options, concern):
    database = connect(f"mongodb://127.0.0.1:1/registry{options}")

    assert database.client.write_concern.document == concern
    database.close()
