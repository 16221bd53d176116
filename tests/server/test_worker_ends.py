"""Workers that die, are killed, stopped or orphaned, and certificates that are renewed under them."""

import ctypes
import os
import random
import signal
import ssl
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import trustme

from tests.support.processes import Team, all_at_work, answering, at, listens, others_asleep, until
from tests.support.serving import SOON, Server, is_running


def test_workers_that_are_killed_hang_or_end_are_replaced_and_a_stop_ends_although_one_hangs(tmp_path):
    with Server(tmp_path, WORKERS="2", WORKER_TIMEOUT="3s") as server:
        with ExitStack() as stack:
            kill_workers_under_load(Team(server, stack, 2))
        ask_a_worker_to_end(server)
        let_a_worker_hang(server)
        stop_while_a_worker_hangs(server)


def kill_workers_under_load(team):
    written, over = [], threading.Event()

    def write():
        while not over.is_set():
            name = team.name()
            try:
                made = httpx.post(
                    f"{team.server.url}/v1/models", json={"name": name}, headers={"Authorization": team.token}
                )
            except httpx.TransportError:
                continue  # it was the dead one's
            assert made.status_code == 200, made.text
            written.append(name)

    with ThreadPoolExecutor(4) as writers:
        at_it = [writers.submit(write) for _ in range(4)]
        try:
            for _ in range(3):
                before = len(written)
                until(lambda before=before: len(written) > before + 20)
                dead = random.choice(team.server.workers)
                os.kill(dead, signal.SIGKILL)
                until(lambda dead=dead: not is_running(dead))
                assert dead not in all_at_work(team.server, 2)
        finally:
            over.set()
        for writer in at_it:
            writer.result()

    with httpx.Client(base_url=team.server.url, headers={"Authorization": team.token}, timeout=SOON) as client:
        assert [name for name in written if client.get(f"/v1/models/{name}").status_code != 200] == []
    assert "SIGKILL) and is started again" in team.server.log.read_text()


def ask_a_worker_to_end(server):
    old, other = all_at_work(server, 2)

    os.kill(old, signal.SIGTERM)
    until(lambda: old not in server.workers)

    assert other in all_at_work(server, 2)


def let_a_worker_hang(server):
    hanging, well = all_at_work(server, 2)

    os.kill(hanging, signal.SIGSTOP)
    until(lambda: not is_running(hanging))
    now = all_at_work(server, 2)

    assert hanging not in now
    assert well in now
    assert f"does not respond and is killed (process {hanging})" in server.log.read_text()


def stop_while_a_worker_hangs(server):
    hanging, _ = all_at_work(server, 2)
    os.kill(hanging, signal.SIGSTOP)

    os.kill(server.pid, signal.SIGTERM)
    until(lambda: not is_running(server.pid))

    assert not is_running(hanging)


def test_a_stop_is_heard_by_any_thread_and_lets_every_worker_finish_what_it_has_begun(tmp_path):
    with Server(tmp_path, WORKERS="2", UPLOAD_PATH="uploads") as server, ExitStack() as stack:
        pids = all_at_work(server, 2)
        token = server.login().json()["token"]
        clients = [stack.enter_context(at(server, pid, token)) for pid in pids]
        models = [client.post("/v1/models", json={"name": f"m{n}"}).json()["_id"] for n, client in enumerate(clients)]
        begun, stopped = threading.Barrier(3), threading.Event()

        def slowly():
            yield b"begun"
            begun.wait(SOON)
            stopped.wait(SOON)
            yield b" and ended"

        def upload(client, model):
            named = {"Content-Type": "application/octet-stream"}
            return client.post(f"/v1/models/{model}/versions?name=w", content=slowly(), headers=named)

        with ThreadPoolExecutor(2) as uploaders:
            sent = list(map(uploaders.submit, [upload] * 2, clients, models))
            begun.wait(SOON)
            stop_by_another_thread(server)
            until(lambda: not listens(server))
            stopped.set()
            answers = [answer.result(SOON) for answer in sent]
        until(lambda: not is_running(server.pid))

        assert [answer.status_code for answer in answers] == [200, 200]
        assert [pid for pid in pids if is_running(pid)] == []


