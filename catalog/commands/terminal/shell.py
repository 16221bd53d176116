"""What all client commands share: the server, the output, errors and exit codes."""

import inspect
import os
import sys
import warnings
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from functools import cached_property, wraps
from typing import Annotated, Any, NoReturn, TextIO

import typer

from catalog import client
from catalog.client.errors import (
    CatalogError,
    CatalogWarning,
    Conflict,
    Invalid,
    NotFound,
    NotSignedIn,
    ServerError,
    UnsafeFileWarning,
)
from catalog.commands.terminal.output import CommandOutput

FAILURE, USAGE, NOT_SIGNED_IN, NOT_FOUND, CONFLICT = range(1, 6)
INTERRUPTED = 130  # the convention of shells: 128 plus the number of the signal

Url = Annotated[
    str, typer.Option("--url", help="Address of the server. Default: CATALOG_URL, else the server you signed in to.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print ids only, and no progress.")]

COMMON_OPTIONS = [
    inspect.Parameter("url", inspect.Parameter.KEYWORD_ONLY, default="", annotation=Url),
    inspect.Parameter("json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Json),
    inspect.Parameter("quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Quiet),
]


class Shell:
    """The client, the output and the common options of one command."""

    def __init__(self, url: str, *, json: bool, quiet: bool) -> None:
        self.url = url
        self.quiet = quiet
        self.output = CommandOutput(json=json, quiet=quiet)

    @cached_property
    def catalog(self) -> "client.Catalog":
        """Raises CatalogError for a configuration that cannot be read."""
        return client.Catalog(self.url)

    def say(self, sentence: str) -> None:
        """Print a message, which is not data, on standard error."""
        if not self.quiet:
            typer.echo(sentence, err=True)

    @contextmanager
    def warnings(self) -> Generator[None]:
        """Print the warnings of the client on standard error, as sentences."""

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            del filename, lineno, file, line
            if issubclass(category, UnsafeFileWarning):
                typer.echo(f"Warning: {message}", err=True)
            elif issubclass(category, CatalogWarning):
                self.say(str(message))

        with warnings.catch_warnings():
            warnings.simplefilter("always", CatalogWarning)
            warnings.showwarning = show
            yield

    def close(self) -> None:
        if "catalog" in self.__dict__:
            self.catalog.close()


def command(
    app: typer.Typer, name: str | None = None, *, without: Collection[str] = ()
) -> Callable[[Callable[..., None]], None]:
    """Register a function as a command. Its first parameter is the Shell; the common options are added.

    Parameters in `without` get no option and keep their defaults.
    """

    def register(function: Callable[..., None]) -> None:
        _, *own = inspect.signature(function).parameters.values()
        parameters = [each for each in own if each.name not in without] + COMMON_OPTIONS

        @wraps(function)
        def run(*, url: str, json: bool, quiet: bool, **arguments: Any) -> None:
            shell = Shell(url, json=json, quiet=quiet)
            with exit_codes(), shell.warnings():
                try:
                    function(shell, **arguments)
                finally:
                    shell.close()

        keywords = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
        run.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        app.command(name)(run)

    return register


@contextmanager
def exit_codes() -> Generator[None]:
    """Turn exceptions into a message and an exit code, without a traceback."""
    try:
        yield
    except CatalogError as error:
        request = f" Its id: {error.request_id}." if isinstance(error, ServerError) and error.request_id else ""
        stop(f"{error}{request}", code_of(error))
    except KeyboardInterrupt:
        stop("Interrupted.", INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def code_of(error: CatalogError) -> int:
    match error:
        case NotSignedIn():
            return NOT_SIGNED_IN
        case NotFound():
            return NOT_FOUND
        case Conflict():
            return CONFLICT
        case Invalid(status=None):
            return USAGE
        case _:
            return FAILURE


def stop(sentence: object, code: int = USAGE) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(code) from None


def secret(what: str, *, from_stdin: bool) -> str:
    """Read a secret from the terminal or from standard input, never from the command line."""
    if from_stdin:
        text = sys.stdin.readline().rstrip("\n")
    elif sys.stdin.isatty():
        text = typer.prompt(what, hide_input=True, err=True)
    else:
        stop(f"There is no terminal to ask for the {what.lower()}: pass it on standard input, with --password-stdin")
    return text or stop(f"The {what.lower()} is empty")


def confirm_or_stop(question: str, *, yes: bool) -> None:
    """Ask before an action that cannot be undone; stop unless the answer is yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        stop(f"{question} There is no terminal to ask: use --yes")
    typer.confirm(question, abort=True, err=True)
