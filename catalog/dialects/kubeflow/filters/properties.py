"""The properties that a `filterQuery` may name, for each entity. Any other name is a custom property."""

from dataclasses import dataclass
from enum import Enum

from catalog.store.query.declarations import BOOLEAN, DATE, ID, NUMBER, SCALAR, TEXT, Fields


class Column(Enum):
    """How a property is compared."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"  # milliseconds in a query, a date in the database
    ARCHIVED = "archived"  # LIVE or ARCHIVED in a query, a boolean in the database
    SERIAL = "serial"  # the id of something else, by its serial
    SCALAR = "scalar"  # text or a number, as the value in the query says
    PAIR = "pair"  # text in a pair of the metadata


@dataclass(frozen=True, slots=True)
class Property:
    path: str
    column: Column = Column.TEXT
    of: str = ""  # for SERIAL: the collection that it is an id of


@dataclass(frozen=True, slots=True)
class Properties:
    """What may be asked of one entity. `labels` is the field whose elements are properties with an empty text."""

    known: dict[str, Property]
    fields: Fields
    labels: str = ""
    elsewhere: frozenset[str] = frozenset()
    """Properties that are no field of the document: what is asked of them is matched when they have been read."""


_METADATA = [{"name": TEXT, "value": SCALAR}]
_BASE_FIELDS = {
    "serial": NUMBER,
    "name": TEXT,
    "external_id": TEXT,
    "description": TEXT,
    "metadata": _METADATA,
    "timestamp": DATE,
    "lastmod": DATE,
}
_BASE = {
    "id": Property("serial", Column.NUMBER),
    "name": Property("name"),
    "externalId": Property("external_id"),
    "description": Property("description"),
    "createTimeSinceEpoch": Property("timestamp", Column.TIME),
    "lastUpdateTimeSinceEpoch": Property("lastmod", Column.TIME),
}
_STATE = {"state": Property("archived", Column.ARCHIVED)}

REGISTERED_MODELS = Properties(
    _BASE
    | _STATE
    | {
        "owner": Property("kubeflow.owner", Column.PAIR),
        "libraryName": Property("library"),
        "library_name": Property("library"),
        "licenseLink": Property("license_link"),
        "license_link": Property("license_link"),
        "language": Property("languages"),
        "readme": Property("readme"),
        **{name: Property(name) for name in ("license", "maturity", "provider", "logo", "tasks")},
    },
    Fields(
        _BASE_FIELDS
        | {"archived": BOOLEAN, "tags": [TEXT], "languages": [TEXT], "tasks": [TEXT]}
        | dict.fromkeys(("library", "license_link", "license", "maturity", "provider", "logo", "readme"), TEXT)
    ),
    labels="tags",
    elsewhere=frozenset({"readme"}),
)

MODEL_VERSIONS = Properties(
    _BASE
    | _STATE
    | {
        "name": Property("ordinal"),
        "author": Property("author"),
        "registeredModelId": Property("item", Column.SERIAL, "models"),
    },
    Fields(_BASE_FIELDS | {"ordinal": TEXT, "archived": BOOLEAN, "author": TEXT, "item": ID}),
)

EXPERIMENTS = Properties(
    _BASE | _STATE | {"owner": Property("author")}, Fields(_BASE_FIELDS | {"archived": BOOLEAN, "author": TEXT})
)

EXPERIMENT_RUNS = Properties(
    _BASE
    | _STATE
    | {
        "owner": Property("author"),
        "status": Property("status"),
        "experimentId": Property("experiment", Column.SERIAL, "experiments"),
        "startTimeSinceEpoch": Property("started", Column.NUMBER),
        "endTimeSinceEpoch": Property("ended", Column.NUMBER),
    },
    Fields(
        _BASE_FIELDS
        | {
            "archived": BOOLEAN,
            "author": TEXT,
            "status": TEXT,
            "experiment": ID,
            "started": NUMBER,
            "ended": NUMBER,
        }
    ),
)

DETAILS = {
    "modelFormatName": "model_format_name",
    "modelFormatVersion": "model_format_version",
    "storageKey": "storage_key",
    "storagePath": "storage_path",
    "serviceAccountName": "service_account_name",
    "modelSourceKind": "model_source_kind",
    "modelSourceClass": "model_source_class",
    "modelSourceGroup": "model_source_group",
    "modelSourceId": "model_source_id",
    "modelSourceName": "model_source_name",
    "digest": "digest",
    "sourceType": "source_type",
    "source": "source",
    "schema": "schema",
    "profile": "profile",
    "timestamp": "timestamp",
    "parameterType": "parameter_type",
}

ARTIFACTS = Properties(
    _BASE
    | {"uri": Property("uri"), "state": Property("state"), "value": Property("details.value", Column.SCALAR)}
    | {
        "step": Property("details.step", Column.NUMBER),
        "experimentId": Property("experiments", Column.SERIAL, "experiments"),
        "experimentRunId": Property("runs", Column.SERIAL, "runs"),
    }
    | {name: Property(f"details.{path}") for name, path in DETAILS.items()},
    Fields(
        _BASE_FIELDS
        | {
            "uri": TEXT,
            "state": TEXT,
            "experiments": [ID],
            "runs": [ID],
            "details": {**dict.fromkeys(DETAILS.values(), TEXT), "value": SCALAR, "step": NUMBER},
        }
    ),
)

METRIC_POINTS = Properties(
    ARTIFACTS.known | {"experimentRunId": Property("run", Column.SERIAL, "runs")},
    Fields(
        _BASE_FIELDS
        | {
            "uri": TEXT,
            "state": TEXT,
            "experiments": [ID],
            "run": ID,
            "details": {**dict.fromkeys(DETAILS.values(), TEXT), "value": SCALAR, "step": NUMBER},
        }
    ),
)

SERVING_ENVIRONMENTS = Properties(_BASE, Fields(_BASE_FIELDS))

INFERENCE_SERVICES = Properties(
    _BASE
    | {
        "registeredModelId": Property("item", Column.SERIAL, "models"),
        "modelVersionId": Property("version", Column.SERIAL, "versions"),
        "servingEnvironmentId": Property("environment", Column.SERIAL, "environments"),
        "runtime": Property("runtime"),
        "desiredState": Property("desired_state"),
    },
    Fields(_BASE_FIELDS | {"item": ID, "version": ID, "environment": ID, "runtime": TEXT, "desired_state": TEXT}),
)

SERVE_MODELS = Properties(
    _BASE
    | {
        "modelVersionId": Property("version", Column.SERIAL, "versions"),
        "lastKnownState": Property("state"),
    },
    Fields(_BASE_FIELDS | {"version": ID, "state": TEXT}),
)
