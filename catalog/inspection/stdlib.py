"""The names of the standard library that a pickle may import without being a threat: they hold data or compute from it.

Every other name in it is dangerous. The library has hundreds of functions that run commands, open files or evaluate
texts, and few lists have them all, while real models import few and well-known names.
"""

import builtins
import sys
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Iterator

NO_LONGER = {
    "Bastion", "SimpleHTTPServer", "asynchat", "asyncore", "binhex", "cgi", "cgitb", "commands", "compiler", "crypt",
    "dbhash", "distutils", "dl", "formatter", "gdbm", "imp", "imputil", "lib2to3", "mailcap", "new", "nntplib", "os2",
    "parser", "pipes", "popen2", "posixfile", "rexec", "smtpd", "sre", "symbol", "telnetlib", "thread", "user", "uu",
    "xdrlib", "xmlrpclib",
}  # fmt: skip
NOT_YET = {"_interpreters", "_pyrepl", "annotationlib", "compression", "_remote_debugging", "_pylong", "profiling"}
STANDARD = sys.stdlib_module_names | NO_LONGER | NOT_YET
"""Modules of any version of Python, since a pickle may come from any of them."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ALL = frozenset({"*"})
"""Every public name, and the methods of its classes."""

HARMLESS: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        (
            "_pydatetime", "_pydecimal", "_random", "_sre", "abc", "array", "bisect", "_bisect",
            "calendar", "cmath", "collections", "collections.abc", "_collections_abc", "colorsys", "datetime",
            "decimal", "_decimal", "difflib", "enum", "fnmatch", "fractions", "graphlib", "hashlib", "heapq", "_heapq",
            "ipaddress", "json", "json.decoder", "json.encoder", "keyword", "math", "numbers", "random", "re",
            "statistics", "string", "struct", "_struct", "textwrap", "time",
            "unicodedata", "urllib.parse",
        ),
        ALL,
    ),
    **dict.fromkeys(
        ("operator", "_operator"),
        _words(
            "abs add and_ concat contains countOf eq floordiv ge getitem gt index indexOf inv invert is_ is_not "
            "le length_hint lshift lt matmul mod mul ne neg not_ or_ pos pow rshift sub truediv truth xor"
        ),
    ),
    **dict.fromkeys(
        ("pathlib", "pathlib._local"),
        frozenset({"Path", "PosixPath", "PurePath", "PurePosixPath", "PureWindowsPath", "WindowsPath"}),
    ),
    **dict.fromkeys(("io", "_io"), frozenset({"BytesIO", "StringIO"})),
    **dict.fromkeys(("_codecs", "codecs"), frozenset({"encode"})),
    "_collections": frozenset({"OrderedDict", "defaultdict", "deque"}),
    "_weakrefset": frozenset({"WeakSet"}),
    "argparse": frozenset({"Namespace"}),
    "ast": frozenset({"literal_eval"}),
    "builtins": _words(
        "Ellipsis NotImplemented abs all any ascii bin bool bytearray bytes callable chr classmethod complex dict "
        "divmod enumerate float format frozenset hash hex int isinstance issubclass iter len list max memoryview "
        "min object oct ord pow print property range repr reversed round set slice sorted staticmethod str sum "
        "tuple type zip"
    ),
    "copy": frozenset({"copy", "deepcopy"}),
    "copyreg": frozenset({"__newobj__", "__newobj_ex__", "_reconstructor"}),
    "csv": frozenset({"Dialect", "Sniffer", "excel", "excel_tab", "unix_dialect"}),
    "dataclasses": frozenset({"Field", "FrozenInstanceError", "_MISSING_TYPE", "asdict", "astuple"}),
    **dict.fromkeys(("functools", "_functools"), frozenset({"cmp_to_key", "total_ordering"})),
    "html": frozenset({"escape", "unescape"}),
    "http": frozenset({"HTTPMethod", "HTTPStatus"}),
    "inspect": frozenset({"Parameter", "Signature", "_ParameterKind", "_empty"}),
    "itertools": _words(
        "batched chain combinations combinations_with_replacement compress count cycle islice pairwise "
        "permutations product repeat tee zip_longest"
    ),
    "logging": frozenset({"Logger", "RootLogger", "getLogger"}),
    "types": frozenset(
        {"EllipsisType", "GenericAlias", "MappingProxyType", "NoneType", "NotImplementedType", "SimpleNamespace"}
    ),
    "typing": _words(
        "Any Callable ClassVar Dict Final FrozenSet Generic Iterable Iterator List Literal Mapping NamedTuple "
        "NewType Optional Protocol Sequence Set Tuple Type TypeVar TypedDict Union"
    ),
    "weakref": frozenset({"KeyedRef", "WeakKeyDictionary", "WeakSet", "WeakValueDictionary", "ref"}),
    "xml.etree.ElementTree": frozenset({"Element", "ElementTree"}),
    "zoneinfo": frozenset({"ZoneInfo", "ZoneInfo._unpickle"}),
}  # fmt: skip

PRIVATE = {("array", "_array_reconstructor"), ("collections", "_tuplegetter"), ("re", "_compile")}
EXCEPT = {
    ("array", "array.fromfile"), ("array", "array.tofile"),
    ("calendar", "main"), ("enum", "bltns"), ("hashlib", "file_digest"), ("json", "dump"),
    ("json", "load"), ("string", "Formatter"), ("enum", "reduce"), ("statistics", "reduce"), ("statistics", "groupby"),
    ("_collections_abc", "FunctionType"),
}  # fmt: skip
"""Exceptions in otherwise harmless modules: they open files, or lead to other modules."""

METHODS = _words(
    "__new__ capitalize casefold count endswith find from_bytes fromhex fromkeys index isalnum isalpha isdigit "
    "islower isnumeric isspace isupper join lower lstrip maketrans partition replace rpartition rsplit rstrip "
    "split splitlines startswith strip swapcase title translate upper zfill"
)
"""Methods of texts and numbers, which pickles of text preprocessing import."""


def is_standard(module: str) -> bool:
    return module.partition(".")[0] in STANDARD


def is_harmless(module: str, name: str) -> bool:
    """Whether this name of the standard library holds data, or computes from data."""
    names = HARMLESS.get(module, frozenset())
    if name in names or (module, name) in PRIVATE:
        return True
    first, *more = name.split(".")
    if module == "builtins":
        return _is_exception(name) or (first in names and more[0] in METHODS and len(more) == 1)
    public = not any(part.startswith("_") for part in (first, *more))
    return (
        names is ALL and public and first not in STANDARD - {module} and not {(module, first), (module, name)} & EXCEPT
    )


def _is_exception(name: str) -> bool:
    found = getattr(builtins, name, None)
    return isinstance(found, type) and issubclass(found, BaseException)


def of_python_2(module: str, name: str) -> Iterator[tuple[str, str]]:
    """The names in Python 3 that the unpickler substitutes for a name of Python 2."""
    if (module, name) in NAME_MAPPING:
        yield NAME_MAPPING[module, name]
    elif module in IMPORT_MAPPING:
        yield IMPORT_MAPPING[module], name
