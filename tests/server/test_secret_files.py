"""Secrets that are kept in files of their own."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from catalog.commands.cli import app
from catalog.settings.loading import SettingsError, load
from catalog.settings.secret_files import SECRETS
from catalog.settings.settings import Settings
from tests.support.paths import ROOT

NOWHERE = Path("/nonexistent/variables.env")
STRONG = "qJ7uR2xW9zLk4TnB8vYc5MdF1hGs6Pae"


@pytest.fixture
def kept(tmp_path):
    """A file that holds a secret, and its path."""

    def keep(content: bytes = f"{STRONG}\n".encode()) -> str:
        file = tmp_path / "secret"
        file.write_bytes(content)
        return str(file)

    return keep


def refusal(file: Path = NOWHERE, **environ: str) -> str:
    with pytest.raises(SettingsError) as refused:
        load(file, environ)
    return str(refused.value)


@pytest.mark.parametrize("content", [STRONG, f"{STRONG}\n", f"{STRONG}\r\n", f"\ufeff{STRONG}\n"])
def test_a_file_holds_the_secret_without_the_end_of_its_line(kept, content):
    settings = load(NOWHERE, {"JWT_SECRET_FILE": kept(content.encode())})

    assert settings.jwt_secret.get_secret_value() == STRONG


def test_every_secret_may_be_in_a_file(kept):
    hidden = {name.upper() for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    contents = {name: "mongodb://me:hidden@there/catalog" if name == "DATABASE" else STRONG for name in SECRETS}

    for name, content in contents.items():
        value = getattr(load(NOWHERE, {f"{name}_FILE": kept(content.encode())}), name.lower())
        assert content in {value, getattr(value, "get_secret_value", str)()}

    assert hidden | {"DATABASE", "S3_ACCESS_KEY"} == set(SECRETS)


def test_what_the_environment_names_wins_over_what_the_file_of_settings_says(kept, tmp_path):
    file = tmp_path / "variables.env"
    file.write_text(f"API_TOKEN=from-the-settings\nJWT_SECRET_FILE={kept()}\n")
    another = "another secret that is long enough to sign"

    given = load(file, {"API_TOKEN_FILE": kept(), "JWT_SECRET": another})

    assert given.api_token.get_secret_value() == STRONG
    assert given.jwt_secret.get_secret_value() == another


def test_a_secret_and_a_file_of_it_are_one_too_many(kept, tmp_path):
    file = tmp_path / "variables.env"
    file.write_text(f"API_TOKEN={STRONG}\nAPI_TOKEN_FILE={kept()}\n")
    sentence = "API_TOKEN and API_TOKEN_FILE are both set: leave one of them out"

    assert refusal(API_TOKEN=STRONG, API_TOKEN_FILE=kept()) == sentence
    assert refusal(file) == sentence
    assert load(NOWHERE, {"API_TOKEN": "", "API_TOKEN_FILE": kept()}).api_token.get_secret_value() == STRONG


@pytest.mark.parametrize(
    ("content", "why"),
    [(b" \n", "is empty"), (b"\xff\xfe\n", "is not UTF-8 text"), (b"one\ntwo\n", "holds more than one line")],
)
def test_a_file_that_holds_no_secret_is_named(kept, content, why):
    path = kept(content)

    assert refusal(SMTP_PASSWORD_FILE=path) == f"SMTP_PASSWORD_FILE: {path} {why}"


def test_a_file_that_is_not_there_is_named(tmp_path):
    missing = tmp_path / "nowhere"

    assert (
        refusal(JWT_SECRET_FILE=str(missing))
        == f"JWT_SECRET_FILE: {missing} cannot be read (No such file or directory)"
    )
    assert refusal(DATABASE_FILE=str(tmp_path)) == f"DATABASE_FILE: {tmp_path} cannot be read (Is a directory)"


def test_what_a_file_holds_is_checked_like_any_value_and_not_shown(kept):
    short = refusal(HOST="0.0.0.0", JWT_SECRET_FILE=kept(b"too short"))
    guessable = refusal(HOST="0.0.0.0", API_TOKEN_FILE=kept(b"changeme"))

    assert short.startswith("JWT_SECRET should have at least 32 bytes")
    assert guessable.startswith("API_TOKEN is well-known or under 16 characters")
    assert "too short" not in short


def test_a_typo_in_the_name_is_refused_with_the_right_one(tmp_path):
    file = tmp_path / "variables.env"
    file.write_text("API_TOKN_FILE=/run/secrets/api_token\n")

    assert refusal(file).endswith("which is not a setting: did you mean API_TOKEN_FILE?")


def test_a_secret_out_of_a_file_is_not_printed(kept):
    said = CliRunner().invoke(app, ["env"], env={"API_TOKEN_FILE": kept()})

    assert "API_TOKEN=****" in said.stdout.splitlines()
    assert STRONG not in said.output


@pytest.mark.parametrize("document", ["docs/settings.md", "init/variables.env"])
def test_the_documents_name_every_secret_that_may_be_in_a_file(document):
    told = next(part for part in (ROOT / document).read_text().split("\n\n") if "API_TOKEN_FILE" in part)

    assert [name for name in SECRETS if name not in told] == []
