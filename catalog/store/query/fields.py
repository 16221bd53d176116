"""What a client may ask of each resource: its fields, their types, and which ones sort and select.

A field that is not declared here cannot be searched, sorted or selected. Passwords, hashes and the catalog's own
bookkeeping (`readers`, `revision`) are not declared, and must never be.
"""

from typing import get_origin, get_type_hints

from catalog.store.query.declarations import BOOLEAN, DATE, ID, NUMBER, SCALAR, TEXT, Fields
from catalog.store.records.items import CardFieldsRecord
from catalog.vocabulary import Kind

_CARD = {name: [TEXT] if get_origin(hint) is list else TEXT for name, hint in get_type_hints(CardFieldsRecord).items()}
_ITEM = {
    "_id": ID,
    "serial": NUMBER,
    "name": TEXT,
    "owner": ID,
    "users": [ID],
    "editors": [ID],
    "visibility": TEXT,
    "tags": [TEXT],
    "metadata": [{"name": TEXT, "value": SCALAR}],
    "description": TEXT,
    **_CARD,
    "aliases": [{"name": TEXT, "number": NUMBER}],
    "stages": [TEXT],
    "latest": {"number": NUMBER, "metadata": [{"name": TEXT, "value": SCALAR}]},
    "external_id": TEXT,
    "archived": BOOLEAN,
    "timestamp": DATE,
    "lastmod": DATE,
}
_TRAINED = _ITEM | {"status": TEXT, "datasets": [ID]}
_ITEM_SORTS = "_id serial name owner visibility license library timestamp lastmod"
_ITEM_SELECTS = (
    f"name owner visibility tags metadata description {' '.join(_CARD)} external_id archived aliases versions "
    "timestamp lastmod"
)

_ITEM_SHORT = {"alias": "aliases.name", "stage": "stages", "license": "license", "library": "library"}

DATASETS = Fields(
    _ITEM,
    sort=_ITEM_SORTS,
    select=_ITEM_SELECTS,
    always="_id users groups editors",
    values="latest.",
    short=_ITEM_SHORT,
)
MODELS = Fields(
    _TRAINED,
    sort=f"{_ITEM_SORTS} status",
    select=f"{_ITEM_SELECTS} status",
    always="_id users groups editors datasets",
    values="latest.",
    short=_ITEM_SHORT,
)
ALGORITHMS = MODELS
ITEMS = {Kind.MODEL: MODELS, Kind.DATASET: DATASETS, Kind.ALGORITHM: ALGORITHMS}

VERSIONS = Fields(
    {
        "_id": ID,
        "number": NUMBER,
        "serial": NUMBER,
        "ordinal": TEXT,
        "author": TEXT,
        "stage": TEXT,
        "external_id": TEXT,
        "uri": TEXT,
        "folder": BOOLEAN,
        "file_count": NUMBER,
        "size": NUMBER,
        "digest": TEXT,
        "description": TEXT,
        "metadata": [{"name": TEXT, "value": SCALAR}],
        "state": TEXT,
        "owner": ID,
        "timestamp": DATE,
        "lastmod": DATE,
    },
    sort="_id number serial ordinal author stage size state timestamp lastmod",
    select="key serial ordinal original encoding mimetype size description timestamp digest state stage archived "
    "pinned aliases uri author external_id run folder file_count metadata owner lastmod inspection",
    always="_id ordinal",
    values="metadata.",
    short={"stage": "stage"},
)

ALIAS_MOVES = Fields(
    {
        "_id": ID,
        "alias": TEXT,
        "version": TEXT,
        "previous": TEXT,
        "user": ID,
        "moved": DATE,
        "is_rollback": BOOLEAN,
    },
    sort="_id moved",
    select="alias version previous user moved is_rollback",
)

VERSIONS_OF_ALL = Fields(
    {
        "_id": ID,
        "serial": NUMBER,
        "item": ID,
        "number": NUMBER,
        "run": {"id": TEXT},
        "uri": TEXT,
        "origin": TEXT,
        "stage": TEXT,
        "metadata": [{"name": TEXT, "value": SCALAR}],
        "timestamp": DATE,
        "lastmod": DATE,
    }
)
"""For lists of the versions of many items, see domain.versions.across."""

TRASH = Fields(
    {"_id": ID, "kind": TEXT, "name": TEXT, "owner": ID, "removed_by": ID, "removed": DATE, "until": DATE},
    sort="_id kind name owner removed until",
    select="kind name owner removed_by removed until",
)

