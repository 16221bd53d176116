"""Users, groups, robots and access tokens."""

from collections.abc import Callable, Mapping, Sequence

from catalog.client.errors import Invalid
from catalog.client.push_pull.annotations import texts
from catalog.client.resources.base import D, Resource, operation, walk
from catalog.client.results import (
    Group,
    Page,
    Robot,
    Token,
    User,
)
from catalog.client.session import Session, segment
from catalog.client.transport.effects import Operation
from catalog.durations import Duration


class UserResource(Resource[D]):
    """The users of the tenant. Only administrators create, change and remove them."""

    @operation
    def create(self, username: str, password: str, *, email: str = "", role: str = "regular") -> Operation[User]:
        """Raises CatalogError: Invalid, Forbidden."""
        body = {"username": username, "password": password, "email": email, "role": role}
        return User.of((yield from self._session.request_json("POST", "/users", body=body)))

    @operation
    def get(self, key: str) -> Operation[User]:
        """A user, by id or name. Raises CatalogError: NotFound."""
        return User.of((yield from self._session.request_json("GET", f"/users/{segment(key)}")))

    @walk
    def list(self) -> Callable[[str], Operation[Page[User]]]:
        """Iterate over the users of the tenant."""
        return self._session.page("/users", User.of)

    @operation
    def update(self, key: str, *, email: str = "", password: str = "", role: str = "") -> Operation[User]:
        """Change the given fields. A new password or role signs the user out everywhere."""
        fields = {"email": email, "password": password, "role": role}
        body = {name: value for name, value in fields.items() if value}
        return User.of((yield from self._session.request_json("PUT", f"/users/{segment(key)}", body=body)))

    @operation
    def delete(self, key: str, *, transfer: str = "") -> Operation[None]:
        """Remove a user, whose items go to the user `transfer`.

        Raises CatalogError: Invalid if the user owns items and `transfer` is empty.
        """
        yield from _remove(self._session, f"/users/{segment(key)}", transfer)


class GroupResource(Resource[D]):
    """Groups of users. Only administrators create, change and remove them."""

    @operation
    def create(self, name: str, *members: str, description: str = "") -> Operation[Group]:
        """Raises CatalogError: Invalid, also if a user or a group has this name; Forbidden."""
        body = {"name": name, "description": description, "members": [*members]}
        return Group.of((yield from self._session.request_json("POST", "/groups", body=body)))

    @operation
    def get(self, key: str) -> Operation[Group]:
        """A group, by id or name. Raises CatalogError: NotFound."""
        return Group.of((yield from self._session.request_json("GET", f"/groups/{segment(key)}")))

    @walk
    def list(self) -> Callable[[str], Operation[Page[Group]]]:
        """Iterate over the groups of the tenant."""
        return self._session.page("/groups", Group.of)

    @operation
    def update(self, key: str, *, name: str = "", description: str | None = None) -> Operation[Group]:
        """Change the given fields. Raises CatalogError: NotFound, Forbidden, Invalid."""
        fields = {"name": name or None, "description": description}
        return (yield from self._put(key, {name: value for name, value in fields.items() if value is not None}))

    @operation
    def add(self, key: str, *members: str) -> Operation[Group]:
        """Add users, by id or name."""
        return (yield from self._put(key, {"members": {"add": [*members]}}))

    @operation
    def remove(self, key: str, *members: str) -> Operation[Group]:
        """Remove users, by id or name."""
        return (yield from self._put(key, {"members": {"remove": [*members]}}))

    @operation
    def delete(self, key: str) -> Operation[None]:
        """Remove a group. What was shared with it no longer is."""
        yield from self._session.request_json("DELETE", f"/groups/{segment(key)}")

    def _put(self, key: str, body: Mapping[str, object]) -> Operation[Group]:
        return Group.of((yield from self._session.request_json("PUT", f"/groups/{segment(key)}", body=body)))


