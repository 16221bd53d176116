"""The whole catalog as a user meets it: `catalog serve`, a real database, real signals, HTTP and nothing else."""

import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import trustme

from catalog.server.certificates import make_self_signed
from tests.support.app import PASSWORD
from tests.support.ports import reserved_port
from tests.support.processes import until
from tests.support.serving import SOON, TENANT, Server, children, environment, interruptible, is_running

MIB = 2**20
BIG = 200 * MIB

A_TENANT = {
    "_id": "registry-tenat-test",
    "organization": "Measurify org",
    "address": "Measurify Street, Genova",
    "email": "info@measurify.org",
    "phone": "+39103218793817",
    "admin_username": "pluto",
    "admin_password": "pippo",
    "passwordhash": "true",
}
WORDS = [{"name": f"meta_{number}", "value": f"value_{number}"} for number in (1, 2, 3)]
A_DATASET = {
    "name": "MyDataset",
    "users": ["user_1", "user_2"],
    "metadata": WORDS,
    "visibility": "public",
    "tags": ["tag_1", "tag_2"],
}
A_MODEL = {
    "name": "MyFirstModel",
    "status": "training",
    "datasets": ["dataset_1"],
    "visibility": "public",
    "users": ["user_1", "user_2"],
    "metadata": WORDS,
    "tags": ["tag_1"],
}
A_CHANGE = {
    "users": {"remove": ["user_1", "user_2"], "add": ["user_3"]},
    "tags": {"remove": ["tag_1"], "add": ["tag_2"]},
    "metadata": {
        "remove": [{"name": "meta_1", "value": "value_1"}, {"name": "meta_2", "value": "value_3"}],
        "add": [{"name": "meta_3", "value": "value_7"}, {"name": "meta_4", "value": "value_8"}],
    },
    "visibility": "private",
}


class Walked(NamedTuple):
    """What the fixture has made, and who can sign in."""

    server: Server
    told: list[str]  # at its first start
    dataset: str
    model: str

    def as_(self, who: str) -> httpx.Client:
        username, password, tenant = {
            "admin": ("admin", "", TENANT),
            "user_1": ("user_1", PASSWORD, TENANT),
            "user_3": ("user_3", PASSWORD, TENANT),
            "pluto": ("pluto", "pippo", A_TENANT["_id"]),
        }[who]
        return self.server.client(ok(self.server.login(username, password, tenant))["token"])

    def as_operator(self) -> httpx.Client:
        kept = (self.server.folder / "data" / "secrets.env").read_text().splitlines()
        return self.server.client(dict(line.split("=", 1) for line in kept)["API_TOKEN"])


def ok(response):
    assert response.status_code == 200, (response.request.url, response.text)
    return response.json()


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """A catalog that somebody has begun to use, as its documentation tells."""
    with Server(tmp_path_factory.mktemp("catalog")) as server:
        walked = Walked(server, server.told, "", "")
        with walked.as_operator() as operator:
            ok(operator.post("/v1/tenants/", json=A_TENANT))
        with walked.as_("admin") as admin:
            for name in ("user_1", "user_2", "user_3"):
                body = {"username": name, "password": PASSWORD, "email": f"{name}@example.org", "role": "regular"}
                ok(admin.post("/v1/users", json=body))
            for name in ("dataset_1", "dataset_2"):
                ok(admin.post("/v1/datasets", json={"name": name, "visibility": "public"}))
            dataset = ok(admin.post("/v1/datasets", json=A_DATASET))["_id"]
            model = ok(admin.post("/v1/models", json=A_MODEL))["_id"]
            for path in (f"/v1/datasets/{dataset}", f"/v1/models/{model}"):
                ok(admin.post(f"{path}/versions", files={"file": ("iris.safetensors", safetensors(path))}))
        yield walked._replace(dataset=dataset, model=model)


def safetensors(seed):
    """A file of one small tensor, as the format has it: the length of the header, the header, the numbers."""
    weights = random.Random(seed).randbytes(64)
    header = json.dumps({"weight": {"dtype": "F32", "shape": [4, 4], "data_offsets": [0, len(weights)]}}).encode()
    return struct.pack("<Q", len(header)) + header + weights


def found_in(client, path, **query):
    return [doc["_id"] for doc in ok(client.get(path, params={"limit": 100, **query}))["docs"]]