def stop_by_another_thread(server):
    # The first thread has the number of the process, and is the lowest.
    other_thread = max(int(task.name) for task in Path(f"/proc/{server.pid}/task").iterdir())
    assert ctypes.CDLL(None).tgkill(server.pid, other_thread, signal.SIGTERM) == 0


def test_a_worker_that_never_finishes_is_killed_some_time_after_a_stop(tmp_path):
    brief = (
        "from catalog.commands import cli; from catalog.server import supervisor; "
        "supervisor.GRACE = supervisor.SLACK = 0.5; cli.main()"
    )
    with Server(tmp_path, command=[sys.executable, "-c", brief], WORKERS="2") as server, ExitStack() as stack:
        pids = all_at_work(server, 2)
        token = server.login().json()["token"]
        client = stack.enter_context(at(server, pids[0], token))
        model = client.post("/v1/models", json={"name": "m"}).json()["_id"]
        begun, over = threading.Event(), threading.Event()

        def endlessly():
            yield b"begun"
            begun.set()
            over.wait(SOON)

        with ThreadPoolExecutor(1) as uploader:
            named = {"Content-Type": "application/octet-stream"}
            sent = uploader.submit(
                client.post, f"/v1/models/{model}/versions?name=w", content=endlessly(), headers=named
            )
            begun.wait(SOON)
            os.kill(server.pid, signal.SIGTERM)
            until(lambda: not is_running(server.pid))
            over.set()
            sent.exception(SOON)

        assert [pid for pid in pids if is_running(pid)] == []
        assert "did not stop in time and was killed" in server.log.read_text()


def test_no_worker_outlives_its_parent_and_the_next_start_makes_no_second_administrator(tmp_path):
    with Server(tmp_path, WORKERS="2", STOP_DELAY="60") as server:
        left = [*all_at_work(server, 2), server.database_pid]

        server.kill()

        until(lambda: not any(is_running(pid) for pid in left))
        assert not listens(server)

        server.settings["STOP_DELAY"] = "0"
        server.start()

        assert server.told[-1].startswith("Sign in as admin")
        assert server.login().status_code == 200
        left = [*server.workers, server.database_pid]
        assert server.stop() == 0
        assert [pid for pid in left if is_running(pid)] == []


# Certificates


@pytest.fixture
def put(tmp_path):
    """Put a certificate in place of the one that is there, and say in which bytes it is shown."""
    authority = trustme.CA()
    folder = tmp_path / "resources"
    folder.mkdir()

    def put() -> bytes:
        issued = authority.issue_cert("127.0.0.1")
        chain = b"".join(chained.bytes() for chained in issued.cert_chain_pems)
        (folder / "fullchain.pem").write_bytes(chain)
        issued.private_key_pem.write_to_path(folder / "privkey.pem")
        return ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())

    return put


QUICKLY = '''
import sys
from catalog.commands import cli
from catalog.server import supervisor
program = """
from catalog.server import worker
from catalog.server.http import uvicorn_server
uvicorn_server.RENEWAL = 0
worker.main()"""
supervisor.PROGRAM = (sys.executable, "-c", program)
cli.main()
'''


def test_a_renewed_certificate_is_shown_by_every_worker(tmp_path, put):
    first = put()
    with Server(tmp_path, command=[sys.executable, "-c", QUICKLY], WORKERS="2") as server:
        pids = until(lambda: len(answering(server)) == 2 and sorted(answering(server)))
        assert {shown(server, pid, pids) for pid in pids} == {first}

        second = put()

        for pid in pids:
            until(lambda pid=pid: shown(server, pid, pids) == second)


def shown(server: Server, pid: int, pids: list[int]) -> bytes:
    url = httpx.URL(server.url)
    with others_asleep(pid, pids):
        return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((url.host, url.port), timeout=SOON))
