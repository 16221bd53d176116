"""Ports that tests choose before a server listens on them, and that no other process can take meanwhile."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port of 127.0.0.1 on which connections are refused until a server of the test listens there.

    A socket that is bound and does not listen keeps the system from giving the port to anything else. A server that
    sets SO_REUSEADDR, as servers do, may listen on it, and may be stopped and started there again.
    """
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]
