"""A simulated day: the same seed gives the same report, whatever the ids are; no promise is broken."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from ground import Ground, create, drop
from hours_oracle import DAYS, by_law, minutes, wall, zones_of_the_package
from sqlalchemy import text
from world import NOON, World

from dialer_adapter.truth import read_truth
from models.errors import BadInput
from ringeliste import demo, throwaway
from ringeliste.demo import MONDAY_0800, build_demo, find_demo
from ringeliste.simulation import SimulationReport, play, simulate
from ringeliste.simulation.agenda import Agenda, Process
from ringeliste.simulation.stage import Stage
from ringeliste.simulation.ticks import Ticks
from wiring.app import App
from wiring.settings import Settings

pytestmark = pytest.mark.once

CUSTOMERS, SELLERS, LENGTH = 300, 3, 0.2
ROOT = Path(__file__).parent.parent
_numbers = count(1)


@pytest.fixture
def list_of_300(tmp_path: Path) -> Path:
    """Customers of the demo's list in its order, one in six of whom bought: the first hardly ever did."""
    made = tmp_path / "bank.csv"
    with (files("ringeliste") / "data" / "bank-marketing.csv").open(encoding="utf-8") as file:
        head, *rows = file
    bought = [n for n, row in enumerate(rows) if row.rstrip().strip('"').endswith("yes")][: CUSTOMERS // 6]
    others = [n for n in range(len(rows)) if n not in set(bought)][: CUSTOMERS - len(bought)]
    made.write_text("".join([head, *(rows[n] for n in sorted([*bought, *others]))]), encoding="utf-8")
    return made


@pytest.fixture
def fresh(ground: Ground, _superuser: psycopg.Connection, tmp_path: Path) -> Iterator[Any]:
    """Makes settings of another empty database each time it is called."""
    made: list[str] = []

    def make() -> Settings:
        name = f"simulate_{os.getpid()}_{next(_numbers)}"
        made.append(name)
        create(_superuser, name, template="ringeliste")
        database = ground.postgres.database(name)
        return Settings(
            database_url=database.url,
            database_owner_url=database.owner_url,
            redis_url=ground.redis_url(0),
            data=tmp_path / name,
        )

    yield make
    for name in made:
        drop(_superuser, name)


def simulated(settings: Settings, data: Path, seed: int, days: float = LENGTH) -> SimulationReport:
    """A quarter of a day of a small world, built in this database first."""
    app = App(settings, dice=Random(1))
    try:
        world = build_demo(app, settings.data, data=data, seed=1, sellers=SELLERS, speed=0)
        return play(
            app, world.crm_id, world.assignment_id, sellers=world.seller_ids, dialer_id=world.dialer_id,
            truth=read_truth(world.truth), begins=MONDAY_0800, days=days, seed=seed, lines=2,
        )  # fmt: skip
    finally:
        app.close()


def simulated_elsewhere(settings: Settings, data: Path, seed: int, hash_seed: int) -> Any:
    """The same in a process of its own, in which Python orders its sets in another way."""
    done = subprocess.run(
        [sys.executable, __file__, settings.database_url, str(settings.data), str(data), str(seed)],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_one_seed_gives_one_report_to_the_digit(fresh: Any, list_of_300: Path) -> None:
    """Planted and seen: dice thrown by the hash of a text; dice thrown by the id of a seller."""
    first = simulated(fresh(), list_of_300, 7).to_json()
    # Given a second database where every id is another one
    settings = fresh()
    crowded = App(settings)
    other = World(crowded, "Before")
    other.customers(40, other.assignment())
    other.seller()
    crowded.close()
    # When the same seed is simulated there, by a process that orders sets in another way
    second = simulated_elsewhere(settings, list_of_300, 7, hash_seed=4711)
    # Then the report is the same
    assert second == first
    # And another seed is another day
    assert simulated(fresh(), list_of_300, 8, days=0.1).to_json()["hours"][0] != first["hours"][0]


def test_a_segment_is_dry_only_when_nobody_of_it_is_free_on_any_clock(world: World) -> None:
    """Lisbon had closed: 21,400 free ones, and "ran dry 21:42". Planted: the open clocks alone; fails."""
    assignment = world.assignment()
    segment = world.segment(assignment, "loans")
    gone = world.customers(1, assignment, segment_id=segment)
    left = world.customers(1, assignment, segment_id=segment, zones=["Asia/Tokyo"])  # where it is night
    stage = Stage(world.app, Agenda(NOON), world.crm_id, assignment, 1, {})
    ticks = Ticks(stage, None)
    turns = ticks.turns()
    for customers, dry in (([], {}), (gone, {}), (left, {segment: NOON})):
        with world.work() as work:
            work.run(
                text(
                    "update placement set state = 'closed' where crm_id = :crm_id and customer_id = any(:ids)"
                ),
                ids=customers,
            )
        next(turns)
        assert ticks.dry == dry


def test_a_simulated_day_keeps_every_promise_and_tells_the_truth(fresh: Any, list_of_300: Path) -> None:
    settings = fresh()
    report = simulated(settings, list_of_300, 3)
    assert set(report.check.values()) == {0}
    assert report.attempts > 200
    assert report.attempts > report.contacts > report.sales > 0
    assert report.seconds == LENGTH * 86_400
    assert sum(hour.attempts for hour in report.hours) == report.attempts
    assert sum(segment.attempts for segment in report.segments) == report.attempts
    assert sum(segment.size for segment in report.segments) == CUSTOMERS
    for one in report.segments:  # planted: gated left out, as it had been
        assert one.size == one.free + one.gated + one.leased + one.resting + one.follow_up + one.closed
    # 300 customers last three sellers and two lines until noon
    dry = {segment.key: segment.ran_dry for segment in report.segments}
    assert dry["unsegmented"] is not None
    assert MONDAY_0800 < dry["unsegmented"] < report.ends
    # Everybody who bought would have, and nobody is sold to twice
    app = App(settings)
    world = find_demo(app, settings.data)
    assert world is not None
    with app.work(world.crm_id) as work:
        found = work.run(
            text("""
                select c.external_id from attempt a
                  join customer c on c.crm_id = :crm_id and c.id = a.customer_id
                 where a.crm_id = :crm_id and a.outcome = 'sale'
            """)
        ).scalars()
        buyers = sorted(found)
    app.close()
    truth = read_truth(world.truth)
    assert len(buyers) == report.sales == len(set(buyers))
    assert all(truth[buyer] for buyer in buyers)


SUMMER = datetime(2026, 3, 29, 1, tzinfo=UTC)
"""Clocks are put forward: 01:00 is 02:00 in Lisbon, 00:00 is 01:00 on the Azores."""

NIGHTLY = {
    **{day: [["09:00", "21:00"]] for day in DAYS[:5]},
    "sat": [["09:00", "24:00"]],
    "sun": [["00:00", "00:40"], ["01:20", "03:40"], ["09:00", "21:00"]],
}
"""For a bank that rings at night. Sunday's second stretch begins in Lisbon in the hour that is skipped."""


def test_the_demo_list_over_the_night_that_clocks_are_put_forward(
    fresh: Any, list_of_300: Path, tmp_path: Path
) -> None:
    """From before midnight to Sunday morning: no promise broken, and no ring at a minute that walls forbid.

    The oracle knows the zones of each customer's clock and the CRM's hours, and asks zoneinfo. Planted: the
    offset of the evening kept through the night; seen to fail.
    """
    begins, settings = SUMMER - timedelta(hours=1.75), fresh()
    few = tmp_path / "few.csv"
    few.write_text("".join(list_of_300.read_text("utf-8").splitlines(True)[:81]), encoding="utf-8")
    app = App(settings, dice=Random(1))
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(demo, "HOURS", NIGHTLY)
            world = build_demo(app, settings.data, data=few, seed=1, sellers=1, speed=0, starts=begins)
        report = play(
            app, world.crm_id, world.assignment_id, sellers=world.seller_ids, dialer_id=world.dialer_id,
            truth=read_truth(world.truth), begins=begins, days=9.2 / 24, seed=1, lines=1,
        )  # fmt: skip
        with app.work(world.crm_id) as work:
            asked = text("""
                select l.rung_at, k.zones, k.places from lease l join call_clock k on k.id = l.clock_id
                 where l.crm_id = :crm_id and l.rung_at is not null order by l.rung_at
            """)
            rings = work.run(asked).all()
    finally:
        app.close()
    assert set(report.check.values()) == {0}
    with zones_of_the_package():
        wrong = [row for row in rings if not allowed(row.rung_at, row.zones, row.places)]
    assert wrong == []
    hours = Counter((row.rung_at - SUMMER) // timedelta(hours=1) for row in rings)
    assert min(hours[-2], hours[-1], hours[0] + hours[1], hours[7]) > 0, hours  # eve, night, and day after


def allowed(at: datetime, zones: list[str], places: list[str]) -> bool:
    """By the walls of every zone, the minute before and the minute after included."""
    minute = at.replace(second=0, microsecond=0)
    for name in zones:
        for n in (-1, 0, 1):
            day, clock = wall(ZoneInfo(name), minute + n * timedelta(minutes=1))
            legal = [by_law(place, day) for place in places]
            if not all(clock in left for left in (*legal, minutes(NIGHTLY[DAYS[day.weekday()]]))):
                return False
    return True


def test_nothing_of_somebody_else_is_thrown_away(open_directory: Path) -> None:
    """The data directory may be a person's own folder, with another `simulation` in it."""
    theirs = open_directory / "simulation" / "thesis.txt"
    theirs.parent.mkdir()
    theirs.write_text("ten years of work", encoding="utf-8")
    with pytest.raises(BadInput, match="not ours"):
        simulate(open_directory, days=1, seed=1)
    assert theirs.exists()
    # What is ours, or empty, is begun anew
    ours = open_directory / "ours"
    for _ in range(2):
        throwaway.begin(ours)
        (ours / "old").touch()
    throwaway.remove(ours)
    assert not ours.exists()


def test_what_falls_on_one_instant_runs_in_the_order_it_was_put_down() -> None:
    agenda, seen = Agenda(MONDAY_0800), []

    def steps(name: str) -> Process:
        for step in range(3):
            seen.append(f"{name}{step}")
            yield timedelta(minutes=1)

    agenda.begin(steps("a"), MONDAY_0800)
    agenda.begin(steps("b"), MONDAY_0800)
    agenda.at(MONDAY_0800 - timedelta(days=1), lambda: seen.append("late"))
    agenda.run(MONDAY_0800 + timedelta(minutes=2))
    assert seen == ["a0", "b0", "late", "a1", "b1"]
    assert agenda.now == MONDAY_0800 + timedelta(minutes=2)


if __name__ == "__main__":
    url, folder, data, seed = sys.argv[1:]
    told = simulated(Settings(database_url=url, data=Path(folder)), Path(data), int(seed))
    json.dump(told.to_json(), sys.stdout)
