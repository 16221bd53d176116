"""Spans of requests, as a collector of OpenTelemetry gets them from a real server."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from catalog.settings.loading import SettingsError, load
from tests.support.serving import SOON, Server

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Collector(ThreadingHTTPServer):
    """Keeps what it is sent, as it came."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Takes)
        self.taken = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def spans(self):
        """Of all requests: their name, their attributes, the span itself."""
        batches = [ExportTraceServiceRequest.FromString(body) for body in self.taken]
        scopes = [scope for batch in batches for resource in batch.resource_spans for scope in resource.scope_spans]
        return [(span.name, attributes(span), span) for scope in scopes for span in scope.spans]


class Takes(BaseHTTPRequestHandler):
    def do_POST(self):
        assert self.path == "/v1/traces"
        self.server.taken.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def attributes(span):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes}


@pytest.fixture
def collector():
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        yield collector
        collector.shutdown()
        thread.join()


def test_each_request_is_a_span_without_its_secrets(tmp_path, collector):
    with Server(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) as server:
        token = server.login().json()["token"]
        headers = {"Authorization": token, "traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-ID": "mine"}
        httpx.get(f"{server.url}/v1/models/no-such?_fields=secret-of-the-query", headers=headers, timeout=SOON)
        httpx.get(f"{server.url}/v1/links/what-opens-a-door", timeout=SOON)
        assert server.stop() == 0

    told = {name: (about, span) for name, about, span in collector.spans()}
    about, span = told["GET /v1/models/{key}"]
    assert about["http.response.status_code"] == 404
    assert (about["catalog.request_id"], about["url.path"]) == ("mine", "/v1/models/no-such")
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert "POST /v1/login" in told
    everything = b"".join(collector.taken)
    assert [
        secret for secret in (token, "secret-of-the-query", "what-opens-a-door") if secret.encode() in everything
    ] == []


def test_a_collector_that_does_not_answer_costs_no_request_anything(tmp_path):
    times = {"OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    with Server(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1", **times) as server:
        for _ in range(3):
            assert server.login().status_code == 200
            time.sleep(0.1)  # for a batch of its own
        assert server.stop() == 0

    log = server.log.read_text()
    assert log.count("the collector of traces does not answer") <= 1
    assert "export" not in log


def test_traces_that_are_not_installed_are_told_of(monkeypatch, tmp_path):
    monkeypatch.setattr("catalog.settings.types.find_spec", lambda _: None)

    with pytest.raises(SettingsError, match=r"OTEL_EXPORTER_OTLP_ENDPOINT needs the extra telemetry: pip install"):
        load(tmp_path / "none.env", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"})
