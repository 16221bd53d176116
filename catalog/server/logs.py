"""The server's log: one line for each event, on standard error. The banner of a start goes to standard output."""

import logging
import sys
from collections.abc import Iterable

import structlog

from catalog.vocabulary import REQUEST


def configure(form: str = "auto") -> None:
    """Log everything to standard error: as `text`, as `json`, or (`auto`) as text on a terminal and JSON elsewhere."""
    as_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        _add_request_id,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(as_text)],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    # It warns of every malformed form, which is the client's mistake: the response says so.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    # It warns of what it finds in a file, which the record of the version shows.
    logging.getLogger("picklescan").setLevel(logging.ERROR)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def print_lines(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def _add_request_id(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add the id of the request that a line belongs to. Its response and the journal have the same id."""
    request = REQUEST.get(None)
    return event if request is None else {**event, "request_id": request}


def _rendering(as_text: bool) -> list[structlog.typing.Processor]:
    if as_text:
        console = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        return [structlog.processors.format_exc_info, _in_one_line, console]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]


def _in_one_line(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Escape what clients sent, so that it neither begins a line nor controls a terminal.

    Tracebacks keep their lines, indented: none of them reads like an event of its own.
    """
    return {escaped(name): _value(name, value) for name, value in event.items()}


def _value(name: str, value: object) -> object:
    if name in {"exception", "stack"}:
        return "\n".join(f"  {escaped(line)}" for line in str(value).split("\n"))
    # Numbers pass: their renderer has a width for them. All else is shown as text anyway.
    return value if isinstance(value, int | float) else escaped(str(value))


def escaped(text: str) -> str:
    """`text` with all that does not print, line ends of every kind and the end of a colour too, as Python writes it."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
