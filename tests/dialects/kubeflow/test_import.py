"""`catalog import kubeflow` and a registry that answers otherwise than this one, without servers."""

from typing import Any

import pytest

from catalog.client.compat.kubeflow import KubeflowCopy
from catalog.client.errors import CatalogError, Invalid, NotFound


class Other:
    """A registry whose lists have these elements, by the ends of their paths."""

    url = "http://other"

    def __init__(self, **lists: Any) -> None:
        self.lists = lists

    def get(self, path, query):
        return {"items": self.lists.get(path.rpartition("/")[2], [])}


class Here:
    """A catalog that knows no field `newField`."""

    def __init__(self):
        self.made = []

    def __call__(self, method, path, *, query=None, body=None, headers=None):
        if method == "GET" and path.endswith("/artifacts"):
            return {"items": []}
        if method == "GET":
            raise NotFound("none", status=404)
        if "newField" in body:
            raise Invalid('json: unknown field "newField": bad request', status=400)
        self.made.append(body)
        return {"id": str(len(self.made))}


def test_a_field_of_a_newer_version_of_the_api_is_left_out_and_reported_once():
    models = [{"id": str(number), "name": f"m{number}", "newField": 1} for number in range(3)]
    here = Here()

    found = KubeflowCopy(Other(registered_models=models), here, lambda _: None).run()

    assert [body["name"] for body in here.made] == ["m0", "m1", "m2"]
    assert found.problems == ["the field newField of every model: it is not known here"]


def test_things_without_a_usable_name_are_left_out():
    models = [{"id": "1", "name": name} for name in (None, 5, "x" * 100_000)]

    found = KubeflowCopy(Other(registered_models=models), Here(), lambda _: None).run()

    assert len(found.problems) == 3
    assert all("is not the name of anything" in problem for problem in found.problems)


@pytest.mark.parametrize(
    "models", ["abc", ["abc"], [{"name": "m"}], [{"id": "1", "name": "m", "customProperties": "x"}]]
)
def test_an_answer_of_another_shape_ends_a_copy_in_a_sentence(models):
    with pytest.raises(CatalogError, match="another shape"):
        KubeflowCopy(Other(registered_models=models), Here(), lambda _: None).run()
