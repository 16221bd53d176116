"""Matching that the server does itself: in threads, within a budget, and over when the client is gone."""

import asyncio
import json
from itertools import count
from threading import Event, get_ident

import pytest

from catalog.errors import INVALID_QUERY, Refused
from catalog.store.query import fields
from catalog.store.query.budgets import Budget, matching
from catalog.store.query.filters.filter import filter_of
from catalog.vocabulary import Kind

MODELS = fields.ITEMS[Kind.MODEL]


def filtered(pattern, budget=None):
    return filter_of(MODELS, json.dumps({"description": {"$regex": pattern}}), budget=budget)


async def test_documents_are_matched_in_another_thread_and_keep_their_order():
    threads = set()

    def is_even(number):
        threads.add(get_ident())
        return number % 2 == 0

    found = await matching(is_even, range(10), Budget())

    assert found == [0, 2, 4, 6, 8]
    assert get_ident() not in threads


async def test_a_filter_that_takes_too_long_is_refused():
    ticks = count()

    with pytest.raises(Refused, match="takes too long") as refused:
        await matching(lambda _: True, range(1000), Budget(seconds=10, clock=lambda: next(ticks)))

    assert refused.value.fault is INVALID_QUERY


async def test_a_filter_that_looks_into_too_much_text_is_refused():
    asked = filtered("a.b", Budget(size=100))

    with pytest.raises(Refused, match="too much text"):
        await matching(asked.matches, [{"description": "x" * 60}] * 2, asked.budget)


async def test_the_budget_is_looked_at_between_the_texts_of_one_document():
    ticks = count()
    asked = filter_of(MODELS, '{"tags": {"$regex": "a.b"}}', budget=Budget(seconds=5, clock=lambda: next(ticks)))

    with pytest.raises(Refused, match="takes too long"):
        await matching(asked.matches, [{"tags": ["tag"] * 100}], asked.budget)


async def test_the_event_loop_goes_on_while_documents_are_matched():
    asked = Event()
    waiting = asyncio.create_task(matching(lambda _: asked.wait(30), [1], Budget()))

    await asyncio.sleep(0)  # which it could not come back from, were the document matched here
    asked.set()

    assert await waiting == [1]


async def test_a_thread_stops_matching_for_a_client_that_is_gone():
    begun, gone, tried = Event(), Event(), []

    def slowly(number):
        tried.append(number)
        begun.set()
        return gone.wait(30)

    budget = Budget()
    waiting = asyncio.create_task(matching(slowly, range(1000), budget))
    await asyncio.to_thread(begun.wait, 30)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gone.set()

    with pytest.raises(Refused):
        await matching(lambda _: True, [1], budget)
    assert tried == [0]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"$nor": [{"description": {"$regex": f"a[ab]{{{900 - n}}}x"}} for n in range(3)]}, "too large together"),
        ({"$or": [{"$or": [{"name": {"$regex": "."}}] * 24}, {"name": {"$in": ["a"]}}]}, ""),
        ({"description": {"$regex": "(((a{30}){30}){30}){30}"}}, "regex"),
    ],
)
def test_patterns_are_limited_before_anything_is_read(query, sentence):
    if not sentence:
        assert filter_of(MODELS, json.dumps(query)).matches is not None
        return
    with pytest.raises(Refused, match=sentence):
        filter_of(MODELS, json.dumps(query))


async def test_a_costly_pattern_over_large_texts_is_refused_and_says_what_to_do(client, org):
    letters = "ab" * 32_000
    for number in range(3):
        body = {"name": f"model-{number}", "description": letters}
        await client.post("/v1/models", json=body, headers=org.as_("ada"))
    query = {"$nor": [{"description": {"$regex": f"a[ab]{{{900 - n}}}x"}} for n in range(30)]}

    answer = await client.get("/v1/models", params={"filter": json.dumps(query)}, headers=org.as_("ada"))

    assert (answer.status_code, answer.json()["value"]) == (400, 6)
