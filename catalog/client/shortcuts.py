"""`catalog.push`, `catalog.pull`, `catalog.load` and `catalog.login`, with the server of a profile, the environment or
the configuration, as the command line has it.
"""

from collections.abc import Callable
from functools import update_wrapper
from getpass import getpass
from inspect import Parameter, signature
from typing import Concatenate, ParamSpec, TypeVar

from catalog.client.catalog import Catalog
from catalog.client.profile import find, save_login
from catalog.client.results import Identity

P = ParamSpec("P")
T = TypeVar("T")


PROFILE = Parameter("profile", Parameter.KEYWORD_ONLY, default="", annotation=str)


def _with_a_client(method: Callable[Concatenate[Catalog, P], T]) -> Callable[P, T]:
    """A method of `Catalog` as a function, with the same arguments and `profile`, and a client for each call."""

    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        with Catalog(profile=str(kwargs.pop(PROFILE.name, ""))) as catalog:
            return method(catalog, *args, **kwargs)

    shown = signature(method)
    update_wrapper(call, method, assigned=("__name__", "__qualname__"))
    call.__doc__ = f"{method.__doc__}\n    `profile` names a stored one, as `--profile` does.\n    "
    call.__dict__["__signature__"] = shown.replace(parameters=[*[*shown.parameters.values()][1:], PROFILE])
    return call


push = _with_a_client(Catalog.push)
pull = _with_a_client(Catalog.pull)
load = _with_a_client(Catalog.load)


def login(
    url: str = "", *, username: str = "", password: str = "", tenant: str = "", token: str = "", profile: str = ""
) -> Identity:
    """Sign in for this program and later ones, as `catalog login` does. What is missing is asked for.

    The token is stored in a file that only you can read; the password is not stored. With `profile`, the session is
    that of a stored profile.

    Raises CatalogError: NotSignedIn if the credentials are wrong.
    """
    known = find({"url": url, "username": username, "password": password, "tenant": tenant}, name=profile)
    if token:
        username = tenant = ""
        client = Catalog(known.url, token=token, ca=known.ca, profile=profile)
    else:
        username, tenant = known.username or input("Username: "), known.tenant
        password = known.password or getpass(f"Password of {username} at {known.url}: ")
        client = Catalog(known.url, username=username, password=password, tenant=tenant, ca=known.ca, profile=profile)
    with client:
        identity = client.whoami()
        save_login(client.url, client.token, known.name, tenant=tenant, username=username)
    return identity
