"""The records are typed as the documents are declared."""

from enum import Enum
from functools import reduce
from inspect import isclass
from operator import or_
from types import NoneType, UnionType
from typing import Any, NotRequired, Union, get_args, get_origin, get_type_hints

import pytest
from beanie import PydanticObjectId
from bson import ObjectId

from catalog.inspection.inspector import Inspection
from catalog.store import records
from catalog.store.documents.files import Part
from catalog.store.documents.items import Alias, Latest, Pair
from catalog.store.documents.people import Robot, RobotItem
from catalog.store.documents.registry import OF_A_TENANT
from catalog.store.documents.tenants import FailedAttempts, RegisteredTenant
from catalog.store.documents.versions import File, Input, Run
from catalog.store.records import (
    AliasMoveRecord,
    AliasRecord,
    FileRecord,
    InputRecord,
    ItemRecord,
    LatestRecord,
    PairRecord,
    PartRecord,
    RunRecord,
)

RECORDS = {
    "RegisteredTenant": records.TenantRecord,
    "FailedAttempts": records.FailedAttemptsRecord,
    "User": records.UserRecord,
    "Group": records.GroupRecord,
    "AccessToken": records.AccessTokenRecord,
    "PasswordReset": records.PasswordResetRecord,
    "Model": records.ItemRecord,
    "Dataset": records.ItemRecord,
    "Algorithm": records.ItemRecord,
    "Version": records.VersionRecord,
    "VersionFile": records.VersionFileRecord,
    "StoredBlob": records.BlobRecord,
    "Upload": records.UploadRecord,
    "ArtifactFile": records.ArtifactFileRecord,
    "PartUpload": records.PartUploadRecord,
    "Part": records.PartRecord,
    "RetentionPolicy": records.RetentionRecord,
    "TrashEntry": records.TrashRecord,
    "SearchEntry": records.SearchEntryRecord,
    "Tag": records.TermRecord,
    "MetadataName": records.TermRecord,
    "LogEntry": records.LogRecord,
    "Experiment": records.ExperimentRecord,
    "ExperimentRun": records.ExperimentRunRecord,
    "Artifact": records.ArtifactRecord,
    "MetricPoint": records.MetricPointRecord,
    "Environment": records.EnvironmentRecord,
    "Service": records.ServiceRecord,
    "ServedModel": records.ServedModelRecord,
    "Pair": records.PairRecord,
    "File": records.FileRecord,
    "Alias": records.AliasRecord,
    "Latest": records.LatestRecord,
    "Card": records.CardRecord,
    "AliasMove": records.AliasMoveRecord,
    "Run": records.RunRecord,
    "Input": records.InputRecord,
    "Robot": records.RobotRecord,
    "RobotItem": records.RobotItemRecord,
}

ONLY_IN_SOME = {"Dataset": {"status", "datasets"}}
"""Fields of a record that another document with the same record has."""

SAID_MORE_PRECISELY = {
    ("Item", "readers"): list[ObjectId | str],
    ("Item", "alias_outbox"): list[AliasMoveRecord] | None,
    ("Tracked", "readers"): list[ObjectId | str],
    ("Tracked", "own_readers"): list[ObjectId | str],
    ("Version", "readers"): list[ObjectId | str],
    ("Version", "inspection"): Inspection | None,
    ("ArtifactFile", "readers"): list[ObjectId | str],
    ("TrashEntry", "item"): ItemRecord,
}
"""What the database reads for a field that its document declares loosely."""

READ_AS = {
    PydanticObjectId: ObjectId,
    Pair: PairRecord,
    File: FileRecord,
    Alias: AliasRecord,
    Latest: LatestRecord,
    Run: RunRecord,
    Input: InputRecord,
    Part: PartRecord,
    Robot: records.RobotRecord,
    RobotItem: records.RobotItemRecord,
}


def read_as(declared: Any) -> Any:
    """The type that the driver reads for a field of the type `declared`."""
    if get_origin(declared) in (Union, UnionType):
        return reduce(or_, (read_as(each) for each in get_args(declared)))
    if get_origin(declared) in (list, dict):
        return get_origin(declared)[tuple(read_as(each) for each in get_args(declared))]
    if isclass(declared) and issubclass(declared, Enum):
        return str
    return READ_AS.get(declared, declared)


@pytest.mark.parametrize(
    "document",
    [RegisteredTenant, FailedAttempts, *OF_A_TENANT, Pair, File, Alias, Latest, Run, Input, Part, Robot, RobotItem],
    ids=lambda document: document.__name__,
)
def test_a_record_has_the_fields_of_its_document(document):
    hints = get_type_hints(RECORDS[document.__name__], include_extras=True)
    fields = {name: field for name, field in document.model_fields.items() if name != "revision_id"}

    names = {field.alias or name for name, field in fields.items()}

    assert set(hints) - ONLY_IN_SOME.get(document.__name__, set()) == names
    for name, field in fields.items():
        hint = hints[field.alias or name]
        may_lack = get_origin(hint) is NotRequired
        said = get_args(hint)[0] if may_lack else hint
        assert said == expected(document, name, field.annotation), name
        assert may_lack or NoneType not in get_args(said), f"{name} is left out when it is None"


def expected(document: Any, name: str, declared: Any) -> Any:
    if name == "id":
        return ObjectId if "PydanticObjectId" in str(declared) else declared
    for base in document.__mro__:
        if (base.__name__, name) in SAID_MORE_PRECISELY:
            return SAID_MORE_PRECISELY[base.__name__, name]
    return read_as(declared)
