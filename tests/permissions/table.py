"""The table of docs/permissions.md, as rows that can be asked."""

from typing import NamedTuple

from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "permissions.md"

STANDS_FOR = {"{kind}": ("models", "datasets", "algorithms"), "{words}": ("tags", "metadata")}
"""What a path of the table says once for several routes."""

NOT_SHOWN = "none"
"""A cell for a 200 in which the private thing is not."""


class Row(NamedTuple):
    """A route, and what each caller is answered: a status, or NOT_SHOWN."""

    method: str
    path: str  # as the table writes it
    word: str  # what stands for `{kind}` or `{words}`
    cells: dict[str, str]

    @property
    def route(self) -> tuple[str, str]:
        """As the application knows it."""
        return self.method, self.path.replace("{kind}", self.word).replace("{words}", self.word)

    @property
    def shows_or_hides(self) -> bool:
        """Whether some callers find the thing in the answer, and others do not."""
        return NOT_SHOWN in self.cells.values()

    def __str__(self) -> str:
        return " ".join(self.route)


def rows() -> list[Row]:
    """Each route of the table, once, with the cell of an editor."""
    (_, _, *callers), lines = table_with("| method | route | anonymous |")
    _, exceptions = table_with("| method | route | editor |")
    of_editors = {(method, path): answer for methods, path, answer in exceptions for method in methods.split(", ")}
    return [
        Row(method, path, word, cells | {"editor": of_editors.get((method, path), of_editor(path, cells))})
        for methods, path, *answers in lines
        for cells in [dict(zip(callers, answers, strict=True))]
        for method in methods.split(", ")
        for word in words_of(path)
    ]


def table_with(heading: str) -> tuple[list[str], list[list[str]]]:
    """The cells of the heading and of the lines of a table."""
    _, begin, rest = PAGE.read_text().partition(heading)
    head, _, *lines = [cells_of(line) for line in (begin + rest).partition("\n\n")[0].splitlines()]
    return head, lines


def of_editor(path: str, cells: dict[str, str]) -> str:
    """Without an exception, an editor of an item is answered like its owner there, and like a reader elsewhere."""
    return cells["owner" if path.startswith("/v1/{kind}/{key}") else "reader"]


def words_of(path: str) -> tuple[str, ...]:
    return next((words for word, words in STANDS_FOR.items() if word in path), ("",))


def cells_of(line: str) -> list[str]:
    return [cell.strip(" `") for cell in line.strip("|").split("|")]
