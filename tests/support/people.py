"""Somebody at a real server, through the client."""

import uuid
from dataclasses import dataclass
from pathlib import Path

from catalog.client import AsyncCatalog, Catalog
from tests.support.app import PASSWORD
from tests.support.serving import TENANT, Server


@dataclass
class Somebody:
    """A user of the default tenant, with a machine of their own: `folder` has their cache and their files."""

    server: Server
    username: str
    folder: Path

    @property
    def who(self) -> dict[str, str]:
        """The arguments of a client."""
        known = {"url": self.server.url, "tenant": TENANT, "username": self.username, "password": PASSWORD}
        return {**known, "cache": str(self.folder / "cache")}

    @property
    def environment(self) -> dict[str, str]:
        """The same, for programs."""
        named = {f"CATALOG_{name.upper()}": value for name, value in self.who.items()}
        return {**named, "CATALOG_CONFIG": str(self.folder / "config")}

    def catalog(self, **given: object) -> Catalog:
        return Catalog(**{**self.who, **given})

    def asynchronous(self) -> AsyncCatalog:
        return AsyncCatalog(**self.who)

    def file(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path


def hired(server: Server, folder: Path, name: str = "ada") -> Somebody:
    """A new user."""
    username = f"{name}-{uuid.uuid4().hex[:8]}"
    with Catalog(server.url, tenant=TENANT, username="admin", password=server.password) as admin:
        admin.users.create(username, PASSWORD, email=f"{username}@example.org")
    machine = folder / username
    machine.mkdir()
    return Somebody(server, username, machine)
