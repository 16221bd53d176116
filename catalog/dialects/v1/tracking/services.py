"""Environments and inference services: lists of what Kubeflow's clients say about the serving of models."""

from collections.abc import Sequence

from litestar import Controller, get

from catalog.dialects.http import guards
from catalog.dialects.http.encoded import JsonResponse
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.v1.models.lists import Listed, ListedResource, listing
from catalog.dialects.v1.models.tracking import EnvironmentBody, ServiceBody
from catalog.dialects.v1.requests.lists import listed, one_by_one
from catalog.domain.access import Caller, readable_by
from catalog.domain.tracking.access import listed_to, readable
from catalog.domain.tracking.records import SERIAL
from catalog.store.query import fields
from catalog.store.query.paging import pages
from catalog.store.records import ServiceRecord

ENVIRONMENTS = ListedResource("Environment", fields.ENVIRONMENTS)
SERVICES = ListedResource("Service", fields.SERVICES)


class Environments(Controller):
    path = "/environments"
    tags = ("Tracking and serving",)
    guards = (guards.signed_in,)

    @get(operation_id="listEnvironments", response_description="A page, or a step of a walk.", **listing(ENVIRONMENTS))
    async def list_(self, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[Listed[EnvironmentBody]]:
        """List the environments that you may read, newest first."""
        return await listed(
            request,
            caller.tenant.environments.records,
            ENVIRONMENTS.fields,
            one_by_one(EnvironmentBody.of),
            access=readable_by(caller),
            order=pages.NEWEST,
            top=await caller.tenant.recent(SERIAL),
        )


class Services(Controller):
    path = "/services"
    tags = ("Tracking and serving",)
    guards = (guards.signed_in,)

    @get(operation_id="listServices", response_description="A page, or a step of a walk.", **listing(SERVICES))
    async def list_(self, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[Listed[ServiceBody]]:
        """List your inference services and those of models that you may read, newest first."""

        async def shown(found: Sequence[ServiceRecord]) -> list[ServiceBody]:
            return [ServiceBody.of(record) for record in await readable(caller, found)]

        return await listed(
            request,
            caller.tenant.services.records,
            SERVICES.fields,
            shown,
            access=await listed_to(caller),
            order=pages.NEWEST,
            top=await caller.tenant.recent(SERIAL),
        )
