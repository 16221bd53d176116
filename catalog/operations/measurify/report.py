"""What an import reports: counts for each tenant, and a line for each record that could not be imported."""

from dataclasses import dataclass, field

from pydantic import ValidationError

from catalog.errors import Refused
from catalog.operations.restore import RestoreError
from catalog.store.failures import Duplicate

LONGEST_SHOWN = 160  # characters of a name in a line about it


@dataclass
class TenantImport:
    """What was imported into a tenant, and sentences about what could not be."""

    tenant: str
    users: int = 0
    words: int = 0
    items: int = 0
    versions: int = 0
    size: int = 0  # bytes of the versions
    problems: list[str] = field(default_factory=list)

    def add_problem(self, what: str, problem: Exception) -> None:
        self.problems.append(f"{one_line(what)}: {reason(problem)}")


def reason(problem: Exception) -> str:
    match problem:
        case Duplicate():
            return "there is another of the same name"
        case ValidationError():
            errors = problem.errors(include_url=False, include_input=False)
            return "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg'].lower()}" for error in errors)
        case KeyError():
            return f"{problem} is missing"
        case FileNotFoundError() | Refused() | RestoreError():
            return str(problem)
        case OSError():
            return (problem.strerror or str(problem)).lower()
    return str(problem)


def one_line(text: str) -> str:
    """At most one line, whatever a name contains."""
    text = (
        " ".join(text.split()) if text.isprintable() else "".join(each if each.isprintable() else "?" for each in text)
    )
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."
