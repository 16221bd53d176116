"""Limits of what a server may answer, which may be no catalog, or a hostile one."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from catalog.client.errors import Invalid, NotACatalog

LARGEST_ANSWER = 64 * 2**20
"""Bytes of an answer that is held in memory."""

OURS = ("catalog.client.", "catalog.commands.")
SHAPES = ("catalog.client.results.", "catalog.client.session")


class AnswerInMemory:
    """Collects the body of an answer. Raises NotACatalog when it does not end."""

    def __init__(self) -> None:
        self.content = bytearray()

    def add(self, block: bytes) -> None:
        self.content += block
        if len(self.content) > LARGEST_ANSWER:
            raise NotACatalog(f"The server's answer has more than {LARGEST_ANSWER} bytes")


@contextmanager
def shape_checked() -> Iterator[None]:
    """Turn what is missing in an answer, or of another type, into NotACatalog, and a text that cannot be sent into
    Invalid.
    """
    try:
        yield
    except UnicodeEncodeError as error:
        sign = ascii(error.object[error.start])  # not the rest: it may be a secret
        raise Invalid(f"A name or a value is not UTF-8: it has the sign {sign}") from None
    except (KeyError, IndexError) as error:
        if not raised_in(error.__traceback__).startswith(OURS):
            raise
        raise _no_catalog(error) from error
    except (TypeError, AttributeError, ValueError) as error:
        if not raised_in(error.__traceback__).startswith(SHAPES):
            raise
        raise _no_catalog(error) from error


def _no_catalog(error: Exception) -> NotACatalog:
    return NotACatalog(f"The server's answer is not that of a catalog ({type(error).__name__}: {error})")


def raised_in(traceback: TracebackType | None) -> str:
    """The module of the innermost frame."""
    name = ""
    while traceback is not None:
        name, traceback = str(traceback.tb_frame.f_globals.get("__name__", "")), traceback.tb_next
    return name
