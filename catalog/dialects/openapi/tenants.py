"""Tenants and the sweep, for the operator; usage and journal, for administrators."""

from catalog.dialects.openapi.lists import listing, made_answers, one_or_many, selecting
from catalog.dialects.openapi.operation import Operation, Who, answered, json_body
from catalog.dialects.openapi.parameters import query
from catalog.dialects.openapi.people import CHANGE_FAULTS, VERBOSE
from catalog.dialects.openapi.schema import Schema, any_of, flag, made_of, many, number, one_of, ref, text
from catalog.domain.cleanup.sweep import SweepResult
from catalog.errors import (
    NOT_CONFIRMED,
    NOT_CREATED,
    NOT_DELETED,
    NOT_FOUND,
    NOT_SEARCHED,
    REQUEST,
    STORAGE_AWAY,
)
from catalog.store.query import fields
from catalog.vocabulary import Kind

GROUP, WATCHING = "Tenants", "Usage and journal"

ACME = {"_id": "acme", "email": "it@acme.example", "admin_username": "admin", "admin_password": "Engine-No-1"}


def operations(prefix: str) -> list[Operation]:
    return [*_tenants(f"{prefix}/tenants"), _names(prefix), *_watching(prefix)]


def _tenants(path: str) -> list[Operation]:
    one, operator = f"{path}/{{name}}", Who.OPERATOR
    return [
        Operation(
            method="post",
            path=path,
            name="createTenants",
            group=GROUP,
            summary="Make a tenant, or several, each with an administrator",
            who=operator,
            parameters=[VERBOSE],
            body=json_body(one_or_many("TenantToMake"), ACME),
            answers=made_answers("NewTenant", "tenants"),
            faults=(NOT_CREATED,),
        ),
        listing(path, "listTenants", GROUP, "List the tenants", "Tenant", who=operator),
        Operation(
            method="get",
            path=one,
            name="showTenant",
            group=GROUP,
            summary="Show a tenant",
            who=operator,
            parameters=[selecting(fields.TENANTS)],
            answers={200: answered("The tenant.", any_of(ref("Tenant"), ref("TenantInList")))},
            faults=(NOT_FOUND, NOT_SEARCHED),
        ),
        Operation(
            method="put",
            path=one,
            name="changeTenant",
            group=GROUP,
            summary="Change what is said of a tenant",
            who=operator,
            body=json_body(ref("TenantChange"), {"quota_bytes": 10**12}),
            answers={200: answered("The tenant.", ref("Tenant"))},
            faults=(NOT_FOUND, *CHANGE_FAULTS),
        ),
        Operation(
            method="delete",
            path=one,
            name="removeTenant",
            group=GROUP,
            summary="Remove a tenant, with its database and its files",
            who=operator,
            parameters=[query("confirm", "If it is there, it must be the name.")],
            answers={200: answered("The tenant, as it was.", ref("NewTenant"))},
            faults=(NOT_FOUND, NOT_DELETED, NOT_CONFIRMED, STORAGE_AWAY),
        ),
        Operation(
            method="put",
            path=f"{one}/administrator",
            name="setAdministrator",
            group=GROUP,
            summary="Give an administrator who lost it a new password",
            who=operator,
            body=json_body(ref("AdministratorChange"), {"password": "Engine-No-2"}),
            answers={200: answered("The administrator.", ref("User"))},
            faults=(NOT_FOUND, *CHANGE_FAULTS),
        ),
        Operation(
            method="get",
            path=f"{one}/usage",
            name="showUsageOfTenant",
            group=GROUP,
            summary="Show what a tenant uses",
            who=operator,
            answers={200: _usage()},
            faults=(NOT_FOUND,),
        ),
    ]


def _names(prefix: str) -> Operation:
    return listing(
        f"{prefix}/types/tenants", "listTenantNames", GROUP, "List the names of tenants", "TenantName", who=Who.ANYBODY
    )


def _watching(prefix: str) -> list[Operation]:
    return [
        Operation(
            method="get",
            path=f"{prefix}/usage",
            name="showUsage",
            group=WATCHING,
            summary="Show what the tenant uses",
            who=Who.ADMINISTRATOR,
            answers={200: _usage()},
        ),
        listing(
            f"{prefix}/log", "listLog", WATCHING, "List who did what, newest first", "LogEntry", who=Who.ADMINISTRATOR
        ),
        listing(
            f"{prefix}/log/operator",
            "listOperatorsLog",
            WATCHING,
            "List what belongs to no tenant, newest first",
            "LogEntry",
            who=Who.OPERATOR,
        ),
        Operation(
            method="post",
            path=f"{prefix}/sweep",
            name="sweep",
            group=WATCHING,
            summary="Remove the bytes that no version names any more, now",
            who=Who.OPERATOR,
            parameters=[
                query("tenant", "Only this one."),
                query("grace", "Spare what is younger.", text(default="SWEEP_GRACE"), example="24h"),
                query("dry_run", "Only say what would go.", one_of(["true", "false"], default="false")),
            ],
            answers={200: answered("What went.", made_of({"dry_run": flag(), "tenants": many(_turn())}))},
            faults=(REQUEST, NOT_FOUND),
        ),
    ]


def _usage() -> Schema:
    counted = (
        "bytes",
        "unfinished_bytes",
        "quota_bytes",
        "blobs",
        "versions",
        *(kind.value for kind in Kind),
        "trash",
        "users",
    )
    return answered("So much.", made_of({name: number() for name in counted}))


def _turn() -> Schema:
    swept = made_of({"_id": text("the tenant")} | {name: number() for name in SweepResult._fields})
    return any_of(swept, made_of({"_id": text("the tenant"), "refused": text("why it was not swept")}))
