"""What nobody asks for: the scheduler's ticks, at business periods, while anybody may be called."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import text

from calling.handout import allocate, due, reaper
from calling.handout.best_hours import learn_best_hours
from calling.handout.promise_watch import watch_promises
from calling.hot_leads.watching import watch_hot_leads
from calling.hours.opening import Openings, openings
from calling.outcomes.attempts import ensure_months
from calling.registers import following
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.segments.sweeping import sweep_all
from calling.walls import hours, pause, suppress
from ringeliste.simulation.robot import CYCLE, SimulatedRobot
from ringeliste.simulation.stage import Stage

SWEEP, SLOW_SWEEP = timedelta(minutes=1), timedelta(minutes=5)
"""Rests and gates end, leases expire, holds run out; walls and rebuilds are finished: each as often as the
scheduler's ticks come on a clock of sixty times the speed."""

_FREE = text("""
    select s.id from segment s
     where s.crm_id = :crm_id and s.assignment_id = :assignment_id and s.retired_at is null
       and s.id <> all(cast(:dry as bigint[]))
       and exists (select from placement p
                    where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.segment_id = s.id
                      and p.state = 'ready' and p.gated_by is null)
""")


class Ticks:
    """The link's turns, the top-up, the sweeps; and when each segment first ran dry."""

    def __init__(self, stage: Stage, robot: SimulatedRobot | None) -> None:
        self._stage, self._robot = stage, robot
        with stage.work() as work:
            self._openings: Openings = openings(work)
        self.dry: dict[int, datetime] = {}
        self._seen: set[int] = set()  # segments that ever had a free customer

    def turns(self) -> Iterator[timedelta]:
        """Link, then top-up, each minute while a clock is open or something is in the air."""
        while True:
            if self._awake():
                self._turn()
                yield CYCLE
            else:
                yield self._until_opening()

    def _turn(self) -> None:
        if self._robot:
            self._robot.report()
        allocate.allocate_all(self._stage.opener, self._stage.assignment_id)
        if self._robot:
            self._robot.fetch()
        self._look_for_dry_segments()

    def sweeps(self) -> Iterator[timedelta]:
        """What time alone changes, while a clock is open or something is in the air."""
        while True:
            due.wake_due(self._stage.opener)
            due.open_gates(self._stage.opener)
            watch_hot_leads(self._stage.opener)
            watch_promises(self._stage.opener)
            sweep_all(self._stage.opener)
            reaper.reap(self._stage.opener)
            yield SWEEP if self._awake() else self._until_opening()

    def slow_sweeps(self) -> Iterator[timedelta]:
        """What may wait a little, and what is there only after a crash."""
        while True:
            opener = self._stage.opener
            pause.finish_pauses(opener)
            suppress.finish_suppressions(opener)
            hours.finish_hours(opener)
            learn_best_hours(opener)
            following.follow(opener)
            for rebuild_id in rebuilds_to_do(opener):
                run_rebuild(opener, rebuild_id)
            yield SLOW_SWEEP if self._awake() else self._until_opening()

    def midnights(self) -> Iterator[timedelta]:
        """Room for the attempts of the months to come."""
        while True:
            with self._stage.app.shared() as session:
                ensure_months(session, self._stage.now)
            yield timedelta(days=1)

    def _awake(self) -> bool:
        working = self._openings.any_open(self._stage.now, self._stage.assignment_id)
        return working or (self._robot is not None and not self._robot.quiet)

    def _until_opening(self) -> timedelta:
        """Everybody sleeps; at the opening itself there is a tick, and all ask at once."""
        opens = self._openings.next_of_all(self._stage.now, self._stage.assignment_id)
        return max(opens - self._stage.now, SWEEP) if opens else timedelta(days=1)

    def _look_for_dry_segments(self) -> None:
        """Note which segments had a free customer before and have none now, whatever their clock says."""
        with self._stage.work() as work:
            free = set(work.run(_FREE, assignment_id=self._stage.assignment_id, dry=list(self.dry)).scalars())
        self._seen |= free
        for segment in self._seen - free:
            self.dry.setdefault(segment, self._stage.now)
