"""Passwords and tokens."""

import hmac
import json
import math
import sys
from base64 import urlsafe_b64encode
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from passlib.hash import bcrypt

from catalog.domain.people import users
from catalog.domain.people.authentication import credentials, sign_in
from catalog.domain.people.authentication.credentials import SessionTokens, hash_password, strength, verify_password
from catalog.domain.versions.files.links import derived_key
from catalog.errors import Refused
from catalog.store.clock import now
from catalog.vocabulary import Role
from tests.support.app import PASSWORD


@pytest.mark.parametrize(
    ("password", "level"),
    [
        ("", 0),
        ("weak", 0),
        ("admin", 0),
        ("abcdef", 0),
        ("abcde1", 1),
        ("Abcdef1", 1),
        ("Abcde-1x", 2),
        ("Engine-No-1", 3),
    ],
)
def test_strength_is_told_as_the_reference_tells_it(password, level):
    assert strength(password) == level


@given(st.text())
def test_strength_never_goes_beyond_its_scale(password):
    assert 0 <= strength(password) <= 3


async def test_a_password_is_kept_as_argon2id_and_verified(monkeypatch):
    monkeypatch.setattr(credentials, "_HASHES", credentials.hashes())

    kept = await hash_password(PASSWORD)

    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await verify_password(PASSWORD, kept) == (True, None)
    assert await verify_password("another", kept) == (False, None)


async def test_nobody_has_no_password():
    assert await verify_password(PASSWORD, None) == (False, None)


@pytest.mark.parametrize("password", ["pippo", "pässwörd", "x" * 72, "y" * 100])
@pytest.mark.parametrize("ident", ["2a", "2b"])
async def test_a_bcrypt_hash_still_verifies_and_is_replaced(password, ident):
    kept = bcrypt.using(rounds=4, ident=ident).hash(password.encode()[:72])

    right, better = await verify_password(password, kept)

    assert right
    assert await verify_password(password, better) == (True, None)
    assert await verify_password("another", kept) == (False, None)


async def test_an_old_hash_is_replaced_at_the_next_sign_in(tenant):
    user = await users.add(tenant, "ada", PASSWORD, Role.REGULAR, email=None, days=0)
    old = bcrypt.using(rounds=4, ident="2a").hash(PASSWORD)
    await tenant.users.records.update_one({"_id": user.id}, {"$set": {"password": old}})

    await sign_in.sign_in(tenant, "ada", PASSWORD)

    kept = await tenant.users.get(user.id)
    assert kept.password.startswith("$argon2id$")
    assert (await sign_in.sign_in(tenant, "ada", PASSWORD))["_id"] == user.id


async def test_a_password_expires(tenant):
    await users.add(tenant, "ada", PASSWORD, Role.REGULAR, email=None, days=1)
    await tenant.users.records.update_one({"username": "ada"}, {"$set": {"createdPassword": now() - timedelta(days=2)}})

    with pytest.raises(Refused, match="expired"):
        await sign_in.sign_in(tenant, "ada", PASSWORD)


async def test_a_user_does_not_print_the_hash(tenant):
    user = await users.add(tenant, "ada", PASSWORD, Role.REGULAR, email=None, days=0)

    assert "argon2" not in repr(user)


SECRET = "a secret of the tests, long enough for HS256"
SOUND = {"sub": "5f" * 12, "tenant": "acme", "iat": 1.0, "exp": 4e9, "jti": "x"}
SURROGATE = "\ud800"

ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(SURROGATE) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def signed(payload, key):
    """A token over any text, as somebody makes it who has the secret."""
    head, body = (urlsafe_b64encode(part).rstrip(b"=") for part in (b'{"alg":"HS256","typ":"JWT"}', payload))
    signature = hmac.digest(key, head + b"." + body, "sha256")
    return b".".join([head, body, urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def written(claims):
    with unlimited_digits():
        return json.dumps(claims).encode()


@contextmanager
def unlimited_digits():
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(before)


@given(st.dictionaries(st.sampled_from(sorted(SOUND)), ODD), st.sets(st.sampled_from(sorted(SOUND)), max_size=2))
def test_whatever_a_signed_token_claims_it_is_read_or_refused(odd, missing):
    claims = {name: value for name, value in (SOUND | odd).items() if name not in missing}
    tokens = SessionTokens(SECRET, timedelta(minutes=30), timedelta(days=36500))
    token = signed(written(claims), SECRET.encode())

    for for_renewal in False, True:
        with suppress(Refused):  # all that may come out of it
            read = tokens.read(token, for_renewal=for_renewal)
            assert read.tenant.encode("ascii")
            assert math.isfinite(read.issued + read.expires)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": "never"},
        {"exp": math.nan},
        {"exp": math.inf},
        {"exp": 10**5000},
        {"exp": 10**400},
        {"exp": True},
        {"exp": None},
        {"iat": []},
        {"iat": -math.inf},
        {"iat": None},
        {"tenant": ""},
        {"tenant": SURROGATE},
        {"tenant": ["acme"]},
        {"tenant": "ä"},
        {"sub": 5},
        {"sub": SURROGATE},
        {"sub": "5f"},
        {"jti": 5},
    ],
)
async def test_odd_claims_sign_nobody_in(client, settings, claims):
    token = signed(written(SOUND | claims), settings.jwt_secret.get_secret_value().encode())

    answer = await client.get("/v1/models", headers={"Authorization": token})
    renewed = await client.put("/v1/login", headers={"Authorization": token})

    assert (answer.status_code, answer.json()["value"]) == (401, 3)
    assert (renewed.status_code, renewed.json()["value"]) == (401, 3)


@pytest.mark.parametrize("payload", [b"[" * 40_000, b"[]", b"null", b"", b"\xff", b'{"sub":' + b"1" * 5000 + b"}"])
async def test_a_signed_payload_that_is_no_object_signs_nobody_in(client, settings, payload):
    token = signed(payload, settings.jwt_secret.get_secret_value().encode())

    assert (await client.get("/v1/models", headers={"Authorization": token})).status_code == 401


@pytest.mark.parametrize(
    "claims", [{}, {"sub": 5}, {"sub": "x"}, {"version": []}, {"exp": math.inf}, {"exp": "x"}, {"tenant": SURROGATE}]
)
async def test_odd_claims_in_a_link_lead_nowhere(client, settings, claims):
    key = derived_key(settings.jwt_secret.get_secret_value(), "links")
    whole = {"sub": "5f" * 12, "tenant": "acme", "version": "5f" * 12, "path": "", "exp": 4e9} | claims

    answer = await client.get(f"/v1/links/{signed(written(whole), key)}")

    assert (answer.status_code, answer.json()["value"]) == (403, 116)
