"""The page at `/`, where the link of a reset mail leads."""

import os
import re
import shutil
import subprocess
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from catalog.dialects import front
from tests.support.serving import TENANT, Server

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


async def test_a_browser_is_shown_a_page_and_everybody_else_nothing(client):
    shown = await client.get("/", headers=BROWSER)
    others = [await client.get("/", headers={"Accept": accept}) for accept in ("*/*", "application/json", "")]

    assert (shown.status_code, shown.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert {(answer.status_code, answer.json()["value"]) for answer in others} == {(404, 100)}
    assert {answer.headers["Vary"] for answer in (shown, *others)} == {"Accept"}


async def test_the_page_runs_its_own_script_and_style_and_nothing_else(client):
    answer = await client.get("/", headers=BROWSER)

    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        [inline] = re.findall(f"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)
        assert policy[directive] == f"'sha256-{b64encode(sha256(inline.encode()).digest()).decode()}'"
    assert (policy["default-src"], policy["connect-src"]) == ("'none'", "'self'")
    assert not re.search(r"\son\w+=|\sstyle=|javascript:|innerHTML", answer.text)


def test_what_the_script_looks_for_is_on_the_page():
    page, script = front.page("/v7"), front.asset("page.js")

    sought = set(re.findall(r"getElementById\('(\w+)'\)", script)) | {"password", "again"}
    assert sought <= set(re.findall(r'id="(\w+)"', page))
    assert 'data-api="v7"' in page
    assert set(re.findall(r'for="(\w+)"', page)) == {"password", "again"}


def dom(url: str, folder: Path) -> str:
    """What a real browser makes of an address, once its scripts have run."""
    command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}"]
    command += ["--virtual-time-budget=3000", "--dump-dom", url]
    env = {**os.environ, "HOME": str(folder)}
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, env=env).stdout


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_a_real_browser_offers_the_form_for_a_whole_link_only(tmp_path):
    with Server(tmp_path) as server:
        whole = dom(f"{server.url}/#/passwordreset?token={'0' * 24}&tenant={TENANT}", tmp_path / "whole")
        half = dom(f"{server.url}/#/passwordreset?token={'0' * 24}", tmp_path / "half")

    assert '<form id="reset">' in whole
    assert '<form id="reset" hidden="">' in half
    assert "This link is not whole." in half
