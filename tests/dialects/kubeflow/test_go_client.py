"""The Go program of docs/kubeflow.md, compiled and run with Kubeflow's own module, where Go is at hand."""

import os
import re
import shutil
import subprocess

import pytest

from tests.support.paths import ROOT
from tests.support.serving import Server

pytestmark = pytest.mark.process

GO = shutil.which("go")
MODULE = "github.com/kubeflow/model-registry/pkg/openapi@v0.3.2"
SOON = 280  # seconds


@pytest.mark.skipif(GO is None, reason="there is no Go compiler on PATH")
@pytest.mark.skipif("CATALOG_SLOW" not in os.environ, reason="it compiles for a minute: CATALOG_SLOW=1 runs it")
def test_the_program_of_the_page_works_with_the_catalog(tmp_path):
    [program] = re.findall(r"^```go\n(.*?)^```", (ROOT / "docs" / "kubeflow.md").read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "main.go").write_text(program)
    (tmp_path / "go.mod").write_text("module example.org/register\n\ngo 1.21\n")
    kept = {name: value for name, value in os.environ.items() if name.startswith(("GO", "PATH", "HOME", "HTTP"))}

    def go(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [GO, *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=kept | more, capture_output=True, text=True, check=False, timeout=SOON
        )

    if (fetched := go("get", MODULE)).returncode:
        pytest.skip(f"the module cannot be fetched: {fetched.stderr[-200:]}")
    built = go("build", "-o", "program", ".")
    assert built.returncode == 0, built.stderr

    (tmp_path / "server").mkdir()
    with Server(tmp_path / "server") as server:
        environment = {**kept, "CATALOG": server.url, "TOKEN": server.login().json()["token"]}
        ran = subprocess.run(
            [tmp_path / "program"], env=environment, capture_output=True, text=True, check=False, timeout=SOON
        )

    assert (ran.returncode, ran.stdout) == (0, "true v1\n"), ran.stderr
