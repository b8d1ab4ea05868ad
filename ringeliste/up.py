"""`ringeliste up`: servers, migrations, every process; Ctrl-C stops them all and leaves the data."""

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from models.errors import Conflict, RingelisteError, Unavailable
from ringeliste import clockwork, embedded, procfile
from ringeliste.figures import Reader, Scene, first_assignment
from ringeliste.keeper import Keeper
from ringeliste.ports import reachable_at, usable_port
from ringeliste.screen import Screen
from ringeliste.stopping import Stopped, Wish, stop_wish
from ringeliste.supervised import Supervised
from ringeliste.supervisor import FILE, Supervisor, sweep
from ringeliste.watched import Watched, watched
from wiring.app import App
from wiring.settings import Settings

if TYPE_CHECKING:
    from ringeliste.demo import DemoWorld

DEMO_ZONE = ZoneInfo("Europe/Lisbon")
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What `up` was asked for. `speed`: business seconds a wall second; None: as before, at first 60."""

    demo: bool = False
    data: Path | None = None
    speed: float | None = None
    sellers: int = 20
    lines: int = 10
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Ready:
    """Servers run, the schema is there, the demo is built: the processes may begin."""

    app: App
    env: dict[str, str]
    folder: Path
    url: str
    world: "DemoWorld | None"
    watched: Watched


def up(wishes: Wishes, screen: Screen) -> int:
    """Run everything until told to stop; the exit code."""
    settings = Settings.from_env()
    folder = settings.data.expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with only_one(folder), stop_wish() as wish:
        try:
            with wish.interrupting():
                ready = _prepare(wishes, settings, folder, screen)
            _work(ready, wishes, wish, screen)
        except Stopped:
            screen.say("Stopped before everything was up")
        finally:
            screen.say("Stopping PostgreSQL and Redis")
            embedded.stop(folder)
            screen.say(f"Everything is stopped. The data stays in {folder}")
    return 0


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """One `up` a data directory; the lock goes with its process."""
    with (folder / "up.lock").open("w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(f"`ringeliste up` runs already in {folder}") from None
        yield


def _prepare(wishes: Wishes, settings: Settings, folder: Path, screen: Screen) -> Ready:
    if left := sweep(folder / FILE):
        screen.say(f"The last run was cut off; ended what it left: {', '.join(left)}")
    with screen.busy("Starting PostgreSQL and Redis"):
        servers = embedded.start(folder)
    port = usable_port(settings.web_host, settings.web_port, may_move="RINGELISTE_WEB_PORT" not in os.environ)
    env = {
        **os.environ,
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "RINGELISTE_DATA": str(folder),
        "RINGELISTE_WEB_PORT": str(port),
    }
    with screen.busy("Bringing the schema up to date"):
        _release({**env, "DATABASE_OWNER_URL": servers.owner_url})
    app = App(Settings.from_env(env))
    world = _demo(app, folder, wishes, screen) if wishes.demo else None
    clockwork.resume(app, folder, wishes.speed)
    url = reachable_at(settings.web_host, port)
    return Ready(app, env, folder, url, world, watched(settings, procfile.commands()))


def _release(env: dict[str, str]) -> None:
    """The Procfile's first process, to its end."""
    command = procfile.commands()[procfile.RELEASE]
    done = subprocess.run(
        command, env=env, cwd=procfile.PACKAGES, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Unavailable(f"the schema could not be brought up to date:\n{done.stdout}{done.stderr}".rstrip())


def _demo(app: App, folder: Path, wishes: Wishes, screen: Screen) -> "DemoWorld":
    from ringeliste.demo import build_demo, find_demo

    if world := find_demo(app, folder):
        screen.say("The demo goes on where it stopped")
        return world
    with screen.progress("Importing the list") as progress:
        return build_demo(
            app, folder, data=wishes.data, seed=wishes.seed, sellers=wishes.sellers,
            speed=wishes.speed or clockwork.USUAL_SPEED, progress=progress,
        )  # fmt: skip


def _processes(ready: Ready, wishes: Wishes, screen: Screen) -> list[Supervised]:
    logs = ready.folder / "logs"
    logs.mkdir(exist_ok=True)
    commands = {name: line for name, line in procfile.commands().items() if name != procfile.RELEASE}
    if ready.world:
        from ringeliste.demo_processes import demo_commands

        commands |= demo_commands(
            ready.world, ready.env, ready.folder, url=ready.url, seed=wishes.seed, lines=wishes.lines
        )
    return [
        Supervised(
            name,
            command,
            env={**ready.env, **ready.watched.env(name)},
            directory=procfile.PACKAGES,
            log=logs / f"{name}.log",
            heard=screen.heard,
        )
        for name, command in commands.items()
    ]


def _work(ready: Ready, wishes: Wishes, wish: Wish, screen: Screen) -> None:
    supervisor = Supervisor(_processes(ready, wishes, screen), ready.folder / FILE)
    keeper = Keeper(ready.folder, screen.say)
    try:
        supervisor.start()
        keeper.start()
        screen.say(f"Metrics: {', '.join(ready.watched.addresses(ready.url))}")
        with _scene(ready) as scene, screen.showing(scene, supervisor, keeper) as refresh:
            while not wish.told.wait(LOOK_SECONDS):
                supervisor.look()
                refresh()
    finally:
        _stop(ready, supervisor, keeper, screen)


@contextmanager
def _scene(ready: Ready) -> Iterator[Scene]:
    """The demo's assignment, else the first there is; its figures are read for as long as the block lasts."""
    world = ready.world
    found = (world.crm_id, world.assignment_id) if world else first_assignment(ready.app)
    reader = Reader(ready.app, *found) if found else None
    if reader:
        reader.start()
    address = f"{ready.url}/?key={world.manager_key}" if world else ready.url
    try:
        yield Scene(address, DEMO_ZONE if world else ZoneInfo("UTC"), reader)
    finally:
        if reader:
            reader.stop()


def _stop(ready: Ready, supervisor: Supervisor, keeper: Keeper, screen: Screen) -> None:
    """The clock first: business time stands still while the processes end."""
    try:
        clockwork.freeze(ready.app, ready.folder)
    except RingelisteError as error:
        screen.say(f"The business clock could not be stopped: {error}")
    screen.say("Stopping the processes")
    keeper.stop()
    if stubborn := supervisor.stop():
        screen.say(f"Had to be killed: {', '.join(stubborn)}")
    ready.app.close()


def plan(wishes: Wishes) -> list[str]:
    """What `up` would do, in words; changes nothing."""
    settings = Settings.from_env()
    folder = settings.data.expanduser().resolve()
    servers = embedded.status(folder)
    lines = [f"Dry run, nothing is started. The data directory is {folder}"]
    lines += [
        f"{name}: {state}" for name, state in (("PostgreSQL", servers.postgres), ("Redis", servers.redis))
    ]
    lines += [f"{name}: {' '.join(command)}" for name, command in procfile.commands().items()]
    if wishes.demo:
        built = "goes on" if (folder / "demo.json").exists() else f"is built, {wishes.sellers} sellers"
        lines.append(
            f"demo: {built}; a simulated dialer of {wishes.lines} lines and simulated sellers run too"
        )
    return lines
