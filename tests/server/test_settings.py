import asyncio
import copy
import pickle
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from catalog.commands.cli import app
from catalog.durations import Duration
from catalog.server.banner import warn_of_weak_secrets
from catalog.settings.generated_secrets import with_secrets
from catalog.settings.loading import SettingsError, load
from catalog.settings.settings import Settings, as_written, in_force, table
from tests.support.paths import ROOT

SHIPPED = ROOT / "init" / "variables.env"
SEED = """VERSION=v1
PROTOCOL=https
HTTP_PORT=80
HTTPS_PORT=443
HTTPSSECRET=atmospherePass
API_TOKEN=ifhidhfudshuf8
JWT_SECRET=fdshudshfidsuh
JWT_EXPIRATIONTIME=300000m
DATABASE=mongodb://localhost:27017/registry-catalog
LOG=true
UPLOAD_PATH=./uploads
DEFAULT_TENANT=registry-default-tenant
DEFAULT_TENANT_DATABASE=registry-default
DEFAULT_TENANT_ADMIN_USERNAME=admin\x20
DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD=admin\x20
DEFAULT_TENANT_PASSWORDHASH=true\x20
"""
STRONG = "qJ7uR2xW9zLk4TnB8vYc5MdF1hGs6Pae"
NOWHERE = Path("/nonexistent/variables.env")


@pytest.fixture
def variables(tmp_path):
    def write(text, encoding="utf-8"):
        file = tmp_path / "variables.env"
        file.write_text(text, encoding=encoding)
        return file

    return write


def given(**environ):
    return load(NOWHERE, environ)


def refusal(file=NOWHERE, **environ):
    with pytest.raises(SettingsError) as refused:
        load(file, environ)
    return str(refused.value)


def test_without_a_file_everything_has_its_default():
    assert load(NOWHERE, {}) == Settings()


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(variables):
    file = variables("HTTP_PORT=1111\nHTTPS_PORT=2222\n")

    settings = load(file, {"HTTP_PORT": "3333"})

    assert (settings.http_port, settings.https_port, settings.version) == (3333, 2222, "v1")


def test_the_file_under_the_current_directory_is_the_one_read(tmp_path, monkeypatch):
    (tmp_path / "init").mkdir()
    (tmp_path / "init" / "variables.env").write_text("HTTP_PORT=1111\n")
    monkeypatch.chdir(tmp_path)

    assert load(environ={}).http_port == 1111


def test_an_empty_value_is_one_not_given(variables):
    assert load(variables("HTTP_PORT=1111\n"), {"HTTP_PORT": " "}).http_port == 1111


def test_the_seeds_own_file_is_understood(variables):
    settings = load(variables(SEED), {})

    assert settings.default_tenant_admin_username == "admin"
    assert settings.default_tenant_admin_temporary_password.get_secret_value() == "admin"
    assert settings.default_tenant_passwordhash is True
    assert settings.jwt_expirationtime == timedelta(days=300_000 / 1440)


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_a_file_saved_on_windows_is_read(variables, ending):
    settings = load(variables(f"\ufeffVERSION=v2{ending}# why{ending}{ending}HOST=::1{ending}"), {})

    assert (settings.version, settings.host) == ("v2", "::1")


def test_a_dollar_in_a_value_stays_a_dollar(variables):
    assert load(variables("SMTP_PASSWORD=a${HOME}b\n"), {}).smtp_password.get_secret_value() == "a${HOME}b"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30m", timedelta(minutes=30)),
        ("12h", timedelta(hours=12)),
        ("7d", timedelta(days=7)),
        ("300000m", timedelta(minutes=300_000)),
        ("45s", timedelta(seconds=45)),
        ("90", timedelta(seconds=90)),
    ],
)
def test_a_duration_is_a_length_of_time_and_its_own_text(text, length):
    duration = given(JWT_EXPIRATIONTIME=text).jwt_expirationtime

    assert (duration, duration.text) == (length, text)
    assert copy.deepcopy(duration).text == text


@pytest.mark.parametrize("text", ["0", "30 minutes", "-5m", "1.5h", "m", "99999999d", "٣m"])
def test_what_is_no_duration_is_refused(text):
    assert refusal(JWT_EXPIRATIONTIME=text) == (
        "JWT_EXPIRATIONTIME should be a duration such as 45s, 30m, 12h or 7d (a bare number is seconds)"
    )


