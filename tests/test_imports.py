"""The arrow points down: each room imports only the rooms below it."""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tests.support.paths import ROOT

CATALOG = ROOT / "catalog"

# From the bottom to the top. A room may import itself and whatever stands above it in this list.
ROOMS = [
    {"catalog"},  # the version number
    {
        "catalog.atomic_files",
        "catalog.durations",
        "catalog.errors",
        "catalog.folding",
        "catalog.gathering",
        "catalog.lazy_names",
        "catalog.settings.aliases",
        "catalog.settings.secret_files",
        "catalog.settings.values",
        "catalog.supervision",
        "catalog.vocabulary",
    },
    {"catalog.settings.types"},
    {"catalog.settings.settings"},
    {"catalog.settings.checks"},
    {"catalog.settings.loading"},
    {"catalog.settings.generated_secrets", "catalog.settings.reference"},
    {"catalog.inspection.formats", "catalog.inspection.sandbox"},
    {"catalog.blobs"},
    {"catalog.inspection"},
    {"catalog.store"},
    {"catalog.domain"},
    {"catalog.operations"},
    {"catalog.dialects"},
    {"catalog.services"},
    {"catalog.app"},
    {
        "catalog.server.certificates",
        "catalog.server.certificate_chain",
        "catalog.server.http.protocol",
        "catalog.server.logs",
        "catalog.server.http.redirect",
        "catalog.server.banner",
        "catalog.server.http.refusals",
        "catalog.server.http.starting",
    },
    {"catalog.server.sockets"},
    {"catalog.server.http.uvicorn_server"},
    {"catalog.server.supervisor"},
    {"catalog.server.run"},
    {"catalog.server.worker"},
    {"catalog.client"},
    {"catalog.commands"},
    {"catalog.commands.cli"},
    {"catalog.__main__"},
]

WORDS = {"catalog.durations", "catalog.durations.Duration", "catalog.durations.human_size"}
LAZY = {"catalog.lazy_names", "catalog.lazy_names.lazy_names"}

DRIVER = {"motor", "pymongo", "beanie", "bson", "mongomock_motor"}


