"""What is wrong with a JSON body, in one sentence that names the field."""

import re
from collections.abc import Iterator

import msgspec
from msgspec import inspect

from catalog.dialects.v1.models.common import NOT_BLANK, NOT_NUL, ONE_LINE

LONGEST = 80  # characters of a client's value in a sentence

PLACE = re.compile(r"^(.*?)(?: - at `\$(.*)`)?$", re.DOTALL)

TYPES = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}

FORMS: tuple[tuple[str, str], ...] = (
    (r"Object missing required field `(.+)`", "this field is required"),
    (r"Object contains unknown field `(.+)`", "Unknown field ({0})"),
    (r"Expected `str` of length >= 1", "it must not be empty"),
    (r"Expected `str` of length <= (\d+)", "at most {0} characters are allowed"),
    (r"Expected `array` of length <= (\d+)", "at most {0} elements are allowed"),
    (r"Expected `int` (?:<=|>=) -?92233720368547758\d\d", "the number does not fit into 64 bits"),
    (r"Expected `(?:int|float)` >= (\S+)", "it must be at least {0}"),
    (r"Expected `(?:int|float)` <= (\S+)", "it must be at most {0}"),
    (r"Integer value out of range", "the number does not fit into 64 bits"),
)
PATTERNS = {
    NOT_NUL: "the character NUL is not allowed",
    NOT_BLANK: "it must not be blank",
    ONE_LINE: "control characters and line breaks are not allowed",
}


def shown(value: object, longest: int = LONGEST) -> str:
    """A client's value, short enough for an error message."""
    text = str(value)
    return text if len(text) <= longest else f"{text[:longest]}..."


def sentence_of(error: msgspec.ValidationError, of: object) -> str:
    """The sentence of an error in the conversion to the type `of`."""
    found = PLACE.fullmatch(str(error))
    message, path = (found[1], found[2] or "") if found else (str(error), "")
    field = path.lstrip(".").replace("[", ".").replace("]", "")
    if missing := re.fullmatch(FORMS[0][0], message):
        return f"{field}.{missing[1]}: {FORMS[0][1]}".lstrip(".")
    sentence = _sentence(message, of, field)
    return f"{field}: {sentence}" if field else sentence


def _sentence(message: str, of: object, field: str) -> str:
    for form, sentence in FORMS:
        if found := re.fullmatch(form, message):
            return sentence.format(*map(shown, found.groups()))
    if found := re.fullmatch("Expected `str` matching regex '(.+)'", message, re.DOTALL):
        pattern = found[1].replace("\\\\", "\\")
        return PATTERNS.get(pattern, f"it must match {pattern}")
    if found := re.fullmatch("Invalid enum value '?(.*?)'?", message, re.DOTALL):
        return f"`{shown(found[1])}` is not one of {', '.join(_words(inspect.type_info(of), field.split('.')))}"
    if found := re.fullmatch("Expected `(.+)`, got `(.+)`", message):
        return f"{_needed(set(found[1].split(' | ')))} is needed"
    return message


def _needed(types: set[str]) -> str:
    """`a text, a number or true or false`."""
    if "float" in types:
        types.discard("int")
    *most, last = [sentence for name, sentence in TYPES.items() if name in types - {"null"}] or [TYPES["null"]]
    return f"{', '.join(most)} or {last}" if most else last


def _words(of: inspect.Type, path: list[str]) -> Iterator[str]:
    """The words of the enumeration at a place in a type."""
    match of:
        case inspect.EnumType():
            yield from map(str, of.cls)
        case inspect.Metadata():
            yield from _words(of.type, path)
        case inspect.UnionType():
            for each in of.types:
                yield from _words(each, path)
        case inspect.ListType() if path:
            yield from _words(of.item_type, path[1:])
        case inspect.StructType() if path:
            for field in of.fields:
                if field.encode_name == path[0]:
                    yield from _words(field.type, path[1:])
