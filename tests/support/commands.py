"""Commands in this process: they cost a tenth of what a process of their own costs, which imports everything first."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from catalog.commands.cli import app
from catalog.settings.settings import Settings


def run(folder: Path, *arguments: str, **settings: str) -> Result:
    """`catalog` in `folder`, with these settings and none that this machine happens to set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in Settings.model_fields:
            patch.delenv(name.upper(), raising=False)
        for name, value in settings.items():
            patch.setenv(name, value)
        done = CliRunner().invoke(app, arguments)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done
