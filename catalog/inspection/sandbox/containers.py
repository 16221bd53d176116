"""Find the pickles of a file, in any container, and report what they would import."""

import io
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TypedDict, TypeVar, cast

from catalog.inspection.formats.numpy_array import MAGIC as NUMPY
from catalog.inspection.formats.numpy_array import OBJECTS, header_size, may_hold_objects
from catalog.inspection.formats.window import MalformedError
from catalog.inspection.sandbox.keras import ATTRIBUTE, LONGEST, SAYS_CLASS, Configuration, ends_of
from catalog.inspection.sandbox.packing import DECOMPRESSORS, METHODS, OLD_JOBLIB_HEADER, ZIP, has_archive, packing
from catalog.inspection.sandbox.pickles import PickleSequence, find_hidden, is_plausible, looks_like_pickle, may_go_on
from catalog.inspection.sandbox.reading import UntraceableError, in_memory
from catalog.inspection.sandbox.values import ImportedName
from catalog.inspection.sandbox.views import DecompressionBudget, LimitExceededError, decompressed, forwards, part
from catalog.inspection.sandbox.zip_tables import ZipEntry, has_table, read_table

T = TypeVar("T")

DEEPEST = 4
"""Levels of archives in archives that are scanned."""

MOST_ENTRIES = 5000
MOST_IMPORTS = 500
PEEK = 4096
HEAD = 2**16
SEARCHED = 2**20
"""Bytes after the pickles of a file that are searched for further ones."""

NESTED_ARCHIVE = 2**25
"""Bytes of an archive in a compressed file, which is held in memory completely, because its table is at its end."""

ENTRY_HEADER = 30
"""Bytes before the name of an entry. The last four are the lengths of the name and of the extra field."""

STORAGE = re.compile(r"([^/]+/)data/\d+")
"""Where PyTorch's archive has numbers only, beside its `data.pkl`; PyTorch never unpickles these entries."""

CONFIGURATION = "/config.json"
"""What an archive of Keras contains beside its weights, and many other archives, too."""

LIKELY = (".pkl", ".pickle", ".joblib", ".npy", ".npz", ".pt", ".pth", ".bin", ".ckpt", ".dat", ".data", ".zip", ".gz")


class Note(TypedDict):
    """A finding that is not an import."""

    kind: str
    where: str
    what: str


class PickleReport(TypedDict):
    """What the sandboxed process answers, as JSON."""

    format: str
    pickles: int
    entries: int
    imports: list[tuple[str, str | None, str | None]]  # where, module, name
    doubtful: list[tuple[str, str | None, str | None]]
    notes: list[Note]


