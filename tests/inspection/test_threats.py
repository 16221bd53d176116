"""What a pickle can do without naming `os.system`, and what real models name without being a threat."""

import base64
import collections
import datetime as dt
import decimal
import fractions
import functools
import gzip
import importlib
import io
import json
import lzma
import math
import operator
import pathlib
import pickle
import random
import re
import struct
import sys
import tarfile
import types
import zipfile
import zlib
from collections import OrderedDict

import numpy as np
import pytest
from picklescan.scanner import SafetyLevel
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from catalog.inspection.inspector import holds_back
from catalog.inspection.sandbox.keras import HDF5
from catalog.inspection.stdlib import HARMLESS
from catalog.inspection.threats import judged
from tests.inspection.test_inspection import Attack, dumped, joblib_of, kinds, look, zipped
from tests.support.contents import random_bytes


def text(content: str) -> bytes:
    return b"\x8c" + bytes([len(content)]) + content.encode()


def named(module: str, name: str) -> bytes:
    return text(module) + text(name) + b"\x93"


def called(module: str, name: str, argument: bytes = text("id")) -> bytes:
    """A pickle that calls something with one argument."""
    return b"\x80\x04" + named(module, name) + argument + b"\x85R."


def pairs(words: str) -> list[str]:
    return [" ".join(pair.split()) for pair in words.split(",")]


NESTED = dumped(Attack())
THREATS = pairs(
    """
    tempfile _os.system, random _os.system, logging os.system, logging sys.modules, collections abc.sys.modules,
    cloudpickle loads, cloudpickle.cloudpickle loads, dill loads, dill._dill load, marshal loads, pickle loads,
    _pickle Unpickler, joblib load, joblib.numpy_pickle load, joblib.numpy_pickle _unpickle,
    sklearn.externals.joblib load, joblib.externals.cloudpickle loads, torch load, torch.serialization load,
    torch.serialization _legacy_load, torch.jit load, torch.hub load, torch.package PackageImporter, numpy load,
    numpy.lib.npyio load, numpy.lib.format read_array, numpy.ctypeslib load_library, numpy.testing runstring,
    shelve open, pandas read_pickle, pandas.io.pickle read_pickle, pandas eval, yaml load, yaml unsafe_load, runpy
    run_path, importlib import_module, importlib.util spec_from_file_location, pkgutil resolve_name, operator
    attrgetter, _operator methodcaller, operator call, functools partial, _functools partial, functools reduce,
    types CodeType, types FunctionType, types MethodType, ctypes CDLL, _ctypes dlopen, builtins eval, builtins
    exec, builtins compile, builtins __import__, builtins getattr, builtins map, builtins vars, builtins globals,
    builtins input, __builtin__ execfile, __builtin__ reduce, builtins object.__getattribute__, builtins
    type.__subclasses__, builtins str.format, code InteractiveInterpreter, codeop compile_command, pty spawn,
    webbrowser open, antigravity geohash, subprocess Popen, _posixsubprocess fork_exec, socket create_connection,
    _socket socket, asyncio run, asyncio.subprocess create_subprocess_shell, multiprocessing Process,
    multiprocessing.util spawnv_passfds, concurrent.futures ThreadPoolExecutor, threading Thread, _thread
    start_new_thread, sched scheduler, timeit timeit, cProfile run, pdb run, bdb Bdb.run, trace Trace, doctest
    testmod, unittest main, test.support script_helper, site main, zipimport zipimporter, zipfile ZipFile, tarfile
    open, gzip open, bz2 BZ2File, sqlite3 connect, dbm open, linecache getlines, fileinput input, mmap mmap, glob
    glob, tempfile mktemp, pathlib Path.write_text, pathlib PosixPath.unlink, io open, _io FileIO, io open_code,
    codecs open, codecs lookup, os path, posixpath expanduser, ntpath abspath, urllib.request urlopen, urllib2
    urlopen, urllib urlretrieve, http.client HTTPConnection, smtplib SMTP, ftplib FTP, xmlrpc.client ServerProxy,
    wsgiref.simple_server make_server, imp load_source, commands getoutput, popen2 popen3, cPickle loads,
    six.moves.cPickle loads, six.moves builtins.eval, six.moves.urllib.request urlopen, pip._vendor.requests get,
    numpy __builtins__, numpy.core.os system, anything os, anything _subprocess.run, anything Thing.__globals__,
    anything exec, anything.at_all import_module, gc get_objects, inspect getmodule, copyreg add_extension,
    copyreg pickle, copyreg __dict__, enum bltns.eval, enum bltns, typing get_type_hints, dataclasses
    make_dataclass, itertools starmap, string Formatter, logging.config dictConfig, ast parse, symtable symtable,
    pickletools dis, pydoc locate, idlelib.run Executive, lib2to3.refactor RefactoringTool, distutils.spawn spawn,
    mako.template Template, numexpr evaluate, hydra.utils instantiate, psutil Popen, keras.models load_model,
    scipy.spatial.distance partial, sklearn.utils._testing assert_run_python_script, joblib.disk delete_folder,
    pyspark.cloudpickle.cloudpickle _make_function, torch.fx.graph_module reduce_graph_module,
    torch._utils _import_dotted_name,
    sympy.parsing.sympy_parser parse_expr, transformers.models.auto.modeling_auto AutoModel.from_pretrained,
    base64 b64decode, tensorflow.io write_file, mlflow.pyfunc load_model, _interpreters exec,
    faulthandler dump_traceback
    """
)


