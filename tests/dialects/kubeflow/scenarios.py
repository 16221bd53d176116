"""What Kubeflow's own Python client does with the catalog, as a program: `scenarios.py URL TOKEN`.

It runs in a process of its own, also in another environment with an older client: that client leaves sockets open and
changes the event loop of its process. It prints the traceback of each scenario that fails, by name, as JSON.
"""

import inspect
import json
import sys
import traceback
import urllib.request
import warnings
from collections.abc import Callable
from typing import Any

KNOWN = {"accuracy": 0.97, "epochs": 3, "is_final": True, "framework": "onnx", "label": ""}


class World:
    def __init__(self, url: str, token: str) -> None:
        from model_registry import ModelRegistry  # noqa: PLC0415  only this process has it

        self.url, self.headers = url, {"Authorization": f"Bearer {token}"}
        self.registry: Any = ModelRegistry(url, author="ada", is_secure=False, user_token=token)

    def register(self, name: str, version: str = "v1", **more: Any) -> Any:
        known = {"version": version, "model_format_name": "onnx", "model_format_version": "1"}
        return self.registry.register_model(name, f"s3://models/{name}", **known, **more)

    def send(self, path: str, content: bytes | dict[str, Any] | None = None, **headers: str) -> bytes:
        is_json = isinstance(content, dict)
        body = json.dumps(content).encode() if is_json else content
        kind = {"Content-Type": "application/json" if is_json else "application/octet-stream"}
        address = path if "://" in path else self.url + path
        request = urllib.request.Request(address, body, {**self.headers, **kind, **headers})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()


def refusal(attempt: Callable[[], object]) -> str:
    """What the client raises; empty if it does not."""
    try:
        attempt()
    except Exception as refused:  # noqa: BLE001  a class of the client's own
        return str(refused)
    return ""


def a_model_is_registered_and_read_with_all_that_was_said_of_it(world: World) -> None:
    model = world.register("iris", "model:latest", metadata=KNOWN)

    version = world.registry.get_model_version("iris", "model:latest")
    artifact = world.registry.get_model_artifact("iris", "model:latest")

    assert world.registry.get_registered_model("iris").id == model.id
    assert (version.name, version.author, version.custom_properties) == ("model:latest", "ada", KNOWN)
    assert (artifact.uri, artifact.model_format_name) == ("s3://models/iris", "onnx")


def what_is_not_there_is_none_and_a_second_registration_is_refused(world: World) -> None:
    world.register("twice")

    assert world.registry.get_registered_model("nowhere") is None
    assert world.registry.get_model_version("twice", "v2") is None
    assert "already exists" in refusal(lambda: world.register("twice"))


def models_versions_and_artifacts_are_changed(world: World) -> None:
    registry, model = world.registry, world.register("changing")
    version, artifact = registry.get_model_version("changing", "v1"), registry.get_model_artifact("changing", "v1")
    before = [each.last_update_time_since_epoch for each in (model, version, artifact)]
    model.description, version.author, artifact.model_format_version = "new", "bob", "2"

    changed = [registry.update(each) for each in (model, version, artifact)]

    assert registry.get_registered_model("changing").description == "new"
    assert registry.get_model_version("changing", "v1").author == "bob"
    assert registry.get_model_artifact("changing", "v1").model_format_version == "2"
    assert all(new.last_update_time_since_epoch != old for new, old in zip(changed, before, strict=True))


def the_pager_shows_each_model_once_in_every_order(world: World) -> None:
    names = [f"paged-{number:02}" for number in range(21)]
    for name in names:
        world.send("/api/model_registry/v1/registered_models", {"name": name})

    pager = world.registry.get_registered_models().page_size(10)

    def paged(ordered: Any) -> list[str]:
        return [each.name for each in ordered if each.name.startswith("paged")]

    assert paged(pager.order_by_id()) == names
    assert paged(pager.order_by_creation_time().descending()) == names[::-1]
    assert paged(pager.order_by_update_time().ascending()) == names


def a_model_that_was_pushed_has_an_artifact_that_can_be_fetched(world: World) -> None:
    world.send("/v1/models", {"name": "pushed", "tags": ["hot"]})
    named = {"Content-Disposition": 'attachment; filename="pushed.onnx"'}
    world.send("/v1/models/pushed/versions", b"weights", **named)

    artifact = world.registry.get_model_artifact("pushed", "1")

    assert world.registry.get_registered_model("pushed").custom_properties == {"hot": ""}
    assert world.send(artifact.uri) == b"weights"
    artifact.description = "said of it"
    assert world.registry.update(artifact).uri == artifact.uri


def an_experiment_is_tracked_by_clients_that_can(world: World) -> None:
    if not hasattr(world.registry, "start_experiment_run"):
        return
    with world.registry.start_experiment_run(experiment_name="trials") as run:
        run.log_param("lr", 0.1)
        for step in range(3):
            run.log_metric("loss", 1 - step / 10, step=step)

    logs = {log.name: log for log in world.registry.get_experiment_run_logs(run_id=run.info.id)}

    assert float(logs["lr"].value) == 0.1
    assert abs(logs["loss"].value - 0.8) < 1e-9
    assert [each.name for each in world.registry.get_experiments()] == ["trials"]


SCENARIOS = [
    each
    for name, each in list(globals().items())
    if inspect.isfunction(each) and list(inspect.signature(each).parameters) == ["world"]
]


def main(url: str, token: str) -> dict[str, str]:
    failures = {}
    world = World(url, token)
    for scenario in SCENARIOS:
        try:
            scenario(world)
        except Exception:  # noqa: BLE001  each is reported
            failures[scenario.__name__] = traceback.format_exc()
    return failures


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(main(*sys.argv[1:])))
