"""Versions side by side, and lists of versions in the order of a metadata value."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from safetensors.numpy import save

from catalog.domain.versions.comparison.differences import MOST_LISTED, differences
from catalog.domain.versions.comparison.metadata import compared_metadata
from tests.dialects.v1.test_versions import KINDS, refusal, uploaded, versions_of
from tests.support.tenants import Organisation, organisation


@pytest.fixture(scope="module")
async def org(client) -> Organisation:
    return await organisation(client, "ada", "bob")


@pytest.fixture
async def iris(client, org) -> str:
    """Where the versions of ada's model are. It is public."""
    return await versions_of(client, org, "models")


def safetensors(**shapes) -> bytes:
    return save({name: np.zeros(shape, np.float32) for name, shape in shapes.items()})


def onnx(**shapes) -> bytes:
    tensors = [helper.make_tensor(name, TensorProto.FLOAT, shape, np.zeros(shape)) for name, shape in shapes.items()]
    node = helper.make_node("Identity", ["x"], ["y"])
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    graph = helper.make_graph([node], "g", value[:1], value[1:], tensors)
    return helper.make_model(graph).SerializeToString()


def gguf(**shapes) -> bytes:
    rows = b"".join(
        struct.pack("<Q", len(name)) + name.encode() + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, 0)
        for name, shape in shapes.items()
    )
    return b"GGUF" + struct.pack("<IQQ", 3, len(shapes), 0) + rows


async def get(client, org, url, who="bob", **query):
    return await client.get(url, params=query, headers=org.as_(who))


async def compared(client, org, url, *which, who="bob"):
    answer = await get(client, org, f"{url}/compare", who, which=list(which))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def annotated(client, org, url, which, **values):
    add = [{"name": name, "value": value} for name, value in values.items()]
    answer = await client.put(f"{url}/{which}", json={"metadata": {"add": add}}, headers=org.as_("ada"))
    assert answer.status_code == 200, answer.text


async def folder(client, org, url, ordinal, **files):
    await client.post(url, json={"draft": True, "ordinal": ordinal}, headers=org.as_("ada"))
    for path, content in files.items():
        await client.put(f"{url}/{ordinal}/files/{path}", content=content, headers=org.as_("ada"))
    answer = await client.post(f"{url}/{ordinal}/close", headers=org.as_("ada"))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("kind", KINDS)
async def test_metadata_stands_side_by_side(client, org, kind):
    url = await versions_of(client, org, kind)
    for _ in ("1", "2", "3"):
        await uploaded(client, org, url)
    await annotated(client, org, url, "1", accuracy=0.5, epochs=10, framework="onnx")
    await annotated(client, org, url, "2", accuracy=0.75, epochs=10, framework="torch")
    await annotated(client, org, url, "3", epochs=12, tuned=True)
    await client.put(f"{url.removesuffix('/versions')}/aliases/champion", json={"version": "3"}, headers=org.as_("ada"))

    found = await compared(client, org, url, "1", "2", "champion")

    assert [(version["which"], version["ordinal"]) for version in found["versions"]] == [
        ("1", "1"), ("2", "2"), ("champion", "3"),
    ]  # fmt: skip
    assert [(pair["name"], pair["values"], pair["differs"], pair["change"]) for pair in found["metadata"]] == [
        ("accuracy", [0.5, 0.75, None], True, [0, 0.25, None]),
        ("epochs", [10, 10, 12], True, [0, 0, 2]),
        ("framework", ["onnx", "torch", None], True, [None] * 3),
        ("tuned", [None, None, True], True, [None] * 3),
    ]


async def test_files_are_compared_by_their_digests(client, org, iris):
    await folder(client, org, iris, "a", same=b"1", changed=b"1", removed=b"1")
    await folder(client, org, iris, "b", same=b"1", changed=b"22", added=b"333")

    files = (await compared(client, org, iris, "a", "b"))["differences"][0]["files"]

    assert files["counts"] == {"added": 1, "removed": 1, "changed": 1, "same": 1}
    assert [(file["path"], file["size"]) for file in files["added"]] == [("added", 3)]
    assert [file["path"] for file in files["removed"]] == ["removed"]
    assert [(file["path"], file["size_before"], file["size"]) for file in files["changed"]] == [("changed", 1, 2)]


@pytest.mark.parametrize(("model", "name"), [(safetensors, "m.safetensors"), (onnx, "m.onnx"), (gguf, "m.gguf")])
@pytest.mark.parametrize("in_folder", [True, False])
async def test_tensors_are_compared_by_name_shape_and_type(client, org, iris, model, name, in_folder):
    before, after = model(same=(2,), grown=(2, 3), gone=(1,)), model(same=(2,), grown=(4, 3), new=(5,))
    if in_folder:
        await folder(client, org, iris, "1", **{f"onnx/{name}": before})
        await folder(client, org, iris, "2", **{f"onnx/{name}": after})
    else:
        await uploaded(client, org, iris, before, name)
        await uploaded(client, org, iris, after, f"other-{name}")

    [file] = (await compared(client, org, iris, "1", "2"))["differences"][0]["tensors"]

    assert (file["format"], file["complete"]) == (name.split(".")[1], True)
    assert file["counts"] == {"added": 1, "removed": 1, "changed": 1, "same": 1}
    assert ([each["name"] for each in file["added"]], [each["name"] for each in file["removed"]]) == (["new"], ["gone"])
    [changed] = file["changed"]
    assert (changed["name"], changed["shape_before"], changed["shape"]) == ("grown", [2, 3], [4, 3])


