"""What a start prints: the address of the catalog, and how to sign in."""

import json
import logging
import shlex

from catalog.domain.tenants.tenants import FirstStart
from catalog.settings.checks import weak_secrets
from catalog.settings.settings import Settings
from catalog.store.embedded.engines import describe, select

logger = logging.getLogger(__name__)


def warn_of_weak_secrets(settings: Settings) -> None:
    for name in weak_secrets(settings):
        logger.warning("%s is well-known or short: accepted on loopback only", name)
    if settings.default_tenant_admin_temporary_password.get_secret_value() == "admin":
        logger.warning("DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD is `admin`: change that password, then the setting")


def lines(settings: Settings, first: FirstStart | None, address: str, token_location: str) -> list[str]:
    """`first` is the tenant that this start has created, if it is the first start."""
    running = [f"Catalog is on {address}"]
    if settings.database == "embedded":
        running.append(f"{describe(select(settings.embedded_engine))}.")
    if first:
        return [*running, *_first_start(settings, first, address, token_location)]
    who = f"{settings.default_tenant_admin_username} of {settings.default_tenant}"
    return [
        *running,
        f"The operator's API_TOKEN is in {token_location}.",
        f"Sign in as {who}, with the password that the first start printed.",
    ]


def _first_start(settings: Settings, first: FirstStart, address: str, token_location: str) -> list[str]:
    if settings.default_tenant_admin_temporary_password.get_secret_value():
        password, shown = "...", "that of DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD; put it in place of the dots below"
    else:
        password, shown = first.password, f"{first.password} (shown this once)"
    # curl trusts neither a self-signed certificate nor one for the public name at this address.
    insecure = "-k " if address.startswith("https") else ""
    login = f"{address}/{settings.version}/login"
    body = json.dumps({"username": first.username, "password": password, "tenant": first.tenant})
    return [
        "",
        f"The tenant {first.tenant} was created. Its administrator:",
        f"  username: {first.username}",
        f"  password: {shown}",
        f"The operator's API_TOKEN is in {token_location}.",
        "",
        "Open the address in a browser, or sign in with:",
        f"  catalog login --url {address} --username {shlex.quote(first.username)}",
        f"  curl {insecure}{login} -H 'Content-Type: application/json' -d {shlex.quote(body)}",
    ]
