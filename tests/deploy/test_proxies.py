"""The proxies of docs/deploy, where they are installed, in front of two servers that restart one by one."""

import hashlib
import random
import re
import shutil
import ssl
import subprocess
import threading
import time
import uuid
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import trustme
from tusclient.client import TusClient

from tests.support.app import API_TOKEN, OURS, PASSWORD, in_database
from tests.support.node_programs import program
from tests.support.paths import ROOT
from tests.support.ports import reserved_port
from tests.support.processes import until
from tests.support.serving import SOON, Server

HOST = "models.example.org"
MIB = 2**20
SIZE = 12 * MIB
WITHOUT_LARGE_FILES = ("sh", "-c", 'ulimit -f 1024 && exec "$@"', "sh")
"""A proxy that writes an upload or a download of SIZE into a file, which may have 1 MiB at most, fails with it."""

PROXIES = {"nginx": "nginx.conf", "haproxy": "haproxy.cfg", "caddy": "Caddyfile"}


class Deployment(NamedTuple):
    url: str
    authority: Path  # of the certificate of the proxy
    client: httpx.Client

    def create(self, name: str) -> str:
        """A model, and its name: the proxies have one catalog."""
        name = f"{name}-{uuid.uuid4().hex[:8]}"
        self.client.post("/v1/models", json={"name": name}).raise_for_status()
        return name


@pytest.fixture(scope="module")
def servers(tmp_path_factory, mongo) -> Iterator[list[Server]]:
    """Behind all proxies: what they are asked by one is no other than by another."""
    with ExitStack() as stack:
        servers = two_servers(tmp_path_factory.mktemp("servers"), mongo)
        for server in servers:
            port = stack.enter_context(reserved_port())  # where the proxies expect it again
            server.settings["HTTP_PORT"] = str(port)
        yield [stack.enter_context(server) for server in servers]


