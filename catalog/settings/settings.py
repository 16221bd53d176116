"""What an operator may set: the environment, then `init/variables.env`, then the default.

A wrong value stops the start with one sentence that names the variable and never shows a secret.
"""

import difflib
import ipaddress
import logging
import os
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from dotenv.parser import Binding, parse_stream
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from catalog.settings.aliases import ALIASES, in_our_words
from catalog.settings.secret_files import FILES, NoSecret, with_contents

logger = logging.getLogger(__name__)

FILE = Path("init/variables.env")
GENERATED = ("API_TOKEN", "JWT_SECRET")
# Whoever guesses one of these is in. SMTP_PASSWORD is not among them: a mail provider chose it.
GUARDED = ("httpssecret", "api_token", "jwt_secret", "s3_secret_key", "default_tenant_admin_temporary_password")
SIGNING_BYTES = 32  # HS256 wants as many as SHA-256 gives
GUESSABLE_UNDER = 16  # characters; every secret that stands in a manual has fewer
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
SIZE_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
CENTURY = timedelta(days=36500)
NEVER = ("none", "off", "0", "0s")
LEAST_GRACE = timedelta(minutes=10)


class SettingsError(Exception):
    """The server cannot start as it is set up; the sentence says what to mend, and may be shown to anybody."""


class Duration(timedelta):
    """A length of time that remembers how it was written: `30m`, `12h`, `7d`; a bare number is seconds."""

    text: str

    def __new__(cls, text: str) -> Self:
        written = re.fullmatch(r"([0-9]{1,9})([smhd]?)", text)
        length = timedelta(seconds=int(written[1]) * UNITS[written[2]]) if written else timedelta()
        if not timedelta() < length <= CENTURY:
            raise ValueError("should be a duration such as 45s, 30m, 12h or 7d (a bare number is seconds)")
        duration = super().__new__(cls, seconds=length.total_seconds())
        duration.text = text
        return duration

    @classmethod
    def never(cls) -> Self:
        """No length at all, for what is not done."""
        duration = super().__new__(cls)
        duration.text = NEVER[0]
        return duration

    def __reduce__(self) -> tuple[Callable[[str], "Duration"], tuple[str]]:
        return _pace, (self.text,)


def _duration(value: object) -> Duration:
    return value if isinstance(value, Duration) else Duration(str(value))


def _pace(value: object) -> Duration:
    return Duration.never() if str(value) in NEVER else _duration(value)


class Size(int):
    """A number of bytes that remembers how it was written: `500K`, `20M`, `10G`, `2T`; a bare number is bytes."""

    text: str

    def __new__(cls, text: str) -> Self:
        written = re.fullmatch(r"([0-9]{1,15})(?:([kmgt]?)(?:i?b)?)", text.lower())
        if not written:
            raise ValueError("should be a size such as 500K, 20M or 10G (a bare number is bytes; 0 is no limit)")
        size = super().__new__(cls, int(written[1]) * SIZE_UNITS[written[2]])
        size.text = text
        return size

    def __reduce__(self) -> tuple[Callable[[str], "Size"], tuple[str]]:
        return Size, (self.text,)


def _size(value: object) -> Size:
    return value if isinstance(value, Size) else Size(str(value))


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


def _parts(value: object) -> object:
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1)]
Port = Annotated[int, Field(ge=0, le=65535)]
Characters = Annotated[int, Field(ge=1, le=65536)]
Elements = Annotated[int, Field(ge=1, le=10_000)]
Period = Annotated[Duration, PlainValidator(_duration)]
Bytes = Annotated[Size, PlainValidator(_size)]
Pace = Annotated[Duration, PlainValidator(_pace)]
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
    str, _matching(r"|https?://[^\s/@?#]+(/[^\s?#]*)?", "empty, or a collector's address as in http://localhost:4318")
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
Networks = Annotated[tuple[Network, ...], BeforeValidator(_parts)]
Origins = Annotated[tuple[Origin, ...], BeforeValidator(_parts)]


