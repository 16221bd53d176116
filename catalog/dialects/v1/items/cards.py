"""Cards: the README of a model, a dataset or an algorithm."""

from hashlib import blake2b
from typing import ClassVar

from litestar import Controller, delete, get, put

from catalog.dialects.http import guards
from catalog.dialects.http.docs.parameters import query
from catalog.dialects.http.docs.refusals import answers, refuses
from catalog.dialects.http.encoded import JsonResponse
from catalog.dialects.http.requests.headers import is_unchanged
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.http.requests.json_bodies import decoded
from catalog.dialects.http.transfers import uploads
from catalog.dialects.v1.items.items import REVISION, answered, words_of
from catalog.dialects.v1.models.items.cards import CardBody, NewCard
from catalog.dialects.v1.models.items.item_body import ItemBody
from catalog.dialects.v1.requests.bodies import Reader
from catalog.dialects.v1.requests.http import revisions_seen, shown
from catalog.dialects.v1.requests.parameters import IF_MATCH, IF_NONE_MATCH, ItemKey
from catalog.domain.access import Caller
from catalog.domain.cards import cards, html
from catalog.domain.items.references import Reference
from catalog.domain.limits import Limits
from catalog.errors import (
    AMBIGUOUS,
    BODY_TOO_LARGE,
    BUSY,
    CANNOT_MODIFY,
    CANNOT_READ,
    CARD_NOT_RENDERED,
    INVALID_FIELD,
    INVALID_QUERY,
    MALFORMED_BODY,
    NOT_CREATED,
    NOT_FOUND,
    QUOTA_EXCEEDED,
    STALE,
    Refused,
)
from catalog.vocabulary import Kind

MARKDOWN, HTML, JSON = "text/markdown", "text/html", "application/json"
FORMATS = {"json": JSON, "markdown": MARKDOWN, "html": HTML}
FORMAT = query(
    "format",
    "`markdown`: the text alone; `html`: sanitised HTML of it, without the front matter, and empty without a card.",
    {"type": "string", "enum": list(FORMATS), "default": "json"},
)
LARGEST_JSON = 8 * 2**20
"""Bytes of a card in JSON, which may write a character with six."""

INERT = {
    "content-security-policy": "default-src 'none'; img-src https: data:; sandbox",
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-cache",
}
"""The headers of a card that a browser opens: nothing in it acts."""

NEW_CARD = Reader(NewCard, INVALID_FIELD, False, frozenset(CardBody.__struct_encode_fields__) - {"text"})


class Cards(Controller):
    kind: ClassVar[Kind]
    words: ClassVar[dict[str, str]]
    guards = (guards.signed_in,)

    @get(
        operation_id="show{Kind}Card",
        parameters=[FORMAT, IF_NONE_MATCH],
        media_types={JSON: CardBody, MARKDOWN: None, HTML: None},
        response_description="The card, with the revision of the {kind}.",
        response_headers=REVISION,
        responses=answers(304, None, "The client has this revision.")
        | refuses(NOT_FOUND, CANNOT_READ, AMBIGUOUS, CARD_NOT_RENDERED),
    )
    async def show(self, key: ItemKey, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[CardBody]:
        """Get the card of one of the {kinds}."""
        format_ = request.query_params.get("format") or "json"
        if format_ not in FORMATS:
            raise Refused(INVALID_QUERY, f"format: one of {', '.join(FORMATS)} is needed")
        card = await cards.read(caller, self.kind, Reference(key), or_empty=format_ == "html")
        if format_ == "json":
            return shown(request, CardBody.of(card), card.item["revision"], embeds=True)
        content = card.text.encode() if format_ == "markdown" else await html.rendered(card.body)
        etag = f'"{card.item["revision"]}.{blake2b(content, digest_size=8).hexdigest()}"'
        headers = INERT | {"ETag": etag}
        if is_unchanged(request, etag):
            return JsonResponse(b"", status_code=304, headers=headers)
        return JsonResponse(content, status_code=200, media_type=FORMATS[format_], headers=headers)

    @put(
        operation_id="set{Kind}Card",
        request_max_body_size=None,
        content={MARKDOWN: {"schema": {"type": "string"}}, JSON: NewCard},
        parameters=[IF_MATCH],
        response_description="The card, with the revision of the {kind}.",
        response_headers=REVISION,
        responses=refuses(
            NOT_FOUND,
            CANNOT_MODIFY,
            AMBIGUOUS,
            STALE,
            BUSY,
            INVALID_FIELD,
            MALFORMED_BODY,
            BODY_TOO_LARGE,
            NOT_CREATED,
            QUOTA_EXCEEDED,
        ),
    )
    async def write(
        self, key: ItemKey, request: AnyRequest, caller: Injected[Caller], limits: Injected[Limits]
    ) -> JsonResponse[CardBody]:
        """Set the card of one of the {kinds}: Markdown.

        Its YAML front matter fills fields of the {kind}: `license`, `license_link`, `language`, `tags`, `library_name`,
        `pipeline_tag`, `task_categories`, `datasets`, `provider`, `logo` and `maturity`.
        """
        revisions = revisions_seen(request)
        text = await _text(request)
        card = await cards.write(caller, self.kind, Reference(key), text, limits, revisions=revisions)
        return shown(request, CardBody.of(card), card.item["revision"], embeds=True)

    @delete(
        status_code=200,
        operation_id="remove{Kind}Card",
        parameters=[IF_MATCH],
        response_description="The {kind}. The fields that the card filled stay.",
        response_headers=REVISION,
        responses=refuses(NOT_FOUND, CANNOT_MODIFY, AMBIGUOUS, STALE, BUSY),
    )
    async def remove(self, key: ItemKey, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[ItemBody]:
        """Remove the card of one of the {kinds}."""
        revisions = revisions_seen(request)
        item = await cards.remove(caller, self.kind, Reference(key), revisions=revisions)
        return await answered(request, item, caller)


async def _text(request: AnyRequest) -> str:
    """Raises Refused: BODY_TOO_LARGE, MALFORMED_BODY, INVALID_FIELD."""
    if request.content_type[0] == JSON:
        card: NewCard = NEW_CARD.read(await decoded(await uploads.read(request, LARGEST_JSON)))
        return card.text
    try:
        return (await uploads.read(request, cards.LARGEST)).decode()
    except UnicodeDecodeError:
        raise Refused(MALFORMED_BODY, "the card must be UTF-8") from None


class ModelCard(Cards):
    path = "/models/{key:str}/card"
    tags = ("Models",)
    kind = Kind.MODEL
    words = words_of(Kind.MODEL)


class DatasetCard(Cards):
    path = "/datasets/{key:str}/card"
    tags = ("Datasets",)
    kind = Kind.DATASET
    words = words_of(Kind.DATASET)


class AlgorithmCard(Cards):
    path = "/algorithms/{key:str}/card"
    tags = ("Algorithms",)
    kind = Kind.ALGORITHM
    words = words_of(Kind.ALGORITHM)
