"""A file appears whole or not at all."""

import stat

import pytest

from catalog.atomic_files import new_file


def test_a_new_file_appears_when_it_is_whole(tmp_path):
    file = tmp_path / "secrets"

    with new_file(file) as writing:
        writing.write(b"half")
        assert not file.exists()
        writing.write(b" and half")

    assert file.read_bytes() == b"half and half"
    assert (stat.S_IMODE(file.stat().st_mode), list(tmp_path.iterdir())) == (0o600, [file])


@pytest.mark.parametrize("replace", [True, False])
def test_an_error_leaves_what_was_there(tmp_path, replace):
    file = tmp_path / "backup"
    file.write_bytes(b"before")

    with pytest.raises(TypeError), new_file(file, replace=replace) as writing:
        writing.writelines([b"after", None])

    assert (file.read_bytes(), list(tmp_path.iterdir())) == (b"before", [file])


def test_an_existing_file_is_replaced_only_on_request(tmp_path):
    file = tmp_path / "backup"
    file.write_bytes(b"before")

    with pytest.raises(FileExistsError), new_file(file) as writing:
        writing.write(b"after")
    assert file.read_bytes() == b"before"
    with new_file(file, replace=True) as writing:
        writing.write(b"after")

    assert (file.read_bytes(), list(tmp_path.iterdir())) == (b"after", [file])
