"""Versions of many items in one list: of the items that the caller may read."""
