"""Forgotten passwords: the mail, and the new password that it lets one choose. The mail server is a real one."""

import asyncio
import email
import logging
import re
import socket
import ssl
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from email.policy import default as modern

import httpx
import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult

from catalog.app import create_app
from catalog.domain import attempts, mail
from catalog.domain.attempts import MAIL_TO
from catalog.domain.mail import Post
from catalog.errors import MAIL_AWAY, Refused
from catalog.settings import SettingsError, load
from catalog.store.documents import now
from tests.conftest import OURS, PASSWORD, in_database

NEW = "Other-Pass-2"
PUBLIC = "https://models.example.org"


class Letterbox:
    """Keeps what arrives."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  aiosmtpd's name
        self.mails.append((envelope, email.message_from_bytes(envelope.content, policy=modern), session.ssl))
        return "250 OK"


@asynccontextmanager
async def serving(letterbox, *, tls=None, **options):
    """A mail server on a free port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(letterbox, **options), "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.fixture
def letterbox():
    return Letterbox()


@pytest.fixture
async def port(letterbox):
    async with serving(letterbox) as port:
        yield port


@asynccontextmanager
async def posting(mongo, settings, port):
    """A second server over the same database, with mail."""
    mine = {
        "smtp_server": f"127.0.0.1:{port}",
        "smtp_email": "catalog@example.org",
        "email_tag": "[Catalog]",
        "public_url": f"{PUBLIC}/",
    }
    app = create_app(settings.model_copy(update=mine), in_database(mongo, f"{OURS}-catalogue"))
    await app.state.database.open()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://evil.example") as client:
        yield client
    app.state.database.close()


@pytest.fixture
async def mailing(mongo, settings, port):
    async with posting(mongo, settings, port) as client:
        yield client


async def ask(client, org, email="ada@example.org"):
    return await client.post(f"/v1/self/reset?tenant={org.name}", json={"email": email})


async def confirm(client, org, token, password=NEW, **more):
    return await client.put("/v1/self", json={"tenant": org.name, "reset": token, "password": password} | more)


def token_in(text):
    [token] = set(re.findall(r"token=([0-9a-f]{24})&", text))
    return token


@pytest.fixture
async def token(client, org, caplog):
    """Of a mail to ada, as the log tells it where there is no mail server."""
    with caplog.at_level(logging.WARNING):
        (await ask(client, org)).raise_for_status()
    return token_in(caplog.text)


async def sign_in(client, org, password, username="ada"):
    body = {"username": username, "password": password, "tenant": org.name}
    return (await client.post("/v1/login", json=body)).status_code


async def test_a_mail_lets_one_choose_a_new_password(mailing, client, org, letterbox):
    answer = await ask(mailing, org)

    [(envelope, message, _)] = letterbox.mails
    text = message.get_content()
    assert (answer.status_code, answer.json()) == (200, {"message": "request sent"})
    assert (envelope.mail_from, envelope.rcpt_tos) == ("catalog@example.org", ["ada@example.org"])
    assert message["Subject"] == "[Catalog] Choose a new password"
    assert f"{PUBLIC}/#/passwordreset?token={token_in(text)}&tenant={org.name}" in text
    assert "evil.example" not in message.as_string()

    changed = await confirm(client, org, token_in(text))

    assert (changed.status_code, changed.json()["username"]) == (200, "ada")
    assert "password" not in changed.json()
    assert (await sign_in(client, org, PASSWORD), await sign_in(client, org, NEW)) == (401, 200)


async def test_without_a_mail_server_the_operator_finds_the_link_in_the_log(client, org, caplog):
    with caplog.at_level(logging.WARNING):
        answer = await ask(client, org)

    assert answer.json() == {"message": "request sent"}
    assert "A new password of ada: https://127.0.0.1:8443/#/passwordreset?token=" in caplog.text


async def test_a_token_serves_once(client, org, token):
    first = await confirm(client, org, token)
    second = await confirm(client, org, token, "Third-Pass-3")

    assert (first.status_code, second.status_code, second.json()["value"]) == (200, 403, 17)
    assert second.json()["details"] == token
    assert await sign_in(client, org, NEW) == 200


async def test_of_two_that_use_a_token_at_once_one_wins(client, org, token):
    answers = await asyncio.gather(*(confirm(client, org, token, f"Other-Pass-{number}") for number in range(5)))

    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403, 403]


async def test_a_token_is_over_after_a_while(client, org, token, monkeypatch):
    monkeypatch.setattr("catalog.domain.resets.now", lambda: now() + timedelta(hours=1, seconds=1))

    answer = await confirm(client, org, token)

    assert (answer.status_code, answer.json()["value"]) == (403, 17)


