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

from catalog.inspection.formats.numpy_array import MAGIC as NUMPY
from catalog.inspection.formats.numpy_array import OBJECTS, header_size, may_hold_objects
from catalog.inspection.formats.window import Malformed
from catalog.inspection.sandbox.compressions import Lz4, ZipLzma
from catalog.inspection.sandbox.keras import ATTRIBUTE, HDF5, LONGEST, SAYS_CLASS, Configuration, ends_of
from catalog.inspection.sandbox.opcodes import Name, NotFollowed, in_memory
from catalog.inspection.sandbox.pickles import Following, hidden, is_meant, looks_like_one
from catalog.inspection.sandbox.views import Allowance, TooMuch, decompressed, forwards, part

DEEPEST = 4
"""A file in an archive in an archive... is looked at down to here."""

MOST_ENTRIES = 5000
MOST_IMPORTS = 500
PEEK = 4096
HEAD = 2**16
SEARCHED = 2**20
"""Bytes behind the pickles of a file in which others are looked for."""

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
    (0, b"\x5d\x00", "lzma"),
    *((0, bytes((0x78, level)), "zlib") for level in (0x01, 0x5E, 0x9C, 0xDA)),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"\x04\x22\x4d\x18", "lz4"),
    (0, b"Rar!\x1a\x07", "rar"),
    (0, HDF5, "hdf5"),
)
"""Where which bytes stand at the beginning of which."""

STORAGE = re.compile(r"([^/]+/)data/\d+")
"""Where PyTorch's archive has numbers and nothing else, beside its `data.pkl`; it is no pickle that anyone reads."""

OLD_JOBLIB_HEADER = 21
OLD_JOBLIB = re.compile(rb"ZF[\s0-9a-fA-FxX_+]{19} ?x")
"""What joblib wrote before 0.10 and still reads: the length of what follows, which is compressed by zlib."""

CONFIGURATION = "/config.json"
"""What an archive of Keras has beside its weights, and many another has too."""

LIKELY = (".pkl", ".pickle", ".joblib", ".npy", ".npz", ".pt", ".pth", ".bin", ".ckpt", ".dat", ".data", ".zip", ".gz")


def has_archive(head: bytes) -> bool:
    """Whether a zip archive may stand behind these bytes: its table is at its end, so its readers do not mind."""
    return ZIP[0] in head


def packing(head: bytes) -> str:
    """What a file that begins so is packed in, or nothing."""
    found = next((name for at, magic, name in PACKINGS if head.startswith(magic, at)), "")
    if found or not OLD_JOBLIB.match(head):
        return found or ("tar" if _is_old_tar(head) else "")
    return "joblib"


def _is_old_tar(head: bytes) -> bool:
    """Whether it begins with an entry of a tar archive from before there was a magic number."""
    try:
        told = int(head[148:156].strip(b" \0") or b"0", 8)
    except ValueError:
        return False
    return told > 0 and told == sum(head[:148]) + 8 * 0x20 + sum(head[156:512])


