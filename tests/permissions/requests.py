"""What is asked of each route: a request that succeeds for a caller who may make it."""

from typing import Any, NamedTuple

from tests.permissions import things
from tests.permissions.things import Maker, Thing
from tests.support.app import PASSWORD

NEW_PASSWORD = "Other-Pass-2"


class Asked(NamedTuple):
    make: Maker  # what has to be there first
    sent: dict[str, Any]  # as httpx takes it; the braces in its texts are filled

    @property
    def has_body(self) -> bool:
        return "json" in self.sent or "content" in self.sent

    def filled(self, thing: Thing) -> dict[str, Any]:
        return fill(self.sent, thing | {"new": things.fresh()})


def fill(value: Any, thing: Thing) -> Any:
    match value:
        case str():
            return value.format_map(thing)
        case dict():
            return {key: fill(inner, thing) for key, inner in value.items()}
        case list():
            return [fill(inner, thing) for inner in value]
        case _:
            return value


def ask(make: Maker = things.nothing, **sent: Any) -> Asked:
    return Asked(make, sent)


TUS = {"Tus-Resumable": "1.0.0"}
OCTETS = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
SIGN_IN = ask(things.the_tenant, json={"username": "ada", "password": PASSWORD, "tenant": "{name}"})
A_USER = {"username": "{new}", "password": PASSWORD, "email": "{new}@example.org", "role": "regular"}
A_TENANT = {"_id": "{new}", "email": "{new}@example.org", "admin_username": "admin", "admin_password": PASSWORD}

FORM = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="other.bin"\r\n\r\nothers\r\n--cut--\r\n'
VERSION = "/v1/{kind}/{key}/versions/{which}"

ITEMS = {
    "POST /v1/{kind}": ask(json={"name": "{new}"}),
    "GET /v1/{kind}": ask(things.an_item),
    "GET /v1/{kind}/{key}": ask(things.an_item),
    "GET /v1/{kind}/{key}/access": ask(things.an_item),
    "GET /v1/{kind}/{key}/lineage": ask(things.a_version),
    "GET /v1/{kind}/{key}/retention": ask(things.an_item),
    "PUT /v1/{kind}/{key}/retention": ask(things.an_item, json={"keep_versions": 3}),
    "POST /v1/{kind}/{key}/prune": ask(things.a_version, json={"keep": 1}),
    "PUT /v1/{kind}/{key}": ask(things.an_item, json={"tags": {"add": ["iron"]}}),
    "POST /v1/{kind}/{key}/rename": ask(things.an_item, json={"name": "{new}"}),
    "DELETE /v1/{kind}/{key}": ask(things.an_item),
    "POST /v1/{kind}/{key}/versions": ask(things.an_item, params={"name": "weights.bin"}, content=b"weights"),
    "GET /v1/{kind}/{key}/versions": ask(things.a_version),
    "GET /v1/{kind}/{key}/versions/compare": ask(things.a_version, params={"which": ["1", "1"]}),
    f"GET {VERSION}": ask(things.a_version),
    f"HEAD {VERSION}": ask(things.a_version),
    f"GET {VERSION}/info": ask(things.a_version),
    f"GET {VERSION}/verify": ask(things.a_version),
    f"PUT {VERSION}": ask(things.a_version, json={"state": "ARCHIVED"}),
    f"DELETE {VERSION}": ask(things.a_version),
    f"POST {VERSION}/link": ask(things.a_version, json={}),
    f"GET {VERSION}/files": ask(things.a_version),
    f"GET {VERSION}/tensors": ask(things.a_version, params={"path": "{title}"}),
    f"POST {VERSION}/files": ask(
        things.a_draft, content=FORM, headers={"Content-Type": "multipart/form-data; boundary=cut"}
    ),
    f"GET {VERSION}/files/{{path}}": ask(things.a_version),
    f"HEAD {VERSION}/files/{{path}}": ask(things.a_version),
    f"PUT {VERSION}/files/{{path}}": ask(things.a_draft, content=b"others"),
    f"DELETE {VERSION}/files/{{path}}": ask(things.a_draft),
    f"POST {VERSION}/close": ask(things.a_draft),
    "GET /v1/{kind}/{key}/card": ask(things.a_card),
    "PUT /v1/{kind}/{key}/card": ask(things.a_card, content=b"# Iris"),
    "DELETE /v1/{kind}/{key}/card": ask(things.a_card),
    "GET /v1/{kind}/{key}/aliases": ask(things.an_alias),
    "GET /v1/{kind}/{key}/aliases/{alias}": ask(things.an_alias),
    "PUT /v1/{kind}/{key}/aliases/{alias}": ask(things.an_alias, json={"version": "2"}),
    "DELETE /v1/{kind}/{key}/aliases/{alias}": ask(things.an_alias),
    "POST /v1/{kind}/{key}/aliases/{alias}/rollback": ask(things.an_alias),
}

