"""Experiments, their runs, and the history of metrics."""

import re
from collections.abc import Sequence
from typing import Any

from bson import ObjectId

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
from catalog.dialects.kubeflow.models.lists import ResourcePage
from catalog.dialects.kubeflow.pages import listed
from catalog.dialects.kubeflow.requests import Ask, refuse_without_keys
from catalog.domain.access import readable_by
from catalog.domain.tracking import experiments, runs
from catalog.domain.tracking.access import listed_to, readable
from catalog.errors import INVALID_FIELD, INVALID_QUERY, NOT_FOUND, Refused
from catalog.store.query.filters.patterns import escaped
from catalog.store.records import ExperimentRecord, ExperimentRunRecord, MetricPointRecord, Query
from catalog.store.tenant import VERSION_SERIAL
from catalog.store.tenant_documents import Raw

_STEPS = re.compile(r"[0-9]{1,9}(,[0-9]{1,9}){0,999}")


async def find(ask: Ask) -> Experiment:
    name, external_id = ask.query("name"), ask.query("externalId")
    refuse_without_keys(name, external_id)
    return Experiment.of(await experiments.find(ask.caller, name=name, external_id=external_id))


async def list_(ask: Ask) -> ResourcePage[Experiment]:
    async def shapes(found: Sequence[ExperimentRecord]) -> list[Any]:
        return [Experiment.of(record) for record in found]

    tenant = ask.caller.tenant
    access, top = readable_by(ask.caller), await tenant.recent("serial")
    return await listed(ask, tenant.experiments.raw, access, EXPERIMENTS, shapes, top=top)


async def create(ask: Ask) -> Experiment:
    new: ExperimentCreate = await ask.body(ExperimentCreate)
    visibility = ask.services.default_visibility
    return Experiment.of(await experiments.create(ask.caller, new.as_input(visibility), ask.limits))


async def read(ask: Ask) -> Experiment:
    return Experiment.of(await experiments.read(ask.caller, ask.serial))


async def update(ask: Ask) -> Experiment:
    body: ExperimentUpdate = await ask.body(ExperimentUpdate)
    before = await experiments.read(ask.caller, ask.serial)
    wanted = body.as_change(before["metadata"])
    return Experiment.of(await experiments.change(ask.caller, ask.serial, wanted, ask.limits))


async def find_run(ask: Ask) -> ExperimentRun:
    name, parent, external_id = ask.query("name"), ask.parent(), ask.query("externalId")
    refuse_without_keys(name and parent, external_id)
    found = await runs.find(ask.caller, name=name if parent else "", experiment=parent, external_id=external_id)
    return await _run(ask, found)


async def list_runs(ask: Ask) -> ResourcePage[ExperimentRun]:
    return await _listed(ask, await listed_to(ask.caller), top=await ask.caller.tenant.recent("serial"))


async def list_of_experiment(ask: Ask) -> ResourcePage[ExperimentRun]:
    experiment = await experiments.read(ask.caller, ask.serial)
    return await _listed(ask, {"experiment": experiment["_id"]})


async def _listed(ask: Ask, query: Query, *, top: int | None = None) -> ResourcePage[ExperimentRun]:
    async def shapes(found: Sequence[ExperimentRunRecord]) -> list[Any]:
        serials = await _serials(ask, [record["experiment"] for record in found])
        return [ExperimentRun.of(record, serials[record["experiment"]]) for record in found]

    async def keep(batch: list[Raw]) -> list[Raw]:
        return await readable(ask.caller, batch)  # type: ignore[type-var]

    return await listed(ask, ask.caller.tenant.runs.raw, query, EXPERIMENT_RUNS, shapes, keep=keep, top=top)


async def create_run(ask: Ask) -> ExperimentRun:
    new: ExperimentRunCreate = await ask.body(ExperimentRunCreate)
    experiment = serial_of(new.experiment_id, "experimentId")
    return ExperimentRun.of(await runs.create(ask.caller, experiment, new.as_input(), ask.limits), experiment)


async def upsert_of_experiment(ask: Ask) -> ExperimentRun:
    """Create a run of the experiment in the path or, with an `id`, change it."""
    body: ExperimentRunInput = await ask.body(ExperimentRunInput)
    experiment = ask.serial
    if body.experiment_id and serial_of(body.experiment_id, "experimentId") != experiment:
        raise Refused(INVALID_FIELD, "experimentId is not the id in the path")
    if not body.id:
        return ExperimentRun.of(await runs.create(ask.caller, experiment, body.as_input(), ask.limits), experiment)
    serial = serial_of(body.id)
    if (await _run(ask, await runs.read(ask.caller, serial))).experiment_id != str(experiment):
        raise Refused(NOT_FOUND, f"run {body.id} of experiment {experiment} not found")
    return await _changed(ask, serial, body)


async def read_run(ask: Ask) -> ExperimentRun:
    return await _run(ask, await runs.read(ask.caller, ask.serial))


async def update_run(ask: Ask) -> ExperimentRun:
    return await _changed(ask, ask.serial, await ask.body(ExperimentRunUpdate))


async def history(ask: Ask) -> ResourcePage[Metric]:
    """The history of the metrics of every run that the caller may read."""
    return await _history(ask, await listed_to(ask.caller), top=await ask.caller.tenant.recent(VERSION_SERIAL))


async def history_of_run(ask: Ask) -> ResourcePage[Metric]:
    run = await runs.read(ask.caller, ask.serial)
    return await _history(ask, {"run": run["_id"]})


async def _history(ask: Ask, query: Query, *, top: int | None = None) -> ResourcePage[Metric]:
    async def shapes(found: Sequence[MetricPointRecord]) -> list[Any]:
        tenant = ask.caller.tenant
        known = tenant.runs.records.find({"_id": {"$in": list({record["run"] for record in found})}}, {"serial": 1})
        serials = {run["_id"]: run["serial"] async for run in known}
        of = await _serials(ask, [key for record in found for key in record["experiments"]])
        return [point(record, of[record["experiments"][0]], serials[record["run"]]) for record in found]

    async def keep(batch: list[Raw]) -> list[Raw]:
        return await readable(ask.caller, batch)  # type: ignore[type-var]

    if name := ask.query("name"):
        query = query | {"name": {"$regex": escaped(name)}}
    if steps := ask.query("stepIds"):
        query = query | {"details.step": {"$in": _steps(steps)}}
    points = ask.caller.tenant.metric_points.raw
    return await listed(ask, points, query, METRIC_POINTS, shapes, keep=keep, top=top)


def _steps(text: str) -> list[int]:
    if not _STEPS.fullmatch(text):
        raise Refused(INVALID_QUERY, f"stepIds: {text[:40]!r} is not a list of steps")
    return [int(each) for each in text.split(",")]


async def _changed(ask: Ask, serial: int, body: ExperimentRunUpdate) -> ExperimentRun:
    before = await runs.read(ask.caller, serial)
    return await _run(ask, await runs.change(ask.caller, serial, body.as_change(before["metadata"]), ask.limits))


async def _run(ask: Ask, record: ExperimentRunRecord) -> ExperimentRun:
    return ExperimentRun.of(record, (await _serials(ask, [record["experiment"]]))[record["experiment"]])


async def _serials(ask: Ask, keys: Sequence[ObjectId]) -> dict[ObjectId, int]:
    wanted = list(set(keys))
    found = ask.caller.tenant.experiments.records.find({"_id": {"$in": wanted}}, {"serial": 1})
    return {record["_id"]: record["serial"] async for record in found}
