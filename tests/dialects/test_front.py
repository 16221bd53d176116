"""The page at `/`, and the small one where it is not built."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest

from catalog.dialects.front import small_page
from catalog.dialects.front.built import API, POLICY, BuiltPage

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def test_a_browser_is_shown_a_page_and_everyone_else_nothing(client):
    shown = await client.get("/", headers=BROWSER)
    others = [await client.get("/", headers={"Accept": accept}) for accept in ("*/*", "application/json", "")]

    assert (shown.status_code, shown.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert {(answer.status_code, answer.json()["value"]) for answer in others} == {(404, 100)}
    assert all("Accept" in answer.headers["Vary"].split(", ") for answer in (shown, *others))


async def test_the_built_page_and_its_files_are_cached_as_they_may_be(client):
    page = await client.get("/", headers=BROWSER)
    script = await client.get(f"/{re.search(r'assets/index-[^.]+.js', page.text)[0]}")
    again = await client.get(script.url.path, headers={"If-None-Match": script.headers["ETag"]})

    assert (page.headers["Cache-Control"], page.headers["Content-Security-Policy"]) == ("no-cache", POLICY)
    assert (script.headers["Content-Encoding"], script.headers["Content-Type"]) == (
        "gzip",
        "text/javascript; charset=utf-8",
    )
    assert "immutable" in script.headers["Cache-Control"]
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["no-such-file.js", "..%2Findex.html", "%2e%2e%2findex.html"])
async def test_only_files_of_the_page_are_there(client, name):
    answer = await client.get(f"/assets/{name}")

    assert (answer.status_code, answer.json()["value"]) == (404, 100)


def test_the_page_learns_the_prefix_of_the_api():
    page = BuiltPage({"index.html": b"<head>" + API + b"</head>"}, "v7")

    assert b'content="v7"' in page.index.content


def test_a_page_that_is_not_built_is_none(tmp_path):
    assert BuiltPage.read(tmp_path, "v1") is None


def test_the_small_page_runs_its_own_script_and_style_and_nothing_else():
    text = small_page.page("/v1")

    policy = dict(part.strip().split(" ", 1) for part in small_page.policy().split(";"))
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        [inline] = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert policy[directive] == f"'sha256-{b64encode(sha256(inline.encode()).digest()).decode()}'"
    assert (policy["default-src"], policy["connect-src"]) == ("'none'", "'self'")
    assert not re.search(r"\son\w+=|\sstyle=|javascript:|innerHTML", text)


def test_what_the_script_looks_for_is_on_the_page():
    page, script = small_page.page("/v7"), small_page.asset("page.js")

    sought = set(re.findall(r"getElementById\('(\w+)'\)", script)) | {"password", "again"}
    assert sought <= set(re.findall(r'id="(\w+)"', page))
    assert 'data-api="v7"' in page
    assert set(re.findall(r'for="(\w+)"', page)) == {"password", "again"}