async def test_more_tensors_than_an_inspection_lists_are_compared(client, org, iris):
    many = {f"layer{number}": (1,) for number in range(300)}
    await uploaded(client, org, iris, safetensors(**many), "m.safetensors")
    await uploaded(client, org, iris, safetensors(**many, last=(1,)), "m.safetensors")

    [file] = (await compared(client, org, iris, "1", "2"))["differences"][0]["tensors"]

    assert (file["counts"], file["complete"]) == ({"added": 1, "removed": 0, "changed": 0, "same": 300}, True)


async def test_a_malformed_header_is_said_to_be_incomplete(client, org, iris):
    await uploaded(client, org, iris, safetensors(a=(1,)), "m.safetensors")
    await uploaded(client, org, iris, safetensors(a=(1,))[:-1], "m.safetensors")

    [file] = (await compared(client, org, iris, "1", "2"))["differences"][0]["tensors"]

    assert file["complete"] is False


async def test_a_version_is_compared_with_itself_and_with_bytes_elsewhere(client, org, iris):
    await uploaded(client, org, iris, safetensors(a=(1,)), "m.safetensors")
    await client.post(iris, json={"uri": "s3://models/iris"}, headers=org.as_("ada"))

    same, elsewhere = (await compared(client, org, iris, "1", "latest", "2", who="ada"))["differences"]

    assert (await compared(client, org, iris, "1", "1"))["differences"][0]["files"]["counts"]["same"] == 1
    assert same == elsewhere | {"which": "latest"}
    assert (elsewhere["files"]["counts"]["removed"], elsewhere["tensors"]) == (1, [])


async def test_what_cannot_be_compared_is_refused(client, org, iris):
    await uploaded(client, org, iris)
    await client.post(iris, json={"draft": True}, headers=org.as_("ada"))

    for which, expected in ((["1"], (400, 6)), (["1"] * 9, (400, 6)), ([], (400, 6)), (["1", "none"], (404, 9))):
        assert refusal(await get(client, org, f"{iris}/compare", which=which))[:2] == expected
    assert refusal(await get(client, org, f"{iris}/compare", "ada", which=["1", "2"]))[:2] == (409, 115)
    assert refusal(await get(client, org, f"{iris}/compare", which=["1", "2"]))[:2] == (404, 9)


@settings(max_examples=50)
@given(*(st.dictionaries(st.text(max_size=3), st.integers(0, 2), max_size=6) for _ in range(2)))
def test_differences_account_for_each_element(before, after):
    found = differences(before, after)

    assert found.added_count + found.changed_count + found.same_count == len(after)
    assert found.removed_count + found.changed_count + found.same_count == len(before)
    assert before.keys() - found.removed.keys() | found.added.keys() == set(after)


def test_lists_of_differences_are_bounded_and_their_counts_are_not():
    found = differences({}, {str(number): 1 for number in range(MOST_LISTED + 5)})

    assert (len(found.added), found.added_count) == (MOST_LISTED, MOST_LISTED + 5)


def test_true_is_not_the_number_one():
    [pair] = compared_metadata([{"metadata": [{"name": "a", "value": value}]} for value in (1, True)])

    assert (pair.differs, pair.change) == (True, [0, None])


def test_a_change_that_no_integer_of_json_holds_is_a_number():
    [pair] = compared_metadata([{"metadata": [{"name": "a", "value": value}]} for value in (-(2**63), 2**63 - 1)])

    assert pair.change == [0, float(2**64 - 1)]


# Lists by a metadata value


@pytest.fixture
async def measured(client, org, iris):
    for which, value in enumerate((0.9, "high", None, 0.95, True, 0.9), 1):
        await uploaded(client, org, iris)
        if value is not None:
            await annotated(client, org, iris, str(which), accuracy=value)
    return iris


ASCENDING, DESCENDING = ["1", "6", "4", "2", "5", "3"], ["5", "2", "4", "6", "1", "3"]


@pytest.mark.parametrize(("direction", "expected"), [("asc", ASCENDING), (-1, DESCENDING)])
async def test_versions_are_sorted_by_a_metadata_value(client, org, measured, direction, expected):
    sort = f'{{"metadata.accuracy": {direction!r}}}'.replace("'", '"')

    page = (await get(client, org, measured, sort=sort, limit=4, page=1)).json()
    rest = (await get(client, org, measured, sort=sort, limit=4, page=2)).json()
    walked, cursor = [], ""
    while cursor is not None:
        step = (await get(client, org, measured, sort=sort, limit=2, after=cursor)).json()
        walked += [version["ordinal"] for version in step["docs"]]
        cursor = step["nextCursor"]

    assert [version["ordinal"] for version in page["docs"] + rest["docs"]] == walked == expected
    assert (page["totalDocs"], page["hasNextPage"], rest["hasNextPage"]) == (6, True, False)


async def test_versions_are_filtered_by_a_metadata_value_in_that_order(client, org, measured):
    query = {"sort": '{"metadata.accuracy": -1}', "metadata.accuracy": "gte:0.9"}

    found = (await get(client, org, measured, **query)).json()
    pattern = (await get(client, org, measured, sort=query["sort"], filter='{"ordinal": {"$regex": "^[12]+$"}}')).json()

    assert [version["ordinal"] for version in found["docs"]] == ["4", "6", "1"]
    assert [version["ordinal"] for version in pattern["docs"]] == ["2", "1"]


async def test_only_versions_are_sorted_by_a_metadata_value(client, org, measured):
    for url, sort in (("/v1/models", "metadata.accuracy"), (measured, "metadata."), (measured, "metadata")):
        assert refusal(await get(client, org, url, sort=f'{{"{sort}": 1}}'))[:2] == (400, 6)
    other_order = (await get(client, org, measured, sort='{"metadata.accuracy": 1}', limit=1, after="")).json()
    cursor = other_order["nextCursor"]
    assert refusal(await get(client, org, measured, sort='{"metadata.loss": 1}', after=cursor))[:2] == (400, 6)
