"""What `?`, `help` and editors show of a method that is written as an operation: what it returns to its caller."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import update_wrapper
from types import MappingProxyType
from typing import Any, TypeVar, Unpack, get_args, get_origin, get_type_hints

Types = Mapping[str, type]
"""What type variables stand for in one resource, by their names: `ItemT` is a `Model` in `catalog.models`."""

NO_TYPES: Types = MappingProxyType({})

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class ResultForms:
    """The generic types that a driver makes of the result of an operation, and of a list of elements."""

    result: Any  # None: the result itself
    elements: Any

    def of_result(self, result: Any) -> Any:
        return self.result[result] if self.result else result

    def of_elements(self, element: Any) -> Any:
        return self.elements[element]


SYNC = ResultForms(None, Iterator)
ASYNC = ResultForms(Awaitable, AsyncIterator)


class MethodForms:
    """Gives the methods that are made from one function its name, its docstring and their own signature."""

    def __init__(self, function: Callable[..., Any], returned: Callable[[Any, ResultForms], Any]) -> None:
        self._function = function
        self._returned = returned
        self._signatures: dict[Any, inspect.Signature] = {}

    def on(self, method: Method, forms: ResultForms, types: Types = NO_TYPES, *, bound: bool = True) -> Method:
        key = (forms, bound, *types.items())
        if key not in self._signatures:
            self._signatures[key] = self._signature(forms, types, bound=bound)
        update_wrapper(method, self._function).__dict__["__signature__"] = self._signatures[key]
        return method

    def _signature(self, forms: ResultForms, types: Types, *, bound: bool) -> inspect.Signature:
        hints = get_type_hints(self._function)
        own = inspect.signature(self._function)
        parameters = [
            parameter
            for each in own.parameters.values()
            for parameter in _unpacked(each.replace(annotation=hints.get(each.name, each.annotation)))
        ]
        result = _substituted(self._returned(hints["return"], forms), types)
        return own.replace(parameters=parameters[1:] if bound else parameters, return_annotation=result)


def operation_result(annotation: Any, forms: ResultForms) -> Any:
    """What a function that returns `Operation[T]` returns as a method."""
    return forms.of_result(_result(annotation))


def walk_elements(annotation: Any, forms: ResultForms) -> Any:
    """What a function that returns `Callable[[str], Operation[Page[T]]]` returns as a method."""
    page = _result(get_args(annotation)[-1])
    return forms.of_elements(get_args(page)[0])


def _result(operation: Any) -> Any:
    """The `T` of `Operation[T]`, which is a generator."""
    return get_args(operation)[2]


def _unpacked(parameter: inspect.Parameter) -> list[inspect.Parameter]:
    """The keyword arguments that `**arguments: Unpack[...]` stands for; any other parameter as it is."""
    if parameter.kind is not inspect.Parameter.VAR_KEYWORD or get_origin(parameter.annotation) is not Unpack:
        return [parameter]
    [shape] = get_args(parameter.annotation)
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default="" if hint is str else None, annotation=hint)
        for name, hint in get_type_hints(shape).items()
    ]


def _substituted(annotation: Any, types: Types) -> Any:
    if isinstance(annotation, TypeVar):
        return types.get(annotation.__name__, annotation)
    free = getattr(annotation, "__parameters__", ())
    return annotation[tuple(types.get(each.__name__, each) for each in free)] if free else annotation
