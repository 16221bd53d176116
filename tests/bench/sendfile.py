"""The least that a download can cost: answers every request with one file, by sendfile(2).

`python -m tests.bench.sendfile FILE` prints its port and serves until it is ended.
"""

import socket
import sys
from pathlib import Path


def main(path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                _answer(connection, path)


def _answer(connection: socket.socket, path: Path) -> None:
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        received = connection.recv(65536)
        if not received:
            return
        request += received
    connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {path.stat().st_size}\r\n\r\n".encode())
    with path.open("rb") as file:
        connection.sendfile(file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