async def test_a_weak_password_leaves_the_token_good(client, org, token):
    weak = await confirm(client, org, token, "weak")

    assert (weak.status_code, weak.json()["value"]) == (400, 8)
    assert token not in weak.text
    assert (await confirm(client, org, token)).status_code == 200


async def test_a_new_password_signs_out_everywhere_and_ends_tokens(client, org, token):
    made = (await client.post("/v1/tokens", json={"name": "ci"}, headers=org.as_("ada"))).json()["token"]
    before = [org.tokens["ada"], made]

    await confirm(client, org, token)

    statuses = [(await client.get("/v1/models", headers={"Authorization": each})).status_code for each in before]
    assert statuses == [401, 401]


async def test_a_token_is_kept_as_a_hash_and_forgotten_by_the_database(client, org, token, app):
    resets = app.state.database.client[org.name]["password_resets"]

    [kept] = await resets.find({}).to_list(None)
    indexes = await resets.index_information()

    assert token not in str(kept)
    assert kept["expires"] - kept["timestamp"] >= timedelta(hours=1)
    assert [index["expireAfterSeconds"] for index in indexes.values() if "expireAfterSeconds" in index] == [86400]


async def test_a_token_of_another_tenant_is_unknown_here(client, org, other_org, token):
    assert (await confirm(client, other_org, token)).status_code == 404


async def test_a_removed_users_token_is_worth_nothing(client, org, token):
    await client.delete("/v1/users/ada", headers=org.as_("admin"))

    assert (await confirm(client, org, token)).status_code == 404


ASKED_WRONGLY = {
    "no tenant": ("/v1/self/reset", {"email": "ada@example.org"}, 400, 6, "Query param `tenant` is required"),
    "an unknown tenant": ("/v1/self/reset?tenant=nope", {"email": "x"}, 400, 8, "Unknown tenant (nope)"),
    "no email": ("/v1/self/reset?tenant={tenant}", {}, 401, 27, None),
    "an unknown email": (
        "/v1/self/reset?tenant={tenant}",
        {"email": "zz@zz.zz"},
        404,
        9,
        "User with the email zz@zz.zz not found",
    ),
    "an operator for an email": (
        "/v1/self/reset?tenant={tenant}",
        {"email": {"$ne": 1}},
        401,
        27,
        "email: a text is needed",
    ),
}


@pytest.mark.parametrize(("url", "body", "status", "value", "details"), ASKED_WRONGLY.values(), ids=ASKED_WRONGLY)
async def test_a_wrong_question_is_refused(client, org, url, body, status, value, details):
    answer = await client.post(url.format(tenant=org.name), json=body)

    assert (answer.status_code, answer.json()["value"], answer.json().get("details")) == (status, value, details)


CONFIRMED_WRONGLY = {
    "no tenant": ({"tenant": None}, 400, 6, "Body param `tenant` is required"),
    "an unknown tenant": ({"tenant": "nope"}, 400, 6, "Unknown tenant (nope)"),
    "no password": ({"password": None}, 401, 16, "Body param `password` is required"),
    "no token": ({"reset": None}, 401, 16, "Body param `reset` is required"),
    "what is no token": (
        {"reset": "fake_reset"},
        404,
        9,
        (
            "The reset token fake_reset is not a valid identifier (24 hex characters), "
            "please repeat the reset password procedure"
        ),
    ),
    "a token that never was": (
        {"reset": "5f0000000000000000000000"},
        404,
        9,
        (
            "The reset token 5f0000000000000000000000 doesn't exist, "
            "please check the token or repeat the reset password procedure"
        ),
    ),
    "an operator for a token": ({"reset": {"$ne": None}}, 400, 8, "reset: a text is needed"),
    "an operator for a tenant": ({"tenant": {"$ne": None}}, 400, 6, "Unknown tenant ({'$ne': None})"),
    "another field": ({"role": "admin"}, 400, 8, "Unknown field (role)"),
}


@pytest.mark.parametrize(("wrong", "status", "value", "details"), CONFIRMED_WRONGLY.values(), ids=CONFIRMED_WRONGLY)
async def test_a_wrong_confirmation_is_refused(client, org, wrong, status, value, details):
    whole = {"tenant": org.name, "password": NEW, "reset": "5f" * 12} | wrong

    answer = await client.put("/v1/self", json={name: each for name, each in whole.items() if each is not None})

    assert (answer.status_code, answer.json()["value"], answer.json()["details"]) == (status, value, details)


async def test_whoever_asks_again_and_again_waits_known_or_not(client, org, monkeypatch):
    moment = now()
    monkeypatch.setattr(attempts, "now", lambda: moment)

    for address, status in (("ada@example.org", 200), ("nobody@example.org", 404)):
        asked = [await ask(client, org, address) for _ in range(MAIL_TO.free + 1)]
        assert [answer.status_code for answer in asked] == [status] * MAIL_TO.free + [429]
        assert asked[-1].headers["Retry-After"] == "1"


