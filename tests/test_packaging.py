"""What surrounds the code: the package, its pins, the Makefile, the image and the services around it."""

import os
import re
import shutil
import ssl
import subprocess
import sys
import tarfile
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from catalog.settings.secret_files import FILES
from tests.support.paths import ROOT
from tests.support.ports import reserved_port

SECRET = re.compile("TOKEN|SECRET|PASSWORD|KEY")
REGISTRIES = ["pypi org", "pythonhosted org", "npmjs org", "golang org", "crates io", "rubygems org", "maven org"]


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in requirements}


def instructions() -> list[tuple[str, str]]:
    """The image's recipe as (`COPY`, `a b c`), in order, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", "").splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines) if word]


def installed_from_the_sources(rest: str) -> list[str]:
    return [] if rest.startswith("--from") else rest.split()[:-1]


@pytest.fixture
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture
def pins() -> list[str]:
    return (ROOT / "constraints.txt").read_text().splitlines()


@pytest.fixture
def compose() -> dict:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


# The package


def test_the_command_line_alone_installs_nothing_of_the_server(project):
    extras = project["project"]["optional-dependencies"]

    assert names(project["project"]["dependencies"]).isdisjoint(names(extras["server"] + extras["embedded"]))


def test_every_pin_is_a_name_and_one_version_told_once(pins):
    assert [line for line in pins if not re.fullmatch(r"[A-Za-z0-9][\w.-]*==[\w.!+]+", line)] == []
    assert len({canonicalize_name(line.partition("==")[0]) for line in pins}) == len(pins)


def test_everything_that_is_asked_for_is_pinned(project, pins):
    extras = project["project"]["optional-dependencies"].values()
    asked = names(project["build-system"]["requires"] + project["project"]["dependencies"]).union(*map(names, extras))

    assert asked - names(pins) == set()


def test_what_is_installed_was_pinned_with_a_version_that_fits(project, pins):
    pinned = {canonicalize_name(pin.name): pin.specifier for pin in map(Requirement, pins)}
    extras = project["project"]["optional-dependencies"].values()
    asked = [Requirement(line) for lines in [project["project"]["dependencies"], *extras] for line in lines]

    for requirement in asked:
        version = next(iter(pinned[canonicalize_name(requirement.name)])).version
        assert requirement.specifier.contains(version, prereleases=True), requirement


def test_what_is_built_holds_the_catalog_and_its_types_and_nothing_of_this_machine(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "--directory", tmp_path]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)

    [wheel], [source] = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = set(archive.namelist())
    with tarfile.open(source) as archive:
        in_source = {name.partition("/")[2] for name in archive.getnames()}

    assert "catalog/py.typed" in in_wheel & in_source
    assert any(name.endswith("/licenses/LICENSE") for name in in_wheel)
    assert {name.split("/")[0] for name in in_wheel if ".dist-info/" not in name} == {"catalog"}
    assert {name for name in in_source if name.startswith(("tests", "data", "uploads", "resources", "."))} <= {
        ".gitignore"  # always there: it says what a build from the sources leaves out
    }


def test_no_file_names_the_host_of_a_package_registry():
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    paths = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    hosts = [host.replace(" ", ".").encode() for host in REGISTRIES]

    contents = {path: (ROOT / path).read_bytes().lower() for path in paths if (ROOT / path).is_file()}

    assert "tests/test_packaging.py" in contents
    assert {path for path, content in contents.items() if any(host in content for host in hosts)} == set()


# The Makefile


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *words], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def clone(tmp_path) -> Path:
    """As much of a fresh clone as `make` looks at before it installs."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def python_that(folder: Path, script: str) -> Path:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_make_alone_lists_what_it_can_do(clone):
    listed = make(clone).stdout

    assert re.findall(r"^make (\w+) ", listed, re.MULTILINE) == [
        *("help", "run", "secrets", "web", "pictures", "test", "lint", "format", "docs", "bench", "fuzz", "soak"),
        "clean",
    ]


@pytest.mark.parametrize("target", ["run", "test"])
def test_make_says_when_there_is_no_such_python(clone, target):
    made = make(clone, target, "PYTHON=python-of-nowhere")

    assert made.returncode != 0
    assert made.stderr.startswith("There is no 'python-of-nowhere' here.")


def test_make_says_when_python_is_too_old(clone):
    old = python_that(clone, 'case "$*" in *version_info*) exit 1;; esac')

    made = make(clone, "run", f"PYTHON={old}")

    assert made.stderr.startswith(f"Catalog needs Python 3.11 or newer; '{old}' is older.")


