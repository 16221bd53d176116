"""An `MLmodel` among the files of a version: MLflow's description of a model, as metadata and as a card.

The file is read within bounds and never executed. One that cannot be read is ignored.
"""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from catalog.blobs.protocol import StorageUnavailableError, UnknownBlobError
from catalog.domain.cards import front_matter
from catalog.domain.cards.front_matter import FrontMatterError
from catalog.store.records import FileRecord, PairRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Json

NAME = "MLmodel"

FLAVORS = "mlmodel.flavors"
SIGNATURE = "mlmodel.signature"
SIZE = "mlmodel.model_size_bytes"
MADE_WITH = "mlmodel.mlflow_version"
DERIVED = frozenset({FLAVORS, SIGNATURE, SIZE, MADE_WITH})
"""Metadata of a version that comes from its MLmodel."""

MARK = "<!-- made from MLmodel -->"
"""The first line of a card that no person has written: a README takes its place."""

MOST_SHOWN = 100  # inputs or outputs in a card
LONGEST_SHOWN = 200  # characters of one of their names
LARGEST_SIZE = 2**63 - 1


class Described(NamedTuple):
    """The content of an MLmodel file."""

    flavors: Mapping[str, str]  # with their versions, where these are known
    signature: Mapping[str, list[Json]]  # `inputs`, `outputs` and `params`, each a list
    size: int | None
    made_with: str  # the version of MLflow

    def pairs(self) -> list[PairRecord]:
        pairs: list[PairRecord] = [{"name": FLAVORS, "value": ", ".join(self.flavors)}]
        if self.signature:
            pairs.append({"name": SIGNATURE, "value": _json(self.signature)})
        if self.size is not None:
            pairs.append({"name": SIZE, "value": self.size})
        if self.made_with:
            pairs.append({"name": MADE_WITH, "value": self.made_with})
        return pairs

    def card(self) -> str:
        """Markdown. Texts of the file are code in it, so they mean nothing else."""
        return "\n".join([MARK, "", *self._about(), *self._tables()]).rstrip() + "\n"

    def _about(self) -> Iterator[str]:
        named = (f"{_code(name)} {version and _code(version)}".rstrip() for name, version in self.flavors.items())
        yield f"A model in MLflow's format, which loads as {', '.join(named)}."
        if self.made_with:
            yield f"It was saved with MLflow {_code(self.made_with)}."
        if self.size is not None:
            yield f"Its files have {self.size:,} bytes."
        yield ""

    def _tables(self) -> Iterator[str]:
        for part, columns in self.signature.items():
            yield f"## {part.capitalize()}"
            yield ""
            yield "| name | type |"
            yield "| --- | --- |"
            for column in columns[:MOST_SHOWN]:
                yield f"| {_code(_name(column))} | {_code(_type(column))} |"
            yield ""


def among(files: Iterable[FileRecord]) -> FileRecord | None:
    """The MLmodel beside the other files, not one in a folder of them."""
    return next((file for file in files if file["path"] == NAME), None)


async def described(tenant: Tenant, file: FileRecord | None) -> Described | None:
    """The content of the file; None if there is no file, or if it is not an MLmodel."""
    if file is None or file["size"] > front_matter.LONGEST:
        return None
    try:
        content = b"".join([chunk async for chunk in tenant.blobs.read(file["digest"])])
    except (UnknownBlobError, StorageUnavailableError, OSError):
        return None
    return await asyncio.to_thread(parse, content)


def parse(content: bytes) -> Described | None:
    """None for a text that is not an MLmodel."""
    try:
        fields = front_matter.mapping_of(content.decode())
    except (UnicodeDecodeError, FrontMatterError):
        return None
    flavors = fields.get("flavors")
    if not isinstance(flavors, dict) or not flavors:
        return None
    size = fields.get("model_size_bytes")
    return Described(
        {_text(name): _version_of(name, flavor) for name, flavor in flavors.items()},
        _signature(fields.get("signature")),
        size if isinstance(size, int) and not isinstance(size, bool) and 0 <= size <= LARGEST_SIZE else None,
        _text(fields.get("mlflow_version")),
    )


def _version_of(name: str, flavor: Json) -> str:
    version = flavor.get(f"{name}_version") if isinstance(flavor, dict) else None
    return _text(version)


def _signature(signature: Json) -> dict[str, list[Json]]:
    """The parts of a signature, each of which MLflow writes as a text with JSON in it."""
    parts: dict[str, list[Json]] = {}
    for part in ("inputs", "outputs", "params"):
        text = signature.get(part) if isinstance(signature, dict) else None
        try:
            value = json.loads(text) if isinstance(text, str) else text
            _json(value)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, list) and value:
            parts[part] = value
    return parts


def _json(value: object) -> str:
    """Raises ValueError, RecursionError for what is no JSON."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace").decode()


def _name(column: Json) -> str:
    return _text(column.get("name")) if isinstance(column, dict) else ""


def _type(column: Json) -> str:
    """A type of a column; of a tensor the type of its elements and its shape."""
    if not isinstance(column, dict):
        return ""
    tensor = column.get("tensor-spec")
    if isinstance(tensor, dict):
        return f"{_text(tensor.get('dtype'))} {_text(tensor.get('shape'))}"
    return _text(column.get("type")) or _text(column.get("dtype"))


def _text(value: object) -> str:
    text = "" if value is None else str(value)
    return text.replace("\0", "")[:LONGEST_SHOWN].encode("utf-8", "replace").decode()


def _code(text: str) -> str:
    """A text as code in a cell of a table."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text).replace("`", "'").replace("|", "\\|").strip()
    return f"`{plain}`" if plain else ""