@pytest.mark.parametrize("name", THREATS)
def test_a_threat_is_known_by_whatever_way_its_name_goes(name):
    found = tuple(name.split(" "))

    assert judged([found])[found] is SafetyLevel.Dangerous


HARMLESS_NAMES = pairs(
    """
    collections OrderedDict, collections defaultdict, collections deque, collections Counter, collections
    _tuplegetter, datetime datetime, datetime datetime.fromisoformat, datetime timezone, decimal Decimal,
    fractions Fraction, enum Enum, re _compile, copyreg _reconstructor, copyreg __newobj__, copy_reg
    _reconstructor, __builtin__ object, __builtin__ unicode, __builtin__ xrange, exceptions ValueError, builtins
    ValueError, builtins set, builtins slice, builtins str.lower, builtins dict.fromkeys, builtins type, builtins
    iter, _codecs encode, _io BytesIO, array _array_reconstructor, array array, argparse Namespace, types
    SimpleNamespace, pathlib PosixPath, pathlib._local PosixPath, zoneinfo ZoneInfo._unpickle, random Random, math
    log, operator add, _operator mul, itertools count, logging getLogger, inspect Signature, urllib.parse
    ParseResult, string Template, statistics mean, time struct_time, ipaddress IPv4Address, numpy dtype, numpy
    ndarray, numpy._core.multiarray _reconstruct, numpy._core.multiarray scalar, numpy.random._pickle
    __randomstate_ctor, numpy.random._pickle __bit_generator_ctor, numpy.random._mt19937 MT19937, numpy.ma.core
    _mareconstruct, numpy memmap, numpy.core._internal _ufunc_reconstruct, scipy.sparse._csr csr_matrix,
    scipy.stats._distn_infrastructure rv_frozen, scipy.interpolate._bspline BSpline, pandas.core.frame DataFrame,
    pandas.core.indexes.base _new_Index, pandas._libs.internals _unpickle_block, pandas.core.internals.managers
    BlockManager, pandas._libs.arrays __pyx_unpickle_NDArrayBacked, sklearn.tree._tree Tree,
    sklearn.neighbors._kd_tree newObj, sklearn._loss._loss __pyx_unpickle_CyHalfBinomialLoss, sklearn.pipeline
    Pipeline, sklearn.externals.joblib.numpy_pickle NumpyArrayWrapper, joblib.numpy_pickle NumpyArrayWrapper,
    torch FloatStorage, torch._utils _rebuild_tensor_v2, torch._utils _rebuild_parameter, torch.storage
    UntypedStorage, torch.storage _load_from_bytes, torch.serialization _get_layout, torch Size, torch device,
    torch float32, torch.nn.modules.linear Linear, torch.nn.modules.container Sequential, torch.optim.adam Adam,
    torch.nn.modules.module _IncompatibleKeys, xgboost.core Booster, xgboost.sklearn XGBClassifier, lightgbm.basic
    Booster, catboost.core CatBoostClassifier, transformers.training_args TrainingArguments, tokenizers Tokenizer,
    spacy.vocab Vocab, __main__ Model, my_package.models Net
    """
)


