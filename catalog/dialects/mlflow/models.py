"""The wire of the MLflow dialect, as msgspec structs: what clients send and what they get.

A field without a default is required: in a request it must be there and not be empty, in an answer it is always sent.
`None` stands for a field that a client left out. An answer leaves out what is empty, as MLflow does.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

MOST_MODELS = 1000
MOST_VERSIONS = 200_000
"""The largest `max_results` that a search of models and of versions takes."""


class RequestMessage(Struct):
    """The JSON body or the query string of a request. Unknown fields are ignored."""


class ResponseMessage(Struct, omit_defaults=True):
    """The JSON object of an answer."""


class Tag(Struct):
    key: str = ""
    value: str = ""


class NamedModel(RequestMessage):
    """A request about one registered model."""

    name: str


class CreateRegisteredModel(NamedModel):
    tags: list[Tag] = []
    description: str = ""


class UpdateRegisteredModel(NamedModel):
    description: str = ""


class RenameRegisteredModel(NamedModel):
    new_name: str


class SearchRequest(RequestMessage):
    """The parts that both searches have."""

    filter: str = ""
    order_by: list[str] = []
    page_token: str = ""


class SearchRegisteredModels(SearchRequest):
    max_results: int = 100


class SearchModelVersions(SearchRequest):
    max_results: int = MOST_VERSIONS


class GetLatestVersions(NamedModel):
    stages: list[str] = []


class SetRegisteredModelTag(NamedModel):
    key: str
    value: str = ""


class DeleteRegisteredModelTag(NamedModel):
    key: str


class RegisteredModelAlias(NamedModel):
    alias: str


class SetRegisteredModelAlias(RegisteredModelAlias):
    version: str | int


class CreateModelVersion(NamedModel):
    """The last two fields are for copies of versions of another registry. MLflow's clients do not send them."""

    source: str
    run_id: str = ""
    tags: list[Tag] = []
    run_link: str = ""
    description: str = ""
    model_id: str = ""
    version: Annotated[str | int, Meta(description="The number that the version must get.")] = ""
    current_stage: str = ""


class NumberedVersion(NamedModel):
    """A request about one version of a registered model."""

    version: str | int


class UpdateModelVersion(NumberedVersion):
    description: str = ""


class TransitionModelVersionStage(NumberedVersion):
    stage: str
    archive_existing_versions: bool = False


class SetModelVersionTag(NumberedVersion):
    key: str
    value: str = ""


class DeleteModelVersionTag(NumberedVersion):
    key: str


Milliseconds = Annotated[int, Meta(description="Since the beginning of 1970, UTC.")]


class ModelVersion(ResponseMessage):
    name: str
    version: str
    creation_timestamp: Milliseconds
    last_updated_timestamp: Milliseconds
    current_stage: str
    description: str
    source: str
    run_id: str
    status: str
    run_link: str
    user_id: str = ""
    status_message: str = ""
    tags: list[Tag] = []
    aliases: list[str] = []
    model_id: str = ""


class ModelAlias(Struct):
    alias: str
    version: str


class RegisteredModel(ResponseMessage):
    name: str
    creation_timestamp: Milliseconds
    last_updated_timestamp: Milliseconds
    user_id: str = ""
    description: str = ""
    latest_versions: list[ModelVersion] = []
    tags: list[Tag] = []
    aliases: list[ModelAlias] = []


class Nothing(ResponseMessage):
    """`{}`."""


class OneModel(ResponseMessage):
    registered_model: RegisteredModel


class OneVersion(ResponseMessage):
    model_version: ModelVersion


class FoundModels(ResponseMessage):
    registered_models: list[msgspec.Raw] = []
    next_page_token: str = ""


class FoundVersions(ResponseMessage):
    model_versions: list[msgspec.Raw] = []
    next_page_token: str = ""


class LatestVersions(ResponseMessage):
    model_versions: list[ModelVersion] = []


class DownloadUri(ResponseMessage):
    artifact_uri: str


class FileInfo(ResponseMessage):
    """`path` is the name within the listed folder."""

    path: str
    is_dir: bool
    file_size: int | None = None


class Artifacts(ResponseMessage):
    files: list[FileInfo] = []


class ListArtifacts(RequestMessage):
    path: str = ""


class CreateMultipartUpload(RequestMessage):
    """`path` is the path of the file on the machine of the client: its last part is the name."""

    path: str
    num_parts: int


class UploadedPart(Struct):
    part_number: int
    etag: str = ""


class CompleteMultipartUpload(RequestMessage):
    path: str
    upload_id: str
    parts: list[UploadedPart] = []


class AbortMultipartUpload(RequestMessage):
    path: str
    upload_id: str


class PartAddress(Struct):
    url: str
    part_number: int
    headers: dict[str, str] = {}


class MultipartUpload(Struct):
    upload_id: str
    credentials: list[PartAddress]


class PresignedDownload(Struct):
    url: str
    headers: dict[str, str]
    file_size: int


class ServerInfo(Struct):
    """What a client asks before it uses a workspace or uploads in parts."""

    store_type: str | None = None
    workspaces_enabled: bool = True
    trace_archival_enabled: bool = False
    multipart_uploads_enabled: bool = True
    multipart_downloads_enabled: bool = True


class Workspace(Struct):
    name: str
    description: str = ""


class Workspaces(Struct):
    workspaces: list[Workspace]


class OneWorkspace(Struct):
    workspace: Workspace


class MlflowError(Struct):
    error_code: str
    message: str
