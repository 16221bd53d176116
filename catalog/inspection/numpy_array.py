"""NumPy's .npy: a header in Python's own spelling, then the numbers. It is matched, never evaluated."""

import re

from catalog.inspection.source import Malformed, Window
from catalog.inspection.told import Told

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 2**16
DTYPE = re.compile(r"'descr': ('[^']{1,64}'|\[[^\n]{1,60000}?\]), '")
SHAPE = re.compile(r"'shape': \(([\d, L]{0,600})\)")


def begins_so(head: bytes) -> bool:
    return head.startswith(MAGIC)


def read(window: Window, told: Told) -> None:
    """Read the header of an array.

    Raises Malformed.
    """
    window.skip(len(MAGIC))
    version = window.number(1)
    window.skip(1)
    size = window.number(2 if version == 1 else 4)
    if size > LONGEST_HEADER:
        raise Malformed(f"a header of {size} bytes")
    header = window.take(size).decode("utf-8", "replace")
    dtype, shape = DTYPE.search(header), SHAPE.search(header)
    if not (dtype and shape):
        raise Malformed("its header tells no dtype and shape")
    told.more["version"] = version
    told.tensors.add("", dtype[1].strip("'"), [int(side) for side in re.findall(r"\d{1,20}", shape[1])])
