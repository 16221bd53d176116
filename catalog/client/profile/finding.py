"""The server and the user: from arguments, a named profile, the environment, `.catalog.toml`, and the user's files.

Each value comes from the place of the highest precedence that has it. Credentials (token, password, username, tenant)
belong to the server of their own place: a token is never sent to a server that another place names.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from catalog.client.addresses import checked_address, plain_url, shown_address
from catalog.client.errors import Invalid
from catalog.client.profile.stored import (
    DEFAULT_URL,
    NAMES,
    PROJECT,
    SECRETS,
    SETTINGS,
    exposed_file,
    folder,
    profiles,
    project,
    settings_of,
    stored_token,
)
from catalog.client.tokens import tenant_of

OFFLINE = "CATALOG_OFFLINE"
CHOSEN = "CATALOG_PROFILE"


@dataclass(frozen=True, kw_only=True)
class Profile:
    url: str = DEFAULT_URL
    token: str = field(default="", repr=False)
    tenant: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""
    name: str = ""
    """The name of the stored profile, if it comes from one."""

    is_stored: bool = False
    """Whether the token comes from `credentials.json`, where a renewed one is saved."""

    notes: tuple[str, ...] = ()
    """Sentences for the user: what is not used, and why."""


@dataclass(frozen=True)
class Place:
    """The values of one place."""

    values: Mapping[str, str]
    url: str = ""
    """The server that its values are for; empty: any."""

    secret_url: str = ""
    """The server that its token and password are for; empty: `url`."""

    is_stored: bool = False
    """Whether its token comes from `credentials.json`."""

    def counts_for(self, url: str) -> "Place":
        """The place without the values that are for another server. An address and a certificate do not identify a
        user.
        """
        left_out: set[str] = set()
        if self.url not in {"", url}:
            left_out |= {"tenant", "username", *SECRETS}
        if (self.secret_url or self.url) not in {"", url}:
            left_out |= {*SECRETS}
        return replace(self, values={name: value for name, value in self.values.items() if name not in left_out})

    @property
    def has_secret(self) -> bool:
        return any(self.values.get(name) for name in SECRETS)


def find(
    arguments: Mapping[str, str],
    environ: Mapping[str, str] = os.environ,
    here: Path | None = None,
    name: str = "",
) -> Profile:
    """Collect the profile; `name` is that of a stored one, which replaces what the environment says.

    Raises Invalid for a file that is malformed or contains a secret, NotFound for a profile that is not stored.
    """
    stored, in_environment = profiles(environ), environ.get(CHOSEN, "")
    used = name or in_environment or stored.used
    explicit = Place({each: value for each, value in arguments.items() if value})
    of_profile = _of_profile(stored.get(used), used, environ) if used else Place({})
    of_user = _of_server(settings_of(folder(environ) / SETTINGS))
    in_project = project(here or _here())
    of_project = Place(in_project, plain_url(in_project.get("url", "")))
    its_own = of_profile.url or of_user.url or DEFAULT_URL
    environment = _of_environment(
        environ, plain_url(explicit.values.get("url", "")) if not in_environment else "", its_own
    )
    if name:
        certificate = {each: value for each, value in environment.values.items() if each == "ca"}
        places = [explicit, of_profile, Place(certificate), of_project, of_user]
    elif in_environment:
        places = [explicit, environment, of_profile, of_project, of_user]
    else:
        places = [explicit, environment, of_project, of_profile, of_user]

    url = checked_address(plain_url(_first(places, "url") or DEFAULT_URL))
    is_profile = bool(used) and of_profile.url == url
    if not is_profile:  # a profile has a login of its own
        places.append(Place({"token": stored_token(url, "", environ)}, is_stored=True))
    counting = [place.counts_for(url) for place in places]
    found = _combined(url, counting)
    notes = [*_unsent(environment, name, url, of_project.url), *found.notes]
    if found.is_stored and (exposed := exposed_file(environ)):
        notes.append(f"Other users of this machine may read {exposed}, which has your token: chmod 600 {exposed}")
    return replace(found, name=used if is_profile else "", notes=tuple(notes))


def _here() -> Path:
    """The current folder, or the root if it has been removed."""
    try:
        return Path.cwd()
    except OSError:
        return Path("/")


def environment_token(url: str, environ: Mapping[str, str] = os.environ) -> str:
    """CATALOG_TOKEN, if it is for this server: CATALOG_URL names it, or nothing."""
    is_for_it = plain_url(environ.get("CATALOG_URL", "")) in {"", plain_url(url)}
    return environ.get("CATALOG_TOKEN", "") if is_for_it else ""


def is_offline(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether CATALOG_OFFLINE forbids requests. Raises Invalid."""
    text = environ.get(OFFLINE, "").strip().lower()
    if text in {"", "0", "false", "no", "off"}:
        return False
    if text in {"1", "true", "yes", "on"}:
        return True
    raise Invalid(f"{OFFLINE} is {text!r}", advice="Set it to 1 or 0.")


