"""Experiments and runs: lists of what Kubeflow's clients have tracked."""

from collections.abc import Sequence

from litestar import Controller, get

from catalog.dialects.http import guards
from catalog.dialects.http.encoded import JsonResponse
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.v1.models.lists import Listed, ListedResource, listing
from catalog.dialects.v1.models.tracking import ExperimentBody, ExperimentRunBody
from catalog.dialects.v1.requests.lists import listed, one_by_one
from catalog.domain.access import Caller, readable_by
from catalog.domain.tracking.access import listed_to, readable
from catalog.domain.tracking.records import SERIAL
from catalog.store.query import fields
from catalog.store.query.paging import pages
from catalog.store.records import ExperimentRunRecord

EXPERIMENTS = ListedResource("Experiment", fields.EXPERIMENTS)
RUNS = ListedResource("ExperimentRun", fields.RUNS)


class Experiments(Controller):
    path = "/experiments"
    tags = ("Tracking and serving",)
    guards = (guards.signed_in,)

    @get(operation_id="listExperiments", response_description="A page, or a step of a walk.", **listing(EXPERIMENTS))
    async def list_(self, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[Listed[ExperimentBody]]:
        """List the experiments that you may read, newest first."""
        return await listed(
            request,
            caller.tenant.experiments.records,
            EXPERIMENTS.fields,
            one_by_one(ExperimentBody.of),
            access=readable_by(caller),
            order=pages.NEWEST,
            top=await caller.tenant.recent(SERIAL),
        )


class Runs(Controller):
    path = "/runs"
    tags = ("Tracking and serving",)
    guards = (guards.signed_in,)

    @get(operation_id="listRuns", response_description="A page, or a step of a walk.", **listing(RUNS))
    async def list_(self, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[Listed[ExperimentRunBody]]:
        """List the runs of the experiments that you may read, newest first."""

        async def shown(found: Sequence[ExperimentRunRecord]) -> list[ExperimentRunBody]:
            return [ExperimentRunBody.of(record) for record in await readable(caller, found)]

        return await listed(
            request,
            caller.tenant.runs.records,
            RUNS.fields,
            shown,
            access=await listed_to(caller),
            order=pages.NEWEST,
            top=await caller.tenant.recent(SERIAL),
        )
