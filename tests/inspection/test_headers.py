"""Headers of model files: made to cost much, malformed as each format's own library says, or of another format."""

import json
import struct

import numpy as np
import pytest
import safetensors
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import SparseTensorProto, TensorProto, TrainingInfoProto, helper

from catalog.inspection import process
from catalog.inspection.formats.window import IN_SERVER
from catalog.inspection.inspector import holds_back
from tests.inspection.test_inspection import GOOD, kinds, look, text

ONE = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
PLAIN = json.dumps({"a": ONE}).encode()


def safetensors_file(header, numbers=b"") -> bytes:
    told = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(told)) + told + numbers


def varint(number: int) -> bytes:
    return bytes([number]) if number < 0x80 else bytes([number & 0x7F | 0x80]) + varint(number >> 7)


def sized(number: int, *parts: bytes) -> bytes:
    """A field of a protobuf message that holds bytes, a text, or another message."""
    content = b"".join(parts)
    return varint(number << 3 | 2) + varint(len(content)) + content


def nested_graphs(depth: int) -> bytes:
    graph = sized(2, b"location")
    for _ in range(depth):
        graph = sized(1, sized(5, sized(6, graph)))
    return b"\x08\x08" + sized(7, graph)


def gguf(*rows: bytes, tensors=0, metadata=0) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, metadata) + b"".join(rows)


