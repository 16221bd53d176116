"""Where backups are kept: a folder or a bucket shows them complete or not at all."""

import asyncio
from datetime import timedelta

import pytest

from catalog.operations.backup import claims
from catalog.operations.backup.targets import FolderTarget


class LineError(Exception):
    """The line is cut."""


async def chunks(*parts, cut=False):
    for part in parts:
        yield part
    if cut:
        raise LineError


def content(target, name):
    with target.source(name).open("rb") as file:
        return b"".join(iter(lambda: file.read(2**16), b""))


async def test_a_backup_is_there_when_it_is_complete_and_is_not_replaced_unasked(target):
    large = [bytes(2**20)] * 12  # more than one part of an upload

    with pytest.raises(LineError):
        await target.save("cut.tar", chunks(*large, cut=True))
    await target.save("b.tar", chunks(*large))
    await target.save("a.tar", chunks(b"first"))
    with pytest.raises(FileExistsError):
        await target.save("a.tar", chunks(b"second"))
    names = await target.names()
    read = await asyncio.to_thread(content, target, "b.tar")
    await target.save("a.tar", chunks(b"third"), force=True)
    await target.remove("b.tar")

    assert names == ["a.tar", "b.tar"]
    assert read == b"".join(large)
    assert (await target.names(), await target.has("b.tar")) == (["a.tar"], False)


async def test_of_two_backups_with_one_name_one_is_kept(target):
    begun, both_have_begun = [], asyncio.Event()

    async def meeting(part):
        yield part
        begun.append(part)
        if len(begun) == 2:
            both_have_begun.set()
        await both_have_begun.wait()

    async def save(part):
        try:
            await target.save("one.tar", meeting(part))
        except FileExistsError as refusal:
            both_have_begun.set()  # the one that is refused at once never meets the other
            return type(refusal)
        return part

    saved = await asyncio.gather(save(b"first"), save(b"second"))
    await target.save("one.tar", chunks(b"third"), force=True)

    assert saved.count(FileExistsError) == 1
    assert await asyncio.to_thread(content, target, "one.tar") == b"third"


async def test_what_a_killed_writer_left_is_cleared_for_the_names_that_are_ours(target, tmp_path):
    written = asyncio.Event()

    async def hanging():
        yield b"begun"
        written.set()
        await asyncio.Event().wait()

    async def refusal(name):
        """What a bucket says of a name that somebody has claimed."""
        try:
            await target.save(name, chunks(b"second"))
        except FileExistsError as refused:
            return str(refused)
        return ""

    writer = asyncio.create_task(target.save("mine.tar", hanging()))
    await written.wait()
    left = [file.name for file in tmp_path.rglob("*.partial")]

    await target.clear(lambda name: name == "other.tar")
    kept = [file.name for file in tmp_path.rglob("*.partial")], "is being written" in await refusal("mine.tar")
    await target.clear(lambda name: name == "mine.tar")
    after = [file.name for file in tmp_path.rglob("*.partial")], await refusal("another.tar")

    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    assert kept == (left, not left)  # a folder has a partial file, a bucket a claim
    assert after == ([], "")


async def test_a_folder_loses_what_a_killed_command_left_of_a_backup_and_nothing_that_is_being_written(tmp_path):
    target, has_begun, may_end = FolderTarget(tmp_path), asyncio.Event(), asyncio.Event()
    left = tmp_path / f".all.tar.{'0' * 16}.partial"
    left.write_bytes(b"left")

    async def slowly():
        yield b"first"
        has_begun.set()
        await may_end.wait()

    writer = asyncio.create_task(target.save("all.tar", slowly()))
    await has_begun.wait()
    with pytest.raises(LineError):
        await target.save("all.tar", chunks(b"second", cut=True))
    may_end.set()
    await writer

    left = [file.read_bytes() for file in tmp_path.iterdir() if file.name != "all.tar"]
    assert (content(target, "all.tar"), left) == (b"first", [b"second"])  # the cut one may be continued


async def test_a_claim_of_a_killed_writer_ends_and_one_that_lives_after_all_does_not_complete(target, monkeypatch):
    has_begun, may_end = asyncio.Event(), asyncio.Event()

    async def slowly():
        yield b"first"
        has_begun.set()
        await may_end.wait()

    monkeypatch.setattr(claims, "LASTS", timedelta(-1))
    writer = asyncio.create_task(target.save("all.tar", slowly()))
    await has_begun.wait()
    await target.save("all.tar", chunks(b"second"))
    may_end.set()
    with pytest.raises(FileExistsError):
        await writer

    assert await asyncio.to_thread(content, target, "all.tar") == b"second"
    assert await target.names() == ["all.tar"]
