"""Mail, by SMTP."""

import asyncio
import logging
import socket
import ssl
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import EmailMessage
from typing import Literal, Self
from urllib.parse import urlsplit

import aiosmtplib

from catalog.errors import MAIL_AWAY, Refused

logger = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that a mail server is given altogether, while somebody waits for the answer."""

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


def _security(scheme: str, port: int, *, has_password: bool) -> Security:
    if scheme == "smtps" or port == TLS_PORT:
        return "tls"
    return "starttls" if port == SUBMISSION_PORT or has_password else "if offered"


def _reason(failure: Exception) -> str:
    """In one line. What a server answers may repeat an address, but never the text of the mail."""
    return " ".join(str(failure).split()) or type(failure).__name__