NINES = b"9" * 4000
COSTLY = {
    "a shape of long integers": (
        b'{"0":{"dtype":"F","shape":[' + b",".join([NINES] * 700) + b'],"data_offsets":[0,0]}}',
        "malformed",
    ),
    "a long integer among the metadata": (b'{"__metadata__":{"a":' + b"9" * 2**20 + b"}}", "malformed"),
    "a long fraction": (b'{"__metadata__":{"a":0.' + b"9" * 2**20 + b"}}", "malformed"),
    "a shape of many sides": (
        b'{"a":{"dtype":"F32","shape":[' + b",".join([b"9223372036854775807"] * 50_000) + b'],"data_offsets":[0,4]}}',
        "malformed",
    ),
    "millions of lists": (b'{"a":[' + b"[]," * (8 * 2**20 // 3 - 10) + b"[]]}", "abridged"),
    "lists in lists": (b'{"a":' + b"[" * 2**19 + b"]" * 2**19 + b"}", "malformed"),
}


@pytest.mark.parametrize(("header", "kind"), COSTLY.values(), ids=COSTLY.keys())
@pytest.mark.process
async def test_a_header_made_to_cost_much_ends_soon(header, kind):
    assert kinds(await look(safetensors_file(header, bytes(4)))) == {kind}


COSTLY_SIBLINGS = {
    "tensors of GGUF without end": gguf(bytes(2**20), tensors=2**62),
    "metadata of GGUF without end": gguf((text("") + struct.pack("<IB", 0, 1)) * 2**17, metadata=2**62),
    "arrays of GGUF in arrays": gguf(text("a") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 2**40) * 5, metadata=1),
    "graphs of ONNX in graphs": nested_graphs(300),
    "a shape of ONNX of many sides": b"\x08\x08" + sized(7, sized(5, sized(1, b"\xff" * 8 + b"\x01") * 100)),
    "a shape of NumPy of long integers": b"\x93NUMPY\x01\x00"
    + struct.pack("<H", 700)
    + b"{'descr': '<f8', 'fortran_order': False, 'shape': (".ljust(560, b"9")
    + b",), }".ljust(140),
}


@pytest.mark.parametrize("content", COSTLY_SIBLINGS.values(), ids=COSTLY_SIBLINGS.keys())
@pytest.mark.process
async def test_no_other_header_costs_much_either(content):
    assert kinds(await look(content)) & {"malformed", "abridged"}


def many_tensors(count: int) -> bytes:
    rows = {f"t{index}": {**ONE, "data_offsets": [4 * index, 4 * index + 4]} for index in range(count)}
    return safetensors_file(rows, bytes(4 * count))


def many_rows(count: int) -> bytes:
    return gguf(*(text(f"{'t' * 40}{n}") + struct.pack("<IQIQ", 1, 1, 0, 0) for n in range(count)), tensors=count)


LONG = {
    "safetensors": (many_tensors(6000), 6000),
    "gguf": (
        gguf(*(text(f"{'t' * 40}{n}") + struct.pack("<IQIQ", 1, 1, 0, 0) for n in range(6000)), tensors=6000),
        6000,
    ),
    "onnx": (b"\x08\x08" + sized(7, *(sized(5, b"\x08\x01\x10\x01", sized(8, b"t" * 60)) for _ in range(6000))), 6000),
}


@pytest.mark.parametrize("format_", LONG)
@pytest.mark.process
async def test_a_long_header_is_read_by_the_sandboxed_process(format_):
    content, tensors = LONG[format_]

    told = await look(content, f"m.{format_}")

    assert len(content) > IN_SERVER.size
    assert (told["format"], told["findings"], told["summary"]["tensors"]) == (format_, [], tensors)


@pytest.mark.parametrize("format_", LONG)
@pytest.mark.process
async def test_a_long_header_is_read_by_nothing_else(format_, monkeypatch):
    monkeypatch.setattr(process, "PROGRAM", ("no such program",))

    assert kinds(await look(LONG[format_][0], f"m.{format_}")) == {"failed"}


MANY_PARTS = {
    "safetensors": safetensors_file(b'{"a":[' + b"[]," * 20_000 + b"[]]}"),
    "gguf": gguf((text("k") + struct.pack("<IB", 0, 1)) * 14_000, metadata=14_000),
    "onnx": b"\x08\x08" + sized(7, b"\x10\x01" * 100_000),
}


@pytest.mark.parametrize("content", MANY_PARTS.values(), ids=MANY_PARTS.keys())
@pytest.mark.process
async def test_a_short_header_of_many_parts_is_left_to_the_sandboxed_process(content, monkeypatch):
    monkeypatch.setattr(process, "PROGRAM", ("no such program",))

    assert len(content) < IN_SERVER.size
    assert kinds(await look(content)) == {"failed"}


@pytest.mark.parametrize("format_", GOOD)
async def test_a_short_header_needs_no_other_process(format_, monkeypatch):
    monkeypatch.setattr(process, "PROGRAM", ("no such program",))

    assert (await look(GOOD[format_], f"m.{format_}"))["findings"] == []


def row(**changed) -> dict:
    return {"a": ONE | changed}


def two(second: dict) -> dict:
    return {"a": ONE, "b": ONE | second}


@pytest.mark.process
async def test_texts_that_are_no_unicode_in_a_long_header_are_told_as_any_other():
    told = await look(safetensors_file(row(dtype="\ud800") | {"b" * 2**19: ONE}, bytes(4)))

    assert kinds(told) == {"malformed"}


JUDGED = {
    "plain": (PLAIN, 4),
    "no tensor": (b"{}", 0),
    "no tensor, with bytes": (b"{}", 1),
    "blanks behind the header": (PLAIN + b"   ", 4),
    "zero bytes behind the header": (PLAIN + b"\0\0", 4),
    "a word behind the header": (PLAIN + b"x", 4),
    "a byte order mark": (b"\xef\xbb\xbf" + PLAIN, 4),
    "no UTF-8": (PLAIN.replace(b'"a"', b'"\xff"'), 4),
    "a control character": (PLAIN.replace(b'"a"', b'"\x01"'), 4),
    "half of a surrogate pair": (PLAIN.replace(b'"a"', b'"\\ud800"'), 4),
    "bytes behind the last tensor": (PLAIN, 5),
    "a tensor behind the end": (PLAIN, 3),
    "a hole": (two({"data_offsets": [8, 12]}), 12),
    "an overlap": (two({}), 4),
    "a partial overlap": (two({"data_offsets": [2, 6]}), 6),
    "another order": ({"b": ONE | {"data_offsets": [4, 8]}, "a": ONE}, 8),
    "an empty tensor between": (two({"shape": [0], "data_offsets": [4, 4]}), 4),
    "an empty tensor within another": (two({"shape": [0], "data_offsets": [2, 2]}), 4),
    "offsets the wrong way round": (row(shape=[0], data_offsets=[4, 0]), 4),
    "a shape too large": (row(shape=[2]), 4),
    "a shape too small": (row(shape=[1, 0]), 4),
    "a shape that overflows": (row(shape=[2**63, 2**63]), 4),
    "a shape that overflows to nothing": (row(shape=[2**63, 2**63, 0], data_offsets=[0, 0]), 0),
    "a side of more than 64 bits": (row(shape=[2**64]), 4),
    "a side below zero": (row(shape=[-1]), 4),
    "a side that is a fraction": (row(shape=[1.0]), 4),
    "a side that is true": (row(shape=[True]), 4),
    "no shape at all": (row(shape=[]), 4),
    "a shape that is null": (row(shape=None), 4),
    "another type of the same size": (row(dtype="I32"), 4),
    "a type of another size": (row(dtype="F64"), 4),
    "an unknown type": (row(dtype="F33"), 4),
    "half a byte": (row(dtype="F4", shape=[3], data_offsets=[0, 2]), 2),
    "three offsets": (row(data_offsets=[0, 4, 4]), 4),
    "a field more": (row(more=1), 4),
    "a field twice": (PLAIN.replace(b'"dtype": "F32"', b'"dtype": "F32", "dtype": "F32"'), 4),
    "no offsets": ({"a": {"dtype": "F32", "shape": [1]}}, 4),
    "NaN": (PLAIN.replace(b'"dtype"', b'"more": NaN, "dtype"'), 4),
    "metadata": ({"__metadata__": {"by": "ada"}, "a": ONE}, 4),
    "metadata that is null": ({"__metadata__": None, "a": ONE}, 4),
    "metadata that is a list": ({"__metadata__": [], "a": ONE}, 4),
    "metadata that is a number": ({"__metadata__": {"by": 1}, "a": ONE}, 4),
    "metadata twice": (b'{"__metadata__":{},"__metadata__":{},' + PLAIN[1:], 4),
    "a name twice, of other bytes": (PLAIN[:-1] + b"," + PLAIN[1:].replace(b"[0, 4]", b"[4, 8]"), 8),
}


def library_refuses(content: bytes) -> bool:
    try:
        safetensors.deserialize(content)
    except safetensors.SafetensorError:
        return True
    return False


@pytest.mark.parametrize(("header", "size"), JUDGED.values(), ids=JUDGED.keys())
async def test_a_safetensors_file_is_malformed_where_its_own_library_refuses_it(header, size):
    content = safetensors_file(header, bytes(size))

    told = await look(content, "m.safetensors")

    assert (kinds(told) == {"malformed"}) == library_refuses(content)
    assert kinds(told) <= {"malformed"}


FORGIVEN = {
    "a name twice, of the same bytes": PLAIN[:-1] + b"," + PLAIN[1:],
    "a blank before the header": b" " + PLAIN,
    "a line before the header": b"\r\n" + PLAIN,
}


@pytest.mark.parametrize("header", FORGIVEN.values(), ids=FORGIVEN.keys())
@pytest.mark.parametrize("name", ["m.safetensors", "m.bin"])
async def test_what_the_specification_of_safetensors_forbids_is_malformed_too(header, name):
    told = await look(safetensors_file(header, bytes(4)), name)

    assert (told["format"], kinds(told)) == ("safetensors", {"malformed"})


TYPES = ["BOOL", "F4", "F6_E2M3", "U8", "I8", "F8_E5M2", "F8_E8M0", "U16", "BF16", "F32", "U64", "C64", "F8_E4M3FNUZ"]
rows = st.fixed_dictionaries(
    {"dtype": st.sampled_from(TYPES), "shape": st.lists(st.integers(0, 4), max_size=3)},
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from("abcd"), rows, max_size=4), st.sampled_from([0, 0, 0, -1, 1]))
async def test_whatever_its_tensors_are_the_library_and_the_inspection_agree(tensors, off):
    bits = {name: np.prod(told["shape"], dtype=int) * WIDTH[told["dtype"]] for name, told in tensors.items()}
    end, header = 0, {}
    for name, told in tensors.items():
        start, end = end, end + max(0, int(bits[name]) // 8 + (off if name == "b" else 0))
        header[name] = told | {"data_offsets": [start, end]}
    content = safetensors_file(header, bytes(end))

    told = await look(content, "m.safetensors")

    assert (kinds(told) == {"malformed"}) == library_refuses(content)


WIDTH = dict(zip(TYPES, [8, 4, 6, 8, 8, 8, 8, 16, 16, 32, 64, 64, 8], strict=True))


def saved_model(*operations: str, library: str = "", version: int = 1) -> bytes:
    """As `saved_model.proto` and `meta_graph.proto` say: a version, then graphs with what is known of them."""
    nodes = [sized(1, sized(1, f"n{index}".encode()), sized(2, name.encode())) for index, name in enumerate(operations)]
    function = sized(1, sized(1, sized(1, b"f")), sized(3, sized(1, b"inner"), sized(2, library.encode())))
    about = sized(1, sized(4, b"serve"), sized(5, b"2.16.1"))
    signature = sized(5, sized(1, b"serving_default"), sized(2, b""))
    return b"\x08" + varint(version) + sized(2, about, sized(2, *nodes, sized(2, function)), signature)


def core_ml(kind: int = 500) -> bytes:
    """As `Model.proto` says: a version, a description, and the model in a field of its kind."""
    named = [sized(1, sized(1, b"image"), sized(3, b"")), sized(10, sized(1, b"label"), sized(3, b""))]
    return b"\x08\x04" + sized(2, *named, sized(100, sized(1, b"tiny"))) + sized(kind, sized(1, bytes(900)))


@pytest.mark.parametrize("name", ["saved_model.pb", "m.onnx", "m"])
async def test_a_saved_model_of_tensorflow_is_told_as_one(name):
    told = await look(saved_model("Placeholder", "MatMul", library="Relu"), name)

    assert (told["format"], told["findings"]) == ("saved_model", [])
    assert (told["summary"]["operations"], told["summary"]["signatures"]) == (3, ["serving_default"])
    assert {"name": "tensorflow_version", "value": "2.16.1"} in told["summary"]["metadata"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (saved_model("Placeholder", "WriteFile"), "dangerous"),
        (saved_model("ReadFile"), "dangerous"),
        (saved_model("MatMul", library="WriteFile"), "dangerous"),
        (saved_model(*["MatMul"] * 30_000, "WriteFile"), "dangerous"),
        (saved_model("PyFunc"), "suspicious"),
        (saved_model("MatchingFiles", library="EagerPyFunc"), "suspicious"),
    ],
)
@pytest.mark.process
async def test_operations_of_a_saved_model_that_touch_files_are_found(content, kind):
    told = await look(content, "saved_model.pb")

    assert (told["format"], kinds(told)) == ("saved_model", {kind})
    assert holds_back(told) == (kind == "dangerous")


