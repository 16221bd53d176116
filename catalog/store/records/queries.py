"""What the records of all collections share: values, conditions and changes."""

from typing import Any

Value = str | int | float | bool
"""The value of a metadata pair. Numbers compare as numbers."""

Query = dict[str, Any]
"""A condition on the records of a collection, in the database's query language."""

Changes = dict[str, Any]
"""New values of fields, by name."""
