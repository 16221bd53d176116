"""Experiments, their runs, and the history of metrics."""

import re
from collections.abc import Sequence
from functools import partial

from catalog.dialects.kubeflow.filters.properties import EXPERIMENT_RUNS, EXPERIMENTS, METRIC_POINTS
from catalog.dialects.kubeflow.models.artifacts import Metric, point
from catalog.dialects.kubeflow.models.common import serial_of
from catalog.dialects.kubeflow.models.experiments import (
    Experiment,
    ExperimentCreate,
    ExperimentRun,
    ExperimentRunCreate,
    ExperimentRunInput,
    ExperimentRunUpdate,
    ExperimentUpdate,
)
from catalog.dialects.kubeflow.models.lists import EncodedPage
from catalog.dialects.kubeflow.pages import listed, serials_of
from catalog.dialects.kubeflow.requests import KubeflowCall
from catalog.domain.access import readable_by
from catalog.domain.limits import LONGEST_NAME
from catalog.domain.tracking import experiments, runs
from catalog.domain.tracking.access import listed_to, readable
from catalog.errors import INVALID_FIELD, INVALID_QUERY, NOT_FOUND, Refused
from catalog.store.query.filters.patterns import escaped
from catalog.store.records import ExperimentRecord, ExperimentRunRecord, MetricPointRecord, Query
from catalog.store.tenant import VERSION_SERIAL

_STEPS = re.compile(r"[0-9]{1,9}(,[0-9]{1,9}){0,999}")


async def find(call: KubeflowCall) -> Experiment:
    name, external_id = call.keys()
    return Experiment.of(await experiments.find(call.caller, name=name, external_id=external_id))


async def list_(call: KubeflowCall) -> EncodedPage:
    async def shapes(found: Sequence[ExperimentRecord]) -> list[Experiment]:
        return [Experiment.of(record) for record in found]

    tenant = call.caller.tenant
    access, top = readable_by(call.caller), await tenant.recent("serial")
    return await listed(call, tenant.experiments.records, access, EXPERIMENTS, shapes, top=top)


async def create(call: KubeflowCall) -> Experiment:
    new: ExperimentCreate = await call.body(ExperimentCreate)
    visibility = call.services.default_visibility
    return Experiment.of(await experiments.create(call.caller, new.as_input(visibility), call.limits))


async def read(call: KubeflowCall) -> Experiment:
    return Experiment.of(await experiments.read(call.caller, call.serial))


async def update(call: KubeflowCall) -> Experiment:
    body: ExperimentUpdate = await call.body(ExperimentUpdate)
    before = await experiments.read(call.caller, call.serial)
    wanted = body.as_change(before["metadata"])
    return Experiment.of(await experiments.change(call.caller, call.serial, wanted, call.limits))


async def find_run(call: KubeflowCall) -> ExperimentRun:
    name, parent, external_id = call.keys_in_parent()
    found = await runs.find(call.caller, name=name, experiment=parent, external_id=external_id)
    return await _run(call, found)


async def list_runs(call: KubeflowCall) -> EncodedPage:
    return await _listed(call, await listed_to(call.caller), top=await call.caller.tenant.recent("serial"))


async def list_of_experiment(call: KubeflowCall) -> EncodedPage:
    experiment = await experiments.read(call.caller, call.serial)
    return await _listed(call, {"experiment": experiment["_id"]})


async def _listed(call: KubeflowCall, query: Query, *, top: int | None = None) -> EncodedPage:
    async def shapes(found: Sequence[ExperimentRunRecord]) -> list[ExperimentRun]:
        serials = await serials_of(call.caller.tenant.experiments.records, [record["experiment"] for record in found])
        return [ExperimentRun.of(record, serials[record["experiment"]]) for record in found]

    return await listed(
        call,
        call.caller.tenant.runs.records,
        query,
        EXPERIMENT_RUNS,
        shapes,
        keep=partial(readable, call.caller),
        top=top,
    )


async def create_run(call: KubeflowCall) -> ExperimentRun:
    new: ExperimentRunCreate = await call.body(ExperimentRunCreate)
    experiment = serial_of(new.experiment_id, "experimentId")
    return ExperimentRun.of(await runs.create(call.caller, experiment, new.as_input(), call.limits), experiment)


async def upsert_of_experiment(call: KubeflowCall) -> ExperimentRun:
    """Create a run of the experiment in the path or, with an `id`, change it."""
    body: ExperimentRunInput = await call.body(ExperimentRunInput)
    experiment = call.serial
    if body.experiment_id and serial_of(body.experiment_id, "experimentId") != experiment:
        raise Refused(INVALID_FIELD, "experimentId is not the id in the path")
    if not body.id:
        return ExperimentRun.of(await runs.create(call.caller, experiment, body.as_input(), call.limits), experiment)
    serial = serial_of(body.id)
    if (await _run(call, await runs.read(call.caller, serial))).experiment_id != str(experiment):
        raise Refused(NOT_FOUND, f"run {body.id} of experiment {experiment} not found")
    return await _changed(call, serial, body)


async def read_run(call: KubeflowCall) -> ExperimentRun:
    return await _run(call, await runs.read(call.caller, call.serial))


async def update_run(call: KubeflowCall) -> ExperimentRun:
    return await _changed(call, call.serial, await call.body(ExperimentRunUpdate))


async def history(call: KubeflowCall) -> EncodedPage:
    """The history of the metrics of every run that the caller may read."""
    return await _history(call, await listed_to(call.caller), top=await call.caller.tenant.recent(VERSION_SERIAL))


async def history_of_run(call: KubeflowCall) -> EncodedPage:
    run = await runs.read(call.caller, call.serial)
    return await _history(call, {"run": run["_id"]})


async def _history(call: KubeflowCall, query: Query, *, top: int | None = None) -> EncodedPage:
    async def shapes(found: Sequence[MetricPointRecord]) -> list[Metric]:
        tenant = call.caller.tenant
        serials = await serials_of(tenant.runs.records, [record["run"] for record in found])
        of = await serials_of(
            call.caller.tenant.experiments.records, [key for record in found for key in record["experiments"]]
        )
        return [point(record, of[record["experiments"][0]], serials[record["run"]]) for record in found]

    if name := call.query("name"):
        if len(name) > LONGEST_NAME:
            raise Refused(INVALID_QUERY, f"name: at most {LONGEST_NAME} characters are allowed")
        query = query | {"name": {"$regex": escaped(name)}}
    if steps := call.query("stepIds"):
        query = query | {"details.step": {"$in": _steps(steps)}}
    points = call.caller.tenant.metric_points.records
    return await listed(call, points, query, METRIC_POINTS, shapes, keep=partial(readable, call.caller), top=top)


def _steps(text: str) -> list[int]:
    if not _STEPS.fullmatch(text):
        raise Refused(INVALID_QUERY, f"stepIds: {text[:40]!r} is not a list of steps")
    return [int(each) for each in text.split(",")]


async def _changed(call: KubeflowCall, serial: int, body: ExperimentRunUpdate) -> ExperimentRun:
    before = await runs.read(call.caller, serial)
    return await _run(call, await runs.change(call.caller, serial, body.as_change(before["metadata"]), call.limits))


async def _run(call: KubeflowCall, record: ExperimentRunRecord) -> ExperimentRun:
    return ExperimentRun.of(
        record, (await serials_of(call.caller.tenant.experiments.records, [record["experiment"]]))[record["experiment"]]
    )
