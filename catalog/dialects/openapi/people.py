"""Signing in, users, forgotten passwords and personal access tokens."""

from catalog.dialects.openapi.lists import listing, made_answers, one_or_many, selecting
from catalog.dialects.openapi.operation import Operation, Who, answered, json_body
from catalog.dialects.openapi.parameters import query
from catalog.dialects.openapi.schema import any_of, made_of, ref, text
from catalog.errors import (
    AUTHENTICATION,
    BUSY,
    CANNOT_CREATE,
    CANNOT_MODIFY,
    EMPTY_BODY,
    MAIL_AWAY,
    MISSING_EMAIL,
    NO_VALID_FIELDS,
    NOT_CHANGED,
    NOT_CREATED,
    NOT_DELETED,
    NOT_FOUND,
    NOT_SEARCHED,
    RESET_INVALID,
    TOO_MANY_ATTEMPTS,
)
from catalog.store.query import fields

SIGN_IN, USERS, PASSWORDS, TOKENS = "Sign in", "Users", "Forgotten passwords", "Personal access tokens"

VERBOSE = query("verbose", "`false`: of a list, only how many were made.", text(default="true"))
"""Of a POST that takes a list."""

SOMEBODY = {"username": "ada", "password": "Engine-No-1"}
CHANGE_FAULTS = (EMPTY_BODY, NO_VALID_FIELDS, NOT_CHANGED)


def operations(prefix: str) -> list[Operation]:
    return [
        *_login(f"{prefix}/login", ""),
        *_login("/login", "Unversioned"),
        *_users(f"{prefix}/users"),
        *_passwords(f"{prefix}/self"),
    ]


def _login(path: str, suffix: str) -> list[Operation]:
    session = answered("The user, and a token.", ref("Session"))
    return [
        Operation(
            method="post",
            path=path,
            name=f"signIn{suffix}",
            group=SIGN_IN,
            summary="Sign in",
            details="The answer's `token` goes into `Authorization`, as it is.",
            who=Who.ANYBODY,
            body=json_body(ref("Credentials"), {**SOMEBODY, "tenant": "acme"}),
            answers={200: session},
            faults=(AUTHENTICATION, TOO_MANY_ATTEMPTS),
        ),
        Operation(
            method="put",
            path=path,
            name=f"renew{suffix}",
            group=SIGN_IN,
            summary="Renew the token",
            details="Within JWT_RENEW_EXPIRATIONTIME of its issue.",
            who=Who.RENEWER,
            answers={200: session},
        ),
    ]


def _users(path: str) -> list[Operation]:
    admin = Who.ADMINISTRATOR
    made = {**SOMEBODY, "email": "ada@example.org", "role": "regular"}
    return [
        Operation(
            method="post",
            path=path,
            name="createUsers",
            group=USERS,
            summary="Make a user, or several",
            who=admin,
            parameters=[VERBOSE],
            body=json_body(one_or_many("UserToMake"), made),
            answers=made_answers("NewUser", "users"),
            faults=(NOT_CREATED, CANNOT_CREATE),
        ),
        listing(path, "listUsers", USERS, "List the users", "User"),
        Operation(
            method="get",
            path=f"{path}/{{user}}",
            name="showUser",
            group=USERS,
            summary="Show a user",
            details="Administrators see users whole, others their names.",
            parameters=[selecting(fields.USERS)],
            answers={200: answered("The user.", any_of(ref("User"), ref("Colleague"), ref("UserInList")))},
            faults=(NOT_FOUND, NOT_SEARCHED),
        ),
        Operation(
            method="put",
            path=f"{path}/{{user}}",
            name="changeUser",
            group=USERS,
            summary="Change a user",
            details="Oneself, or, for administrators, anybody.",
            body=json_body(ref("UserChange"), {"email": "ada@example.org"}),
            answers={200: answered("The user.", ref("User"))},
            faults=(NOT_FOUND, CANNOT_MODIFY, BUSY, *CHANGE_FAULTS),
        ),
        Operation(
            method="delete",
            path=f"{path}/{{user}}",
            name="removeUser",
            group=USERS,
            summary="Remove a user",
            details="Refused while he owns items, unless somebody gets them.",
            who=admin,
            parameters=[query("transfer", "Who is to have what he owns: an id or a username.")],
            answers={200: answered("The user, as he was.", ref("NewUser"))},
            faults=(NOT_FOUND, NOT_DELETED, BUSY),
        ),
    ]


def _passwords(path: str) -> list[Operation]:
    return [
        Operation(
            method="post",
            path=f"{path}/reset",
            name="askForPassword",
            group=PASSWORDS,
            summary="Ask for a mail that lets a user choose a new password",
            who=Who.ANYBODY,
            parameters=[query("tenant", "The tenant's name.", required=True)],
            body=json_body(ref("ResetRequest"), {"email": "ada@example.org"}),
            details="The answer does not tell whether somebody has the address.",
            answers={200: answered("If somebody has the address, a mail is on its way.", made_of({"message": text()}))},
            faults=(NOT_SEARCHED, NOT_CHANGED, MISSING_EMAIL, TOO_MANY_ATTEMPTS, MAIL_AWAY),
        ),
        Operation(
            method="put",
            path=path,
            name="choosePassword",
            group=PASSWORDS,
            summary="Choose a new password, with what the mail brought",
            who=Who.ANYBODY,
            body=json_body(ref("NewPassword"), {"tenant": "acme", "reset": "0" * 24, "password": "Engine-No-2"}),
            answers={200: answered("The user.", ref("User"))},
            faults=(NOT_SEARCHED, EMPTY_BODY, NOT_FOUND, RESET_INVALID, NOT_CHANGED),
        ),
    ]
