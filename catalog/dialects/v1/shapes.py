"""Documents as the native dialect shows them. What is not named here is never shown."""

from collections.abc import Mapping
from typing import Any

from catalog.dialects.v1.models.common import moment

Shape = dict[str, Any]


def _given(document: Mapping[str, Any], *fields: str) -> Shape:
    return {field: document[field] for field in fields if document.get(field) is not None}


def version(document: Mapping[str, Any]) -> Shape:
    """A version as its item shows it. A folder is shown as the archive that it is fetched as."""
    shown = {
        "ordinal": document["ordinal"],
        "key": document["_id"],
        **_content(document),
        "size": document["size"],
        "description": document["description"],
        "timestamp": moment(document["timestamp"]),
        "digest": document["digest"],
        "state": document["state"],
    }
    return shown | {"file_count": document["file_count"]} if document["folder"] else shown


def _content(document: Mapping[str, Any]) -> Shape:
    if document["folder"]:
        return {"original": f"{document['ordinal']}.zip", "encoding": "binary", "mimetype": "application/zip"}
    return _given(document["files"][0], "original", "encoding", "mimetype")


def listed_version(document: Mapping[str, Any]) -> Shape:
    """A version on its own, without the files of a folder."""
    return {
        "_id": document["_id"],
        **version(document),
        "folder": document["folder"],
        "file_count": document["file_count"],
        "metadata": document["metadata"],
        "owner": document["owner"],
        "lastmod": moment(document["lastmod"]),
        "inspection": _inspection(document.get("inspection")),
    }


def whole_version(document: Mapping[str, Any]) -> Shape:
    return listed_version(document) | {"files": [file(found) for found in document["files"]]}


def file(document: Mapping[str, Any]) -> Shape:
    shown = _given(document, "path", "original", "size", "digest", "mimetype", "encoding")
    inspected = {name: document[name] for name in ("format", "verdict") if document.get(name)}
    return shown | inspected


def _inspection(document: Mapping[str, Any] | None) -> Shape | None:
    return {**document, "inspected": moment(document["inspected"])} if document else None
