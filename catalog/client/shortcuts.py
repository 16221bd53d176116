"""`catalog.push`, `catalog.pull`, `catalog.load` and `catalog.login`, with the server of the environment or the
configuration.
"""

from collections.abc import Callable
from functools import update_wrapper
from getpass import getpass
from inspect import signature
from typing import Concatenate, ParamSpec, TypeVar

from catalog.client import profile
from catalog.client.catalog import Catalog
from catalog.client.results import Identity

P = ParamSpec("P")
T = TypeVar("T")


def _with_a_client(method: Callable[Concatenate[Catalog, P], T]) -> Callable[P, T]:
    """A method of `Catalog` as a function, with the same arguments, and a client for each call."""

    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        with Catalog() as catalog:
            return method(catalog, *args, **kwargs)

    shown = signature(method)
    update_wrapper(call, method, assigned=("__name__", "__qualname__", "__doc__"))
    call.__dict__["__signature__"] = shown.replace(parameters=[*shown.parameters.values()][1:])
    return call


push = _with_a_client(Catalog.push)
pull = _with_a_client(Catalog.pull)
load = _with_a_client(Catalog.load)


def login(url: str = "", *, username: str = "", password: str = "", tenant: str = "", token: str = "") -> Identity:
    """Sign in for this program and later ones, as `catalog login` does. What is missing is asked for.

    The token is stored in a file that only you can read; the password is not stored.

    Raises CatalogError: NotSignedIn if the credentials are wrong.
    """
    known = profile.find({"url": url, "username": username, "password": password, "tenant": tenant})
    if token:
        client, defaults = Catalog(known.url, token=token), {"url": known.url}
    else:
        username = known.username or input("Username: ")
        password = known.password or getpass(f"Password of {username}: ")
        client = Catalog(known.url, username=username, password=password, tenant=known.tenant)
        defaults = {"url": known.url, "tenant": known.tenant, "username": username}
    with client:
        identity = client.whoami()
        profile.save_token(client.url, client.token)
    profile.save_defaults(defaults)
    return identity
