"""Artifacts. Unknown fields in the bodies are ignored, as other registries do."""

from collections.abc import Iterable
from typing import Annotated, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.dialects.http.encoded import StructFields
from catalog.dialects.kubeflow.models.common import Id, Milliseconds, present, shown_fields, times
from catalog.dialects.kubeflow.models.lists import ResourcePage
from catalog.dialects.kubeflow.models.values import NAME, AnyValue, Line, Properties, pairs_of, properties_of, unchanged
from catalog.domain.limits import LONGEST_INTEGER
from catalog.domain.tracking.artifacts import ArtifactChange, NewArtifact
from catalog.domain.tracking.records import Details, DetailsChange
from catalog.errors import INVALID_FIELD, Refused
from catalog.store.records import ArtifactRecord, MetricPointRecord, PairRecord, Value
from catalog.vocabulary import ArtifactState, ArtifactType

TAG = "artifactType"

COMMON = frozenset({"custom_properties", "description", "external_id", "name", "id", "uri", "state", "artifact_type"})
"""Fields that are not those of one type alone."""

Step = Annotated[int, Meta(ge=-LONGEST_INTEGER, le=LONGEST_INTEGER - 1)]
StepText = Annotated[str, Meta(pattern="^-?[0-9]{1,19}$", description="A whole number, as text.")]
Name = Annotated[str, Meta(min_length=1, max_length=255, extra_json_schema={"pattern": NAME})]
ParameterKind = Annotated[str, Meta(extra_json_schema={"enum": ["string", "number", "boolean", "object"]})]
PARAMETER_KINDS = {"string", "number", "boolean", "object"}


class ArtifactBody(Struct, rename="camel", kw_only=True):
    """The body of an artifact."""

    id: Id | None = None
    custom_properties: Properties | None = None
    description: str | None = None
    external_id: Line | None = None
    name: Name | None = None
    uri: Line | None = None
    state: ArtifactState | None = None

    @property
    def type(self) -> ArtifactType:
        return ArtifactType(str(self.__struct_config__.tag))

    def values(self) -> dict[str, Value]:
        """The fields of its type. Raises Refused: INVALID_FIELD."""
        own = [name for name in self.__struct_fields__ if name not in COMMON]
        return present({name: getattr(self, name) for name in own})

    def as_input(self) -> NewArtifact:
        """Raises Refused: INVALID_FIELD."""
        details = Details(
            name=self.name or "",
            description=self.description or "",
            external_id=self.external_id or "",
            metadata=pairs_of(self.custom_properties or {}),
        )
        values = self.values()
        if self.type is ArtifactType.METRIC and "value" not in values:
            raise Refused(INVALID_FIELD, "metric value is required")
        return NewArtifact(details=details, type=self.type, uri=self.uri or "", state=self.state, values=values)

    def as_change(self, before: Iterable[PairRecord]) -> ArtifactChange:
        """The change of an artifact that has the metadata `before`. Raises Refused: INVALID_FIELD."""
        properties = self.custom_properties
        metadata = None if properties is None else unchanged(before, pairs_of(properties))
        details = DetailsChange(description=self.description, external_id=self.external_id, metadata=metadata)
        return ArtifactChange(details=details, type=self.type, uri=self.uri, state=self.state, values=self.values())


class ModelArtifactFields(ArtifactBody, kw_only=True):
    """Where the bytes of a model are."""

    model_format_name: Line | None = None
    model_format_version: Line | None = None
    storage_key: Line | None = None
    storage_path: Line | None = None
    service_account_name: Line | None = None
    model_source_kind: Line | None = None
    model_source_class: Line | None = None
    model_source_group: Line | None = None
    model_source_id: Line | None = None
    model_source_name: Line | None = None


class ModelArtifactInput(ModelArtifactFields, kw_only=True):
    """A model artifact, where nothing else can be meant: its `artifactType` is ignored, and so is its `id`."""

    artifact_type: str | None = None
    id: str | None = None

    @property
    def type(self) -> ArtifactType:
        return ArtifactType.MODEL


class ModelArtifactBody(ModelArtifactFields, tag_field=TAG, tag="model-artifact", kw_only=True):
    """Where the bytes of a model are."""


class DocArtifactBody(ArtifactBody, tag_field=TAG, tag="doc-artifact", kw_only=True):
    """A document."""


class DataSetBody(ArtifactBody, tag_field=TAG, tag="dataset-artifact", kw_only=True):
    """A dataset."""

    digest: Line | None = None
    source_type: Line | None = None
    source: str | None = None
    schema: str | None = None
    profile: str | None = None


class ParameterBody(ArtifactBody, tag_field=TAG, tag="parameter", kw_only=True):
    """A parameter of a training."""

    value: str | None = None
    parameter_type: ParameterKind | None = None

    def values(self) -> dict[str, Value]:
        if self.parameter_type not in {None, *PARAMETER_KINDS}:
            raise Refused(INVALID_FIELD, f"parameterType: {self.parameter_type!r} is not a type")
        return super().values()


class MetricBody(ArtifactBody, tag_field=TAG, tag="metric", kw_only=True):
    """A value that was measured."""

    value: Annotated[float | None, Meta(description="Needed for a new metric.")] = None
    timestamp: Line | None = None
    step: Step | None = None