@pytest.mark.parametrize("name", ["m.mlmodel", "m.onnx", "m"])
@pytest.mark.parametrize(
    ("field", "kind"), [(500, "neuralNetwork"), (402, "treeEnsembleClassifier"), (250, "type 250")]
)
async def test_a_core_ml_model_is_told_as_one(name, field, kind):
    told = await look(core_ml(field), name)

    assert (told["format"], told["findings"]) == ("coreml", [])
    assert (told["summary"]["kind"], told["summary"]["inputs"]) == (kind, ["image"])
    assert told["summary"]["outputs"] == ["label"]


@pytest.mark.parametrize("name", ["m.mlmodel", "saved_model.pb", "m"])
async def test_an_onnx_file_is_told_as_one_whatever_it_is_called(name):
    assert (await look(GOOD["onnx"], name))["format"] == "onnx"


@pytest.mark.parametrize("content", [saved_model("MatMul"), core_ml()])
async def test_no_cut_of_another_message_breaks_the_inspection(content):
    for stop in range(0, len(content), 5):
        assert kinds(await look(content[:stop], "m.pb")) <= {"malformed"}


def outside(location="../../secret") -> TensorProto:
    held = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    held.external_data.add(key="location", value="weights.bin")
    held.external_data.add(key="location", value=location)
    return held


