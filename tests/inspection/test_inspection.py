"""Looking into files that the real libraries wrote, that somebody made with bad intent, or that are only bytes."""

import gzip
import importlib
import io
import json
import os
import pickle
import struct
import sys
import tarfile
import zipfile
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

import bson
import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from safetensors.numpy import save as safetensors_of
from sklearn.ensemble import RandomForestClassifier

from catalog.blobs.files import FileStorage
from catalog.blobs.memory import MemoryBlobs, MemoryStorage
from catalog.blobs.protocol import Blobs
from catalog.domain.tenants import tenants
from catalog.inspection import process
from catalog.inspection.formats.summary import MOST_SHOWN
from catalog.inspection.formats.window import AHEAD
from catalog.inspection.inspector import holds_back, inspect
from catalog.inspection.source import MOST_BYTES
from catalog.vocabulary import InspectionPolicy
from tests.support.app import API_TOKEN
from tests.support.contents import random_bytes

NOTHING = "no known threat found"


class Attack:
    """Unpickled, it runs a command."""

    def __init__(self, function=os.system, *arguments):
        self.what = (function, arguments or ("id",))

    def __reduce__(self):
        return self.what


class Counting:
    """Blobs that tell how much of them was read."""

    def __init__(self, blobs: Blobs) -> None:
        self.blobs, self.bytes, self.reads = blobs, 0, 0

    async def read(self, digest, start=0, stop=None):
        self.reads += 1
        async for block in self.blobs.read(digest, start, stop):
            self.bytes += len(block)
            yield block


class Silent:
    """A storage that fails."""

    async def read(self, digest, start=0, stop=None):
        raise OSError("the disk is gone")
        yield b""


@pytest.fixture(params=["files", "memory"])
def blobs(request, tmp_path) -> Blobs:
    return (MemoryStorage() if request.param == "memory" else FileStorage(tmp_path)).of("ada")


async def one(content: bytes):
    yield content


async def look(content: bytes, name: str = "model", blobs=None):
    blobs = blobs or MemoryBlobs()
    kept = await blobs.put(one(content))
    return await inspect(blobs, kept.digest, kept.size, name)


def kinds(inspection) -> set[str]:
    return {found["kind"] for found in inspection["findings"]}


def zipped(method=zipfile.ZIP_STORED, **files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return file.getvalue()


def dumped(thing, protocol=4) -> bytes:
    return pickle.dumps(thing, protocol)


def joblib_of(thing, compress=0) -> bytes:
    file = io.BytesIO()
    joblib.dump(thing, file, compress=compress)
    return file.getvalue()


def text(content: str) -> bytes:
    return struct.pack("<Q", len(content.encode())) + content.encode()


def gguf_of(tensors, template="{{ messages }}", vocabulary=1000) -> bytes:
    """As the format's specification says, version 3."""
    words = b"".join(text(f"word-{number}") for number in range(vocabulary))
    metadata = [
        text("general.architecture") + struct.pack("<I", 8) + text("llama"),
        text("llama.block_count") + struct.pack("<II", 4, 32),
        text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, vocabulary) + words,
        text("tokenizer.ggml.scores") + struct.pack("<IIQ", 9, 6, vocabulary) + bytes(4 * vocabulary),
        text("tokenizer.chat_template") + struct.pack("<I", 8) + text(template),
    ]
    rows = [
        text(name)
        + struct.pack("<I", len(shape))
        + struct.pack(f"<{len(shape)}Q", *shape)
        + struct.pack("<IQ", kind, 0)
        for name, shape, kind in tensors
    ]
    return b"GGUF" + struct.pack("<IQQ", 3, len(rows), len(metadata)) + b"".join(metadata + rows) + bytes(64)


