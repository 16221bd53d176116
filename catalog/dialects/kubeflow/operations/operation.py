"""One operation of this dialect: a method of a path, what it takes and what it shows."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import UnionType
from typing import Protocol

from litestar import HttpMethod
from msgspec import Struct

from catalog.dialects.kubeflow.api import Api
from catalog.dialects.kubeflow.requests import KubeflowCall

GET, POST, PATCH = HttpMethod.GET, HttpMethod.POST, HttpMethod.PATCH

Handler = Callable[[KubeflowCall], Awaitable[object]]

Shape = type[Struct] | UnionType
"""The type of a body or of an answer."""

FIND = ("name", "externalId")
FIND_CHILD = ("name", "externalId", "parentResourceId")
LIST = ("filterQuery", "pageSize", "orderBy", "sortOrder", "nextPageToken")
CHILDREN = (*FIND, *LIST)
LINK = ("link",)


@dataclass(frozen=True, slots=True)
class PerApi:
    """A type that differs between the versions of the API."""

    choose: Callable[[Api], Shape]


@dataclass(frozen=True, slots=True)
class KubeflowOperation:
    """One method of one path, with the types of its body and its answer."""

    name: str
    method: HttpMethod
    path: str
    handler: Handler
    shows: Shape | PerApi
    body: Shape | PerApi | None = None
    query: tuple[str, ...] = ()
    status: int = 200
    other_status: int = 0
    is_of_experiments: bool = False

    def body_of(self, api: Api) -> Shape | None:
        return None if self.body is None else _of(self.body, api)

    def shown_of(self, api: Api) -> Shape:
        return _of(self.shows, api)


def _of(type_: Shape | PerApi, api: Api) -> Shape:
    return type_.choose(api) if isinstance(type_, PerApi) else type_


ANY_BODY = PerApi(lambda api: api.artifact_body)
ANY_SHOWN = PerApi(lambda api: api.shown_artifact)
ANY_PAGE = PerApi(lambda api: api.artifact_page)
METRIC_PAGE = PerApi(lambda api: api.metric_page)


class EntityHandlers(Protocol):
    """The handlers of an entity: a module, or `Handlers`."""

    @property
    def find(self) -> Handler: ...
    @property
    def list_(self) -> Handler: ...
    @property
    def create(self) -> Handler: ...
    @property
    def read(self) -> Handler: ...
    @property
    def update(self) -> Handler: ...


@dataclass(frozen=True, slots=True)
class Handlers:
    """Handlers of an entity that has no module of its own."""

    find: Handler
    list_: Handler
    create: Handler
    read: Handler
    update: Handler


def of_entity(
    one: str,
    path: str,
    handlers: EntityHandlers,
    shown: type[Struct],
    page: type[Struct],
    create: type[Struct],
    update: type[Struct],
    find: tuple[str, ...],
    *,
    more: bool = False,
) -> list[KubeflowOperation]:
    """The five operations that most entities have."""
    single = f"/{path}"
    return [
        KubeflowOperation(f"find{one}", GET, single, handlers.find, shown, query=find, is_of_experiments=more),
        KubeflowOperation(f"get{one}s", GET, f"{single}s", handlers.list_, page, query=LIST, is_of_experiments=more),
        KubeflowOperation(
            f"create{one}", POST, f"{single}s", handlers.create, shown, create, status=201, is_of_experiments=more
        ),
        KubeflowOperation(f"get{one}", GET, f"{single}s/{{id:str}}", handlers.read, shown, is_of_experiments=more),
        KubeflowOperation(
            f"update{one}", PATCH, f"{single}s/{{id:str}}", handlers.update, shown, update, is_of_experiments=more
        ),
    ]