TAGS = Fields(
    {"_id": TEXT, "usage": TEXT, "owner": ID, "uses": NUMBER, "timestamp": DATE},
    sort="_id usage uses timestamp",
    select="usage owner uses timestamp",
    spelt="_id",
)

SEEN_TAGS = Fields(
    {"_id": TEXT, "usage": TEXT, "owner": ID, "timestamp": DATE},
    sort="_id usage timestamp",
    select="usage owner uses timestamp",
    spelt="_id",
)
"""For users. How often a term is used in items that they cannot read is hidden, so no filter may depend on it, and no
order: a cursor has the values of its order."""

USERS = Fields(
    {
        "_id": ID,
        "username": TEXT,
        "email": TEXT,
        "role": TEXT,
        "validityPasswordDays": NUMBER,
        "createdPassword": DATE,
        "timestamp": DATE,
        "lastmod": DATE,
    },
    sort="_id username email role createdPassword timestamp lastmod",
    select="username email role validityPasswordDays createdPassword timestamp lastmod",
)

GROUPS = Fields(
    {"_id": ID, "name": TEXT, "description": TEXT, "timestamp": DATE, "lastmod": DATE},
    sort="_id name timestamp lastmod",
    select="name description members timestamp lastmod",
)

LOG = Fields(
    {
        "_id": ID,
        "serial": NUMBER,
        "date": DATE,
        "user": TEXT,
        "method": TEXT,
        "route": TEXT,
        "path": TEXT,
        "item": TEXT,
        "address": TEXT,
        "result": NUMBER,
        "fault": NUMBER,
        "duration": NUMBER,
        "request_id": TEXT,
        "requests": NUMBER,
    },
    sort="_id serial date",
    select="serial date log user method route path item address result fault duration request_id requests",
)

# A filter answers questions about what it does not show: a regular user asks only of what a regular user sees.
COLLEAGUES = Fields({"_id": ID, "username": TEXT}, sort="_id username", select="username")

_TRACKED = {
    "_id": ID,
    "serial": NUMBER,
    "name": TEXT,
    "owner": ID,
    "description": TEXT,
    "external_id": TEXT,
    "metadata": [{"name": TEXT, "value": SCALAR}],
    "timestamp": DATE,
    "lastmod": DATE,
}
_TRACKED_SELECTS = "serial name owner description external_id metadata timestamp lastmod"
_TRACKED_SORTS = "_id serial timestamp lastmod"

EXPERIMENTS = Fields(
    _TRACKED | {"author": TEXT, "archived": BOOLEAN},
    sort=f"{_TRACKED_SORTS} name",
    select=f"{_TRACKED_SELECTS} author archived",
)
RUNS = Fields(
    _TRACKED
    | {"experiment": ID, "status": TEXT, "started": NUMBER, "ended": NUMBER, "author": TEXT, "archived": BOOLEAN},
    sort=_TRACKED_SORTS,
    select=f"{_TRACKED_SELECTS} experiment status started ended author archived",
)
ENVIRONMENTS = Fields(_TRACKED, sort=f"{_TRACKED_SORTS} name", select=_TRACKED_SELECTS)
SERVICES = Fields(
    _TRACKED | {"environment": ID, "item": ID, "version": ID, "runtime": TEXT, "desired_state": TEXT},
    sort=_TRACKED_SORTS,
    select=f"{_TRACKED_SELECTS} environment item version runtime desired_state",
)

ACCESS_TOKENS = Fields(
    {"_id": ID, "name": TEXT, "user": ID, "scopes": [TEXT], "timestamp": DATE, "expires": DATE, "used": DATE},
    sort="_id name timestamp expires used",
    select="name user scopes timestamp expires used",
)

ROBOTS = Fields(
    {"_id": ID, "username": TEXT, "timestamp": DATE, "lastmod": DATE},
    sort="_id username timestamp lastmod",
    select="username description scopes items tags created_by expires used timestamp lastmod",
)

# Likewise those of tenants, for callers other than the operator.
TENANT_NAMES = Fields({"_id": TEXT}, sort="_id")

TENANTS = Fields(
    {
        "_id": TEXT,
        "organization": TEXT,
        "address": TEXT,
        "email": TEXT,
        "phone": TEXT,
        "database": TEXT,
        "passwordhash": BOOLEAN,
        "quota_bytes": NUMBER,
        "inspection": TEXT,
        "timestamp": DATE,
        "lastmod": DATE,
    },
    sort="_id organization email database timestamp lastmod",
    select="organization address email phone database passwordhash quota_bytes inspection timestamp lastmod",
)