def onnx_of(location=None) -> bytes:
    weights = np.arange(12, dtype=np.float32).reshape(3, 4)
    held = helper.make_tensor("w", TensorProto.FLOAT, [3, 4], weights.tobytes(), raw=True)
    if location:
        held.ClearField("raw_data")
        held.data_location = TensorProto.EXTERNAL
        held.external_data.add(key="location", value=location)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])],
        [held, helper.make_tensor("ids", TensorProto.INT64, [2], [1, 2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="by hand")
    helper.set_model_props(model, {"licence": "MIT"})
    return model.SerializeToString()


async def test_a_safetensors_file_tells_its_tensors(blobs):
    content = safetensors_of({"w": np.zeros((3, 4), np.float16), "b": np.zeros(4, np.float32)}, {"by": "ada"})

    told = await look(content, "model.bin", blobs)

    assert (told["format"], told["verdict"]) == ("safetensors", NOTHING)
    assert told["summary"] == {
        "tensors": 2,
        "parameters": 16,
        "dtypes": [{"dtype": "F16", "tensors": 1}, {"dtype": "F32", "tensors": 1}],
        "shown": [
            {"name": "b", "dtype": "F32", "shape": [4]},
            {"name": "w", "dtype": "F16", "shape": [3, 4]},
        ],
        "truncated": False,
        "metadata": [{"name": "by", "value": "ada"}],
    }


@pytest.mark.process
async def test_only_the_first_of_many_tensors_are_shown():
    told = await look(safetensors_of({f"t{number:04}": np.zeros(2) for number in range(3000)}))

    assert (told["summary"]["tensors"], told["summary"]["parameters"]) == (3000, 6000)
    assert (len(told["summary"]["shown"]), told["summary"]["truncated"]) == (MOST_SHOWN, True)


async def test_an_onnx_file_tells_its_graph(blobs):
    told = await look(onnx_of(), "tiny", blobs)

    assert (told["format"], told["verdict"]) == ("onnx", NOTHING)
    assert told["summary"]["shown"] == [
        {"name": "w", "dtype": "FLOAT", "shape": [3, 4]},
        {"name": "ids", "dtype": "INT64", "shape": [2]},
    ]
    assert (told["summary"]["inputs"], told["summary"]["outputs"]) == (["x"], ["y"])
    assert told["summary"]["opsets"] == [{"domain": "ai.onnx", "version": 17}]
    assert {"name": "licence", "value": "MIT"} in told["summary"]["metadata"]


async def test_the_numbers_of_an_onnx_file_are_not_read():
    big = helper.make_tensor("w", TensorProto.FLOAT, [2**22], bytes(2**24), raw=True)
    model = helper.make_model(helper.make_graph([], "big", [], [], [big] * 3))
    counting = Counting(MemoryBlobs())
    kept = await counting.blobs.put(one(model.SerializeToString()))

    told = await inspect(counting, kept.digest, kept.size, "big.onnx")

    assert (told["summary"]["tensors"], told["summary"]["parameters"]) == (3, 3 * 2**22)
    assert kept.size > 3 * 2**24
    assert counting.bytes <= 8 * AHEAD


@pytest.mark.parametrize("location", ["/etc/passwd", "../../secrets", "..\\up", "C:weights"])
async def test_an_onnx_file_that_takes_numbers_from_elsewhere_is_suspicious(location):
    told = await look(onnx_of(location))

    assert kinds(told) == {"suspicious"}
    assert location in told["verdict"]


async def test_weights_in_a_file_beside_the_model_are_not_suspicious():
    assert (await look(onnx_of("weights.bin")))["findings"] == []


async def test_a_gguf_file_tells_its_tensors(blobs):
    told = await look(gguf_of([("token_embd.weight", (64, 100), 12), ("norm", (64,), 0)]), "llama", blobs)

    assert (told["format"], told["verdict"]) == ("gguf", NOTHING)
    assert told["summary"]["shown"] == [
        {"name": "token_embd.weight", "dtype": "Q4_K", "shape": [64, 100]},
        {"name": "norm", "dtype": "F32", "shape": [64]},
    ]
    assert {"name": "llama.block_count", "value": "32"} in told["summary"]["metadata"]
    assert {"name": "tokenizer.ggml.tokens", "value": "1000 values"} in told["summary"]["metadata"]


@pytest.mark.process
async def test_a_vocabulary_of_hundreds_of_thousands_is_passed_quickly():
    content = gguf_of([("norm", (64,), 0)], vocabulary=300_000)

    told = await look(content)

    assert (told["summary"]["tensors"], told["findings"]) == (1, [])  # not a finding that it takes too long


async def test_a_chat_template_that_reaches_for_internals_or_hides_them_is_suspicious():
    internals = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    found = [await look(gguf_of([], template=template)) for template in (internals, " " * 2**16 + internals)]

    assert [kinds(told) for told in found] == [{"suspicious"}] * 2
    assert all(told["verdict"].startswith(NOTHING) for told in found)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.process
async def test_a_pickle_that_runs_a_command_is_found_in_every_protocol(blobs, protocol):
    told = await look(dumped({"weights": [1, 2], "more": Attack()}, protocol), "harmless.csv", blobs)

    assert told["format"] == "pickle"
    assert told["verdict"] == f"threat found: imports {os.name}.system"
    assert holds_back(told)


@pytest.mark.parametrize(
    "function", [exec, eval, compile, open, getattr, __import__, os.popen, os.execv, sys.exit, importlib.import_module]
)
@pytest.mark.process
async def test_the_ways_to_run_code_are_found(function):
    assert kinds(await look(dumped(Attack(function)))) >= {"dangerous"}


def two_faced() -> bytes:
    """For `joblib.load` a list with an array, for `pickle.load` a command."""
    content, command = joblib_of([np.zeros(300)]), b"cos\nsystem\n(S'id'\ntR."
    begin = content.index(b"K\x10ub") + 4
    return content[:begin] + command + content[begin + len(command) :]


MEMO = b"\x80\x04\x8c\x02os\x94\x8c\x03abc0\x8c\x06system\x94\x8c\x04path0h\x00h\x01\x93\x8c\x02id\x85R."
HIDDEN = {
    "its operands come through the memo": MEMO,
    "texts are pushed and popped in between": (
        b"\x80\x04\x8c\x02os\x8c\x01x0\x8c\x06system\x8c\x01y0\x93\x8c\x02id\x85R."
    ),
    "what is put into the memo is not the last text": (
        b"\x80\x04\x8c\x02os\x8c\x0bcollections0q\x00\x8c\x06system\x8c\x0bOrderedDict0q\x01h\x00h\x01\x93\x8c\x02id\x85R."
    ),
    "the memo is written twice": (
        b"\x80\x02X\x0b\x00\x00\x00collectionsq\x000X\x02\x00\x00\x00osq\x000h\x00\x8c\x06system\x93."
    ),
    "a hexadecimal number stands before it": b"I0x10\n0cos\nsystem\n(S'id'\ntR.",
    "it breaks off afterwards": b"cos\nsystem\n(S'id'\ntR" + b"\xff" * 50,
    "a text is not valid before it": b"\x80\x04X\x02\x00\x00\x00\xff\xfe0cos\nsystem\n(S'id'\ntR.",
    "another pickle stands before it": dumped([1, 2]) + dumped(Attack()),
    "its name goes through a harmless module": b"\x80\x04\x8c\x07logging\x8c\x09os.system\x93\x8c\x02id\x85R.",
    "its name goes on behind": b"\x80\x04\x8c\x08builtins\x8c\x0dexec.__call__\x93\x8c\x02id\x85R.",
    "INST makes it": b"(S'id'\nios\nsystem\n.",
    "its module is computed": (
        b"\x80\x04\x8c\x07_codecs\x8c\x06decode\x93\x8c\x02bf\x8c\x05rot13\x86R\x8c\x06system\x93\x8c\x02id\x85R."
    ),
    "it looks like the head of safetensors": b"\x80\x04X\x02\x00\x00\x00\x00{0cos\nsystem\n(S'id'\ntR.",
    "joblib would take it for an array": two_faced(),
}


@pytest.mark.parametrize("content", HIDDEN.values(), ids=HIDDEN.keys())
@pytest.mark.process
async def test_a_threat_is_found_although(content):
    assert "dangerous" in kinds(await look(content))


@pytest.mark.process
async def test_joblib_files_are_followed_across_their_arrays(blobs):
    forest = RandomForestClassifier(10).fit(np.random.default_rng(1).random((50, 4)), np.arange(50) % 2)
    frame = {"words": np.array(["ab", "c"]), "things": np.array([{}, 1], object), "forest": forest}

    told = await look(joblib_of(frame), "forest.joblib", blobs)

    assert told["format"] == "joblib"
    assert kinds(told) == {"suspicious"}
    assert told["verdict"].startswith(NOTHING)
    assert "sklearn.ensemble._forest.RandomForestClassifier" in told["summary"]["imports"]


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)])
@pytest.mark.process
async def test_a_threat_behind_the_arrays_of_joblib_is_found(compress):
    told = await look(joblib_of([np.zeros(1000), np.array([1, None, ""]), Attack()], compress))

    assert (told["format"], "dangerous" in kinds(told)) == ("joblib", True)


