"""What all commands of the client have in common: whom they ask, what they print, and how they end."""

import inspect
import os
import sys
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from functools import cached_property, wraps
from typing import Annotated, Any, NoReturn

import typer

from catalog.client import Catalog, CatalogError, Conflict, Invalid, NotFound, NotSignedIn
from catalog.client.errors import ServerError
from catalog.commands.output import Output

FAILURE, USAGE, NOT_SIGNED_IN, NOT_FOUND, CONFLICT = range(1, 6)
INTERRUPTED = 130  # as shells have it: 128 and the number of the signal

Url = Annotated[
    str, typer.Option("--url", help="Address of the server. Default: CATALOG_URL, else where you signed in.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print ids only, and no progress.")]

COMMON = [
    inspect.Parameter("url", inspect.Parameter.KEYWORD_ONLY, default="", annotation=Url),
    inspect.Parameter("json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Json),
    inspect.Parameter("quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Quiet),
]


class Shell:
    """What a command works with."""

    def __init__(self, url: str, *, json: bool, quiet: bool) -> None:
        self.url = url
        self.quiet = quiet
        self.output = Output(json=json, quiet=quiet)

    @cached_property
    def catalog(self) -> Catalog:
        """Raises CatalogError for a configuration that cannot be read."""
        return Catalog(self.url)

    def say(self, sentence: str) -> None:
        """What is not data."""
        if not self.quiet:
            typer.echo(sentence, err=True)

    def close(self) -> None:
        if "catalog" in self.__dict__:
            self.catalog.close()


def command(
    app: typer.Typer, name: str | None = None, *, without: Collection[str] = ()
) -> Callable[[Callable[..., None]], None]:
    """Make a command of a function, whose first parameter is the Shell; the options that all have are added.

    The parameters `without` are left out and keep their defaults.
    """

    def register(function: Callable[..., None]) -> None:
        _, *own = inspect.signature(function).parameters.values()
        parameters = [each for each in own if each.name not in without] + COMMON

        @wraps(function)
        def run(*, url: str, json: bool, quiet: bool, **given: Any) -> None:
            shell = Shell(url, json=json, quiet=quiet)
            with ending():
                try:
                    function(shell, **given)
                finally:
                    shell.close()

        keywords = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
        run.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        app.command(name)(run)

    return register


@contextmanager
def ending() -> Generator[None]:
    """End with a sentence and a code, never with a trace."""
    try:
        yield
    except CatalogError as error:
        request = f" Its id: {error.request_id}." if isinstance(error, ServerError) and error.request_id else ""
        stop(f"{error}{request}", code_of(error))
    except KeyboardInterrupt:
        stop("Interrupted.", INTERRUPTED)
    except BrokenPipeError:  # whoever reads has seen enough
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
    """Ask for a secret, which has no place in a command line."""
    if from_stdin:
        given = sys.stdin.readline().rstrip("\n")
    elif sys.stdin.isatty():
        given = typer.prompt(what, hide_input=True, err=True)
    else:
        stop(f"There is no terminal to ask for the {what.lower()}: give it on standard input, with --password-stdin")
    return given or stop(f"The {what.lower()} is empty")


def confirmed(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone."""
    if yes:
        return
    if not sys.stdin.isatty():
        stop(f"{question} There is no terminal to ask: say --yes")
    typer.confirm(question, abort=True, err=True)
