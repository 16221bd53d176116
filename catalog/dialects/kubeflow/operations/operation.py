"""One operation of this dialect: a method of a path, what it takes and what it shows."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from litestar import HttpMethod

from catalog.dialects.kubeflow.api import Api
from catalog.dialects.kubeflow.models.lists import ResourcePage
from catalog.dialects.kubeflow.requests import KubeflowCall

GET, POST, PATCH = HttpMethod.GET, HttpMethod.POST, HttpMethod.PATCH

Handler = Callable[[KubeflowCall], Awaitable[Any]]
ByApi = Callable[[Api], Any]

FIND = ("name", "externalId")
FIND_CHILD = ("name", "externalId", "parentResourceId")
LIST = ("filterQuery", "pageSize", "orderBy", "sortOrder", "nextPageToken")
CHILDREN = (*FIND, *LIST)
LINK = ("link",)


@dataclass(frozen=True, slots=True)
class KubeflowOperation:
    """One method of one path. `body` and `shows` are types, or functions of the version of the API."""

    name: str
    method: HttpMethod
    path: str
    handler: Handler
    shows: Any
    body: Any = None
    query: tuple[str, ...] = ()
    status: int = 200
    other_status: int = 0
    is_of_experiments: bool = False

    def body_of(self, api: Api) -> Any:
        return _of(self.body, api)

    def shown_of(self, api: Api) -> Any:
        return _of(self.shows, api)


@dataclass(frozen=True, slots=True)
class PerApi:
    """A type that the versions of the API have differently."""

    choose: ByApi


def _of(type_: Any, api: Api) -> Any:
    return type_.choose(api) if isinstance(type_, PerApi) else type_


ANY_BODY = PerApi(lambda api: api.artifact_body)
ANY_SHOWN = PerApi(lambda api: api.shown_artifact)
ANY_PAGE = PerApi(lambda api: api.artifact_page)
METRIC_PAGE = PerApi(lambda api: api.metric_page)


def of_entity(
    one: str, path: str, module: Any, shown: Any, create: Any, update: Any, find: tuple[str, ...], *, more: bool = False
) -> list[KubeflowOperation]:
    """The five operations that most entities have."""
    single = f"/{path}"
    return [
        KubeflowOperation(f"find{one}", GET, single, module.find, shown, query=find, is_of_experiments=more),
        KubeflowOperation(
            f"get{one}s", GET, f"{single}s", module.list_, ResourcePage[shown], query=LIST, is_of_experiments=more
        ),
        KubeflowOperation(
            f"create{one}", POST, f"{single}s", module.create, shown, create, status=201, is_of_experiments=more
        ),
        KubeflowOperation(f"get{one}", GET, f"{single}s/{{id:str}}", module.read, shown, is_of_experiments=more),
        KubeflowOperation(
            f"update{one}", PATCH, f"{single}s/{{id:str}}", module.update, shown, update, is_of_experiments=more
        ),
    ]


@dataclass(frozen=True, slots=True)
class Handlers:
    """Handlers of an entity that has no module of its own."""

    find: Handler
    list_: Handler
    create: Handler
    read: Handler
    update: Handler
