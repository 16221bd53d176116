"""The demo, for administrators of one tenant: DEFAULT_TENANT_DEMO, and only with DEMO."""

from litestar import Controller, delete, get, post

from catalog.dialects.http import guards
from catalog.dialects.http.docs.parameters import query
from catalog.dialects.http.docs.refusals import refuses
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.v1.items import items as shown_items
from catalog.dialects.v1.items import terms as shown_terms
from catalog.dialects.v1.models.people.people import UserBody
from catalog.dialects.v1.models.tenants.demo import DemoContent, DemoMade, DemoRemoved
from catalog.domain.access import Caller
from catalog.domain.demo import content, filling, removal
from catalog.errors import (
    CANNOT_CREATE,
    CANNOT_DELETE,
    DEMO_TENANT_ONLY,
    INVALID_QUERY,
    QUOTA_EXCEEDED,
    UNKNOWN_ROUTE,
    Refused,
)
from catalog.store.query.paging.cursors import DESCENDING
from catalog.store.tenant_documents import BoundCollection, D, R
from catalog.vocabulary import Kind

MOST = 1000

MODELS = query(
    "models",
    "How many models the demo has.",
    {"type": "integer", "minimum": 1, "maximum": content.MOST_MODELS, "default": content.MODELS},
)


class Demo(Controller):
    path = "/demo"
    tags = ("Demo",)
    guards = (guards.administrators_only,)

    @post(
        status_code=200,
        operation_id="createDemo",
        response_description="What was made.",
        responses=refuses(DEMO_TENANT_ONLY, UNKNOWN_ROUTE, INVALID_QUERY, CANNOT_CREATE, QUOTA_EXCEEDED),
        parameters=[MODELS],
    )
    async def create(
        self, request: AnyRequest, caller: Injected[Caller], demo: Injected[bool], demo_tenant: Injected[str]
    ) -> JsonResponse[DemoMade]:
        """Fill the demo tenant with people, groups, datasets, algorithms and models, the same each time.

        What is there already stays as it is, so that an interrupted request can be repeated.
        """
        _refuse_elsewhere(request, caller, demo, demo_tenant)
        return json_response(DemoMade.of(await filling.fill(caller, _models(request))))

    @get(
        operation_id="showDemo",
        response_description="What is there.",
        responses=refuses(DEMO_TENANT_ONLY, UNKNOWN_ROUTE),
    )
    async def show(
        self, request: AnyRequest, caller: Injected[Caller], demo: Injected[bool], demo_tenant: Injected[str]
    ) -> JsonResponse[DemoContent]:
        """Show what the demo tenant has."""
        _refuse_elsewhere(request, caller, demo, demo_tenant)
        tenant = caller.tenant
        datasets, models = [
            await shown_items.shown(await _newest(tenant.items(kind), "serial"), caller)
            for kind in (Kind.DATASET, Kind.MODEL)
        ]
        tags, metadata = [
            await shown_terms.shown(await _newest(terms, "timestamp"), caller)
            for terms in (tenant.tags, tenant.metadata)
        ]
        users = [UserBody.of(record) for record in await _newest(tenant.users, "timestamp")]
        return json_response(DemoContent(users=users, tags=tags, metadata=metadata, datasets=datasets, models=models))

    @delete(
        status_code=200,
        operation_id="removeDemo",
        response_description="What was removed.",
        responses=refuses(DEMO_TENANT_ONLY, UNKNOWN_ROUTE, CANNOT_DELETE),
    )
    async def remove(
        self,
        request: AnyRequest,
        caller: Injected[Caller],
        demo: Injected[bool],
        demo_tenant: Injected[str],
        sessions: Injected[Sessions],
    ) -> JsonResponse[DemoRemoved]:
        """Remove what the demo made, and nothing else.

        What others have built on it stays, with what it uses.
        """
        _refuse_elsewhere(request, caller, demo, demo_tenant)
        emptied = await removal.remove(caller)
        for user in emptied.moved:
            sessions.forget(caller.tenant.name, user)
        return json_response(DemoRemoved.of(emptied))


def _refuse_elsewhere(request: AnyRequest, caller: Caller, demo: bool, demo_tenant: str) -> None:
    """Raises Refused: UNKNOWN_ROUTE without DEMO, DEMO_TENANT_ONLY."""
    if not demo:
        raise Refused(UNKNOWN_ROUTE, f"{request.method} {request.url.path}")
    if caller.tenant.name != demo_tenant:
        raise Refused(DEMO_TENANT_ONLY, demo_tenant)


def _models(request: AnyRequest) -> int:
    """Raises Refused: INVALID_QUERY."""
    text = request.query_params.get("models", str(content.MODELS))
    if not (text.isascii() and text.isdigit() and len(text) < len(str(MOST)) + 1):
        raise Refused(INVALID_QUERY, "models: a number is needed")
    if not 1 <= int(text) <= content.MOST_MODELS:
        raise Refused(INVALID_QUERY, f"models: from 1 to {content.MOST_MODELS}")
    return int(text)


async def _newest(collection: BoundCollection[D, R], field: str) -> list[R]:
    found: list[R] = await collection.records.find({}).sort(field, DESCENDING).limit(MOST).to_list(None)
    return found
