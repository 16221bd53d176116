"""What clients send, by the names that it has in the document. The domain's forms read the same."""

from catalog.dialects.openapi.schema import Schema, any_of, form, many, needed, number, one_of, ref, text, written
from catalog.domain.files.filenames import LONGEST_PATH
from catalog.domain.limits import LONGEST_DESCRIPTION, LONGEST_INTEGER, LONGEST_NAME, Limits
from catalog.domain.people.credentials import LONGEST_PASSWORD
from catalog.domain.tenants.tenants import NAME
from catalog.domain.versions.links import LONGEST as LONGEST_LINK
from catalog.domain.versions.links import SHORTEST as SHORTEST_LINK
from catalog.domain.versions.versions import LONGEST_ORDINAL
from catalog.vocabulary import InspectionPolicy, Kind, Role, Scope, Status, Usage, VersionState, Visibility

BYTES = number("bytes, without quotes", maximum=LONGEST_INTEGER - 1)
TENANT_NAME = text("letters, digits, hyphens and underscores", pattern=f"^{NAME.pattern.replace('a-z', 'A-Za-z')}$")
PASSWORD = needed("as strong as `GET /v1/types/passwordStrength` says", LONGEST_PASSWORD)
ANY_PASSWORD = needed("any", LONGEST_PASSWORD)
STATES = [VersionState.LIVE, VersionState.ARCHIVED]


def components(limits: Limits) -> dict[str, Schema]:
    """Every schema that a request may be made of, by its name."""
    return {
        **people(),
        **{f"{kind.one.capitalize()}ToMake": item(kind, limits) for kind in Kind},
        **{f"{kind.one.capitalize()}Change": item_change(kind, limits) for kind in Kind},
        **versions(limits),
        **tenants(),
        "PairToSet": pair(limits),
        "TagToMake": word(limits.tag),
        "MetadataNameToMake": word(limits.metadata_name),
    }


VALIDITY = number("days that a password lasts, 0: for ever; default: DEFAULT_DAYS_VALIDITY_PASSWORD", maximum=36500)


def people() -> dict[str, Schema]:
    email, role = needed(longest=LONGEST_NAME), one_of(Role)
    return {
        "Credentials": form(
            {
                "username": needed(longest=LONGEST_NAME),
                "password": ANY_PASSWORD,
                "tenant": written("the default one, if there is none", LONGEST_NAME),
            },
            required=("username", "password"),
        ),
        "UserToMake": form(
            {"username": needed("not 24 hexadecimal digits", LONGEST_NAME), "password": PASSWORD, "email": email}
            | {"role": role, "validityPasswordDays": VALIDITY},
            required=("username", "password", "email", "role"),
        ),
        "UserChange": form(
            {"email": written(longest=LONGEST_NAME), "password": written(longest=LONGEST_PASSWORD), "role": role}
            | {"validityPasswordDays": VALIDITY},
            "`role` and `validityPasswordDays` are for administrators. A new password or role signs the user out.",
            minProperties=1,
        ),
        "ResetRequest": form({"email": needed(longest=LONGEST_NAME)}, required=("email",)),
        "NewPassword": form(
            {"tenant": needed(), "reset": text("the token of the mail", minLength=1), "password": PASSWORD},
            required=("tenant", "reset", "password"),
        ),
        "AccessTokenToMake": form(
            {
                "name": needed("what the token is for", LONGEST_NAME),
                "scopes": many(one_of(Scope), "default: read; write reads too"),
                "expires_in": any_of(number("seconds", 1), text("such as 12h or 90d", pattern="^[0-9]{1,9}[smhd]?$")),
                "expires": written("a date, in the place of `expires_in`", LONGEST_NAME),
            },
            required=("name",),
        ),
    }


def item(kind: Kind, limits: Limits) -> Schema:
    fields = {
        "name": needed("once per owner and kind", limits.name),
        "visibility": one_of(Visibility, "default: private; public is for every user of the tenant"),
        "users": many(_key(limits), "ids or usernames of who may read it besides", limits.users),
        "tags": many(needed(longest=limits.tag), most=limits.tags),
        "metadata": many(ref("PairToSet"), "a name once", limits.metadata),
        "description": written(longest=LONGEST_DESCRIPTION),
    }
    trained = {
        "status": one_of(Status, "default: training"),
        "datasets": many(_key(limits), "ids or names", limits.most("datasets")),
    }
    return form(fields if kind is Kind.DATASET else fields | trained, required=("name",))


