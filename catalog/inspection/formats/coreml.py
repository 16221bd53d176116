"""Core ML (`.mlmodel`): a protobuf message with the inputs and outputs of the model, followed by its type."""

from catalog.inspection.formats.protobuf import SIZED, WireField, fields, text
from catalog.inspection.formats.summary import LARGEST, HeaderSummary, brief
from catalog.inspection.formats.window import Window

MOST_NAMES = 50
KINDS_FROM = 200
"""Fields from here on are models; smaller ones describe it."""

KINDS = {
    200: "pipelineClassifier",
    201: "pipelineRegressor",
    202: "pipeline",
    300: "glmRegressor",
    301: "supportVectorRegressor",
    302: "treeEnsembleRegressor",
    303: "neuralNetworkRegressor",
    304: "bayesianProbitRegressor",
    400: "glmClassifier",
    401: "supportVectorClassifier",
    402: "treeEnsembleClassifier",
    403: "neuralNetworkClassifier",
    404: "kNearestNeighborsClassifier",
    500: "neuralNetwork",
    501: "itemSimilarityRecommender",
    502: "mlProgram",
    555: "customModel",
    556: "linkedModel",
    560: "classConfidenceThresholding",
    600: "oneHotEncoder",
    601: "imputer",
    602: "featureVectorizer",
    603: "dictVectorizer",
    604: "scaler",
    606: "categoricalMapping",
    607: "normalizer",
    609: "arrayFeatureExtractor",
    610: "nonMaximumSuppression",
    900: "identity",
    2000: "textClassifier",
    2001: "wordTagger",
    2002: "visionFeaturePrint",
    2003: "soundAnalysisPreprocessing",
    2004: "gazetteer",
    2005: "wordEmbedding",
    2006: "audioFeaturePrint",
    3000: "serializedModel",
}


def read(window: Window, summary: HeaderSummary) -> None:
    """Read a Core ML model.

    Raises MalformedError, LimitExceededError, SandboxNeededError.
    """
    summary.details.update(inputs=[], outputs=[])
    for field in fields(window, window.size):
        match field:
            case WireField(1, 0, version):
                summary.details["version"] = min(version, LARGEST)
            case WireField(2, 2, stop):
                _description(window, stop, summary)
            case WireField(number, 2, _) if number >= KINDS_FROM:
                summary.details["kind"] = KINDS.get(number, f"type {number}")


def _description(window: Window, end: int, summary: HeaderSummary) -> None:
    for field in fields(window, end):
        match field:
            case WireField(1, 2, stop):
                _named(window, stop, summary.details["inputs"])
            case WireField(10, 2, stop):
                _named(window, stop, summary.details["outputs"])


def _named(window: Window, end: int, names: list[str]) -> None:
    for field in fields(window, end):
        if field[:2] == (1, SIZED) and len(names) < MOST_NAMES:
            names.append(brief(text(window, field.value)))
