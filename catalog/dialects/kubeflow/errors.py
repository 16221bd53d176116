"""Faults as this dialect words them: `{code, message}`, where `code` is the reason phrase of the status.

A missing field is answered with the status 422 and the code of 400, as clients know it.
"""

from http import HTTPStatus

import msgspec
from litestar import Response

from catalog.dialects.http.failures import refusal_headers
from catalog.dialects.http.field_names import in_words_of
from catalog.dialects.http.requests.injection import AnyRequest
from catalog.dialects.kubeflow.filters.properties import DETAILS
from catalog.dialects.kubeflow.models.common import Error
from catalog.errors import CANNOT_READ, NOT_FOUND, REQUIRED_FIELD, Fault, Refused

FIELDS = {
    "metadata": "customProperties.{}",
    "metadata.kubeflow.owner": "owner",
    "tags": "customProperties.{}",
    "external_id": "externalId",
    "ordinal": "name",
    "$regex": "the pattern of LIKE",
    "card": "readme",
    "languages": "language",
    "library": "libraryName",
    "license_link": "licenseLink",
    "version": "modelVersionId",
    "started": "startTimeSinceEpoch",
    "ended": "endTimeSinceEpoch",
    **{stored: sent for sent, stored in DETAILS.items()},
}
"""The fields of clients, by those of the domain, where they differ."""

JSON = "application/json; charset=UTF-8"


def status_of(fault: Fault) -> int:
    """What a caller may not read is not found: ids are easily guessed here."""
    return NOT_FOUND.status if fault is CANNOT_READ else fault.status


def code_of(fault: Fault) -> str:
    try:
        phrase = HTTPStatus(HTTPStatus.BAD_REQUEST if fault is REQUIRED_FIELD else status_of(fault)).phrase
    except ValueError:  # a status that HTTP does not name
        return fault.name
    return phrase


def message_of(refused: Refused) -> str:
    """One sentence, which ends with the kind of the refusal where clients look for it."""
    fault = refused.fault
    details = in_words_of(FIELDS, refused)
    if fault is REQUIRED_FIELD:
        return details or fault.message
    text = details if " " in details else str(refused)  # a name alone is no sentence
    ending = {400: "bad request", 404: "not found", 409: "conflict"}.get(status_of(fault))
    return text if ending is None or text.endswith(ending) else f"{text}: {ending}"


def error_response(request: AnyRequest, refused: Refused) -> Response[bytes]:
    """The one shape of errors of this dialect."""
    headers = refusal_headers(request, refused)
    content = msgspec.json.encode(Error(code_of(refused.fault), message_of(refused)))
    return Response(content, status_code=status_of(refused.fault), media_type=JSON, headers=headers)