@pytest.mark.parametrize("name", HARMLESS_NAMES)
def test_what_models_name_is_no_threat(name):
    found = tuple(name.split(" "))

    assert judged([found])[found] is not SafetyLevel.Dangerous


def installed(module: str) -> types.ModuleType | None:
    try:
        return importlib.import_module(module)
    except ImportError:  # of another version of Python
        return None


@pytest.mark.parametrize("module", HARMLESS)
def test_no_harmless_module_leads_to_one_that_is_not(module):
    """The table is held against the modules themselves, which the server never imports for that."""
    values = vars(installed(module) or types.ModuleType("none"))
    modules = {name: value.__name__ for name, value in values.items() if isinstance(value, types.ModuleType)}
    levels = judged({(module, name) for name in modules} | {(module, f"{name}.anything") for name in modules})

    reached = {name for (_, name), level in levels.items() if level is not SafetyLevel.Dangerous}

    assert {modules[name.partition(".")[0]] for name in reached} <= {*HARMLESS, "json.scanner"}


@pytest.mark.parametrize("module", HARMLESS)
def test_no_harmless_module_has_a_function_of_one_that_is_not(module):
    values = vars(installed(module) or types.ModuleType("none"))
    homes = {name: home for name, value in values.items() if isinstance(home := getattr(value, "__module__", ""), str)}
    allowed = {name for name in homes if judged([(module, name)])[module, name] is not SafetyLevel.Dangerous}

    foreign = {name for name in allowed if homes[name].partition(".")[0] in sys.stdlib_module_names - {"builtins"}}

    of_others = {homes[name] for name in foreign} - set(HARMLESS)
    assert of_others <= {"_json", "_hashlib", "_blake2", "_abc", "_functools", "_weakref", "types", "_collections"}
    assert not {name for name in foreign if homes[name] in {"os", "posix", "sys", "importlib", "subprocess"}}


def python_2_bytes(content: bytes) -> bytes:
    """Bytes as protocol 2 has them: a text, encoded by a call."""
    encoded = content.decode("latin-1").encode()
    return b"c_codecs\nencode\nX" + struct.pack("<I", len(encoded)) + encoded + b"X\x06\x00\x00\x00latin1\x86R"


def old_tar(content: bytes) -> bytes:
    """A tar archive from before there was a magic number."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo("m.pkl")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    head = bytearray(file.getvalue()[:512])
    head[257:265] = bytes(8)
    head[148:156] = b"%06o\0 " % (sum(head[:148]) + 8 * 32 + sum(head[156:]))
    return bytes(head) + file.getvalue()[512:]


def numpy_spelling(descr: str, content: bytes = NESTED) -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}".encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def lz4_frame(content: bytes) -> bytes:
    """Stored blocks, as LZ4 writes what does not become smaller."""
    return b"\x04\x22\x4d\x18\x40\x40\xc0" + struct.pack("<I", len(content) | 1 << 31) + content + bytes(4)


def twice_in_archive(content: bytes) -> bytes:
    """An archive that has a name twice, of which the first is the threat."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("m.pkl", content)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("m.pkl", dumped([1]))
    return file.getvalue()


def wrong_sum(archive: bytes) -> bytes:
    at = archive.index(b"PK\x01\x02") + 16
    return archive[:14] + bytes(4) + archive[18:at] + bytes(4) + archive[at + 4 :]


def with_table(archive: bytes, at: int, changed: bytes, *, last: bool = False) -> bytes:
    """An archive with other bytes in a record of its table, which readers outside of Python ignore."""
    place = (archive.rindex if last else archive.index)(b"PK\x01\x02") + at
    return archive[:place] + changed + archive[place + len(changed) :]


