"""Wrong passwords that are counted, and a pause after them that no slow machine outlasts."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo import MongoClient

MANY = 20
"""Failures after which an attempt has to wait for half a minute. After five it is a second, and a test may be late."""


@contextmanager
def counted_guesses(database: str) -> Iterator[list[int]]:
    """How often servers of this DATABASE have counted a wrong password, by account, in the time of the `with`.

    It is known at the end, and counted as MANY from then on.
    """
    counted: list[int] = []
    with MongoClient(database) as client:
        attempts = client.get_default_database()["attempts"]
        before = attempts.distinct("_id")
        yield counted
        new = {"_id": {"$nin": before}}
        counted += [record["failures"] for record in attempts.find(new)]
        attempts.update_many(new, {"$set": {"failures": MANY}})