class ContainerScan:
    """The scan of one file. The results are in its attributes, even if it ended early."""

    def __init__(self) -> None:
        self.format = "unknown"
        self.pickles = 0
        self.entries = 0
        self.imports: dict[tuple[str, ImportedName], None] = {}
        self.doubtful: dict[tuple[str, ImportedName], None] = {}
        self.notes: list[Note] = []
        self._budget = DecompressionBudget()
        self._inside_values = 0

    def report(self) -> PickleReport:
        return PickleReport(
            format=self.format,
            pickles=self.pickles,
            entries=self.entries,
            imports=[(where, *name) for where, name in self.imports],
            doubtful=[(where, *name) for where, name in self.doubtful],
            notes=self.notes,
        )

    def scan(self, file: io.BufferedReader) -> None:
        """Scan everything in a file, within the limits."""
        try:
            self.format = packing(file.peek(PEEK)) or "pickle"
            self.format = self._at(file, "", 0)
            if self.format == "unknown":
                self._hidden(file)
        except LimitExceededError as bound:
            self.note("unfinished", "", str(bound))
        except MemoryError:
            self.note("unfinished", "", "the scan needs too much memory")
        except Exception as failure:  # noqa: BLE001  hostile bytes may raise anything, and earlier results count
            self.note("unfinished", "", f"{type(failure).__name__}: {failure}")

    def note(self, kind: str, where: str, what: str) -> None:
        found = Note(kind=kind, where=where[:200], what=what[:200])
        is_noise = bool(self._inside_values) and kind in {"malformed", "opaque"}
        if len(self.notes) < MOST_IMPORTS and not is_noise and found not in self.notes:
            self.notes.append(found)

    def _at(self, file: io.BufferedReader, where: str, depth: int) -> str:
        if depth > DEEPEST:
            raise LimitExceededError(f"files packed into one another more than {DEEPEST} times")
        head = file.peek(PEEK)[:PEEK]
        packed = packing(head)
        if packed == "zip":
            return self._zip(_seekable(file), where, depth)
        if packed in ("tar", "hdf5"):
            return self._tar(file, where, depth) if packed == "tar" else self._hdf5(file, where)
        if packed in DECOMPRESSORS:
            return self._unpacked(file, packed, where, depth)
        if packed:
            self.note("opaque", where, f"packed as {packed}, which is not supported")
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
        if looks_like_pickle(head, whole=len(head) < PEEK):
            return self._pickles(file, where, depth)
        if may_go_on(head, _size(file)):
            self._doubted(file, where, depth)
        return "unknown"

    def _pickles(self, file: io.BufferedReader, where: str, depth: int) -> str:
        if self._inside_values:
            self._doubted(file, where, depth)
            return "pickle"
        sequence = PickleSequence(
            file,
            partial(self._found, self.imports, where),
            partial(self._found, self.doubtful, where),
            partial(self.note, "dangerous", where),
            partial(self._value, where, depth),
        )
        met = sequence.all()
        self.pickles += met.followed
        if met.end:
            self.note("malformed", where, f"a pickle that cannot be followed to its end: {met.end}")
        else:
            self._rest(file, sequence.last, where, depth)
        return "joblib" if sequence.joblib else "pickle"

    def _rest(self, file: io.BufferedReader, start: int | None, where: str, depth: int) -> None:
        """Search for pickles after the last one, with other bytes in between."""
        if start is not None:
            file.seek(start)
        rest = file.read(SEARCHED)
        for at in find_hidden(rest):
            self._doubted(in_memory(rest[at:]), where, depth)

    def _hidden(self, file: io.BufferedReader) -> None:
        """Search for archives behind other bytes, and for pickles at the beginning of a file of unknown format."""
        file.seek(0)
        head = file.read(HEAD)
        if has_archive(head) or has_table(file):
            self._inside_values += 1
            self._zip(file, "", 0)
            self._inside_values -= 1
        for at in find_hidden(head):
            self._doubted(part(file, at, file.seek(0, 2)), "", 0)

    def _value(self, where: str, depth: int, value: io.BufferedReader) -> None:
        """Scan bytes in a pickle that may be a pickle: what they would import counts only if it is a threat."""
        self._inside_values += 1
        self._at(value, where, depth + 1)
        self._inside_values -= 1

    def _doubted(self, file: io.BufferedReader, where: str, depth: int) -> None:
        """Trace bytes that may be a pickle, or any bytes that resemble the beginning of one."""
        met: list[ImportedName] = []
        accused: list[str] = []
        end = PickleSequence(file, met.append, met.append, accused.append, partial(self._value, where, depth)).all().end
        for name in filter(is_plausible, met) if end else met:
            self._found(self.doubtful, where, name)
        for what in [] if end else dict.fromkeys(accused):
            self.note("dangerous", where, what)

    def _found(self, among: dict[tuple[str, ImportedName], None], where: str, name: ImportedName) -> None:
        among[where[:200], ImportedName(*(piece and piece[:200] for piece in name))] = None
        if len(among) > MOST_IMPORTS:
            raise LimitExceededError(f"more than {MOST_IMPORTS} different imports")

    def _unpacked(self, file: io.BufferedReader, packed: str, where: str, depth: int) -> str:
        if packed == "joblib":
            file.read(OLD_JOBLIB_HEADER + file.peek(PEEK).startswith(b" ", OLD_JOBLIB_HEADER))
        within = self._at(decompressed(file, DECOMPRESSORS[packed], self._budget), where, depth + 1)
        return packed if within == "unknown" else within

    def _zip(self, file: io.BufferedReader, where: str, depth: int) -> str:
        entries, fault = read_table(file, MOST_ENTRIES)
        if fault:
            self.note("malformed", where, f"a zip archive without a readable table: {fault}")
            file.seek(0)
            self._doubted(file, where, depth)
        names = [entry.filename for entry in entries]
        pytorch = {name.removesuffix("data.pkl") for name in names if name.endswith("/data.pkl")}
        scanned = [entry for entry in entries if not _is_storage(entry.filename, pytorch)]
        keras = False
        scanned.sort(key=lambda entry: (not entry.filename.lower().endswith(LIKELY), entry.header_offset))
        for entry in self._counted(scanned):
            name = _within(where, entry.filename)
            try:
                inside = self._entry(file, entry)
                if inside and f"/{entry.filename}".endswith(CONFIGURATION):
                    text = inside.read(LONGEST + 1)
                    keras |= self._keras(text, name)
                    inside = in_memory(text)
                if inside is None:
                    self.note("opaque", name, "compressed or encrypted in a way that is not supported")
                else:
                    self._at(inside, name, depth + 1)
            except UntraceableError:
                self.note("malformed", name, "it is not where the archive's table says")
        if pytorch or keras:
            return "pytorch" if pytorch else "keras"
        return "numpy" if names and all(name.endswith(".npy") for name in names) else "zip"

    def _entry(self, file: io.BufferedReader, entry: ZipEntry) -> io.BufferedReader | None:
        """Return the bytes of an entry. Its checksum and flags are ignored, as PyTorch ignores them."""
        if entry.header_offset < 0:
            raise UntraceableError(entry.filename)
        file.seek(entry.header_offset)
        header = file.read(ENTRY_HEADER)
        if len(header) < ENTRY_HEADER or not header.startswith(ZIP[0]):
            raise UntraceableError(entry.filename)
        start = (
            entry.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        )
        packed = part(file, start, start + entry.compress_size)
        if entry.compress_type == zipfile.ZIP_STORED:
            return packed
        begin = METHODS.get(entry.compress_type)
        return decompressed(packed, begin, self._budget) if begin else None

    def _configuration(self, where: str) -> Configuration:
        return Configuration(partial(self._found, self.imports, where), partial(self.note, "dangerous", where))

    def _keras(self, text: bytes, where: str) -> bool:
        if not SAYS_CLASS.search(text):
            return False
        try:
            return self._configuration(where).read(text)
        except MalformedError as fault:
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
        if not stream and looks_like_pickle(file.peek(PEEK)[:PEEK], whole=False):  # its first name may be opcodes
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
        except (tarfile.TarError, ValueError, OSError, UntraceableError) as failure:
            self.note("malformed", where, f"a tar archive that cannot be read to its end: {failure}")
        return "tar"

    def _counted(self, entries: Iterable[T]) -> Iterator[T]:
        for entry in entries:
            self.entries += 1
            if self.entries > MOST_ENTRIES:
                raise LimitExceededError(f"more than {MOST_ENTRIES} files in archives")
            yield entry


def _size(file: io.BufferedReader) -> int:
    """The size of a file, which stays where it is; of one that cannot seek, more than any."""
    if not file.seekable():
        return sys.maxsize
    place = file.tell()
    size = file.seek(0, io.SEEK_END)
    file.seek(place)
    return size


def _is_storage(name: str, folders: set[str]) -> bool:
    found = STORAGE.fullmatch(name)
    return found is not None and found[1] in folders


def _within(where: str, name: str) -> str:
    return f"{where}:{name}" if where else name


def _seekable(file: io.BufferedReader) -> io.BufferedReader:
    if file.seekable():
        return file
    content = file.read(NESTED_ARCHIVE + 1)
    if len(content) > NESTED_ARCHIVE:
        raise LimitExceededError(f"a compressed archive within an archive, of more than {NESTED_ARCHIVE} bytes")
    return in_memory(content)


def _numpy_header(file: io.BufferedReader) -> bytes:
    """Read up to the values, which are pickles if they are objects."""
    start, end = header_size(file.peek(PEEK)[:12])
    return file.read(end)[start:]
