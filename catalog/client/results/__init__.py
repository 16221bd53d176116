"""The results of the client."""

from catalog.client.results.items import KINDS, Algorithm, Card, Dataset, Item, Model, Term, TrashedItem
from catalog.client.results.lineage import Lineage, LineageNode
from catalog.client.results.people import Grant, Group, Identity, Party, Robot, Tenant, Token, User
from catalog.client.results.result import NEVER, Page, Raw, Result, ShortDisplay, Value, pairs, parse_time
from catalog.client.results.versions import Alias, AliasMove, File, Link, Pruned, PrunedVersion, Version

__all__ = [
    "KINDS",
    "NEVER",
    "Algorithm",
    "Alias",
    "AliasMove",
    "Card",
    "Dataset",
    "File",
    "Grant",
    "Group",
    "Identity",
    "Item",
    "Lineage",
    "LineageNode",
    "Link",
    "Model",
    "Page",
    "Party",
    "Pruned",
    "PrunedVersion",
    "Raw",
    "Result",
    "Robot",
    "ShortDisplay",
    "Tenant",
    "Term",
    "Token",
    "TrashedItem",
    "User",
    "Value",
    "Version",
    "pairs",
    "parse_time",
]
