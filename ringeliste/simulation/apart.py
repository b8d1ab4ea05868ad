"""A simulation in a data directory of its own: what it works is made for it, never anybody's real list."""

from pathlib import Path
from random import Random

import migrations
from dialer_adapter.truth import read_truth
from ringeliste import embedded, throwaway
from ringeliste.demo import MONDAY_0800, Progress, build_demo
from ringeliste.simulation.playing import play
from ringeliste.simulation.results import SimulationReport
from wiring.app import App
from wiring.clock import set_clock
from wiring.database import make_engine
from wiring.settings import Settings

FOLDER = "simulation"

# Nothing is lost that the same seed would not give again; so nobody waits for the disk.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Plans made while leases were few are kept until their first ANALYZE: hours of business pass meanwhile.
    "autovacuum_naptime": "5s",
}


def simulate(
    folder: Path, *, days: float, seed: int, data: Path | None = None, sellers: int = 20,
    progress: Progress | None = None,
) -> SimulationReport:  # fmt: skip
    """Build the demo's world (`data`: another list of its shape) and work it for `days` from a Monday, 08:00.

    The same seed gives the same report. The world stands in `folder`/simulation, made anew each time: a data
    directory like any other, to be looked at afterwards. Its servers are stopped. Raises what importing
    raises, Unavailable; BadInput when `folder`/simulation is somebody else's.
    """
    own = folder / FOLDER
    throwaway.begin(own)
    servers = embedded.start(own, env={}, postgres_settings=SETTINGS)
    try:
        migrations.upgrade(servers.owner_url)
        settings = Settings(
            database_url=servers.database_url,
            database_owner_url=servers.owner_url,
            redis_url=servers.redis_url,
            data=own,
        )
        return _simulate(settings, days=days, seed=seed, data=data, sellers=sellers, progress=progress)
    finally:
        embedded.stop(own)


def _simulate(
    settings: Settings, *, days: float, seed: int, data: Path | None, sellers: int, progress: Progress | None
) -> SimulationReport:
    engine = make_engine(settings, ping=False)  # the server is our own, and runs as long as we do
    app = App(settings, engine=engine, dice=Random(seed))  # noqa: S311 - the same seed, the same world
    try:
        world = build_demo(
            app, settings.data, data=data, seed=seed, sellers=sellers, speed=0, progress=progress
        )
        engine.dispose()  # one connection plays it all: two by turns would plan and cache everything twice
        report = play(
            app, world.crm_id, world.assignment_id, sellers=world.seller_ids, dialer_id=world.dialer_id,
            truth=read_truth(world.truth), begins=MONDAY_0800, days=days, seed=seed,
        )  # fmt: skip
        with app.shared() as session:
            set_clock(session, report.ends, 0)
    finally:
        app.close()
    return report