AROUND_ITEMS = {
    "GET /v1/experiments": ask(things.shown_as("experiment")),
    "GET /v1/runs": ask(things.shown_as("run")),
    "GET /v1/environments": ask(things.shown_as("environment")),
    "GET /v1/services": ask(things.shown_as("service")),
    "GET /v1/search": ask(things.an_item, params={"q": "{title}"}),
    "GET /v1/search/facets": ask(things.a_licensed_item),
    "GET /v1/search/names": ask(things.an_item, params={"q": "{title}"}),
    "GET /v1/trash": ask(things.a_removed_item),
    "POST /v1/trash/{key}/restore": ask(things.a_removed_item),
    "DELETE /v1/trash/{key}": ask(things.a_removed_item),
    "OPTIONS /v1/uploads": ask(),
    "OPTIONS /v1/uploads/{name}": ask(things.an_upload),
    "POST /v1/uploads": ask(
        things.an_item_to_upload_to, headers=TUS | {"Upload-Length": "3", "Upload-Metadata": "{metadata}"}
    ),
    "HEAD /v1/uploads/{name}": ask(things.an_upload, headers=TUS),
    "PATCH /v1/uploads/{name}": ask(things.an_upload, headers=TUS | OCTETS, content=b"abc"),
    "DELETE /v1/uploads/{name}": ask(things.an_upload, headers=TUS),
    "GET /v1/links/{token}": ask(things.a_link),
    "HEAD /v1/links/{token}": ask(things.a_link),
    "GET /v1/links/{token}/{name}": ask(things.a_link),
    "HEAD /v1/links/{token}/{name}": ask(things.a_link),
    "POST /v1/preflight": ask(things.an_item, json={"item": "{key}", "tags": ["{new}"]}),
    "HEAD /v1/blobs/{digest}": ask(things.a_version),
    "GET /v1/{words}": ask(things.a_word, params={"filter": '{{"_id": "{word}"}}'}),
    "GET /v1/{words}/suggest": ask(things.a_word, params={"q": "{word}"}),
    "POST /v1/{words}": ask(json={"_id": "{new}"}),
    "POST /v1/{words}/{word}/merge": ask(things.two_words, json={"into": "{into}"}),
    "DELETE /v1/{words}/{word}": ask(things.a_word),
    "DELETE /v1/{words}/suggest": ask(things.the_word_suggest),
}

