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
from catalog.domain.people.authentication import credentials, mail, password_resets
from catalog.domain.people.authentication.login_throttle import MAIL_TO
from catalog.domain.people.authentication.mail import Outbox, SmtpServer
from catalog.errors import MAIL_AWAY, Refused
from catalog.settings.loading import SettingsError, load
from catalog.store import tenant_documents
from catalog.store.clock import now
from catalog.store.documents.people import PasswordResetDocument
from tests.support.app import API_TOKEN, OURS, PASSWORD, in_database
from tests.support.ports import reserved_port
from tests.support.serving import SOON

NEW = "Other-Pass-2"
ADDRESSES = {"ada": "ada@example.org", "admin": "info@example.org"}
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
    """A second server over the same database, with mail, and its outbox."""
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
        yield client, app.state.outbox
    app.state.database.close()


@pytest.fixture
async def mailing(mongo, settings, port):
    async with posting(mongo, settings, port) as mailing:
        yield mailing


async def ask(client, org, email="ada@example.org"):
    return await client.post(f"/v1/self/reset?tenant={org.name}", json={"email": email})


async def confirm(client, org, token, password=NEW, **more):
    return await client.put("/v1/self", json={"tenant": org.name, "reset": token, "password": password} | more)


def token_in(text):
    [token] = set(re.findall(r"token=([0-9a-f]{24})&", text))
    return token


@pytest.fixture
async def token(app, client, org, caplog):
    """Of a mail to ada, as the log tells it where there is no mail server."""
    return await token_for(app, client, org, caplog)


async def token_for(app, client, org, caplog, username="ada"):
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        (await ask(client, org, ADDRESSES[username])).raise_for_status()
        await app.state.outbox.drain(SOON)
    return token_in(caplog.text)


async def sign_in(client, org, password, username="ada"):
    body = {"username": username, "password": password, "tenant": org.name}
    return (await client.post("/v1/login", json=body)).status_code


async def test_a_mail_lets_one_choose_a_new_password(mailing, client, org, letterbox):
    mailer, outbox = mailing

    answer = await ask(mailer, org)
    await outbox.drain(SOON)

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


async def test_without_a_mail_server_the_operator_finds_the_link_in_the_log(app, client, org, caplog):
    with caplog.at_level(logging.WARNING):
        answer = await ask(client, org)
        await app.state.outbox.drain(SOON)

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


async def test_a_token_is_over_after_a_while(app, client, org, token):
    resets = app.state.database.client[org.database]["password_resets"]
    [reset] = await resets.find().to_list(None)
    assert reset["expires"] == reset["timestamp"] + timedelta(hours=1)
    await resets.update_one({}, {"$set": {"expires": now()}})

    answer = await confirm(client, org, token)

    assert (answer.status_code, answer.json()["value"]) == (403, 17)


async def test_a_weak_password_leaves_the_token_good(client, org, token):
    weak = await confirm(client, org, token, "weak")

    assert (weak.status_code, weak.json()["value"]) == (400, 8)
    assert token not in weak.text
    assert (await confirm(client, org, token)).status_code == 200


async def by_link(client, org, link, username):
    return await confirm(client, org, link)


def by_change(whose, **change):
    """A PUT of the user, by the user or by an administrator."""

    async def changed(client, org, link, username):
        who = org.as_(username if whose == "own" else "admin")
        return await client.put(f"/v1/users/{username}", json=change, headers=who)

    return changed


async def by_operator(client, org, link, username):
    url = f"/v1/tenants/{org.name}/administrator"
    return await client.put(url, json={"password": NEW}, headers={"Authorization": API_TOKEN})


CHANGES = {
    "a link is used": ("ada", by_link),
    "one's own password": ("ada", by_change("own", password=NEW)),
    "a password, by an administrator": ("ada", by_change("admin", password=NEW)),
    "one's own address": ("ada", by_change("own", email="new@example.org")),
    "an address, by an administrator": ("ada", by_change("admin", email="new@example.org")),
    "a role": ("ada", by_change("admin", role="admin")),
    "an administrator's password, by the operator": ("admin", by_operator),
}


