"""Find the pickles of a file, whatever they are packed in, and say what they would import."""

import bz2
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

from catalog.dissection.headers.numpy_array import MAGIC as NUMPY
from catalog.dissection.headers.numpy_array import OBJECTS, header_size, may_hold_objects
from catalog.dissection.opcodes import Name, NotFollowed, TooMuch
from catalog.dissection.pickles import Following, in_memory, looks_like_one
from catalog.dissection.views import Allowance, decompressed, forwards, part

DEEPEST = 4
"""A file in an archive in an archive... is looked at down to here."""

MOST_ENTRIES = 5000
MOST_IMPORTS = 500
PEEK = 4096
NESTED_ARCHIVE = 2**25
"""Bytes of an archive within a compressed file, which has to be held whole: its table stands at its end."""

ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
ENTRY_HEADER = 30
"""Bytes before an entry's name, whose length and that of what follows it are the last four."""

PACKINGS = (
    *((0, magic, "zip") for magic in ZIP),
    (257, b"ustar", "tar"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"\x5d\x00\x00", "lzma"),
    *((0, bytes((0x78, level)), "zlib") for level in (0x01, 0x5E, 0x9C, 0xDA)),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"\x04\x22\x4d\x18", "lz4"),
    (0, b"Rar!\x1a\x07", "rar"),
)
"""Where which bytes stand at the beginning of which."""

STORAGE = re.compile(r"[^/]+/data/\d+")
"""Where PyTorch's archive has numbers and nothing else; it is no pickle that anyone reads."""

LIKELY = (".pkl", ".pickle", ".joblib", ".npy", ".npz", ".pt", ".pth", ".bin", ".ckpt", ".dat", ".data", ".zip", ".gz")


def packing(head: bytes) -> str:
    """What a file that begins so is packed in, or nothing."""
    return next((name for at, magic, name in PACKINGS if head.startswith(magic, at)), "")


BEGIN: dict[str, Callable[[], Any]] = {
    "gzip": partial(zlib.decompressobj, 31),
    "zlib": zlib.decompressobj,
    "bzip2": bz2.BZ2Decompressor,
    "xz": partial(lzma.LZMADecompressor, lzma.FORMAT_AUTO, 2**27),
    "lzma": partial(lzma.LZMADecompressor, lzma.FORMAT_AUTO, 2**27),
}
METHODS: dict[int, Callable[[], Any]] = {
    zipfile.ZIP_DEFLATED: partial(zlib.decompressobj, -15),
    zipfile.ZIP_BZIP2: bz2.BZ2Decompressor,
}


