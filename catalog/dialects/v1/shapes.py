"""Documents as the native dialect shows them. What is not named here is never shown."""

from collections.abc import Iterable, Mapping
from typing import Any

from catalog.dialects.v1.models.common import moment
from catalog.domain.access import Caller
from catalog.domain.items.related import Related
from catalog.store.tenant_documents import Raw

Shape = dict[str, Any]

LONGEST_EMBEDDED = 1000  # characters of a version's description, where its item shows it


def _given(document: Mapping[str, Any], *fields: str) -> Shape:
    return {field: document[field] for field in fields if document.get(field) is not None}


def user(document: Mapping[str, Any]) -> Shape:
    return {
        "validityPasswordDays": document["validityPasswordDays"],
        **_given(document, "_id", "username", "email", "role"),
        "createdPassword": moment(document["createdPassword"]),
    }


def colleague(document: Mapping[str, Any]) -> Shape:
    """A user, as other users see him."""
    return _given(document, "_id", "username")


def person(document: Mapping[str, Any], caller: Caller) -> Shape:
    """A user, as the caller may see one: whole for administrators and oneself, else by name."""
    whole = caller.is_admin or document["_id"] == caller.user
    return user(document) if whole else colleague(document)


def removed(document: Mapping[str, Any]) -> Shape:
    """An item in the trash."""
    return {
        **_given(document, "_id", "kind", "name", "owner", "removed_by"),
        "removed": moment(document["removed"]),
        "until": moment(document["until"]),
    }


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


def _embedded(document: Mapping[str, Any]) -> Shape:
    """A version within its item: a long description is cut, and the version's own record has the whole of it."""
    shown = version(document)
    if len(shown["description"]) <= LONGEST_EMBEDDED:
        return shown
    return shown | {"description": shown["description"][:LONGEST_EMBEDDED], "description_truncated": True}


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


def item(document: Mapping[str, Any], related: Related, caller: Caller) -> Shape:
    """With its users, its versions and, as far as the caller may read them, its datasets."""

    def users_of(shown: Mapping[str, Any]) -> list[Shape]:
        return [person(found, caller) for found in _found(related.users, shown["users"])]

    return _item(
        document,
        related,
        users=users_of(document),
        datasets=[
            _item(dataset, related, users=users_of(dataset)) if (dataset := related.datasets.get(key)) else key
            for key in document.get("datasets", ())
        ],
    )


def bare_item(document: Mapping[str, Any], related: Related) -> Shape:
    """With ids where others are meant, as the answer to DELETE shows it."""
    return _item(document, related, users=document["users"], datasets=document.get("datasets", []))


def _item(
    document: Mapping[str, Any], related: Related, *, users: list[Any], datasets: list[Any] | None = None
) -> Shape:
    trained = {"datasets": datasets, "status": document["status"]} if "status" in document else {}
    return {
        "users": users,
        **trained,
        "visibility": document["visibility"],
        "tags": document["tags"],
        "_id": document["_id"],
        "name": document["name"],
        "description": document["description"],
        "metadata": document["metadata"],
        "owner": document["owner"],
        "versions": [_embedded(found) for found in related.versions[document["_id"]]],
        "versionsTotal": related.total(document["_id"]),
        "timestamp": moment(document["timestamp"]),
        "lastmod": moment(document["lastmod"]),
    }


def _found(known: Any, keys: Iterable[Any]) -> list[Raw]:
    """Those that are still there."""
    return [known[key] for key in keys if key in known]
