"""The results of the client."""

from catalog.client.results.answers import (
    DemoCreated,
    DemoRemoval,
    JournalRecord,
    RetentionResult,
    RetentionRules,
    ServerDescription,
    StorageUsage,
    Sweep,
    SweptFromTenant,
)
from catalog.client.results.comparison import ComparisonResult, DifferentFiles, DifferentTensors, TensorList
from catalog.client.results.items import KINDS, Algorithm, Card, CardFields, Dataset, Item, Model, Term, TrashedItem
from catalog.client.results.lineage import Lineage, LineageNode
from catalog.client.results.people import Grant, Group, Identity, Party, Robot, Tenant, Token, User
from catalog.client.results.result import NEVER, Page, Result, ShortDisplay, Value, pairs
from catalog.client.results.search import ItemFacets, NamedItem
from catalog.client.results.shapes import Document, shaped
from catalog.client.results.versions import Alias, AliasMove, File, Link, Pruned, PrunedVersion, Version

__all__ = [
    "KINDS",
    "NEVER",
    "Algorithm",
    "Alias",
    "AliasMove",
    "Card",
    "CardFields",
    "ComparisonResult",
    "Dataset",
    "DemoCreated",
    "DemoRemoval",
    "DifferentFiles",
    "DifferentTensors",
    "Document",
    "File",
    "Grant",
    "Group",
    "Identity",
    "Item",
    "ItemFacets",
    "JournalRecord",
    "Lineage",
    "LineageNode",
    "Link",
    "Model",
    "NamedItem",
    "Page",
    "Party",
    "Pruned",
    "PrunedVersion",
    "Result",
    "RetentionResult",
    "RetentionRules",
    "Robot",
    "ServerDescription",
    "ShortDisplay",
    "StorageUsage",
    "Sweep",
    "SweptFromTenant",
    "Tenant",
    "TensorList",
    "Term",
    "Token",
    "TrashedItem",
    "User",
    "Value",
    "Version",
    "pairs",
    "shaped",
]