def test_settings_go_to_another_process_as_they_are():
    settings = given(SWEEP_EVERY="none", JWT_EXPIRATIONTIME="12h", CORS_ORIGINS="https://a.example", API_TOKEN=STRONG)

    assert pickle.loads(pickle.dumps(settings)) == settings
    assert as_written(pickle.loads(pickle.dumps(settings)).sweep_every) == "none"


def test_the_longest_duration_still_fits_in_a_date():
    assert datetime.now(UTC) + Duration("36500d")


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("VERSION", "v1/x", "one segment"),
        ("PROTOCOL", "ftp", "'https' or 'http'"),
        ("HTTP_PORT", "http", "integer"),
        ("HTTP_PORT", "tcp://10.0.0.7:80", "enableServiceLinks: false"),
        ("HTTPS_PORT", "65536", "65535"),
        ("DATABASE", "postgres://x", "mongodb://"),
        ("DEFAULT_TENANT", "_team", "at most 63 letters"),
        ("DEFAULT_TENANT_DATABASE", "my team", "at most 63 letters"),
        ("STORAGE", "s3:/bucket", "s3://bucket/prefix"),
        ("STORAGE", "s3://", "s3://bucket/prefix"),
        ("STORAGE", "s3://bucket/../other", "s3://bucket/prefix"),
        ("S3_ENDPOINT", "127.0.0.1:9000", "https://host:9000"),
        ("S3_ENDPOINT", "http://key:secret@127.0.0.1:9000", "https://host:9000"),
        ("S3_DOWNLOADS", "direct", "'proxy' or 'redirect'"),
        ("MAX_UPLOAD_SIZE", "-1", "0"),
        ("LOG", "perhaps", "boolean"),
        ("MIN_PASSWORD_STRENGTH", "4", "3"),
        ("CORS_ORIGINS", "https://a.example, b.example", "https://example.org"),
        ("WORKERS", "0", "1"),
        ("WORKERS", "65", "64"),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence_that_names_the_variable(name, value, why):
    sentence = refusal(**{name: value})

    assert sentence.startswith(f"{name} should ")
    assert why in sentence
    assert "\n" not in sentence


def test_origins_are_separated_by_commas():
    assert given(CORS_ORIGINS="https://a.example, http://b.example:81,").cors_origins == (
        "https://a.example",
        "http://b.example:81",
    )


def test_names_of_minio_stand_for_those_of_s3(variables):
    file = variables("MINIO_ENDPOINT=http://file\nS3_ACCESS_KEY=ours\nMINIO_ACCESS_KEY=theirs\n")

    settings = load(file, {"MINIO_SECRET_KEY": "hidden"})

    assert (settings.s3_endpoint, settings.s3_access_key) == ("http://file", "ours")
    assert settings.s3_secret_key.get_secret_value() == "hidden"


ANOTHER_REGISTRY = {
    "REGISTRY_PORT": "8000",
    "MONGODB_URL": "mongodb://root:root@localhost:27017",
    "MONGODB_DB": "metadata",
    "MINIO_ENDPOINT": "localhost:9000",
    "MINIO_ACCESS_KEY": "minioadmin",
    "MINIO_SECRET_KEY": "minioadmin",
    "MINIO_BUCKET": "models",
}


def test_the_settings_of_another_registry_are_understood():
    settings = given(**ANOTHER_REGISTRY)

    assert settings.http_port == 8000
    assert settings.database == "mongodb://root:root@localhost:27017/metadata?authSource=admin"
    assert (settings.storage, settings.s3_endpoint) == ("s3://models", "http://localhost:9000")


def test_our_names_count_more_than_theirs():
    settings = given(**ANOTHER_REGISTRY, DATABASE="embedded", STORAGE="files", HTTP_PORT="0")

    assert (settings.database, settings.storage, settings.http_port) == ("embedded", "files", 0)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"MONGODB_URL": "mongodb://db", "MONGODB_DB": "metadata"}, "mongodb://db/metadata"),
        ({"MONGODB_URL": "mongodb://db/own", "MONGODB_DB": "metadata"}, "mongodb://db/own"),
        ({"MONGODB_URL": "mongodb://db"}, "mongodb://db"),
        ({"MONGODB_DB": "metadata"}, "embedded"),
    ],
)
def test_a_database_of_another_registry_keeps_its_name(theirs, ours):
    assert given(**theirs).database == ours


