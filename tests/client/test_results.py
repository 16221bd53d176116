"""What the client makes of the JSON of a server."""

from datetime import UTC, datetime

import pytest

from catalog.client.errors import NotACatalog
from catalog.client.results import Model, Robot, ServerDescription, StorageUsage, Sweep, User, shaped

MODEL = {
    "_id": "1",
    "name": "iris",
    "tags": ["flowers"],
    "metadata": [{"name": "accuracy", "value": 0.97}, {"name": "rows", "value": 150}],
    "aliases": [{"name": "champion", "version": "2"}],
    "users": [{"_id": "7", "username": "eva"}, "8"],
    "versions": [{"_id": "9", "ordinal": "2", "size": 5, "timestamp": "2026-11-28T09:00:00.000Z", "inputs": None}],
    "versionsTotal": 2,
    "colour": "blue",
}


def test_a_result_has_the_values_of_the_document_in_their_types():
    model = Model.of(MODEL)

    assert (model.id, model.tags, model.aliases, model.versions_total) == ("1", ("flowers",), {"champion": "2"}, 2)
    assert model.metadata == {"accuracy": 0.97, "rows": 150}
    assert model.users == (User(id="7", username="eva"), "8")
    assert model.versions[0].timestamp == datetime(2026, 11, 28, 9, tzinfo=UTC)
    assert model.versions[0].inputs == ()


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"name": 3}, "`str`, got `int` - at `\\$\\.name`"),
        ({"name": None}, "missing required field `name`"),
        ({"tags": "flowers"}, "`array`, got `str` - at `\\$\\.tags`"),
        ({"metadata": [{"name": "accuracy"}]}, "missing required field `value`"),
        ({"users": [7]}, "got `int` - at `\\$\\.users\\[0\\]`"),
        ({"versions": [{"_id": "9"}]}, "missing required field `ordinal`"),
        ({"versions": [{"_id": "9", "ordinal": "2", "size": True}]}, "`int`, got `bool` - at `\\$\\.size`"),
        ({"timestamp": "yesterday"}, "datetime - at `\\$\\.timestamp`"),
    ],
)
def test_a_value_of_another_type_is_no_answer_of_a_catalog(wrong, problem):
    with pytest.raises(NotACatalog, match=problem):
        Model.of({**MODEL, **wrong})


def test_an_item_of_a_robot_that_is_gone_is_named_by_its_id():
    robot = Robot.of({"_id": "1", "items": [{"_id": "5", "kind": "models", "name": None}]})

    assert robot.items == ("models/5",)


def test_a_dictionary_is_returned_as_it_is_and_checked():
    info = {"version": "1.0", "limits": {"tag": 255}, "newer": [1]}

    assert shaped(info, ServerDescription) is info
    for wrong, shape in (
        ({}, ServerDescription),
        ({"version": "1.0", "limits": {"tag": "255"}}, ServerDescription),
        ({"bytes": 1, "unfinished_bytes": 0}, StorageUsage),
        ({"dry_run": False, "tenants": [{"blobs": 1}]}, Sweep),
    ):
        with pytest.raises(NotACatalog, match="not that of a catalog"):
            shaped(wrong, shape)
