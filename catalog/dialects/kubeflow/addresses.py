"""Addresses of the files that the catalog stores, for clients that download by them."""

import re
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote

from catalog.dialects.kubeflow.requests import KubeflowCall
from catalog.domain.items.references import Reference
from catalog.domain.versions.files import links
from catalog.domain.versions.files.version_files import has_files
from catalog.errors import INVALID_QUERY, Refused
from catalog.store.records import ArtifactRecord, VersionRecord
from catalog.vocabulary import Kind

LINKED_FOR = timedelta(hours=1)
"""How long a signed address opens."""

ARCHIVE = "model.zip"
"""The name by which KServe knows an address as that of an archive, which it unpacks."""

_LINK = re.compile(r"/links/[\w-]+\.[\w-]+\.[\w-]+/[^/]+\Z", re.ASCII)
"""The end of a signed address."""

MOST_LINKS = 100
"""Signed addresses in one answer."""


async def uri_of(call: KubeflowCall, records: Sequence[ArtifactRecord]) -> dict[int, str]:
    """The addresses of artifacts whose bytes the catalog stores, by serial.

    With `?link=true` an address is signed, and opens without a token for LINKED_FOR.
    """
    is_linked = _is_linked(call)
    serials = [record["serial"] for record in records]
    found = call.caller.tenant.versions.records.find({"serial": {"$in": serials}})
    addresses: dict[int, str] = {}
    async for version in found:
        if has_files(version):
            is_signed = is_linked and len(addresses) < MOST_LINKS
            addresses[version["serial"] or 0] = await _signed(call, version) if is_signed else _plain(call, version)
    return addresses


def is_ours(uri: str, record: ArtifactRecord) -> bool:
    """Whether an address may be the one that the server has shown for this artifact."""
    items = [str(key) for key in record["items"]]
    return bool(_LINK.search(uri)) or any(f"/models/{key}/versions/" in uri for key in items)


def _plain(call: KubeflowCall, version: VersionRecord) -> str:
    """The route of the native API, which takes the token. KServe stores a file by the last part of its path."""
    address = f"{_base(call)}/models/{version['item']}/versions/{quote(version['ordinal'], safe='')}"
    return f"{address}?archive={ARCHIVE}" if version["folder"] else f"{address}/files/{_name(version)}"


def _name(version: VersionRecord) -> str:
    return ARCHIVE if version["folder"] else quote(version["files"][0]["original"], safe="")


async def _signed(call: KubeflowCall, version: VersionRecord) -> str:
    try:
        link = await links.create(
            call.caller,
            Kind.MODEL,
            Reference(str(version["item"]), version["ordinal"]),
            call.services.signed,
            life=LINKED_FOR,
        )
    except Refused:  # a version in quarantine
        return _plain(call, version)
    return f"{_base(call)}/links/{link.token}/{_name(version)}"


def _base(call: KubeflowCall) -> str:
    return f"{call.services.proxies.outer_url(call.request.scope)}/{call.services.native_version}"


def _is_linked(call: KubeflowCall) -> bool:
    value = call.query("link")
    if value not in {"", "true", "false"}:
        raise Refused(INVALID_QUERY, "link: true or false is needed")
    return value == "true"