def item_change(kind: Kind, limits: Limits) -> Schema:
    fields = {
        "visibility": one_of(Visibility),
        "owner": written("an id or a username; only administrators give an item to somebody else", LONGEST_NAME),
        "description": written(longest=LONGEST_DESCRIPTION),
        "tags": _delta(needed(longest=limits.tag), limits.tags),
        "metadata": _pairs(limits),
        "users": _delta(_key(limits), limits.users),
    }
    trained = {"status": one_of(Status), "datasets": _delta(_key(limits), limits.most("datasets"))}
    whole = fields if kind is Kind.DATASET else fields | trained
    return form(whole, "What is to change. Of lists what is removed goes first.", minProperties=1)


def versions(limits: Limits) -> dict[str, Schema]:
    told = {
        "ordinal": written("how the version is to be called; default: the next number", LONGEST_ORDINAL),
        "description": written(longest=LONGEST_DESCRIPTION),
        "metadata": many(ref("PairToSet"), most=limits.metadata),
    }
    return {
        "FileForm": {
            "type": "object",
            "properties": {
                "file": {"type": "string", "contentMediaType": "application/octet-stream"},
                "description": text(),
            },
            "required": ["file"],
            "additionalProperties": True,
            "description": "Other parts are passed over.",
        },
        "Draft": form(
            {"draft": {"type": "boolean", "const": True}, **told},
            "A version whose files come one by one.",
            required=("draft",),
        ),
        "BytesThatAreHere": form(
            {
                "digest": text(pattern="^(sha256:)?[0-9a-fA-F]{64}$"),
                "size": BYTES,
                "name": needed("of the file", LONGEST_NAME),
                "mimetype": written(longest=LONGEST_NAME),
                **told,
            },
            "A version of bytes that the catalog stores already, in a file that the caller may read.",
            required=("digest", "name"),
        ),
        "VersionChange": form(
            {
                "description": written(longest=LONGEST_DESCRIPTION),
                "metadata": _pairs(limits),
                "state": one_of(STATES),
            },
            minProperties=1,
        ),
        "LinkToMake": form(
            {
                "expires_in": number("seconds; default: 300", SHORTEST_LINK, maximum=LONGEST_LINK),
                "path": written("one file of a folder", LONGEST_PATH),
            }
        )
        | {"default": {}},
    }


def tenants() -> dict[str, Schema]:
    told = {
        "organization": written(longest=LONGEST_NAME),
        "address": written(longest=LONGEST_NAME),
        "phone": written(longest=LONGEST_NAME),
        "quota_bytes": BYTES,
        "inspection": one_of(InspectionPolicy, "what becomes of an upload that an inspection holds against it"),
    }
    return {
        "TenantToMake": form(
            {
                "_id": TENANT_NAME,
                "email": needed(longest=LONGEST_NAME),
                **told,
                "database": TENANT_NAME | {"description": "default: as the tenant", "pattern": f"^({NAME.pattern})?$"},
                "admin_username": written(longest=LONGEST_NAME),
                "admin_password": written("any", LONGEST_PASSWORD),
                "passwordhash": {"type": "boolean", "description": "passwords are hashed, whatever it says"},
            },
            required=("_id", "email"),
        ),
        "TenantChange": form({"email": written(longest=LONGEST_NAME), **told}, minProperties=1),
        "AdministratorChange": form(
            {"password": ANY_PASSWORD, "username": written("if there are several", LONGEST_NAME)},
            required=("password",),
        ),
    }


def pair(limits: Limits) -> Schema:
    value = any_of(
        written(longest=limits.metadata_value),
        number(least=-LONGEST_INTEGER, maximum=LONGEST_INTEGER - 1),
        {"type": ["number", "boolean"]},
    )
    name = needed(longest=limits.metadata_name)
    properties = {"name": name, "value": value, "_id": {"description": "passed over"}}
    return {
        "type": "object",
        "properties": properties,
        "required": ["name", "value"],
        "additionalProperties": False,
    }


def word(longest: int) -> Schema:
    return form({"_id": needed("the word itself", longest), "usage": one_of(Usage)}, required=("_id",))


def _key(limits: Limits) -> Schema:
    return text(longest=max(LONGEST_NAME, limits.name), minLength=1, pattern="^[^\\x00]+$")


def _delta(each: Schema, most: int, removed: Schema | None = None) -> Schema:
    return form({"remove": many(removed or each, most=most), "add": many(each, most=most)})


def _pairs(limits: Limits) -> Schema:
    """A pair is removed by itself, or by its name alone."""
    name = needed(longest=limits.metadata_name)
    named = {"type": "object", "properties": {"name": name}, "required": ["name"], "additionalProperties": False}
    return _delta(ref("PairToSet"), limits.metadata, any_of(name, named, ref("PairToSet")))