def with_corrupt_extra(archive: bytes) -> bytes:
    """An archive whose table has a field that is longer than the space for it."""
    at, end = archive.index(b"PK\x01\x02"), archive.index(b"PK\x05\x06")
    name = int.from_bytes(archive[at + 28 : at + 30], "little")
    table = (
        archive[at : at + 30]
        + b"\4\0"
        + archive[at + 32 : at + 46 + name]
        + b"\x99\x99\xff\0"
        + archive[at + 46 + name : end]
    )
    length = len(table).to_bytes(4, "little")
    return archive[:at] + table + archive[end : end + 12] + length + archive[end + 16 :]


def with_two_tables(threat: bytes, harmless: bytes) -> bytes:
    """An archive whose end names the table of the threat, and which has another one in front of its end."""
    first = zipped(m_dot_pkl=threat)
    at, end = first.index(b"PK\x01\x02"), first.index(b"PK\x05\x06")
    other = zipped(m_dot_pkl=harmless)
    size = other.index(b"PK\x05\x06") - other.index(b"PK\x01\x02")
    assert size == end - at
    tail = other[-22:-6] + at.to_bytes(4, "little") + b"\0\0"
    return first[:end] + other[:-22] + tail


def in_object_array(thing) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([thing], object), allow_pickle=True)
    return file.getvalue()


