"""`catalog retention`."""

from typing import Annotated

import typer

from catalog import client
from catalog.commands.catalog.transfers import Kind
from catalog.commands.terminal.shell import Shell, command, confirm_or_stop
from catalog.durations import Duration, Size, human_size

app = typer.Typer(
    help="Retention of versions, trash and journal: show, set, apply. For administrators; owners for their items.",
    no_args_is_help=True,
)

Item = Annotated[str, typer.Argument(metavar="[ITEM]", help="One item. Default: the tenant.")]
Age = Annotated[str, typer.Option(help="Such as 30d; none: no rule.")]
Bytes = Annotated[str, typer.Option(help="Such as 10G; none: no rule.")]

NO_RULE = "none"


@command(app)
def show(shell: Shell, item: Item = "", *, kind: Kind = "models") -> None:
    """Show what the tenant keeps, or how many versions of an item are kept."""
    if item:
        number = shell.catalog.items(kind).versions(item).retention()
        shell.output.one({"keep_versions": number}, {"versions": number or "all"}, str(number))
    else:
        _show(shell, shell.catalog.retention.get())


@command(app, "set")
def set_policy(
    shell: Shell,
    item: Item = "",
    *,
    keep_versions: Annotated[
        str, typer.Option(help="How many of the newest versions: 10; all; of an item also none: as the tenant says.")
    ] = "",
    trash_for: Age = "",
    trash_size: Bytes = "",
    log_for: Age = "",
    log_size: Bytes = "",
    terms_for: Age = "",
    kind: Kind = "models",
) -> None:
    """Set rules of the tenant, or how many versions of an item are kept. Other rules stay. The sweep applies them."""
    if item:
        number = shell.catalog.items(kind).versions(item).keep(_number(keep_versions or NO_RULE))
        shell.say(f"{item}: {f'the newest {number}' if number else 'all'} versions are kept")
        return
    rules: dict[str, int | None] = {}
    if keep_versions:
        rules["keep_versions"] = _number(keep_versions)
    for name, age in (("trash_days", trash_for), ("log_days", log_for), ("terms_days", terms_for)):
        if age:
            rules[name] = _days(age)
    for name, size in (("trash_bytes", trash_size), ("log_bytes", log_size)):
        if size:
            rules[name] = _bytes(size)
    _show(shell, shell.catalog.retention.change(rules))


@command(app)
def apply(
    shell: Shell,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be removed, and remove nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Apply the policies of the tenant and of its items now. The sweep does so by itself."""
    if not dry_run:
        confirm_or_stop("Remove what the policies do not keep, for good?", yes=yes)
    while True:
        applied = shell.catalog.retention.apply(dry_run=dry_run)
        for version in applied["versions"]:
            shell.say(f"{version['kind']}/{version['name']}@{version['ordinal']}\t{human_size(version['size'])}")
        for entry in applied["trash"]:
            shell.say(f"trash: {entry['kind']}/{entry['name']}\t{human_size(entry['size'])}")
        is_idle = not (applied["versions"] or applied["trash"])  # the time of a request is too short: the sweep goes on
        if dry_run or is_idle or not applied["more"]:
            break
    verb = "would be removed" if dry_run else "were removed"
    shell.say(
        f"{len(applied['versions'])} versions, {len(applied['trash'])} items of the trash, {applied['log']} entries of "
        f"the journal and {applied['terms']} unused terms {verb}{', and more' if applied['more'] else ''}"
    )


def _show(shell: Shell, policy: "client.results.RetentionRules") -> None:
    days = {"trash": policy["trash_days"], "log": policy["log_days"], "terms": policy["terms_days"]}
    sizes = {"trash size": policy["trash_bytes"], "log size": policy["log_bytes"]}
    shown: dict[str, object] = {"versions": policy["keep_versions"] or "all"}
    shown |= {name: f"{count} days" for name, count in days.items() if count is not None}
    shown |= {name: human_size(size) for name, size in sizes.items() if size is not None}
    shell.output.one(policy, shown, str(policy["keep_versions"] or 0))


def _number(text: str) -> int | None:
    if text == NO_RULE:
        return None
    if text != "all" and not (text.isascii() and text.isdigit()):
        raise typer.BadParameter(f"{text}: a number, all or none is needed", param_hint="--keep-versions")
    return 0 if text == "all" else int(text)


def _days(text: str) -> int | None:
    if text == NO_RULE:
        return None
    try:
        return Duration(text).days
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong)) from None


def _bytes(text: str) -> int | None:
    if text == NO_RULE:
        return None
    try:
        return Size(text)
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong)) from None
