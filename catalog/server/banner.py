"""What a start tells whoever has made it: where the catalog is, and how to sign in."""

import json
import logging
import shlex

from catalog.domain.tenants.tenants import FirstStart
from catalog.settings.checks import weak_secrets
from catalog.settings.settings import Settings

logger = logging.getLogger(__name__)


def warn(settings: Settings) -> None:
    for name in weak_secrets(settings):
        logger.warning("%s is well-known or short: this is for trying out, beyond loopback it is refused", name)
    if settings.default_tenant_admin_temporary_password.get_secret_value() == "admin":
        logger.warning("DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD is `admin`: change that password, then the setting")


def lines(settings: Settings, first: FirstStart | None, address: str, token_kept_in: str) -> list[str]:
    """`first` is the tenant that this start has made, if it is the first one."""
    told = [f"Catalog is on {address}"]
    if first:
        return told + _of_a_first_start(settings, first, f"{address}/{settings.version}/login", token_kept_in)
    who = f"{settings.default_tenant_admin_username} of {settings.default_tenant}"
    return [
        *told,
        f"The operator's API_TOKEN is in {token_kept_in}.",
        f"Sign in as {who}, with the password that the first start told of.",
    ]


def _of_a_first_start(settings: Settings, first: FirstStart, login: str, token_kept_in: str) -> list[str]:
    if settings.default_tenant_admin_temporary_password.get_secret_value():
        password, shown = "...", "that of DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD; put it in place of the dots below"
    else:
        password, shown = first.password, f"{first.password} (shown this once)"
    # A certificate for the public name, or a self-signed one, does not convince curl at this address.
    insecure = "-k " if login.startswith("https") else ""
    body = json.dumps({"username": first.username, "password": password, "tenant": first.tenant})
    return [
        "",
        f"The tenant {first.tenant} was made. Its administrator:",
        f"  username: {first.username}",
        f"  password: {shown}",
        f"The operator's API_TOKEN is in {token_kept_in}.",
        "",
        "Sign in with:",
        f"  curl {insecure}{login} -H 'Content-Type: application/json' -d {shlex.quote(body)}",
    ]
