"""Stored profiles: a server, a tenant and a user under a name, with a token of their own."""

import pytest

from catalog.client.errors import NotFound
from catalog.client.profile import find, profiles, remove_profile, save_profile, save_token, use_profile


@pytest.fixture
def environ(tmp_path):
    environ = {"CATALOG_CONFIG": str(tmp_path)}
    save_profile("work", {"url": "https://work.example", "tenant": "acme", "username": "ada"}, environ)
    save_profile("lab", {"url": "https://work.example", "tenant": "lab"}, environ)
    save_token("https://work.example", "token of work", "work", environ)
    save_token("https://work.example", "token of lab", "lab", environ)
    return environ


def test_two_profiles_of_one_server_have_their_own_tokens(environ, tmp_path):
    work, lab = (find({}, environ, tmp_path, name) for name in ("work", "lab"))

    assert (work.url, work.tenant, work.username, work.token) == (
        "https://work.example",
        "acme",
        "ada",
        "token of work",
    )
    assert (lab.tenant, lab.token, lab.is_stored) == ("lab", "token of lab", True)


def test_the_used_profile_counts_less_than_the_environment_and_a_named_one_more(environ, tmp_path):
    use_profile("work", environ)
    elsewhere = {**environ, "CATALOG_URL": "https://other.example", "CATALOG_TOKEN": "token of other"}

    assert find({}, environ, tmp_path).token == "token of work"
    assert find({}, {**environ, "CATALOG_PROFILE": "lab"}, tmp_path).tenant == "lab"
    assert (find({}, elsewhere, tmp_path).url, find({}, elsewhere, tmp_path).token) == (
        "https://other.example",
        "token of other",
    )
    named = find({}, elsewhere, tmp_path, "work")
    assert (named.url, named.token) == ("https://work.example", "token of work")
    assert find({"url": "https://third.example"}, environ, tmp_path, "work").token == ""


def test_a_removed_profile_leaves_no_token(environ, tmp_path):
    use_profile("work", environ)

    remove_profile("work", environ)

    assert (profiles(environ).used, [*profiles(environ).profiles]) == ("", ["lab"])
    assert "token of work" not in (tmp_path / "credentials.json").read_text()
    with pytest.raises(NotFound, match="There is lab"):
        find({}, environ, tmp_path, "work")
