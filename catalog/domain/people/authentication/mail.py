"""Sending mail by SMTP."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import EmailMessage
from typing import Literal, Self
from urllib.parse import urlsplit

import aiosmtplib

from catalog.errors import MAIL_AWAY, Refused
from catalog.settings.values import MailSettings

logger = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds within which the mail server must take a mail."""

MOST_WAITING = 1000
"""Mails. With more, the server is flooded or the mail server is away."""

CONCURRENCY = 4
"""How many mails are sent at the same time."""

TLS_PORT, SUBMISSION_PORT = 465, 587

Security = Literal["tls", "starttls", "if offered"]


class MailServerError(Exception):
    """The mail server does not answer, or refuses the connection or the mail. The message says why."""


@dataclass(frozen=True, kw_only=True)
class SmtpServer:
    """The server that takes our mails, and how they are sent to it."""

    host: str
    port: int
    security: Security
    username: str = ""
    password: str = field(default="", repr=False)
    sender: str
    tag: str = ""  # before every subject
    trust: ssl.SSLContext | None = field(default=None, repr=False)  # instead of the system's certificate authorities

    @classmethod
    def parse(cls, server: str, username: str, password: str, sender: str, tag: str) -> Self:
        """Parse `host`, `host:port`, `smtp://host:port` or `smtps://host:port`.

        Port 465 and `smtps` mean TLS from the first byte. Port 587, the default, requires STARTTLS, and so does a
        username. Otherwise STARTTLS is used if the server offers it.

        Raises ValueError, with a sentence.
        """
        parts = urlsplit(server if "://" in server else f"smtp://{server}")
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path.strip("/"):
            raise ValueError("should be host, host:port, smtp://host:port or smtps://host:port")
        port = parts.port or (TLS_PORT if parts.scheme == "smtps" else SUBMISSION_PORT)
        return cls(
            host=parts.hostname,
            port=port,
            security=_security(parts.scheme, port, has_password=bool(username)),
            username=username,
            password=password,
            sender=sender or username,
            tag=tag,
        )

    @classmethod
    def of(cls, settings: MailSettings) -> Self:
        """Raises ValueError as `parse` does."""
        return cls.parse(settings.server, settings.username, settings.password, settings.sender, settings.tag)

    async def send(self, to: str, subject: str, text: str) -> None:
        """Send a mail.

        Raises Refused: MAIL_AWAY; the log says why.
        """
        try:
            message = EmailMessage()
            message["From"] = self.sender
            message["To"] = to
            message["Subject"] = f"{self.tag} {subject}".strip()
            message.set_content(text)
            async with asyncio.timeout(PATIENCE):
                async with self._connection() as connection:
                    await connection.send_message(message)
        except (aiosmtplib.SMTPException, OSError, MessageError, ValueError) as failure:
            logger.warning("a mail could not be sent by %s:%s: %s", self.host, self.port, _reason(failure))
            raise Refused(MAIL_AWAY) from None

    async def check(self) -> None:
        """Connect and sign in as for a mail, and send none.

        Raises MailServerError.
        """
        try:
            async with asyncio.timeout(PATIENCE), self._connection():
                pass
        except (aiosmtplib.SMTPException, OSError, ValueError) as failure:
            raise MailServerError(_reason(failure)) from failure

    def _connection(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            local_hostname=socket.gethostname(),
            username=self.username or None,
            password=self.password or None,
            use_tls=self.security == "tls",
            start_tls={"tls": False, "starttls": True, "if offered": None}[self.security],
            # Where TLS is optional, an attacker in the middle could remove it anyway.
            validate_certs=self.security != "if offered",
            tls_context=self.trust,
        )


class Outbox:
    """Sends mails in the background, after the request was answered. What is unsent when the server stops is lost."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(CONCURRENCY)

    def put(self, send: Callable[[], Awaitable[None]]) -> None:
        """Send a mail in the background. Failures go to the log.

        Raises Refused: MAIL_AWAY when MOST_WAITING are waiting.
        """
        if len(self._tasks) >= MOST_WAITING:
            raise Refused(MAIL_AWAY)
        task = asyncio.create_task(self._send(send))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self, patience: float) -> None:
        """Send the waiting mails, for at most `patience` seconds."""
        if not self._tasks:
            return
        _, unsent = await asyncio.wait(self._tasks, timeout=patience)
        for task in unsent:
            task.cancel()
        if unsent:
            logger.warning("%d mails were not sent before the server stopped", len(unsent))

    async def _send(self, send: Callable[[], Awaitable[None]]) -> None:
        async with self._slots:
            try:
                await send()
            except Refused:
                pass  # logged already
            except Exception:
                logger.exception("a mail could not be sent")


def _security(scheme: str, port: int, *, has_password: bool) -> Security:
    if scheme == "smtps" or port == TLS_PORT:
        return "tls"
    return "starttls" if port == SUBMISSION_PORT or has_password else "if offered"


def _reason(failure: Exception) -> str:
    """One line. The answer of a mail server may repeat an address, but not the text of the mail."""
    return " ".join(str(failure).split()) or type(failure).__name__
