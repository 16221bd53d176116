"""The bodies of requests about users, read into the domain's inputs."""

from typing import Any

from catalog.domain import naming
from catalog.domain.body_fields import Form, change_form
from catalog.domain.limits import LONGEST_NAME
from catalog.domain.people.credentials import LONGEST_PASSWORD
from catalog.domain.people.password_resets import NewPassword
from catalog.domain.people.users import LONGEST_VALIDITY, NewUser, UserChange
from catalog.errors import EMPTY_BODY, INVALID_FIELD, Refused
from catalog.vocabulary import Role

USER_FIELDS = frozenset({"username", "password", "email", "role", "validityPasswordDays"})
"""The fields that a client sets."""


def new_user(body: Any) -> NewUser:
    """Raises Refused: INVALID_FIELD."""
    form = Form(body, INVALID_FIELD, USER_FIELDS)
    return NewUser(
        username=form.named("username", "Path `username` is required.", LONGEST_NAME, naming.username),
        password=form.required("password", "Path `password` is required.", LONGEST_PASSWORD),
        email=form.required("email", "Please, supply an email"),
        role=form.one_of("role", Role) or form.refuse("role: Path `role` is required."),
        validity_days=form.whole("validityPasswordDays", LONGEST_VALIDITY, "days"),
    )


def user_change(body: Any) -> UserChange:
    """Raises Refused: EMPTY_BODY, NO_VALID_FIELDS, NOT_CHANGED."""
    form = change_form(body, USER_FIELDS - {"username"})
    return UserChange(
        email=form.text("email"),
        password=form.text("password", LONGEST_PASSWORD),
        role=form.one_of("role", Role),
        validity_days=form.whole("validityPasswordDays", LONGEST_VALIDITY, "days"),
    )


def new_password(body: Any) -> NewPassword:
    """Raises Refused: INVALID_FIELD, EMPTY_BODY for a field that is missing."""
    form = Form(body, INVALID_FIELD, {"tenant", "password", "reset"})
    password, token = form.text("password", LONGEST_PASSWORD), form.text("reset")
    if not password or not token:
        raise Refused(EMPTY_BODY, f"Body param `{'reset' if password else 'password'}` is required")
    return NewPassword(token=token, password=password)
