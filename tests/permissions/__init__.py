"""The table of permissions, and what it takes to ask each of its routes as each of its callers."""
