"""A proxy in front of a server that takes bodies of a limited size, as nginx does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "date", "server"}


@contextmanager
def proxy_with_limit(url: str, most: int) -> Iterator[tuple[str, list[int]]]:
    """Yield the address of the proxy, and the sizes of the bodies that it has refused."""
    refused: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if len(body) > most:
                refused.append(len(body))
                self.answer(413, {"Content-Type": "text/html"}, b"<html>413 Request Entity Too Large</html>")
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            found = httpx.request(self.command, url + self.path, headers=headers, content=body, timeout=30)
            self.answer(found.status_code, dict(found.headers), found.content)

        def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if self.command != "HEAD" else b"")

        def log_message(self, *_: object) -> None:
            pass

    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.forward)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", refused
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
