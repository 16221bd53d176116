"""The native dialect as a whole: every route, and what the handlers ask for by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from catalog import __version__
from catalog.blobs.protocol import Storage
from catalog.dialects.http import guards
from catalog.dialects.http.dialect import Dialect, Routes, constant, dependencies
from catalog.dialects.http.docs.page.routes import Docs, Documentation, Schema
from catalog.dialects.http.requests.client_ip import TrustedProxies
from catalog.dialects.http.requests.injection import AnyRequest
from catalog.dialects.http.requests.requests import check_request
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.v1.document import document
from catalog.dialects.v1.items import cards, items, search, terms, trash
from catalog.dialects.v1.people import groups, login, password_resets, robots, tokens, users
from catalog.dialects.v1.requests.bodies import MOST_ELEMENTS, JsonRequest
from catalog.dialects.v1.requests.http import error_response
from catalog.dialects.v1.tenants import about, backup, demo, log, retention, sweep, tenants, usage
from catalog.dialects.v1.tracking import experiments
from catalog.dialects.v1.tracking import services as serving
from catalog.dialects.v1.versions import aliases, blobs, contents, files, lineage, links, preflight, uploads, versions
from catalog.dialects.v1.versions import retention as kept
from catalog.domain.access import Caller
from catalog.domain.limits import Limits
from catalog.domain.people.authentication.credentials import PasswordPolicy
from catalog.domain.people.authentication.devices import Devices
from catalog.domain.people.authentication.login_throttle import LoginThrottle
from catalog.domain.people.authentication.password_resets import ResetMails
from catalog.domain.tenants.tenants import Administrator
from catalog.domain.versions.files.links import Links
from catalog.store.database import Database
from catalog.vocabulary import Visibility


@dataclass(frozen=True, kw_only=True)
class NativeServices:
    """What the handlers work with. Each asks by name for the fields that it needs, see `Injected`."""

    database: Database
    storage: Storage
    sessions: Sessions
    throttle: LoginThrottle
    devices: Devices
    proxies: TrustedProxies
    reset_mails: ResetMails
    policy: PasswordPolicy
    signed: Links
    limits: Limits
    default_tenant: str
    default_visibility: Visibility
    default_administrator: Administrator
    public_tenants: bool
    max_upload_size: int
    upload_life: timedelta
    trash_days: int
    sweep_grace: timedelta
    token_life: str
    demo: bool
    demo_tenant: str
    log: bool


def dialect(services: NativeServices, version: str, api_token: str) -> Dialect:
    """The native API, below `/<version>` and at `/login`, and its documentation."""
    prefix = f"/{version}"

    def outer_prefix(request: AnyRequest) -> str:
        return services.proxies.outer_prefix(request.scope)

    def native_prefix(request: AnyRequest) -> str:
        """The beginning of every address of this API that a client is shown."""
        return f"{outer_prefix(request)}{prefix}"

    documentation_of = cache(
        lambda app: Documentation(prefix, lambda: document(app, prefix, __version__, services.limits))
    )

    def documentation(request: AnyRequest) -> Documentation:
        return documentation_of(request.app)

    provided = {
        "caller": Provide(_caller, sync_to_thread=False),
        "outer_prefix": Provide(outer_prefix, sync_to_thread=False),
        "native_prefix": Provide(native_prefix, sync_to_thread=False),
        "holds_api_token": constant(guards.recognises(api_token)),
        "documentation": Provide(documentation, sync_to_thread=False),
    }
    versioned = Routes(prefix, route_handlers=[login.Login, *_routes(guards.operator_only(api_token))])
    whole = Routes(
        "/",
        route_handlers=[versioned, login.UnversionedLogin, Schema],
        dependencies=dependencies(services) | provided,
        before_request=check_request,
        request_class=JsonRequest,
        opt={MOST_ELEMENTS: services.limits.elements},
    )
    return Dialect((prefix, "/login"), [whole], error_response)


def _routes(operator_only: guards.OperatorGuard) -> Sequence[ControllerRouterHandler]:
    operator = Routes(
        "/", route_handlers=[tenants.Tenants, sweep.Sweeps, backup.Backups, log.OperatorsLog], guards=[operator_only]
    )
    return [
        about.About,
        about.Info,
        operator,
        tenants.TenantNames,
        users.Users,
        groups.Groups,
        tokens.Tokens,
        robots.Robots,
        password_resets.Self,
        uploads.UploadAbilities,
        uploads.ResumableUploads,
        items.Models,
        items.Datasets,
        items.Algorithms,
        cards.ModelCard,
        cards.DatasetCard,
        cards.AlgorithmCard,
        versions.ModelVersions,
        versions.DatasetVersions,
        versions.AlgorithmVersions,
        contents.ModelContents,
        contents.DatasetContents,
        contents.AlgorithmContents,
        aliases.ModelAliases,
        aliases.DatasetAliases,
        aliases.AlgorithmAliases,
        files.ModelFiles,
        files.DatasetFiles,
        files.AlgorithmFiles,
        files.ModelTensors,
        files.DatasetTensors,
        files.AlgorithmTensors,
        lineage.ModelLineage,
        lineage.DatasetLineage,
        lineage.AlgorithmLineage,
        kept.ModelRetention,
        kept.DatasetRetention,
        kept.AlgorithmRetention,
        links.ModelLink,
        links.DatasetLink,
        links.AlgorithmLink,
        links.LinkedFiles,
        preflight.Preflight,
        blobs.StoredBlobs,
        trash.Trash,
        terms.Tags,
        terms.MetadataNames,
        search.Search,
        experiments.Experiments,
        experiments.Runs,
        serving.Environments,
        serving.Services,
        usage.UsageReports,
        retention.TenantRetention,
        log.Log,
        demo.Demo,
        Docs,
    ]


def _caller(request: AnyRequest) -> Caller:
    caller: Caller = request.scope["user"]  # `guards.signed_in` has seen that there is one
    return caller
