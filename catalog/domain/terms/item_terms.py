"""The terms that items use: how many a request may add, and the counts of their uses."""

from collections.abc import Sequence
from typing import NamedTuple, cast

from bson import ObjectId

from catalog.domain.limits import Limits
from catalog.domain.terms.terms import Vocabulary, existing, room, too_many
from catalog.errors import Fault, Refused
from catalog.gathering import gather_all
from catalog.store.clock import now
from catalog.store.concurrency.combined_writes import Writes, write_all
from catalog.store.derived.term_usage import MOST_VIEWERS
from catalog.store.failures import Duplicate
from catalog.store.query.ngrams import spelling
from catalog.store.records import Changes, ItemRecord, TermRecord
from catalog.store.tenant import Tenant
from catalog.store.tenant_collections import TermCollection
from catalog.store.tenant_documents import Update
from catalog.vocabulary import PUBLIC_READER, Usage


class ItemTerms(NamedTuple):
    """The terms that an item uses, and who sees them there."""

    tags: frozenset[str]
    metadata: frozenset[str]
    viewers: frozenset[str] = frozenset()


NO_TERMS = ItemTerms(frozenset(), frozenset())


ANY_NUMBER = 2**31
"""An allowance that only the number of terms of the tenant limits."""


def terms_of(item: ItemRecord) -> ItemTerms:
    """The terms of an item that are counted, and so suggested: an archived item has none."""
    return NO_TERMS if item.get("archived") else used_by(item)


def used_by(item: ItemRecord) -> ItemTerms:
    readers = item["readers"]
    viewers = [PUBLIC_READER] if PUBLIC_READER in readers else readers[:MOST_VIEWERS]
    tags, metadata = frozenset(item["tags"]), frozenset(pair["name"] for pair in item["metadata"])
    return ItemTerms(tags, metadata, frozenset(map(str, viewers)))


class TermAllowance:
    """How many new terms one request may still add. The items of a list share one."""

    def __init__(self, limits: Limits) -> None:
        self.most = limits.new_terms
        self.of_tenant = limits.terms
        self.left = limits.new_terms


async def spend(tenant: Tenant, before: ItemTerms, after: ItemTerms, allowance: TermAllowance, fault: Fault) -> None:
    """Take the new terms of a change from the allowance, before the change is made.

    The database is asked which terms are new only if their number may be too large.

    Raises Refused: `fault` when the request adds too many, QUOTA_EXCEEDED when the tenant has too many.
    """
    added = {Vocabulary.TAGS: after.tags - before.tags, Vocabulary.METADATA: after.metadata - before.metadata}
    left = {each: await room(tenant, each, allowance.of_tenant) if names else 0 for each, names in added.items()}
    is_much = sum(map(len, added.values())) > allowance.left
    if is_much or any(len(names) > left[each] for each, names in added.items()):
        added = {each: names - await existing(tenant, each, names) if names else names for each, names in added.items()}
    for vocabulary, names in added.items():
        if len(names) > left[vocabulary]:
            raise too_many(tenant, vocabulary, allowance.of_tenant)
    new = sum(map(len, added.values()))
    if new > allowance.left:
        sentence = f"a request may add {allowance.most} new tags and metadata names, which no item has used yet"
        raise Refused(fault, f"{sentence}: send them in several")
    allowance.left -= new


SEEN = "seen."


class TermsChange(NamedTuple):
    """The terms of an item before and after a change. A new term becomes a folk term of `user`."""

    before: ItemTerms
    after: ItemTerms
    user: ObjectId


async def count_uses(tenant: Tenant, before: ItemTerms, after: ItemTerms, user: ObjectId) -> None:
    """Count the terms that an item uses after a change, and their viewers."""
    await count_all(tenant, [TermsChange(before, after, user)])


async def count_all(tenant: Tenant, changes: Sequence[TermsChange], *others: Writes) -> None:
    """Count the terms of several changes together: what many of them use is updated once.

    `others` are writes that share the commands.
    """
    tags, metadata = TermUpdates(), TermUpdates()
    for before, after, user in changes:
        viewers = before.viewers, after.viewers
        tags.add(before.tags, after.tags, viewers, user)
        metadata.add(before.metadata, after.metadata, viewers, user)
    if len(changes) > 1:
        new = tags.take_new(tenant, tenant.tags), metadata.take_new(tenant, tenant.metadata)
        used = [tags.writes(tenant.tags), metadata.writes(tenant.metadata), *others]
        tags, metadata = new
        await gather_all([write_all(tenant, used), tags.insert(tenant.tags), metadata.insert(tenant.metadata)])
        others = ()
    await write_all(tenant, [tags.writes(tenant.tags), metadata.writes(tenant.metadata), *others])


class TermUpdates:
    """The updates of one vocabulary."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, int]] = {}
        self._first_users: dict[str, ObjectId] = {}  # of added terms
        self._date = now()

    def add(
        self,
        before: frozenset[str],
        after: frozenset[str],
        viewers: tuple[frozenset[str], frozenset[str]],
        user: ObjectId,
    ) -> None:
        saw, see = viewers
        for name in after - before:
            self._first_users.setdefault(name, user)
            self._count(name, 1, "uses", *map(_seen, see))
        for name in before - after:
            self._count(name, -1, "uses", *map(_seen, saw))
        if saw != see:
            for name in before & after:
                self._count(name, 1, *map(_seen, see - saw))
                self._count(name, -1, *map(_seen, saw - see))

    def _count(self, name: str, by: int, *fields: str) -> None:
        counts = self._counts.setdefault(name, {})
        for field in fields:
            counts[field] = counts.get(field, 0) + by

    def take_new(self, tenant: Tenant, terms: TermCollection) -> "TermUpdates":
        """The updates of added terms that may be new. They are no longer among these."""
        used, of, new = tenant.known.used_terms, terms.name, TermUpdates()
        for name, user in self._first_users.items():
            is_known = (of, name) in used
            used[of, name] = True
            if not is_known:
                new._first_users[name] = user
                new._counts[name] = self._counts.pop(name)
        return new

    async def insert(self, terms: TermCollection) -> None:
        """Insert these terms, which are added, with their counts. Those that are there remain to be updated.

        A database that syncs its disk for each update of a command does so once for all inserts.
        """
        added = list(self._counts)
        failures = await terms.insert_each([cast("TermRecord", self._record(name)) for name in added])
        for name, failure in zip(added, failures, strict=True):
            if failure is None:
                del self._counts[name]
            elif not isinstance(failure, Duplicate):
                raise failure

    def _record(self, name: str) -> Changes:
        counts = self._counts[name]
        seen = {field.removeprefix(SEEN): count for field, count in counts.items() if field.startswith(SEEN)}
        return {"_id": name, **self._folk(name), "uses": counts["uses"], "seen": seen}

    def writes(self, terms: TermCollection) -> Writes:
        counted = sorted(self._counts.items())
        return Writes(terms, [self._update(name, counts) for name, counts in counted if counts])

    def _update(self, name: str, counts: dict[str, int]) -> Update:
        if name not in self._first_users:
            return Update({"_id": name}, {"$inc": counts})
        return Update({"_id": name}, {"$inc": counts, "$setOnInsert": self._folk(name)}, upsert=True)

    def _folk(self, name: str) -> Changes:
        return {"usage": Usage.FOLK.value, "owner": self._first_users[name], "timestamp": self._date, **spelling(name)}


def _seen(viewer: str) -> str:
    return SEEN + viewer
