"""The fields of an item that the front matter of its card names, with the words of the Hugging Face Hub."""

from collections.abc import Mapping

from catalog.domain.cards.front_matter import FrontMatterError
from catalog.domain.items.inputs import ItemChange, ListChange
from catalog.vocabulary import Json


def dataset_names(front_matter: Mapping[str, Json]) -> list[str]:
    """Raises FrontMatterError."""
    return _texts(front_matter, "datasets")


def item_change(front_matter: Mapping[str, Json], datasets: list[str]) -> ItemChange:
    """The change of the item that the front matter describes. Fields that it does not name stay unchanged.

    `datasets` are the ids of those of its datasets that the catalog has. Raises FrontMatterError.
    """

    def text(name: str) -> str | None:
        return ", ".join(_texts(front_matter, name)) if name in front_matter else None

    def texts(*names: str) -> list[str] | None:
        there = [name for name in names if name in front_matter]
        return [each for name in there for each in _texts(front_matter, name)] if there else None

    tags = _texts(front_matter, "tags")
    return ItemChange(
        license=text("license"),
        license_link=text("license_link"),
        library=text("library_name"),
        provider=text("provider"),
        logo=text("logo"),
        maturity=text("maturity"),
        languages=texts("language"),
        tasks=texts("pipeline_tag", "task_categories"),
        tags=ListChange(add=tags) if tags else None,
        datasets=ListChange(add=datasets) if datasets else None,
    )


def _texts(front_matter: Mapping[str, Json], name: str) -> list[str]:
    """The texts under a name: one, or a list. Numbers become texts."""
    value = front_matter.get(name)
    if value is None or value == "":
        return []
    several = value if isinstance(value, list) else [value]
    if any(isinstance(each, dict | list) for each in several):
        raise FrontMatterError(f"{name}: a text or a list of texts is needed")
    return [str(each) for each in several if each is not None]
