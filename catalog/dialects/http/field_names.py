"""Translates the field names of the domain in refusals to those of a dialect.

A refusal of a value begins with the path of its field: `metadata.3.value: at most 100 characters are allowed, not 101`.
Its `subject` is the name of the pair that is meant.
"""

import re
from collections.abc import Mapping

from catalog.errors import Refused

_PATH = re.compile(
    r"(\$?[a-z][a-z_]*)(?:\.(id|link))?(?:\.(?:add|remove|[0-9]+|name|value))*(?=: | is not | comes | takes )"
)


def in_words_of(names: Mapping[str, str], refused: Refused) -> str:
    """The details of a refusal, with the field in the words of a dialect: `names` has them by that of the domain.

    `{}` in a name stands for the name of the pair.
    """
    found = _PATH.match(refused.details)
    if found is None:
        return refused.details
    field = f"{found[1]}.{found[2]}" if found[2] else found[1]
    name = names.get(f"{field}.{refused.subject}") or names.get(field)
    if name is None:
        return refused.details
    if "{}" in name:
        name = name.replace("{}", refused.subject[:80]) if refused.subject else name.partition("{}")[0].rstrip(".'` ")
    return name + refused.details[found.end() :]
