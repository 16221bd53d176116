"""The page as Vite has built it: `index.html`, and files whose names change with their content."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path
from typing import Self

API = b'<meta name="catalog-api" content="v1" />'
"""Where the page learns the prefix of the API."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types catalog"
)
"""The Content-Security-Policy of the page and of its scripts."""

TYPES = {".js": "text/javascript", ".css": "text/css"}
COMPRESSED = (".js", ".css", ".svg", ".html")


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of the page, in memory. `compressed` is empty where compression does not pay."""

    content: bytes
    compressed: bytes
    media_type: str
    etag: str

    @classmethod
    def of(cls, name: str, content: bytes) -> Self:
        suffix = Path(name).suffix
        media_type = TYPES.get(suffix) or guess_type(name)[0] or "application/octet-stream"
        compressed = gzip.compress(content, mtime=0) if suffix in COMPRESSED else b""
        return cls(content, compressed, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


class BuiltPage:
    """The files of the page by their path. `index.html` names the API by the prefix of `version`."""

    def __init__(self, files: Mapping[str, bytes], version: str) -> None:
        index = files["index.html"].replace(API, API.replace(b"v1", version.encode()))
        self.index = PageFile.of("index.html", index)
        self._files = {name: PageFile.of(name, content) for name, content in files.items()}

    @classmethod
    def read(cls, folder: Path, version: str) -> Self | None:
        """The page in `folder`. None when it has not been built."""
        if not (folder / "index.html").is_file():
            return None
        files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
        return cls(files, version)

    def file(self, path: str) -> PageFile | None:
        return self._files.get(path)
