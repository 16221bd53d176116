"""What somebody in a notebook sees: signatures, results, errors, progress."""

import inspect
import traceback
from types import SimpleNamespace

import pytest
from IPython.core.interactiveshell import InteractiveShell

from catalog import AsyncCatalog, Catalog
from catalog.client.errors import Unavailable
from catalog.client.results import Model, Token, Version
from catalog.client.transfer import notebooks
from catalog.client.transfer.progress import silent

NOBODY = "http://127.0.0.1:9"


def methods(resource):
    """Those for users: `find_to_push` and `create_to_push` are parts of operations."""
    names = [name for name in dir(type(resource)) if not (name.startswith("_") or name.endswith("_to_push"))]
    return [getattr(resource, name) for name in names if callable(getattr(type(resource), name))]


@pytest.mark.parametrize("client", [Catalog, AsyncCatalog])
def test_each_method_shows_what_it_takes_and_returns(client):
    catalog = client(NOBODY)
    groups = [catalog, catalog.models, catalog.models.versions("x"), catalog.models.aliases("x")]
    groups += [catalog.users, catalog.groups, catalog.tokens, catalog.tags, catalog.tenants, catalog.registry]

    for method in [method for group in groups for method in methods(group)]:
        signature = inspect.signature(method)
        assert "self" not in signature.parameters
        assert "Generator" not in str(signature)
        assert method.__doc__, method


def test_the_type_of_a_result_is_that_of_the_client_and_of_the_kind():
    catalog, asynchronous = Catalog(NOBODY), AsyncCatalog(NOBODY)

    shown = [catalog.models.get, catalog.models.list, asynchronous.datasets.get, asynchronous.datasets.list]
    returned = [str(inspect.signature(method)).rpartition(" -> ")[2] for method in shown]

    prefixes = ("collections.abc.", "catalog.client.results.items.")
    for prefix in prefixes:
        returned = [each.replace(prefix, "") for each in returned]
    assert returned == ["Model", "Iterator[Model]", "Awaitable[Dataset]", "AsyncIterator[Dataset]"]
    assert list(inspect.signature(Catalog.lineage).parameters) == ["self", "name", "which", "kind", "depth"]


def test_what_was_not_loaded_is_not_shown_as_empty():
    version = Version(id="v1", ordinal="3", original="m.onnx", size=10)
    model = Model(id="m1", name="iris", tags=("a",) * 7, versions=(version,), description="d" * 100)

    assert repr(version) == "Version(ordinal='3', id='v1', original='m.onnx', size=10)"
    assert repr(model) == (
        "Model(name='iris', id='m1', description='" + "d" * 60 + "...', "
        "tags=('a', 'a', 'a', 'a', 'a', ... 2 more), versions=<1>)"
    )
    assert "secret" not in repr(Token(id="t", token="secret")) + Token(id="t", token="secret")._repr_html_()


def test_the_text_of_another_user_is_no_markup_in_a_notebook():
    script = "<script>alert(1)</script>"

    shown = Model(id="m1", name=script, tags=(script,), metadata={script: script})._repr_html_()

    assert script not in shown
    assert shown.count("&lt;script&gt;") == 4


def test_the_traceback_of_an_error_ends_at_the_client():
    catalog = Catalog(NOBODY, token="t")
    catalog._session.jitter = lambda: -1.0  # no pauses

    with pytest.raises(Unavailable) as caught:
        catalog.models.get("iris")

    files = [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert [file.rpartition("/")[2] for file in files] == ["test_notebook.py", "base.py", "sync_driver.py"]


@pytest.fixture
def notebook(monkeypatch):
    """IPython with a kernel, as Jupyter has it; a cell's output is in `outputs`."""
    shell = InteractiveShell.instance()
    shell.kernel = SimpleNamespace()
    outputs = []
    monkeypatch.setattr(shell.display_pub, "publish", lambda data, **_: outputs.append(data))
    yield outputs
    InteractiveShell.clear_instance()


def test_a_transfer_shows_a_bar_for_each_phase_in_a_notebook(notebook):
    progress = notebooks.default_progress()

    for phase in ("hashing", "uploading"):
        for done in (0, 2**20, 2**21):
            progress(phase, done, 2**21)

    bars = [bar for bar, _ in progress._bars.values()]
    assert [(bar.description, bar.value, bar.max) for bar in bars] == [
        ("hashing", 2**21, 2**21),
        ("uploading", 2**21, 2**21),
    ]
    assert len(notebook) == 2
    assert all("application/vnd.jupyter.widget-view+json" in data for data in notebook)


def test_without_the_widgets_a_notebook_gets_lines(notebook, monkeypatch, capsys):
    monkeypatch.setitem(notebooks.sys.modules, "ipywidgets", None)

    progress = notebooks.default_progress()
    progress.now = iter((0.0, 11.0)).__next__
    for done in (0, 2**20):
        progress("uploading", done, 2**21)

    assert capsys.readouterr().out.startswith("uploading 1 MiB of 2 MiB")


def test_a_program_gets_no_progress_unless_it_asks():
    assert notebooks.default_progress() is silent