class Settings(BaseSettings):
    """Every setting, in the order of `init/variables.env`. Made by `load`; the constructor reads nothing by itself."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    version: Segment = Field("v1", description="prefix of the native API")
    protocol: Literal["https", "http"] = Field(
        "https", description="https (with the certificates in resources) or http"
    )
    host: Text = Field("127.0.0.1", description="address to listen on; 0.0.0.0 is every one of this machine")
    http_port: Port = Field(8080, description="port of plain HTTP; 0 takes a free one")
    https_port: Port = Field(8443, description="port of HTTPS; 0 takes a free one")
    http_redirect: bool = Field(default=False, description="send whoever comes to HTTP_PORT on to HTTPS")
    httpssecret: SecretStr = Field(SecretStr(""), description="passphrase of the private key")
    api_token: SecretStr = Field(
        SecretStr(""), description="the operator's token; empty: DATA_PATH/secrets.env has one"
    )
    jwt_secret: SecretStr = Field(SecretStr(""), description="signs the tokens of users; empty: as for API_TOKEN")
    jwt_expirationtime: Period = Field(Duration("30m"), description="how long a token lasts: 45s, 30m, 12h, 7d")
    jwt_renew_expirationtime: Period = Field(Duration("24h"), description="how long after its issue a token is renewed")
    database: Database = Field("embedded", description="embedded, or the URI of a MongoDB", repr=False)
    data_path: Path = Field(Path("data"), description="folder of the embedded database and of the generated secrets")
    upload_path: Path = Field(Path("uploads"), description="folder of the uploaded files, when STORAGE is files")
    storage: Storage = Field("files", description="files, or s3://bucket/prefix")
    s3_endpoint: Endpoint = Field("", description="address of the S3-compatible storage; MINIO_ENDPOINT is the same")
    s3_access_key: str = Field("", description="its access key; MINIO_ACCESS_KEY is the same")
    s3_secret_key: SecretStr = Field(SecretStr(""), description="its secret key; MINIO_SECRET_KEY is the same")
    s3_region: str = Field("", description="its region")
    s3_downloads: Literal["proxy", "redirect"] = Field(
        "proxy", description="proxy: files pass through the server; redirect: clients fetch them from the storage"
    )
    max_upload_size: Bytes = Field(Size("0"), description="largest upload: 500M, 10G; 0 is no limit")
    upload_days: int = Field(7, ge=1, le=365, description="days that a resumable upload may take")
    trash_days: int = Field(7, ge=0, le=36500, description="days that a removed item can be restored; 0 is none")
    sweep_every: Pace = Field(
        Duration("1h"), description="how often files that no version names any more are removed; none is never"
    )
    sweep_grace: Period = Field(Duration("24h"), description="how old they are then at least; 10m is the least")
    limit_name: Characters = Field(255, description="longest name of an item in characters")
    limit_tag: Characters = Field(128, description="longest tag in characters")
    limit_metadata_name: Characters = Field(128, description="longest name of a metadata pair in characters")
    limit_metadata_value: Characters = Field(4096, description="longest text in a metadata pair in characters")
    limit_tags: Elements = Field(500, description="most tags of an item")
    limit_metadata: Elements = Field(1000, description="most metadata pairs of an item")
    limit_users: Elements = Field(1000, description="most users of an item, and most datasets")
    limit_new_terms: int = Field(
        200, ge=1, le=100_000, description="most tags and metadata names that one request adds to the folksonomy"
    )
    limit_terms: int = Field(
        1_000_000, ge=1, le=1_000_000_000, description="most tags, and most metadata names, of a tenant"
    )
    limit_uploads: Elements = Field(100, description="most unfinished resumable uploads of a user")
    limit_elements: Elements = Field(1000, description="most elements of a list that is POSTed")
    log: bool = Field(default=True, description="keep the journal of who did what")
    log_reads: bool = Field(default=False, description="the journal also tells what was only looked at")
    log_days: int = Field(90, ge=1, le=36500, description="days that the journal is kept")
    log_size: Bytes = Field(
        Size("1G"), description="size of the journal of each tenant, the oldest entries go first; 0 is no limit"
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="of what the server says: json, text, or auto (text on a terminal)"
    )
    otel_exporter_otlp_endpoint: Collector = Field(
        "", description="collector of OpenTelemetry that gets a span of each request; empty is none"
    )
    client_timeout: Period = Field(Duration("60s"), description="how long a client may be silent while it is its turn")
    database_wait: int = Field(30, ge=0, le=3600, description="seconds that a start waits for DATABASE to answer")
    stop_delay: int = Field(
        0, ge=0, le=3600, description="seconds that a server told to stop still answers, while balancers turn away"
    )
    default_tenant: Name = Field("registry-default-tenant", description="the tenant made at the first start")
    default_tenant_database: Name = Field("registry-default", description="its database")
    default_tenant_admin_username: Text = Field("admin", description="its administrator")
    default_tenant_admin_temporary_password: SecretStr = Field(
        SecretStr(""), description="the administrator's first password; empty: generated and printed once"
    )
    default_tenant_passwordhash: bool = Field(
        default=True, description="accepted for compatibility: passwords are always hashed"
    )
    min_password_strength: int = Field(1, ge=0, le=3, description="0 too weak, 1 weak, 2 medium, 3 strong")
    default_days_validity_password: int = Field(1092, ge=0, description="days a password lasts; 0 is for ever")
    reset_expirationtime: Period = Field(Duration("1h"), description="how long a mail serves to choose a new password")
    public_url: PublicUrl = Field("", description="how people reach the server: https://models.example.org")
    smtp_server: MailServer = Field(
        "", description="mail server for password resets: host:port or smtps://host; empty: the link is logged"
    )
    smtp_username: str = Field("", description="its username")
    smtp_password: SecretStr = Field(SecretStr(""), description="its password")
    smtp_email: str = Field("", description="the sender's address")
    email_tag: str = Field("", description="put before the subject of every mail")
    trusted_proxies: Networks = Field(
        (), description="addresses of proxies, with commas between, whose X-Forwarded-For is believed"
    )
    cors_origins: Origins = Field((), description="origins of web pages that may call the API, with commas between")
    public_tenants: bool = Field(
        default=False,
        description="show the names of all tenants to anybody, for pages that offer them at the sign-in",
    )
    workers: int = Field(1, ge=1, le=64, description="number of server processes: one for each processor, say")
    worker_timeout: Period = Field(
        Duration("30s"), description="a worker that does not respond for so long is killed and replaced"
    )
    metrics_access: Literal["token", "loopback"] = Field(
        "token", description="who may read /metrics: token (with API_TOKEN), loopback (this machine without it, too)"
    )
    demo: bool = Field(default=False, description="offer the demo routes")

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @field_validator("sweep_grace")
    @classmethod
    def _sparing_uploads(cls, grace: Duration) -> Duration:
        if grace < LEAST_GRACE:
            raise ValueError("should be 10m or more: a shorter one would not spare uploads under way")
        return grace

    @field_validator("otel_exporter_otlp_endpoint")
    @classmethod
    def _traces_that_are_installed(cls, endpoint: str) -> str:
        if endpoint and find_spec("opentelemetry") is None:
            raise ValueError("wants the extra telemetry: pip install 'catalog[server,telemetry]'")
        return endpoint

    @model_validator(mode="after")
    def _mail_that_arrives(self) -> Self:
        needed = {"SMTP_EMAIL": self.smtp_email, "PUBLIC_URL": self.public_url}
        for name, value in needed.items():
            if self.smtp_server and not value:
                raise ValueError(f"{name} is needed beside SMTP_SERVER")
        return self

    @model_validator(mode="after")
    def _a_key_for_the_store(self) -> Self:
        if self.storage != "files":
            for name in ("s3_access_key", "s3_secret_key"):
                if not getattr(self, name):
                    raise ValueError(f"{name.upper()} should be set, as STORAGE is {self.storage}")
        return self

    @model_validator(mode="after")
    def _long_enough_to_sign_on_a_network(self) -> Self:
        secret = self.jwt_secret.get_secret_value().encode()
        if 0 < len(secret) < SIGNING_BYTES and not self.on_loopback:
            raise ValueError(
                f"JWT_SECRET should have at least {SIGNING_BYTES} bytes while HOST {self.host} can be reached from "
                "other machines: give a longer one, or leave it empty to have one generated"
            )
        return self

    @model_validator(mode="after")
    def _no_guessable_secret_on_a_network(self) -> Self:
        if not self.on_loopback:
            for name in GUARDED:
                if guessable(getattr(self, name).get_secret_value()):
                    raise ValueError(
                        f"{name.upper()} is well-known or under 16 characters, "
                        f"which is not safe while HOST {self.host} can be reached from other machines"
                    )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


class Setting(NamedTuple):
    name: str
    default: str
    meaning: str


def table() -> list[Setting]:
    return [
        Setting(name.upper(), as_written(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    ]


def weak_secrets(settings: Settings) -> list[str]:
    """The names of the secrets that would not be taken beyond loopback."""
    weak = [name.upper() for name in GUARDED if guessable(getattr(settings, name).get_secret_value())]
    signing = settings.jwt_secret.get_secret_value().encode()
    return weak + (["JWT_SECRET"] if 0 < len(signing) < SIGNING_BYTES and "JWT_SECRET" not in weak else [])


def guessable(secret: str) -> bool:
    """Whether a secret that is set is too short, or a placeholder made longer."""
    return 0 < len(secret) < GUESSABLE_UNDER or "changeme" in re.sub(r"[\s_-]", "", secret.lower())


def as_written(value: object) -> str:
    """Write a value as in `variables.env`, with secrets as `****`."""
    match value:
        case bool():
            return str(value).lower()
        case Duration() | Size():
            return value.text
        case SecretStr():
            return "****" if value.get_secret_value() else ""
        case tuple():
            return ",".join(value)
        case Path() if not value.is_absolute():
            return f"./{value}"
        case _:
            return _without_passwords(str(value))


def in_force(settings: Settings) -> list[str]:
    return [f"{name.upper()}={as_written(value)}" for name, value in settings]


def _without_passwords(uri: str) -> str:
    return re.sub(r"(?i)(password=)[^&]*", r"\1****", re.sub(r"(://[^:/@]*:).*@", r"\1****@", uri))


def load(file: Path = FILE, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings. A file that is not there is fine, an empty value is one not given.

    Raises SettingsError.
    """
    known = {name.upper() for name in Settings.model_fields} | ALIASES.keys() | FILES.keys()
    written = read_file(file, known)
    return _checked({**_fields(written), **_fields({name: environ[name] for name in known & environ.keys()})})


