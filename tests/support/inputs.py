"""Inputs of the domain, written as the JSON of the native dialect."""

from catalog.domain.items.inputs import ItemChange, ListChange, MetadataPair, NewItem, PairToRemove


def new_item(name, metadata=(), **fields) -> NewItem:
    return NewItem(name=name, metadata=[MetadataPair(**pair) for pair in metadata], **fields)


def item_change(metadata=None, **fields) -> ItemChange:
    lists = {field: ListChange(**change) for field, change in fields.items() if isinstance(change, dict)}
    return ItemChange(**{**fields, **lists, "metadata": metadata and metadata_change(**metadata)})


def metadata_change(remove=(), add=()):
    return ListChange([PairToRemove(**pair) for pair in remove], [MetadataPair(**pair) for pair in add])
