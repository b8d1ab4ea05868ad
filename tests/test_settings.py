"""Settings: everything wrong is named at once, and the README names everything there is."""

import json
from pathlib import Path

import pytest

from models.errors import BadSettings
from wiring.reading import place_of
from wiring.settings import SERVERS_FILE, Settings, described

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture
def data(tmp_path: Path) -> dict[str, str]:
    """An environment whose data directory holds no servers."""
    return {"RINGELISTE_DATA": str(tmp_path)}


def problems_of(env: dict[str, str]) -> list[str]:
    with pytest.raises(BadSettings) as caught:
        Settings.from_env(env)
    problems: list[str] = caught.value.data["problems"]
    assert all(problem in str(caught.value) for problem in problems)
    return problems


def test_nothing_set_gives_the_defaults(data: dict[str, str]) -> None:
    settings = Settings.from_env(data)
    assert (settings.database_url, settings.redis_url) == ("", "")
    assert (settings.web_host, settings.web_port, settings.log) == ("127.0.0.1", 8080, "auto")
    assert settings.data == Path(data["RINGELISTE_DATA"])


def test_an_empty_value_is_unset(data: dict[str, str]) -> None:
    assert Settings.from_env({**data, "RINGELISTE_WEB_PORT": "", "DATABASE_URL": ""}).web_port == 8080


def test_everything_wrong_is_named_at_once(data: dict[str, str]) -> None:
    problems = problems_of(
        {
            **data,
            "DATABASE_URL": "sqlite:///list.db",
            "REDIS_URL": "http://localhost",
            "RINGELISTE_WEB_PROT": "80",
            "RINGELISTE_WEB_PORT": "65536",
            "RINGELISTE_POOL_SIZE": "many",
            "RINGELISTE_LOG": "jsn",
            "RINGELISTE_RECALL_WAIT_SECONDS": "nan?",
        }
    )
    assert [problem.split(":")[0] for problem in problems] == [
        "RINGELISTE_WEB_PROT",
        "DATABASE_URL",
        "REDIS_URL",
        "RINGELISTE_LOG",
        "RINGELISTE_WEB_PORT",
        "RINGELISTE_POOL_SIZE",
        "RINGELISTE_RECALL_WAIT_SECONDS",
    ]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("RINGELISTE_WEB_PROT", "80", "there is no such setting, did you mean RINGELISTE_WEB_PORT?"),
        ("RINGELISTE_LGO", "json", "did you mean RINGELISTE_LOG?"),
        ("RINGELISTE_BANANA", "1", "there is no such setting"),
        ("RINGELISTE_LOG", "jsn", "'jsn' is none of auto, json, console, did you mean json?"),
        ("RINGELISTE_LOG", "xml", "'xml' is none of auto, json, console"),
        ("RINGELISTE_WEB_PORT", "-1", "-1 is not between 0 and 65535"),
        ("RINGELISTE_WEB_PORT", "8080.0", "'8080.0' is not a whole number"),
        ("RINGELISTE_RECALL_WAIT_SECONDS", "soon", "'soon' is not a number"),
        ("RINGELISTE_RECALL_WAIT_SECONDS", "nan", "nan is not between 0 and 60"),
        ("DATABASE_URL", "mysql://localhost/x", "mysql is not PostgreSQL"),
        ("DATABASE_URL", "localhost", "not a URL"),
        ("REDIS_URL", "localhost:6379", "not a Redis URL"),
    ],
)
def test_a_problem_says_what_to_give_instead(data: dict[str, str], name: str, value: str, says: str) -> None:
    (problem,) = problems_of({**data, name: value})
    assert problem.startswith(f"{name}: ")
    assert says in problem


def test_a_url_with_a_password_keeps_it_and_takes_our_driver(data: dict[str, str]) -> None:
    settings = Settings.from_env({**data, "DATABASE_URL": "postgres://app:p%40ss@db.example:5433/calls"})
    assert settings.database_url == "postgresql+psycopg://app:p%40ss@db.example:5433/calls"
    assert settings.database_owner_url == settings.database_url


