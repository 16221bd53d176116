"""Every operation of the OpenAPI document, asked for what the document allows and forbids, at a real server.

No answer is a failure of the server, and none contradicts the document: so each refusal has MLflow's shape.
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

from catalog.dialects.mlflow.operations import operations
from tests.dialects.mlflow.wire import ARTIFACTS, REGISTRY
from tests.support.serving import SOON

pytestmark = pytest.mark.process

EXAMPLES = int(os.environ.get("CATALOG_FUZZ_EXAMPLES", "0"))
FEW = 3
"""Questions for an operation, when nobody says how many."""

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]

TOKENS = (
    *("name", "tags.team", "tag.`a b`", "attribute.alias", "stage", "run_id", "source_path", "version_number", "x"),
    *("creation_timestamp", "tags.`mlflow.prompt.is_prompt`", "=", "!=", "<", ">=", "LIKE", "ILIKE", "IN", "NOT IN"),
    *("AND", "OR", "(", ")", ",", "'iris'", "'%i_s%'", "'true'", '"x"', "''", "1", "-1", "1e9", "9" * 18, "\0", "é"),
)
FILTERS = st.one_of(
    st.lists(st.sampled_from(TOKENS), max_size=8).map(" ".join),
    st.tuples(*map(st.sampled_from, (TOKENS[:11], TOKENS[11:19], TOKENS[23:]))).map(" ".join),
)
ORDERS = st.lists(st.sampled_from(["name", "name DESC", "timestamp", "version_number ASC", "x", "", "name name name"]))
TOKENS_OF_PAGES = st.sampled_from(["", "AAAA", "eyJvZmZzZXQiOiAxfQ==", "é", "W10=", "bnVsbA==", "WzEsIDJd"])


@pytest.fixture(scope="module")
def headers(server, user) -> dict[str, str]:
    """The credentials of a user who has a model with a version, and a file."""
    with user.catalog() as catalog:
        token = catalog.tokens.create("fuzz", scope="write").token
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(autouse=True)
def things(server, headers) -> None:
    """What most of the questions are about. It is made again: questions rename and delete."""
    with httpx.Client(base_url=server.url, headers=headers, timeout=SOON) as client:
        client.post(f"{REGISTRY}/registered-models/create", json={"name": "fuzzed", "tags": [{"key": "team"}]})
        client.post(f"{REGISTRY}/model-versions/create", json={"name": "fuzzed", "source": "s3://bucket/x"})
        client.put(f"{ARTIFACTS}/artifacts/fuzzed/file", content=b"there").raise_for_status()


@pytest.mark.parametrize(
    "at", range(len(operations())), ids=lambda at: f"{operations()[at].method} {operations()[at].path}"
)
def test_no_answer_contradicts_the_document(server, headers, at):
    operation = operation_of(server.url, at)

    with requests.Session() as session:
        fuzz(operation, server.url, session, headers)


def operation_of(url: str, at: int) -> APIOperation:
    wanted = operations()[at]
    document = httpx.get(f"{url}{REGISTRY}/openapi.json", timeout=SOON).json()
    config = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
    schema = schemathesis.openapi.from_dict(document, config=config)
    return schema[f"/api{wanted.path}"][wanted.method]


def fuzz(operation: APIOperation, url: str, session: requests.Session, headers: dict[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES or FEW,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(operation), known=st.booleans(), search=st.tuples(FILTERS, ORDERS, TOKENS_OF_PAGES))
    def ask(case: schemathesis.Case, known: bool, search: tuple[str, list[str], str]) -> None:
        if known:
            name_known_things(case)
        if operation.path.endswith("/search"):
            case.query |= dict(zip(("filter", "order_by", "page_token"), search, strict=True))
        case.call_and_validate(url, session, headers, checks=CHECKS, timeout=60)

    ask()


def cases(operation: APIOperation) -> st.SearchStrategy[schemathesis.Case]:
    return st.sampled_from(list(GenerationMode)).flatmap(operation.as_strategy)


def name_known_things(case: schemathesis.Case) -> None:
    known: dict[str, Any] = {"name": "fuzzed", "version": "1"}
    for fields in (case.body, case.query):
        if isinstance(fields, dict):
            fields.update({name: value for name, value in known.items() if name in fields})
    if isinstance(case.path_parameters, dict) and "artifacts" in case.path:
        case.path_parameters |= {"path": "fuzzed/file"} if "path" in case.path_parameters else {}
