"""A forgotten password: a mail with leave to choose a new one, once, for a while.

A link ends with all other credentials of its user (see `credentials.has_ended`): when another link is used, and when
the password, the role or the address changes.
"""

import hashlib
import logging
import re
import secrets
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple, Never
from urllib.parse import urlencode

from pymongo import ReturnDocument

from catalog.domain.body_fields import Form, shown
from catalog.domain.people import users
from catalog.domain.people.credentials import LONGEST_PASSWORD, has_ended
from catalog.domain.people.mail import Outbox, Post
from catalog.domain.people.users import Policy
from catalog.errors import EMPTY_BODY, NOT_CHANGED, NOT_FOUND, RESET_INVALID, Refused
from catalog.store.database import Tenant
from catalog.store.documents import PasswordReset, now
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import ResetStatus

logger = logging.getLogger(__name__)

TOKEN = re.compile(r"[0-9a-f]{24}")  # 96 bits of chance, in the form that clients know

FIELDS = frozenset({"tenant", "password", "reset"})

MAIL = """\
Somebody, probably you, asked for a new password of {username} in {tenant}.

Choose one here, once, within {hours}:

    {link}

or send the token of the link with PUT {public_url}/{version}/self:

    {{"tenant": "{tenant}", "reset": "{token}", "password": "..."}}

If it was not you, there is nothing to do: the password stays as it is.
"""


class Resets(NamedTuple):
    """How passwords are reset here. Without a `post` the operator finds the link in the log."""

    post: Post | None
    public_url: str  # what people type to get to this server; never what a request says of it
    version: str  # the prefix of the API
    life: timedelta
    outbox: Outbox


async def ask(tenant: Tenant, email: str, resets: Resets) -> None:
    """Have leave to choose a new password sent to a user's address, if it is one's.

    Everything that depends on that comes later: neither the answer nor the time it takes tells who has an address.

    Raises Refused: MAIL_AWAY when too many mails wait.
    """
    resets.outbox.put(partial(_send, tenant, email, resets))


async def _send(tenant: Tenant, email: str, resets: Resets) -> None:
    """Raises Refused: MAIL_AWAY."""
    asked = now()  # before the user is read: a change that comes between ends this link, too
    user: Raw | None = await tenant.users.raw.find_one({"email": email}, {"username": 1})
    if user is None:
        return
    token = secrets.token_hex(12)
    leave = PasswordReset(id=_digest(token), user=user["_id"], timestamp=asked, expires=asked + resets.life)
    await tenant.password_resets.insert(leave)
    link = f"{resets.public_url}/#/passwordreset?{urlencode({'token': token, 'tenant': tenant.name})}"
    if resets.post is None:
        logger.warning("SMTP_SERVER is not set. A new password of %s: %s", user["username"], link)
        return
    text = MAIL.format(
        username=user["username"],
        tenant=tenant.name,
        hours=_length(resets.life),
        link=link,
        public_url=resets.public_url,
        version=resets.version,
        token=token,
    )
    await resets.post.send(email, "Choose a new password", text)


async def confirm(tenant: Tenant, body: Any, policy: Policy) -> Raw:
    """Give the user of a reset the new password, end all credentials, and return the user.

    Raises Refused: EMPTY_BODY for a field that is missing, NOT_FOUND for a token that never was, RESET_INVALID for one
    that is used or over, NOT_CHANGED for a password that is too weak, which leaves the token good.
    """
    form = Form(body, NOT_CHANGED, FIELDS)
    password = form.text("password", LONGEST_PASSWORD) or _missing("password")
    token = form.text("reset") or _missing("reset")
    if not TOKEN.fullmatch(token):
        raise Refused(
            NOT_FOUND,
            f"The reset token {shown(token)} is not a valid identifier (24 hex characters), "
            "please repeat the reset password procedure",
        )
    found = await tenant.password_resets.raw.find_one({"_id": _digest(token)})
    if found is None:
        raise Refused(
            NOT_FOUND,
            f"The reset token {token} doesn't exist, please check the token or repeat the reset password procedure",
        )
    user = await tenant.users.raw.find_one({"_id": found["user"]}, {"signed_out": 1})
    if not _is_good(found) or user is None or has_ended(user, found["timestamp"].timestamp()):
        raise Refused(RESET_INVALID, token)
    users.refuse_weak(form, password, policy)
    return await _use(tenant, found, token, password)


async def _use(tenant: Tenant, reset: Raw, token: str, password: str) -> Raw:
    # Used up before the password is written: of two at once one is too late, and a crash between asks for another mail.
    used: Raw | None = await tenant.password_resets.raw.find_one_and_update(
        {"_id": reset["_id"], "status": ResetStatus.VALID.value},
        {"$set": {"status": ResetStatus.INVALID.value}},
        return_document=ReturnDocument.AFTER,
    )
    if used is None:
        raise Refused(RESET_INVALID, token)
    user = await users.with_password(tenant, reset["user"], password, by=reset["timestamp"])
    if user is None:
        raise Refused(RESET_INVALID, token)
    return user


def _missing(field: str) -> Never:
    raise Refused(EMPTY_BODY, f"Body param `{field}` is required")


def _is_good(reset: Raw) -> bool:
    return bool(reset["status"] == ResetStatus.VALID and reset["expires"] > now())


def _length(life: timedelta) -> str:
    minutes = round(life.total_seconds() / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"  # noqa: PLR2004


def _digest(token: str) -> str:
    """Enough for what is made of chance: nothing can be guessed that a slow hash would protect."""
    return hashlib.sha256(token.encode()).hexdigest()