def module_name(file: Path) -> str:
    parts = file.relative_to(CATALOG.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def level(module: str) -> int:
    inside = [index for index, rooms in enumerate(ROOMS) for room in rooms if f"{module}.".startswith(f"{room}.")]
    return max(inside)


def imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


# The package itself is a door to the client, which opens when it is first used.
FILES = sorted(file for file in CATALOG.rglob("*.py") if file != CATALOG / "__init__.py")
IMPORTS = {file: imports(file) for file in FILES}


def beside(allowed: Callable[[Path, str], bool], files: Iterable[Path]) -> dict[str, set[str]]:
    """What modules import beside what is allowed, by module."""
    unwanted = {file: {name for name in IMPORTS[file] if not allowed(file, name)} for file in files}
    return {module_name(file): names for file, names in unwanted.items() if names}


def is_ours(name: str) -> bool:
    return name == "catalog" or name.startswith("catalog.")


def test_a_room_imports_only_rooms_below_it():
    levels = {file: level(module_name(file)) for file in FILES}

    assert beside(lambda file, name: not is_ours(name) or level(name) <= levels[file], FILES) == {}


def test_a_word_imports_nothing_of_ours():
    words = [file for file in FILES if level(module_name(file)) <= 1]

    assert words
    assert beside(lambda _, name: not is_ours(name) or name in {"catalog", "catalog.__version__"}, words) == {}


def test_only_the_store_imports_the_driver():
    above = [file for file in FILES if not file.is_relative_to(CATALOG / "store")]
    ids = {"bson", "bson.ObjectId"}  # the type of ids

    assert beside(lambda _, name: name.split(".")[0] not in DRIVER or name in ids, above) == {}


def annotations(file: Path) -> Iterator[ast.expr]:
    """The types of the parameters, results and fields of a module."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            yield node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
            yield node.returns


def names_in(annotation: ast.expr) -> set[str]:
    """The bare names of a type: that of `msgspec.Raw`, which is encoded JSON, is `msgspec`."""
    return {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}


def test_only_the_store_has_documents_without_types_in_its_signatures():
    above = [file for file in FILES if not file.is_relative_to(CATALOG / "store")]
    untyped = {module_name(file) for file in above if any("Raw" in names_in(each) for each in annotations(file))}

    assert any("Raw" in names_in(each) for file in FILES for each in annotations(file))
    assert untyped == set()


def has_attribute(file: Path, name: str) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr == name for node in ast.walk(ast.parse(file.read_text())))


def test_only_the_store_builds_aggregations():
    aggregating = {file for file in FILES if has_attribute(file, "aggregate")}

    assert aggregating
    assert {module_name(file) for file in aggregating if not file.is_relative_to(CATALOG / "store")} == set()


DIALECTS = CATALOG / "dialects"
SHARED = "catalog.dialects.http."


def test_a_dialect_imports_no_other():
    def is_allowed(file: Path, name: str) -> bool:
        own = f"catalog.dialects.{file.relative_to(DIALECTS).parts[0]}."
        return not name.startswith("catalog.dialects.") or f"{name}.".startswith((own, SHARED))

    assert beside(is_allowed, (file for file in FILES if file.is_relative_to(DIALECTS))) == {}


FOLDERS = "|".join(sorted(folder.name for folder in CATALOG.iterdir() if folder.is_dir()))
NAMED = re.compile(rf"(?:`|[Ss]ee )((?:{FOLDERS})(?:\.\w+)+)")


def test_a_module_that_another_one_refers_to_exists():
    """Such as `store.concurrency.fence`, also with a name in it."""

    def exists(reference: str) -> bool:
        *folders, last = reference.split(".")
        place = CATALOG.joinpath(*folders)
        module = place.with_suffix(".py")
        return (
            (place / last).is_dir()
            or (place / f"{last}.py").exists()
            or (module.exists() and last in module.read_text())
        )

    references = {(module_name(file), name) for file in FILES for name in NAMED.findall(file.read_text())}

    assert len(references) > 20
    assert [reference for reference in sorted(references) if not exists(reference[1])] == []


TWICE = {
    "ModelVersion",  # the word of two foreign APIs, MLflow's and Kubeflow's, whose structs carry their names
    "RegisteredModel",
    "Tenant",  # the handle in the store, and a result of the client, whose name is public
}
"""Names of classes that are defined twice."""


def test_a_name_of_a_class_is_defined_once():
    defined = Counter(
        node.name for file in FILES for node in ast.parse(file.read_text()).body if isinstance(node, ast.ClassDef)
    )

    assert {name for name, count in defined.items() if count > 1} == TWICE


def test_what_reads_hostile_bytes_needs_the_standard_library_only():
    folders = [CATALOG / "inspection" / folder for folder in ("formats", "sandbox")]
    inside = ("catalog.inspection.sandbox.", "catalog.inspection.formats.")

    def is_allowed(_: Path, name: str) -> bool:
        if f"{name}.".startswith(inside) or name == "catalog.inspection":
            return True
        return name.split(".", maxsplit=1)[0] in sys.stdlib_module_names

    assert beside(is_allowed, (file for folder in folders for file in sorted(folder.rglob("*.py")))) == {}


def test_the_client_knows_nothing_of_the_server():
    shared = {"catalog", "catalog.API_VERSION", "catalog.__version__", *LAZY, *WORDS}

    def is_allowed(_: Path, name: str) -> bool:
        return not is_ours(name) or f"{name}.".startswith("catalog.client.") or name in shared

    assert beside(is_allowed, sorted((CATALOG / "client").rglob("*.py"))) == {}


def test_only_the_transport_knows_the_http_library():
    others = [file for file in sorted((CATALOG / "client").rglob("*.py")) if file.parent.name != "transport"]

    assert beside(lambda _, name: name.split(".")[0] != "httpx", others) == {}


def test_only_the_child_imports_the_embedded_engine():
    importing = beside(lambda _, name: name.split(".")[0] != "secantus", FILES)

    assert list(importing) == ["catalog.store.embedded.child"]


SERVER = {"litestar", "beanie", "motor", "uvicorn", "jwt", "pydantic"}
SLOW = {"httpx", "asyncio", "rich.progress", "catalog.client.catalog", "catalog.client.results"}
"""What a program that sends no request does without: `catalog --help`, `import catalog`."""


@pytest.mark.parametrize(
    ("program", "unwanted"),
    [("import catalog.commands.cli", SERVER | SLOW), ("import catalog; catalog.Catalog, catalog.push", SERVER)],
)
def test_the_client_and_the_command_line_load_only_what_they_need(program, unwanted):
    program += "; import sys; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert unwanted & set(loaded) == set()


@pytest.mark.parametrize("package", ["catalog", "catalog.client", "catalog.client.compat", "catalog.client.transport"])
def test_a_name_that_is_loaded_late_is_the_one_that_editors_see(package):
    module = import_module(package)
    declared = {
        alias.name: import_module(node.module)
        for node in ast.walk(ast.parse(Path(module.__file__).read_text()))
        if isinstance(node, ast.ImportFrom) and node.module != "catalog.lazy_names"
        for alias in node.names
        if alias.name in module.__all__
    }

    assert declared.keys() == set(module.__all__)
    assert all(getattr(module, name) is getattr(home, name) for name, home in declared.items())


def test_the_package_alone_loads_no_part_of_its_own():
    program = "import sys, catalog; print(*(name for name in sys.modules if name.startswith('catalog.')))"

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert loaded == ["catalog.lazy_names"]
