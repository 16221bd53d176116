"""The types of settings. Each error says what a value should be, and never shows the value."""

import ipaddress
import re
from datetime import timedelta
from importlib.util import find_spec
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator

from catalog.durations import Duration, Size

LEAST_GRACE = timedelta(minutes=10)
LONGEST_DELAY = timedelta(hours=1)


def _duration(value: object) -> Duration:
    return value if isinstance(value, Duration) else Duration(str(value))


def _duration_or_zero(value: object) -> Duration:
    return value if isinstance(value, Duration) else Duration.or_zero(str(value))


def _delay(value: Duration) -> Duration:
    if value > LONGEST_DELAY:
        raise ValueError("should be at most 1h")
    return value


def _grace(value: Duration) -> Duration:
    if value < LEAST_GRACE:
        raise ValueError("should be 10m or more: a shorter one would not spare uploads under way")
    return value


def _port(value: object) -> object:
    if isinstance(value, str) and value.startswith("tcp://"):
        raise ValueError(
            "should be a number: Kubernetes sets it to an address for a service of that name. Set enableServiceLinks: "
            "false in the pod, and the number as a variable of the container"
        )
    return value


def _days(value: object) -> object:
    return value.removesuffix("d") if isinstance(value, str) else value


def _size(value: object) -> Size:
    return value if isinstance(value, Size) else Size(str(value))


def _installed(endpoint: str) -> str:
    if endpoint and find_spec("opentelemetry") is None:
        raise ValueError("needs the extra telemetry: pip install 'catalog[server,telemetry]'")
    return endpoint


def _matching(pattern: str, form: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"should be {form}")
        return value

    return AfterValidator(check)


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError:
        raise ValueError("should be a list of addresses and networks such as 10.0.0.5,172.16.0.0/12") from None


def _split(value: object) -> object:
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1)]
Port = Annotated[int, BeforeValidator(_port), Field(ge=0, le=65535)]
Characters = Annotated[int, Field(ge=1, le=65536)]
Elements = Annotated[int, Field(ge=1, le=10_000)]
Days = Annotated[int, BeforeValidator(_days)]
Bytes = Annotated[Size, PlainValidator(_size)]
Period = Annotated[Duration, PlainValidator(_duration)]
Interval = Annotated[Duration, PlainValidator(_duration_or_zero)]
Delay = Annotated[Duration, PlainValidator(_duration_or_zero), AfterValidator(_delay)]
Grace = Annotated[Duration, PlainValidator(_duration), AfterValidator(_grace)]
Segment = Annotated[str, _matching(r"[A-Za-z0-9._~-]+", "one segment of a path, such as v1")]
Name = Annotated[
    str,
    _matching(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", "at most 63 letters, digits, hyphens and underscores, as in my-team"),
]
Database = Annotated[
    str, _matching(r"embedded|mongodb(\+srv)?://.+", "`embedded` or a URI that starts with mongodb://")
]
Storage = Annotated[
    str,
    _matching(
        r"files|s3://[A-Za-z0-9][A-Za-z0-9._-]{2,62}(/(?!\.\.?(/|$))[A-Za-z0-9._-]+)*/?",
        "`files` or `s3://bucket/prefix`",
    ),
]
Endpoint = Annotated[str, _matching(r"|https?://[^\s/@?#]+/?", "empty, or the store's address as in https://host:9000")]
Collector = Annotated[
    str,
    _matching(r"|https?://[^\s/@?#]+(/[^\s?#]*)?", "empty, or a collector's address as in http://localhost:4318"),
    AfterValidator(_installed),
]
Origin = Annotated[str, _matching(r"\*|[a-z][a-z0-9+.-]*://[^/\s]+", "a list of origins such as https://example.org")]
MailServer = Annotated[
    str,
    _matching(
        r"|(smtps?://)?([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?/?", "host, host:port or smtps://host:port"
    ),
]
PublicUrl = Annotated[
    str,
    _matching(r"|https?://[^\s/?#]+(/[^\s?#]*)?", "the address that people type, such as https://models.example.org"),
]
Network = Annotated[str, AfterValidator(_network)]
Networks = Annotated[tuple[Network, ...], BeforeValidator(_split)]
Origins = Annotated[tuple[Origin, ...], BeforeValidator(_split)]