@pytest.mark.process
async def test_a_plain_pickle_of_arrays_is_no_threat():
    told = await look(dumped({"w": np.zeros((30, 40)), "o": OrderedDict(a=1)}, 5))

    assert told["format"] == "pickle"
    assert "dangerous" not in kinds(told)
    assert told["verdict"].startswith(NOTHING)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
@pytest.mark.process
async def test_a_threat_in_an_archive_as_pytorch_makes_it_is_found(blobs, method):
    numbers = {f"m__data__{number}": random_bytes(5000) for number in range(50)}
    content = zipped(method, m__data_dot_pkl=dumped(Attack(), 2), m__version=b"3\n", **numbers)

    told = await look(content, "m.pt", blobs)

    assert told["format"] == "pytorch"
    assert [(found["kind"], found["where"]) for found in told["findings"]] == [("dangerous", "m/data.pkl")]


@pytest.mark.process
async def test_the_numbers_of_a_pytorch_archive_are_not_read():
    numbers = {f"m__data__{number}": bytes(2**21) for number in range(20)}
    counting = Counting(MemoryBlobs())
    kept = await counting.blobs.put(one(zipped(m__data_dot_pkl=dumped(OrderedDict(a=1), 2), **numbers)))

    told = await inspect(counting, kept.digest, kept.size, "m.pt")

    assert (told["format"], told["verdict"]) == ("pytorch", NOTHING)
    assert counting.bytes < 10 * AHEAD


