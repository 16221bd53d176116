"""What is measured: for the operator and for this machine, with labels whose number is bounded."""

from functools import cache

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from catalog.app import create_app
from catalog.dialects.ops.metrics import Metrics
from catalog.settings.loading import with_values
from tests.support.app import API_TOKEN


@pytest.fixture
async def measured(app):
    """Ask for the metrics as the operator, from another machine."""
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://catalog") as client:

        async def ask():
            answer = await client.get("/metrics", headers={"Authorization": API_TOKEN})
            assert answer.status_code == 200
            return samples(answer.text)

        yield ask


def samples(text):
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_requests_are_counted_by_method_route_and_kind_of_answer(client, org, measured, app):
    await app.state.journal.flush()  # of earlier tests, some of whose tenants are gone
    before = await measured()

    for name in ("a", "b", "c"):
        await client.get(f"/v1/models/{name}", headers=org.as_("ada"))
    posted = await client.post("/v1/models", json={"name": "counted"}, headers=org.as_("ada"))
    after = await measured()

    def grown(*key):
        return after[key] - before.get(key, 0)

    assert grown("catalog_requests_total", "GET", "/v1/models/{key}", "4xx") == 3
    assert grown("catalog_request_seconds_count", "GET", "/v1/models/{key}") == 3
    assert grown("catalog_received_bytes_total", "POST", "/v1/models") == len(posted.request.content)
    assert grown("catalog_sent_bytes_total", "POST", "/v1/models") == len(posted.content)
    assert after["catalog_requests_in_flight",] == 1
    assert after["process_resident_memory_bytes",] > 0
    assert grown("catalog_journal_dropped") == 0


async def test_labels_stay_few_whatever_clients_make_up(client, org, measured):
    for number in range(20):
        await client.request(f"MADE{number}", f"/v1/nope/{number}", headers=org.as_("ada"))
        await client.get(f"/v1/models/{number}", headers=org.as_("ada"))

    told = await measured()

    labels = {label for key in told for label in key[1:]}
    assert {"other", "unknown"} <= labels
    assert not [label for label in labels if "nope" in label or "MADE" in label]
    assert org.name not in str(told)


def test_a_made_up_method_takes_no_memory():
    metrics = Metrics()

    for number in range(100):
        metrics.begin()
        metrics.end(f"MADE{number}", None, 404, 0.01, 0, 0)

    assert metrics._rows == {}
    assert samples(metrics.text().decode())["catalog_requests_total", "other", "unknown", "4xx"] == 100


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 401),
        ("192.0.2.7", {}, 401),
        ("192.0.2.7", {"Authorization": "guessed"}, 401),
        ("192.0.2.7", {"Authorization": f"Bearer {API_TOKEN}"}, 200),
    ],
)
async def test_only_the_operator_sees_them(app, peer, headers, status):
    transport = httpx.ASGITransport(app, client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://catalog") as client:
        assert (await client.get("/metrics", headers=headers)).status_code == status


@pytest.fixture(scope="module")
def opened(settings, mongo):
    """Applications whose metrics this machine may read, one for each value of TRUSTED_PROXIES."""

    @cache
    def app(proxies):
        return create_app(with_values(settings, {"METRICS_ACCESS": "loopback", "TRUSTED_PROXIES": proxies}), mongo)

    return app


BEHIND_A_PROXY = ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "X-Real-IP", "Via", "CF-Connecting-IP"]


@pytest.mark.parametrize(
    ("proxies", "peer", "headers", "status"),
    [
        ("", "127.0.0.1", {}, 200),
        ("", "::1", {}, 200),
        ("", "192.0.2.7", {}, 401),
        *(("", "127.0.0.1", {name: "192.0.2.7"}, 401) for name in BEHIND_A_PROXY),
        ("127.0.0.1", "127.0.0.1", {}, 401),
    ],
)
async def test_opened_to_this_machine_they_stay_closed_to_what_a_proxy_passes_on(
    opened, proxies, peer, headers, status
):
    transport = httpx.ASGITransport(opened(proxies), client=(peer, 1), raise_app_exceptions=False)

    async with httpx.AsyncClient(transport=transport, base_url="http://catalog") as client:
        answer = await client.get("/metrics", headers=headers)

    assert answer.status_code == status


async def test_a_regular_user_and_an_administrator_of_a_tenant_do_not(app, org):
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://catalog") as client:
        for who in ("ada", "admin"):
            assert (await client.get("/metrics", headers=org.as_(who))).status_code == 401
