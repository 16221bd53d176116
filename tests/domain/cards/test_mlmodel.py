"""What an MLmodel says: files that MLflow itself writes, and files that say nothing."""

import json

import pandas as pd
import pytest
from mlflow.models import Model, infer_signature

from catalog.domain.cards.mlmodel import parse
from catalog.domain.cards.renderer import rendered


def written() -> bytes:
    """A file as MLflow writes it."""
    signature = infer_signature(pd.DataFrame({"petal|`<b>": [1.5], "kind": ["rose"]}), [0.5], {"threshold": 0.5})
    model = Model(signature=signature, model_size_bytes=1234, mlflow_version="3.17.2")
    model.add_flavor("sklearn", sklearn_version="1.9.1")
    model.add_flavor("python_function", loader_module="mlflow.sklearn")
    return model.to_yaml().encode()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_file_that_mlflow_writes_says_flavors_signature_and_size():
    described = parse(written())

    pairs = {pair["name"]: pair["value"] for pair in described.pairs()}
    signature = json.loads(pairs.pop("mlmodel.signature"))
    assert pairs == {
        "mlmodel.flavors": "python_function, sklearn",
        "mlmodel.model_size_bytes": 1234,
        "mlmodel.mlflow_version": "3.17.2",
    }
    assert {column["name"]: column["type"] for column in signature["inputs"]} == {
        "petal|`<b>": "double",
        "kind": "string",
    }
    assert signature["params"][0]["name"] == "threshold"


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_its_card_shows_texts_of_the_file_as_code():
    shown = rendered(parse(written()).card())

    assert "<code>sklearn</code> <code>1.9.1</code>" in shown
    assert "<td><code>petal|'&lt;b&gt;</code></td>" in shown
    assert "made from" not in shown


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"flavors: {}",
        b"flavors: [sklearn]",
        b"a: &x {}\nflavors: {sklearn: *x}",
        b"flavors: {sklearn: " + b"[" * 1000 + b"}",
        b"- flavors",
    ],
)
def test_what_is_no_mlmodel_says_nothing(content):
    assert parse(content) is None


@pytest.mark.parametrize("inputs", ["[", "[" * 5000, '[{"name": "\\ud800"}]', "[NaN]", "7", '[7, {"tensor-spec": 7}]'])
def test_a_signature_of_anything_is_shown_or_left_out(inputs):
    described = parse(json.dumps({"flavors": {"sklearn": None}, "signature": {"inputs": inputs}}).encode())

    assert "sklearn" in described.card()
    assert all(str(pair["value"]).encode() for pair in described.pairs())