@pytest.mark.process
async def test_the_five_pickles_of_old_pytorch_files_are_followed():
    pickles = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, OrderedDict(a=Attack()), ["0"]]
    content = b"".join(dumped(part, 2) for part in pickles) + struct.pack("<q", 3) + random_bytes(12)

    told = await look(content, "old.pth")

    assert (told["summary"]["pickles"], "dangerous" in kinds(told)) == (5, True)


@pytest.mark.process
async def test_a_threat_deep_in_archives_is_found():
    inner = zipped(zipfile.ZIP_DEFLATED, a_dot_pkl=dumped(Attack()))
    outer = zipped(zipfile.ZIP_DEFLATED, readme=b"hello", inner_dot_zip=inner)
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        entry = tarfile.TarInfo("outer.zip")
        entry.size = len(outer)
        archive.addfile(entry, io.BytesIO(outer))

    told = await look(file.getvalue())

    assert [found["where"] for found in told["findings"]] == ["outer.zip:inner.zip:a.pkl"]


@pytest.mark.process
async def test_arrays_of_objects_are_looked_into_and_others_are_not(monkeypatch):
    plain, objects, both = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(plain, np.zeros((2, 3), np.int16))
    np.save(objects, np.array([Attack()], object), allow_pickle=True)
    np.savez(both, a=np.zeros(3), b=np.array([Attack()], object))

    looks = [await look(file.getvalue()) for file in (plain, objects, both)]

    assert [told["format"] for told in looks] == ["numpy"] * 3
    assert ["dangerous" in kinds(told) for told in looks] == [False, True, True]
    assert looks[0]["summary"]["shown"] == [{"name": "", "dtype": "<i2", "shape": [2, 3]}]


@pytest.mark.process
async def test_a_zip_bomb_is_given_up():
    bomb = zipped(zipfile.ZIP_DEFLATED, **{f"{number}_dot_pkl": b"(" * 2**26 for number in range(8)})

    told = await look(bomb)

    assert kinds(told) == {"unfinished"}
    assert not told["verdict"].startswith(NOTHING)
    assert holds_back(told)


@pytest.mark.process
async def test_archives_packed_too_deep_are_given_up():
    content = dumped(Attack())
    for _ in range(10):
        content = gzip.compress(content)

    assert kinds(await look(content)) == {"unfinished"}


@pytest.mark.process
async def test_of_a_pickle_without_end_only_the_first_part_is_looked_at():
    told = await look(b"\x80\x04]" + b"K\x01a" * 2_000_000 + dumped(Attack()))

    assert kinds(told) == {"unfinished"}
    assert told["verdict"].startswith("only the first part was looked at")


@pytest.mark.process
async def test_large_values_in_a_pickle_are_left_out():
    counting = Counting(MemoryBlobs())
    kept = await counting.blobs.put(one(dumped([bytes(200 * 2**20), Attack()])))

    told = await inspect(counting, kept.digest, kept.size, "big.pkl")

    assert "dangerous" in kinds(told)
    assert counting.bytes < 10 * AHEAD


