"""What the demo consists of: people, groups, datasets, algorithms and models, each time the same.

Each thing has random numbers of its own, so that a demo of 10 models is the beginning of one of 60.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from bson import ObjectId

from catalog.domain.demo import files
from catalog.domain.demo.marks import Sort, identity
from catalog.domain.items.inputs import MetadataPair, NewItem
from catalog.store.records import Value
from catalog.vocabulary import Kind, Stage, Status, Visibility

SEED = 2026

ARCHIVED_AT = 19
"""Which of 20 models is archived."""

MODELS = 60
"""How many models the demo has, unless another number is asked for."""

MOST_MODELS = 500

PEOPLE = ("ada.rossi", "ben.okafor", "chiara.conti", "david.lind", "emi.tanaka", "farid.haddad")

TEAMS = {"vision-team": (0, 1), "language-team": (2, 3), "forecasting-team": (4, 5)}
"""The groups, and the numbers of the people in them."""


@dataclass(frozen=True, slots=True)
class UseCase:
    """A task that several models, a dataset and an algorithm share."""

    name: str
    team: int
    task: str
    library: str
    metric: str
    data: str  # the name of the dataset
    about: str


CASES = (
    UseCase("leaf-disease", 0, "image-classification", "pytorch", "accuracy", "vineyard-leaves", "diseases of leaves"),
    UseCase("traffic-signs", 0, "object-detection", "pytorch", "map50", "city-streets", "signs in street photographs"),
    UseCase(
        "support-intent", 1, "text-classification", "transformers", "f1", "support-tickets", "what a ticket is for"
    ),
    UseCase("energy-demand", 2, "time-series-forecasting", "xgboost", "rmse", "smart-meters", "the load of a district"),
    UseCase("weld-inspection", 0, "image-segmentation", "pytorch", "iou", "weld-seams", "flaws of welded seams"),
    UseCase(
        "review-sentiment", 1, "text-classification", "transformers", "accuracy", "shop-reviews", "opinions of buyers"
    ),
    UseCase("bike-rental", 2, "tabular-regression", "xgboost", "rmse", "bike-stations", "bicycles taken at a station"),
    UseCase("crop-yield", 2, "tabular-regression", "xgboost", "rmse", "field-harvests", "the harvest of a field"),
    UseCase("meeting-summary", 1, "summarization", "transformers", "rouge_l", "meeting-minutes", "minutes of meetings"),
    UseCase("bird-song", 0, "audio-classification", "pytorch", "accuracy", "dawn-recordings", "birds by their song"),
    UseCase("pump-failure", 2, "tabular-classification", "xgboost", "auc", "pump-sensors", "failures of pumps"),
    UseCase(
        "invoice-fields", 1, "token-classification", "transformers", "f1", "scanned-invoices", "fields of invoices"
    ),
)

VARIANTS = ("base", "small", "large", "quantized", "distilled")

FALLING = ("rmse",)
"""Metrics for which lower is better."""

LICENSES = ("apache-2.0", "mit", "cc-by-4.0", "bsd-3-clause")

TEAM_TAGS = (("vision", "edge"), ("language", "english"), ("forecasting", "tabular"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoVersion:
    id: ObjectId
    filename: str
    mimetype: str
    content: bytes
    description: str
    metadata: Sequence[MetadataPair] = ()
    stage: Stage = Stage.NONE
    inputs: Sequence[ObjectId] = ()  # ids of versions that come before it


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoItem:
    id: ObjectId
    kind: Kind
    owner: int  # the number of a person
    new: NewItem
    card: str
    versions: Sequence[DemoVersion]
    aliases: Mapping[str, ObjectId] = field(default_factory=dict)  # to ids of versions


def items(models: int = MODELS) -> list[DemoItem]:
    """All items of the demo. An item comes behind those that it names."""
    cases = range(min(models, len(CASES)))
    return [
        *(_dataset(number) for number in cases),
        *(_algorithm(number) for number in cases),
        *(_model(number) for number in range(models)),
    ]


def terms(found: Sequence[DemoItem]) -> tuple[set[str], set[str]]:
    """The tags and the metadata names of items."""
    tags = {tag for item in found for tag in item.new.tags}
    return tags, {pair.name for item in found for pair in item.new.metadata}


def _random(sort: Sort, number: int) -> Random:
    return Random(f"{SEED} {sort} {number}")  # noqa: S311  these numbers are no secret


def _pairs(**values: Value) -> list[MetadataPair]:
    return [MetadataPair(name, value) for name, value in values.items()]


def _owner(case: UseCase, number: int) -> int:
    return list(TEAMS.values())[case.team][number % 2]


def _card(title: str, *paragraphs: str) -> str:
    return "\n\n".join(
        [f"# {title}", *paragraphs, "_Made by the demo: invented data, and weights that predict nothing._"]
    )


def _dataset(number: int) -> DemoItem:
    case, random = CASES[number], _random(Sort.DATASET, number)
    rows = sorted(random.sample(range(20, 200), 2))
    versions = [
        DemoVersion(
            id=identity(Sort.DATASET, number, version),
            filename=f"{case.data}.json",
            mimetype="application/json",
            content=files.table(random, count),
            description=("First collection", "More rows, and corrected labels")[version - 1],
            metadata=_pairs(rows=count, checked=version > 1),
        )
        for version, count in enumerate(rows, 1)
    ]
    return DemoItem(
        id=identity(Sort.DATASET, number),
        kind=Kind.DATASET,
        owner=_owner(case, number),
        new=NewItem(
            identity=identity(Sort.DATASET, number),
            name=case.data,
            description=f"Examples for {case.name}: {case.about}",
            license=random.choice(LICENSES),
            tasks=[case.task],
            visibility=Visibility.PUBLIC,
            tags=[TEAM_TAGS[case.team][0], "labelled"],
            metadata=_pairs(source="field study", columns=5),
        ),
        card=_card(case.data, f"Labelled examples about {case.about}.", "Four measurements and a label in each row."),
        versions=versions,
    )


def _algorithm(number: int) -> DemoItem:
    case, random = CASES[number], _random(Sort.ALGORITHM, number)
    made = identity(Sort.ALGORITHM, number, 1)
    return DemoItem(
        id=identity(Sort.ALGORITHM, number),
        kind=Kind.ALGORITHM,
        owner=_owner(case, number),
        new=NewItem(
            identity=identity(Sort.ALGORITHM, number),
            name=f"train-{case.name}",
            description=f"Trains models for {case.about}",
            license=random.choice(LICENSES),
            library=case.library,
            visibility=Visibility.PUBLIC,
            tags=[TEAM_TAGS[case.team][0], "training"],
            datasets=[str(identity(Sort.DATASET, number))],
            status=Status.PRODUCTION,
        ),
        card=_card(f"train-{case.name}", f"The script that trains the models for {case.about}."),
        versions=[
            DemoVersion(
                id=made,
                filename="train.py",
                mimetype="text/x-python",
                content=files.script(case.task, random.choice((0.1, 0.01, 0.001))),
                description="The script in use",
                inputs=[identity(Sort.DATASET, number, 1)],
            )
        ],
    )


def _model(number: int) -> DemoItem:
    about, case = number % len(CASES), CASES[number % len(CASES)]
    random, generation = _random(Sort.MODEL, number), number // len(CASES)
    round_, variant = generation // len(VARIANTS), VARIANTS[generation % len(VARIANTS)]
    name = f"{case.name}-{variant}" + (f"-{round_ + 1}" if round_ else "")
    status = random.choice(tuple(Status))
    versions = _versions(number, about, random, is_live=status is Status.PRODUCTION)
    newest, before = versions[-1], versions[-2]
    aliases = {"champion": newest.id}
    if number % 2:
        aliases = {"champion": before.id, "challenger": newest.id}
    is_public = bool(number % 4)
    return DemoItem(
        id=identity(Sort.MODEL, number),
        kind=Kind.MODEL,
        owner=_owner(case, number),
        new=NewItem(
            identity=identity(Sort.MODEL, number),
            name=name,
            description=f"Recognises or predicts {case.about}",
            license=random.choice(LICENSES),
            languages=["en"] if case.team == 1 else [],
            tasks=[case.task],
            library=case.library,
            provider="Example Works",
            maturity=random.choice(("experimental", "beta", "stable")),
            visibility=Visibility.PUBLIC if is_public else Visibility.PRIVATE,
            tags=[*TEAM_TAGS[case.team], variant],
            metadata=_pairs(metric=case.metric, parameters=random.randrange(1, 400) * 1000, reviewed=number % 2 == 0),
            users=[] if is_public else [str(identity(Sort.GROUP, case.team))],
            status=status,
            datasets=[str(identity(Sort.DATASET, about))],
            archived=number % 20 == ARCHIVED_AT,
        ),
        card=_card(
            name,
            f"A model that recognises or predicts {case.about}.",
            "\n".join(["| version | " + case.metric + " |", "|---|---|", *_rows(versions, case.metric)]),
            f"Pull it with `catalog pull {name}@champion`.",
        ),
        versions=versions,
        aliases=aliases,
    )


def _rows(versions: Sequence[DemoVersion], metric: str) -> list[str]:
    values = [next(pair.value for pair in each.metadata if pair.name == metric) for each in versions]
    return [f"| {number} | {value} |" for number, value in enumerate(values, 1)]


def _versions(number: int, about: int, random: Random, *, is_live: bool) -> list[DemoVersion]:
    case = CASES[about]
    scores = improving(random, random.randint(2, 5), falls=case.metric in FALLING)
    is_network = case.library != "xgboost"
    made = []
    for version, score in enumerate(scores, 1):
        inputs = [identity(Sort.DATASET, about, min(version, 2)), identity(Sort.ALGORITHM, about, 1)]
        if number >= len(CASES) and version == 1:
            inputs.append(identity(Sort.MODEL, about, 1))  # the variants begin with the weights of the first model
        is_newest = version == len(scores)
        made.append(
            DemoVersion(
                id=identity(Sort.MODEL, number, version),
                filename="model.safetensors" if is_network else "model.json",
                mimetype="application/octet-stream" if is_network else "application/json",
                content=files.safetensors(random, 8 * version) if is_network else files.trees(random, 10 * version),
                description="First try" if version == 1 else random.choice(CHANGES),
                metadata=_pairs(
                    **{case.metric: score}, epochs=random.randrange(5, 50), learning_rate=round(0.1 * 0.5**version, 4)
                ),
                stage=(Stage.PRODUCTION if is_live else Stage.STAGING) if is_newest else Stage.ARCHIVED,
                inputs=inputs,
            )
        )
    return made


CHANGES = ("More data", "A lower learning rate", "Larger layers", "Corrected labels", "Longer training")


def improving(random: Random, count: int, *, falls: bool) -> list[float]:
    """Scores of which each is better than the one before."""
    steps = [random.uniform(0.01, 0.05) for _ in range(count)]
    first = random.uniform(0.6, 0.75)
    raised = [round(first + sum(steps[:done]), 4) for done in range(count)]
    return [round(1.2 - score, 4) for score in raised] if falls else raised