class Look:
    """One look at one file. What it met is in its attributes, however it ended."""

    def __init__(self) -> None:
        self.format = "unknown"
        self.pickles = 0
        self.entries = 0
        self.imports: dict[tuple[str, Name], None] = {}
        self.doubtful: dict[tuple[str, Name], None] = {}
        self.notes: list[dict[str, str]] = []
        self._allowance = Allowance()

    def into(self, file: io.BufferedReader) -> None:
        """Look at everything in a file, within the bounds."""
        try:
            self.format = packing(file.peek(PEEK)) or "pickle"
            self.format = self._at(file, "", 0)
        except TooMuch as bound:
            self.note("unfinished", "", str(bound))
        except MemoryError:
            self.note("unfinished", "", "looking further needs too much memory")
        except Exception as failure:  # noqa: BLE001  hostile bytes may raise anything, and what was met before counts
            self.note("unfinished", "", f"{type(failure).__name__}: {failure}")

    def note(self, kind: str, where: str, what: str) -> None:
        if len(self.notes) < MOST_IMPORTS:
            self.notes.append({"kind": kind, "where": where[:200], "what": what[:200]})

    def _at(self, file: io.BufferedReader, where: str, depth: int) -> str:
        if depth > DEEPEST:
            raise TooMuch(f"files packed into one another more than {DEEPEST} times")
        head = file.peek(PEEK)[:PEEK]
        packed = packing(head)
        if packed == "zip":
            return self._zip(_seekable(file), where, depth)
        if packed == "tar":
            return self._tar(file, where, depth)
        if packed in BEGIN:
            return self._unpacked(file, packed, where, depth)
        if packed:
            self.note("opaque", where, f"packed as {packed}, which is not looked into")
            return packed
        return self._plain(file, head, where)

    def _plain(self, file: io.BufferedReader, head: bytes, where: str) -> str:
        if head.startswith(NUMPY):
            header = _numpy_header(file)
            if OBJECTS.search(header):
                self._pickles(file, where)
            elif may_hold_objects(header):
                self._doubted(file, where)
            return "numpy"
        if looks_like_one(head, whole=len(head) < PEEK):
            return self._pickles(file, where)
        return "unknown"

    def _pickles(self, file: io.BufferedReader, where: str) -> str:
        following = Following(
            file, partial(self._found, self.imports, where), partial(self._found, self.doubtful, where)
        )
        met = following.all()
        self.pickles += met.followed
        if met.end:
            self.note("malformed", where, f"a pickle that cannot be followed to its end: {met.end}")
        return "joblib" if following.joblib else "pickle"

    def _doubted(self, file: io.BufferedReader, where: str) -> None:
        """Look at what may be a pickle: what it would import counts only if it is a threat."""
        doubtful = partial(self._found, self.doubtful, where)
        self.pickles += Following(file, doubtful, doubtful).all().followed

    def _found(self, among: dict[tuple[str, Name], None], where: str, name: Name) -> None:
        among[where[:200], Name(*(piece and piece[:200] for piece in name))] = None
        if len(among) > MOST_IMPORTS:
            raise TooMuch(f"more than {MOST_IMPORTS} different imports")

    def _unpacked(self, file: io.BufferedReader, packed: str, where: str, depth: int) -> str:
        within = self._at(decompressed(file, BEGIN[packed], self._allowance), where, depth + 1)
        return packed if within == "unknown" else within

    def _zip(self, file: io.BufferedReader, where: str, depth: int) -> str:
        try:
            with zipfile.ZipFile(file) as archive:
                entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as failure:
            self.note("malformed", where, f"a zip archive without a readable table: {failure}")
            return "zip"
        names = [entry.filename for entry in entries]
        pytorch = any(name.endswith("/data.pkl") for name in names)
        wanted = [entry for entry in entries if not (pytorch and STORAGE.fullmatch(entry.filename))]
        wanted.sort(key=lambda entry: (not entry.filename.lower().endswith(LIKELY), entry.header_offset))
        for entry in self._counted(wanted):
            name = _within(where, entry.filename)
            try:
                inside = self._entry(file, entry)
                if inside is None:
                    self.note("opaque", name, "compressed or encrypted in a way that is not looked into")
                else:
                    self._at(inside, name, depth + 1)
            except NotFollowed:
                self.note("malformed", name, "it is not where the archive's table says")
        if pytorch:
            return "pytorch"
        return "numpy" if names and all(name.endswith(".npy") for name in names) else "zip"

    def _entry(self, file: io.BufferedReader, entry: zipfile.ZipInfo) -> io.BufferedReader | None:
        """An entry's bytes. Neither its checksum nor its flags are asked: PyTorch does not ask them either."""
        if entry.header_offset < 0:
            raise NotFollowed(entry.filename)
        file.seek(entry.header_offset)
        header = file.read(ENTRY_HEADER)
        if len(header) < ENTRY_HEADER or not header.startswith(ZIP[0]):
            raise NotFollowed(entry.filename)
        start = (
            entry.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        )
        packed = part(file, start, start + entry.compress_size)
        if entry.compress_type == zipfile.ZIP_STORED:
            return packed
        begin = METHODS.get(entry.compress_type)
        return decompressed(packed, begin, self._allowance) if begin else None

    def _tar(self, file: io.BufferedReader, where: str, depth: int) -> str:
        stream = not file.seekable()
        if not stream and looks_like_one(file.peek(PEEK)[:PEEK], whole=False):  # its first name may be opcodes
            self._pickles(file, where)
            file.seek(0)
        try:
            with tarfile.open(fileobj=file, mode="r|" if stream else "r:") as archive:
                for entry in self._counted(archive):
                    inside = archive.extractfile(entry) if entry.isfile() else None
                    if inside:
                        self._at(
                            forwards(inside) if stream else cast(io.BufferedReader, inside),
                            _within(where, entry.name),
                            depth + 1,
                        )
        except (tarfile.TarError, ValueError, OSError, NotFollowed) as failure:
            self.note("malformed", where, f"a tar archive that cannot be read to its end: {failure}")
        return "tar"

    def _counted(self, entries: Any) -> Iterator[Any]:
        for entry in entries:
            self.entries += 1
            if self.entries > MOST_ENTRIES:
                raise TooMuch(f"more than {MOST_ENTRIES} files in archives")
            yield entry


def _within(where: str, name: str) -> str:
    return f"{where}:{name}" if where else name


def _seekable(file: io.BufferedReader) -> io.BufferedReader:
    if file.seekable():
        return file
    held = file.read(NESTED_ARCHIVE + 1)
    if len(held) > NESTED_ARCHIVE:
        raise TooMuch(f"a compressed archive within an archive, of more than {NESTED_ARCHIVE} bytes")
    return in_memory(held)


def _numpy_header(file: io.BufferedReader) -> bytes:
    """Read on to where the values begin, which are pickled when they are objects."""
    start, end = header_size(file.peek(PEEK)[:12])
    return file.read(end)[start:]
