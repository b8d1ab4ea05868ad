"""A simulation is played: the same verbs as ever, on a real database, one event after the other."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from ringeliste.simulation.agenda import Agenda
from ringeliste.simulation.results import SimulationReport, results
from ringeliste.simulation.robot import SimulatedRobot
from ringeliste.simulation.sellers import EARLY, LATE, SHIFT, SimulatedSeller
from ringeliste.simulation.stage import Stage
from ringeliste.simulation.ticks import Ticks
from wiring.app import App
from wiring.hints import install_publisher

LINES = 6
"""Lines of the simulated dialer."""


def play(
    app: App, crm_id: int, assignment_id: int, *, sellers: Sequence[int], dialer_id: int | None,
    truth: Mapping[str, bool], begins: datetime, days: float, seed: int, zone: str = "Europe/Lisbon",
    lines: int = LINES,
) -> SimulationReport:  # fmt: skip
    """Work an assignment from `begins` (UTC) for `days` of business time; what came of it.

    It really works the customers of the database it is given: the caller gives one that nobody else uses.
    `truth`: who buys once reached, by external id. `zone`: where the sellers live and the dialer stands.
    """
    played = App(app.settings, engine=app.engine, clock=app.clock, dice=Random(f"{seed}|leases"))  # noqa: S311
    stage = Stage(played, Agenda(begins), crm_id, assignment_id, seed, truth)
    robot = SimulatedRobot(stage, dialer_id, lines, zone) if dialer_id is not None else None
    ticks = Ticks(stage, robot)
    ends = begins + timedelta(days=days)
    for process in (ticks.midnights(), ticks.turns(), ticks.sweeps(), ticks.slow_sweeps()):
        stage.agenda.begin(process, begins)
    for number, seller_id in enumerate(sellers):
        seller = SimulatedSeller(stage, seller_id, stage.dice("seller", number))
        for shift in _shifts(begins, ends, ZoneInfo(zone), LATE if number % 2 else EARLY):
            stage.agenda.begin(seller.shift(shift), shift)
    with _hints_to(stage):
        stage.agenda.run(ends)
    return results(stage, begins, days=days, sellers=len(sellers), dry=ticks.dry)


def _shifts(begins: datetime, ends: datetime, zone: ZoneInfo, start: timedelta) -> Iterator[datetime]:
    """The beginning of a shift on each local day, Sundays too: on a shut day nobody is handed anything."""
    day = begins.astimezone(zone).date()
    while True:
        shift = datetime.combine(day, time(), zone) + start  # wall time: also right when the clocks change
        if shift >= ends:
            return
        if shift + SHIFT > begins:
            yield max(shift, begins)
        day += timedelta(days=1)


@contextmanager
def _hints_to(stage: Stage) -> Iterator[None]:
    """While it plays, hints of this process are the simulation's."""
    install_publisher(stage.hints.append)
    try:
        yield
    finally:
        install_publisher(None)