def _of_server(values: Mapping[str, str]) -> Place:
    """A place whose token and password are for its server, which is the default one unless it says otherwise."""
    url = plain_url(values.get("url", ""))
    return Place(values, url, url or DEFAULT_URL)


def _of_profile(values: Mapping[str, str], name: str, environ: Mapping[str, str]) -> Place:
    """A stored profile, with its login."""
    place = _of_server({"url": DEFAULT_URL, **values})
    if place.has_secret:
        return place
    return replace(place, values={**place.values, "token": stored_token(place.url, name, environ)}, is_stored=True)


def _of_environment(environ: Mapping[str, str], requested: str, default: str) -> Place:
    """The variables. A token is for CATALOG_URL, else for the server that is asked for, else for the user's own."""
    values = {name: environ[f"CATALOG_{name.upper()}"] for name in NAMES if environ.get(f"CATALOG_{name.upper()}")}
    url = plain_url(values.get("url", ""))
    return Place(values, url, url or requested or default)


def _first(places: Sequence[Place], name: str) -> str:
    return next((place.values[name] for place in places if place.values.get(name)), "")


def _combined(url: str, places: Sequence[Place]) -> Profile:
    """The values of the highest precedence. The token and the password come from one place, as they must be of one
    user. A token is not used if a place of the same or a higher precedence names another tenant.
    """
    tenant, notes = _first(places, "tenant"), []
    found = Profile(url=url, username=_first(places, "username"), ca=_first(places, "ca"), tenant=tenant)
    for number, place in enumerate(places):
        if not place.has_secret:
            continue
        token = place.values.get("token", "")
        requested, is_of = _first(places[: number + 1], "tenant"), tenant_of(token)
        if requested and is_of and requested.casefold() != is_of.casefold():
            notes.append(f"The token for {url} is of the tenant {is_of}, and is not used for {requested}.")
            continue
        password = place.values.get("password", "")
        found = replace(
            found, token=token, password=password, tenant=is_of or tenant, is_stored=place.is_stored and bool(token)
        )
        break
    return replace(found, notes=tuple(notes))


def _unsent(environment: Place, named: str, url: str, project_url: str) -> Iterator[str]:
    """Why a token or a password of the environment is not used."""
    variables = [f"CATALOG_{name.upper()}" for name in SECRETS if environment.values.get(name)]
    if not variables:
        return
    what = variables[0]
    if named:
        yield f"{what} is not used: the profile {named} has a login of its own."
    elif environment.secret_url != url and not environment.url and project_url == url:
        yield f"{what} is not sent to {url}, which only {PROJECT} names. If it is for that server, set CATALOG_URL."
    elif environment.secret_url != url:
        yield f"{what} is for {shown_address(environment.secret_url)}, and is not sent to {url}."