@pytest.fixture(scope="module")
def deployments(tmp_path_factory, servers) -> Iterator[dict[str, Deployment]]:
    """Those of the proxies that are installed here, by their names."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(deployment(name, tmp_path_factory.mktemp(name), servers))
            for name in PROXIES
            if shutil.which(name)
        }


@pytest.fixture(params=PROXIES)
def deployed(request, deployments) -> Deployment:
    if request.param not in deployments:
        pytest.skip(f"{request.param} is not installed here")
    return deployments[request.param]


@contextmanager
def deployment(name: str, folder: Path, servers: list[Server]) -> Iterator[Deployment]:
    """The catalog below /catalog, with the file of docs/deploy for this machine."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    certificate = authority.issue_cert(HOST, "127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "catalog.pem")
    certificate.private_key_pem.write_to_path(folder / "privkey.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "fullchain.pem")
    with ExitStack() as stack:
        port = stack.enter_context(reserved_port())
        stack.enter_context(proxy(name, folder, port, [httpx.URL(each.url).port for each in servers]))
        url = f"https://127.0.0.1:{port}/catalog"
        trusting = ssl.create_default_context(cafile=folder / "authority.pem")
        client = stack.enter_context(httpx.Client(base_url=url, verify=trusting, timeout=SOON))
        until(lambda: is_reachable(client))
        who = {"username": "admin", "password": PASSWORD, "tenant": "registry-default-tenant"}
        client.headers["Authorization"] = client.post("/v1/login", json=who).raise_for_status().json()["token"]
        yield Deployment(url, folder / "authority.pem", client)


def two_servers(folder: Path, mongo: str) -> list[Server]:
    name = f"{OURS}-{uuid.uuid4().hex[:8]}"
    settings = {
        "DATABASE": in_database(mongo, f"{name}-catalogue"),
        "DEFAULT_TENANT_DATABASE": name,
        "DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD": PASSWORD,
        "UPLOAD_PATH": str(folder / "uploads"),
        "API_TOKEN": API_TOKEN,
        "JWT_SECRET": "a secret of both servers, long enough for HS256",
        "PROTOCOL": "http",
        "TRUSTED_PROXIES": "127.0.0.1",
        "STOP_DELAY": "1",
    }
    made = []
    for each, life in (("one", "30m"), ("two", "31m")):  # by which they are told apart
        (folder / each).mkdir()
        made.append(Server(folder / each, JWT_EXPIRATIONTIME=life, **settings))
    return made


@contextmanager
def proxy(name: str, folder: Path, port: int, servers: list[int]) -> Iterator[None]:
    file = folder / PROXIES[name]
    file.write_text(adapted(name, folder, port, servers))
    command = {
        "nginx": ["nginx", "-p", folder, "-e", folder / "error.log", "-c", file, "-g", "daemon off; pid nginx.pid;"],
        "haproxy": ["haproxy", "-db", "-f", file],
        "caddy": ["caddy", "run", "--config", file, "--adapter", "caddyfile"],
    }[name]
    with (folder / "proxy.log").open("wb") as log:
        process = subprocess.Popen([*WITHOUT_LARGE_FILES, *command], stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(SOON)


def adapted(name: str, folder: Path, port: int, servers: list[int]) -> str:
    """The file of docs/deploy, for this machine."""
    text = (ROOT / "docs" / "deploy" / PROXIES[name]).read_text()
    for address, server in zip(("10.0.0.5:8080", "10.0.0.6:8080"), servers, strict=True):
        text = text.replace(address, f"127.0.0.1:{server}")
    text = re.sub(r"/etc/(nginx|haproxy)/(?=\w+\.pem)", f"{folder}/", text)
    text = re.sub(r"(inter|health_interval) 1s", r"\1 200ms", text)  # so that a stop needs less than STOP_DELAY=5s
    if name == "nginx":
        text = text.replace("http {", f"http {{ access_log off; {temporary(folder)}", 1)
        return text.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    if name == "haproxy":
        return text.replace("bind :443", f"bind 127.0.0.1:{port}")
    site = f"https://{HOST}:{port}, https://127.0.0.1:{port} {{\n\ttls {folder}/fullchain.pem {folder}/privkey.pem"
    return "{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + text.replace(f"{HOST} {{", site)


def temporary(folder: Path) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)


def is_reachable(client: httpx.Client) -> bool:
    try:
        return client.get("/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def test_large_files_go_both_ways_and_in_ranges(deployed):
    content = random.randbytes(SIZE)
    large = deployed.create("large")

    made = deployed.client.post(f"/v1/models/{large}/versions?name=w.bin", content=content).raise_for_status()
    form = {"file": ("w.bin", content)}
    formed = deployed.client.post(f"/v1/models/{large}/versions", files=form).raise_for_status()
    path = f"/v1/models/{made.json()['_id']}/versions/1"
    whole = deployed.client.get(path)
    part = deployed.client.get(path, headers={"Range": f"bytes={SIZE - 100}-"})

    digest = hashlib.sha256(content).hexdigest()
    assert hashlib.sha256(whole.content).hexdigest() == digest
    assert [version["digest"] for version in formed.json()["versions"]] == [digest] * 2
    assert (part.status_code, part.content) == (206, content[-100:])


def test_a_key_with_an_escaped_slash_stays_one_key(deployed):
    key = deployed.create("org/model").replace("/", "%2F")

    found = deployed.client.get("/v1/models?filter=%7B%22name%22%3A%22" + key + "%22%7D").json()["docs"]
    assert [deployed.client.get(f"/v1/models/admin%2F{key}").raise_for_status().json()["_id"]] == [
        each["_id"] for each in found
    ]


def test_addresses_begin_with_the_path_of_the_proxy(deployed):
    item = b64encode(deployed.create("named").encode()).decode()
    tus = {"Tus-Resumable": "1.0.0", "Upload-Metadata": f"item {item},filename bQ==", "Upload-Length": "10"}

    location = deployed.client.post("/v1/uploads", headers=tus).headers["Location"]
    servers = deployed.client.get("/schema/openapi.json").json()["servers"]
    page = deployed.client.get("/", headers={"Accept": "text/html"}).text
    scripts = re.findall(r'src="\./([^"]+)"', page)

    assert location.startswith("/catalog/v1/uploads/")
    assert servers == [{"url": "/catalog"}]
    assert scripts
    assert {deployed.client.get(f"/{script}").status_code for script in scripts} == {200}


def test_resumable_uploads_of_both_clients_go_through(deployed, tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(deployed.authority))
    file = tmp_path / "big.bin"
    file.write_bytes(random.randbytes(3 * MIB))
    resumed = deployed.create("resumed")
    token = deployed.client.headers["Authorization"]

    client = TusClient(f"{deployed.url}/v1/uploads", headers={"Authorization": token})
    details = {"filename": "big.bin", "item": resumed}
    with file.open("rb") as stream:
        client.uploader(file_stream=stream, chunk_size=MIB, metadata=details).upload()
    subprocess.run(
        program("upload.mjs", deployed.url, token, str(file), resumed),
        env={"NODE_EXTRA_CA_CERTS": str(deployed.authority)},
        check=True,
        capture_output=True,
        timeout=SOON,
    )

    versions = deployed.client.get(f"/v1/models/{resumed}").json()["versions"]
    assert [version["digest"] for version in versions] == [hashlib.sha256(file.read_bytes()).hexdigest()] * 2


def test_a_rolling_restart_fails_no_request(deployments, servers):
    over, failed, count = threading.Event(), [], Counter()

    def ask(proxy: str) -> None:
        while not over.is_set():
            name = f"n{random.randbytes(6).hex()}"
            answer = deployments[proxy].client.post("/v1/models", json={"name": name})
            count[proxy] += 1
            if answer.status_code != 200:
                failed.append((proxy, answer.status_code, answer.text))
            time.sleep(0.02)

    def sends_to(deployment: Deployment, server: Server) -> bool:
        """Whether a request through the proxy is answered by this server, so that the proxy knows that it is there."""
        info = deployment.client.get("/v1/info").raise_for_status().json()
        return info["token_expiration_time"] == server.settings["JWT_EXPIRATIONTIME"]

    def are_known(servers: list[Server]) -> None:
        for deployment in deployments.values():
            for server in servers:
                until(lambda deployment=deployment, server=server: sends_to(deployment, server))

    with ThreadPoolExecutor(2 * len(PROXIES)) as askers:
        asking = [askers.submit(ask, proxy) for proxy in [*deployments] * 2]
        try:
            for server in servers:
                are_known(servers)
                assert server.stop() == 0
                server.start()
            are_known(servers)
        finally:
            over.set()
        for each in asking:
            each.result()

    assert failed == []
    assert [proxy for proxy in deployments if count[proxy] <= 10] == []
