"""Mail, by SMTP."""

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

logger = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that a mail server is given for a mail altogether."""

MOST_WAITING = 1000
"""Mails. Beyond this the server is flooded, or the mail server is away."""

AT_ONCE = 4
"""How many mails are sent together."""

TLS_PORT, SUBMISSION_PORT = 465, 587

Security = Literal["tls", "starttls", "if offered"]


@dataclass(frozen=True, kw_only=True)
class Post:
    """How mail leaves this server."""

    host: str
    port: int
    security: Security
    username: str = ""
    password: str = field(default="", repr=False)
    sender: str
    tag: str = ""  # before every subject
    trust: ssl.SSLContext | None = field(
        default=None, repr=False
    )  # whom to believe, instead of the system's authorities

    @classmethod
    def of(cls, server: str, username: str, password: str, sender: str, tag: str) -> Self:
        """Read `host`, `host:port`, `smtp://host:port` or `smtps://host:port`.

        Port 465 and `smtps` are TLS from the first byte; port 587, which is the default, and any server that wants
        a password must offer STARTTLS; any other may.

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

    async def send(self, to: str, subject: str, text: str) -> None:
        """Hand a mail to the server.

        Raises Refused: MAIL_AWAY, and tells the operator why in the log.
        """
        try:
            message = self._message(to, subject, text)
            async with asyncio.timeout(PATIENCE):
                await aiosmtplib.send(
                    message,
                    hostname=self.host,
                    port=self.port,
                    local_hostname=socket.gethostname(),
                    username=self.username or None,
                    password=self.password or None,
                    use_tls=self.security == "tls",
                    start_tls={"tls": False, "starttls": True, "if offered": None}[self.security],
                    # Where TLS is not insisted on, whoever stands between could leave it out altogether.
                    validate_certs=self.security != "if offered",
                    tls_context=self.trust,
                )
        except (aiosmtplib.SMTPException, OSError, MessageError, ValueError) as failure:
            logger.warning("a mail could not be sent by %s:%s: %s", self.host, self.port, _reason(failure))
            raise Refused(MAIL_AWAY) from None

    def _message(self, to: str, subject: str, text: str) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self.sender
        message["To"] = to
        message["Subject"] = f"{self.tag} {subject}".strip()
        message.set_content(text)
        return message


class Outbox:
    """Mails that are sent after the answer to who asked for them. What is left when the server stops is lost."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(AT_ONCE)

    def put(self, send: Callable[[], Awaitable[None]]) -> None:
        """Have a mail sent. What becomes of it is told in the log.

        Raises Refused: MAIL_AWAY when MOST_WAITING are waiting.
        """
        if len(self._tasks) >= MOST_WAITING:
            raise Refused(MAIL_AWAY)
        task = asyncio.create_task(self._sent(send))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self, patience: float) -> None:
        """Send what waits, for at most `patience` seconds."""
        if not self._tasks:
            return
        _, left = await asyncio.wait(self._tasks, timeout=patience)
        for task in left:
            task.cancel()
        if left:
            logger.warning("%d mails were not sent before the server stopped", len(left))

    async def _sent(self, send: Callable[[], Awaitable[None]]) -> None:
        async with self._turns:
            try:
                await send()
            except Refused:
                pass  # told in the log already
            except Exception:
                logger.exception("a mail could not be sent")


def _security(scheme: str, port: int, *, has_password: bool) -> Security:
    if scheme == "smtps" or port == TLS_PORT:
        return "tls"
    return "starttls" if port == SUBMISSION_PORT or has_password else "if offered"


def _reason(failure: Exception) -> str:
    """In one line. What a server answers may repeat an address, but never the text of the mail."""
    return " ".join(str(failure).split()) or type(failure).__name__
