"""What all client commands share: the server, the output, errors and exit codes."""

import inspect
import json
import os
import sys
import warnings
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Annotated, Any, NoReturn, TextIO

import typer
from typer._click.core import Context
from typer._click.exceptions import ClickException, NoSuchOption, UsageError
from typer.core import TyperGroup

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
    refuse_unencodable,
)
from catalog.commands.terminal.output import CommandOutput
from catalog.commands.terminal.streams import sentence_of

FAILURE, USAGE, NOT_SIGNED_IN, NOT_FOUND, CONFLICT = range(1, 6)
INTERRUPTED = 130  # the convention of shells: 128 plus the number of the signal

Url = Annotated[
    str, typer.Option("--url", help="Address of the server. Default: CATALOG_URL, else the server you signed in to.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print ids only, and no progress.")]

ProfileName = Annotated[str, typer.Option("--profile", help="A profile of `catalog profile`. Also CATALOG_PROFILE.")]
Offline = Annotated[bool, typer.Option("--offline", help="Send no request; use the cache. Also CATALOG_OFFLINE=1.")]
Debug = Annotated[bool, typer.Option("--debug", help="Print each request as a curl command, secrets hidden.")]
NoTruncate = Annotated[bool, typer.Option("--no-truncate", help="Show tables with all columns and whole cells.")]


def _option(name: str, default: object, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


COMMON_OPTIONS = [
    _option("url", "", Url),
    _option("profile", "", ProfileName),
    _option("offline", False, Offline),
    _option("json", False, Json),
    _option("quiet", False, Quiet),
    _option("no_truncate", False, NoTruncate),
    _option("debug", False, Debug),
]
COMMON_NAMES = frozenset({"-q", *(f"--{each.name.replace('_', '-')}" for each in COMMON_OPTIONS)})


class CommandsFirst(TyperGroup):
    """Commands whose common options come after the name of the command. Hidden ones are in no list."""

    def list_commands(self, ctx: Context) -> list[str]:
        return [name for name in super().list_commands(ctx) if not self.commands[name].hidden]

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except NoSuchOption as error:
            if error.option_name not in COMMON_NAMES:
                raise
            name = error.option_name
            raise UsageError(f"{name} comes after the command, as in: catalog models ls {name}", ctx) from None


_errors_as_json: ContextVar[bool] = ContextVar("errors_as_json", default=False)


@dataclass(frozen=True, kw_only=True)
class CommonOptions:
    """What every command of the client takes."""

    url: str = ""
    profile: str = ""
    offline: bool = False
    json: bool = False
    quiet: bool = False
    no_truncate: bool = False
    debug: bool = False


class Shell:
    """The client, the output and the common options of one command."""

    def __init__(self, options: CommonOptions) -> None:
        self.options = options
        self.url = options.url
        self.quiet = options.quiet
        self.output = CommandOutput(json=options.json, quiet=options.quiet, whole=options.no_truncate)

    @cached_property
    def catalog(self) -> "client.Catalog":
        """Raises CatalogError for a configuration that cannot be read."""
        return self.open()

    def open(self, **arguments: Any) -> "client.Catalog":
        """A client with the common options, and other arguments. Raises CatalogError."""
        options = self.options
        trace = _print_trace if options.debug else None
        known = {"url": self.url, "profile": options.profile, "offline": options.offline, "trace": trace}
        return client.Catalog(**{**known, **arguments})

    @property
    def known(self) -> "client.profile.Profile":
        """The server and the user that the options, the environment and the configuration name."""
        return client.profile.find({"url": self.url}, name=self.options.profile)

    def say(self, sentence: str) -> None:
        """Print a message, which is not data, on standard error."""
        if not self.quiet:
            typer.echo(printable(sentence), err=True)

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
                typer.echo(printable(f"Warning: {message}"), err=True)
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
    app: typer.Typer, name: str | None = None, *, without: Collection[str] = (), panel: str | None = None
) -> Callable[[Callable[..., None]], None]:
    """Register a function as a command. Its first parameter is the Shell; the common options are added.

    Parameters in `without` get no option and keep their defaults. `panel` is the heading of the command in the help.
    """

    def register(function: Callable[..., None]) -> None:
        _, *own = inspect.signature(function).parameters.values()
        parameters = [each for each in own if each.name not in without] + COMMON_OPTIONS

        @wraps(function)
        def run(**arguments: Any) -> None:
            options = CommonOptions(**{each.name: arguments.pop(each.name) for each in COMMON_OPTIONS})
            shell = Shell(options)
            with exit_codes(json=options.json), shell.warnings():
                try:
                    function(shell, **arguments)
                finally:
                    shell.close()

        keywords = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
        run.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        app.command(name, rich_help_panel=panel)(run)

    return register


