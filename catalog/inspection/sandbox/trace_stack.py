"""The stack and the memo of a traced pickle, and the opcodes that only move values between them."""

from catalog.inspection.sandbox.reading import UntraceableError
from catalog.inspection.sandbox.values import LONGEST_TUPLE, MARK, UNKNOWN


class TraceStack:
    """It has texts, numbers, names and tuples as far as imports need them. Other values are UNKNOWN."""

    def __init__(self) -> None:
        self.stack: list[object] = []
        self.memo: dict[int, object] = {}
        self.sound = True
        """False once a value was taken from an empty stack, which no writer of pickles does."""

    def pop(self) -> object:
        if self.stack:
            return self.stack.pop()
        self.sound = False
        return UNKNOWN

    def _down_to_mark(self) -> list[object]:
        values: list[object] = []
        while self.stack:
            value = self.stack.pop()
            if value is MARK:
                return values[::-1]
            values.append(value)
        self.sound = False
        return values[::-1]

    def _op_mark(self, _: None) -> None:
        self.stack.append(MARK)

    def _op_dup(self, _: None) -> None:
        self.stack.append(self.stack[-1] if self.stack else UNKNOWN)

    def _op_pop_mark(self, _: None) -> None:
        self._down_to_mark()

    def _op_binint1(self, number: bytes) -> None:
        self.stack.append(int.from_bytes(number, "little"))

    _op_binint2 = _op_long1 = _op_binint = _op_binint1

    def _op_put(self, line: bytes) -> None:
        self._memoize(_number(line))

    def _op_binput(self, index: bytes) -> None:
        self._memoize(int.from_bytes(index, "little"))

    _op_long_binput = _op_binput

    def _op_memoize(self, _: None) -> None:
        self._memoize(len(self.memo))

    def _memoize(self, index: int) -> None:
        if not self.stack:
            self.sound = False
        self.memo[index] = self.stack[-1] if self.stack else UNKNOWN

    def _op_get(self, line: bytes) -> None:
        self.stack.append(self.memo.get(_number(line), UNKNOWN))

    def _op_binget(self, index: bytes) -> None:
        self.stack.append(self.memo.get(int.from_bytes(index, "little"), UNKNOWN))

    _op_long_binget = _op_binget

    def _op_empty_tuple(self, _: None) -> None:
        self.stack.append(())

    def _op_tuple(self, _: None) -> None:
        values = self._down_to_mark()
        self.stack.append(tuple(values) if len(values) <= LONGEST_TUPLE else UNKNOWN)

    def _op_tuple1(self, _: None) -> None:
        self.stack.append((self.pop(),))

    def _op_tuple2(self, _: None) -> None:
        second, first = self.pop(), self.pop()
        self.stack.append((first, second))

    def _op_tuple3(self, _: None) -> None:
        third, second, first = self.pop(), self.pop(), self.pop()
        self.stack.append((first, second, third))

    def _op_empty_dict(self, _: None) -> None:
        self.stack.append({})

    def _op_setitems(self, _: None) -> None:
        values = self._down_to_mark()
        into = self.stack[-1] if self.stack else UNKNOWN
        if isinstance(into, dict) and len(values) <= 2 * LONGEST_TUPLE:
            into.update((key, value) for key, value in zip(values[::2], values[1::2], strict=False) if type(key) is str)


def _number(line: bytes) -> int:
    try:
        return int(line)
    except ValueError:
        raise UntraceableError("a place in the memo that is no number") from None