PEOPLE = {
    "POST /login": SIGN_IN,
    "PUT /login": ask(),
    "POST /v1/login": SIGN_IN,
    "PUT /v1/login": ask(),
    "POST /v1/self/reset": ask(things.a_user, params={"tenant": "{tenant}"}, json={"email": "{email}"}),
    "PUT /v1/self": ask(
        things.leave_to_choose_a_password, json={"tenant": "{tenant}", "reset": "{reset}", "password": NEW_PASSWORD}
    ),
    "POST /v1/users": ask(json=A_USER),
    "GET /v1/users": ask(things.the_owner, params={"filter": '{{"username": "ada"}}'}),
    "GET /v1/users/{key}": ask(things.the_owner),
    # The same address: another one would sign out who is asked as next.
    "PUT /v1/users/{key}": ask(things.the_owner, json={"email": "ada@example.org"}),
    "POST /v1/users/{key}/signout": ask(things.a_user),
    "DELETE /v1/users/{key}": ask(things.a_user),
    "POST /v1/groups": ask(json={"name": "{new}"}),
    "GET /v1/groups": ask(things.a_group),
    "GET /v1/groups/{key}": ask(things.a_group),
    "PUT /v1/groups/{key}": ask(things.a_group, json={"description": "{new}"}),
    "DELETE /v1/groups/{key}": ask(things.a_group),
    "POST /v1/tokens": ask(json={"name": "{new}"}),
    "GET /v1/tokens": ask(things.an_access_token),
    "DELETE /v1/tokens/{token_id}": ask(things.an_access_token),
    "GET /v1/retention": ask(),
    "PUT /v1/retention": ask(json={"trash_days": 30}),
    "POST /v1/retention/apply": ask(params={"dry_run": "true"}),
    "POST /v1/robots": ask(json={"username": "{new}"}),
    "GET /v1/robots": ask(things.a_robot, params={"sort": '{{"timestamp": "desc"}}'}),
    "GET /v1/robots/{key}": ask(things.a_robot),
    "PUT /v1/robots/{key}": ask(things.a_robot, json={"description": "{new}"}),
    "DELETE /v1/robots/{key}": ask(things.a_robot),
    "POST /v1/robots/{key}/token": ask(things.a_robot, json={"expires_in": "1d"}),
    "DELETE /v1/robots/{key}/token": ask(things.a_robot),
    "GET /v1/usage": ask(),
    "GET /v1/usage/items": ask(),
    "POST /v1/demo": ask(),
    "GET /v1/demo": ask(),
    "DELETE /v1/demo": ask(),
    "GET /v1/log": ask(things.an_entry),
}

SERVER = {
    "POST /v1/tenants": ask(json=A_TENANT),
    "GET /v1/tenants": ask(things.the_tenant, params={"filter": '{{"_id": "{name}"}}'}),
    "GET /v1/tenants/{name}": ask(things.the_tenant),
    "PUT /v1/tenants/{name}": ask(things.the_tenant, json={"organization": "Ada & Co."}),
    "PUT /v1/tenants/{name}/administrator": ask(things.a_tenant, json={"password": NEW_PASSWORD}),
    "GET /v1/tenants/{name}/usage": ask(things.the_tenant),
    "DELETE /v1/tenants/{name}": ask(things.a_tenant, params={"confirm": "{name}"}),
    "GET /v1/types/tenants": ask(),
    "POST /v1/backup": ask(things.the_tenant, json={"tenants": ["{name}"]}),
    "POST /v1/sweep": ask(things.the_tenant, params={"tenant": "{name}", "dry_run": "true"}),
    "GET /v1/log/operator": ask(),
    "GET /v1/info": ask(),
    "GET /v1/version": ask(),
    "GET /v1/errors": ask(),
    "GET /v1/types": ask(),
    "GET /v1/types/passwordStrength": ask(),
    "GET /v1/docs": ask(),
    "GET /schema": ask(),
    "GET /schema/openapi.json": ask(),
    "GET /": ask(headers={"Accept": "text/html"}),
    "GET /assets/{asset}": ask(things.no_asset),
    "GET /docs.html": ask(),
    "GET /health/live": ask(),
    "GET /health/ready": ask(),
    "GET /readyz": ask(),
    "GET /metrics": ask(),
}

NAMED = {"name": "{title}"}
NUMBERED = NAMED | {"version": "1"}
MODELS = "/api/2.0/mlflow/registered-models"
VERSIONS = "/api/2.0/mlflow/model-versions"
ARTIFACTS = "/api/2.0/mlflow-artifacts"
FILE = ask(things.an_artifact)
PARTS = {"path": "{new}", "num_parts": 1}

