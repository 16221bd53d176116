"""The client without a server: what its operations ask for, and what they make of the answers."""

import base64
import json
import pickle
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.client import errors
from catalog.client.errors import (
    CatalogError,
    Conflict,
    Damaged,
    Expired,
    Forbidden,
    Invalid,
    NotACatalog,
    NotFound,
    NotSignedIn,
    Offline,
    OutOfSpace,
    ServerError,
    TooLarge,
    TooManyAttempts,
    Unavailable,
    Unsafe,
    error_from,
)
from catalog.client.results import Model, Version
from catalog.client.revisions import parse_reference
from catalog.client.session import Session
from catalog.client.transport import retries
from catalog.client.transport.effects import InThread, Parallel, Pause, Request, Response
from catalog.dialects.v1.errors import CATALOGUE

HOUR = 3600


def told(status=200, body=None, **headers):
    content = b"" if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, {"x-request-id": "r1", **named}, content)


def refused(status, value, **headers):
    return told(status, {"status": status, "value": value, "message": "No", "details": "iris"}, **headers)


def a_token(begin, end):
    claims = base64.urlsafe_b64encode(json.dumps({"sub": "u1", "tenant": "acme", "iat": begin, "exp": end}).encode())
    return f"JWT head.{claims.decode().rstrip('=')}.signature-{begin}"


def lost(*, sent):
    error = Unavailable("nobody answers")
    error.sent = sent
    return error


