"""The types of what the server answers: a value of another type than annotated is no answer of a catalog."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import TypeGuard, TypeVar, Union, get_args, get_origin, get_type_hints, is_typeddict

from catalog.client.errors import NotACatalog

T = TypeVar("T")

Document = Mapping[str, object]
"""An object of JSON."""

Reader = Callable[[object], object]
"""Makes a value of JSON one of an annotated type. Raises NotACatalog."""

PLAIN: Mapping[object, tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    float: (float, int),
    bool: (bool,),
    NoneType: (NoneType,),
}


def shaped(document: object, shape: type[T]) -> T:
    """The document itself, which is checked to be of the TypedDict `shape`. Raises NotACatalog."""
    if not _has_shape(document, shape):
        raise AssertionError  # what has another shape has raised
    return document


def shape_error(problem: str) -> NotACatalog:
    return NotACatalog(f"The server's answer is not that of a catalog ({problem})")


def field_readers(cls: type) -> Mapping[str, Reader]:
    """The readers of the annotated fields of a class."""
    return _field_readers(cls)


@cache
def _field_readers(cls: type) -> Mapping[str, Reader]:
    return {name: _reader(name, hint) for name, hint in get_type_hints(cls).items()}


def _has_shape(document: object, shape: type[T]) -> TypeGuard[T]:
    _reader(shape.__name__, shape)(document)
    return True


def _reader(name: str, hint: object) -> Reader:
    if hint is object:
        return lambda value: value
    if hint in PLAIN:
        return _plain(name, PLAIN[hint])
    if hint is datetime:
        return _moment(name)
    if isinstance(hint, type) and is_typeddict(hint):
        return _typed_dict(name, hint)
    if isinstance(hint, type) and hasattr(hint, "of"):
        return _nested(name, hint.of)
    return _generic(name, get_origin(hint), get_args(hint))


def _generic(name: str, origin: object, arguments: Sequence[object]) -> Reader:
    is_union = origin in {Union, UnionType}
    if is_union and all(each in PLAIN for each in arguments):
        return _plain(name, tuple(kind for each in arguments for kind in PLAIN[each]))
    inner = [_reader(name, each) for each in arguments if each is not ...]
    if is_union:
        return _either(name, inner)
    if origin in {Sequence, list}:
        return _elements(name, inner[0])
    if origin in {Mapping, dict}:
        return _values(name, inner[1])
    if origin is tuple:
        return _tuple(name, inner)
    raise TypeError(f"{name}: {origin} has no reader")


def _plain(name: str, types: tuple[type, ...]) -> Reader:
    def read(value: object) -> object:
        if type(value) not in types:  # a boolean is an instance of int
            raise _wrong(name, value)
        return value

    return read


def _moment(name: str) -> Reader:
    def read(value: object) -> datetime:
        try:
            return datetime.fromisoformat(str(value))
        except ValueError:
            raise _wrong(name, value) from None

    return read


def _typed_dict(name: str, shape: type) -> Reader:
    required: frozenset[str] = getattr(shape, "__required_keys__", frozenset())

    def read(value: object) -> Document:
        document = as_document(name, value)
        if missing := required - document.keys():
            raise shape_error(f"{min(missing)} is missing")
        for key, read_field in field_readers(shape).items():
            if key in document:
                read_field(document[key])
        return document

    return read


def _nested(name: str, of: Callable[[Document], object]) -> Reader:
    return lambda value: of(as_document(name, value))


def _either(name: str, readers: Sequence[Reader]) -> Reader:
    def read(value: object) -> object:
        for each in readers:
            try:
                return each(value)
            except NotACatalog:
                continue
        raise _wrong(name, value)

    return read


def _elements(name: str, read_element: Reader) -> Reader:
    def read(value: object) -> tuple[object, ...]:
        return tuple(read_element(each) for each in _as_sequence(name, value))

    return read


def _values(name: str, read_value: Reader) -> Reader:
    return lambda value: {key: read_value(each) for key, each in as_document(name, value).items()}


def _tuple(name: str, readers: Sequence[Reader]) -> Reader:
    def read(value: object) -> tuple[object, ...]:
        elements = _as_sequence(name, value)
        if len(elements) != len(readers):
            raise _wrong(name, value)
        return tuple(read_element(each) for read_element, each in zip(readers, elements, strict=True))

    return read


def as_document(name: str, value: object) -> Document:
    if not isinstance(value, Mapping):
        raise _wrong(name, value)
    return value


def _as_sequence(name: str, value: object) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise _wrong(name, value)
    return value


def _wrong(name: str, value: object) -> NotACatalog:
    return shape_error(f"{name} is of the type {type(value).__name__}")