@pytest.mark.parametrize(("username", "change"), CHANGES.values(), ids=CHANGES)
async def test_all_credentials_end_together(app, client, org, caplog, username, change):
    made = (await client.post("/v1/tokens", json={"name": "ci"}, headers=org.as_(username))).json()["token"]
    first = await token_for(app, client, org, caplog, username)
    second = await token_for(app, client, org, caplog, username)
    session = org.as_(username)

    changed = await change(client, org, first, username)

    assert changed.status_code == 200
    after = {
        "session": (await client.get("/v1/models", headers=session)).status_code,
        "renewal": (await client.put("/v1/login", headers=session)).status_code,
        "personal token": (await client.get("/v1/models", headers={"Authorization": made})).status_code,
        "first link": (await confirm(client, org, first, "Third-Pass-3")).status_code,
        "second link": (await confirm(client, org, second, "Third-Pass-3")).status_code,
    }
    assert after == {
        "session": 401,
        "renewal": 401,
        "personal token": 401,
        "first link": 403,
        "second link": 403,
    }


async def test_an_address_that_stays_what_it_is_ends_nothing(client, org, token):
    same = {"email": "ada@example.org"}

    kept = await client.put("/v1/users/ada", json=same, headers=org.as_("ada"))

    assert kept.status_code == 200
    assert (await client.get("/v1/models", headers=org.as_("ada"))).status_code == 200
    assert (await confirm(client, org, token)).status_code == 200


async def test_of_two_links_that_are_used_at_once_one_wins(app, client, org, caplog, token):
    other = await token_for(app, client, org, caplog)

    answers = await asyncio.gather(*(confirm(client, org, each) for each in (token, other)))

    assert sorted(answer.status_code for answer in answers) == [200, 403]


async def test_a_link_asked_for_while_the_address_changes_is_worth_nothing(app, client, org, caplog, monkeypatch):
    users_raw = app.state.database.client[org.database]["users"]
    insert = tenant_documents.BoundCollection.insert

    async def after_the_change(self, document):
        if isinstance(document, PasswordResetDocument):
            await users_raw.update_one({"username": "ada"}, {"$set": {"email": "new@example.org", "signed_out": now()}})
        return await insert(self, document)

    monkeypatch.setattr(tenant_documents.BoundCollection, "insert", after_the_change)

    token = await token_for(app, client, org, caplog)

    assert (await confirm(client, org, token)).status_code == 403


async def test_a_password_that_changes_while_it_is_verified_signs_nobody_in(client, org, monkeypatch):
    verified = credentials.verify_password

    async def slowly(password, kept):
        found = await verified(password, kept)
        (await client.put("/v1/users/ada", json={"password": NEW}, headers=org.as_("admin"))).raise_for_status()
        return found

    monkeypatch.setattr("catalog.domain.people.authentication.sign_in.verify_password", slowly)

    assert await sign_in(client, org, PASSWORD) == 401


async def test_a_session_that_ended_on_another_server_is_not_renewed_here(app, client, org):
    await client.get("/v1/models", headers=org.as_("ada"))  # this server believes in it for a while
    users_raw = app.state.database.client[org.database]["users"]
    await users_raw.update_one({"username": "ada"}, {"$set": {"signed_out": now() + timedelta(milliseconds=1)}})

    assert (await client.put("/v1/login", headers=org.as_("ada"))).status_code == 401


async def test_a_token_is_kept_as_a_hash_and_forgotten_by_the_database(client, org, token, app):
    collection = app.state.database.client[org.database]["password_resets"]

    [kept] = await collection.find({}).to_list(None)
    indexes = await collection.index_information()

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


async def test_repeated_requests_wait_whether_the_address_is_known_or_not(app, client, org):
    for address in ("ada@example.org", "unknown@example.org"):
        begin = now()
        asked = [await ask(client, org, address) for _ in range(MAIL_TO.free)]
        # As if all of them had come in a moment, which is a minute ahead.
        ahead = {"$set": {"last": now() + timedelta(minutes=1)}}
        await app.state.database.attempts.records.update_many({"last": {"$gte": begin}}, ahead)
        refused = await ask(client, org, address)

        assert [answer.status_code for answer in asked] == [200] * MAIL_TO.free
        assert refused.status_code == 429
        assert 30 < int(refused.headers["Retry-After"]) <= 61