SYSTEM = b"cposix\nsystem\n(S'id'\ntR."
HIDDEN = {
    "an attribute that is a module": called("tempfile", "_os.system"),
    "GLOBAL with a name that goes on": b"\x80\x04crandom\n_os.system\n(S'id'\ntR.",
    "a name of Python 2": b"curllib2\nurlopen\n(S'file:/etc/passwd'\ntR.",
    "an extension code": b"\x80\x02\x82\x05X\x02\x00\x00\x00id\x85R.",
    "a call of what a call gives": (
        b"\x80\x04"
        + named("builtins", "dict.pop")
        + named("numpy", "registry")
        + text("run")
        + b"\x86R"
        + text("id")
        + b"\x85R."
    ),
    "OBJ with what a call gives": b"(" + called("my", "factory")[2:-1] + b"S'id'\no.",
    "a call of what NEWOBJ_EX gives": b"\x80\x04" + named("my", "Thing") + b")}\x92" + text("id") + b"\x85R.",
    "a call of what is kept beside the pickle": b"Psystem\n(S'id'\ntR.",
    "BUILD of a class": b"\x80\x04"
    + named("collections", "OrderedDict")
    + b"N}"
    + text("move_to_end")
    + named("my", "f")
    + b"s\x86b.",
    "bytes that are a pickle": dumped({"model": NESTED}),
    "bytes of protocol 0": dumped({"model": NESTED}, 0),
    "bytes of protocol 2": dumped({"model": NESTED}, 2),
    "a text of Python 2": b"\x80\x02U" + bytes([len(NESTED)]) + NESTED + b".",
    "a quoted text of Python 2": b"S" + repr(NESTED)[1:].encode() + b"\n.",
    "a text in itself that is a pickle": dumped("cos\nsystem\n(S'id'\ntR."),
    "long bytes that are a pickle": dumped([pickle.dumps([bytes(5000), Attack()])]),
    "bytes that are an archive": dumped(zipped(m_dot_pkl=NESTED)),
    "bytes that are compressed": dumped(zlib.compress(NESTED)),
    "bytes in bytes": dumped([dumped([NESTED])]),
    "bytes in a bytearray": dumped([bytearray(NESTED)], 5),
    "bytes in a compressed file": gzip.compress(dumped([dumped([bytes(5000), Attack()])])),
    "a loader of PyTorch with a pickle": called(
        "torch.storage", "_load_from_bytes", b"C" + bytes([len(NESTED)]) + NESTED
    ),
    "a loader of PyTorch with bytes that are computed": called(
        "torch.storage",
        "_load_from_bytes",
        named("base64", "b64decode") + text(base64.b64encode(NESTED[:90]).decode()) + b"\x85R",
    ),
    "a loader of joblib": called("joblib", "load"),
    "an array in a file": called("numpy", "memmap", text("/tmp/x")),
    "bytes of more than is held that are a pickle": dumped([pickle.dumps([bytes(2**25), Attack()])]),
    "BUILD with a state of attributes": b"\x80\x04"
    + named("my", "Thing")
    + b")\x81}"
    + text("f")
    + named("os", "system")
    + b"sb.",
    "the memo by numbers with a sign and blanks": b"cos\nsystem\np 1\n0g+1\n(S'id'\ntR.",
    "a frame that lies": b"\x80\x04\x95" + bytes(8) + called("os", "system")[2:],
    "pickles behind others": dumped([1]) + dumped({}) + dumped(NESTED[:0]) + called("random", "_os.system"),
    "a pickle behind something else": b"\x89PNG\r\n" + bytes(2000) + NESTED,
    "a long pickle behind something else": b"\xff" * 999 + dumped([Attack(), *range(100_000)]),
    "a pickle behind a pickle and something else": dumped([1]) + b"\xff" * 999 + NESTED,
    "a pickle behind something else in an archive": zipped(a_dot_pkl=dumped([1]) + b"\xff" * 999 + NESTED),
    "an archive behind something else": b"\x89PNG\r\n" + bytes(2000) + zipped(m_dot_pkl=NESTED),
    "an old archive": old_tar(NESTED),
    "joblib before 0.10": b"ZF" + hex(len(NESTED)).encode().ljust(19) + zlib.compress(NESTED),
    "joblib before 0.8.4": b"ZF" + hex(len(NESTED)).encode().ljust(20) + zlib.compress(NESTED),
    "lzma of a small dictionary": lzma.compress(
        NESTED, lzma.FORMAT_ALONE, filters=[{"id": lzma.FILTER_LZMA1, "dict_size": 2**12}]
    ),
    "lz4": lz4_frame(NESTED),
    "lz4 in two frames": lz4_frame(NESTED[:20]) + lz4_frame(NESTED[20:]),
    "an entry by LZMA": zipped(zipfile.ZIP_LZMA, m_dot_pkl=NESTED),
    "an entry that is there twice": twice_in_archive(NESTED),
    "an entry with a wrong checksum": wrong_sum(zipped(m_dot_pkl=NESTED)),
    "a text that is longer than what is looked at": b"X\xa0\x86\1\0" + bytes(100_000) + b"0" + SYSTEM,
    "bytes that are longer than what is looked at": b"\x8b\xa0\x86\1\0" + bytes(100_000) + b"0" + SYSTEM,
    "a line that is longer than what is looked at": b"V" + b"a" * 100_000 + b"\n0" + SYSTEM,
    "a text in what begins as safetensors do": b"X\0\x20\0\0\0\0\0{" + bytes(0x2000 - 4) + b"0" + SYSTEM,
    "what begins as a zip archive": b"PK\3\4\n0" + SYSTEM,
    "an archive of a later version": with_table(zipped(m_dot_pkl=NESTED), 6, b"\xc8"),
    "a table with a name that is no UTF-8": with_table(
        with_table(zipped(m_dot_pkl=NESTED, x=b""), 8, b"\0\x08", last=True), 46, b"\xff", last=True
    ),
    "a table with a corrupt field": with_corrupt_extra(zipped(m_dot_pkl=NESTED)),
    "the beginning of another end of an archive": zipped(m_dot_pkl=NESTED)[:-2] + b"\6\0PK\5\6..",
    "the table of two that the end names": with_two_tables(NESTED, dumped([1])),
    "an entry that is numbers of another archive": zipped(a__data_dot_pkl=dumped(1), b__data__0=NESTED),
    "an array of objects": in_object_array(Attack()),
    "an array of objects in double quotes": numpy_spelling('"|O"'),
    "an array of objects in two pieces": numpy_spelling("'|' 'O'"),
    "an array of objects by another word": numpy_spelling("'object'"),
    "an array of objects by an escape": numpy_spelling(r"'\x4f'"),
    "an array of objects and numbers": numpy_spelling("'i4,O'"),
    "an array of objects with a remark": numpy_spelling("'|' # \n 'O'"),
    "an array of records with an object": numpy_spelling("[('a', '<f8'), ('b', 'O')]"),
    "an array of objects in an archive": zipped(a_dot_npy=numpy_spelling("'object_'")),
}


