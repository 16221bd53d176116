"""Shell completion: names of items, the versions and aliases behind an `@`, and tags.

Fixed words, such as a stage, are completed by their type.
"""

import re
from collections.abc import Callable, Iterable
from itertools import islice

from typer import _completion_classes, _completion_shared

from catalog import client
from catalog.client.errors import CatalogError

TIMEOUT = 2.0  # seconds: the user is waiting at the prompt
MAX_NAMES = 50

BASH = r"""
%(complete_func)s() {
    local IFS=$'\n' rest="$COMP_LINE" breaks="" prefix="" last=-1 at sign
    local -a words
    for (( at = 0; at <= COMP_CWORD; at++ )); do
        if (( at == 0 )) || [[ "$rest" == [[:blank:]]* ]]; then
            (( ++last ))
            rest="${rest#"${rest%%%%[![:blank:]]*}"}"
        fi
        words[last]="${words[last]}${COMP_WORDS[at]}"
        rest="${rest#"${COMP_WORDS[at]}"}"
    done
    for sign in @ : =; do
        [[ "$COMP_WORDBREAKS" == *"$sign"* ]] && breaks="$breaks$sign"
    done
    if [[ -n "$breaks" && "${words[last]}" != [\"\']* ]]; then
        prefix="${words[last]%%"${words[last]##*[$breaks]}"}"
        prefix="${prefix%%@}"
    fi
    COMPREPLY=( $( env COMP_WORDS="${words[*]}" COMP_CWORD=$last %(autocomplete_var)s=complete_bash "$1" ) )
    COMPREPLY=( "${COMPREPLY[@]#"$prefix"}" )
    return 0
}

complete -o default -F %(complete_func)s %(prog_name)s
"""
"""In bash an `@` and a `:` end a word. This script joins the words that have no blank between them, and returns the
part of each answer that bash replaces: the part after the last such sign, and an `@` itself.
"""


def use_bash_script() -> None:
    """Have `--install-completion` and `--show-completion` use this script for bash, instead of the library's."""
    vars(_completion_shared)["_completion_scripts"]["bash"] = BASH
    _completion_classes.BashComplete.source_template = BASH


def models(incomplete: str) -> list[str]:
    return _names("models", incomplete)


def datasets(incomplete: str) -> list[str]:
    return _names("datasets", incomplete)


def algorithms(incomplete: str) -> list[str]:
    return _names("algorithms", incomplete)


COMPLETERS = {"models": models, "datasets": datasets, "algorithms": algorithms}


def references(incomplete: str) -> list[str]:
    """Names of models; behind an `@` the aliases of that model, and its versions."""
    name, at, which = incomplete.rpartition("@")
    if not at:
        return models(incomplete)

    def ask(catalog: "client.Catalog") -> list[str]:
        item = catalog.models.get(name)
        newest = [version.ordinal for version in reversed(item.versions)]
        return [f"{name}@{each}" for each in (*item.aliases, "latest", *newest) if each.startswith(which)]

    return _asked(ask)


def tags(incomplete: str) -> list[str]:
    return _asked(lambda catalog: [term.id for term in catalog.tags.suggest(incomplete)])


def _names(kind: str, beginning: str) -> list[str]:
    """The names that begin with the text."""
    filter_ = {"name": {"$regex": f"^{re.escape(beginning)}"}} if beginning else None

    def ask(catalog: "client.Catalog") -> list[str]:
        found = catalog.items(kind).list(filter=filter_, batch=MAX_NAMES)
        return [item.name for item in islice(found, MAX_NAMES)]

    return _asked(ask)


def _asked(ask: Callable[["client.Catalog"], Iterable[str]]) -> list[str]:
    """The answer of the catalog; nothing if it does not answer."""
    try:
        with client.Catalog(timeout=TIMEOUT) as catalog:
            return [*ask(catalog)]
    except CatalogError:
        return []