# Signing in


def test_the_line_that_the_first_start_tells_signs_in_when_it_is_pasted(walked):
    assert shutil.which("curl")
    told = walked.told

    pasted = subprocess.run(["sh", "-c", told[-1]], capture_output=True, text=True, check=True, timeout=SOON)

    assert json.loads(pasted.stdout)["user"]["username"] == "admin"
    assert f"The operator's API_TOKEN is in {Path('data/secrets.env')}." in told


@pytest.mark.parametrize("path", ["/v1/login", "/login"])
@pytest.mark.parametrize("scheme", ["Bearer ", "JWT ", ""])
def test_a_token_of_either_login_is_taken_with_every_scheme(walked, path, scheme):
    token = ok(walked.server.login(path=path))["token"].removeprefix("JWT ")

    with walked.server.client(f"{scheme}{token}") as client:
        assert found_in(client, "/v1/users")


def test_only_the_operator_makes_tenants(walked):
    with walked.as_("admin") as admin:
        refused = admin.post("/v1/tenants/", json={**A_TENANT, "_id": "another"})

    assert refused.status_code in {401, 403}


# Items


def test_an_item_is_found_by_its_id_and_by_its_tag(walked):
    with walked.as_("user_1") as user:
        dataset, model = ok(user.get(f"/v1/datasets/{walked.dataset}")), ok(user.get(f"/v1/models/{walked.model}"))

        assert found_in(user, "/v1/datasets", filter='{"tags":"tag_2"}') == [walked.dataset]

    assert (dataset["name"], dataset["metadata"]) == ("MyDataset", WORDS)
    assert [used["name"] for used in model["datasets"]] == ["dataset_1"]
    assert [user["username"] for user in model["users"]] == ["user_1", "user_2"]


def test_an_item_is_changed_by_what_is_added_and_removed(walked):
    datasets = {"remove": ["dataset_1"], "add": ["dataset_2"]}
    with walked.as_("admin") as admin:
        made = ok(admin.post("/v1/models", json={**A_MODEL, "name": "Changed"}))["_id"]
        ok(admin.put(f"/v1/models/{made}", json={**A_CHANGE, "datasets": datasets, "status": "deploy"}))

        changed = ok(admin.get(f"/v1/models/{made}"))

        ok(admin.delete(f"/v1/models/{made}"))
    assert [user["username"] for user in changed["users"]] == ["user_3"]
    assert [dataset["name"] for dataset in changed["datasets"]] == ["dataset_2"]
    assert (changed["tags"], changed["status"], changed["visibility"]) == (["tag_2"], "deploy", "private")
    assert {pair["name"]: pair["value"] for pair in changed["metadata"]} == {
        "meta_2": "value_2",
        "meta_3": "value_7",
        "meta_4": "value_8",
    }


def test_a_dataset_changes_in_the_same_way_and_hides_from_who_is_removed(walked):
    with walked.as_("admin") as admin, walked.as_("user_1") as removed, walked.as_("user_3") as added:
        made = ok(admin.post("/v1/datasets", json={**A_DATASET, "name": "Changed"}))["_id"]
        ok(admin.put(f"/v1/datasets/{made}", json=A_CHANGE))

        seen = removed.get(f"/v1/datasets/{made}").status_code, added.get(f"/v1/datasets/{made}").status_code

        ok(admin.delete(f"/v1/datasets/{made}"))
    assert seen == (403, 200)


def test_the_words_that_items_use_are_listed(walked):
    with walked.as_("user_1") as user:
        assert {"tag_1", "tag_2"} <= set(found_in(user, "/v1/tags", filter='{"usage":"folk"}'))
        assert {"meta_1", "meta_2", "meta_3"} <= set(found_in(user, "/v1/metadata"))


def test_the_server_tells_of_itself(walked):
    with walked.server.client() as anybody, walked.as_("admin") as admin:
        assert ok(anybody.get("/v1/version"))["version"]
        assert ok(anybody.get("/v1/errors"))["resource_not_found"]["status"] == 404
        assert ok(admin.get("/v1/info"))["token_expiration_time"] == "30m"


