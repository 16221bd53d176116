"""Passwords and tokens."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from passlib.hash import bcrypt

from catalog.domain import credentials, users
from catalog.domain.credentials import hashed, strength, verified
from catalog.errors import Refused
from catalog.store.documents import now
from catalog.vocabulary import Role
from tests.conftest import PASSWORD


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

    kept = await hashed(PASSWORD)

    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await verified(PASSWORD, kept) == (True, None)
    assert await verified("another", kept) == (False, None)


async def test_nobody_has_no_password():
    assert await verified(PASSWORD, None) == (False, None)


@pytest.mark.parametrize("password", ["pippo", "pässwörd", "x" * 72, "y" * 100])
@pytest.mark.parametrize("ident", ["2a", "2b"])
async def test_a_bcrypt_hash_still_verifies_and_is_replaced(password, ident):
    kept = bcrypt.using(rounds=4, ident=ident).hash(password.encode()[:72])

    right, better = await verified(password, kept)

    assert right
    assert await verified(password, better) == (True, None)
    assert await verified("another", kept) == (False, None)


async def test_an_old_hash_is_replaced_at_the_next_sign_in(tenant):
    user = await users.add(tenant, "ada", PASSWORD, Role.REGULAR, email=None, days=0)
    old = bcrypt.using(rounds=4, ident="2a").hash(PASSWORD)
    await tenant.users.raw.update_one({"_id": user.id}, {"$set": {"password": old}})

    await users.signed_in(tenant, "ada", PASSWORD)

    kept = await tenant.users.get(user.id)
    assert kept.password.startswith("$argon2id$")
    assert (await users.signed_in(tenant, "ada", PASSWORD))["_id"] == user.id


async def test_a_password_expires(tenant):
    await users.add(tenant, "ada", PASSWORD, Role.REGULAR, email=None, days=1)
    await tenant.users.raw.update_one({"username": "ada"}, {"$set": {"createdPassword": now() - timedelta(days=2)}})

    with pytest.raises(Refused, match="expired"):
        await users.signed_in(tenant, "ada", PASSWORD)


async def test_a_user_does_not_print_his_hash(tenant):
    user = await users.add(tenant, "ada", PASSWORD, Role.REGULAR, email=None, days=0)

    assert "argon2" not in repr(user)
