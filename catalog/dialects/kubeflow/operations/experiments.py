"""The operations on experiments and their runs."""

from catalog.dialects.kubeflow.handlers import artifacts, experiments
from catalog.dialects.kubeflow.models.experiments import (
    Experiment,
    ExperimentCreate,
    ExperimentRun,
    ExperimentRunCreate,
    ExperimentRunInput,
    ExperimentRunUpdate,
    ExperimentUpdate,
)
from catalog.dialects.kubeflow.models.lists import ResourcePage
from catalog.dialects.kubeflow.operations.operation import (
    ANY_BODY,
    ANY_PAGE,
    ANY_SHOWN,
    CHILDREN,
    FIND,
    FIND_CHILD,
    GET,
    LINK,
    LIST,
    METRIC_PAGE,
    POST,
    Handlers,
    KubeflowOperation,
    of_entity,
)

_RUNS = Handlers(
    experiments.find_run,
    experiments.list_runs,
    experiments.create_run,
    experiments.read_run,
    experiments.update_run,
)

OF_EXPERIMENTS = [
    *of_entity(
        "Experiment", "experiment", experiments, Experiment, ExperimentCreate, ExperimentUpdate, FIND, more=True
    ),
    KubeflowOperation(
        "getExperimentExperimentRuns",
        GET,
        "/experiments/{id:str}/experiment_runs",
        experiments.list_of_experiment,
        ResourcePage[ExperimentRun],
        query=CHILDREN,
        is_of_experiments=True,
    ),
    KubeflowOperation(
        "createExperimentExperimentRun",
        POST,
        "/experiments/{id:str}/experiment_runs",
        experiments.upsert_of_experiment,
        ExperimentRun,
        ExperimentRunInput,
        status=201,
        is_of_experiments=True,
    ),
    *of_entity(
        "ExperimentRun",
        "experiment_run",
        _RUNS,
        ExperimentRun,
        ExperimentRunCreate,
        ExperimentRunUpdate,
        FIND_CHILD,
        more=True,
    ),
    KubeflowOperation(
        "getExperimentRunArtifacts",
        GET,
        "/experiment_runs/{id:str}/artifacts",
        artifacts.list_of_run,
        ANY_PAGE,
        query=(*CHILDREN, "artifactType", *LINK),
        is_of_experiments=True,
    ),
    KubeflowOperation(
        "upsertExperimentRunArtifact",
        POST,
        "/experiment_runs/{id:str}/artifacts",
        artifacts.upsert_of_run,
        ANY_SHOWN,
        ANY_BODY,
        status=201,
        other_status=200,
        is_of_experiments=True,
    ),
    KubeflowOperation(
        "getExperimentRunsMetricHistory",
        GET,
        "/experiment_runs/metric_history",
        experiments.history,
        METRIC_PAGE,
        query=(*LIST, "name", "stepIds"),
        is_of_experiments=True,
    ),
    KubeflowOperation(
        "getExperimentRunMetricHistory",
        GET,
        "/experiment_runs/{id:str}/metric_history",
        experiments.history_of_run,
        METRIC_PAGE,
        query=(*LIST, "name", "stepIds"),
        is_of_experiments=True,
    ),
]
