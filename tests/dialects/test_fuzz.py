"""Every route of the OpenAPI document, asked as three kinds of caller for whatever the document allows and forbids.

No answer is a failure of the server, none contradicts the document, and what the document forbids is refused. A few
questions a route, always the same; CATALOG_FUZZ_EXAMPLES asks for more, each time others (`make fuzz`).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from tests.support.app import PASSWORD
from tests.support.serving import SOON, Server

EXAMPLES = int(os.environ.get("CATALOG_FUZZ_EXAMPLES", "0"))
FEW = 2
"""Questions for a route, unless another number is set."""

API_TOKEN = "the-operator-of-the-fuzzing"
OTHER_TENANT = "fuzzed"
KINDS = ("models", "datasets", "algorithms")


@schemathesis.serializer("application/offset+octet-stream")
def as_it_is(_: Any, value: Any) -> dict[str, Any]:
    return {"data": value if isinstance(value, bytes) else str(value).encode()}


@schemathesis.check
def forbidden_bodies_are_refused(context: Any, response: Any, case: schemathesis.Case) -> None:
    """Of JSON. A query is read as kindly as other registries read it; of a list each element is refused on its own."""
    body = case.meta.components.get(ParameterLocation.BODY)
    is_forbidden = body and body.mode.is_negative and case.media_type == "application/json"
    if is_forbidden and response.status_code in {200, 201, 204}:
        checks.negative_data_rejection(context, response, case)


CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    forbidden_bodies_are_refused,
]


@dataclass
class Caller:
    """The caller, and the ids of what exists."""

    token: str = ""
    operator: str = ""
    things: dict[str, list[str]] = field(default_factory=dict)

    def headers(self, operation: APIOperation) -> dict[str, str]:
        schemes = {name for scheme in operation.definition.raw["security"] for name in scheme}
        token = self.operator if "operator" in schemes else self.token
        return {"Authorization": token} if token else {}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("fuzzed"), API_TOKEN=API_TOKEN, CLIENT_TIMEOUT="60") as server:
        with server.client(API_TOKEN) as operator:  # a tenant to change and remove: in TENANT the callers are signed in
            tenant = {"_id": OTHER_TENANT, "email": "x@example.org", "admin_password": PASSWORD}
            operator.post("/v1/tenants", json=tenant).raise_for_status()
        yield server


@pytest.fixture(scope="module")
def document(server: Server) -> dict[str, Any]:
    """The document of this server, in which nothing is sent that is not told."""
    document = httpx.get(f"{server.url}/schema/openapi.json", timeout=SOON).json()
    for schema in document["components"]["schemas"].values():
        close(schema)
    for response in responses(document):
        for media in response.get("content", {}).values():
            close(media.get("schema", {}))
    return document


def responses(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from document["components"]["responses"].values()
    for methods in document["paths"].values():
        for operation in methods.values():
            yield from operation["responses"].values()


def close(schema: Any) -> None:
    """Clients are to bear what is new; here what is not told is wrong."""
    if isinstance(schema, dict):
        if "properties" in schema and "$ref" not in schema:
            schema.setdefault("additionalProperties", False)
        for inner in schema.values():
            close(inner)
    elif isinstance(schema, list):
        for inner in schema:
            close(inner)


@pytest.fixture(scope="module")
def administrator(server: Server) -> Caller:
    token = server.login().json()["token"]
    return Caller(token, API_TOKEN, furnished(server, token))


@pytest.fixture(scope="module")
def regular(server: Server, administrator: Caller) -> Caller:
    with server.client(administrator.token) as admin:
        for username in ("fay", "bob"):  # no example of the document: each caller may sign out itself
            person = {"username": username, "password": PASSWORD, "email": f"{username}@x.org", "role": "regular"}
            admin.post("/v1/users", json=person).raise_for_status()
    token = server.login("fay", PASSWORD).json()["token"]
    return Caller(token, token, furnished(server, token))


def furnished(server: Server, token: str) -> dict[str, list[str]]:
    """Things of the caller's own, so that questions lead somewhere; by the names of path parameters."""
    with server.client(token) as client:

        def made(path: str, body: Any) -> dict[str, Any]:
            return client.post(path, json=body).raise_for_status().json()

        for kind in KINDS:
            made(f"/v1/{kind}", {"name": "iris", "tags": ["flowers"], "visibility": "public"})
            for body in ({"draft": True, "ordinal": "draft"}, {"draft": True, "ordinal": "folder"}):
                made(f"/v1/{kind}/iris/versions", body)
                path = f"/v1/{kind}/iris/versions/{body['ordinal']}/files/model.onnx"
                client.put(path, content=b"weights").raise_for_status()
            made(f"/v1/{kind}/iris/versions/folder/close", {})
            client.post(f"/v1/{kind}/iris/versions?name=model.onnx", content=b"weights").raise_for_status()
            client.put(f"/v1/{kind}/iris/aliases/champion", json={"version": "folder"}).raise_for_status()
            client.put(f"/v1/{kind}/iris/aliases/champion", json={"version": "latest"}).raise_for_status()
        tus = {"Tus-Resumable": "1.0.0", "Upload-Metadata": "item aXJpcw==,filename bQ==", "Upload-Length": "1000"}
        upload = client.post("/v1/uploads", headers=tus).raise_for_status().headers["Location"]
        removed = made("/v1/models", {"name": "removed"})["_id"]
        client.delete(f"/v1/models/{removed}").raise_for_status()
        script = made("/v1/tokens", {"name": "script"})["_id"]
        link = made("/v1/models/iris/versions/folder/link", {"path": "model.onnx"})["token"]
        digest = client.get("/v1/models/iris").json()["versions"][0]["digest"]
        for path, name in (("/v1/groups", "vision"), ("/v1/robots", "ci")):
            client.post(path, json={"name": name})  # refused to all but administrators, who come first
    return {
        "key": ["iris"],
        "which": ["draft", "folder", "model.onnx", "champion"],
        "alias": ["champion"],
        "path": ["model.onnx"],
        "user": ["bob"],
        "group": ["vision"],
        "robot": ["ci"],
        "asset": ["index.js"],
        "upload": [upload.rpartition("/")[2]],
        "trash_id": [removed],
        "token_id": [script],
        "word": ["flowers"],
        "token": [link],
        "digest": [f"sha256:{digest}"],
        "name": [OTHER_TENANT, "nowhere"],
    }


