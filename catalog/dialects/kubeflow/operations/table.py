"""All operations of this dialect. Its routes and its documents are made from this table."""

from catalog.dialects.kubeflow.api import Api
from catalog.dialects.kubeflow.operations.artifacts import OF_ARTIFACTS
from catalog.dialects.kubeflow.operations.experiments import OF_EXPERIMENTS
from catalog.dialects.kubeflow.operations.operation import KubeflowOperation
from catalog.dialects.kubeflow.operations.registry import OF_REGISTRY
from catalog.dialects.kubeflow.operations.serving import OF_SERVING

OPERATIONS = (*OF_REGISTRY, *OF_ARTIFACTS, *OF_SERVING, *OF_EXPERIMENTS)


def operations_of(api: Api) -> list[KubeflowOperation]:
    return [each for each in OPERATIONS if api.has_experiments or not each.is_of_experiments]
