"""Copies another Kubeflow model registry into the catalog, through the API of both.

Things that exist in the catalog, by name, stay unchanged: a copy can be repeated after an interruption, or to add what
is new. Runs whose registry has no experiments (v1 alone) are not copied.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping

from catalog.client.compat.copying import (
    LONGEST_NAME,
    Copied,
    Json,
    SourceRegistry,
    TargetCatalog,
    name_of,
    pages,
    understood,
)
from catalog.client.errors import CatalogError, NotFound
from catalog.client.session import segment

ROOT = "/api/model_registry"
OLDER, NEWER = "v1alpha3", "v1"

PAGE = "100"

UNKNOWN_FIELD = re.compile(r'unknown field "(\w+)"')

OUTPUT_ONLY = ("id", "createTimeSinceEpoch", "lastUpdateTimeSinceEpoch", "experimentId", "experimentRunId")
"""Fields of answers that a request to create does not have."""


class KubeflowCopy:
    """One copy of a registry. `tell` is called with the name of each model and experiment."""

    def __init__(self, source: SourceRegistry, target: TargetCatalog, tell: Callable[[str], None]) -> None:
        self.result = Copied()
        self._source = source
        self._target = target
        self._tell = tell
        self._prefix = ROOT
        self._models: dict[str, str] = {}  # ids in the other registry, and in the catalog
        self._versions: dict[str, str] = {}
        self._artifacts: dict[str, str] = {}  # those of versions and runs

    def run(self) -> Copied:
        """Raises CatalogError if either registry does not answer."""
        self._prefix = f"{ROOT}/{self._version_of_source()}"
        with understood("An answer of the registry"):
            self._copy_all()
        return self.result

    def _copy_all(self) -> None:
        for model in self._all("/registered_models"):
            self._tell(str(model.get("name"))[:LONGEST_NAME])
            if known := self._made("model", "/registered_model", "/registered_models", model, {}):
                self._models[model["id"]] = known
                self._copy_versions(model["id"], known)
        for environment in self._all("/serving_environments"):
            known = self._made("environment", "/serving_environment", "/serving_environments", environment, {})
            self._copy_services(environment["id"], known)
        for experiment in self._all_of_experiments():
            self._tell(str(experiment.get("name"))[:LONGEST_NAME])
            if known := self._made("experiment", "/experiment", "/experiments", experiment, {}):
                self._copy_runs(experiment["id"], known)
        self._copy_artifacts_alone()

    def _copy_versions(self, theirs: str, ours: str) -> None:
        for version in self._all(f"/registered_models/{segment(theirs)}/versions"):
            new = version | {"registeredModelId": ours}
            if known := self._made("version", "/model_version", "/model_versions", new, {"parentResourceId": ours}):
                self._versions[version["id"]] = known
                self._copy_artifacts(f"/model_versions/{segment(version['id'])}", f"/model_versions/{known}")

    def _copy_services(self, theirs: str, ours: str | None) -> None:
        for service in self._all(f"/serving_environments/{segment(theirs)}/inference_services") if ours else ():
            model, version = self._models.get(service["registeredModelId"]), service.get("modelVersionId")
            if model is None or (version and version not in self._versions):
                self.result.problems.append(f"service {service.get('name')}: its model was not copied")
                continue
            new = service | {"registeredModelId": model, "servingEnvironmentId": ours}
            new |= {"modelVersionId": self._versions[version]} if version else {}
            parent = {"parentResourceId": ours or ""}
            if known := self._made("service", "/inference_service", "/inference_services", new, parent):
                self._copy_deployments(
                    f"/inference_services/{segment(service['id'])}/serves", f"/inference_services/{known}"
                )

    def _copy_deployments(self, theirs: str, ours: str) -> None:
        there = {each["name"] for each in self._ours(f"{ours}/serves")}
        for deployment in self._all(theirs):
            if deployment["name"] in there:
                self.result.count("deployment", is_new=False)
            elif version := self._versions.get(deployment["modelVersionId"]):
                body = _without(deployment, OUTPUT_ONLY) | {"modelVersionId": version}
                self._created("deployment", f"{ours}/serves", body)
            else:
                self.result.problems.append(f"deployment {deployment['name']}: its version was not copied")

    def _copy_runs(self, theirs: str, ours: str) -> None:
        for run in self._all(f"/experiments/{segment(theirs)}/experiment_runs"):
            path, parent = f"/experiments/{ours}/experiment_runs", {"parentResourceId": ours}
            if known := self._made("run", "/experiment_run", path, run, parent):
                self._copy_artifacts(f"/experiment_runs/{segment(run['id'])}", f"/experiment_runs/{known}")

    def _copy_artifacts(self, theirs: str, ours: str) -> None:
        """Copy artifacts, metrics with their history if it is available. An artifact that several things share stays
        shared.
        """
        there = {(each["artifactType"], each["name"]): each["id"] for each in self._ours(f"{ours}/artifacts")}
        for artifact in self._all(f"{theirs}/artifacts"):
            kind, path = artifact["artifactType"], f"{ours}/artifacts"
            known = there.get((kind, artifact["name"]))
            if kind == "metric" and theirs.startswith("/experiment_runs"):
                made = self._copy_points(theirs, ours, artifact, known)
            elif known:
                self.result.count("artifact", is_new=False)
                made = known
            elif shared := self._artifacts.get(artifact["id"]):
                made = self._created("link", path, {"id": shared, "artifactType": kind})
            else:
                made = self._created("artifact", path, _without(artifact, OUTPUT_ONLY))
            self._artifacts[artifact["id"]] = made or ""  # what is refused here is not copied alone, either

    def _copy_points(self, theirs: str, ours: str, metric: Json, known: str | None) -> str | None:
        """Copy the values of a metric that the catalog lacks: it has the first ones."""
        name = metric["name"]
        points = _of_name(self._all(f"{theirs}/metric_history", {"name": name}), name) or [metric]
        here = _of_name(self._ours(f"{ours}/metric_history", {"name": name}), name) if known else []
        if len(here) >= len(points):
            self.result.count("artifact", is_new=False)
        for each in points[len(here) :]:
            body = _without(each, OUTPUT_ONLY) | {"artifactType": "metric"}
            known = self._created("artifact", f"{ours}/artifacts", body) or known
        return known

    def _copy_artifacts_alone(self) -> None:
        """Copy artifacts that belong to nothing that was copied. Type, name and address identify an artifact."""
        for artifact in self._all("/artifacts"):
            if artifact["id"] in self._artifacts:
                continue
            query = {"artifactType": artifact["artifactType"], "filterQuery": f"name = {_quoted(artifact['name'])}"}
            if any(each.get("uri") == artifact.get("uri") for each in self._ours("/artifacts", query)):
                self.result.count("artifact", is_new=False)
            else:
                self._created("artifact", "/artifacts", _without(artifact, OUTPUT_ONLY))

    def _made(self, kind: str, find: str, create: str, theirs: Json, query: Mapping[str, str]) -> str | None:
        """The id of the same thing in the catalog, created if it is missing; None if it is refused."""
        try:
            found = self._target("GET", self._prefix + find, query={"name": name_of(theirs), **query})
        except NotFound:
            return self._created(kind, create, _without(theirs, OUTPUT_ONLY))
        except CatalogError as refused:
            self.result.leave_out(f"{kind} {str(theirs.get('name'))[:80]}", refused)
            return None
        self.result.count(kind, is_new=False)
        return str(found["id"])

    def _created(self, kind: str, path: str, body: Json) -> str | None:
        try:
            made = self._target("POST", self._prefix + path, body=body)
        except CatalogError as refused:
            field = UNKNOWN_FIELD.search(str(refused))
            if field and field[1] in body:  # of a newer version of the API
                self.result.leave_out_once(f"the field {field[1]} of every {kind}: it is not known here")
                return self._created(kind, path, _without(body, (field[1],)))
            self.result.leave_out(f"{kind} {str(body.get('name'))[:80]}", refused)
            return None
        self.result.count(kind, is_new=True)
        return str(made["id"])

    def _all_of_experiments(self) -> Iterator[Json]:
        try:
            yield from self._all("/experiments")
        except NotFound:
            self.result.problems.append("the registry has no experiments")

    def _version_of_source(self) -> str:
        """The older version of the API, which has experiments, if the registry has it."""
        try:
            self._source.get(f"{ROOT}/{OLDER}/registered_models", {"pageSize": "1"})
        except NotFound:
            return NEWER
        return OLDER

    def _all(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[Json]:
        asked = {**(query or {}), "pageSize": PAGE}
        return _pages(lambda token: self._source.get(self._prefix + path, {**asked, "nextPageToken": token}))

    def _ours(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[Json]:
        asked = {**(query or {}), "pageSize": PAGE}
        return _pages(lambda token: self._target("GET", self._prefix + path, query={**asked, "nextPageToken": token}))


def _pages(get: Callable[[str], Json]) -> Iterator[Json]:
    return pages(get, "items", "nextPageToken")


def _without(body: Json, names: tuple[str, ...]) -> Json:
    """The body of a request to create something."""
    new = {name: value for name, value in body.items() if name not in names}
    if properties := new.get("customProperties"):
        new["customProperties"] = {name: _portable(value) for name, value in properties.items()}
    return new


def _portable(value: Json) -> Json:
    """A property as it is sent: Kubeflow's own server shows the JSON of a struct, and takes it in Base64."""
    text = value.get("struct_value")
    if isinstance(text, dict):
        text = json.dumps(text)
    if not isinstance(text, str) or not text.lstrip().startswith("{"):
        return value
    return value | {"struct_value": b64encode(text.encode()).decode()}


def _of_name(points: Iterable[Json], name: str) -> list[Json]:
    """The search is for a part of a name."""
    return [each for each in points if each["name"] == name]


def _quoted(text: str) -> str:
    """A text in a filter."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