def test_a_wrong_url_never_shows_its_password(data: dict[str, str]) -> None:
    (problem,) = problems_of({**data, "DATABASE_URL": "mysql://app:hunter2@db/calls"})
    assert "hunter2" not in problem


def test_the_embedded_servers_fill_in_what_is_unset(data: dict[str, str], tmp_path: Path) -> None:
    embedded = {
        "database_url": "postgresql://a@/r",
        "owner_url": "postgresql://o@/r",
        "redis_url": "unix:///r",
    }
    (tmp_path / SERVERS_FILE).write_text(json.dumps(embedded))

    settings = Settings.from_env(data)
    assert settings.database_url == "postgresql+psycopg://a@/r"
    assert settings.database_owner_url == "postgresql+psycopg://o@/r"
    assert settings.redis_url == "unix:///r"

    own = Settings.from_env({**data, "DATABASE_URL": "postgresql://mine@db/r"})
    assert own.database_url == own.database_owner_url == "postgresql+psycopg://mine@db/r"
    assert own.redis_url == "unix:///r"


def test_a_broken_servers_file_is_a_problem_not_a_traceback(data: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / SERVERS_FILE).write_text("{")
    (problem,) = problems_of(data)
    assert SERVERS_FILE in problem


def test_wrong_values_in_the_servers_file_are_named(data: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / SERVERS_FILE).write_text(json.dumps({"database_url": "sqlite://", "redis_url": "x"}))
    assert len(problems_of(data)) == 2


def test_what_other_programs_set_is_none_of_our_business(data: dict[str, str]) -> None:
    Settings.from_env({**data, "PATH": "/bin", "RINGELISTEN": "1", "ringeliste_x": "1"})


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("DATABSE_URL", "DATABASE_URL"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("database_url", "DATABASE_URL"),
        ("DATABASE_OWNR_URL", "DATABASE_OWNER_URL"),
        ("REDSI_URL", "REDIS_URL"),
        ("REDISURL", "REDIS_URL"),
    ],
)
def test_a_url_under_nearly_the_right_name_is_a_problem(data: dict[str, str], slip: str, meant: str) -> None:
    """Plant the bug: look at names with our prefix only; we would start servers of our own instead."""
    url = "redis://cache/0" if "REDIS" in meant else "postgresql://me:hunter2@db/calls"
    (problem,) = problems_of({**data, slip: url})
    assert problem == f"{slip}: there is no such setting, did you mean {meant}?"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_USER", "app"),
        ("TEST_DATABASE_URL", "postgresql://db/test"),
        ("REDIS_TLS_URL", "rediss://cache/0"),
        ("DATABSE_URL", ""),
    ],
)
def test_what_is_meant_for_another_program_stays_so(data: dict[str, str], name: str, value: str) -> None:
    Settings.from_env({**data, name: value})


def test_where_the_right_name_is_set_a_like_one_is_somebody_elses(data: dict[str, str]) -> None:
    urls = {"DATABASE_URL": "postgresql://db/calls", "DATABASE_URL2": "postgresql://db/other"}
    assert Settings.from_env({**data, **urls}).database_url.endswith("/calls")


def test_a_place_names_no_user() -> None:
    assert place_of("postgresql+psycopg://app:hunter2@db.example/calls") == "db.example:5432/calls"
    assert place_of("postgresql+psycopg://app@/calls?host=/run/pg") == "/run/pg:5432/calls"


def test_every_setting_says_what_it_means() -> None:
    settings = described()
    assert len(settings) >= 14
    for setting in settings:
        assert setting.meaning.endswith("."), setting.name
        assert "\n" not in setting.meaning


def test_the_readme_names_every_setting_with_its_default() -> None:
    """The bug planted: a setting added without a word to its user; the test named it."""
    text = README.read_text(encoding="utf-8")
    missing = [setting.name for setting in described() if f"`{setting.name}`" not in text]
    assert not missing
    lines = [line for line in text.splitlines() if line.startswith("|")]
    for setting in described():
        line = next(line for line in lines if f"`{setting.name}`" in line)
        assert f"`{setting.default}`" in line or not setting.default