MLFLOW = {
    f"POST {MODELS}/create": ask(json={"name": "{new}"}),
    f"GET {MODELS}/get": ask(things.a_model, params=NAMED),
    f"PATCH {MODELS}/update": ask(things.a_model, json=NAMED | {"description": "new"}),
    f"POST {MODELS}/rename": ask(things.a_model, json=NAMED | {"new_name": "{new}"}),
    f"DELETE {MODELS}/delete": ask(things.a_model, json=NAMED),
    f"GET {MODELS}/search": ask(things.a_model, params={"filter": "name = '{title}'"}),
    f"POST {MODELS}/get-latest-versions": ask(things.a_model_version, json=NAMED),
    f"GET {MODELS}/get-latest-versions": ask(things.a_model_version, params=NAMED),
    f"POST {MODELS}/set-tag": ask(things.a_model, json=NAMED | {"key": "k", "value": "v"}),
    f"DELETE {MODELS}/delete-tag": ask(things.a_model, json=NAMED | {"key": "k"}),
    f"POST {MODELS}/alias": ask(things.a_model_version, json=NUMBERED | {"alias": "champion"}),
    f"DELETE {MODELS}/alias": ask(things.a_model_version, json=NAMED | {"alias": "champion"}),
    f"GET {MODELS}/alias": ask(things.a_model_version, params=NAMED | {"alias": "latest"}),
    f"POST {VERSIONS}/create": ask(things.a_model, json=NAMED | {"source": "s3://bucket/model"}),
    f"GET {VERSIONS}/get": ask(things.a_model_version, params=NUMBERED),
    f"PATCH {VERSIONS}/update": ask(things.a_model_version, json=NUMBERED | {"description": "new"}),
    f"POST {VERSIONS}/transition-stage": ask(things.a_model_version, json=NUMBERED | {"stage": "Staging"}),
    f"DELETE {VERSIONS}/delete": ask(things.a_model_version, json=NUMBERED),
    f"GET {VERSIONS}/search": ask(things.a_model_version, params={"filter": "name = '{title}'"}),
    f"GET {VERSIONS}/get-download-uri": ask(things.a_model_version, params=NUMBERED),
    f"POST {VERSIONS}/set-tag": ask(things.a_model_version, json=NUMBERED | {"key": "k", "value": "v"}),
    f"DELETE {VERSIONS}/delete-tag": ask(things.a_model_version, json=NUMBERED | {"key": "k"}),
    f"GET {ARTIFACTS}/artifacts": ask(things.an_artifact, params={"path": "{folder}"}),
    f"GET {ARTIFACTS}/artifacts/{{path}}": FILE,
    f"PUT {ARTIFACTS}/artifacts/{{path}}": ask(things.an_artifact, content=b"other"),
    f"DELETE {ARTIFACTS}/artifacts/{{path}}": FILE,
    f"GET {ARTIFACTS}/presigned/{{path}}": FILE,
    f"POST {ARTIFACTS}/mpu/create": ask(json=PARTS),
    f"POST {ARTIFACTS}/mpu/create/{{path}}": ask(things.an_artifact_folder, json=PARTS),
    f"POST {ARTIFACTS}/mpu/complete": ask(things.a_part_upload, json={"path": "{path}", "upload_id": "{upload}"}),
    f"POST {ARTIFACTS}/mpu/complete/{{path}}": ask(
        things.a_part_upload_in_a_folder, json={"path": "{file}", "upload_id": "{upload}"}
    ),
    f"POST {ARTIFACTS}/mpu/abort": ask(things.a_part_upload, json={"path": "{path}", "upload_id": "{upload}"}),
    f"POST {ARTIFACTS}/mpu/abort/{{path}}": ask(
        things.a_part_upload_in_a_folder, json={"path": "{file}", "upload_id": "{upload}"}
    ),
    f"PUT {ARTIFACTS}/signed/{{token}}": ask(things.a_part_address, content=b"part"),
    f"GET {ARTIFACTS}/signed/{{token}}": ask(things.a_file_address),
    "GET /api/2.0/mlflow/openapi.json": ask(),
    "GET /api/3.0/mlflow/server-info": ask(),
    "GET /api/3.0/mlflow/workspaces": ask(things.the_tenant),
    "GET /api/3.0/mlflow/workspaces/{name}": ask(things.the_tenant),
    "GET /health": ask(),
    "GET /version": ask(),
}
"""What is named there has a name and no id."""

REQUESTS = ITEMS | AROUND_ITEMS | PEOPLE | SERVER | MLFLOW
"""By method and path, as the table writes it."""
