"""Versions of many items in one list, as far as the caller may read the items."""