@pytest.mark.parametrize(("typo", "right"), [("HTTP_PROT", "HTTP_PORT"), ("jwt_secret", "JWT_SECRET")])
def test_a_typo_in_the_file_is_refused_with_the_right_name(variables, typo, right):
    sentence = refusal(variables(f"\n\nVERSION=v1\n\n{typo}=8081\n"))

    assert sentence.endswith(f"line 5 sets {typo}, which is not a setting: did you mean {right}?")


def test_unknown_names_in_the_environment_are_nobodys_business():
    assert given(HTTP_PROT="1", PATH="/bin") == Settings()


@pytest.mark.parametrize("line", ["HTTP_PORT 8081", "HTTP_PORT", "HTTP_PORT: 8081", 'EMAIL_TAG="no end'])
def test_a_line_that_sets_nothing_is_refused(variables, line):
    assert refusal(variables(f"VERSION=v1\n{line}\n")).endswith("line 2 is not of the form NAME=value")


def test_a_file_that_is_no_text_or_no_file_is_refused(variables, tmp_path):
    assert "is not UTF-8 text" in refusal(variables("EMAIL_TAG=é", encoding="latin-1"))
    assert refusal(tmp_path) == f"{tmp_path} cannot be read (Is a directory)"


@pytest.mark.parametrize(
    "name", ["HTTPSSECRET", "API_TOKEN", "S3_SECRET_KEY", "DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD"]
)
@pytest.mark.parametrize("secret", ["admin", "atmospherePass", "fifteen letters", "please-change-me-now"])
def test_a_guessable_secret_is_accepted_on_loopback_only(name, secret):
    assert given(HOST="127.0.0.1", **{name: secret})

    sentence = refusal(HOST="0.0.0.0", **{name: secret})

    assert sentence.startswith(f"{name} is well-known or under 16 characters")
    assert secret not in sentence


def test_the_settings_that_the_reference_prints_are_taken_on_loopback_with_warnings(variables, caplog):
    settings = load(variables(SEED), {})

    warn_of_weak_secrets(settings)

    assert settings.default_tenant_admin_username == "admin"
    warned = {record.getMessage().split()[0] for record in caplog.records}
    assert warned == {"HTTPSSECRET", "API_TOKEN", "JWT_SECRET", "DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD"}
    assert "fdshudshfidsuh" not in caplog.text
    with pytest.raises(SettingsError):
        load(variables(SEED), {"HOST": "0.0.0.0"})


def test_a_secret_that_is_too_short_to_sign_with_does_not_face_a_network():
    assert given(JWT_SECRET="as short as thirty-one bytes...")

    sentence = refusal(HOST="0.0.0.0", JWT_SECRET="as short as thirty-one bytes...")

    assert sentence.startswith("JWT_SECRET should have at least 32 bytes")
    assert "leave it empty to have one generated" in sentence


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("1000", 1000), ("500K", 500 * 2**10), ("20m", 20 * 2**20), ("1.5K", 1536), ("10GiB", 10 * 2**30)],
)
def test_sizes_are_written_with_a_unit_or_without(text, size):
    settings = given(MAX_UPLOAD_SIZE=text, LOG_SIZE=text)

    assert (settings.max_upload_size, settings.log_size) == (size, size)
    assert f"LOG_SIZE={text}" in in_force(settings)
    assert "should be a size" in refusal(LOG_SIZE="ten")


@pytest.mark.parametrize(("text", "length"), [("0", 0), ("none", 0), ("45", 45), ("2m", 120), ("1h", 3600)])
def test_a_delay_is_a_duration_of_at_most_an_hour_or_nothing(text, length):
    settings = given(DATABASE_WAIT=text, STOP_DELAY=text)

    assert (settings.database_wait.total_seconds(), settings.stop_delay.total_seconds()) == (length, length)
    assert f"STOP_DELAY={text}" in in_force(settings)
    assert refusal(STOP_DELAY="61m") == "STOP_DELAY should be at most 1h"
    assert "should be a duration" in refusal(DATABASE_WAIT="soon")


