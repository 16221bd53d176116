"""Password resets: a mail with a link to choose a new password, once, for a limited time.

A link ends with all other credentials of its user (see `credentials.has_ended`): when another link is used, and when
the password, the role or the email changes.
"""

import hashlib
import logging
import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import NamedTuple
from urllib.parse import urlencode

from catalog.domain.people import users
from catalog.domain.people.authentication.credentials import PasswordPolicy, has_ended, refuse_weak
from catalog.domain.people.authentication.mail import Outbox, SmtpServer
from catalog.errors import NOT_FOUND, RESET_INVALID, Refused
from catalog.store.clock import now
from catalog.store.documents.people import PasswordResetDocument
from catalog.store.records import PasswordResetRecord, UserRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import ResetStatus

logger = logging.getLogger(__name__)

TOKEN = re.compile(r"[0-9a-f]{24}")  # 96 random bits, in the form that clients know

LONGEST_SHOWN = 80  # characters of a wrong token

MAIL = """\
A user, probably you, asked for a new password of {username} in {tenant}.

Choose one here, once, within {hours}:

    {link}

or send the token of the link with PUT {public_url}/{version}/self:

    {{"tenant": "{tenant}", "reset": "{token}", "password": "..."}}

If it was not you, there is nothing to do: the password stays as it is.
"""


class ResetMails(NamedTuple):
    """How links to reset a password are sent. Without a `smtp_server` the operator finds them in the log."""

    smtp_server: SmtpServer | None
    public_url: str  # where users reach this server, as the operator configured it, never as a request says
    version: str  # the path prefix of the API
    life: timedelta
    outbox: Outbox


@dataclass(frozen=True, kw_only=True)
class NewPassword:
    """The password that the holder of a reset token chooses."""

    token: str
    password: str = field(repr=False)


async def request(tenant: Tenant, email: str, mails: ResetMails) -> None:
    """Send a link to choose a new password to this address, if a user has it.

    All that depends on the user happens later: neither the answer nor its time shows whether a user has the address.

    Raises Refused: MAIL_AWAY when too many mails wait.
    """
    mails.outbox.put(partial(_send, tenant, email, mails))


async def _send(tenant: Tenant, email: str, mails: ResetMails) -> None:
    """Raises Refused: MAIL_AWAY."""
    requested = now()  # before the user is read: a change in between also ends this link
    user = await tenant.users.records.find_one({"email": email}, {"username": 1})
    if user is None:
        return
    token = secrets.token_hex(12)
    reset = PasswordResetDocument(
        id=_digest(token), user=user["_id"], timestamp=requested, expires=requested + mails.life
    )
    await tenant.password_resets.insert(reset)
    link = f"{mails.public_url}/#/passwordreset?{urlencode({'token': token, 'tenant': tenant.name})}"
    if mails.smtp_server is None:
        logger.warning("SMTP_SERVER is not set. A new password of %s: %s", user["username"], link)
        return
    text = MAIL.format(
        username=user["username"],
        tenant=tenant.name,
        hours=_duration(mails.life),
        link=link,
        public_url=mails.public_url,
        version=mails.version,
        token=token,
    )
    await mails.smtp_server.send(email, "Choose a new password", text)


async def confirm(tenant: Tenant, new: NewPassword, policy: PasswordPolicy) -> UserRecord:
    """Set the new password of the user of a reset token, end all credentials, and return the user.

    Raises Refused: NOT_FOUND for an unknown token, RESET_INVALID for one that was used or has expired, INVALID_FIELD
    for a password that is too weak, which leaves the token valid.
    """
    if not TOKEN.fullmatch(new.token):
        shown = new.token[:LONGEST_SHOWN] + ("..." if len(new.token) > LONGEST_SHOWN else "")
        raise Refused(
            NOT_FOUND,
            f"The reset token {shown} is not a valid identifier (24 hex characters), "
            "please repeat the reset password procedure",
        )
    reset = await tenant.password_resets.records.find_one({"_id": _digest(new.token)})
    if reset is None:
        raise Refused(
            NOT_FOUND,
            f"The reset token {new.token} doesn't exist, please check the token or repeat the reset password procedure",
        )
    user = await tenant.users.records.find_one({"_id": reset["user"]}, {"signed_out": 1})
    if not _is_valid(reset) or user is None or has_ended(user, reset["timestamp"].timestamp()):
        raise Refused(RESET_INVALID, new.token)
    refuse_weak(new.password, policy)
    return await _use(tenant, reset, new)


async def _use(tenant: Tenant, reset: PasswordResetRecord, new: NewPassword) -> UserRecord:
    # The token is used up before the password is written: of two requests at once one is refused, and a crash between
    # the two writes costs the user another mail.
    used = await tenant.password_resets.modify(
        {"_id": reset["_id"], "status": ResetStatus.VALID.value}, {"$set": {"status": ResetStatus.INVALID.value}}
    )
    if used is None:
        raise Refused(RESET_INVALID, new.token)
    user = await users.set_password(tenant, reset["user"], new.password, issued=reset["timestamp"])
    if user is None:
        raise Refused(RESET_INVALID, new.token)
    return user


def _is_valid(reset: PasswordResetRecord) -> bool:
    return reset["status"] == ResetStatus.VALID and reset["expires"] > now()


def _duration(life: timedelta) -> str:
    minutes = round(life.total_seconds() / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"  # noqa: PLR2004


def _digest(token: str) -> str:
    """A fast hash is enough for a random token: a slow one protects what can be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()
