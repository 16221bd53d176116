"""Several processes behind one socket: they start as one, and what one has learnt all of them know."""

import hashlib
import json
import math
import random
import time
import uuid
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.app import OURS, PASSWORD, in_database
from tests.support.guesses import counted_guesses
from tests.support.processes import WORKERS, Team, until
from tests.support.serving import SOON, Server, serve


@pytest.fixture(scope="module")
def team(tmp_path_factory, mongo) -> Iterator[Team]:
    name = f"{OURS}-{uuid.uuid4().hex[:8]}"
    settings = {
        "DATABASE": in_database(mongo, f"{name}-catalogue"),
        "DEFAULT_TENANT_DATABASE": name,
        "WORKERS": str(WORKERS),
        "LOG_READS": "true",
        "METRICS_ACCESS": "loopback",
    }
    with Server(tmp_path_factory.mktemp("team"), **settings) as server, ExitStack() as stack:
        yield Team(server, stack)


# The start


def test_the_start_is_told_once(team):
    told, log = "\n".join(team.server.told), team.server.log.read_text()

    assert told.count("Catalog is on") == 1
    assert told.count("password: ") == 1
    assert log.count("no certificate in resources/: serving plain HTTP") == 1
    assert "started again" not in log


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("DATABASE", "mongodb://127.0.0.1:1/registry-catalog?serverSelectionTimeoutMS=100", "DATABASE cannot be "),
        ("UPLOAD_PATH", "/proc/uploads", "UPLOAD_PATH"),
        ("HOST", "192.0.2.1", "HTTP_PORT 0 of HOST 192.0.2.1 cannot be listened on"),
    ],
)
def test_a_start_that_fails_is_told_once(tmp_path, name, value, why):
    ended = serve(tmp_path, WORKERS="2", PROTOCOL="http", DATABASE_WAIT="0", **{name: value})

    [sentence] = ended.stderr.splitlines()
    assert (ended.returncode, ended.stdout) == (1, "")
    assert sentence.startswith(why)


# What one learns all know


def test_what_one_writes_the_others_read(team):
    for number, client in enumerate(team.clients):
        made = client.post("/v1/models", json={"name": team.name()})
        assert made.status_code == 200
        for other in team.clients:
            assert other.get(f"/v1/models/{made.json()['_id']}").status_code == 200, number


def test_a_revoked_token_and_who_leaves_or_changes_the_password_are_out_on_every_worker(team):
    made = team.clients[0].post("/v1/tokens", json={"name": team.name(), "scopes": ["read"]}).json()
    leaves, changes = team.hire(), team.hire()
    tokens = [made["token"], *(team.server.login(name, PASSWORD).json()["token"] for name in (leaves, changes))]
    assert statuses(team, tokens) == {200}

    team.clients[1].delete(f"/v1/tokens/{made['_id']}").raise_for_status()
    team.clients[1].delete(f"/v1/users/{leaves}").raise_for_status()
    team.clients[1].put(f"/v1/users/{changes}", json={"password": "Engine-No-2"}).raise_for_status()

    until(lambda: statuses(team, tokens) == {401})


def statuses(team, tokens):
    """What all workers answer to all tokens."""
    asked = [(client, {"Authorization": token}) for client in team.clients for token in tokens]
    return {client.get("/v1/models", headers=headers).status_code for client, headers in asked}


def test_wrong_passwords_are_counted_across_workers(team):
    username = team.hire()
    guess = {"username": username, "password": "a wrong one", "tenant": "registry-default-tenant"}

    with counted_guesses(team.server.settings["DATABASE"]) as counted:
        answers = [team.clients[turn % WORKERS].post("/v1/login", json=guess).status_code for turn in range(5)]

    assert (answers, counted) == ([401] * 5, [5])
    right = {**guess, "password": PASSWORD}
    assert {client.post("/v1/login", json=right).status_code for client in team.clients} == {429}


def test_guesses_that_come_at_once_on_all_workers_are_few(team):
    username = team.hire()
    guess = {"username": username, "password": "a wrong one", "tenant": "registry-default-tenant"}

    began = time.monotonic()
    with ThreadPoolExecutor(40) as crowd:
        sent = [crowd.submit(httpx.post, f"{team.server.url}/v1/login", json=guess, timeout=SOON) for _ in range(40)]
        answers = [answer.result().status_code for answer in sent]

    # After 1, 2, 4... seconds a guess is allowed again, and all workers may verify two at that moment.
    allowed_again = int(math.log2(time.monotonic() - began + 1))
    assert set(answers) == {401, 429}
    assert answers.count(401) <= 5 + 2 * WORKERS * (1 + allowed_again)


def test_the_journal_has_what_every_worker_did(team):
    names = [team.name() for _ in team.clients]
    for client, name in zip(team.clients, names, strict=True):
        assert client.get(f"/v1/models/{name}").status_code == 404

    def told(name):
        asked = {"filter": json.dumps({"item": name})}
        return team.clients[0].get("/v1/log", params=asked).raise_for_status().json()["docs"]

    for name in names:
        [entry] = until(lambda name=name: told(name))
        assert (entry["user"], entry["result"]) == ("admin", 404)


def test_whichever_worker_is_asked_tells_what_all_have_measured(team):
    def counted(client):
        told = client.get("/metrics").raise_for_status().text
        return {
            sample.labels["worker"]: sample.value
            for family in text_string_to_metric_families(told)
            for sample in family.samples
            if sample.name == "catalog_requests_total" and sample.labels["route"] == "/v1/search"
        }

    for times, client in enumerate(team.clients, 1):
        for _ in range(times):
            client.get("/v1/search?q=x").raise_for_status()

    for client in team.clients:  # which leaves out a worker that is late to tell
        until(lambda client=client: sorted(counted(client).values()) == [*range(1, WORKERS + 1)])


def test_a_resumable_upload_goes_on_at_whichever_worker_answers(team):
    content = random.Random(3).randbytes(WORKERS * 100_000)
    model = team.clients[0].post("/v1/models", json={"name": team.name()}).json()["_id"]
    told = {"filename": "w", "item": model}
    said = ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in told.items())
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(content)), "Upload-Metadata": said}
    begun = team.clients[-1].post("/v1/uploads", headers=headers)
    assert begun.status_code == 201

    part = len(content) // WORKERS
    for number, client in enumerate(team.clients):
        where = number * part
        sent = client.patch(
            begun.headers["Location"],
            headers={
                "Tus-Resumable": "1.0.0",
                "Upload-Offset": str(where),
                "Content-Type": "application/offset+octet-stream",
            },
            content=content[where : where + part],
        )
        assert (sent.status_code, sent.headers["Upload-Offset"]) == (204, str(where + part))

    digests = {hashlib.sha256(client.get(f"/v1/models/{model}/versions/1").content).digest() for client in team.clients}
    assert digests == {hashlib.sha256(content).digest()}
