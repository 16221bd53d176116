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
from catalog.store.documents.files import PartSubdocument
from catalog.store.documents.items import AliasSubdocument, LatestSubdocument, PairSubdocument, ShareSubdocument
from catalog.store.documents.people import RobotItemSubdocument, RobotSubdocument
from catalog.store.documents.tenants import FailedAttempts, RegisteredTenant
from catalog.store.documents.versions import FileSubdocument, InputSubdocument, RunSubdocument
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
from catalog.store.tenant_collections import OF_A_TENANT

RECORDS = {
    "RegisteredTenant": records.TenantRecord,
    "FailedAttempts": records.FailedAttemptsRecord,
    "UserDocument": records.UserRecord,
    "GroupDocument": records.GroupRecord,
    "AccessTokenDocument": records.AccessTokenRecord,
    "PasswordResetDocument": records.PasswordResetRecord,
    "ModelDocument": records.ItemRecord,
    "DatasetDocument": records.ItemRecord,
    "AlgorithmDocument": records.ItemRecord,
    "VersionDocument": records.VersionRecord,
    "VersionFileDocument": records.VersionFileRecord,
    "BlobDocument": records.BlobRecord,
    "UploadDocument": records.UploadRecord,
    "ArtifactFileDocument": records.ArtifactFileRecord,
    "PartUploadDocument": records.PartUploadRecord,
    "PartSubdocument": records.PartRecord,
    "RetentionDocument": records.RetentionRecord,
    "TrashDocument": records.TrashRecord,
    "SearchEntryDocument": records.SearchEntryRecord,
    "TagDocument": records.TermRecord,
    "MetadataNameDocument": records.TermRecord,
    "LogDocument": records.LogRecord,
    "ExperimentDocument": records.ExperimentRecord,
    "ExperimentRunDocument": records.ExperimentRunRecord,
    "ArtifactDocument": records.ArtifactRecord,
    "MetricPointDocument": records.MetricPointRecord,
    "EnvironmentDocument": records.EnvironmentRecord,
    "ServiceDocument": records.ServiceRecord,
    "ServedModelDocument": records.ServedModelRecord,
    "PairSubdocument": records.PairRecord,
    "FileSubdocument": records.FileRecord,
    "AliasSubdocument": records.AliasRecord,
    "LatestSubdocument": records.LatestRecord,
    "ShareSubdocument": records.ShareRecord,
    "CardDocument": records.CardRecord,
    "AliasMoveDocument": records.AliasMoveRecord,
    "RunSubdocument": records.RunRecord,
    "InputSubdocument": records.InputRecord,
    "RobotSubdocument": records.RobotRecord,
    "RobotItemSubdocument": records.RobotItemRecord,
}

ONLY_IN_SOME = {"DatasetDocument": {"status", "datasets"}}
"""Fields of a record that another document with the same record has."""

SAID_MORE_PRECISELY = {
    ("ItemFields", "readers"): list[ObjectId | str],
    ("ItemFields", "alias_outbox"): list[AliasMoveRecord] | None,
    ("TrackedFields", "readers"): list[ObjectId | str],
    ("TrackedFields", "own_readers"): list[ObjectId | str],
    ("VersionDocument", "readers"): list[ObjectId | str],
    ("VersionDocument", "inspection"): Inspection | None,
    ("ArtifactFileDocument", "readers"): list[ObjectId | str],
    ("TrashDocument", "item"): ItemRecord,
}
"""What the database reads for a field that its document declares loosely."""

READ_AS = {
    PydanticObjectId: ObjectId,
    PairSubdocument: PairRecord,
    FileSubdocument: FileRecord,
    AliasSubdocument: AliasRecord,
    LatestSubdocument: LatestRecord,
    ShareSubdocument: records.ShareRecord,
    RunSubdocument: RunRecord,
    InputSubdocument: InputRecord,
    PartSubdocument: PartRecord,
    RobotSubdocument: records.RobotRecord,
    RobotItemSubdocument: records.RobotItemRecord,
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
    [
        RegisteredTenant,
        FailedAttempts,
        *OF_A_TENANT,
        PairSubdocument,
        FileSubdocument,
        AliasSubdocument,
        LatestSubdocument,
        ShareSubdocument,
        RunSubdocument,
        InputSubdocument,
        PartSubdocument,
        RobotSubdocument,
        RobotItemSubdocument,
    ],
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