def test_days_may_have_their_unit():
    assert given(TRASH_DAYS="30d").trash_days == given(TRASH_DAYS="30").trash_days == 30


def test_strong_or_generated_secrets_may_face_a_network():
    assert given(HOST="0.0.0.0", API_TOKEN=STRONG, SMTP_PASSWORD="short")


@pytest.mark.parametrize(
    ("host", "alone"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("::", False), ("a.example", False)],
)
def test_loopback_is_told_from_a_network(host, alone):
    assert given(HOST=host).on_loopback is alone


def test_no_secret_is_shown():
    names = [name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)]
    secrets = {name.upper(): f"{STRONG}{name}" for name in names}
    settings = given(**secrets, DATABASE=f"mongodb://me:{STRONG}@there/db?tlsCertificateKeyFilePassword={STRONG}")

    assert len(secrets) == 6
    assert STRONG not in repr(settings) + str(settings) + "\n".join(in_force(settings))
    assert "API_TOKEN=****" in in_force(settings)
    assert "DATABASE=mongodb://me:****@there/db?tlsCertificateKeyFilePassword=****" in in_force(settings)


def test_the_file_that_is_shipped_says_every_setting_its_meaning_and_its_default():
    _, settings = SHIPPED.read_text().split("\n\n", 1)
    lines = [line for line in settings.splitlines() if line]

    assert lines == [line for name, default, meaning in table() for line in (f"# {meaning}", f"{name}={default}")]
    assert load(SHIPPED, {}) == Settings()


def test_every_setting_has_a_meaning():
    assert all(setting.meaning for setting in table())


@pytest.mark.parametrize(("value", "written"), [(Path("data"), "./data"), (Path("/data"), "/data"), (True, "true")])
def test_values_are_written_as_in_the_file(value, written):
    assert as_written(value) == written


def test_secrets_are_generated_once_and_kept_for_the_owner_alone(tmp_path):
    data = tmp_path / "data"

    first, file = with_secrets(given(DATA_PATH=str(data)))
    second, _ = with_secrets(given(DATA_PATH=str(data)))

    assert first == second
    assert len(first.api_token.get_secret_value()) == len(first.jwt_secret.get_secret_value()) == 43
    assert file == data / "secrets.env"
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(data.stat().st_mode)) == (0o600, 0o700)
    assert list(data.iterdir()) == [file]


def test_secrets_that_are_given_need_no_file(tmp_path):
    settings = given(API_TOKEN="mine", JWT_SECRET=STRONG, DATA_PATH=str(tmp_path))

    assert with_secrets(settings) == (settings, None)
    assert not list(tmp_path.iterdir())


def test_only_what_is_missing_comes_from_the_file(tmp_path):
    settings, _ = with_secrets(given(API_TOKEN="mine", DATA_PATH=str(tmp_path)))
    later, _ = with_secrets(given(DATA_PATH=str(tmp_path)))

    assert settings.api_token.get_secret_value() == "mine"
    assert settings.jwt_secret == later.jwt_secret


async def test_servers_that_start_at_once_end_with_the_same_secrets(tmp_path):
    alike = given(DATA_PATH=str(tmp_path / "data"))

    ended = await asyncio.gather(*(asyncio.to_thread(with_secrets, alike) for _ in range(8)))

    assert len({settings.jwt_secret.get_secret_value() for settings, _ in ended}) == 1
    assert len(list((tmp_path / "data").iterdir())) == 1


def test_the_server_that_comes_second_leaves_the_first_ones_secrets(tmp_path, monkeypatch):
    file = tmp_path / "secrets.env"
    mine = f"API_TOKEN={STRONG}\nJWT_SECRET={STRONG}\n"
    looked = Path.exists

    def first_writes_after_second_has_looked(path):
        there = looked(path)
        if path == file:
            file.write_text(mine)
        return there

    monkeypatch.setattr(Path, "exists", first_writes_after_second_has_looked)
    settings, _ = with_secrets(given(DATA_PATH=str(tmp_path)))

    assert settings.api_token.get_secret_value() == STRONG
    assert file.read_text() == mine


