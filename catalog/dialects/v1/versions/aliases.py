"""Aliases: movable names for versions, and the history of their moves."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from litestar import Controller, delete, get, post, put

from catalog.dialects.http import guards
from catalog.dialects.http.docs.parameters import query
from catalog.dialects.http.docs.refusals import answers, refuses
from catalog.dialects.http.docs.schemas import Schema, Schemas
from catalog.dialects.http.encoded import AnyJson, JsonResponse, json_response
from catalog.dialects.http.requests.injection import AnyRequest, Injected, RouteOptions
from catalog.dialects.v1.items.items import REVISION, words_of
from catalog.dialects.v1.models.aliases import AliasBody, Aliases, AliasMoveBody, AliasTarget
from catalog.dialects.v1.models.lists import Listed, ListedResource, listing
from catalog.dialects.v1.requests.bodies import Json
from catalog.dialects.v1.requests.http import revisions_seen, shown
from catalog.dialects.v1.requests.lists import listed
from catalog.dialects.v1.requests.parameters import IF_MATCH, IF_NONE_MATCH, AliasName, ItemKey, flag, flag_query
from catalog.domain.access import Caller
from catalog.domain.items import items
from catalog.domain.items.reading.related import load_users
from catalog.domain.items.references import Reference
from catalog.domain.versions.aliases import aliases, history
from catalog.errors import (
    ALIAS_MOVED,
    ALIAS_UNKNOWN,
    AMBIGUOUS,
    BUSY,
    CANNOT_MODIFY,
    CANNOT_READ,
    INVALID_FIELD,
    LIMIT_REACHED,
    NOT_FOUND,
    QUARANTINED,
    STALE,
    VERSION_DRAFT,
)
from catalog.store.query import fields
from catalog.store.query.declarations import DATE, Field
from catalog.store.query.filters.literals import literal
from catalog.store.records import AliasMoveRecord, AliasRecord, ItemRecord
from catalog.vocabulary import Kind

MOVES = ListedResource("AliasMove", fields.ALIAS_MOVES)
HISTORY = flag_query("history", "`true`: list the moves, newest first.")
AT = query("at", "What the alias pointed to at this moment.", {"type": "string", "format": "date-time"})


def with_history(*more: Schema) -> RouteOptions:
    """The options of a GET that also lists moves."""
    options = listing(MOVES)
    of_list = options["parameters"]

    def parameters(controller: object, schemas: Schemas) -> list[Schema]:
        return [HISTORY, *more, *of_list(controller, schemas)]

    return options | {"parameters": parameters, "details": "With `history=true` the answer is a list of moves."}


class VersionAliases(Controller):
    kind: ClassVar[Kind]
    words: ClassVar[dict[str, str]]
    guards = (guards.signed_in,)

    @get(
        operation_id="list{Kind}Aliases",
        response_description="The aliases by name, or a page of the history.",
        responses=refuses(NOT_FOUND, CANNOT_READ, AMBIGUOUS),
        **with_history(),
    )
    async def list_(
        self, key: ItemKey, request: AnyRequest, caller: Injected[Caller]
    ) -> JsonResponse[Aliases | Listed[AliasMoveBody]]:
        """List the aliases of one of the {kinds}."""
        item = await items.read(caller, self.kind, Reference(key))
        if flag(request, "history"):
            return await self._history(request, caller, item)
        known = item.get("aliases", [])
        users = await load_users(caller, (alias["user"] for alias in known))
        return json_response(Aliases([AliasBody.of(alias, users, caller) for alias in known]))

    @get(
        "/{alias:str}",
        operation_id="show{Kind}Alias",
        response_description="The alias, with its revision; or a page of its history.",
        response_headers=REVISION,
        responses=answers(304, None, "The client has this revision.")
        | refuses(NOT_FOUND, ALIAS_UNKNOWN, CANNOT_READ, AMBIGUOUS),
        **with_history(AT, IF_NONE_MATCH),
    )
    async def show(
        self, key: ItemKey, alias: AliasName, request: AnyRequest, caller: Injected[Caller]
    ) -> JsonResponse[AliasBody | Listed[AliasMoveBody]]:
        """Get an alias, as it is or as it was."""
        item = await items.read(caller, self.kind, Reference(key))
        if flag(request, "history"):
            await history.refuse_unknown(caller, item, alias)
            return await self._history(request, caller, item, alias)
        if moment := request.query_params.get("at"):
            then: datetime = literal(Field("at", DATE), moment)
            move = await history.at(caller, self.kind, item, alias, then)
            return json_response(AliasBody.then(move, await load_users(caller, [move["user"]]), caller))
        return await _shown(request, caller, aliases.read(item, alias))

    @put(
        "/{alias:str}",
        operation_id="point{Kind}Alias",
        parameters=[IF_MATCH],
        response_description="The alias, with its revision.",
        response_headers=REVISION,
        responses=refuses(
            NOT_FOUND,
            CANNOT_MODIFY,
            AMBIGUOUS,
            INVALID_FIELD,
            LIMIT_REACHED,
            ALIAS_MOVED,
            QUARANTINED,
            VERSION_DRAFT,
            STALE,
            BUSY,
        ),
    )
    async def point(
        self, key: ItemKey, alias: AliasName, request: AnyRequest, data: Json[AliasTarget], caller: Injected[Caller]
    ) -> JsonResponse[AliasBody]:
        """Point an alias to a version.

        It is created if it does not exist.
        """
        item = await aliases.point(
            caller,
            self.kind,
            Reference(key, data.version),
            alias,
            expected=data.expected,
            revisions=revisions_seen(request),
        )
        return await _shown(request, caller, aliases.read(item, alias))

    @delete(
        "/{alias:str}",
        status_code=200,
        operation_id="remove{Kind}Alias",
        parameters=[IF_MATCH],
        response_description="The alias, as it was.",
        responses=refuses(NOT_FOUND, ALIAS_UNKNOWN, CANNOT_MODIFY, AMBIGUOUS, STALE, BUSY),
    )
    async def remove(
        self, key: ItemKey, alias: AliasName, request: AnyRequest, caller: Injected[Caller]
    ) -> JsonResponse[AliasBody]:
        """Remove an alias. Its history stays."""
        revisions = revisions_seen(request)
        removed = await aliases.remove(caller, self.kind, Reference(key), alias, revisions=revisions)
        return await _shown(request, caller, removed)

    @post(
        "/{alias:str}/rollback",
        status_code=200,
        operation_id="rollBack{Kind}Alias",
        response_description="The alias, with its revision.",
        response_headers=REVISION,
        responses=refuses(NOT_FOUND, ALIAS_UNKNOWN, CANNOT_MODIFY, AMBIGUOUS, INVALID_FIELD, QUARANTINED, BUSY),
    )
    async def roll_back(
        self, key: ItemKey, alias: AliasName, request: AnyRequest, caller: Injected[Caller]
    ) -> JsonResponse[AliasBody]:
        """Point an alias to the version before.

        A second rollback goes one step further back.
        """
        item = await aliases.rollback(caller, self.kind, Reference(key), alias)
        return await _shown(request, caller, aliases.read(item, alias))

    async def _history(self, request: AnyRequest, caller: Caller, item: ItemRecord, alias: str = "") -> AnyJson:
        async def shown_moves(found: Sequence[AliasMoveRecord]) -> list[AliasMoveBody]:
            users = await load_users(caller, (move["user"] for move in found))
            return [AliasMoveBody.of(move, users, caller) for move in found]

        await history.complete(caller, self.kind, item)
        return await listed(
            request,
            caller.tenant.alias_moves.records,
            fields.ALIAS_MOVES,
            shown_moves,
            access=history.of_item(item, alias),
            order=history.NEWEST_FIRST,
        )


async def _shown(request: AnyRequest, caller: Caller, alias: AliasRecord) -> AnyJson:
    users = await load_users(caller, [alias["user"]])
    return shown(request, AliasBody.of(alias, users, caller), alias["revision"], embeds=True)


class ModelAliases(VersionAliases):
    path = "/models/{key:str}/aliases"
    tags = ("Models",)
    kind = Kind.MODEL
    words = words_of(Kind.MODEL)


class DatasetAliases(VersionAliases):
    path = "/datasets/{key:str}/aliases"
    tags = ("Datasets",)
    kind = Kind.DATASET
    words = words_of(Kind.DATASET)


class AlgorithmAliases(VersionAliases):
    path = "/algorithms/{key:str}/aliases"
    tags = ("Algorithms",)
    kind = Kind.ALGORITHM
    words = words_of(Kind.ALGORITHM)