def test_what_is_deleted_is_gone(walked):
    with walked.as_("admin") as admin:
        dataset = ok(admin.post("/v1/datasets", json={**A_DATASET, "name": "Passing"}))["_id"]
        model = ok(admin.post("/v1/models", json={**A_MODEL, "name": "Passing", "datasets": ["Passing"]}))["_id"]
        versions = f"/v1/models/{model}/versions"
        ok(admin.post(versions, files={"file": ("a.bin", b"a")}))

        ok(admin.delete(f"{versions}/a.bin"))
        assert admin.get(f"{versions}/a.bin").status_code == 404
        assert ok(admin.get(f"/v1/models/{model}"))["versions"] == []
        for path in (f"/v1/models/{model}", f"/v1/datasets/{dataset}"):
            ok(admin.delete(path))
            assert admin.get(path).status_code == 404


def test_a_tenant_that_is_deleted_lets_nobody_in(walked):
    with walked.as_operator() as operator:
        ok(operator.post("/v1/tenants/", json={**A_TENANT, "_id": "passing"}))
        before = walked.server.login("pluto", "pippo", "passing").status_code

        ok(operator.delete("/v1/tenants/passing"))

        assert (before, walked.server.login("pluto", "pippo", "passing").status_code) == (200, 401)
        assert operator.get("/v1/tenants/passing").status_code == 404


# Versions


def test_a_small_file_comes_back_by_its_name_and_by_its_ordinal(walked):
    content = safetensors(f"/v1/models/{walked.model}")
    with walked.as_("user_1") as user:
        version = ok(user.get(f"/v1/models/{walked.model}"))["versions"][0]

        downloads = [user.get(f"/v1/models/{walked.model}/versions/{which}") for which in ("1", "iris.safetensors")]

    assert [download.content for download in downloads] == [content, content]
    assert (version["size"], version["digest"]) == (len(content), hashlib.sha256(content).hexdigest())


def test_a_big_file_comes_back_whole_and_is_never_held(walked, tmp_path):
    digest = random_file(tmp_path / "big.onnx")
    with walked.as_("admin") as admin:
        model = ok(admin.post("/v1/models", json={"name": "Big"}))["_id"]
        before = peak_memory(walked.server.pid)
        with (tmp_path / "big.onnx").open("rb") as file:
            ok(admin.post(f"/v1/models/{model}/versions", files={"file": ("big.onnx", file)}))

        downloaded = [sha256(admin, f"/v1/models/{model}/versions/{which}") for which in ("big.onnx", "1")]

        ok(admin.delete(f"/v1/models/{model}"))
    assert downloaded == [digest, digest]
    assert peak_memory(walked.server.pid) - before < 64 * MIB