BEGIN: dict[str, Callable[[], Any]] = {
    "gzip": partial(zlib.decompressobj, 31),
    "zlib": zlib.decompressobj,
    "bzip2": bz2.BZ2Decompressor,
    "xz": partial(lzma.LZMADecompressor, lzma.FORMAT_AUTO, 2**27),
    "lzma": partial(lzma.LZMADecompressor, lzma.FORMAT_AUTO, 2**27),
    "lz4": Lz4,
    "joblib": zlib.decompressobj,
}
METHODS: dict[int, Callable[[], Any]] = {
    zipfile.ZIP_DEFLATED: partial(zlib.decompressobj, -15),
    zipfile.ZIP_BZIP2: bz2.BZ2Decompressor,
    zipfile.ZIP_LZMA: ZipLzma,
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
        self._inside_values = 0

    def into(self, file: io.BufferedReader) -> None:
        """Look at everything in a file, within the bounds."""
        try:
            self.format = packing(file.peek(PEEK)) or "pickle"
            self.format = self._at(file, "", 0)
            if self.format == "unknown":
                self._hidden(file)
        except TooMuch as bound:
            self.note("unfinished", "", str(bound))
        except MemoryError:
            self.note("unfinished", "", "looking further needs too much memory")
        except Exception as failure:  # noqa: BLE001  hostile bytes may raise anything, and what was met before counts
            self.note("unfinished", "", f"{type(failure).__name__}: {failure}")

    def note(self, kind: str, where: str, what: str) -> None:
        found = {"kind": kind, "where": where[:200], "what": what[:200]}
        is_noise = bool(self._inside_values) and kind in {"malformed", "opaque"}
        if len(self.notes) < MOST_IMPORTS and not is_noise and found not in self.notes:
            self.notes.append(found)

    def _at(self, file: io.BufferedReader, where: str, depth: int) -> str:
        if depth > DEEPEST:
            raise TooMuch(f"files packed into one another more than {DEEPEST} times")
        head = file.peek(PEEK)[:PEEK]
        packed = packing(head)
        if packed == "zip":
            return self._zip(_seekable(file), where, depth)
        if packed in ("tar", "hdf5"):
            return self._tar(file, where, depth) if packed == "tar" else self._hdf5(file, where)
        if packed in BEGIN:
            return self._unpacked(file, packed, where, depth)
        if packed:
            self.note("opaque", where, f"packed as {packed}, which is not looked into")
            return packed
        return self._plain(file, head, where, depth)

    def _plain(self, file: io.BufferedReader, head: bytes, where: str, depth: int) -> str:
        if head.startswith(NUMPY):
            header = _numpy_header(file)
            if OBJECTS.search(header):
                self._pickles(file, where, depth)
            elif may_hold_objects(header):
                self._doubted(file, where, depth)
            return "numpy"
        if looks_like_one(head, whole=len(head) < PEEK):
            return self._pickles(file, where, depth)
        return "unknown"

    def _pickles(self, file: io.BufferedReader, where: str, depth: int) -> str:
        if self._inside_values:
            self._doubted(file, where, depth)
            return "pickle"
        following = Following(
            file,
            partial(self._found, self.imports, where),
            partial(self._found, self.doubtful, where),
            partial(self.note, "dangerous", where),
            partial(self._value, where, depth),
        )
        met = following.all()
        self.pickles += met.followed
        if met.end:
            self.note("malformed", where, f"a pickle that cannot be followed to its end: {met.end}")
        else:
            self._rest(file, following.last, where, depth)
        return "joblib" if following.joblib else "pickle"

    def _rest(self, file: io.BufferedReader, start: int | None, where: str, depth: int) -> None:
        """Look for pickles behind the last one, with something else between."""
        if start is not None:
            file.seek(start)
        rest = file.read(SEARCHED)
        for at in hidden(rest):
            self._doubted(in_memory(rest[at:]), where, depth)

    def _hidden(self, file: io.BufferedReader) -> None:
        """Look for what stands behind something else, at the beginning of a file of no format."""
        file.seek(0)
        head = file.read(HEAD)
        if has_archive(head):
            self._inside_values += 1
            self._zip(file, "", 0)
            self._inside_values -= 1
        for at in hidden(head):
            self._doubted(part(file, at, file.seek(0, 2)), "", 0)

    def _value(self, where: str, depth: int, value: io.BufferedReader) -> None:
        """Look at bytes in a pickle that may be one: what they would import counts only if it is a threat."""
        self._inside_values += 1
        self._at(value, where, depth + 1)
        self._inside_values -= 1

    def _doubted(self, file: io.BufferedReader, where: str, depth: int) -> None:
        """Look at what may be a pickle, or any bytes that read like the beginning of one."""
        met: list[Name] = []
        accused: list[str] = []
        end = Following(file, met.append, met.append, accused.append, partial(self._value, where, depth)).all().end
        for name in filter(is_meant, met) if end else met:
            self._found(self.doubtful, where, name)
        for what in [] if end else dict.fromkeys(accused):
            self.note("dangerous", where, what)

    def _found(self, among: dict[tuple[str, Name], None], where: str, name: Name) -> None:
        among[where[:200], Name(*(piece and piece[:200] for piece in name))] = None
        if len(among) > MOST_IMPORTS:
            raise TooMuch(f"more than {MOST_IMPORTS} different imports")

    def _unpacked(self, file: io.BufferedReader, packed: str, where: str, depth: int) -> str:
        if packed == "joblib":
            file.read(OLD_JOBLIB_HEADER + file.peek(PEEK).startswith(b" ", OLD_JOBLIB_HEADER))
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
        pytorch = {name.removesuffix("data.pkl") for name in names if name.endswith("/data.pkl")}
        wanted = [entry for entry in entries if not _is_storage(entry.filename, pytorch)]
        keras = False
        wanted.sort(key=lambda entry: (not entry.filename.lower().endswith(LIKELY), entry.header_offset))
        for entry in self._counted(wanted):
            name = _within(where, entry.filename)
            try:
                inside = self._entry(file, entry)
                if inside and f"/{entry.filename}".endswith(CONFIGURATION):
                    text = inside.read(LONGEST + 1)
                    keras |= self._keras(text, name)
                    inside = in_memory(text)
                if inside is None:
                    self.note("opaque", name, "compressed or encrypted in a way that is not looked into")
                else:
                    self._at(inside, name, depth + 1)
            except NotFollowed:
                self.note("malformed", name, "it is not where the archive's table says")
        if pytorch or keras:
            return "pytorch" if pytorch else "keras"
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

    def _configuration(self, where: str) -> Configuration:
        return Configuration(partial(self._found, self.imports, where), partial(self.note, "dangerous", where))

    def _keras(self, text: bytes, where: str) -> bool:
        if not SAYS_CLASS.search(text):
            return False
        try:
            return self._configuration(where).read(text)
        except Malformed as fault:
            self.note("malformed", where, f"a configuration that cannot be read: {fault}")
            return False

    def _hdf5(self, file: io.BufferedReader, where: str) -> str:
        configuration, announced, met = self._configuration(where), False, False
        for content in ends_of(file):
            announced |= ATTRIBUTE in content
            met |= configuration.search(content)
        if announced and not met:
            self.note("unfinished", where, "a configuration of Keras that is not where it is looked for")
        return "keras" if announced or met else "hdf5"

    def _tar(self, file: io.BufferedReader, where: str, depth: int) -> str:
        stream = not file.seekable()
        if not stream and looks_like_one(file.peek(PEEK)[:PEEK], whole=False):  # its first name may be opcodes
            self._pickles(file, where, depth)
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


def _is_storage(name: str, folders: set[str]) -> bool:
    found = STORAGE.fullmatch(name)
    return found is not None and found[1] in folders


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