@contextmanager
def exit_codes(*, json: bool = False) -> Generator[None]:
    """Turn exceptions into a message and an exit code, without a traceback. With `json`, the message is an object."""
    token = _errors_as_json.set(json)
    try:
        with refuse_unencodable():
            yield
    except CatalogError as error:
        request = f" Its id: {error.request_id}." if isinstance(error, ServerError) and error.request_id else ""
        stop(f"{error}{request}", code_of(error), error)
    except KeyboardInterrupt:
        stop("Interrupted.", INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        stop(sentence_of(error), FAILURE)
    finally:
        _errors_as_json.reset(token)


def run_for_programs(app: typer.Typer) -> NoReturn:
    """Run the command line with --json: what is wrong with the arguments is an object, too."""
    token = _errors_as_json.set(True)
    try:
        code = app(standalone_mode=False)
    except ClickException as error:
        code = error.exit_code
        _print_error(error.format_message(), code)
    except typer.Abort:
        code = FAILURE
        _print_error("Aborted.", code)
    finally:
        _errors_as_json.reset(token)
    sys.exit(code)


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


def stop(sentence: object, code: int = USAGE, error: CatalogError | None = None) -> NoReturn:
    """Print an error on standard error, with --json as one line of JSON, and end the command."""
    _print_error(sentence, code, error)
    raise typer.Exit(code) from None


def _print_error(sentence: object, code: int, error: CatalogError | None = None) -> None:
    if _errors_as_json.get():
        document: dict[str, object] = {"error": type(error).__name__ if error else "Error", "exit_code": code}
        document |= {"message": error.message if error else str(sentence)}
        for name in ("advice", "details", "status", "value", "request_id"):
            if error and (value := getattr(error, name)):
                document[name] = value
        typer.echo(json.dumps(document, ensure_ascii=False), err=True)
    else:
        typer.echo(printable(str(sentence)), err=True)


def stop_without_change(*changes: object) -> None:
    """End the command if none of its changes was asked for."""
    if all(change is None for change in changes):
        stop("There is nothing to change: pass what is to change as an option (--help).")


def printable(text: str) -> str:
    """A text that may come from a server, without signs that a terminal takes for commands."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "\ufffd" for sign in text)


def _print_trace(line: str) -> None:
    typer.echo(line, err=True)


def ask(what: str, option: str) -> str:
    """Read a line from the terminal, instead of an option that was left out."""
    if not sys.stdin.isatty():
        stop(f"There is no terminal to ask for the {what.lower()}: pass it with {option}")
    answer: str = typer.prompt(what, err=True)
    return answer


def secret(what: str, *, from_stdin: bool, twice: bool = False) -> str:
    """Read a secret from the terminal, a new one `twice`, or from standard input; never from the command line."""
    named = what[:1].lower() + what[1:]
    if from_stdin:
        text = sys.stdin.readline().rstrip("\n")
    elif sys.stdin.isatty():
        text = typer.prompt(what, hide_input=True, confirmation_prompt=twice, err=True)
    else:
        stop(f"There is no terminal to ask for the {named}: pass it on standard input, with --password-stdin")
    return text or stop(f"The {named} is empty")


def confirm_or_stop(question: str, *, yes: bool) -> None:
    """Ask before an action that cannot be undone; stop unless the answer is yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        stop(f"{question} There is no terminal to ask: use --yes")
    typer.confirm(question, abort=True, err=True)