def random_file(path):
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(BIG // MIB):
            block = random.randbytes(MIB)
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def sha256(client, path):
    digest = hashlib.sha256()
    with client.stream("GET", path) as response:
        assert response.status_code == 200
        for block in response.iter_raw(MIB):
            digest.update(block)
    return digest.hexdigest()


def peak_memory(pid):
    """Bytes that a process has ever had in memory at once."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) * 1024


# Tenants


def test_another_tenant_sees_none_of_it(walked):
    with walked.as_("admin") as admin, walked.as_("pluto") as pluto:
        ids = {path: found_in(admin, path) for path in ("/v1/models", "/v1/datasets", "/v1/users")}

        for path in ("/v1/models", "/v1/datasets", "/v1/algorithms", "/v1/tags", "/v1/metadata"):
            assert found_in(pluto, path) == []
        for path, theirs in ids.items():
            assert theirs
            assert {pluto.get(f"{path}/{their}").status_code for their in theirs} == {404}
        assert pluto.get(f"/v1/models/{walked.model}/versions/1").status_code == 404
        assert not set(found_in(pluto, "/v1/users")) & set(ids["/v1/users"])


def test_pipelined_requests_do_not_mix_callers(walked):
    tokens = [ok(walked.server.login())["token"], ok(walked.server.login("pluto", "pippo", A_TENANT["_id"]))["token"]]
    ours = [own_users(walked.server.url, token) for token in tokens]

    answers = pipelined(walked.server.url, tokens * 25)

    assert ours[0].isdisjoint(ours[1])
    assert answers == ours * 25


def own_users(url, token):
    return {
        doc["_id"] for doc in ok(httpx.get(f"{url}/v1/users", headers={"Authorization": token}, timeout=SOON))["docs"]
    }


def pipelined(url, tokens):
    """Ask for the users once per token, all on one connection and before the first answer."""
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port), SOON) as connection:
        connection.sendall(
            b"".join(
                f"GET /v1/users HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode() for token in tokens
            )
        )
        with connection.makefile("rb") as answers:
            return [{doc["_id"] for doc in next_answer(answers)["docs"]} for _ in tokens]


def next_answer(answers):
    assert answers.readline().startswith(b"HTTP/1.1 200")
    headers = dict(line.lower().split(b": ", 1) for line in iter(answers.readline, b"\r\n"))
    return json.loads(answers.read(int(headers[b"content-length"])))


# Ends and new starts


def test_everything_is_still_there_after_a_stop_and_after_a_kill(walked):
    before = everything(walked)

    database = walked.server.database_pid
    assert walked.server.stop() == 0
    assert not is_running(database)
    walked.server.start()
    assert everything(walked) == before
    assert walked.server.told[1].startswith("The embedded database is run")
    assert walked.server.told[2:] == [  # no password
        "The operator's API_TOKEN is in data/secrets.env.",
        f"Sign in as admin of {TENANT}, with the password that the first start printed.",
    ]

    walked.server.kill()
    walked.server.start()
    assert everything(walked) == before


def everything(walked):
    """What an administrator of each tenant can see, bytes included."""
    seen = {}
    for who in ("admin", "pluto"):
        with walked.as_(who) as client:
            for kind in ("users", "models", "datasets", "algorithms", "tags", "metadata"):
                docs = ok(client.get(f"/v1/{kind}?limit=100"))["docs"]
                seen[who, kind] = docs
                for doc in docs:
                    for version in doc.get("versions", ()):
                        path = f"/v1/{kind}/{doc['_id']}/versions/{version['ordinal']}"
                        seen[who, path] = sha256(client, path)
    assert sum("/versions/" in name for _, name in seen) >= 2
    return seen


def test_a_password_that_the_operator_set_is_not_printed(tmp_path):
    chosen = "Chosen-By-The-Operator-1"
    with Server(tmp_path, DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD=chosen, API_TOKEN="chosen-too") as server:
        told = "\n".join(server.told) + server.log.read_text()

        assert server.login(password=chosen).status_code == 200
    assert "password: that of DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD" in told
    assert "API_TOKEN is in the settings" in told
    assert chosen not in told


def test_while_the_database_is_away_answers_say_so_and_then_the_catalog_recovers_by_itself(walked):
    with walked.as_("admin") as admin:
        dead = walked.server.database_pid
        os.kill(dead, signal.SIGKILL)
        reborn = until(lambda: next(iter(set(children(walked.server.pid)) - {dead}), None))
        os.kill(reborn, signal.SIGSTOP)
        try:
            away = admin.get(f"/v1/models/{walked.model}")
        finally:
            os.kill(reborn, signal.SIGCONT)

        until(lambda: admin.get(f"/v1/models/{walked.model}").status_code == 200)

    assert (away.status_code, away.headers["retry-after"]) == (503, "1")
    assert away.json() == {
        "status": 503,
        "value": 104,
        "message": "The database does not answer, please try again",
    }
    assert reborn == walked.server.database_pid


@pytest.fixture
def port():
    with reserved_port() as port:
        yield port


@pytest.fixture
def nobody():
    """A port on which nobody answers."""
    with reserved_port() as port:
        yield port


# Starts that are refused


def refused(folder, **settings):
    """Start a server that cannot start, and return its exit code and the sentence that says why."""
    code, sentence = ended(folder, **settings)
    return code, sentence


def answered(url):
    try:
        return httpx.get(url, timeout=SOON)
    except httpx.TransportError:
        return None


def ended(folder, **settings):
    """Start a server that cannot start, and return its exit code and all that it says."""
    process = subprocess.run(
        [sys.executable, "-m", "catalog", "serve"],
        cwd=folder,
        env=environment(**{"PROTOCOL": "http", "HTTP_PORT": "0", **settings}),
        capture_output=True,
        text=True,
        timeout=SOON,
        check=False,
    )
    assert process.stdout == ""
    return process.returncode, *process.stderr.splitlines()


def test_a_second_server_on_the_same_data_is_refused(walked):
    code, sentence = refused(walked.server.folder)

    assert code == 1
    assert f"belongs to another server that is running (process {walked.server.pid})" in sentence
    assert walked.server.login().status_code == 200


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        code_and_sentence = refused(tmp_path, HTTP_PORT=str(port))

    assert code_and_sentence == (1, taken_by_another(port))
    assert [*(tmp_path / "data" / "database").iterdir()] == []  # no database was created for nothing


def taken_by_another(port):
    return (
        f"HTTP_PORT {port} of HOST 127.0.0.1 cannot be listened on: address already in use by another program, "
        "perhaps a catalog that runs already: stop that one, or set HTTP_PORT to another port"
    )


def test_a_database_that_does_not_answer_is_named(tmp_path):
    with reserved_port() as port:
        uri = f"mongodb://me:hidden@127.0.0.1:{port}/registry-catalog?serverSelectionTimeoutMS=100"
        code, sentence = refused(tmp_path, DATABASE=uri, DATABASE_WAIT="0")

    assert code == 1
    assert sentence.startswith(f"DATABASE cannot be reached: 127.0.0.1:{port}")
    assert "hidden" not in sentence


def test_while_the_database_is_awaited_with_a_line_each_time_the_server_is_live_and_not_ready(tmp_path, port, nobody):
    uri = f"mongodb://127.0.0.1:{nobody}/registry-catalog?serverSelectionTimeoutMS=100"
    process = subprocess.Popen(
        [sys.executable, "-m", "catalog", "serve"],
        cwd=tmp_path,
        env=environment(PROTOCOL="http", HTTP_PORT=str(port), DATABASE=uri, DATABASE_WAIT="10m"),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        attempts = [json.loads(process.stderr.readline()) for _ in range(2)]
        live = until(lambda: answered(f"http://127.0.0.1:{port}/health/live"))
        refused = httpx.get(f"http://127.0.0.1:{port}/v1/models", timeout=SOON)
        process.send_signal(signal.SIGHUP)  # no end of a start either
        still = httpx.get(f"http://127.0.0.1:{port}/health/live", timeout=SOON)
    finally:
        process.kill()
        process.communicate()

    assert all(attempt["event"].startswith(f"DATABASE cannot be reached: 127.0.0.1:{nobody}") for attempt in attempts)
    assert (live.status_code, live.json(), still.status_code) == (200, {"status": "live"}, 200)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert refused.json()["message"] == "The database does not answer, please try again"


def test_a_database_that_refuses_is_not_asked_again(tmp_path, mongo):
    wrong = re.sub("//.*@", "//nobody:wrong@", mongo)

    code, sentence = refused(tmp_path, DATABASE=wrong)

    assert code == 1
    assert sentence.startswith("the database of DATABASE refused")


def test_a_setting_with_a_typo_is_named_with_the_nearest_right_name(tmp_path):
    (tmp_path / "init").mkdir()
    (tmp_path / "init" / "variables.env").write_text("HTTP_PROT=8080\n")

    code, sentence = refused(tmp_path)

    assert code == 2
    assert sentence == "init/variables.env, line 1 sets HTTP_PROT, which is not a setting: did you mean HTTP_PORT?"


def test_a_setting_that_is_wrong_is_named(tmp_path):
    code, sentence = refused(tmp_path, JWT_SECRET="too short", HOST="0.0.0.0")

    assert code == 2
    assert sentence.startswith("JWT_SECRET should have at least 32 bytes")


def test_ctrl_c_during_the_start_leaves_nobody_behind(tmp_path):
    with interruptible():
        starting = subprocess.Popen(
            [sys.executable, "-m", "catalog", "serve"],
            cwd=tmp_path,
            env=environment(HTTP_PORT="0"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    [database] = until(lambda: children(starting.pid))

    os.killpg(starting.pid, signal.SIGINT)
    _, said = starting.communicate(timeout=SOON)

    assert "Traceback" not in said
    until(lambda: not is_running(database))


# Certificates


@pytest.fixture
def authority():
    return trustme.CA()


@pytest.fixture
def trusting(authority):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def put(authority, tmp_path):
    """Put a certificate in place of the one that is there."""

    def put(*names, **details):
        issued = authority.issue_cert(*names, **details)
        folder = tmp_path / "resources"
        folder.mkdir(exist_ok=True)
        (folder / "fullchain.pem").write_bytes(b"".join(chained.bytes() for chained in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(folder / "privkey.pem")

    return put


def test_with_a_certificate_the_server_speaks_tls(tmp_path, put, trusting):
    put("127.0.0.1")

    with Server(tmp_path) as server:
        answer = httpx.get(f"{server.url}/v1/version", verify=trusting, timeout=SOON)

    assert server.url.startswith("https://127.0.0.1:")
    assert f"curl -k {server.url}/v1/login" in server.told[-1]
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_a_self_signed_certificate_binds_nobody_for_a_year(tmp_path):
    certificate, _ = make_self_signed(tmp_path / "resources")

    with Server(tmp_path) as server:
        answer = httpx.get(
            f"{server.url}/v1/version", verify=ssl.create_default_context(cafile=certificate), timeout=SOON
        )

    assert answer.status_code == 200
    assert "Strict-Transport-Security" not in answer.headers


def test_a_connection_that_is_open_survives_the_renewal_of_the_certificate_at_a_signal(tmp_path, put, trusting):
    put("127.0.0.1")

    with Server(tmp_path, WORKERS="2") as server, https(server, trusting) as kept:
        before = shown(kept)
        put("127.0.0.1")
        os.kill(server.pid, signal.SIGHUP)

        def renewed():
            with https(server, trusting) as another:
                return shown(another) != before

        until(renewed)

        assert answer(kept)
        assert shown(kept) == before
        until(lambda: "new connections get resources/fullchain.pem, valid until" in server.log.read_text())


@contextmanager
def https(server, context):
    address = httpx.URL(server.url)
    plain = socket.create_connection((address.host, address.port), SOON)
    with context.wrap_socket(plain, server_hostname=address.host) as connection:
        assert answer(connection)
        yield connection


def answer(connection):
    """What an open connection answers, and goes on."""
    connection.sendall(b"GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n")
    with connection.makefile("rb") as answers:
        return next_answer(answers)


def shown(connection):
    return connection.getpeercert(binary_form=True)


# From plain HTTP to HTTPS


def test_requests_by_plain_http_are_redirected_and_nothing_is_passed_on(tmp_path, put, trusting, port):
    put("127.0.0.1", "catalog.example", "*.team.example")
    with Server(tmp_path, HTTP_REDIRECT="true", HTTP_PORT=str(port)) as server:
        plain, secure = f"http://127.0.0.1:{port}", httpx.URL(server.url).port

        def sent_on(path, host="127.0.0.1", method="GET", **asked):
            answer = httpx.request(method, f"{plain}{path}", headers={"Host": host}, **asked, timeout=SOON)
            assert (answer.status_code, answer.headers["Connection"]) == (308, "close")
            assert "Strict-Transport-Security" not in answer.headers
            return answer.headers["Location"]

        locations = {
            host: sent_on("/v1/models?limit=1", host)
            for host in ("Catalog.Example:80", "a.team.example", "evil.example")
        }
        sent_on("/v1/login", method="POST", json={"password": "in the clear"})
        double = sent_on("//evil.example/x")
        followed = httpx.get(f"{plain}/v1/version", follow_redirects=True, verify=trusting, timeout=SOON)

    assert locations == {
        "Catalog.Example:80": f"https://catalog.example:{secure}/v1/models?limit=1",
        "a.team.example": f"https://a.team.example:{secure}/v1/models?limit=1",
        "evil.example": f"https://127.0.0.1:{secure}/v1/models?limit=1",
    }
    assert double == f"https://127.0.0.1:{secure}//evil.example/x"
    assert followed.status_code == 200


def test_the_port_that_sends_on_is_named_when_it_is_taken(tmp_path, put):
    put("127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        code, sentence = refused(tmp_path, PROTOCOL="https", HTTPS_PORT="0", HTTP_REDIRECT="true", HTTP_PORT=str(port))

    assert (code, sentence) == (1, taken_by_another(port))


def test_without_https_there_is_nowhere_to_send_anyone_as_a_line_of_text_says(tmp_path):
    with Server(tmp_path, HTTP_REDIRECT="true", LOG_FORMAT="text") as server:
        assert server.url.startswith("http://")

    [line] = [line for line in server.log.read_text().splitlines() if "there is no HTTPS to redirect to" in line]
    assert "warning" in line
    assert "\x1b" not in line


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_certificate_that_comes_later_is_served_and_plain_http_redirects_to_it(
    tmp_path, put, trusting, port, workers
):
    soon = "from catalog.server.http import uvicorn_server; uvicorn_server.RENEWAL = 0;"
    run_it = "from catalog.commands import cli; cli.main()"
    command = [sys.executable, "-c", f"{soon} {run_it}"]
    if workers != "1":
        program = f"('{sys.executable}', '-c', '{soon} from catalog.server import worker; worker.main()')"
        command[2] = f"from catalog.server import supervisor; supervisor.PROGRAM = {program}; {run_it}"

    with (
        Server(tmp_path, command=command, WORKERS=workers, HTTP_REDIRECT="true", HTTPS_PORT=str(port)) as server,
        httpx.Client(base_url=server.url, timeout=SOON) as idle,
    ):
        idle.get("/v1/version").raise_for_status()
        put("127.0.0.1")
        until(lambda: server.log.read_text().count("HTTPS is on port") == int(workers))

        secure = httpx.get(f"https://127.0.0.1:{port}/v1/version", verify=trusting, timeout=SOON)
        new = httpx.get(f"{server.url}/v1/version", timeout=SOON)
        old = idle.get("/v1/version")

    assert secure.status_code == 200
    assert {(new.status_code, new.headers["Location"]), (old.status_code, old.headers["Location"])} == {
        (308, f"https://127.0.0.1:{port}/v1/version")
    }


@pytest.mark.parametrize(("spoil", "workers"), [("expired", "1"), ("another key", "2"), ("none", "2")])
def test_beyond_loopback_https_that_cannot_be_had_stops_the_start(tmp_path, put, spoil, workers):
    if spoil != "none":
        put("127.0.0.1", **({"not_after": datetime.now(UTC) - timedelta(days=1)} if spoil == "expired" else {}))
    if spoil == "another key":
        key = trustme.CA().issue_cert("127.0.0.1").private_key_pem
        key.write_to_path(tmp_path / "resources" / "privkey.pem")

    code, sentence = refused(
        tmp_path,
        PROTOCOL="https",
        HOST="0.0.0.0",
        HTTP_REDIRECT="true",
        WORKERS=workers,
    )

    why = {"expired": "expired on", "another key": "is not the private key of", "none": "there is none in resources/"}
    assert code == 1
    assert sentence.startswith("PROTOCOL is https, and no certificate can be used (")
    assert why[spoil] in sentence
    assert "or set PROTOCOL=http" in sentence


# What it runs out of


def test_a_server_without_file_descriptors_says_so_and_recovers(tmp_path):
    limited = [
        sys.executable,
        "-c",
        "from resource import *; setrlimit(RLIMIT_NOFILE, (80, 80)); from catalog.commands import cli; cli.main()",
    ]

    with (
        Server(tmp_path, command=limited) as server,
        ExitStack() as crowd,
        httpx.Client(base_url=server.url, timeout=SOON) as watcher,
    ):
        assert watcher.get("/health/ready").json()["file_descriptors"] == "ok"
        address = ("127.0.0.1", httpx.URL(server.url).port)
        for _ in range(80):
            crowd.enter_context(socket.create_connection(address, SOON))
        until(lambda: "no file descriptor is left" in server.log.read_text())
        until(lambda: watcher.get("/health/ready").json()["file_descriptors"] == "away")
        without = watcher.get("/health/ready")
        crowd.close()
        until(lambda: watcher.get("/health/ready").status_code == 200)

    assert without.status_code == 503
    assert server.log.read_text().count("no file descriptor is left") == 1


# What it says


def test_each_line_that_belongs_to_a_request_has_its_id_in_json(tmp_path):
    with Server(tmp_path, LOG_FORMAT="json") as server:
        os.kill(server.database_pid, signal.SIGSTOP)
        away = httpx.get(f"{server.url}/health/ready", headers={"X-Request-ID": "mine"}, timeout=SOON)
        os.kill(server.database_pid, signal.SIGCONT)
        lines = [json.loads(line) for line in server.log.read_text().splitlines()]

    assert away.status_code == 503
    [line] = [line for line in lines if line.get("request_id") == "mine"]
    assert (line["event"], line["level"]) == ("database does not answer: TimeoutError", "warning")


def test_without_a_certificate_it_warns_that_nothing_is_encrypted(walked):
    assert walked.server.url.startswith("http://")
    assert "no certificate in resources/: serving plain HTTP" in walked.server.log.read_text()