@pytest.fixture(scope="module")
def nobody(administrator: Caller) -> Caller:
    return Caller(things=administrator.things)


def last_what_removes(operation: APIOperation) -> bool:
    return operation.method == "delete" or operation.path.endswith(("/close", "/restore", "/rename"))


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> list[APIOperation]:
    """For all callers, because each remembers how to make its bodies, which takes longer than to ask."""
    config = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
    schema = schemathesis.openapi.from_dict(document, config=config)
    return sorted((each.ok() for each in schema.get_all_operations()), key=last_what_removes)


@pytest.mark.parametrize("who", ["nobody", "regular", "administrator"])
def test_no_answer_contradicts_the_document(request, server, operations, who, subtests):
    caller: Caller = request.getfixturevalue(who)

    with requests.Session() as session:
        for operation in operations:
            if not (EXAMPLES or is_asked(operation, who)):
                continue
            with subtests.test(operation.label):
                fuzz(operation, caller, server, session)

    with server.client(caller.token) as client:  # or else all of this was refused at the door
        assert client.get("/v1/info").is_success == bool(caller.token)


def is_repeated(operation: APIOperation) -> bool:
    """Whether /v1/models has the same, answered by the same code."""
    return operation.path.startswith(("/v1/datasets", "/v1/algorithms"))


def is_asked(operation: APIOperation, who: str) -> bool:
    """Whether the few questions include this one: of the repeated ones a user asks those about datasets, and nobody
    asks what is open to all, and about users: other routes refuse nobody in the same way.
    """
    if who == "nobody":
        return is_open(operation) or operation.path.startswith("/v1/users")
    return not is_repeated(operation) or (who == "regular" and operation.path.startswith("/v1/datasets"))


def is_open(operation: APIOperation) -> bool:
    security = operation.definition.raw["security"]
    return not security or {} in security


def fuzz(operation: APIOperation, caller: Caller, server: Server, session: requests.Session) -> None:
    few = 1 if is_repeated(operation) or not caller.token else FEW

    @settings(
        max_examples=EXAMPLES or few,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(operation, caller))
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(server.url, session, caller.headers(operation), checks=CHECKS, timeout=60)

    ask()


def cases(operation: APIOperation, caller: Caller) -> st.SearchStrategy[schemathesis.Case]:
    """What the document allows and what it forbids, of things that are there and of whatever else has such a name."""
    names = [parameter.name for parameter in operation.path_parameters]
    there: list[dict[str, str]] = [{}]
    for name in names:
        there = [{**one, name: thing} for one in there for thing in caller.things[name]]
    anything = [None] if names else []
    takes_something = operation.body or operation.query or operation.headers
    modes = list(GenerationMode) if takes_something else [GenerationMode.POSITIVE]
    return st.tuples(st.sampled_from(modes), st.sampled_from([*there, *anything])).flatmap(
        lambda chosen: operation.as_strategy(chosen[0], path_parameters=chosen[1] or None)
    )
