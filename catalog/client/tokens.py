"""What the client reads from a token, without verifying it, and how it sends one."""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass

from catalog.client.errors import Invalid

PERSONAL_TOKEN = re.compile(r"(?:\w+ )?cat_(.+)_\w+$")
"""A personal access token; the group is the name of its tenant."""

RENEWAL_FRACTION = 0.2
"""A token is renewed when this fraction of its lifetime is left."""


@dataclass(frozen=True, slots=True)
class TokenLifetime:
    """When a token was issued and expires, in seconds since the epoch."""

    begin: float
    end: float

    @classmethod
    def of(cls, token: str) -> "TokenLifetime | None":
        found = claims(token)
        issued, expires = found.get("iat"), found.get("exp")
        if not isinstance(issued, int | float) or not isinstance(expires, int | float):
            return None
        return cls(issued, expires)

    @property
    def length(self) -> float:
        return self.end - self.begin

    def is_nearly_over(self, now: float) -> bool:
        return self.end - now < RENEWAL_FRACTION * self.length


def claims(token: str) -> Mapping[str, object]:
    """The unverified claims of a session token; empty for any other token."""
    parts = token.rpartition(" ")[2].split(".")
    if len(parts) != 3:  # noqa: PLR2004  header, claims, signature
        return {}
    try:
        found = json.loads(urlsafe_b64decode(parts[1] + "=="))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def tenant_of(token: str) -> str:
    """The name of the tenant in a token; empty if there is none."""
    personal = PERSONAL_TOKEN.match(token)
    return personal[1] if personal else str(claims(token).get("tenant", ""))


def readable_token(token: str) -> str:
    """The token without blanks around it, such as the line break of a file.

    Raises Invalid for characters that a token cannot have; the message does not show it.
    """
    stripped = token.strip()
    if not stripped.isascii() or not stripped.isprintable():
        raise Invalid(
            "The token has a line break or a letter with an accent in it, as no token has",
            advice="Copy it again, as one line, into CATALOG_TOKEN or token=.",
        )
    return stripped


def authorization(token: str) -> str:
    return token if " " in token else f"Bearer {token}"
