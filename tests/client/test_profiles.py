"""Stored profiles: a server, a tenant and a user under a name, with a token of their own."""

import pytest

from catalog.client.errors import NotFound
from catalog.client.profile import find, profiles, remove_profile, save_login, save_profile, save_token, use_profile


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


OWN, WORK, OTHER = "https://own.example", "https://work.example", "https://other.example"


@pytest.mark.parametrize(
    ("flags", "variables", "project", "expected", "note"),
    [
        # a token alone is for the server that is asked for, else for the user's own
        ({}, {"TOKEN": "t"}, "", (OWN, "t"), ""),
        ({"url": OTHER}, {"TOKEN": "t"}, "", (OTHER, "t"), ""),
        ({}, {"TOKEN": "t"}, OWN, (OWN, "t"), ""),
        ({}, {"TOKEN": "t"}, OTHER, (OTHER, ""), f"CATALOG_TOKEN is not sent to {OTHER}, which only .catalog.toml"),
        ({}, {"PASSWORD": "p"}, OTHER, (OTHER, ""), "CATALOG_PASSWORD is not sent"),
        # with an address it is for that server
        ({}, {"TOKEN": "t", "URL": f"{OTHER}/v1/"}, OWN, (OTHER, "t"), ""),
        ({"url": OTHER}, {"TOKEN": "t", "URL": OTHER}, "", (OTHER, "t"), ""),
        ({"url": OWN}, {"TOKEN": "t", "URL": OTHER}, "", (OWN, "login"), f"is for {OTHER}, and is not sent to {OWN}"),
        # a named profile has a login of its own
        ({"profile": "work"}, {"TOKEN": "t"}, "", (WORK, "of work"), "CATALOG_TOKEN is not used: the profile work"),
        ({"profile": "new"}, {"TOKEN": "t"}, "", (OTHER, ""), "CATALOG_TOKEN is not used: the profile new"),
        ({"profile": "new"}, {"TOKEN": "t", "URL": WORK}, "", (OTHER, ""), "CATALOG_TOKEN is not used"),
        ({"profile": "work", "url": OTHER}, {"TOKEN": "t"}, "", (OTHER, ""), "CATALOG_TOKEN is not used"),
        ({"profile": "work"}, {}, OTHER, (WORK, "of work"), ""),
        ({}, {"TOKEN": "t", "PROFILE": "new"}, "", (OTHER, "t"), ""),
        ({}, {"PROFILE": "work"}, OWN, (WORK, "of work"), ""),
        ({"url": OWN}, {"TOKEN": "t", "PROFILE": "work"}, "", (OWN, "login"), f"is for {WORK}, and is not sent"),
        # what an argument says counts more than all of it
        ({"token": "a"}, {"TOKEN": "t"}, "", (OWN, "a"), ""),
        ({"token": "a", "profile": "work"}, {}, "", (WORK, "a"), ""),
        ({"password": "p"}, {"TOKEN": "t"}, "", (OWN, ""), ""),
        # a login is for one server
        ({"url": WORK}, {}, "", (WORK, ""), ""),
        ({}, {}, "", (OWN, "login"), ""),
    ],
)
def test_a_token_goes_only_to_the_server_that_it_is_for(environ, tmp_path, flags, variables, project, expected, note):
    save_login(OWN, "login", environ=environ)
    save_profile("new", {"url": OTHER}, environ)
    save_token(WORK, "of work", "work", environ)
    (tmp_path / ".catalog.toml").write_text(f'url = "{project}"\n' if project else "")
    given = {name: value for name, value in flags.items() if name != "profile"}
    named = {f"CATALOG_{name}": value for name, value in variables.items()}

    found = find(given, {**environ, **named}, tmp_path, flags.get("profile", ""))

    assert (found.url, found.token) == expected
    assert (len(found.notes), note in "".join(found.notes)) == (int(bool(note)), True)


@pytest.mark.parametrize(
    ("flags", "variables", "project", "expected"),
    [
        ({"tenant": "lab"}, {}, "", ("", "lab")),
        ({"tenant": "ACME"}, {}, "", ("cat_acme_1", "acme")),
        ({}, {"TENANT": "lab"}, "", ("", "lab")),
        ({}, {}, "lab", ("", "lab")),
        ({}, {"TOKEN": "cat_lab_1"}, "", ("cat_lab_1", "lab")),
        ({}, {"TOKEN": "cat_lab_1", "TENANT": "acme"}, "", ("cat_acme_1", "acme")),
        ({"url": OTHER}, {}, "", ("", "")),
    ],
)
def test_a_token_is_not_used_for_another_tenant_than_is_asked_for(
    environ, tmp_path, flags, variables, project, expected
):
    save_login(OWN, "cat_acme_1", tenant="acme", username="ada", environ=environ)
    (tmp_path / ".catalog.toml").write_text(f'tenant = "{project}"\n' if project else "")
    named = {f"CATALOG_{name}": value for name, value in variables.items()}

    found = find(flags, {**environ, **named}, tmp_path)

    assert (found.token, found.tenant) == expected


def test_tokens_that_others_may_read_are_told(environ, tmp_path):
    save_login(OWN, "login", environ=environ)
    (tmp_path / "credentials.json").chmod(0o644)

    [note] = find({}, environ, tmp_path).notes

    assert f"chmod 600 {tmp_path / 'credentials.json'}" in note


def test_a_profile_of_another_server_loses_its_session(environ, tmp_path):
    save_profile("work", {"url": "https://other.example"}, environ)

    assert "token of work" not in (tmp_path / "credentials.json").read_text()
    assert find({}, environ, tmp_path, "lab").token == "token of lab"
