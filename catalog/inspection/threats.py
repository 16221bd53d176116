"""Tell dangerous imports from others: by picklescan's lists, by the standard library's contents, and by their names.

A name is resolved as the unpickler does it: it may go through attributes (`_os.system` of `tempfile`), be one of Python
2, or stand in a copy that a package keeps of another (`sklearn.externals.joblib`). Nothing is imported for that.
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import pairwise

from picklescan.scanner import SafetyLevel, scan_pickle_bytes

from catalog.inspection.stdlib import is_harmless, is_standard, of_python_2

Import = tuple[str | None, str | None]
"""A module and a name in it. None: computed when the pickle is loaded, so it is unknown without loading it."""

PACKAGES = frozenset(
    {
        "IPython", "_pytest", "aiohttp", "celery", "cffi", "cloudpickle", "dill", "django.core.management",
        "docker", "execnet", "fabric", "fsspec", "httpx", "hydra", "invoke", "ipykernel", "jedi", "jinja2",
        "joblib._store_backends", "joblib.backports", "joblib.disk", "joblib.executor",
        "joblib.numpy_pickle_compat", "joblib.pool", "joblib.testing", "jsonpickle", "klepto", "loky", "mako",
        "mpi4py", "nose", "numexpr", "numpy.ctypeslib", "numpy.distutils", "numpy.f2py", "numpy.testing",
        "pandas._testing", "pandas.compat.pickle_compat", "pandas.core.computation", "pandas.io", "paramiko",
        "pexpect", "pickle5", "pickleshare", "pip", "pkg_resources", "plumbum", "psutil", "ptyprocess",
        "pyarrow.serialization", "pytest", "requests", "scipy._lib._testutils", "scipy.datasets", "scipy.io",
        "setuptools", "sh", "sklearn.datasets", "sklearn.utils._testing", "torch._inductor",
        "torch.distributed.rpc", "torch.fx.graph_module", "torch.hub", "torch.multiprocessing", "torch.package",
        "torch.utils.cpp_extension", "torch.utils.model_zoo", "transformers.dynamic_module_utils", "urllib3",
        "win32api", "yaml", "zmq",
    }
)  # fmt: skip
"""Packages that run code, commands or pickles, or reach files and other machines."""

FUNCTIONS = frozenset(
    {
        # run a command, or something beside
        "Popen", "Thread", "ThreadPool", "check_call", "check_output", "exec_command", "getoutput",
        "getstatusoutput", "popen", "spawn", "system",
        # run a text or a code object
        "__import__", "eval", "exec", "execWrapper", "exec_module", "execfile", "func_load", "import_module",
        "import_string", "lambdify", "load_module", "load_source", "parse_expr", "py_func", "py_function",
        "run_code", "run_module", "run_path", "runcode", "runsource", "runstring", "safe_eval", "subimport",
        "sympify", "unsafe_eval",
        # load a library
        "CDLL", "LoadLibrary", "PyCFuncPtr", "load_library", "load_op_library",
        # load a pickle, or what may hold one
        "NpzFile", "_legacy_load", "_load", "full_load", "load", "load_all", "load_dynamic", "load_file",
        "load_learner", "load_model", "load_object", "load_pickle", "load_state_dict_from_url", "loads",
        "pickle_load", "pickle_loads", "read_array", "read_pickle", "unpickle", "unsafe_load",
        "unsafe_load_all",
        # files and other machines
        "download_url_to_file", "dump", "from_pretrained", "fromfile", "genfromtxt", "get_file",
        "hf_hub_download", "loadtxt", "open", "read_file", "save", "savetxt", "savez", "savez_compressed",
        "snapshot_download", "to_pickle", "tofile", "urlopen", "urlretrieve", "write_file",
        # attributes by name, which lead anywhere
        "_getattribute", "_import_dotted_name", "attrgetter", "enable_unsafe_deserialization", "getattr",
        "import_from_string", "itemgetter", "methodcaller", "module_from_spec", "partial", "resolve_name",
        "spec_from_file_location",
    }
)  # fmt: skip
"""Dangerous in any module: many packages re-export the functions of others."""

BESIDES = {
    ("joblib.numpy_pickle", "_unpickle"),
    ("joblib.numpy_pickle", "NumpyArrayWrapper.read"),
    ("pandas", "query"),
    ("pandas.core.frame", "DataFrame.query"),
}
"""Functions that are dangerous only in these modules."""

MODULES = frozenset(
    {
        "builtins", "cPickle", "cloudpickle", "ctypes", "dill", "importlib", "marshal", "multiprocessing", "nt", "os",
        "pickle", "posix", "pty", "runpy", "shutil", "socket", "subprocess", "sys", "urllib", "webbrowser",
    }
)  # fmt: skip
"""Modules that are a threat as soon as a name leads to them: no data has such a name."""

COPIES = frozenset({"_vendor", "extern", "externals", "moves", "vendor"})
"""Where packages hold copies of other packages."""

CONSTRUCTORS = frozenset({"__new__", "__newobj__", "__newobj_ex__"})

TEXT, IMPORT, STOP = b"X", b"\x93", b"."
WORST = (SafetyLevel.Dangerous, SafetyLevel.Suspicious)


def judged(imports: Iterable[Import]) -> dict[Import, SafetyLevel]:
    """The safety level of each import: dangerous, innocuous, or suspicious for everything else."""
    aliases = {found: set(_aliases(found)) for found in imports}
    levels = _listed(set().union(*aliases.values()))
    return {
        found: SafetyLevel.Dangerous if None in found or _leads_away(found) else _worst(levels[alias] for alias in ways)
        for found, ways in aliases.items()
    }


def _worst(levels: Iterable[SafetyLevel]) -> SafetyLevel:
    found = set(levels)
    return next((level for level in WORST if level in found), SafetyLevel.Innocuous)


def _leads_away(found: Import) -> bool:
    """Whether the name is, or goes through, the internals of a module or an object, such as `__globals__` or `_os`."""
    parts = (found[1] or "").split(".")
    hidden = any(part[:2] == part[-2:] == "__" and part not in CONSTRUCTORS for part in parts)
    return hidden or any(part.lstrip("_") in MODULES for part in parts)


def _aliases(found: Import) -> Iterator[tuple[str, str]]:
    """The import itself, and what it resolves to: `logging`, `os.system` is also `os`, `system`."""
    module, name = (part or "" for part in found)
    for place in _places(module):
        yield from _paths(place, name)
        for of_today in of_python_2(place, name):
            yield from _paths(*of_today)


def _places(module: str) -> Iterator[str]:
    """The module, and the one that it is a copy of."""
    yield module
    parts = module.split(".")
    yield from (".".join(parts[index + 1 :]) for index, part in enumerate(parts[:-1]) if part in COPIES)


def _paths(module: str, name: str) -> Iterator[tuple[str, str]]:
    parts = name.split(".")
    yield module, name
    if len(parts) > 1:
        yield module, parts[0]
        yield from ((before.lstrip("_"), after) for before, after in pairwise(parts))
        if not is_standard(module):
            yield from ((f"{module}.{'.'.join(parts[:at])}", ".".join(parts[at:])) for at in range(1, len(parts)))


def _listed(imports: set[tuple[str, str]]) -> dict[tuple[str, str], SafetyLevel]:
    """Ask picklescan, which reads pickles, with a pickle that only imports them. It is not loaded."""
    pickle = b"".join(_text(module) + _text(name) + IMPORT for module, name in imports) + STOP
    result = scan_pickle_bytes(BytesIO(pickle), "imports")
    return {
        (found.module, found.name): SafetyLevel.Dangerous if _besides(found.module, found.name) else found.safety
        for found in result.globals
    }


def _besides(module: str, name: str) -> bool:
    """Whether an import is a threat although picklescan does not list it. No data needs these names."""
    if is_standard(module):
        return not is_harmless(module, name)
    parts = module.split(".")
    packages = {".".join(parts[:end]) for end in range(1, len(parts) + 1)}
    if packages & PACKAGES or not MODULES.isdisjoint(parts) or (module, name) in BESIDES:
        return True
    return any(part in FUNCTIONS or part.endswith("Unpickler") for part in name.split("."))


def _text(text: str) -> bytes:
    encoded = text.encode()
    return TEXT + len(encoded).to_bytes(4, "little") + encoded