def test_make_says_when_python_cannot_make_environments(clone):
    bare = python_that(clone, 'case "$*" in *ensurepip*) exit 1;; esac')

    made = make(clone, "run", f"PYTHON={bare}")

    assert made.stderr.startswith(f"'{bare}' cannot make virtual environments.")


def test_the_checks_are_started_by_an_executable():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


# The image


def test_the_image_is_made_of_files_that_are_here_and_not_ignored():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [path for word, rest in instructions() if word == "COPY" for path in installed_from_the_sources(rest)]

    assert "catalog" in copied
    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert "*" in ignored
    assert {path.split("/")[0] for path in copied} <= {line[1:] for line in ignored if line.startswith("!")}


def test_the_image_does_not_run_as_root():
    [user] = [rest for word, rest in instructions() if word == "USER"]

    assert [int(number) > 0 for number in user.split(":")] == [True, True]


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/live" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def answering(certificate: trustme.LeafCert | None = None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def closed_port() -> Iterator[int]:
    with reserved_port() as port:
        yield port


def is_healthy(*, http: int, https: int) -> bool:
    [check] = [rest.partition(" CMD ")[2] for word, rest in instructions() if word == "HEALTHCHECK"]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "HTTP_PORT": str(http), "HTTPS_PORT": str(https)}
    ran = subprocess.run(["/bin/sh", "-c", check], env=environment, capture_output=True, check=False)
    return ran.returncode == 0


def test_the_image_is_healthy_over_plain_http(closed_port):
    with answering() as port:
        assert is_healthy(http=port, https=closed_port)


def test_the_image_is_healthy_behind_a_certificate_for_another_name(closed_port):
    certificate = trustme.CA().issue_cert("catalog.example")

    with answering(certificate) as port:
        assert is_healthy(http=closed_port, https=port)


def test_the_image_is_not_healthy_when_nobody_answers(closed_port):
    assert not is_healthy(http=closed_port, https=closed_port)


# The services


def test_the_compose_file_is_what_the_specification_asks():
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"]

    checked = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_compose_file_holds_no_secret(compose):
    given = {
        key: value for service in compose["services"].values() for key, value in service.get("environment", {}).items()
    }
    kept = {f"/run/secrets/{name}" for name in compose["secrets"]}

    assert [name for name, value in given.items() if SECRET.search(name) and value not in kept] == []
    assert "@" not in given["DATABASE"]


def test_what_make_secrets_makes_up_is_what_the_services_want(compose, clone):
    make(clone, "secrets")
    before = {file.name: file.read_text() for file in (clone / "secrets").iterdir()}
    again = make(clone, "secrets")

    assert {f"./secrets/{name}" for name in before} == {secret["file"] for secret in compose["secrets"].values()}
    assert len({*before.values()}) == len(before)
    assert all(re.fullmatch("[A-Za-z0-9]{20,43}", secret) for secret in before.values())
    assert {file.name: file.read_text() for file in (clone / "secrets").iterdir()} == before
    assert (clone / "secrets").stat().st_mode & 0o077 == 0
    assert not any(secret in again.stdout + again.stderr for secret in before.values())


def test_what_the_compose_file_sets_are_settings(compose):
    settings = re.findall(r"^#? ?([A-Z][A-Z0-9_]*)=", (ROOT / "init" / "variables.env").read_text(), re.MULTILINE)

    assert compose["services"]["catalog"]["environment"].keys() - set(settings) - FILES.keys() == set()


def test_what_the_compose_file_shares_with_this_machine_is_here_and_read_only(compose):
    mounts = [mount.split(":") for service in compose["services"].values() for mount in service.get("volumes", ())]
    shared = [(source, mode) for source, _, *mode in mounts if source not in compose["volumes"]]

    assert [source for source, mode in shared if mode != ["ro"] or not (ROOT / source).is_dir()] == []


def test_every_service_runs_without_privileges(compose):
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["build"] == "." if "user" not in service else service["user"].split(":")[0].strip("0"), name


def test_the_catalog_starts_after_the_database_takes_writes(compose):
    catalog, mongo = compose["services"]["catalog"], compose["services"]["mongo"]

    assert catalog["depends_on"]["mongo"]["condition"] == "service_healthy"
    assert "isWritablePrimary" in mongo["healthcheck"]["test"][-1]


def test_the_database_that_asks_no_password_is_out_of_reach(compose):
    mongo = compose["services"]["mongo"]

    assert "ports" not in mongo
    assert [compose["networks"][network]["internal"] for network in mongo["networks"]] == [True]
