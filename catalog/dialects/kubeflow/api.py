"""The two versions of this API, and all that differs between them."""

from dataclasses import dataclass
from types import UnionType

from msgspec import Struct

from catalog.dialects.kubeflow.models import artifacts
from catalog.dialects.kubeflow.models.lists import ResourcePage


@dataclass(frozen=True, slots=True)
class Api:
    """A version of the API."""

    name: str
    has_experiments: bool
    is_deprecated: bool
    refuses_unknown_orders: bool
    artifact_body: UnionType
    """The body of any artifact. `step` of a metric is a number, or text."""
    shown_artifact: UnionType
    metric: type[artifacts.ShownArtifact]
    artifact_page: type[Struct]
    metric_page: type[Struct]

    @property
    def prefix(self) -> str:
        return f"{ROOT}/{self.name}"

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every answer."""
        if not self.is_deprecated:
            return {}
        return {"Deprecation": "true", "Link": f'<{ROOT}/v1/>; rel="successor-version"'}


ROOT = "/api/model_registry"

V1ALPHA3 = Api(
    name="v1alpha3",
    has_experiments=True,
    is_deprecated=True,
    refuses_unknown_orders=False,
    artifact_body=artifacts.AnyArtifact,
    shown_artifact=artifacts.Shown,
    metric=artifacts.Metric,
    artifact_page=artifacts.ArtifactPage,
    metric_page=ResourcePage[artifacts.Metric],
)
V1 = Api(
    name="v1",
    has_experiments=False,
    is_deprecated=False,
    refuses_unknown_orders=True,
    artifact_body=artifacts.AnyArtifactV1,
    shown_artifact=artifacts.ShownV1,
    metric=artifacts.MetricV1,
    artifact_page=artifacts.ArtifactPageV1,
    metric_page=ResourcePage[artifacts.MetricV1],
)
BOTH = (V1ALPHA3, V1)