@pytest.mark.parametrize("content", HIDDEN.values(), ids=HIDDEN.keys())
@pytest.mark.process
async def test_a_threat_is_found_although_it_hides_in(content):
    told = await look(content)

    assert "dangerous" in kinds(told)
    assert holds_back(told)


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)])
@pytest.mark.process
async def test_bytes_that_are_a_pickle_are_looked_into_in_a_file_of_joblib_too(compress):
    told = await look(joblib_of([np.zeros(1000), NESTED, np.zeros(1000)], compress))

    assert "dangerous" in kinds(told)


NUMBERS = np.random.default_rng(7).random((60, 4))
CLASSES = np.arange(60) % 2


def pipeline() -> Pipeline:
    columns = ColumnTransformer(
        [("scaled", StandardScaler(), [0, 1]), ("kinds", OneHotEncoder(handle_unknown="ignore"), [2])]
    )
    return Pipeline([("columns", columns), ("model", LogisticRegression())]).fit(np.round(NUMBERS, 1), CLASSES)


def everything() -> dict:
    return {
        "date": dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
        "price": decimal.Decimal("1.5"),
        "half": fractions.Fraction(1, 2),
        "path": pathlib.PurePosixPath("a/b"),
        "pattern": re.compile("a+"),
        "random": random.Random(1),
        "counts": collections.Counter("abc"),
        "queue": collections.deque([1], 3),
        "groups": collections.defaultdict(list, a=[1]),
        "range": range(3),
        "slice": slice(1, 2),
        "bytes": random_bytes(5000),
        "array": bytearray(300),
        "set": {1, 2},
        "frozen": frozenset([3]),
        "complex": 1j,
        "type": int,
        "ellipsis": ...,
        "namespace": types.SimpleNamespace(a=1),
        "error": ValueError("x"),
        "function": len,
        "generator": np.random.default_rng(3),
        "state": np.random.RandomState(3),
        "masked": np.ma.masked_array([1, 2], [0, 1]),
        "scalar": np.float32(1.5),
        "times": np.array(["2026-01-01"], "datetime64[D]"),
        "records": np.zeros(3, [("a", "<f8"), ("b", "U3")]),
    }


def torch_storage(number: int) -> bytes:
    """As PyTorch pickles a tensor's numbers in a plain pickle: the five pickles of its old format, then the numbers."""
    storage = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, OrderedDict(), [str(number)]]
    return b"".join(dumped(part, 2) for part in storage) + struct.pack("<q", 3) + random_bytes(12)


def torch_plain(protocol: int) -> bytes:
    content = torch_storage(1)
    held = python_2_bytes(content) if protocol == 2 else b"B" + struct.pack("<I", len(content)) + content
    return (
        bytes([0x80, protocol])
        + b"ctorch._utils\n_rebuild_tensor_v2\n(ctorch.storage\n_load_from_bytes\n"
        + held
        + b"\x85RK\x00K\x03\x85K\x01\x85tR."
    )


def torch_archive() -> bytes:
    storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x03tQ"
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + storage
        + b"K\x00K\x03\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR"
    )
    pickled = b"\x80\x02ccollections\nOrderedDict\n)R(X\x01\x00\x00\x00w" + tensor + b"u."
    return zipped(m__data_dot_pkl=pickled, m__data__0=random_bytes(3000), m__version=b"3\n", m__byteorder=b"little")


def made_by(model, protocol=4) -> bytes:
    return dumped(model.fit(NUMBERS, CLASSES), protocol)


