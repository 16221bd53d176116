"""What every test of the application needs: its passwords, the names of its databases, its settings."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from catalog.app import create_app
from catalog.settings.loading import load
from catalog.settings.settings import Settings

API_TOKEN = "the-operator-of-the-tests"
PASSWORD = "Engine-No-1"
OURS = f"t{uuid.uuid4().hex[:6]}"
"""The prefix of this run's database names."""


def in_database(uri: str, name: str) -> str:
    """The same server, with `name` as its catalogue."""
    parts = urlsplit(uri)
    query = parts.query if "authSource" in parts.query or "@" not in parts.netloc else f"{parts.query}&authSource=admin"
    return parts._replace(path=f"/{name}", query=query.lstrip("&")).geturl()


def settings_in(folder: Path, name: str = "default", **values: str) -> Settings:
    """Settings whose data and uploads are in `folder`, and whose default tenant is called after `name`."""
    return load(
        Path("no-such-file.env"),
        {
            "API_TOKEN": API_TOKEN,
            "JWT_SECRET": "a secret of the tests, long enough for HS256",
            "DATA_PATH": str(folder / "data"),
            "UPLOAD_PATH": str(folder / "uploads"),
            "DEFAULT_TENANT": f"{OURS}-{name}",
            "DEFAULT_TENANT_DATABASE": f"{OURS}-{name}",
            "DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD": PASSWORD,
            **values,
        },
    )


@asynccontextmanager
async def client_of_app(
    settings: Settings, database: str, *, started: bool = False
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application of its own. One that is `started` runs its background jobs, too."""
    app = create_app(settings, database)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://catalog") as client:
        if started:
            async with app.lifespan():
                yield client
        else:
            yield client
            app.state.database.close()
