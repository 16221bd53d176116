"""Tags, metadata and aliases as users pass them, checked before anything is sent.

A push that failed half-way would leave a version without them, and each further attempt would leave another one.
"""

import math
import re
from collections.abc import Iterable, Mapping

from catalog.client.errors import Invalid
from catalog.client.results import Value
from catalog.client.transfer.patterns import Selection

ALIAS = re.compile(r"(?!\d+$|[vV]\d+$|latest$)[\w-]{1,255}", re.IGNORECASE)

LISTS = {
    "tags": ("tag", '["flowers", "small"]'),
    "metadata": ("name of metadata", '["accuracy", "loss"]'),
    "users": ("user", '["ada", "bob"]'),
    "editors": ("user", '["ada", "bob"]'),
    "datasets": ("dataset", '["petals"]'),
    "inputs": ("version", '["datasets/petals@2"]'),
    "items": ("item", '["ada/iris", "datasets/ada/petals"]'),
    "languages": ("language", '["en", "de"]'),
    "tasks": ("task", '["text-classification"]'),
    "files": ("path", '["config.json", "weights"]'),
    "include": ("pattern", '["*.json", "weights/"]'),
    "exclude": ("pattern", '["*.tmp", "logs/"]'),
}
"""Fields that are lists of texts: what one of them is, and an example."""

AS_TEXT = "text"
"""What `allow_nan` is to keep NaN and infinity as the texts `NaN`, `Infinity` and `-Infinity`."""


def texts(field: str, values: object) -> list[str]:
    """A field as a list of texts: one text becomes a list of one, None an empty list. Raises Invalid."""
    if values is None:
        return []
    what, example = LISTS[field]
    several = values if isinstance(values, Iterable) and not isinstance(values, str) else [values]
    found = []
    for text in several:
        if not isinstance(text, str) or not text.strip():
            raise Invalid(f"{text!r} is not a {what}", advice=f"Write {field} as {example}.")
        found.append(text)
    return found


def selection_of(include: Iterable[str] | str | None, exclude: Iterable[str] | str | None) -> Selection:
    """The patterns that select files of a folder. Raises Invalid."""
    return Selection(tuple(texts("include", include)), tuple(texts("exclude", exclude)))


def metadata_values(metadata: Mapping[str, object] | None, *, allow_nan: str = "") -> dict[str, Value]:
    """Metadata with plain values: scalars of NumPy, PyTorch and others become numbers.

    Raises Invalid for a list or any other value that is no text, number or boolean, and for NaN and infinity unless
    `allow_nan` is `text`.
    """
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        raise Invalid(f"{metadata!r} is not a mapping of names to values", advice='Write it as {"accuracy": 0.95}.')
    return {_name(name): _value(name, value, allow_nan) for name, value in metadata.items()}


def _name(name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise Invalid(f"{name!r} is not a name of metadata", advice='Write it as {"accuracy": 0.95}.')
    return name


def _value(name: str, value: object, allow_nan: str) -> Value:
    plain = _scalar(value)
    if not isinstance(plain, str | bool | int | float):
        raise Invalid(
            f"{name} is {_described(value)}", advice="A value is a text, a number, or true or false. Use several names."
        )
    if isinstance(plain, float) and not math.isfinite(plain):
        text = "NaN" if math.isnan(plain) else "Infinity" if plain > 0 else "-Infinity"
        if allow_nan == AS_TEXT:
            return text
        raise Invalid(f"{name} is {text}", advice='Leave it out, or keep it as a text: allow_nan="text".')
    return plain


def _scalar(value: object) -> object:
    """A scalar of a library of arrays, such as `numpy.float32(0.5)` or `torch.tensor(0.5)`, as a value of Python."""
    if isinstance(value, str | bool | int | float) and type(value) in {str, bool, int, float}:
        return value
    item = getattr(value, "item", None)
    if not callable(item):
        return value
    try:
        return item()
    except (TypeError, ValueError, RuntimeError):  # it holds several
        return value


def _described(value: object) -> str:
    return "None" if value is None else f"of the type {type(value).__name__}"


def refuse_beyond(limits: Mapping[str, int], tags: Iterable[str], metadata: Mapping[str, Value]) -> None:
    """Check tags and metadata against the limits that the server announces. Raises Invalid."""
    for tag in tags:
        _refuse_longer(limits.get("tag"), f"the tag {tag[:40]!r}", tag)
    for name, value in metadata.items():
        _refuse_longer(limits.get("metadata_name"), f"the name {name[:40]!r}", name)
        if isinstance(value, str):
            _refuse_longer(limits.get("metadata_value"), f"the value of {name}", value)


def _refuse_longer(most: int | None, what: str, text: str) -> None:
    if most is not None and len(text) > most:
        raise Invalid(f"{what} has {len(text)} characters, and the server takes {most}")


def refuse_alias(alias: str) -> None:
    """Raises Invalid for a text that cannot be an alias."""
    if not isinstance(alias, str) or not ALIAS.fullmatch(alias):
        raise Invalid(
            f"{alias!r} cannot be an alias",
            advice="An alias has letters, digits, - and _, such as champion; it is no number, no v1, and not latest.",
        )