CLEAN = {
    "a forest": lambda: made_by(RandomForestClassifier(5)),
    "a forest of protocol 2": lambda: made_by(RandomForestClassifier(5), 2),
    "a forest of protocol 0": lambda: made_by(RandomForestClassifier(3), 0),
    "boosted trees": lambda: made_by(GradientBoostingClassifier(n_estimators=3)),
    "neighbours": lambda: made_by(KNeighborsClassifier(algorithm="kd_tree")),
    "neighbours of protocol 2": lambda: made_by(KNeighborsClassifier(algorithm="ball_tree"), 2),
    "a vector machine": lambda: made_by(SVC()),
    "a network": lambda: made_by(MLPClassifier(max_iter=2000, tol=1)),
    "a search": lambda: made_by(GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2)),
    "a pipeline": lambda: dumped(pipeline()),
    "a pipeline of protocol 2": lambda: dumped(pipeline(), 2),
    "a pipeline of joblib": lambda: joblib_of(pipeline(), 3),
    "a vocabulary": lambda: dumped(TfidfVectorizer().fit(["a model of words", "and a text of models"])),
    "functions of NumPy": lambda: dumped(FunctionTransformer(np.log1p)),
    "a function of the standard library": lambda: dumped(
        [FunctionTransformer(math.sqrt), operator.neg, functools.cmp_to_key]
    ),
    "values of the standard library": lambda: dumped(everything()),
    "values of the standard library in protocol 2": lambda: dumped(everything(), 2),
    "values of the standard library in protocol 0": lambda: dumped(everything(), 0),
    "bytes that are harmless pickles": lambda: dumped(
        {"a": dumped([1, 2]), "b": gzip.compress(b"text"), "c": zipped(a=b"b")}
    ),
    "bytes of any kind": lambda: dumped([random_bytes(2000) for _ in range(200)]),
    "an archive of PyTorch": torch_archive,
    "a plain pickle of PyTorch": lambda: torch_plain(4),
    "a plain pickle of PyTorch of protocol 2": lambda: torch_plain(2),
    "an array of records": lambda: numpy_spelling("[('OPEN', '<f8'), ('', '|V4'), ('u', 'u1')]", bytes(99)),
    "a text about code": lambda: dumped(["cos\nsystem is a text", "eval(x)", "import os", "x\x01y", "PK", "c" * 5000]),
}


@pytest.mark.parametrize("made", CLEAN.values(), ids=CLEAN.keys())
@pytest.mark.process
async def test_no_threat_is_found_in(made):
    told = await look(made())

    assert [found for found in told["findings"] if found["kind"] != "suspicious"] == []
    assert not holds_back(told)


def keras_layer(kind: str, module: str | None = "keras.layers", config=None, **more) -> dict:
    return {"module": module, "class_name": kind, "config": config or {"name": "x"}, "registered_name": None} | more


def keras_archive(*layers: dict, text: bytes = b"") -> bytes:
    model = keras_layer("Sequential", "keras", {"name": "m", "layers": list(layers)})
    return zipped(
        metadata_dot_json=b'{"keras_version": "3.5.0"}',
        config_dot_json=text or json.dumps(model).encode(),
        model_dot_weights_dot_h5=HDF5 + bytes(2000),
    )


def hdf5(*layers: dict, before: int = 2048, after: int = 2048, text: bytes = b"") -> bytes:
    config = {"class_name": "Sequential", "config": {"name": "m", "layers": list(layers)}}
    attribute = b"model_config\0\0\0\0" + (text or json.dumps(config).encode()) + b"\0"
    return HDF5 + bytes(before) + attribute + bytes(after)


