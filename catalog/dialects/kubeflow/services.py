"""The services that the handlers of this dialect use."""

from dataclasses import dataclass

from catalog.dialects.http.requests.client_ip import TrustedProxies
from catalog.domain.limits import Limits
from catalog.domain.versions.files.links import Links
from catalog.vocabulary import Visibility


@dataclass(frozen=True, kw_only=True)
class KubeflowServices:
    limits: Limits
    proxies: TrustedProxies
    signed: Links
    default_visibility: Visibility
    native_version: str
    """The first segment of the paths of the native API, where files are downloaded."""
