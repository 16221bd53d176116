"""A client's JSON, read field by field. Whatever is wrong with it is refused in one sentence that names the field."""

from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Any, Never, TypeVar

from catalog.domain import naming
from catalog.domain.items.inputs import ListChange, MetadataPair, PairToRemove
from catalog.domain.limits import LIMITS, LONGEST_INTEGER, LONGEST_NAME, Limits
from catalog.errors import EMPTY_BODY, NO_VALID_FIELDS, NOT_CHANGED, Fault, Refused
from catalog.store.documents import Pair
from catalog.store.records import Value

E = TypeVar("E", bound=StrEnum)
R = TypeVar("R")
T = TypeVar("T")


class Form:
    """The fields of a JSON object. `fault` is what a wrong one is refused with."""

    def __init__(self, body: Any, fault: Fault, fields: Collection[str], limits: Limits = LIMITS) -> None:
        self.fault = fault
        self.limits = limits
        if not isinstance(body, dict):
            self.refuse("the request body must be a JSON object")
        self._body: dict[str, Any] = body
        for name in body:
            if name not in fields:
                self.refuse(f"Unknown field ({shown(name)})")

    def refuse(self, sentence: str) -> Never:
        raise Refused(self.fault, sentence)

    def __contains__(self, name: str) -> bool:
        """Whether the client gave the field. `null` is as good as not giving it."""
        return self._body.get(name) is not None

    def text(self, name: str, longest: int = LONGEST_NAME, *, missing: str = "") -> str | None:
        """A string, or None without one; `missing` is the sentence for a field that must be there."""
        value = self._body.get(name)
        if value is None or value == "":
            return self.refuse(f"{name}: {missing}") if missing else value
        return self._text(name, value, longest)

    def required(self, name: str, sentence: str, longest: int = LONGEST_NAME) -> str:
        value = self.text(name, longest, missing=sentence)
        if not value or not value.strip():
            self.refuse(f"{name}: {sentence}")
        return value

    def named(self, name: str, sentence: str, longest: int, rule: Callable[[str], str]) -> str:
        """A new name, as `rule` (one of `naming`) allows and spells it."""
        return self._new(name, self.required(name, sentence, longest), longest, rule)

    def size(self, name: str) -> int | None:
        """A number of bytes, or None without one."""
        value = self._body.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < LONGEST_INTEGER:
            self.refuse(f"{name}: a number of bytes is needed, 0 or more, without quotes")
        return value

    def whole(self, name: str, most: int, of: str) -> int | None:
        """A number of something, such as days, or None without one."""
        value = self._body.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            self.refuse(f"{name}: a number of {of} from 0 to {most} is needed, without quotes")
        return value

    def one_of(self, name: str, words: type[E]) -> E | None:
        value = self._body.get(name)
        if value is None:
            return None
        try:
            return words(value)
        except ValueError:
            allowed = ", ".join(words)
            self.refuse(f"{name}: `{shown(value)}` is not one of {allowed}")

    def list_(self, name: str, read: Callable[[str, Any], T]) -> list[T]:
        """A list, each element read by `read(place, element)`."""
        return self._list(name, self._body.get(name), read, self.limits.most(name))

    def delta(
        self, name: str, read_removed: Callable[[str, Any], R], read: Callable[[str, Any], T]
    ) -> ListChange[R, T] | None:
        """The change of a list, or None without one."""
        value = self._body.get(name)
        if value is None:
            return None
        if not isinstance(value, dict) or not value.keys() <= {"add", "remove"}:
            self.refuse(f'{name}: {{"add": [...], "remove": [...]}} is needed')
        most = self.limits.most(name)
        return ListChange(
            self._list(f"{name}.remove", value.get("remove"), read_removed, most),
            self._list(f"{name}.add", value.get("add"), read, most),
        )

    def words(self, name: str) -> list[str]:
        """Words of the folksonomy, each once, for something new."""
        return list(dict.fromkeys(self.list_(name, self._new_word)))

    def keys(self, name: str) -> list[str]:
        """References to things that must be there already, each once."""
        return list(dict.fromkeys(self.list_(name, self.key)))

    def pairs(self, name: str) -> list[Pair]:
        """Name and value pairs, for something new. A later pair takes the place of an earlier one of its name."""
        given = self.list_(name, self._new_pair)
        return list({pair.name: pair for pair in given}.values())

    def word(self, name: str, value: Any) -> str:
        return self._word(name, value, self.limits.tag)

    def _new_word(self, name: str, value: Any) -> str:
        return self._new(name, self.word(name, value), self.limits.tag, naming.term)

    def _new_pair(self, name: str, value: Any) -> Pair:
        pair = self.pair(name, value)
        new_name = self._new(f"{name}.name", pair.name, self.limits.metadata_name, naming.term)
        return Pair(name=new_name, value=pair.value)

    def _new(self, name: str, value: str, longest: int, rule: Callable[[str], str]) -> str:
        try:
            return self._text(name, rule(value), longest)  # to normalize a text may make it longer
        except naming.NameInvalidError as problem:
            self.refuse(f"{name}: {problem}")

    def _word(self, name: str, value: Any, longest: int) -> str:
        if not isinstance(value, str) or not value.strip():
            self.refuse(f"{name}: a word is needed, a text that is not empty")
        return self._text(name, value, longest)

    def key(self, name: str, value: Any) -> str:
        if not isinstance(value, str) or not value:
            self.refuse(f"{name}: an id or a name is needed")
        return self._text(name, value, LONGEST_NAME + 1 + max(LONGEST_NAME, self.limits.name))  # owner/name

    def pair(self, name: str, value: Any) -> MetadataPair:
        if not isinstance(value, dict) or not set(value) <= {"name", "value", "_id"}:
            self.refuse(f'{name}: {{"name": ..., "value": ...}} is needed')
        if value.get("name") in (None, ""):
            self.refuse(f"{name}.name: Please, supply a name")
        if value.get("value") is None:
            self.refuse(f"{name}.value: Please, supply a value")
        return MetadataPair(
            name=self._word(f"{name}.name", value["name"], self.limits.metadata_name),
            value=self._value(f"{name}.value", value["value"]),
        )

    def pair_to_remove(self, name: str, value: Any) -> PairToRemove:
        """A pair, or a name alone: that removes the pair whatever its value is."""
        if isinstance(value, str) or (isinstance(value, dict) and value.keys() == {"name"}):
            given = value if isinstance(value, str) else value["name"]
            return PairToRemove(self._word(name, given, self.limits.metadata_name))
        pair = self.pair(name, value)
        return PairToRemove(pair.name, pair.value)

    def _list(self, place: str, value: Any, read: Callable[[str, Any], T], most: int) -> list[T]:
        if value is None:
            return []
        if not isinstance(value, list):
            self.refuse(f"{place}: a list is needed")
        if len(value) > most:
            self.refuse(f"{place}: at most {most} are allowed, not {len(value)}")
        return [read(f"{place}.{index}", element) for index, element in enumerate(value)]

    def _value(self, name: str, value: Any) -> Value:
        if isinstance(value, str):
            return self._text(name, value, self.limits.metadata_value)
        if not isinstance(value, int | float):
            self.refuse(f"{name}: a text, a number or true or false is needed")
        if isinstance(value, int) and not -LONGEST_INTEGER <= value < LONGEST_INTEGER:
            self.refuse(f"{name}: the number does not fit into 64 bits")
        return value

    def _text(self, name: str, value: Any, longest: int) -> str:
        if not isinstance(value, str):
            self.refuse(f"{name}: a text is needed")
        if len(value) > longest:
            self.refuse(f"{name}: at most {longest} characters are allowed, not {len(value)}")
        if "\0" in value:
            self.refuse(f"{name}: the character NUL is not allowed")
        return value


def change_form(body: Any, fields: Collection[str], limits: Limits = LIMITS) -> Form:
    """The form of a PUT.

    Raises Refused as the reference does: EMPTY_BODY, NO_VALID_FIELDS when nothing in it can
    change, NOT_CHANGED when something else stands beside what can.
    """
    if body == {}:
        raise Refused(EMPTY_BODY)
    unknown = sorted(set(body) - set(fields)) if isinstance(body, dict) else []
    if unknown and len(unknown) == len(body):
        raise Refused(NO_VALID_FIELDS)
    if unknown:
        raise Refused(NOT_CHANGED, f"Request field cannot be updated ({shown(', '.join(unknown))})")
    return Form(body, NOT_CHANGED, fields, limits)


def shown(value: object, longest: int = 80) -> str:
    """A client's value, short enough for an error message."""
    text = str(value)
    return text if len(text) <= longest else f"{text[:longest]}..."
