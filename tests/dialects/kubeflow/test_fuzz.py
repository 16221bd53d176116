"""Every operation of both OpenAPI documents, asked for what the document allows and forbids.

No answer is a failure of the server, none contradicts the document, and a valid body is not called malformed.
CATALOG_FUZZ_EXAMPLES asks for more, each time others (`make fuzz`).
"""

import os
import re
from base64 import b64encode
from contextlib import suppress
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyStrategyDefinition
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.errors import UnsupportedSchema
from schemathesis.core.parameters import ParameterLocation
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi import checks

from catalog.dialects.kubeflow.api import BOTH, V1ALPHA3
from tests.support.serving import SOON, Server

pytestmark = pytest.mark.process

EXAMPLES = int(os.environ.get("CATALOG_FUZZ_EXAMPLES", "0"))
FEW = 2
"""Questions for an operation, when nobody says how many."""

STEPS = 30
"""Requests that follow links, one from the answer of another."""

BEYOND_SCHEMAS = re.compile(
    "artifact type is immutable|no artifact|is not one of this model|is not the id in the path|metric value is required"
    "|the end time is before|`owner`|U[+][0-9A-F]{4,} is not allowed|without a slash|a slash needs|are not names"
    "|must not be empty|must not begin or end with a space|control characters and line breaks|the number does not fit"
    "|newest version"
)
"""What no schema can say of a body: it refers to something else, or has a character that few patterns name."""

schemathesis.openapi.format(
    "byte", st.sampled_from([b"{}", b'{"a": 1}', b' {"b": [true]}']).map(lambda each: b64encode(each).decode())
)


@schemathesis.check
def valid_bodies_are_accepted(_: Any, response: Any, case: schemathesis.Case) -> None:
    body = case.meta.components.get(ParameterLocation.BODY) if case.meta else None
    if body and body.mode.is_positive and response.status_code in {400, 422}:
        message = response.json()["message"]
        assert BEYOND_SCHEMAS.search(message), f"{message}: {case.body}"


CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    valid_bodies_are_accepted,
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("fuzzed"), CLIENT_TIMEOUT="60") as server:
        yield server


@pytest.fixture(scope="module")
def headers(server) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.login().json()['token'].removeprefix('JWT ')}"}


@pytest.fixture(scope="module")
def things(server, headers) -> dict[str, str]:
    """Ids of things that are there, by the collection in a path."""
    with httpx.Client(base_url=f"{server.url}/api/model_registry/v1alpha3", headers=headers, timeout=SOON) as client:

        def made(path: str, **body: Any) -> str:
            return client.post(path, json=body).raise_for_status().json()["id"]

        model = made("/registered_models", name="iris")
        version = made("/model_versions", name="v1", registeredModelId=model)
        experiment = made("/experiments", name="trials")
        environment = made("/serving_environments", name="prod")
        artifact = made(f"/model_versions/{version}/artifacts", artifactType="model-artifact", uri="s3://x")
        return {
            "registered_models": model,
            "model_versions": version,
            "experiments": experiment,
            "experiment_runs": made("/experiment_runs", experimentId=experiment),
            "artifacts": artifact,
            "model_artifacts": artifact,
            "serving_environments": environment,
            "inference_services": made(
                "/inference_services", registeredModelId=model, servingEnvironmentId=environment
            ),
        }


def schema_of(server: Server, api: Any, **generation: Any) -> BaseSchema:
    """The document of a version. The character NUL is refused wherever it stands, which no schema says once."""
    document = httpx.get(f"{server.url}{api.prefix}/openapi.json", timeout=SOON).json()
    known = {"with-security-parameters": False, "allow-x00": False, **generation}
    return schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict({"generation": known}))


@pytest.mark.parametrize("api", BOTH, ids=lambda api: api.name)
def test_no_answer_contradicts_the_document(server, headers, things, api, subtests):
    schema = schema_of(server, api)

    with requests.Session() as session:
        for operation in (each.ok() for each in schema.get_all_operations()):
            with subtests.test(operation.label):
                fuzz(operation, things.get(operation.path.split("/")[4], ""), server, session, headers)


def test_what_is_created_is_read_changed_and_listed_by_the_links_of_the_document(server, headers):
    """Of v1alpha3, which has all operations of v1."""
    whole = schema_of(server, V1ALPHA3, mode="positive")
    schema = whole.exclude(method="GET", path_regex="^[^{]*$")  # searches and lists, to which no link leads
    answered: dict[str, int] = {}

    class Walk(schema.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, Any]:
            return {"base_url": server.url, "headers": headers, "timeout": 60}

        def validate_response(self, response: Any, case: schemathesis.Case, **more: Any) -> None:
            answered[case.operation.method] = answered.get(case.operation.method, 0) + (response.status_code < 300)
            case.validate_response(response, checks=CHECKS)

    with suppress(FlakyStrategyDefinition):  # the ids of a second walk are others; schemathesis itself accepts that
        Walk.run(
            settings=settings(
                max_examples=EXAMPLES or FEW,
                stateful_step_count=STEPS,
                derandomize=not EXAMPLES,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
        )

    assert all(answered.get(method) for method in ("get", "post", "patch")), answered


def fuzz(operation: APIOperation, thing: str, server: Server, session: requests.Session, headers: Any) -> None:
    @settings(
        max_examples=EXAMPLES or FEW,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(operation, thing))
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(server.url, session, headers, checks=CHECKS, timeout=60)

    with suppress(UnsupportedSchema):  # what contradicts some schemas cannot be generated
        ask()


def cases(operation: APIOperation, thing: str) -> st.SearchStrategy[schemathesis.Case]:
    there = {"id": thing} if operation.path_parameters else None
    modes = list(GenerationMode) if operation.body or operation.query else [GenerationMode.POSITIVE]
    return st.sampled_from(modes).flatmap(lambda mode: operation.as_strategy(mode, path_parameters=there))