class Play:
    """Runs an operation against answers that were written down beforehand."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.asked = []
        self.paused = []

    def run(self, operation):
        step = operation.send
        value = None
        while True:
            try:
                effect = step(value)
            except StopIteration as end:
                assert self.replies == []
                return end.value
            step = operation.send
            match effect:
                case Request():
                    self.asked.append(effect)
                    value = self.replies.pop(0)
                    step = operation.throw if isinstance(value, Exception) else operation.send
                case Pause():
                    self.paused.append(effect.seconds)
                    value = None
                case InThread():
                    value = effect.function()
                case Parallel():
                    value = [self.run(each) for each in effect.operations]


class Unread:
    """A sink for a body that does not come."""

    def begin(self, status, headers):
        return False


def session(url="https://catalog", **given):
    return Session(url, jitter=lambda: 1.0, **given)


def get():
    return Request(method="GET", path="/v1/models")


def post():
    return Request(method="POST", path="/v1/models", body=b"{}")


def twice(someone):
    yield from someone.send(get())
    yield from someone.send(get())


# What is asked once more, and what is not


@pytest.mark.parametrize("failure", [lost(sent=True), lost(sent=False), refused(503, 104), refused(503, 110)])
def test_a_question_is_asked_again_after_a_failure(failure):
    play = Play(failure, told(body={"docs": []}))

    answer = play.run(session().send(get()))

    assert (answer.json(), len(play.asked), len(play.paused)) == ({"docs": []}, 2, 1)


@pytest.mark.parametrize("failure", [lost(sent=True), refused(503, 104), refused(503, 123)])
def test_a_creation_that_may_have_happened_is_not_repeated(failure):
    play = Play(failure)

    with pytest.raises(Unavailable):
        play.run(session().send(post()))

    assert len(play.asked) == 1


@pytest.mark.parametrize("failure", [lost(sent=False), refused(503, 110)])
def test_a_creation_that_did_not_happen_is_repeated(failure):
    play = Play(failure, told(body={}))

    play.run(session().send(post()))

    assert len(play.asked) == 2


@pytest.mark.parametrize(("headers", "times"), [({}, 2), ({"If-Match": '"1"'}, 1)])
def test_a_change_is_repeated_unless_a_condition_would_refuse_it_then(headers, times):
    play = Play(lost(sent=True), *[told()] * (times - 1))
    request = Request(method="PUT", path="/v1/models/iris", headers=headers, body=b"{}")

    if times == 1:
        with pytest.raises(Unavailable):
            play.run(session().send(request))
    else:
        play.run(session().send(request))

    assert len(play.asked) == times


def test_it_waits_as_long_as_the_server_asks():
    play = Play(refused(503, 104, retry_after="7"), told())

    play.run(session().send(get()))

    assert [7 < seconds < 8 for seconds in play.paused] == [True]


def test_it_does_not_wait_for_minutes_without_being_told_to():
    play = Play(refused(503, 104, retry_after="600"))

    with pytest.raises(Unavailable) as raised:
        play.run(session().send(get()))

    assert raised.value.retry_after == 600


def test_who_guesses_passwords_is_not_helped_to_guess_on():
    play = Play(refused(429, 124, retry_after="1"))

    with pytest.raises(TooManyAttempts):
        play.run(session().send(get()))


def test_it_gives_up():
    play = Play(*[lost(sent=True)] * retries.ATTEMPTS)

    with pytest.raises(Unavailable):
        play.run(session().send(get()))

    assert len(play.paused) == retries.ATTEMPTS - 1


@given(attempt=st.integers(1, retries.ATTEMPTS - 1), jitter=st.floats(0, 1))
def test_waits_grow_and_differ_by_half_at_most(attempt, jitter):
    seconds = retries.backoff(lost(sent=False), attempt, jitter)
    most = retries.backoff(lost(sent=False), attempt, 1.0)

    assert most / 2 <= seconds <= most == 2 ** (attempt - 1) * retries.FIRST


# Who is asking


def test_a_client_with_a_password_signs_in_before_its_first_request():
    token = a_token(0, HOUR)
    play = Play(told(body={"token": token}), told())
    ada = session(username="ada", password="secret", tenant="acme", now=lambda: 0)

    play.run(ada.send(get()))

    assert json.loads(play.asked[0].body) == {"username": "ada", "password": "secret", "tenant": "acme"}
    assert play.asked[1].headers["Authorization"] == token


def test_a_token_is_renewed_before_it_ends_by_the_clock_of_this_machine():
    kept, clock = [], count(1000, 50 * 60)  # the server's clock shows another time
    first, second = a_token(0, HOUR), a_token(1, HOUR)
    play = Play(told(body={"token": first}), told(), told(body={"token": second}), told())
    ada = session(username="ada", password="secret", now=lambda: next(clock), on_token=kept.append)

    play.run(twice(ada))

    assert [request.method for request in play.asked] == ["POST", "GET", "PUT", "GET"]
    assert play.asked[3].headers["Authorization"] == second
    assert kept == [first, second]


def test_a_token_that_was_refused_is_replaced_once():
    play = Play(refused(401, 3), told(body={"token": a_token(0, HOUR)}), refused(401, 3))
    ada = session(token="JWT old", username="ada", password="secret", now=lambda: 0)

    with pytest.raises(NotSignedIn):
        play.run(ada.send(post()))

    assert [request.path for request in play.asked] == ["/v1/models", "/v1/login", "/v1/models"]


def test_a_personal_access_token_is_used_as_it_is():
    play = Play(refused(401, 3))
    script = session(token="cat_acme_" + "x" * 43)

    with pytest.raises(NotSignedIn):
        play.run(script.send(get()))

    assert play.asked[0].headers["Authorization"].startswith("Bearer cat_acme_")
    assert script.tenant == "acme"


def test_a_token_still_serves_while_it_cannot_be_renewed():
    play = Play(lost(sent=True), told())

    play.run(session(token=a_token(0, HOUR), now=lambda: HOUR - 1).send(get()))

    assert [request.method for request in play.asked] == ["PUT", "GET"]


def test_a_client_that_is_offline_asks_nothing():
    play = Play()

    with pytest.raises(Offline):
        play.run(session(offline=True).send(get()))


def test_the_token_does_not_follow_a_redirection():
    play = Play(told(307, location="https://storage/blob?signature=x"), told())
    headers = {"Range": "bytes=5-", "If-Range": '"d"'}
    request = Request(method="GET", path="/v1/models/iris/versions/1", headers=headers, sink=Unread())

    play.run(session(token="cat_acme_x").send(request))

    assert play.asked[1].path == "https://storage/blob?signature=x"
    assert play.asked[1].headers == {"Range": "bytes=5-"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_an_answer_that_leads_to_https_is_an_error_before_the_password_is_sent(status):
    play = Play(told(status, location="https://catalog:8443/v1/version"))

    with pytest.raises(NotACatalog, match="https only") as refused:
        play.run(session("http://catalog:8080", username="ada", password="secret").send(get()))

    assert [request.path for request in play.asked] == ["/v1/version"]
    assert "https://catalog:8443" in refused.value.advice


def test_a_download_does_not_leave_encryption():
    request = Request(method="GET", path="/v1/models/iris/versions/1", sink=Unread())
    play = Play(told(307, location="http://storage/blob?signature=x"))

    with pytest.raises(NotACatalog, match="http://storage, which is not encrypted"):
        play.run(session("https://catalog", token="cat_acme_x").send(request))

    assert len(play.asked) == 1


@pytest.mark.parametrize("location", ["https://elsewhere/v1/models", "http://catalog/sign-in", "/sign-in", ""])
def test_an_answer_that_leads_anywhere_else_is_an_error(location):
    with pytest.raises(NotACatalog, match="not followed"):
        Play(told(302, location=location)).run(session(token="cat_acme_x").send(get()))


# Refusals


@pytest.mark.parametrize(
    ("status", "value", "family"),
    [
        (401, 3, NotSignedIn),
        (401, 14, Invalid),
        (400, 5, Invalid),
        (403, 10, Forbidden),
        (404, 9, NotFound),
        (409, 114, Conflict),
        (410, 119, Expired),
        (412, 109, Conflict),
        (413, 103, TooLarge),
        (422, 112, Unsafe),
        (400, 106, Damaged),
        (503, 104, Unavailable),
        (507, 111, OutOfSpace),
        (500, 0, ServerError),
    ],
)
def test_a_refusal_is_raised_as_its_family(status, value, family):
    error = error_from(refused(status, value))

    assert type(error) is family
    assert (error.status, error.value, error.details, error.request_id) == (status, value, "iris", "r1")
    assert str(error).startswith("No (iris)")


@pytest.mark.parametrize("fault", CATALOGUE, ids=lambda fault: fault.name)
def test_each_refusal_of_the_server_has_a_family(fault):
    error = error_from(refused(fault.status, fault.value))

    assert type(error) is not CatalogError
    assert not isinstance(error, NotACatalog)


@pytest.mark.parametrize("answer", [Response(404, {}, b"<html>nginx</html>"), Response(200, {}, b"<html>")])
def test_whatever_is_no_catalog_is_told_so(answer):
    with pytest.raises(NotACatalog, match="address"):
        Play(answer).run(session().request_json("GET", "/models"))


@pytest.mark.parametrize("family", [each for each in vars(errors).values() if isinstance(each, type)])
def test_an_exception_survives_the_way_between_processes(family):
    if not issubclass(family, CatalogError):
        return
    error = family("No", status=404, value=9, details="iris", request_id="r1")

    same = pickle.loads(pickle.dumps(error))

    assert (type(same), str(same), vars(same)) == (family, str(error), vars(error))


# Results


def test_results_are_frozen_and_blind_to_what_a_newer_server_adds():
    raw = {"_id": "1", "name": "iris", "tags": ["small"], "metadata": [{"name": "accuracy", "value": 0.95}], "new": 1}

    model = Model.of(raw)

    assert (model.id, model.tags, model.metadata, model.kind) == ("1", ("small",), {"accuracy": 0.95}, "models")
    assert pickle.loads(pickle.dumps(model)) == model
    with pytest.raises(AttributeError):
        model.name = "other"


def test_a_version_as_an_item_shows_it_is_the_same_kind_of_thing():
    shown = {"key": "7", "ordinal": "1", "original": "a.onnx", "size": 3, "digest": "d"}

    assert Version.of(shown).id == "7"
    assert Version.of({**shown, "file_count": 2}).folder


@pytest.mark.parametrize(
    ("text", "meant"),
    [("iris", ("iris", "latest")), ("iris@3", ("iris", "3")), ("a@b@production", ("a@b", "production"))],
)
def test_a_reference_is_a_name_and_a_revision(text, meant):
    assert parse_reference(text) == meant


@pytest.mark.parametrize("text", ["", "@3", "iris@"])
def test_what_refers_to_nothing_is_refused(text):
    with pytest.raises(Invalid, match="iris@latest"):
        parse_reference(text)