@pytest.mark.parametrize("content", [b"7z\xbc\xaf\x27\x1c" + bytes(30), b"\x28\xb5\x2f\xfd" + bytes(30)])
@pytest.mark.process
async def test_what_cannot_be_unpacked_is_told_so(content):
    told = await look(content)

    assert kinds(told) == {"opaque"}
    assert NOTHING not in told["verdict"]


GOOD = {
    "safetensors": safetensors_of({"w": np.zeros((3, 4))}),
    "onnx": onnx_of(),
    "gguf": gguf_of([("w", (3, 4), 0)]),
    "npy": b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }".ljust(128),
}
BROKEN = {
    "a header longer than the file": (struct.pack("<Q", 10**6) + b'{"a":1}', "m.safetensors"),
    "an absurd length": (struct.pack("<Q", 2**63) + b'{"a":1}', "m.safetensors"),
    "no JSON": (struct.pack("<Q", 8) + b"{oh no!}", "m.safetensors"),
    "JSON within JSON within JSON": (struct.pack("<Q", 10**5) + b'{"a":' + b"[" * 10**5, "m.safetensors"),
    "a list": (struct.pack("<Q", 2) + b"[]", "m.safetensors"),
    "no tensor": (struct.pack("<Q", 7) + b'{"a":1}', "m.safetensors"),
    "an enormous shape": (
        struct.pack("<Q", 68)
        + b'{"a":{"dtype":"F32","shape":[9999999999,9999999999,9999999999],"data_offsets":[0,0]}}',
        "m.safetensors",
    ),
    "more tensors than bytes": (b"GGUF" + struct.pack("<IQQ", 3, 2**63, 0), "m.gguf"),
    "a text of 2**63 bytes": (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**63), "m.gguf"),
    "an array of 2**63 values": (
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IIQ", 9, 0, 2**63),
        "",
    ),
    "arrays in arrays": (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IQ", 9, 1) * 99, "m.gguf"),
    "an impossible version": (b"GGUF" + bytes(60), "m.gguf"),
    "a field longer than its message": (b"\x08\x07\x3a\xff\xff\xff\xff\x0f", "m.onnx"),
    "a number that does not end": (b"\x08" + b"\xff" * 30, "m.onnx"),
    "no graph": (b"\x08\x07\x12\x02hi", "m.onnx"),
    "no header": (b"\x93NUMPY\x01\x00\x04\x00oops", "m.npy"),
    "nothing at all": (b"", "m.onnx"),
    "a zip without its table": (zipped(a=b"b" * 100)[:60], "m.zip"),
    "a zip whose table points before its beginning": (
        zipped(a=b"b")[:-10] + struct.pack("<IIH", 46, 2**30, 0),
        "m.zip",
    ),
    "a pickle cut short": (dumped([1] * 100)[:50], "m.pkl"),
}


@pytest.mark.parametrize(("content", "name"), BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.process
async def test_a_malformed_file_is_told_so(content, name):
    told = await look(content, name)

    assert kinds(told) == {"malformed"}
    assert told["verdict"].startswith("malformed: ")


@pytest.mark.parametrize("format_", GOOD)
async def test_no_cut_of_a_good_file_breaks_the_inspection(format_):
    content = GOOD[format_]

    for stop in range(0, min(len(content), 400), 7):
        assert kinds(await look(content[:stop], f"m.{format_}")) <= {"malformed"}


async def test_nothing_at_all_has_no_threat():
    told = await look(b"", "empty.bin")

    assert (told["format"], told["summary"], told["findings"], told["verdict"]) == ("unknown", {}, [], NOTHING)


@pytest.mark.parametrize(
    "content",
    [
        b"customer,name\nfoo,bar\n" * 10_000,
        b"id,name\n1,ada\n" * 10_000,
        b"import os\nimport sys\n" * 5000,
        b'{"a": [1, 2]}' * 9000,
        b"cat\ndog\nbird\n" * 9000,
        b"N.B. what follows is a text.",
        b"\x89PNG\r\n\x1a\n" + bytes(200_000),
        random_bytes(200_000),
    ],
)
async def test_what_is_none_of_these_costs_one_small_read(content, monkeypatch):
    monkeypatch.setattr(process, "PROGRAM", ("no such program",))
    counting = Counting(MemoryBlobs())
    kept = await counting.blobs.put(one(content))

    told = await inspect(counting, kept.digest, kept.size, "data.csv")

    assert (told["format"], told["findings"]) == ("unknown", [])
    assert (counting.reads, counting.bytes <= AHEAD) == (1, True)


PIECES = [
    b"GGUF",
    b"\x93NUMPY\x01\x00",
    b"PK\x03\x04",
    b"\x80\x04",
    b"\x08\x07\x12",
    b'{"a":',
    struct.pack("<Q", 9),
    b"cos\nsystem\n",
]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(PIECES)), max_size=6).map(b"".join),
    st.sampled_from(["m.onnx", "m.gguf", "m.safetensors", "m.npy", "m"]),
)
@pytest.mark.process
async def test_no_bytes_break_the_inspection_or_are_read_without_bound(content, name):
    counting = Counting(MemoryBlobs())
    kept = await counting.blobs.put(one(content))

    told = await inspect(counting, kept.digest, kept.size, name)

    assert "failed" not in kinds(told)
    assert counting.bytes <= MOST_BYTES
    assert bson.decode(bson.encode(dict(told)))["verdict"] == told["verdict"]
    assert json.loads(json.dumps(told, default=str))["findings"] == told["findings"]