DENSE = keras_layer(
    "Dense", config={"activation": "relu", "kernel_initializer": keras_layer("Zeros", "keras.initializers")}
)
LAMBDA = keras_layer("Lambda", config={"function": keras_layer("__lambda__", "builtins", {"value": "4wAAAA=="})})
KERAS = {
    "a Lambda layer": (keras_archive(DENSE, LAMBDA), "dangerous"),
    "a Lambda layer within a layer": (
        keras_archive(keras_layer("Bidirectional", config={"layer": LAMBDA})),
        "dangerous",
    ),
    "a lambda": (
        keras_archive(keras_layer("Dense", config={"activation": keras_layer("__lambda__", "builtins")})),
        "dangerous",
    ),
    "a function of os": (keras_archive(keras_layer("function", "os", "system")), "dangerous"),
    "a class of subprocess": (keras_archive(keras_layer("Popen", "subprocess")), "dangerous"),
    "a module through another": (keras_archive(keras_layer("_os.system", "tempfile")), "dangerous"),
    "a function of Keras that fetches files": (
        keras_archive(keras_layer("function", "keras.utils", "get_file")),
        "dangerous",
    ),
    "a function of Keras that loads models": (
        keras_archive(keras_layer("function", "keras.models", "load_model")),
        "dangerous",
    ),
    "a function of Keras that allows everything": (
        keras_archive(keras_layer("function", "keras.config", "enable_unsafe_deserialization")),
        "dangerous",
    ),
    "a module of PyTorch": (keras_archive(keras_layer("TorchModuleWrapper")), "dangerous"),
    "another module": (keras_archive(keras_layer("Net", "my_package.layers")), "suspicious"),
    "a Lambda layer in UTF-16": (keras_archive(text=json.dumps(LAMBDA).encode("utf-16")), "dangerous"),
    "a Lambda layer in escapes": (
        keras_archive(text=json.dumps(LAMBDA).replace("Lambda", "\\u004cambda").encode()),
        "dangerous",
    ),
    "a Lambda layer beside NaN": (
        keras_archive(text=json.dumps([LAMBDA, float("nan")]).encode()[:-1] + b"," + b"9" * 5000 + b"]"),
        "dangerous",
    ),
    "a configuration that is a pickle": (keras_archive(text=NESTED), "dangerous"),
    "a configuration that is too large": (keras_archive(text=json.dumps([DENSE] * 60_000).encode()), "unfinished"),
    "a Lambda layer in HDF5": (hdf5(DENSE, LAMBDA), "dangerous"),
    "a Lambda layer in HDF5 by an escape": (
        hdf5(
            text=json.dumps(LAMBDA).replace('"module": "keras.layers", ', "").replace("Lambda", "L\\u0061mbda").encode()
        ),
        "dangerous",
    ),
    "a Lambda layer at the end of a large HDF5": (hdf5(LAMBDA, before=2**25), "dangerous"),
    "an archive behind another format": (b"GGUF\3\0\0\0" + bytes(2**17) + keras_archive(LAMBDA), "dangerous"),
    "another module in HDF5": (hdf5(keras_layer("Popen", "subprocess")), "dangerous"),
    "a configuration of HDF5 that is hidden": (hdf5(text=b"{'class_name'"), "unfinished"),
}


@pytest.mark.parametrize(("content", "kind"), KERAS.values(), ids=KERAS.keys())
@pytest.mark.process
async def test_what_a_keras_file_would_import_is_told(content, kind):
    assert kind in kinds(await look(content, "m.keras"))


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        (keras_archive(DENSE, keras_layer("function", "keras.activations", "relu")), "keras"),
        (keras_archive(keras_layer("Conv2D", "keras.src.layers.convolutional.conv2d")), "keras"),
        (hdf5(DENSE), "keras"),
        (HDF5 + random_bytes(10_000), "hdf5"),
        (zipped(config_dot_json=b'{"architectures": ["BertModel"], "layers": 12}'), "zip"),
        (zipped(config_dot_json=b"{// a remark\n}"), "zip"),
    ],
)
@pytest.mark.process
async def test_a_keras_file_of_its_own_layers_is_clean(content, format_):
    told = await look(content, "m.keras")

    assert (told["format"], told["findings"]) == (format_, [])


def tar_of(name: bytes, content: bytes) -> bytes:
    """A tar archive with a name that is no Unicode."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
        entry = tarfile.TarInfo(name.decode(errors="surrogateescape"))
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        tar_of(b"\xff\x80.pkl", NESTED),
        keras_archive(keras_layer("Popen\ud800", "subprocess")),
        b"\x80\x04c\xff\xfe\nos.system\n)R.",
    ],
)
@pytest.mark.process
async def test_names_that_are_no_unicode_hide_nothing(content):
    told = await look(content)

    assert "dangerous" in kinds(told)
    json.dumps(told, default=str, ensure_ascii=False).encode()
