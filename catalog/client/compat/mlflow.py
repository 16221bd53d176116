"""Copies the model registry of an MLflow server into the catalog, through the REST API of both.

Models and prompts come with their descriptions and tags, versions with their numbers, stages and sources. Things that
exist in the catalog stay unchanged: a copy can be repeated after an interruption, or to add what is new.
"""

from collections.abc import Callable, Iterator
from urllib.parse import quote

from catalog.client.compat.copying import Copied, Json, SourceRegistry, TargetCatalog, name_of, pages, understood
from catalog.client.compat.mlflow_files import Files, is_local, public_address
from catalog.client.errors import CatalogError, Forbidden, NotFound

REGISTRY = "/api/2.0/mlflow"

PAGE = "100"

PROMPT = "mlflow.prompt.is_prompt"
IS_PROMPT = f"tags.`{PROMPT}` = 'true'"

RESERVED = "catalog."
"""The prefix of tags that give access to a model. They are not copied: another server must not decide on access."""

READY, NO_STAGE = "READY", "None"


class MlflowCopy:
    """One copy of a registry. `tell` is called with the name of each model. With files, those that the other server has
    are copied, too.
    """

    def __init__(
        self, source: SourceRegistry, target: TargetCatalog, tell: Callable[[str], None], *, with_files: bool
    ) -> None:
        self.result = Copied()
        self._source = source
        self._target = target
        self._tell = tell
        self._files = Files(source, target) if with_files else None

    def run(self) -> Copied:
        """Raises CatalogError if either server does not answer."""
        with understood("An answer of the registry"):
            for is_prompt in (False, True):
                for model in self._models(is_prompt=is_prompt):
                    self._copy_model(model, is_prompt=is_prompt)
        return self.result

    def _models(self, *, is_prompt: bool) -> Iterator[Json]:
        """The models, or the prompts. Servers that know no prompts list both together."""
        query = {"max_results": PAGE, **({"filter": IS_PROMPT} if is_prompt else {})}
        for model in self._pages("registered-models/search", query, "registered_models"):
            if (_tags(model).get(PROMPT) == "true") is is_prompt:
                yield model

    def _copy_model(self, theirs: Json, *, is_prompt: bool) -> None:
        kind = "prompt" if is_prompt else "model"
        try:
            name = name_of(theirs)
        except CatalogError as refused:
            self.result.leave_out(kind, refused)
            return
        self._tell(name)
        filter_ = _named(name) + (f" AND {IS_PROMPT}" if is_prompt else "")
        if '"' in name:
            self.result.problems.append(f"{kind} {name}: a search cannot name it")
            return
        try:
            with understood("its description"):
                ours = self._ours_or_new(kind, theirs)
                present = self._present_versions(filter_)
                for version in self._versions(filter_):
                    self._copy_version(version, present)
                self._copy_aliases(name, _aliases(ours), present)
        except Forbidden as refused:  # another user owns a model of that name
            self.result.problems.append(f"{kind} {name}: {refused}")
        except CatalogError as refused:
            self.result.leave_out(f"{kind} {name}", refused)

    def _ours_or_new(self, kind: str, theirs: Json) -> Json:
        """The model of that name in the catalog, created if it is missing."""
        name = theirs["name"]
        try:
            found: Json = self._target("GET", f"{REGISTRY}/registered-models/get", query={"name": name})
            self.result.count(kind, is_new=False)
        except NotFound:
            body = {"name": name, "description": theirs.get("description") or "", "tags": _pairs(theirs)}
            found = self._target("POST", f"{REGISTRY}/registered-models/create", body=body)
            self.result.count(kind, is_new=True)
        model: Json = found["registered_model"]
        return model

    def _present_versions(self, filter_: str) -> set[str]:
        query = {"filter": filter_, "max_results": PAGE}

        def page(token: str) -> Json:
            path = f"{REGISTRY}/model-versions/search"
            found: Json = self._target("GET", path, query={**query, "page_token": token})
            return found

        return {version["version"] for version in pages(page, "model_versions", "next_page_token")}

    def _versions(self, filter_: str) -> Iterator[Json]:
        """Copy the versions of a model, in the order of their numbers, which only grow."""
        query = {"filter": filter_, "max_results": PAGE, "order_by": "version_number ASC"}
        return self._pages("model-versions/search", query, "model_versions")

    def _copy_version(self, theirs: Json, present: set[str]) -> None:
        number = str(theirs["version"])
        if number in present:
            self.result.count("version", is_new=False)
            return
        what = f"version {number[:40]} of {theirs['name']}"
        if theirs.get("status", READY) != READY:
            self.result.problems.append(f"{what}: it is {theirs['status']}")
            return
        try:
            with understood("its description"):
                self._create_version(theirs, what)
        except Forbidden:
            raise
        except CatalogError as refused:
            self.result.leave_out(what, refused)
        else:
            present.add(number)
            self.result.count("version", is_new=True)

    def _create_version(self, theirs: Json, what: str) -> None:
        which = {"name": theirs["name"], "version": str(theirs["version"])}
        source = theirs.get("source") or ""
        address = self._get("model-versions/get-download-uri", which).get("artifact_uri") or source
        uploaded = self._files.upload(theirs, address) if self._files else ""
        stage = theirs.get("current_stage") or NO_STAGE
        body = {
            **which,
            "source": uploaded or public_address(self._source.url, address) or "unknown",
            "run_id": theirs.get("run_id") or "",
            "run_link": theirs.get("run_link") or "",
            "description": theirs.get("description") or "",
            "model_id": theirs.get("model_id") or "",
            "tags": _pairs(theirs),
            "current_stage": stage,
        }
        headers = {"X-Catalog-Author": quote(theirs.get("user_id") or ""), "X-Catalog-Origin": quote(source)}
        self._target("POST", f"{REGISTRY}/model-versions/create", body=body, headers=headers)
        if self._files and uploaded:
            self._files.forget(theirs)
            self.result.count("version with its files", is_new=True)
        elif self._files and is_local(address):
            self.result.problems.append(f"files of {what}: they are at {address}, on another machine's disk")

    def _copy_aliases(self, name: str, ours: dict[str, str], present: set[str]) -> None:
        theirs = self._get("registered-models/get", {"name": name})["registered_model"]
        for alias, number in _aliases(theirs).items():
            if alias in ours:
                self.result.count("alias", is_new=False)
            elif number not in present:
                self.result.problems.append(f"alias {alias} of {name}: its version {number} is not here")
            else:
                body = {"name": name, "alias": alias, "version": number}
                try:
                    self._target("POST", f"{REGISTRY}/registered-models/alias", body=body)
                except CatalogError as refused:
                    self.result.leave_out(f"alias {alias} of {name}", refused)
                else:
                    self.result.count("alias", is_new=True)

    def _get(self, call: str, query: dict[str, str]) -> Json:
        found: Json = self._source.get(f"{REGISTRY}/{call}", query)
        return found

    def _pages(self, call: str, query: dict[str, str], elements: str) -> Iterator[Json]:
        return pages(lambda token: self._get(call, {**query, "page_token": token}), elements, "next_page_token")


def _named(name: str) -> str:
    return f'name = "{name}"' if "'" in name else f"name = '{name}'"


def _tags(thing: Json) -> dict[str, str]:
    return {tag["key"]: tag.get("value") or "" for tag in thing.get("tags") or ()}


def _pairs(thing: Json) -> list[dict[str, str]]:
    """Tags, in the form in which a request to create has them."""
    return [{"key": key, "value": value} for key, value in _tags(thing).items() if not key.startswith(RESERVED)]


def _aliases(model: Json) -> dict[str, str]:
    return {alias["alias"]: str(alias["version"]) for alias in model.get("aliases") or ()}
