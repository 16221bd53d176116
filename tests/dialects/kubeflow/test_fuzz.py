"""Every operation of both OpenAPI documents, asked for what the document allows and forbids.

No answer is a failure of the server, none contradicts the document, and a valid body is not called malformed.
CATALOG_FUZZ_EXAMPLES asks for more, each time others (`make fuzz`).
"""

import os
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from catalog.dialects.kubeflow.api import BOTH
from tests.support.serving import Server

pytestmark = pytest.mark.process

EXAMPLES = int(os.environ.get("CATALOG_FUZZ_EXAMPLES", "0"))
FEW = 2
"""Questions for an operation, unless another number is set."""

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
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
    with httpx.Client(base_url=f"{server.url}/api/model_registry/v1alpha3", headers=headers) as client:

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


@pytest.mark.parametrize("api", BOTH, ids=lambda api: api.name)
def test_no_answer_contradicts_the_document(server, headers, things, api, subtests):
    document = httpx.get(f"{server.url}{api.prefix}/openapi.json").json()
    config = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
    schema = schemathesis.openapi.from_dict(document, config=config)

    with requests.Session() as session:
        for operation in (each.ok() for each in schema.get_all_operations()):
            with subtests.test(operation.label):
                fuzz(operation, things.get(operation.path.split("/")[4], ""), server, session, headers)


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

    ask()


def cases(operation: APIOperation, thing: str) -> st.SearchStrategy[schemathesis.Case]:
    there = {"id": thing} if operation.path_parameters else None
    modes = list(GenerationMode) if operation.body or operation.query else [GenerationMode.POSITIVE]
    return st.sampled_from(modes).flatmap(lambda mode: operation.as_strategy(mode, path_parameters=there))
