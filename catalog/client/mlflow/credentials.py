"""Credentials for MLflow's HTTP calls: those of the registry's URI, else those of MLflow's own environment."""

from collections.abc import Callable
from functools import cache
from importlib import import_module

from mlflow.utils.rest_utils import MlflowHostCreds

from catalog.client.mlflow.address import RegistryAddress

SERVICE = "/api/2.0/mlflow-artifacts/artifacts"
"""The artifact service, below the address of a registry."""

OF_ENVIRONMENT = (
    ("mlflow.utils.credentials", "get_default_host_creds"),
    ("mlflow.tracking._tracking_service.utils", "_get_default_host_creds"),  # MLflow 2.9
)
"""Modules and names of MLflow's function that reads its environment."""

_known: dict[str, RegistryAddress] = {}
"""The registries of this process by their URLs: the address of a file does not contain the token."""


def remember(address: RegistryAddress) -> None:
    _known[address.url] = address


def address_of(url: str) -> RegistryAddress:
    """The registry that has the file at an address."""
    base = url.partition(SERVICE)[0]
    return _known.get(base) or RegistryAddress(base)


def host_credentials(address: RegistryAddress, url: str = "") -> MlflowHostCreds:
    """The credentials for calls below `url`, by default below the address of the registry."""
    target = url or address.url
    default = _of_environment()(target)
    verified_by = address.custom_ca or default.server_cert_path
    ignores = default.ignore_tls_verification and not address.custom_ca
    if token := address.token:
        return MlflowHostCreds(target, token=token, server_cert_path=verified_by, ignore_tls_verification=ignores)
    return MlflowHostCreds(
        target,
        username=default.username,
        password=default.password,
        token=default.token,
        auth=default.auth,
        server_cert_path=verified_by,
        client_cert_path=default.client_cert_path,
        ignore_tls_verification=ignores,
    )


@cache
def _of_environment() -> Callable[[str], MlflowHostCreds]:
    found = (getattr(import_module(module), name, None) for module, name in OF_ENVIRONMENT)
    function: Callable[[str], MlflowHostCreds] = next(filter(None, found))
    return function
