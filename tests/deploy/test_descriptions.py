"""The descriptions of docs/deploy for systemd and Kubernetes are valid, and agree with the server."""

import json
import re
import shutil
import subprocess
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from catalog.durations import Duration
from catalog.server.sockets import GRACE
from catalog.settings.secret_files import FILES
from catalog.settings.settings import Settings
from tests.support.paths import ROOT

DEPLOY = ROOT / "docs" / "deploy"
SETTINGS = {name.upper() for name in Settings.model_fields}


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    found = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
    return {resource["kind"]: resource for resource in found}


def test_the_resources_of_kubernetes_fit_their_schemas(resources):
    for resource in resources.values():
        kubernetes_validate.validate(resource, "1.34", strict=True)


def test_the_probes_and_the_times_of_the_pod_fit_the_settings(resources):
    check_pod(resources["Deployment"]["spec"]["template"]["spec"])


def check_pod(pod: dict[str, Any]) -> None:
    [container] = pod["containers"]
    variables = {each["name"]: each["value"] for each in container["env"]}
    startup = container["startupProbe"]

    assert set(variables) <= SETTINGS | set(FILES)
    assert startup["periodSeconds"] * startup["failureThreshold"] > Duration(variables["DATABASE_WAIT"]).total_seconds()
    assert pod["terminationGracePeriodSeconds"] > Duration(variables["STOP_DELAY"]).total_seconds() + GRACE
    assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
    assert startup["httpGet"]["path"] == container["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    assert pod["enableServiceLinks"] is False


CHART = DEPLOY / "helm" / "catalog"

VALUES = {
    "as they are": ((), {"Deployment", "Service", "Ingress", "PodDisruptionBudget"}),
    "a volume and one server": (
        ("storage.kind=files", "replicas=1", "ingress.enabled=false", "stopDelaySeconds=60"),
        {"Deployment", "Service", "PersistentVolumeClaim"},
    ),
    "everything": (
        (
            "backup.enabled=true",
            "serviceAccount.name=catalog",
            "image.pullSecrets={registry}",
            "settings.MAX_UPLOAD_SIZE=50G",
            "secret.smtpPassword=true",
            "ingress.className=nginx",
            "storage.s3.region=eu-west-1",
            "databaseWaitSeconds=300",
        ),
        {"Deployment", "Service", "Ingress", "PodDisruptionBudget", "CronJob"},
    ),
}


def test_the_values_of_the_chart_fit_their_schema():
    values, schema = yaml.safe_load((CHART / "values.yaml").read_text()), CHART / "values.schema.json"

    jsonschema.validate(values, json.loads(schema.read_text()))


def test_the_chart_passes_the_checks_of_helm():
    done = helm("lint", CHART, "--strict")

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("case", VALUES)
def test_what_the_chart_becomes_fits_the_schemas_and_the_settings(case):
    values, kinds = VALUES[case]

    done = helm("template", "models", CHART, "--set", ",".join(values))
    made = {resource["kind"]: resource for resource in yaml.safe_load_all(done.stdout) if resource}

    assert made.keys() == kinds, done.stderr
    for resource in made.values():
        kubernetes_validate.validate(resource, "1.34", strict=True)
    check_pod(made["Deployment"]["spec"]["template"]["spec"])
    labels = made["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert made["Service"]["spec"]["selector"].items() <= labels.items()


def helm(*arguments: Any) -> subprocess.CompletedProcess[str]:
    if not shutil.which("helm"):
        pytest.skip("helm is not installed here")
    command = ["helm", *arguments, "--kube-version", "1.34.0"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_unit_of_systemd_is_valid(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed here")
    unit = (DEPLOY / "catalog.service").read_text().replace("/opt/catalog/bin/catalog", "/bin/true")
    (tmp_path / "catalog.service").write_text(unit)

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / "catalog.service"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_of_systemd_leaves_the_server_its_time():
    unit = (DEPLOY / "catalog.service").read_text()
    variables = dict(re.findall(r"^Environment=(\w+)=(.*)$", unit, re.MULTILINE))
    [stop] = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)

    assert set(variables) <= SETTINGS | set(FILES)
    assert int(stop) > Duration(variables["STOP_DELAY"]).total_seconds() + GRACE
    assert "KillMode=mixed" in unit
