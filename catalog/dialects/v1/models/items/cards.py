"""Cards of models, datasets and algorithms."""

from typing import Annotated, Self

from msgspec import Meta

from catalog.dialects.http.encoded import StructFields
from catalog.dialects.v1.models.common import JsonObject, RequestBody, Text
from catalog.dialects.v1.models.items.card_fields import CARD_TEXTS, ShownCardFields
from catalog.domain.cards.cards import LARGEST, ItemCard
from catalog.domain.items.inputs import LISTS


class NewCard(RequestBody):
    """A card to set."""

    text: Annotated[
        Text,
        Meta(
            max_length=LARGEST,
            description="Markdown, with an optional YAML front matter.",
            examples=["---\nlicense: mit\n---\n# Iris\n"],
        ),
    ]


class CardBody(ShownCardFields, kw_only=True):
    """A card, and the fields of the item that its front matter can fill."""

    text: Annotated[str, Meta(description="As it was written, with its front matter.")]
    body: Annotated[str, Meta(description="The Markdown without its front matter.")]
    front_matter: Annotated[JsonObject, Meta(description="All that the front matter has.")]
    tags: list[str]

    @classmethod
    def of(cls, card: ItemCard) -> Self:
        item: StructFields = {**card.item}
        return cls(
            text=card.text,
            body=card.body,
            front_matter=dict(card.front_matter),
            **{field: item.get(field, "") for field in CARD_TEXTS},
            **{field: item.get(field, []) for field in (*LISTS, "tags")},
        )
