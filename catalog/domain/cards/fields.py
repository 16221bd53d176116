"""The fields of an item that the front matter of its card names, with the words of the Hugging Face Hub."""

from collections.abc import Mapping
from typing import Any

from catalog.domain.cards.front_matter import FrontMatterError
from catalog.domain.items.inputs import ItemChange, ListChange

TEXTS = {
    "license": "license",
    "license_link": "license_link",
    "library_name": "library",
    "provider": "provider",
    "logo": "logo",
    "maturity": "maturity",
}
"""Names of texts in the front matter, and the fields that they fill."""

LISTS = {"language": "languages", "pipeline_tag": "tasks", "task_categories": "tasks"}

TAGS, DATASETS = "tags", "datasets"


def dataset_names(front_matter: Mapping[str, Any]) -> list[str]:
    """Raises FrontMatterError."""
    return _texts(front_matter, DATASETS)


def item_change(front_matter: Mapping[str, Any], datasets: list[str]) -> ItemChange:
    """What the front matter changes of the item. A field that it does not name stays as it is.

    `datasets` are the ids of those of its datasets that the catalog has. Raises FrontMatterError.
    """
    named: dict[str, Any] = {
        field: ", ".join(_texts(front_matter, name)) for name, field in TEXTS.items() if name in front_matter
    }
    for name, field in LISTS.items():
        if name in front_matter:
            named[field] = [*named.get(field, ()), *_texts(front_matter, name)]
    if tags := _texts(front_matter, TAGS):
        named[TAGS] = ListChange(add=tags)
    if datasets:
        named[DATASETS] = ListChange(add=datasets)
    return ItemChange(**named)


def _texts(front_matter: Mapping[str, Any], name: str) -> list[str]:
    """A text, or a list of texts; a number is the text that it is."""
    value = front_matter.get(name)
    if value is None or value == "":
        return []
    several = value if isinstance(value, list) else [value]
    if any(isinstance(each, dict | list) for each in several):
        raise FrontMatterError(f"{name}: a text or a list of texts is needed")
    return [str(each) for each in several if each is not None]