async def test_what_is_told_can_be_kept_and_sent_whatever_the_names_are():
    content = safetensors_of({"a.b": np.zeros(1), "$where": np.zeros(1), "\0": np.zeros(1)}, {"$a.b": "\0"})

    told = await look(content)

    assert (told["summary"]["tensors"], told["findings"]) == (3, [])
    assert bson.decode(bson.encode(dict(told)))["summary"]["tensors"] == 3


async def test_a_storage_that_fails_ends_as_a_sentence(caplog):
    told = await inspect(Silent(), "0" * 64, 100, "m.onnx")

    assert told["verdict"] == "could not be inspected: OSError: the disk is gone"
    assert "could not be inspected" in caplog.text
    assert holds_back(told)


def children() -> set[str]:
    found = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
            found |= set((task / "children").read_text().split())
    return found


@pytest.mark.process
async def test_an_inspection_leaves_no_process():
    before = children()

    await look(dumped(Attack()))

    assert children() <= before


async def set_policy(client, org, policy):
    body, operator = {"inspection": policy}, {"Authorization": API_TOKEN}
    return await client.put(f"/v1/tenants/{org.name}", json=body, headers=operator)


async def test_what_becomes_of_a_threat_is_set_for_each_tenant(client, org, other_org, app):
    changed = await set_policy(client, org, "reject")
    entered = [await tenants.enter(app.state.database, name) for name in (org.name, other_org.name)]

    assert changed.json()["inspection"] == "reject"
    assert [tenant.inspection for tenant in entered] == [InspectionPolicy.REJECT, InspectionPolicy.WARN]


async def test_a_policy_that_does_not_exist_is_refused_with_those_that_do(client, org):
    refused = await set_policy(client, org, "ignore")

    assert refused.status_code == 400
    assert "`ignore` is not one of warn, quarantine, reject" in refused.json()["details"]


async def upload(client, org, content):
    await client.post("/v1/models", json={"name": "iris"}, headers=org.as_("ada"))
    named = {**org.as_("ada"), "Content-Type": "application/octet-stream"}
    return await client.post("/v1/models/iris/versions?name=m.bin", content=content, headers=named)


async def test_a_rejected_upload_leaves_no_version(client, org):
    await set_policy(client, org, "reject")

    refused = await upload(client, org, dumped(Attack()))

    assert (refused.status_code, refused.json()["value"]) == (422, 112)
    assert refused.json()["details"] == "threat found: imports posix.system"
    assert (await client.get("/v1/models/iris", headers=org.as_("ada"))).json()["versions"] == []


async def test_a_file_in_quarantine_is_not_given_out(client, org):
    await set_policy(client, org, "quarantine")

    kept = await upload(client, org, dumped(Attack()))
    refused = await client.get("/v1/models/iris/versions/1", headers=org.as_("ada"))

    assert kept.status_code == 200
    assert (refused.status_code, refused.json()["value"]) == (403, 113)


@pytest.mark.parametrize("policy", ["warn", "quarantine", "reject"])
async def test_a_file_without_a_threat_is_given_out_whatever_the_policy_is(client, org, policy):
    await set_policy(client, org, policy)

    await upload(client, org, GOOD["safetensors"])
    given = await client.get("/v1/models/iris/versions/1", headers=org.as_("ada"))

    assert (given.status_code, given.content) == (200, GOOD["safetensors"])