async def test_a_mail_server_that_is_away_is_told_in_a_line_and_answered_clearly(mongo, settings, org, caplog):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    async with posting(mongo, settings, port) as mailing:
        with caplog.at_level(logging.WARNING):
            answer = await ask(mailing, org)

    assert (answer.status_code, answer.json()["value"]) == (503, 128)
    [line] = [record.getMessage() for record in caplog.records if record.name == "catalog.domain.mail"]
    assert line.startswith(f"a mail could not be sent by 127.0.0.1:{port}: ")
    assert "\n" not in line
    assert "token=" not in caplog.text


async def test_a_mail_server_that_says_nothing_does_not_hold_the_answer(monkeypatch):
    monkeypatch.setattr(mail, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        post = Post.of(f"127.0.0.1:{silent.getsockname()[1]}", "", "", "catalog@example.org", "")
        with pytest.raises(Refused) as refusal:
            await post.send("ada@example.org", "subject", "text")

    assert refusal.value.fault is MAIL_AWAY


async def test_a_user_whose_address_is_no_address_breaks_nothing(port):
    post = Post.of(f"127.0.0.1:{port}", "", "", "catalog@example.org", "")

    with pytest.raises(Refused):
        await post.send("ada@example.org\r\nBcc: everybody@example.org", "subject", "text")


@pytest.fixture
def authority():
    return trustme.CA()


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # the mail server does not see that it is behind TLS
@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
async def test_a_password_goes_over_tls_only_and_to_whom_somebody_vouches_for(authority, letterbox, scheme):
    vouched_for, trusting = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(vouched_for)
    authority.configure_trust(trusting)
    told = []

    def authenticate(_server, session, _envelope, _mechanism, data):
        told.append((data.login, data.password, session.peer is not None))
        return AuthResult(success=True)

    tls = {"tls": vouched_for, "auth_require_tls": False} if scheme == "smtps" else {"tls_context": vouched_for}
    async with serving(letterbox, authenticator=authenticate, auth_required=True, **tls) as port:
        post = Post.of(f"{scheme}://localhost:{port}", "catalog", "the password", "catalog@example.org", "")
        await replace(post, trust=trusting).send("ada@example.org", "Hello", "text")
        with pytest.raises(Refused):
            await post.send("ada@example.org", "Hello", "to a server that nobody vouches for")

    assert told == [(b"catalog", b"the password", True)]
    assert len(letterbox.mails) == 1


async def test_a_server_without_tls_is_not_told_a_password(port, letterbox):
    post = Post.of(f"127.0.0.1:{port}", "catalog", "the password", "catalog@example.org", "")

    with pytest.raises(Refused):
        await post.send("ada@example.org", "Hello", "text")

    assert letterbox.mails == []


@pytest.mark.parametrize(
    ("server", "username", "host", "port", "security"),
    [
        ("smtp.example.org", "", "smtp.example.org", 587, "starttls"),
        ("smtp.example.org:25", "", "smtp.example.org", 25, "if offered"),
        ("smtp.example.org:25", "me", "smtp.example.org", 25, "starttls"),
        ("smtp.example.org:465", "", "smtp.example.org", 465, "tls"),
        ("smtps://smtp.example.org", "", "smtp.example.org", 465, "tls"),
        ("smtps://smtp.example.org:2465/", "", "smtp.example.org", 2465, "tls"),
        ("[2001:db8::1]:25", "", "2001:db8::1", 25, "if offered"),
    ],
)
def test_a_mail_server_is_written_in_several_ways(server, username, host, port, security):
    post = Post.of(server, username, "", "catalog@example.org", "")

    assert (post.host, post.port, post.security) == (host, port, security)


def test_a_password_of_the_mail_server_does_not_print():
    assert "hush" not in repr(Post.of("smtp.example.org", "me", "hush", "catalog@example.org", ""))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"SMTP_SERVER": "http://x"}, "SMTP_SERVER should be host, host:port or smtps://host:port"),
        ({"SMTP_SERVER": "smtp.example.org"}, "SMTP_EMAIL is needed beside SMTP_SERVER"),
        ({"SMTP_SERVER": "smtp.example.org", "SMTP_EMAIL": "x@y.z"}, "PUBLIC_URL is needed beside SMTP_SERVER"),
        ({"PUBLIC_URL": "models.example.org"}, "PUBLIC_URL should be the address that people type"),
        ({"TRUSTED_PROXIES": "10.0.0.0/8,proxy"}, "TRUSTED_PROXIES should be a list of addresses"),
    ],
)
def test_a_setting_of_mail_that_is_wrong_is_named(tmp_path, values, sentence):
    with pytest.raises(SettingsError, match=re.escape(sentence)):
        load(tmp_path / "none.env", values)
