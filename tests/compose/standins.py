"""The programs of the images that are not ours, as far as docker-compose.yml calls them: `standins.py mongod ...`.

The database is the embedded engine, a replica set of one as the real one. The store is moto's server.
"""

import os
import signal
import sys
import threading
from pathlib import Path

import httpx
import pymongo


def option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1]


def mongod(arguments: list[str]) -> None:
    from secantus.server import SecantusDBServer  # noqa: PLC0415  only this process wants it

    server = SecantusDBServer(
        port=int(option(arguments, "--port")),
        storage_path=str(Path("database").absolute()),
        replica_set_name=option(arguments, "--replSet"),
        sync_on_commit=True,
    )
    server.start()
    wait_for_the_end()
    server.stop()
    server.storage.close()


def mongosh(arguments: list[str]) -> None:
    """The question with which the script ends; making the replica set is the stand-in's own affair."""
    assert "isWritablePrimary ? 0 : 1" in option(arguments, "--eval")
    address = f"mongodb://127.0.0.1:{option(arguments, '--port')}/?directConnection=true&serverSelectionTimeoutMS=1000"
    with pymongo.MongoClient(address) as client:
        sys.exit(0 if client.admin.command("hello")["isWritablePrimary"] else 1)


def minio(arguments: list[str]) -> None:
    from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415  slow: only this process
    from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: PLC0415

    assert arguments[0] == "server"
    for name in ("MINIO_ROOT_USER_FILE", "MINIO_ROOT_PASSWORD_FILE"):  # the real one would not start
        assert Path(os.environ[name]).read_text()
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    port = int(option(arguments, "--address").removeprefix(":"))
    server = make_server("127.0.0.1", port, DomainDispatcherApplication(create_backend_app), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    wait_for_the_end()


def mc(arguments: list[str]) -> None:
    match arguments:
        case ["ready", alias]:
            httpx.get(os.environ[f"MC_HOST_{alias}"])
        case ["alias", "set", alias, url, key, secret]:
            assert key
            assert secret
            folder = Path(os.environ["MC_CONFIG_DIR"])
            folder.mkdir(parents=True, exist_ok=True)
            (folder / alias).write_text(url)
        case ["mb", "--ignore-existing", place]:
            alias, _, bucket = place.partition("/")
            url = (Path(os.environ["MC_CONFIG_DIR"]) / alias).read_text()
            httpx.put(f"{url}/{bucket}").raise_for_status()
        case _:
            sys.exit(f"mc {arguments}: not rehearsed")


def wait_for_the_end() -> None:
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    ended.wait()


if __name__ == "__main__":
    {"mongod": mongod, "mongosh": mongosh, "minio": minio, "mc": mc}[sys.argv[1]](sys.argv[2:])
