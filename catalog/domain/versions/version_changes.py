"""What is said of a version changes: its description, its metadata, whether it is live. Its files never do."""

from collections.abc import Collection
from typing import Any

from pymongo import ReturnDocument

from catalog.domain.access import Caller
from catalog.domain.body_fields import change_form
from catalog.domain.items import items
from catalog.domain.items.lists import changed_metadata
from catalog.domain.items.references import Reference
from catalog.domain.limits import LIMITS, LONGEST_DESCRIPTION, Limits
from catalog.domain.versions import versions
from catalog.errors import BUSY, NOT_FOUND, STALE, Refused
from catalog.store.database import Tenant
from catalog.store.documents import now
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind, VersionState

FIELDS = frozenset({"description", "metadata", "state"})

CHOICES = (VersionState.LIVE, VersionState.ARCHIVED)
"""The states that a client gives a version."""

ATTEMPTS = 100
"""How often a change is tried that others keep overtaking."""


async def change(
    tenant: Tenant,
    kind: Kind,
    key: str,
    which: str,
    body: Any,
    caller: Caller,
    limits: Limits = LIMITS,
    *,
    revisions: Collection[int] | None = None,
) -> Raw:
    """Change what is said of a version, and return it as it is then.

    `revisions` are those that the client has seen, if it says so. Raises Refused: NOT_FOUND, CANNOT_MODIFY, EMPTY_BODY,
    NO_VALID_FIELDS, NOT_CHANGED, STALE, VERSION_DRAFT for the state of a draft, QUARANTINED for that of a version which
    only an administrator releases.
    """
    form = change_form(body, FIELDS, limits)
    description = form.text("description", LONGEST_DESCRIPTION)
    metadata = form.delta("metadata", form.pair_to_remove, form.pair)
    state = form.one_of("state", VersionState)
    if state is not None and state not in CHOICES:
        form.refuse(f"state: {' or '.join(CHOICES)} is needed")

    item = await items.changeable(caller, kind, Reference(key))
    version = await versions.find(tenant, item, which, caller)
    for _ in range(ATTEMPTS):
        if revisions is not None and version["revision"] not in revisions:
            raise Refused(STALE, f"another revision was seen, it is {version['revision']} now")
        fields: Raw = {"lastmod": now()}
        if description is not None:
            fields["description"] = description
        if metadata is not None:
            fields["metadata"] = changed_metadata(version["metadata"], metadata, limits.metadata)
        if state is not None:
            versions.refuse_draft(version)
            versions.refuse_quarantined(version, caller)
            fields["state"] = state.value
        changed = await _written(tenant, version, fields)
        if changed is not None:
            await versions.touched(tenant, kind, item["_id"])
            return changed
        version = await _again(tenant, version)
    raise Refused(BUSY, which)


async def _written(tenant: Tenant, version: Raw, fields: Raw) -> Raw | None:
    """The version after the change, or None when somebody else was first."""
    changed: Raw | None = await tenant.versions.raw.find_one_and_update(
        {"_id": version["_id"], "revision": version["revision"]},
        {"$set": fields, "$inc": {"revision": 1}},
        return_document=ReturnDocument.AFTER,
    )
    return changed


async def _again(tenant: Tenant, version: Raw) -> Raw:
    found: Raw | None = await tenant.versions.raw.find_one({"_id": version["_id"]})
    if found is None:
        raise Refused(NOT_FOUND, version["ordinal"])
    return found
