"""Aliases: movable names for versions of an item, with the history of their moves."""
