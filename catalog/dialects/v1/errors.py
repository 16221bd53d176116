"""Faults as the native dialect words them: a status, a number and a message."""

from typing import NamedTuple

from catalog.dialects.http.fault_numbers import NUMBERS, WRONG_REQUEST, numbered
from catalog.errors import Fault, Refused


class NativeError(NamedTuple):
    """One entry of `GET /v1/errors`."""

    name: str
    status: int
    value: int
    message: str

    def body(self, details: str = "") -> dict[str, int | str]:
        """The answer, without `details` where there are none."""
        content: dict[str, int | str] = {"status": self.status, "value": self.value, "message": self.message}
        return content | {"details": details} if details else content


def native(fault: Fault, method: str = "") -> NativeError:
    """How the answer to a request of this method words a fault."""
    fault = numbered(fault, method)
    return NativeError(fault.name, fault.status, NUMBERS[fault], fault.message)


def details_of(refused: Refused) -> str:
    """The details of an error: at least the message of the fault, where its number stands for several faults."""
    return refused.details or (refused.fault.message if refused.fault in WRONG_REQUEST else "")


CATALOGUE: tuple[NativeError, ...] = tuple(map(native, NUMBERS))
