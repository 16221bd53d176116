"""The descriptions of docs/deploy for systemd and Kubernetes are valid, and agree with the server."""

import re
import shutil
import subprocess
from typing import Any

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
    pod = resources["Deployment"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    variables = {each["name"]: each["value"] for each in container["env"]}
    startup = container["startupProbe"]

    assert set(variables) <= SETTINGS | set(FILES)
    assert startup["periodSeconds"] * startup["failureThreshold"] > Duration(variables["DATABASE_WAIT"]).total_seconds()
    assert pod["terminationGracePeriodSeconds"] > Duration(variables["STOP_DELAY"]).total_seconds() + GRACE
    assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
    assert startup["httpGet"]["path"] == container["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    assert pod["enableServiceLinks"] is False


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