def test_secrets_that_others_could_read_are_closed_to_them(tmp_path, caplog):
    _, file = with_secrets(given(DATA_PATH=str(tmp_path)))
    file.chmod(0o644)

    with_secrets(given(DATA_PATH=str(tmp_path)))

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert str(file) in caplog.text


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("API_TOKEN=x\n", "JWT_SECRET is not in"),
        ("API_TOKEN=x\nJWT_SECRET=\n", "JWT_SECRET is not in"),
    ],
)
def test_a_damaged_file_of_secrets_is_refused_and_left_as_it_is(tmp_path, content, why):
    (tmp_path / "secrets.env").write_text(content)

    with pytest.raises(SettingsError, match=why):
        with_secrets(given(DATA_PATH=str(tmp_path)))

    assert (tmp_path / "secrets.env").read_text() == content


def test_a_kept_secret_that_is_guessable_does_not_face_a_network(tmp_path):
    (tmp_path / "secrets.env").write_text(f"API_TOKEN=short\nJWT_SECRET={STRONG}\n")

    with pytest.raises(SettingsError, match="API_TOKEN is well-known"):
        with_secrets(given(DATA_PATH=str(tmp_path), HOST="0.0.0.0"))


def test_secrets_that_cannot_be_kept_or_read_stop_the_start(tmp_path):
    (tmp_path / "taken").write_text("")
    (tmp_path / "data" / "secrets.env").mkdir(parents=True)

    with pytest.raises(SettingsError, match=r"^DATA_PATH: .*taken"):
        with_secrets(given(DATA_PATH=str(tmp_path / "taken")))
    with pytest.raises(SettingsError, match=r"secrets\.env cannot be read \(Is a directory\)$"):
        with_secrets(given(DATA_PATH=str(tmp_path / "data")))


def test_the_command_prints_the_settings_in_force_without_secrets(variables):
    said = CliRunner().invoke(app, ["env", "--env-file", str(variables(SEED))], env={"HTTP_PORT": "1111"})

    assert said.exit_code == 0
    assert {"HTTP_PORT=1111", "HTTPSSECRET=****", "JWT_EXPIRATIONTIME=300000m"} <= set(said.stdout.splitlines())
    assert "atmospherePass" not in said.output


@pytest.mark.parametrize("command", ["env", "serve"])
def test_a_wrong_setting_ends_a_command_with_one_sentence(variables, command):
    said = CliRunner().invoke(app, [command, "--env-file", str(variables("HTTP_PORT=x\n"))])

    assert (said.exit_code, said.stdout) == (2, "")
    assert said.stderr.startswith("HTTP_PORT should be")
    assert said.stderr.count("\n") == 1


@pytest.mark.parametrize("missing", ["S3_ACCESS_KEY", "S3_SECRET_KEY"])
def test_a_store_without_a_key_is_refused_and_the_key_is_named(missing):
    given = {"STORAGE": "s3://models/catalog", "S3_ACCESS_KEY": "ours", "S3_SECRET_KEY": "hidden"}

    with pytest.raises(SettingsError, match=f"^{missing} should be set, as STORAGE is s3://models/catalog$"):
        load(Path("no-such-file.env"), {**given, missing: ""})


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"S3_CREDENTIALS": "aws"}, "S3_ACCESS_KEY is set, and S3_CREDENTIALS=aws does not use it"),
        ({"S3_KMS_KEY": "mine"}, "S3_KMS_KEY needs S3_ENCRYPTION=aws:kms or aws:kms:dsse"),
        ({"S3_KMS_KEY": "mine", "S3_ENCRYPTION": "AES256"}, "S3_KMS_KEY needs S3_ENCRYPTION=aws:kms or aws:kms:dsse"),
    ],
)
def test_settings_of_a_store_that_contradict_each_other_are_refused(values, sentence):
    given = {"STORAGE": "s3://models", "S3_ACCESS_KEY": "ours", "S3_SECRET_KEY": "hidden"}

    with pytest.raises(SettingsError, match=sentence):
        load(Path("no-such-file.env"), {**given, **values})


def test_a_store_with_the_credentials_of_aws_needs_no_keys():
    settings = load(Path("no-such-file.env"), {"STORAGE": "s3://models", "S3_CREDENTIALS": "aws"})

    assert (settings.storage_settings.access_key, settings.storage_settings.secret_key) == ("", "")
