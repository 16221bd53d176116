"""Limits of what is sent to a server, and of what it may answer: it may be no catalog, or a hostile one."""

from collections.abc import Iterator
from contextlib import contextmanager

from catalog.client.errors import Invalid, NotACatalog

LARGEST_ANSWER = 64 * 2**20
"""Bytes of an answer that is held in memory."""


class AnswerInMemory:
    """Collects the body of an answer. Raises NotACatalog when it does not end."""

    def __init__(self) -> None:
        self.content = bytearray()

    def add(self, block: bytes) -> None:
        self.content += block
        if len(self.content) > LARGEST_ANSWER:
            raise NotACatalog(f"The server's answer has more than {LARGEST_ANSWER} bytes")


@contextmanager
def refuse_unencodable() -> Iterator[None]:
    """Turn a text that cannot be sent, as it is not UTF-8, into Invalid."""
    try:
        yield
    except UnicodeEncodeError as error:
        sign = ascii(error.object[error.start])  # not the rest: it may be a secret
        raise Invalid(f"A name or a value is not UTF-8: it has the sign {sign}") from None
