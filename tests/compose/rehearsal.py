"""docker-compose.yml without Docker: its commands, with its environment, in its order, as processes of this machine.

What differs is the network and the file system: names of services become 127.0.0.1, ports free ones, and what a
container has at /run/secrets and in /tmp is in a folder. The programs of other people's images are stood in for.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from graphlib import TopologicalSorter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from tests.support.paths import ROOT
from tests.support.ports import reserved_port

STANDINS = Path(__file__).with_name("standins.py")
SOON = 60  # seconds, a limit for what should take a few


class Rehearsal:
    """`docker compose up` in `folder`, for as long as the `with` lasts. `environ` is what `.env` would say.

    Plain HTTP, as behind a proxy that has the certificate, unless it says otherwise.
    """

    def __init__(self, folder: Path, **environ: str) -> None:
        environ = {"PROTOCOL": "http", **environ}
        text = interpolated((ROOT / "docker-compose.yml").read_text(), environ)
        self.folder = folder
        self.services = chosen(yaml.safe_load(text)["services"], environ.get("COMPOSE_PROFILES", "").split(","))
        self.image = image()
        self.started: dict[str, subprocess.Popen[bytes]] = {}
        self.codes: dict[str, int] = {}
        """With which code each has ended, in the order of their ends."""
        self._reserved = ExitStack()
        ports = ("80", "443", "9000", "27017")
        self._ports = {port: str(self._reserved.enter_context(reserved_port())) for port in ports}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port('80')}"

    def port(self, number: str) -> str:
        """Where a port of the services is here."""
        return self._ports[number]

    def __enter__(self) -> Self:
        try:
            self._prepare()
            for name in in_order(self.services):
                self._start(name)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def said(self, name: str) -> str:
        return (self.folder / name / "said.log").read_text()

    def secret(self, name: str) -> str:
        return (self.folder / "secrets" / name).read_text()

    def _prepare(self) -> None:
        subprocess.run(["make", "-sf", ROOT / "Makefile", "secrets"], cwd=self.folder, check=True, capture_output=True)
        programs = self.folder / "bin"
        programs.mkdir()
        for name in ("mongod", "mongosh", "minio", "mc"):
            write_program(programs / name, f"{shlex.quote(str(STANDINS))} {name}")
        write_program(programs / "catalog", "-m catalog")
        write_program(programs / "python", "")
        for name in self.services:
            (self.folder / name / "tmp").mkdir(parents=True)
        shutil.copytree(ROOT / "init", self.folder / "catalog" / "init")

    def _start(self, name: str) -> None:
        """Wait for what it depends on as long as it asks, and start it."""
        service = self.services[name]
        for other, wanted in service.get("depends_on", {}).items():
            if other in self.services:
                self._await(other, wanted["condition"])
        command = [*service.get("entrypoint", []), *service.get("command", self.image["CMD"])]
        with (self.folder / name / "said.log").open("wb") as log:
            self.started[name] = subprocess.Popen(
                [self._here(name, word) for word in command],
                cwd=self.folder / name,
                env=self._environment(name),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if name == "catalog":  # no other service depends on it
            self._await(name, "service_healthy")

    def _await(self, name: str, condition: str) -> None:
        process, deadline = self.started[name], time.monotonic() + SOON
        if condition == "service_completed_successfully":
            assert process.wait(SOON) == 0, self.said(name)
            return
        assert condition == "service_healthy"
        while not self.is_healthy(name):
            assert process.poll() is None, self.said(name)
            assert time.monotonic() < deadline, f"{name} does not become healthy:\n{self.said(name)}"

    def is_healthy(self, name: str) -> bool:
        """Run its health check as it is written."""
        service = self.services[name]
        if "healthcheck" in service:
            word, *check = service["healthcheck"]["test"]
            assert word == "CMD"
            seconds = float(service["healthcheck"]["timeout"].removesuffix("s"))
        else:
            check, seconds = ["/bin/sh", "-c", self.image["HEALTHCHECK"]], 10.0
        try:
            asked = subprocess.run(
                [self._here(name, word) for word in check],
                env=self._environment(name),
                timeout=seconds,
                capture_output=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        return asked.returncode == 0

    def _environment(self, name: str) -> dict[str, str]:
        given = self.image["ENV"] if self.services[name].get("build") == "." else {}
        wanted = {key: str(value) for key, value in self.services[name].get("environment", {}).items()}
        ours = {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        return {**{key: self._here(name, value) for key, value in {**given, **wanted}.items()}, **ours}

    def _here(self, name: str, text: str) -> str:
        """What it means on this machine. A secret that the service has not asked for is not there."""
        for secret in re.findall(r"/run/secrets/(\w+)", text):
            assert secret in self.services[name]["secrets"], (name, secret)
        text = re.sub(rf"\b({'|'.join(self.services)}):(?=\d)", "127.0.0.1:", text)
        text = re.sub(rf"(?<![\w.])({'|'.join(self._ports)})\b", lambda found: self._ports[found[1]], text)
        # Last, as a folder may have numbers in its name, or be in /tmp itself.
        return text.replace("/tmp/", f"{self.folder}/{name}/tmp/").replace("/run/secrets/", f"{self.folder}/secrets/")

    def _end(self) -> None:
        """As `docker compose down`: who depends on others ends before them."""
        for name, process in reversed(self.started.items()):
            process.send_signal(signal.SIGTERM)
            try:
                self.codes[name] = process.wait(SOON)
            except subprocess.TimeoutExpired:
                process.kill()
                self.codes[name] = process.wait()
        self._reserved.close()


def interpolated(text: str, environ: Mapping[str, str]) -> str:
    """`${NAME:-default}` and `$$`, which is all that the file uses."""

    def value(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else environ.get(found[1]) or found[2]

    return re.sub(r"\$\$|\$\{(\w+):-([^}]*)\}", value, text)


def chosen(services: dict[str, Any], profiles: list[str]) -> dict[str, Any]:
    return {name: each for name, each in services.items() if set(each.get("profiles", profiles)) & set(profiles)}


def in_order(services: dict[str, Any]) -> Iterator[str]:
    wanted: dict[str, list[str]] = {}
    for name, service in services.items():
        others = service.get("depends_on", {})
        wanted[name] = [other for other, how in others.items() if other in services or how.get("required", True)]
    yield from TopologicalSorter(wanted).static_order()


def image() -> dict[str, Any]:
    """Of the last stage of the Dockerfile: CMD, HEALTHCHECK, and ENV without PATH."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line.partition(" ")[::2] for line in text.rpartition("\nFROM ")[2].splitlines()]
    said = {word: rest.strip() for word, rest in lines}
    variables = dict(pair.split("=", 1) for pair in said["ENV"].split())
    del variables["PATH"]
    return {
        "CMD": yaml.safe_load(said["CMD"]),
        "HEALTHCHECK": said["HEALTHCHECK"].partition(" CMD ")[2],
        "ENV": variables,
    }


def write_program(file: Path, words: str) -> None:
    file.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {words} "$@"\n')
    file.chmod(0o755)
