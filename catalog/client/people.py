"""People, tokens, words and tenants."""

from collections.abc import Callable, Mapping
from typing import Any

from catalog.client.cache import Cache
from catalog.client.effects import Operation
from catalog.client.resources import D, Room, operation, walk
from catalog.client.results import Page, Tenant, Token, User, Word
from catalog.client.sessions import Session, segment

About = Mapping[str, Any]


class Users(Room[D]):
    """The people of the tenant; to make, change and remove them is for administrators."""

    @operation
    def create(self, username: str, password: str, *, email: str = "", role: str = "regular") -> Operation[User]:
        """Raises CatalogError: Invalid, Forbidden."""
        body = {"username": username, "password": password, "email": email, "role": role}
        return User.of((yield from self._session.ask("POST", "/users", body=body)))

    @operation
    def get(self, key: str) -> Operation[User]:
        return User.of((yield from self._session.ask("GET", f"/users/{segment(key)}")))

    @walk
    def list(self) -> Callable[[str], Operation[Page[User]]]:
        return self._session.page("/users", User.of)

    @operation
    def update(self, key: str, *, email: str = "", password: str = "", role: str = "") -> Operation[User]:
        """Change what is given; a new password or role signs the user out everywhere."""
        given = {"email": email, "password": password, "role": role}
        body = {name: value for name, value in given.items() if value}
        return User.of((yield from self._session.ask("PUT", f"/users/{segment(key)}", body=body)))

    @operation
    def delete(self, key: str, *, transfer: str = "") -> Operation[None]:
        """Remove somebody, who gives what he owns to `transfer`. Raises CatalogError: Invalid while he owns items."""
        query = {"transfer": transfer} if transfer else {}
        yield from self._session.ask("DELETE", f"/users/{segment(key)}", query=query)


class Tokens(Room[D]):
    """Personal access tokens, for scripts."""

    @operation
    def create(self, name: str, *, scope: str = "read", expires_in: str = "90d") -> Operation[Token]:
        """Make one; `scope` is `read` or `write`. What it answers has the token itself, this once."""
        body = {"name": name, "scopes": [scope], "expires_in": expires_in}
        return Token.of((yield from self._session.ask("POST", "/tokens", body=body)))

    @walk
    def list(self) -> Callable[[str], Operation[Page[Token]]]:
        return self._session.page("/tokens", Token.of)

    @operation
    def revoke(self, key: str) -> Operation[None]:
        yield from self._session.ask("DELETE", f"/tokens/{segment(key)}")


class Words(Room[D]):
    """The words of a folksonomy: `tags`, or names of `metadata`."""

    def __init__(self, session: Session, driver: D, cache: Cache, name: str) -> None:
        super().__init__(session, driver, cache)
        self._path = f"/{name}"

    @walk
    def list(self) -> Callable[[str], Operation[Page[Word]]]:
        return self._session.page(self._path, Word.of)

    @operation
    def suggest(self, beginning: str = "", *, limit: int = 10) -> Operation["tuple[Word, ...]"]:
        """The words that best complete `beginning`."""
        query = {"q": beginning, "limit": str(limit)}
        found = yield from self._session.ask("GET", f"{self._path}/suggest", query=query)
        return tuple(Word.of(word) for word in found["docs"])

    @operation
    def create(self, word: str) -> Operation[Word]:
        """Make it one that is suggested first. Raises CatalogError: Forbidden, for administrators only."""
        return Word.of((yield from self._session.ask("POST", self._path, body={"_id": word})))

    @operation
    def delete(self, word: str) -> Operation[None]:
        """Raises CatalogError: Invalid while an item uses it."""
        yield from self._session.ask("DELETE", f"{self._path}/{segment(word)}")


class Tenants(Room[D]):
    """Organisations. For the operator, whose client has API_TOKEN as its token."""

    @operation
    def create(
        self, name: str, admin_username: str, admin_password: str, about: About | None = None
    ) -> Operation[Tenant]:
        """Make one; `about` it are `email`, `organization`, `address`, `phone`, `quota_bytes` and `database`."""
        body = {"_id": name, "admin_username": admin_username, "admin_password": admin_password, **(about or {})}
        return Tenant.of((yield from self._session.ask("POST", "/tenants", body=body)))

    @operation
    def get(self, name: str) -> Operation[Tenant]:
        return Tenant.of((yield from self._session.ask("GET", f"/tenants/{segment(name)}")))

    @walk
    def list(self) -> Callable[[str], Operation[Page[Tenant]]]:
        return self._session.page("/tenants", Tenant.of)

    @operation
    def update(self, name: str, changes: About) -> Operation[Tenant]:
        """Change `organization`, `address`, `email`, `phone`, `quota_bytes` or `inspection`."""
        return Tenant.of((yield from self._session.ask("PUT", f"/tenants/{segment(name)}", body=changes)))

    @operation
    def delete(self, name: str) -> Operation[None]:
        """Remove it with everything that it has."""
        yield from self._session.ask("DELETE", f"/tenants/{segment(name)}", query={"confirm": name})
