"""What a tenant has as a whole: its retention and its terms; and the tenants themselves."""

from collections.abc import Callable, Mapping

from catalog.client.resources.base import D, Resource, operation, walk
from catalog.client.results import Page, RetentionResult, RetentionRules, Tenant, Term, shaped
from catalog.client.session import Session, as_operator, segment
from catalog.client.transfer.cache import Cache
from catalog.client.transport.answers import ListAnswer
from catalog.client.transport.effects import Operation

About = Mapping[str, object]


class RetentionResource(Resource[D]):
    """What the tenant keeps, and for how long. For administrators."""

    @operation
    def get(self) -> Operation[RetentionRules]:
        return shaped((yield from self._session.request_json("GET", "/retention")), RetentionRules)

    @operation
    def change(self, rules: Mapping[str, int | None]) -> Operation[RetentionRules]:
        """Change rules. None ends one; those that are not named stay."""
        before = yield from self._session.request_json("GET", "/retention")
        body = {name: value for name, value in {**before, **rules}.items() if value is not None}
        return shaped((yield from self._session.request_json("PUT", "/retention", body=body)), RetentionRules)

    @operation
    def apply(self, *, dry_run: bool = False) -> Operation[RetentionResult]:
        """Apply the rules now, or list what they would remove."""
        query = {"dry_run": "true"} if dry_run else {}
        return shaped((yield from self._session.request_json("POST", "/retention/apply", query=query)), RetentionResult)


class TermResource(Resource[D]):
    """Terms of the folksonomy: `tags`, or names of `metadata`."""

    def __init__(self, session: Session, driver: D, cache: Cache, name: str) -> None:
        super().__init__(session, driver, cache)
        self._path = f"/{name}"

    @walk
    def list(self) -> Callable[[str], Operation[Page[Term]]]:
        """Iterate over the terms."""
        return self._session.page(self._path, Term.of)

    @operation
    def suggest(self, beginning: str = "", *, limit: int = 10) -> Operation["tuple[Term, ...]"]:
        """The terms that best complete `beginning`."""
        query = {"q": beginning, "limit": str(limit)}
        found = shaped((yield from self._session.request_json("GET", f"{self._path}/suggest", query=query)), ListAnswer)
        return tuple(Term.of(term) for term in found["docs"])

    @operation
    def create(self, term: str) -> Operation[Term]:
        """Make a term a default one, which is suggested first. For administrators. Raises CatalogError: Forbidden."""
        return Term.of((yield from self._session.request_json("POST", self._path, body={"_id": term})))

    @operation
    def delete(self, term: str) -> Operation[None]:
        """Remove a term. Raises CatalogError: Invalid if an item uses it."""
        yield from self._session.request_json("DELETE", f"{self._path}/{segment(term)}")


class TenantResource(Resource[D]):
    """Organisations. For the operator, with API_TOKEN as the token of the client."""

    @operation
    def create(
        self, name: str, admin_username: str, admin_password: str, about: About | None = None
    ) -> Operation[Tenant]:
        """Create a tenant. `about` may have `email`, `organization`, `address`, `phone`, `quota_bytes`, `database`."""
        body = {"_id": name, "admin_username": admin_username, "admin_password": admin_password, **(about or {})}
        return Tenant.of((yield from as_operator(self._session.request_json("POST", "/tenants", body=body))))

    @operation
    def get(self, name: str) -> Operation[Tenant]:
        """A tenant, by name. Raises CatalogError: NotFound."""
        return Tenant.of((yield from as_operator(self._session.request_json("GET", f"/tenants/{segment(name)}"))))

    @walk
    def list(self) -> Callable[[str], Operation[Page[Tenant]]]:
        """Iterate over all tenants."""
        return lambda cursor: as_operator(self._session.page("/tenants", Tenant.of)(cursor))

    @operation
    def update(self, name: str, changes: About) -> Operation[Tenant]:
        """Change `organization`, `address`, `email`, `phone`, `quota_bytes` or `inspection`."""
        return Tenant.of(
            (yield from as_operator(self._session.request_json("PUT", f"/tenants/{segment(name)}", body=changes)))
        )

    @operation
    def delete(self, name: str) -> Operation[None]:
        """Remove a tenant with all its data."""
        yield from as_operator(
            self._session.request_json("DELETE", f"/tenants/{segment(name)}", query={"confirm": name})
        )