async def test_nobody_learns_from_the_answer_who_has_an_address(mongo, settings, org, letterbox, monkeypatch):
    """The mail server takes nothing before all have been answered, and nothing was looked up for an answer."""
    answered = asyncio.Event()
    find = password_resets._send

    async def later(*asked):
        await answered.wait()
        await find(*asked)

    monkeypatch.setattr(password_resets, "_send", later)
    async with serving(letterbox) as port, posting(mongo, settings, port) as (client, outbox):
        known, unknown = await ask(client, org), await ask(client, org, "nobody@example.org")
        answered.set()
        await outbox.drain(SOON)

    assert known.content == unknown.content
    assert {*known.headers} == {*unknown.headers}
    assert (known.status_code, unknown.status_code) == (200, 200)
    assert [envelope.rcpt_tos for envelope, *_ in letterbox.mails] == [["ada@example.org"]]


async def test_more_mails_than_can_wait_are_refused_known_or_not(app, client, org, monkeypatch):
    monkeypatch.setattr(mail, "MOST_WAITING", 0)

    answers = [await ask(client, org), await ask(client, org, "nobody@example.org")]

    assert [(answer.status_code, answer.json()["value"]) for answer in answers] == [(503, 128)] * 2


async def test_a_server_that_stops_sends_what_waits_for_a_while(caplog):
    outbox, sent, stuck = Outbox(), [], asyncio.Event()

    async def send():
        sent.append(1)

    outbox.put(send)
    await outbox.drain(SOON)
    outbox.put(stuck.wait)
    await outbox.drain(0.01)

    assert sent == [1]
    assert "1 mails were not sent" in caplog.text


async def test_a_mail_server_that_is_away_is_told_in_a_line(mongo, settings, org, caplog):
    with reserved_port() as port:
        async with posting(mongo, settings, port) as (mailing, outbox):
            with caplog.at_level(logging.WARNING):
                answer = await ask(mailing, org)
                await outbox.drain(SOON)

    assert answer.status_code == 200
    [line] = [
        record.getMessage() for record in caplog.records if record.name == "catalog.domain.people.authentication.mail"
    ]
    assert line.startswith(f"a mail could not be sent by 127.0.0.1:{port}: ")
    assert "\n" not in line
    assert "token=" not in caplog.text


async def test_a_mail_server_that_says_nothing_does_not_hold_the_answer(monkeypatch):
    monkeypatch.setattr(mail, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        post = SmtpServer.parse(f"127.0.0.1:{silent.getsockname()[1]}", "", "", "catalog@example.org", "")
        with pytest.raises(Refused) as refusal:
            await post.send("ada@example.org", "subject", "text")

    assert refusal.value.fault is MAIL_AWAY


async def test_a_user_whose_address_is_no_address_breaks_nothing(port):
    post = SmtpServer.parse(f"127.0.0.1:{port}", "", "", "catalog@example.org", "")

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
        post = SmtpServer.parse(f"{scheme}://localhost:{port}", "catalog", "the password", "catalog@example.org", "")
        await replace(post, trust=trusting).send("ada@example.org", "Hello", "text")
        with pytest.raises(Refused):
            await post.send("ada@example.org", "Hello", "to a server that nobody vouches for")

    assert told == [(b"catalog", b"the password", True)]
    assert len(letterbox.mails) == 1


async def test_a_server_without_tls_is_not_told_a_password(port, letterbox):
    post = SmtpServer.parse(f"127.0.0.1:{port}", "catalog", "the password", "catalog@example.org", "")

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
    post = SmtpServer.parse(server, username, "", "catalog@example.org", "")

    assert (post.host, post.port, post.security) == (host, port, security)


def test_a_password_of_the_mail_server_does_not_print():
    assert "hush" not in repr(SmtpServer.parse("smtp.example.org", "me", "hush", "catalog@example.org", ""))


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
