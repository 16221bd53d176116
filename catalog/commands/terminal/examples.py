"""Two examples for the help page of every command."""

import typer

from catalog.vocabulary import Kind

NAMES = {Kind.MODEL: "iris", Kind.DATASET: "petals", Kind.ALGORITHM: "trees"}

OF_ITEMS = {
    "ls": (
        "catalog {kind} ls --tag flowers --metric accuracy",
        "catalog {kind} ls --owner ada --sort -timestamp --limit 10",
    ),
    "show": (
        "catalog {kind} show {name}",
        "catalog {kind} show ada/{name} --json",
    ),
    "create": (
        "catalog {kind} create {name} --tag flowers",
        "catalog {kind} create {name} --visibility public --description 'Of the paper'",
    ),
    "update": (
        "catalog {kind} update {name} --visibility public",
        "catalog {kind} update ada/{name} --set accuracy=0.95 --untag draft",
    ),
    "rename": (
        "catalog {kind} rename {name} {name}-2",
        "catalog {kind} rename ada/{name} {name}-2 -q",
    ),
    "share": (
        "catalog {kind} share {name} bob vision-group",
        "catalog {kind} share {name} bob --edit",
    ),
    "rm": (
        "catalog {kind} rm {name}",
        "catalog {kind} ls --tag draft -q | xargs catalog {kind} rm",
    ),
    "restore": (
        "catalog {kind} restore {name}",
        "catalog {kind} restore ada/{name}",
    ),
}
"""Those of `catalog models`, `catalog datasets` and `catalog algorithms`."""

