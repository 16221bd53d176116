"""The opcodes of pickles, with what tracing needs: their arguments, and how many values they take and leave."""

import pickletools
from typing import NamedTuple

SIZES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
"""How many bytes hold the length of an argument."""


class Opcode(NamedTuple):
    name: str
    argument: int | None  # bytes, or how they are counted, as `pickletools` says it
    lines: int
    pops: int  # beneath the mark, if it goes down to one
    to_mark: bool
    pushes: int


def _opcode(described: pickletools.OpcodeInfo) -> Opcode:
    before = [item.name for item in described.stack_before]
    to_mark = "mark" in before
    pops = before.index("mark") if to_mark else len(before)
    argument = described.arg.n if described.arg else None
    lines = 2 if described.arg and described.arg.name == "stringnl_noescape_pair" else 1
    return Opcode(described.name, argument, lines, pops, to_mark, len(described.stack_after))


OPCODES = {described.code.encode("latin-1"): _opcode(described) for described in pickletools.opcodes}
