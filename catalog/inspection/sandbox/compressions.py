"""Kinds of compression that the standard library reads only as whole files, or not at all.

Each is as its own decompressors are: `decompress(data, most)` gives at most so many bytes, `needs_input` and `eof` say
how it goes on. Damage raises ValueError, or what the standard library raises.
"""

import lzma
from struct import unpack, unpack_from

LZMA_MEMORY = 2**27
PROPERTIES = 5
LZMA_PROPERTIES = 4 + PROPERTIES
"""Bytes: two of a version, two of a length, five of properties."""

WINDOW = 2**16
LARGEST_BLOCK = 2**23
LZ4_MAGIC = b"\x04\x22\x4d\x18"
WORD, FULL = 4, 255
FRAME = 7
"""Bytes of an LZ4 frame's header without its optional parts."""

EXTENDED = 15
"""A length of LZ4 that goes on in the next bytes, as long as they are 255."""


class Buffered:
    """Takes input in pieces of any size, and gives output in pieces of any size."""

    def __init__(self) -> None:
        self.eof = False
        self.needs_input = True
        self.unused_data = b""
        self._input = bytearray()
        self._output = bytearray()

    def decompress(self, data: bytes, most: int) -> bytes:
        self._input += data
        self.needs_input = False
        while len(self._output) < most and not self.eof and not self.needs_input:
            self.needs_input = not self._step()
        given = bytes(self._output[:most])
        del self._output[:most]
        return given

    def _step(self) -> bool:
        """Move on by one piece, if the input has it whole."""
        raise NotImplementedError


class Lz4(Buffered):
    """LZ4's frames, which joblib reads where the package of that name is installed."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = self._checked = self._summed = False
        self._window = bytearray()

    def _step(self) -> bool:
        if not self._begun:
            return self._frame()
        if len(self._input) < WORD:
            return False
        (size,) = unpack_from("<I", self._input)
        if not size:
            return self._end()
        plain, size = size >> 31, size & 0x7FFFFFFF
        if size > LARGEST_BLOCK:
            raise ValueError("a block of LZ4 that is too large")
        end = WORD + size + WORD * self._checked
        if len(self._input) < end:
            return False
        block = bytes(self._input[WORD : WORD + size])
        del self._input[:end]
        self._give(block if plain else _lz4_block(block, self._window))
        return True

    def _end(self) -> bool:
        """Frames may follow one another."""
        end = WORD + WORD * self._summed
        if len(self._input) < end:
            return False
        del self._input[:end]
        self._begun = False
        self._window.clear()
        return True

    def _frame(self) -> bool:
        if len(self._input) < FRAME:
            return False
        self.eof = not self._input.startswith(LZ4_MAGIC)
        if self.eof:
            return False
        flags = self._input[4]
        size = FRAME + 8 * (flags >> 3 & 1) + 4 * (flags & 1)
        if len(self._input) < size:
            return False
        self._checked, self._summed = bool(flags >> 4 & 1), bool(flags >> 2 & 1)
        del self._input[:size]
        self._begun = True
        return True

    def _give(self, data: bytes) -> None:
        self._output += data
        self._window += data
        del self._window[:-WINDOW]


def _lz4_block(block: bytes, window: bytearray) -> bytes:
    """The bytes of one block: literals, and copies of what stands before them, which the window holds at first."""
    out, at, size = bytearray(window), 0, len(block)
    start, most = len(window), len(window) + LARGEST_BLOCK
    try:
        while True:
            token = block[at]
            at += 1
            length, at = _lz4_length(block, at, token >> 4)
            out += block[at : at + length]
            at += length
            if at >= size:
                return bytes(out[start:])
            back = block[at] | block[at + 1] << 8
            length, at = _lz4_length(block, at + 2, token & 15)
            length += 4
            if not 0 < back <= len(out) or len(out) + length > most:
                raise ValueError("a copy in LZ4 that leads nowhere")
            piece = out[-back:][:length]
            out += (piece * (length // len(piece) + 1))[:length]
    except IndexError:
        raise ValueError("a block of LZ4 that is cut short") from None


def _lz4_length(block: bytes, at: int, length: int) -> tuple[int, int]:
    if length == EXTENDED:
        while True:
            more = block[at]
            length, at = length + more, at + 1
            if more != FULL:
                break
    return length, at


class ZipLzma:
    """LZMA as zip archives have it: the properties stand before the bytes."""

    def __init__(self) -> None:
        self.eof = False
        self.unused_data = b""
        self._input = bytearray()
        self._inner: lzma.LZMADecompressor | None = None

    @property
    def needs_input(self) -> bool:
        return self._inner is None or bool(self._inner.needs_input)

    def decompress(self, data: bytes, most: int) -> bytes:
        if self._inner is None:
            self._input += data
            if len(self._input) < LZMA_PROPERTIES:
                return b""
            self._inner = _lzma(*unpack("<2xHBI", self._input[:LZMA_PROPERTIES]))
            data, self._input = bytes(self._input[LZMA_PROPERTIES:]), bytearray()
        given: bytes = self._inner.decompress(data, most)
        self.eof = self._inner.eof
        return given


def _lzma(size: int, first: int, dictionary: int) -> lzma.LZMADecompressor:
    if size != PROPERTIES or first >= 9 * 5 * 5 or dictionary > LZMA_MEMORY:
        raise ValueError("properties of LZMA that none has")
    options = {"id": lzma.FILTER_LZMA1, "dict_size": max(dictionary, 2**12)}
    options |= {"lc": first % 9, "lp": first // 9 % 5, "pb": first // 45}
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[options])