class TokenResource(Resource[D]):
    """Personal access tokens, for scripts."""

    @operation
    def create(self, name: str, *, scope: str = "read", expires_in: str = "90d") -> Operation[Token]:
        """Create a token; `scope` is `read` or `write`. Only this result contains the token itself."""
        body = {"name": name, "scopes": [scope], "expires_in": _lifetime(expires_in)}
        return Token.of((yield from self._session.request_json("POST", "/tokens", body=body)))

    @walk
    def list(self) -> Callable[[str], Operation[Page[Token]]]:
        """Iterate over your tokens, without the tokens themselves."""
        return self._session.page("/tokens", Token.of)

    @operation
    def revoke(self, key: str) -> Operation[None]:
        """Make a token invalid, by its id. Raises CatalogError: NotFound."""
        yield from self._session.request_json("DELETE", f"/tokens/{segment(key)}")


class RobotResource(Resource[D]):
    """Robots: accounts for pipelines that belong to no person. For administrators."""

    @operation
    def create(
        self,
        username: str,
        *,
        scope: str = "read",
        items: Sequence[str] = (),
        tags: Sequence[str] = (),
        expires_in: str = "90d",
        description: str = "",
    ) -> Operation[Robot]:
        """Create a robot; `scope` is `read` or `write`. Only this result and that of `rotate` contain a token.

        With `items` (`ada/iris`, `datasets/ada/petals`) or `tags` the robot is limited to these items, to those with
        one of the tags, and to its own.
        """
        body = {
            "username": username,
            "description": description,
            "scopes": [scope],
            "items": texts("items", items),
            "tags": texts("tags", tags),
            "expires_in": _lifetime(expires_in),
        }
        return Robot.of((yield from self._session.request_json("POST", "/robots", body=body)))

    @operation
    def get(self, key: str) -> Operation[Robot]:
        return Robot.of((yield from self._session.request_json("GET", f"/robots/{segment(key)}")))

    @walk
    def list(self) -> Callable[[str], Operation[Page[Robot]]]:
        return self._session.page("/robots", Robot.of)

    @operation
    def update(
        self,
        key: str,
        *,
        scope: str = "",
        items: Sequence[str] | None = None,
        tags: Sequence[str] | None = None,
        description: str | None = None,
    ) -> Operation[Robot]:
        """Change what a robot may do. Lists replace those that are there; its token stays."""
        fields = {
            "description": description,
            "scopes": [scope] if scope else None,
            "items": None if items is None else texts("items", items),
            "tags": None if tags is None else texts("tags", tags),
        }
        body = {name: value for name, value in fields.items() if value is not None}
        return Robot.of((yield from self._session.request_json("PUT", f"/robots/{segment(key)}", body=body)))

    @operation
    def rotate(self, key: str, *, expires_in: str = "90d", overlap: str = "") -> Operation[Robot]:
        """Give a robot a new token. The old one ends at once, or after a time such as `1h`."""
        body = {"expires_in": _lifetime(expires_in), **({"overlap": _lifetime(overlap)} if overlap else {})}
        return Robot.of((yield from self._session.request_json("POST", f"/robots/{segment(key)}/token", body=body)))

    @operation
    def revoke(self, key: str) -> Operation[None]:
        """End all tokens of a robot. The robot stays, with what it owns."""
        yield from self._session.request_json("DELETE", f"/robots/{segment(key)}/token")

    @operation
    def delete(self, key: str, *, transfer: str = "") -> Operation[None]:
        """Remove a robot, whose items go to the user `transfer`.

        Raises CatalogError: Invalid if the robot owns items and `transfer` is empty.
        """
        yield from _remove(self._session, f"/robots/{segment(key)}", transfer)


def _remove(session: Session, path: str, transfer: str) -> Operation[None]:
    """Remove an account, whose items go to the user `transfer`."""
    query = {"transfer": transfer} if transfer else {}
    try:
        yield from session.request_json("DELETE", path, query=query)
    except Invalid as refused:
        if not (transfer or refused.advice):
            refused.advice = "To give its items to another user: --transfer, transfer=."
        raise


def _lifetime(text: str) -> str:
    """How long a token is valid. Raises Invalid."""
    try:
        return Duration(str(text)).text
    except ValueError:
        raise Invalid(f"{text!r} is not a length of time", advice="Write it as 12h or 90d.") from None
