"""What the handlers of each dialect work with, created from the settings."""

from datetime import timedelta

from catalog.blobs.protocol import Storage
from catalog.dialects.http.requests.client_ip import TrustedProxies
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.kubeflow import routes as kubeflow
from catalog.dialects.mlflow import routes as mlflow
from catalog.dialects.v1 import routes as v1
from catalog.domain.artifacts.signed import SignedAddresses
from catalog.domain.limits import Limits
from catalog.domain.people.authentication.credentials import PasswordPolicy, SessionTokens
from catalog.domain.people.authentication.devices import Devices
from catalog.domain.people.authentication.login_throttle import LoginThrottle
from catalog.domain.people.authentication.mail import Outbox, SmtpServer
from catalog.domain.people.authentication.password_resets import ResetMails
from catalog.domain.tenants.tenants import Administrator
from catalog.domain.versions.files.links import Links
from catalog.settings.settings import Settings
from catalog.store.database import Database


def session_tokens(settings: Settings) -> SessionTokens:
    return SessionTokens(
        settings.jwt_secret.get_secret_value(), settings.jwt_expirationtime, settings.jwt_renew_expirationtime
    )


def native_services(
    settings: Settings, database: Database, storage: Storage, sessions: Sessions, outbox: Outbox
) -> v1.NativeServices:
    secret = settings.jwt_secret.get_secret_value()
    return v1.NativeServices(
        database=database,
        storage=storage,
        sessions=sessions,
        throttle=LoginThrottle(database, counts_loopback=TrustedProxies(settings.trusted_proxies).include_loopback),
        devices=Devices(secret),
        proxies=TrustedProxies(settings.trusted_proxies, settings.public_url),
        reset_mails=_reset_mails(settings, outbox),
        policy=PasswordPolicy(settings.min_password_strength, settings.default_days_validity_password),
        signed=Links(secret),
        limits=_limits(settings),
        default_tenant=settings.default_tenant,
        default_visibility=settings.default_visibility,
        default_administrator=Administrator(
            settings.default_tenant_admin_username,
            settings.default_tenant_admin_temporary_password.get_secret_value(),
        ),
        public_tenants=settings.public_tenants,
        max_upload_size=settings.max_upload_size,
        upload_life=timedelta(days=settings.upload_days),
        trash_days=settings.trash_days,
        sweep_grace=settings.sweep_grace,
        token_life=settings.jwt_expirationtime.text,
        demo=settings.demo,
        demo_tenant=settings.default_tenant_demo,
        log=settings.log,
    )


def kubeflow_services(settings: Settings, services: v1.NativeServices) -> kubeflow.KubeflowServices:
    return kubeflow.KubeflowServices(
        limits=services.limits,
        proxies=services.proxies,
        signed=services.signed,
        default_visibility=settings.default_visibility,
        native_version=settings.version,
    )


def mlflow_services(settings: Settings, services: v1.NativeServices) -> mlflow.MlflowServices:
    return mlflow.MlflowServices(
        sessions=services.sessions,
        limits=services.limits,
        proxies=services.proxies,
        signed=SignedAddresses(settings.jwt_secret.get_secret_value()),
        max_upload_size=services.max_upload_size,
        upload_life=services.upload_life,
        trash_days=services.trash_days,
        visibility=settings.default_visibility,
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        name=settings.limit_name,
        tag=settings.limit_tag,
        metadata_name=settings.limit_metadata_name,
        metadata_value=settings.limit_metadata_value,
        tags=settings.limit_tags,
        metadata=settings.limit_metadata,
        users=settings.limit_users,
        new_terms=settings.limit_new_terms,
        terms=settings.limit_terms,
        uploads=settings.limit_uploads,
        elements=settings.limit_elements,
    )


def _reset_mails(settings: Settings, outbox: Outbox) -> ResetMails:
    smtp_server = SmtpServer.of(settings.mail_settings) if settings.mail_settings else None
    port = settings.https_port if settings.protocol == "https" else settings.http_port
    public_url = settings.public_url.rstrip("/") or f"{settings.protocol}://{settings.host}:{port}"
    return ResetMails(smtp_server, public_url, settings.version, settings.reset_expirationtime, outbox)
