"""What of a folder is pushed, and what of it is refused or left out."""

import os

import pytest

from catalog.client.errors import Invalid
from catalog.client.transfer.patterns import Selection
from catalog.client.transfer.uploads.contents import opened
from catalog.client.transfer.uploads.folder_walk import walk


def tree(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(path.encode(errors="surrogateescape"))
    return folder


def test_links_are_followed_inside_and_to_files(tmp_path):
    folder = tree(tmp_path / "it", "a/one.txt")
    (folder / "b").symlink_to("a")
    tree(tmp_path, "blob")
    (folder / "weights.bin").symlink_to(tmp_path / "blob")

    assert sorted(walk(folder).files) == ["a/one.txt", "b/one.txt", "weights.bin"]


def test_links_outside_in_circles_and_to_nowhere_are_refused_together(tmp_path):
    folder = tree(tmp_path / "it", "a/one.txt")
    tree(tmp_path, "elsewhere/two.txt")
    (folder / "outside").symlink_to(tmp_path / "elsewhere")
    (folder / "a" / "up").symlink_to("..")
    (folder / "lost").symlink_to("nothing")

    with pytest.raises(Invalid, match="3 files") as refused:
        walk(folder)

    for each in (
        "a/up (a link to a folder that it is in)",
        "outside (a link to a folder outside)",
        "lost (a link that",
    ):
        assert each in str(refused.value)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (b"caf\xe9.txt", "not UTF-8"),
        (b"C:\\x", "Windows has no"),
        (b"a:b", "Windows has no :"),
        (b"aux.txt", "reserved on Windows"),
        (b"LPT1", "reserved on Windows"),
        (b"end.", "drops the end"),
        (b"new\nline", "control characters"),
        ("/".join(["ä" * 127] * 3).encode(), "a path 512"),
    ],
)
def test_names_that_not_every_system_has_are_refused_with_the_reason(tmp_path, name, reason):
    folder = tree(tmp_path, "fine.txt", os.fsdecode(name))

    with pytest.raises(Invalid, match=reason) as refused:
        walk(folder)

    str(refused.value).encode()
    assert "--exclude" in refused.value.advice


def test_names_of_255_bytes_and_device_like_names_are_fine(tmp_path):
    names = ["ä" * 127 + "x", "auxiliary.txt", "console", "a.con"]

    assert sorted(walk(tree(tmp_path, *names)).files) == sorted(names)


def test_what_is_ignored_is_left_out_and_said(tmp_path):
    folder = tree(
        tmp_path, ".git/config", "a/__pycache__/x.pyc", ".DS_Store", "a/keep.log", "a/drop.log", "top.tmp", "a/top.tmp"
    )
    (folder / ".catalogignore").write_text("# logs\n*.log\n!keep.log\n/top.tmp\n")

    found = walk(folder)

    assert sorted(found.files) == ["a/keep.log", "a/top.tmp"]
    assert sorted(found.left_out) == [
        ".DS_Store",
        ".catalogignore",
        ".git/",
        "a/__pycache__/",
        "a/drop.log",
        "top.tmp",
    ]


@pytest.mark.parametrize(
    ("include", "exclude", "found"),
    [
        (["*.json"], [], ["a/x.json", "x.json"]),
        (["a/"], ["*.bin"], ["a/x.json"]),
        (["a/**"], [], ["a/b/x.bin", "a/x.json"]),
        ([], ["**/b/*", "/x.json"], ["a/x.json"]),
        ([], ["[!a]*.json"], ["a/b/x.bin"]),
        ([], ["a"], ["x.json"]),
    ],
)
def test_patterns_are_those_of_gitignore(tmp_path, include, exclude, found):
    folder = tree(tmp_path, "x.json", "a/x.json", "a/b/x.bin")

    assert sorted(walk(folder, Selection(tuple(include), tuple(exclude))).files) == found


@pytest.mark.parametrize("what", [None, 7, b"bytes", "", [], [""], {}])
def test_what_is_no_file_is_refused_in_a_sentence(what):
    with pytest.raises(Invalid), opened(what):
        pass


def test_a_file_that_is_open_for_text_is_refused(tmp_path):
    with tree(tmp_path, "x").joinpath("x").open() as file, pytest.raises(Invalid, match="for text"), opened(file):
        pass


def test_a_home_folder_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tree(tmp_path, "m.bin")))

    with opened("~/m.bin") as content:
        assert [*content.files] == ["m.bin"]