class MetricBodyV1(ArtifactBody, tag_field=TAG, tag="metric", kw_only=True):
    """A value that was measured."""

    value: Annotated[float | None, Meta(description="Needed for a new metric.")] = None
    timestamp: Line | None = None
    step: StepText | None = None

    def values(self) -> dict[str, Value]:
        values = super().values()
        if self.step is not None:
            values["step"] = _step(self.step)
        return values


AnyArtifact = ModelArtifactBody | DocArtifactBody | DataSetBody | MetricBody | ParameterBody
AnyArtifactV1 = ModelArtifactBody | DocArtifactBody | DataSetBody | MetricBodyV1 | ParameterBody


class ShownArtifact(Struct, rename="camel", kw_only=True, tag_field=TAG):
    """The fields that every artifact shows."""

    id: Id
    name: str
    description: str | UnsetType = UNSET
    external_id: str | UnsetType = UNSET
    custom_properties: dict[str, AnyValue]
    create_time_since_epoch: Milliseconds
    last_update_time_since_epoch: Milliseconds
    state: ArtifactState
    experiment_id: Id | UnsetType = UNSET
    experiment_run_id: Id | UnsetType = UNSET

    @classmethod
    def of(cls, record: ArtifactRecord, more: StructFields) -> Self:
        own = {name: value for name, value in record["details"].items() if name in cls.__struct_fields__}
        uri = {"uri": record["uri"] or UNSET} if "uri" in cls.__struct_fields__ else {}
        return cls(**{**shown_fields(record), "state": ArtifactState(record["state"]), **own, **uri, **more})


class ModelArtifact(ShownArtifact, tag="model-artifact", kw_only=True):
    """Where the bytes of a model are."""

    uri: str | UnsetType = UNSET
    model_format_name: str | UnsetType = UNSET
    model_format_version: str | UnsetType = UNSET
    storage_key: str | UnsetType = UNSET
    storage_path: str | UnsetType = UNSET
    service_account_name: str | UnsetType = UNSET
    model_source_kind: str | UnsetType = UNSET
    model_source_class: str | UnsetType = UNSET
    model_source_group: str | UnsetType = UNSET
    model_source_id: str | UnsetType = UNSET
    model_source_name: str | UnsetType = UNSET


class DocArtifact(ShownArtifact, tag="doc-artifact", kw_only=True):
    """A document."""

    uri: str | UnsetType = UNSET


class DataSet(ShownArtifact, tag="dataset-artifact", kw_only=True):
    """A dataset."""

    uri: str | UnsetType = UNSET
    digest: str | UnsetType = UNSET
    source_type: str | UnsetType = UNSET
    source: str | UnsetType = UNSET
    schema: str | UnsetType = UNSET
    profile: str | UnsetType = UNSET


class Parameter(ShownArtifact, tag="parameter", kw_only=True):
    """A parameter of a training."""

    value: str | UnsetType = UNSET
    parameter_type: ParameterKind | UnsetType = UNSET


class Metric(ShownArtifact, tag="metric", kw_only=True):
    """A value that was measured."""

    value: float
    timestamp: str | UnsetType = UNSET
    step: int | UnsetType = UNSET


class MetricV1(ShownArtifact, tag="metric", kw_only=True):
    """A value that was measured."""

    value: float
    timestamp: str | UnsetType = UNSET
    step: StepText | UnsetType = UNSET

    @classmethod
    def of(cls, record: ArtifactRecord, more: StructFields) -> Self:
        step = record["details"].get("step")
        return super().of(record, more | ({} if step is None else {"step": str(step)}))


Shown = ModelArtifact | DocArtifact | DataSet | Metric | Parameter
ShownV1 = ModelArtifact | DocArtifact | DataSet | MetricV1 | Parameter


class ArtifactPage(ResourcePage[Shown], kw_only=True):
    """A part of a list of artifacts."""


class ArtifactPageV1(ResourcePage[ShownV1], kw_only=True):
    """A part of a list of artifacts."""


SHOWN: dict[ArtifactType, type[ShownArtifact]] = {
    ArtifactType.MODEL: ModelArtifact,
    ArtifactType.DOCUMENT: DocArtifact,
    ArtifactType.DATASET: DataSet,
    ArtifactType.METRIC: Metric,
    ArtifactType.PARAMETER: Parameter,
}


def point(record: MetricPointRecord, experiment: int, run: int) -> Metric:
    """A value that a metric once had."""
    own: StructFields = {name: value for name, value in record["details"].items() if name in Metric.__struct_fields__}
    return Metric(
        id=str(record["serial"]),
        name=record["name"],
        description=record["description"] or UNSET,
        custom_properties=properties_of(record["metadata"]),
        state=ArtifactState(record["state"]),
        experiment_id=str(experiment),
        experiment_run_id=str(run),
        **own,
        **times(record["timestamp"], record["lastmod"]),
    )


def _step(text: str) -> int:
    """Raises Refused: INVALID_FIELD."""
    step = int(text)
    if not -LONGEST_INTEGER <= step < LONGEST_INTEGER:
        raise Refused(INVALID_FIELD, "step: the number does not fit into 64 bits")
    return step
