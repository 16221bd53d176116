"""The bodies of requests about tenants, read into the domain's inputs."""

from typing import Any, NamedTuple

from catalog.domain.body_fields import Form, change_form
from catalog.domain.people.credentials import LONGEST_PASSWORD
from catalog.domain.tenants.tenants import Administrator, NewTenant, TenantChange
from catalog.errors import INVALID_FIELD
from catalog.vocabulary import InspectionPolicy

CHANGEABLE = frozenset({"organization", "address", "email", "phone", "quota_bytes", "inspection"})

TENANT_FIELDS = CHANGEABLE | {"_id", "database", "admin_username", "admin_password", "passwordhash"}
"""The fields that a client sets."""


def new_tenant(body: Any, default: Administrator) -> NewTenant:
    """Raises Refused: INVALID_FIELD."""
    form = Form(body, INVALID_FIELD, TENANT_FIELDS)
    administrator = Administrator(
        form.text("admin_username") or default.username,
        form.text("admin_password", LONGEST_PASSWORD) or default.password,
    )
    if not administrator.password:
        form.refuse("admin_password: Please, supply one (DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD is not set)")
    return NewTenant(
        name=form.required("_id", "Please, supply a valid name"),
        email=form.required("email", "Please, supply a valid email"),
        administrator=administrator,
        database=form.text("database") or "",
        organization=form.text("organization"),
        address=form.text("address"),
        phone=form.text("phone"),
        quota_bytes=form.size("quota_bytes"),
        inspection=form.one_of("inspection", InspectionPolicy),
    )


def tenant_change(body: Any) -> TenantChange:
    """Raises Refused: EMPTY_BODY, NO_VALID_FIELDS, NOT_CHANGED."""
    form = change_form(body, CHANGEABLE)
    return TenantChange(
        organization=form.text("organization"),
        address=form.text("address"),
        email=form.text("email"),
        phone=form.text("phone"),
        quota_bytes=form.size("quota_bytes"),
        inspection=form.one_of("inspection", InspectionPolicy),
    )


class AdministratorChange(NamedTuple):
    password: str
    username: str | None


def administrator_change(body: Any) -> AdministratorChange:
    """Raises Refused: EMPTY_BODY, NO_VALID_FIELDS, NOT_CHANGED."""
    form = change_form(body, {"username", "password"})
    password = form.required("password", "a password is needed", LONGEST_PASSWORD)
    return AdministratorChange(password, form.text("username"))