def with_values(settings: Settings, values: Mapping[str, str]) -> Settings:
    """The settings with some of them set anew. Raises SettingsError."""
    return _checked({**dict(settings), **_fields(values)})


def _fields(values: Mapping[str, str]) -> dict[str, Any]:
    try:
        values = with_contents(values)
    except NoSecret as error:
        raise SettingsError(str(error)) from None
    given = {name: value.strip() for name, value in values.items() if value.strip()}
    return {name.lower(): value for name, value in in_our_words(given).items()}


def _checked(fields: dict[str, Any]) -> Settings:
    try:
        return Settings(**fields)
    except ValidationError as error:
        # Not chained: pydantic's own report is about values, and a value may be a secret.
        raise SettingsError(_sentence(error)) from None


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    words = first["msg"].removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
    return f"{str(first['loc'][0]).upper()} {words}" if first["loc"] else words


def read_file(file: Path, known: set[str]) -> dict[str, str]:
    try:
        with file.open(encoding="utf-8-sig") as lines:
            bindings = list(parse_stream(lines))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read ({reason(error)})") from None

    for binding in bindings:
        _check_line(binding, file, known)
    return {binding.key: binding.value or "" for binding in bindings if binding.key}


def _check_line(binding: Binding, file: Path, known: set[str]) -> None:
    before = binding.original.string
    number = binding.original.line + before[: len(before) - len(before.lstrip())].count("\n")
    if binding.error or (binding.key and binding.value is None):
        raise SettingsError(f"{file}, line {number} is not of the form NAME=value")

    if binding.key and binding.key not in known:
        near = difflib.get_close_matches(binding.key.upper(), sorted(known), n=1)
        hint = f": did you mean {near[0]}?" if near else ""
        raise SettingsError(f"{file}, line {number} sets {binding.key}, which is not a setting{hint}")


def reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or "it cannot be opened") if isinstance(error, OSError) else "it is not UTF-8 text"