EXAMPLES = {
    "login": (
        "catalog login --url https://models.example.org -u ada",
        "catalog login --token-stdin < token.txt",
    ),
    "logout": (
        "catalog logout",
        "catalog logout --profile work",
    ),
    "whoami": (
        "catalog whoami",
        "catalog whoami --profile work --json",
    ),
    "profile add": (
        "catalog profile add work --url https://models.example.org --tenant acme --username ada",
        "catalog profile add lab --url http://127.0.0.1:8080",
    ),
    "profile use": (
        "catalog profile use work",
        "catalog profile use",
    ),
    "profile ls": (
        "catalog profile ls",
        "catalog profile ls --json",
    ),
    "profile rm": (
        "catalog profile rm lab",
        "catalog profile rm work -q",
    ),
    "push": (
        "catalog push iris model.onnx --tag small --set accuracy=0.95",
        "catalog push iris exported/ --exclude '*.tmp' --alias candidate --dry-run",
    ),
    "pull": (
        "catalog pull iris@champion --to models/",
        "catalog pull ada/iris@3 config.json --to config.json",
    ),
    "search": (
        "catalog search flowers --kind models --tag small",
        "catalog search iris --where accuracy=gte:0.9 --metric accuracy",
    ),
    "compare": (
        "catalog compare iris@1 iris@champion",
        "catalog compare petals@1 petals@latest --kind datasets --json",
    ),
    "lineage": (
        "catalog lineage iris@champion",
        "catalog lineage petals --kind datasets --depth 5",
    ),
    "usage": (
        "catalog usage",
        "catalog usage --tenant acme --json",
    ),
    "version": (
        "catalog version",
        "catalog --version",
    ),
    "serve": (
        "catalog serve",
        "catalog serve --env-file production.env",
    ),
    "log": (
        "catalog log --lines 100",
        "catalog log --follow --json",
    ),
    "sweep": (
        "catalog sweep --dry-run",
        "catalog sweep --tenant acme --grace 7d",
    ),
    "doctor": (
        "catalog doctor",
        "catalog doctor --env-file production.env --json",
    ),
    "migrate": (
        "catalog migrate --dry-run",
        "catalog migrate --tenant acme",
    ),
    "backup": (
        "catalog backup monday.tar",
        "catalog backup acme.tar --tenant acme",
    ),
    "restore": (
        "catalog restore monday.tar",
        "catalog restore acme.tar --tenant acme --as acme-copy",
    ),
    "demo": (
        "catalog demo",
        "catalog demo --remove --yes",
    ),
    "env": (
        "catalog env",
        "catalog env --env-file production.env",
    ),
    "certificate self-signed": (
        "catalog certificate self-signed",
        "catalog certificate self-signed --name models.example.org",
    ),
    "certificate show": (
        "catalog certificate show",
        "catalog certificate show --env-file production.env",
    ),
    "import measurify": (
        "catalog import measurify mongodb://127.0.0.1/measurify uploads/",
        "catalog import measurify mongodb://127.0.0.1/measurify uploads/ --tenant acme",
    ),
    "import kubeflow": (
        "catalog import kubeflow https://registry.example.org",
        "catalog import kubeflow https://registry.example.org --token-file token.txt",
    ),
    "import mlflow": (
        "catalog import mlflow http://mlflow.example.org:5000",
        "catalog import mlflow https://mlflow.example.org --artifacts --username ada --password-file password",
    ),
    "versions ls": (
        "catalog versions ls iris --sort -accuracy --metric accuracy",
        "catalog versions ls petals --kind datasets --all",
    ),
    "versions show": (
        "catalog versions show iris@champion",
        "catalog versions show iris@3 --json",
    ),
    "versions register": (
        "catalog versions register iris s3://models/iris.onnx",
        "catalog versions register iris s3://models/iris.onnx --as paper --set accuracy=0.95",
    ),
    "versions update": (
        "catalog versions update iris@3 --set accuracy=0.95 --stage staging",
        "catalog versions update iris@2 --archive",
    ),
    "versions verify": (
        "catalog versions verify iris@champion",
        "catalog versions verify petals --kind datasets",
    ),
    "versions link": (
        "catalog versions link iris@3 --for 3600",
        "catalog versions link iris@3 --path config.json -q",
    ),
    "versions rm": (
        "catalog versions rm iris@2",
        "catalog versions rm iris@2 --force --yes",
    ),
    "versions prune": (
        "catalog versions prune iris --keep 10 --dry-run",
        "catalog versions prune petals --kind datasets --keep 3 --yes",
    ),
    "retention show": (
        "catalog retention show",
        "catalog retention show iris --json",
    ),
    "retention set": (
        "catalog retention set --keep-versions 10 --trash-for 30d",
        "catalog retention set iris --keep-versions all",
    ),
    "retention apply": (
        "catalog retention apply --dry-run",
        "catalog retention apply --yes",
    ),
    "alias ls": (
        "catalog alias ls iris",
        "catalog alias ls petals --kind datasets",
    ),
    "alias set": (
        "catalog alias set iris champion 3",
        "catalog alias set iris champion 4 --expected 3",
    ),
    "alias history": (
        "catalog alias history iris champion",
        "catalog alias history iris --json",
    ),
    "alias rollback": (
        "catalog alias rollback iris champion",
        "catalog alias rollback petals stable --kind datasets",
    ),
    "alias rm": (
        "catalog alias rm iris candidate",
        "catalog alias rm petals stable --kind datasets",
    ),
    "card show": (
        "catalog card show iris",
        "catalog card show petals --kind datasets --json",
    ),
    "card set": (
        "catalog card set iris README.md",
        "catalog card set petals - --kind datasets < README.md",
    ),
    "card edit": (
        "catalog card edit iris",
        "catalog card edit petals --kind datasets",
    ),
    "card rm": (
        "catalog card rm iris",
        "catalog card rm petals --kind datasets",
    ),
    "tags ls": (
        "catalog tags ls",
        "catalog tags ls flo --limit 5",
    ),
    "tags add": (
        "catalog tags add flowers",
        "catalog tags add flowers small",
    ),
    "tags rm": (
        "catalog tags rm flowers",
        "catalog tags rm flowers small",
    ),
    "metadata ls": (
        "catalog metadata ls",
        "catalog metadata ls acc --limit 5",
    ),
    "metadata add": (
        "catalog metadata add accuracy",
        "catalog metadata add accuracy small",
    ),
    "metadata rm": (
        "catalog metadata rm accuracy",
        "catalog metadata rm accuracy small",
    ),
    "users ls": (
        "catalog users ls",
        "catalog users ls --json",
    ),
    "users create": (
        "catalog users create bob --email bob@example.org",
        "catalog users create carol --role admin --password-stdin < password.txt",
    ),
    "users update": (
        "catalog users update bob --role admin",
        "catalog users update bob --password",
    ),
    "users rm": (
        "catalog users rm bob --transfer ada",
        "catalog users rm bob --yes",
    ),
    "groups ls": (
        "catalog groups ls",
        "catalog groups ls -q",
    ),
    "groups show": (
        "catalog groups show vision",
        "catalog groups show vision --json",
    ),
    "groups create": (
        "catalog groups create vision ada bob",
        "catalog groups create vision --description 'Cameras and images'",
    ),
    "groups add": (
        "catalog groups add vision carol",
        "catalog groups add vision carol dave",
    ),
    "groups remove": (
        "catalog groups remove vision bob",
        "catalog groups remove vision carol dave",
    ),
    "groups rm": (
        "catalog groups rm vision",
        "catalog groups rm vision -q",
    ),
    "tokens ls": (
        "catalog tokens ls",
        "catalog tokens ls --json",
    ),
    "tokens create": (
        "catalog tokens create ci --scope write --for 30d",
        "catalog tokens create notebook -q > token.txt",
    ),
    "tokens rm": (
        "catalog tokens rm 0123456789abcdef01234567",
        "catalog tokens ls -q | xargs catalog tokens rm",
    ),
    "robots ls": (
        "catalog robots ls",
        "catalog robots ls --json",
    ),
    "robots show": (
        "catalog robots show ci",
        "catalog robots show ci --json",
    ),
    "robots create": (
        "catalog robots create ci --scope write --item iris",
        "catalog robots create nightly --tag flowers -q > token.txt",
    ),
    "robots update": (
        "catalog robots update ci --description 'Trains every night'",
        "catalog robots update ci --item iris",
    ),
    "robots rotate": (
        "catalog robots rotate ci",
        "catalog robots rotate ci -q > token.txt",
    ),
    "robots revoke": (
        "catalog robots revoke ci",
        "catalog robots revoke ci -q",
    ),
    "robots rm": (
        "catalog robots rm ci",
        "catalog robots rm ci --yes",
    ),
    "tenants ls": (
        "catalog tenants ls",
        "catalog tenants ls --json",
    ),
    "tenants show": (
        "catalog tenants show acme",
        "catalog tenants show acme --json",
    ),
    "tenants create": (
        "catalog tenants create acme --email info@acme.example",
        "catalog tenants create acme --email info@acme.example --admin root",
    ),
    "tenants update": (
        "catalog tenants update acme --quota 20G --inspection reject",
        "catalog tenants update acme --organization 'Acme Ltd.'",
    ),
    "tenants rm": (
        "catalog tenants rm acme",
        "catalog tenants rm acme --confirm acme",
    ),
    "cache ls": (
        "catalog cache ls",
        "catalog cache ls -q",
    ),
    "cache rm": (
        "catalog cache rm 4f2a",
        "catalog cache rm --all --yes",
    ),
    "cache prune": (
        "catalog cache prune",
        "catalog cache prune --to 500M",
    ),
    **{
        f"{kind} {command}": tuple(line.format(kind=kind, name=name) for line in lines)
        for kind, name in NAMES.items()
        for command, lines in OF_ITEMS.items()
    },
}


def add_examples(app: typer.Typer, path: str = "") -> None:
    """Put the examples below the options of each command, and of each of its groups."""
    for command in app.registered_commands:
        name = command.name or (command.callback.__name__.replace("_", "-") if command.callback else "")
        lines = EXAMPLES.get(f"{path} {name}".strip())
        if lines:
            command.epilog = "Examples:\n\n" + "\n\n".join(lines)
    for group in app.registered_groups:
        if group.typer_instance:
            add_examples(group.typer_instance, f"{path} {group.name}".strip())
