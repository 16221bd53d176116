"""The settings of the server, one field for each line of `init/variables.env`."""

import ipaddress
import re
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from catalog import API_VERSION
from catalog.durations import Duration, Size
from catalog.settings.types import (
    Bytes,
    Characters,
    Collector,
    Database,
    Days,
    Delay,
    Elements,
    Endpoint,
    Grace,
    Interval,
    MailServer,
    Name,
    Networks,
    Origins,
    Period,
    Port,
    PublicUrl,
    Segment,
    Storage,
    Text,
)
from catalog.settings.values import MailSettings, StorageSettings
from catalog.vocabulary import Visibility


class Settings(BaseSettings):
    """Every setting, in the order of `init/variables.env`. The constructor reads nothing by itself: see `load`."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    version: Segment = Field(API_VERSION, description="prefix of the native API")
    protocol: Literal["https", "http"] = Field(
        "https", description="https, with the certificates in resources, or http"
    )
    host: Text = Field("127.0.0.1", description="address to listen on; 0.0.0.0 means every address of this machine")
    http_port: Port = Field(8080, description="port of plain HTTP; 0 picks a free one")
    https_port: Port = Field(8443, description="port of HTTPS; 0 picks a free one")
    http_redirect: bool = Field(default=False, description="redirect plain HTTP on HTTP_PORT to HTTPS")
    httpssecret: SecretStr = Field(SecretStr(""), description="passphrase of the private key")
    api_token: SecretStr = Field(
        SecretStr(""), description="the operator's token; empty: a generated one in DATA_PATH/secrets.env"
    )
    jwt_secret: SecretStr = Field(
        SecretStr(""), description="key that signs the tokens of users; empty: a generated one, as for API_TOKEN"
    )
    jwt_expirationtime: Period = Field(Duration("30m"), description="lifetime of a token: 45s, 30m, 12h, 7d")
    jwt_renew_expirationtime: Period = Field(
        Duration("24h"), description="how long after its issue a token can be renewed"
    )
    database: Database = Field("embedded", description="embedded, or the URI of a MongoDB", repr=False)
    embedded_engine: Literal["auto", "python", "rust"] = Field(
        "auto", description="server of the embedded database; auto: secantusd-rs if it is on PATH, else python"
    )
    data_path: Path = Field(Path("data"), description="folder of the embedded database and of generated secrets")
    upload_path: Path = Field(Path("uploads"), description="folder of uploaded files, with STORAGE=files")
    storage: Storage = Field("files", description="files, or s3://bucket/prefix")
    s3_endpoint: Endpoint = Field("", description="URL of an S3-compatible storage; MINIO_ENDPOINT is the same")
    s3_credentials: Literal["keys", "aws"] = Field(
        "keys",
        description="keys: S3_ACCESS_KEY and S3_SECRET_KEY; aws: the environment, profile or role that AWS's tools use",
    )
    s3_access_key: str = Field("", description="access key of the storage; MINIO_ACCESS_KEY is the same")
    s3_secret_key: SecretStr = Field(
        SecretStr(""), description="secret key of the storage; MINIO_SECRET_KEY is the same"
    )
    s3_region: str = Field("", description="region of the storage")
    s3_addressing: Literal["path", "virtual"] = Field(
        "path", description="path: https://host/bucket; virtual: https://bucket.host"
    )
    s3_encryption: Literal["", "AES256", "aws:kms", "aws:kms:dsse"] = Field(
        "",
        description="encryption of files in the storage: AES256, aws:kms or aws:kms:dsse; empty: the bucket's default",
    )
    s3_kms_key: str = Field("", description="KMS key for S3_ENCRYPTION; empty: the default key of the account")
    s3_ca: str = Field("", description="file of additional certificates (PEM) that are trusted for the storage")
    s3_downloads: Literal["proxy", "redirect"] = Field(
        "proxy", description="proxy: the server streams files; redirect: clients fetch them from the storage"
    )
    max_upload_size: Bytes = Field(Size("0"), description="maximum size of an upload: 500M, 10G; 0 means no limit")
    upload_days: Days = Field(7, ge=1, le=365, description="days after which an unfinished resumable upload expires")
    trash_days: Days = Field(
        7, ge=0, le=36500, description="days in which a removed item can be restored; 0: it is removed at once"
    )
    sweep_every: Interval = Field(
        Duration("1h"), description="interval of the garbage collection of unused files; none turns it off"
    )
    sweep_grace: Grace = Field(Duration("24h"), description="age at which unused files are removed; at least 10m")
    backup_to: str = Field("", description="folder or s3://bucket/prefix for scheduled backups, one backup per tenant")
    backup_every: Interval = Field(
        Duration.or_zero("none"), description="interval of scheduled backups; none turns them off"
    )
    backup_full_every: Interval = Field(
        Duration.or_zero("none"),
        description="interval of full scheduled backups; those in between are incremental; none: every backup is full",
    )
    backup_keep: int = Field(
        7, ge=1, le=10_000, description="number of scheduled backups that are kept for each tenant"
    )
    default_visibility: Visibility = Field(
        Visibility.PRIVATE,
        description="visibility of items created through the MLflow and Kubeflow APIs: private or public",
    )
    limit_name: Characters = Field(255, description="maximum length of an item's name, in characters")
    limit_tag: Characters = Field(128, description="maximum length of a tag, in characters")
    limit_metadata_name: Characters = Field(128, description="maximum length of a metadata name, in characters")
    limit_metadata_value: Characters = Field(
        4096, description="maximum length of a text in a metadata pair, in characters"
    )
    limit_tags: Elements = Field(500, description="maximum number of tags of an item")
    limit_metadata: Elements = Field(1000, description="maximum number of metadata pairs of an item")
    limit_users: Elements = Field(1000, description="maximum number of users of an item, and of datasets")
    limit_new_terms: int = Field(
        200, ge=1, le=100_000, description="maximum number of new tags and metadata names in one request"
    )
    limit_terms: int = Field(
        1_000_000, ge=1, le=1_000_000_000, description="maximum number of tags of a tenant, and of metadata names"
    )
    limit_uploads: Elements = Field(100, description="maximum number of unfinished resumable uploads of a user")
    limit_elements: Elements = Field(1000, description="maximum number of elements in a POSTed list")
    log: bool = Field(default=True, description="keep the journal: who did what")
    log_reads: bool = Field(default=False, description="also record read-only requests in the journal")
    log_days: Days = Field(90, ge=1, le=36500, description="number of days that journal entries are kept")
    log_size: Bytes = Field(
        Size("1G"),
        description="maximum size of each tenant's journal: the oldest entries are removed; 0 means no limit",
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="format of the server's log: json, text, or auto (text on a terminal)"
    )
    otel_exporter_otlp_endpoint: Collector = Field(
        "", description="URL of an OpenTelemetry collector that gets a span of each request; empty: none"
    )
    client_timeout: Period = Field(Duration("60s"), description="time after which a silent client is disconnected")
    database_wait: Delay = Field(
        Duration("30s"), description="how long a start waits for DATABASE to answer; at most 1h"
    )
    stop_delay: Delay = Field(
        Duration.or_zero("0"),
        description="how long a stopping server still answers, so that balancers can remove it; at most 1h",
    )
    default_tenant: Name = Field("registry-default-tenant", description="tenant that the first start creates")
    default_tenant_database: Name = Field("registry-default", description="its database")
    default_tenant_admin_username: Text = Field("admin", description="its administrator")
    default_tenant_admin_temporary_password: SecretStr = Field(
        SecretStr(""), description="the administrator's first password; empty: generated and printed once"
    )
    default_tenant_passwordhash: bool = Field(
        default=True, description="accepted for compatibility: passwords are always hashed"
    )
    min_password_strength: int = Field(1, ge=0, le=3, description="0 too weak, 1 weak, 2 medium, 3 strong")
    default_days_validity_password: Days = Field(
        1092, ge=0, description="number of days that a password is valid; 0 means no expiry"
    )
    reset_expirationtime: Period = Field(Duration("1h"), description="lifetime of the link in a password reset mail")
    public_url: PublicUrl = Field("", description="URL at which users reach the server: https://models.example.org")
    smtp_server: MailServer = Field(
        "", description="mail server for password resets: host:port or smtps://host; empty: the link is logged"
    )
    smtp_username: str = Field("", description="username at the mail server")
    smtp_password: SecretStr = Field(SecretStr(""), description="password at the mail server")
    smtp_email: str = Field("", description="the sender's address")
    email_tag: str = Field("", description="prefix of the subject of every mail")
    trusted_proxies: Networks = Field(
        (), description="addresses of proxies whose X-Forwarded-For is trusted, separated by commas"
    )
    cors_origins: Origins = Field((), description="origins of web pages that may call the API, separated by commas")
    public_tenants: bool = Field(
        default=False,
        description="show the names of all tenants without sign-in, for pages with a list of tenants",
    )
    workers: int = Field(1, ge=1, le=64, description="number of server processes, for example one per processor")
    worker_timeout: Period = Field(
        Duration("30s"), description="time after which a worker that does not respond is killed and replaced"
    )
    metrics_access: Literal["token", "loopback"] = Field(
        "token",
        description="who may read /metrics: token (API_TOKEN required), loopback (not required on this machine)",
    )
    demo: bool = Field(default=False, description="offer /v1/demo to the administrators of DEFAULT_TENANT_DEMO")
    default_tenant_demo: Name = Field(
        "demo-tenant-registry", description="tenant in which the demo routes create the demo"
    )

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def storage_settings(self) -> StorageSettings:
        return StorageSettings(
            location=self.storage,
            folder=self.upload_path,
            endpoint=self.s3_endpoint,
            region=self.s3_region,
            access_key=self.s3_access_key if self.s3_credentials == "keys" else "",
            secret_key=self.s3_secret_key.get_secret_value() if self.s3_credentials == "keys" else "",
            virtual_host=self.s3_addressing == "virtual",
            encryption=self.s3_encryption,
            kms_key=self.s3_kms_key,
            ca=Path(self.s3_ca) if self.s3_ca else None,
            redirects=self.s3_downloads == "redirect",
        )

    @property
    def mail_settings(self) -> MailSettings | None:
        """None without a mail server."""
        if not self.smtp_server:
            return None
        return MailSettings(
            server=self.smtp_server,
            username=self.smtp_username,
            password=self.smtp_password.get_secret_value(),
            sender=self.smtp_email,
            tag=self.email_tag,
        )

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
