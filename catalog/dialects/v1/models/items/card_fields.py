"""The fields of an item that the front matter of its card can fill."""

from typing import Annotated

from msgspec import Meta, Struct

from catalog.dialects.v1.models.common import NOT_NUL, ONE_LINE, RequestBody, ShortText, Text
from catalog.domain.items.inputs import TEXTS
from catalog.domain.limits import LONGEST_DESCRIPTION, LONGEST_LINK
from catalog.domain.validation import LONGEST_WORD, MOST_WORDS

CARD_TEXTS = tuple(TEXTS.keys() - {"description"})
"""Those that are texts."""

License = Annotated[ShortText, Meta(description="Such as an SPDX identifier.", examples=["Apache-2.0"])]

Link = Annotated[str, Meta(max_length=LONGEST_LINK, pattern=NOT_NUL, examples=["https://example.org/license"])]
Word = Annotated[str, Meta(max_length=LONGEST_WORD, pattern=ONE_LINE)]
Languages = Annotated[list[Word], Meta(max_length=MOST_WORDS, description="All of them.", examples=[["en", "it"]])]
Tasks = Annotated[
    list[Word], Meta(max_length=MOST_WORDS, description="All of them.", examples=[["image-classification"]])
]
Library = Annotated[ShortText, Meta(description="Such as `transformers`.", examples=["sklearn"])]
Provider = Annotated[ShortText, Meta(description="Who provides it.")]
Logo = Annotated[Text, Meta(max_length=LONGEST_DESCRIPTION, description="The address of a picture.")]
Maturity = Annotated[ShortText, Meta(description="Such as `experimental`.")]


class CardFieldsBody(RequestBody, kw_only=True):
    """The fields as clients set them."""

    license: License | None = None
    license_link: Link | None = None
    languages: Languages | None = None
    tasks: Tasks | None = None
    library: Library | None = None
    provider: Provider | None = None
    logo: Logo | None = None
    maturity: Maturity | None = None


class ShownCardFields(Struct, kw_only=True):
    """The fields as they are shown."""

    license: str
    license_link: str
    languages: list[str]
    tasks: list[str]
    library: str
    provider: str
    logo: str
    maturity: str