def graph(*nodes, tensors=(), sparse=()):
    return helper.make_graph(list(nodes), "g", [], [], list(tensors), sparse_initializer=list(sparse))


def sparse(tensor, indices=None) -> SparseTensorProto:
    return SparseTensorProto(values=tensor, indices=indices or helper.make_tensor("i", TensorProto.INT64, [1], [0]))


def within(inner, depth=1):
    for _ in range(depth):
        inner = graph(helper.make_node("Loop", ["x"], ["y"], body=inner))
    return inner


def model(held, functions=(), training=None) -> bytes:
    made = helper.make_model(held, functions=list(functions))
    if training:
        made.training_info.append(TrainingInfoProto(algorithm=training))
    return made.SerializeToString()


constant = helper.make_node("Constant", [], ["c"], value=outside())
NESTED = {
    "an initializer": model(graph(tensors=[outside()])),
    "a constant": model(graph(constant)),
    "a node that is long": model(graph(helper.make_node("Any", [], ["c"], text="a" * 2**17, value=[outside()]))),
    "tensors of an attribute": model(graph(helper.make_node("Any", [], ["c"], value=[outside()]))),
    "the branch of an If": model(graph(helper.make_node("If", ["x"], ["y"], then_branch=graph(tensors=[outside()])))),
    "a constant in the body of a Loop": model(within(graph(constant), 5)),
    "graphs of an attribute": model(graph(helper.make_node("Any", [], ["c"], bodies=[graph(constant)]))),
    "a sparse initializer": model(graph(sparse=[sparse(outside())])),
    "the indices of a sparse initializer": model(graph(sparse=[sparse(TensorProto(name="v"), outside())])),
    "a sparse initializer of a body": model(within(graph(sparse=[sparse(outside())]))),
    "a sparse tensor of an attribute": model(graph(helper.make_node("Constant", [], ["c"], value=sparse(outside())))),
    "a function": model(
        graph(), [helper.make_function("d", "f", [], ["c"], [constant], [helper.make_opsetid("", 17)])]
    ),
    "a step of training": model(graph(), training=graph(tensors=[outside()])),
}


@pytest.mark.parametrize("content", NESTED.values(), ids=NESTED.keys())
async def test_numbers_of_onnx_from_outside_of_its_folder_are_suspicious_also_in(content):
    told = await look(content)

    assert (told["format"], kinds(told)) == ("onnx", {"suspicious"})
    assert "../../secret" in told["verdict"]
