"""Keras: the configuration of a model, which names the classes and functions that loading it would import.

It is the JSON `config.json` of a `.keras` archive, or an attribute of an old HDF5 file, found there by how it begins.
"""

import json
import re
from collections.abc import Callable, Iterator
from io import BufferedReader

from catalog.inspection.formats.json_text import parsed_as_python_does
from catalog.inspection.formats.window import MalformedError
from catalog.inspection.sandbox.values import ImportedName
from catalog.inspection.sandbox.views import LimitExceededError

LONGEST = 8 * 2**20
"""Bytes of a configuration."""

MOST_VALUES = 1_000_000
SEARCHED = 8 * 2**20
"""Bytes of an HDF5 file in which its configuration is looked for, at its beginning and at its end."""

HDF5 = b"\x89HDF\r\n\x1a\n"
ATTRIBUTE = b"model_config"
BEGINS = re.compile(rb'\{\s{0,4}"(?:class_name|module)"\s{0,4}:\s{0,4}"')
SAYS_CLASS = re.compile(rb"c\0*l\0*a\0*s\0*s\0*_|\\u")
"""In whatever encoding Python's reader of JSON takes; an escape could be any letter."""

CODE = re.compile(rb'"class_name"\s{0,4}:\s{0,4}"(?:Lambda|__lambda__)"')
HOLDS_CODE = {
    "Lambda": "a Lambda layer, which holds Python code",
    "__lambda__": "a lambda, which is Python code",
    "TorchModuleWrapper": "a PyTorch module, which is a pickle",
}
OWN = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras")

COMPUTING = re.compile(r"\.(activations|constraints|initializers|losses|math|metrics|nn|ops|regularizers)\b")
"""Modules of Keras whose functions only compute."""


class Configuration:
    """What is named in one. `found` receives imports that are not Keras's own, `accused` receives code."""

    def __init__(self, found: Callable[[ImportedName], None], accused: Callable[[str], None]) -> None:
        self._found, self._accused = found, accused

    def read(self, text: bytes) -> bool:
        """Whether it is one of a model: any program may call a file `config.json`.

        Raises MalformedError, LimitExceededError.
        """
        if len(text) > LONGEST:
            raise LimitExceededError(f"a configuration of more than {LONGEST} bytes")
        value = parsed_as_python_does(text, MOST_VALUES, LimitExceededError)
        self._look_at(value)
        return isinstance(value, dict) and value.keys() >= {"class_name", "config"}

    def search(self, content: bytes) -> bool:
        """Look at every configuration that stands in these bytes, and tell whether there is one.

        Raises LimitExceededError.
        """
        at, decoder, met = 0, json.JSONDecoder(), False
        if CODE.search(content):
            self._accused(f"has {HOLDS_CODE['Lambda']}")
        while begin := BEGINS.search(content, at):
            met = True
            at = begin.end()
            text = content[begin.start() : begin.start() + LONGEST].partition(b"\0")[0]
            try:
                _, size = decoder.raw_decode(text.decode("utf-8", "replace"))
                self.read(text.decode("utf-8", "replace")[:size].encode())
            except (MalformedError, ValueError, RecursionError):
                continue
            at = begin.start() + size
        return met

    def _look_at(self, value: object) -> None:
        for thing in _objects(value):
            kind, module, config = thing.get("class_name"), thing.get("module"), thing.get("config")
            if isinstance(kind, str) and kind in HOLDS_CODE:
                self._accused(f"has {HOLDS_CODE[kind]}")
            if not isinstance(module, str) or not isinstance(kind, str):
                continue
            name = config if kind == "function" and isinstance(config, str) else kind
            if not _is_own(module, name):
                self._found(ImportedName(module, name))


def _is_own(module: str, name: str) -> bool:
    """A layer or a function of Keras that only computes."""
    own = any(module == root or module.startswith(f"{root}.") for root in OWN)
    return own and (name[:1].isupper() or bool(COMPUTING.search(module)))


def _objects(value: object) -> Iterator[dict[str, object]]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def ends_of(file: BufferedReader) -> Iterator[bytes]:
    """Where HDF5 has its attributes: near the beginning, or near the end. A stream has no end that is known."""
    yield file.read(SEARCHED)
    if file.seekable():
        at, size = file.tell(), file.seek(0, 2)
        if size > at:
            file.seek(max(at, size - SEARCHED))
            yield file.read(SEARCHED)
