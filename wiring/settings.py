"""Settings: all that the environment may say, read once at start; everything wrong is named at once."""

import ast
import inspect
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self, get_args, get_origin, get_type_hints

from platformdirs import user_data_path

from models.errors import BadSettings
from wiring.reading import Between, did_you_mean, read_database_url, read_redis_url, read_value

PREFIX = "RINGELISTE_"
SLIP = 0.85
"""How like one of the URLs' names another has to be: DATABSE_URL is, TEST_DATABASE_URL is somebody else's."""

SERVERS_FILE = "servers.json"
"""Written by the embedded servers into the data directory; read when no URL is set."""

_URLS: dict[str, tuple[str, Callable[[str], str]]] = {  # field -> its name in servers.json, its reader
    "database_url": ("database_url", read_database_url),
    "database_owner_url": ("owner_url", read_database_url),
    "redis_url": ("redis_url", read_redis_url),
}


def _data_folder() -> Path:
    """Root's own folder is no place for servers, which never run as root and could not enter it."""
    if os.geteuid() == 0:
        return Path("/var/lib/ringeliste")
    return user_data_path("ringeliste", appauthor=False)


class Setting(NamedTuple):
    """One setting as a reader of the README meets it."""

    name: str
    default: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says. URLs are empty while neither the environment nor servers.json has them."""

    database_url: str = ""
    """PostgreSQL, 15 or newer, for the application; unset: the embedded server of the data directory."""

    database_owner_url: str = ""
    """The same database as its owner logs in, for migrations; unset: as `DATABASE_URL`."""

    redis_url: str = ""
    """Redis, 6.2 or newer; unset: the embedded server of the data directory."""

    data: Path = field(default_factory=lambda: _data_folder())
    """The embedded servers' folder; unset: `ringeliste` in the user's data folder, root's in `/var/lib`."""

    log: Literal["auto", "json", "console"] = "auto"
    """How log lines look: a JSON object each, coloured for people, or whichever suits where they go."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important lines that are still logged."""

    web_host: str = "127.0.0.1"
    """Address that the API and the pages listen on."""

    web_port: Annotated[int, Between(0, 65535)] = 8080
    """Port that the API and the pages listen on; 0 takes any free one."""

    pool_size: Annotated[int, Between(2, 500)] = 10
    """Connections to PostgreSQL that one process keeps at most."""

    statement_seconds: Annotated[int, Between(1, 3600)] = 30
    """A statement is given up after so long. A whole rebuild's scan of 10 M customers takes 5."""

    lock_seconds: Annotated[int, Between(1, 600)] = 10
    """Waiting for a lock is given up after so long. The longest wait that is meant is a batch of 200."""

    transaction_seconds: Annotated[int, Between(1, 3600)] = 60
    """A transaction is given up after so long (by PostgreSQL itself from 17 on)."""

    recall_wait_seconds: Annotated[float, Between(0, 60)] = 1.0
    """How long a pause waits for dialers to confirm recalls before it lists them as unknown (wall time)."""

    silent_seconds: Annotated[int, Between(60, 3600)] = 150
    """A seller's page of which nothing was heard for so long is dead: its seller is away (wall time)."""

    debug: Annotated[int, Between(0, 1)] = 0
    """1: a command that fails shows where the error came from, as `--debug` does."""

    metrics_port: Annotated[int, Between(0, 65535)] = 0
    """Port of the metrics of a worker machine's processes; 0: none. Those of the web are at /metrics."""

    metrics_host: str = "127.0.0.1"
    """Address that those metrics are shown at."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Read the environment. Raises BadSettings that names everything wrong; an empty value is unset."""
        problems = _slips(env) + [
            f"{name}: there is no such setting{did_you_mean(name, list(_readers()))}"
            for name in sorted(env)
            if name.startswith(PREFIX) and name not in _readers()
        ]
        values: dict[str, Any] = {}
        for name, (key, read) in _readers().items():
            if env.get(name):
                _keep(values, key, problems, name, lambda read=read, name=name: read(env[name]))  # type: ignore[misc]
        _add_servers(cls(**values).data, values, problems)
        if problems:
            raise BadSettings("; ".join(problems), problems=problems)
        return cls(**values)


def _slips(env: Mapping[str, str]) -> list[str]:
    """URLs under a name that is nearly one of ours, which is itself not set: nobody would notice."""
    unset = [env_name(key) for key in _URLS if not env.get(env_name(key))]
    ours = _readers()
    return [
        f"{name}: there is no such setting{hint}"
        for name in sorted(env)
        if name not in ours and "://" in env[name] and (hint := did_you_mean(name.upper(), unset, SLIP))
    ]


def _keep(values: dict[str, Any], key: str, problems: list[str], name: str, read: Callable[[], Any]) -> None:
    """Put what `read` gives under `key`; a refusal joins the problems under `name`."""
    try:
        values[key] = read()
    except ValueError as error:
        problems.append(f"{name}: {error}")


def _add_servers(data: Path, values: dict[str, Any], problems: list[str]) -> None:
    """Fill in the URLs that the environment left out."""
    if "database_url" in values:
        values.setdefault("database_owner_url", values["database_url"])
    missing = {key: url for key, url in _URLS.items() if key not in values}
    file = data / SERVERS_FILE
    if not missing or not file.exists():
        return
    try:
        found = dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        problems.append(f"{file}: cannot be read: {error}")
        return
    for key, (name, read) in missing.items():
        if text := found.get(name):
            _keep(values, key, problems, str(file), lambda read=read, text=text: read(str(text)))  # type: ignore[misc]


@cache
def _readers() -> dict[str, tuple[str, Callable[[str], Any]]]:
    """By the environment's name: the field, and what reads it."""
    hints = get_type_hints(Settings, include_extras=True)
    return {env_name(one.name): (one.name, _reader(one.name, hints[one.name])) for one in fields(Settings)}


def _reader(key: str, hint: Any) -> Callable[[str], Any]:
    if key in _URLS:
        return _URLS[key][1]
    kind, bounds = get_args(hint) if get_origin(hint) is Annotated else (hint, None)
    return lambda text: read_value(text, kind, bounds)


def env_name(key: str) -> str:
    """How the environment calls the field `key`: the servers by their usual names, all else ours."""
    return key.upper() if key in _URLS else PREFIX + key.upper()


def described() -> list[Setting]:
    """Every setting with its default and meaning, from the class itself: the README must name each."""
    body = ast.parse(inspect.getsource(Settings)).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101 - the source of a class is a class
    meanings = {
        before.target.id: inspect.cleandoc(str(after.value.value))
        for before, after in zip(body.body, body.body[1:], strict=False)
        if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name)
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
    }
    return [
        Setting(
            env_name(one.name), "" if one.default in (MISSING, "") else str(one.default), meanings[one.name]
        )
        for one in fields(Settings)
    ]
