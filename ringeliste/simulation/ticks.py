"""What nobody asks for: the scheduler's ticks, at business periods, while anybody may be called."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import text

from calling import allocate, due, pause, reaper, suppress
from calling.attempts import ensure_months
from calling.opening import Openings, openings
from calling.resegmenting import rebuilds_to_do, run_rebuild
from ringeliste.simulation.robot import CYCLE, SimulatedRobot
from ringeliste.simulation.stage import Stage

SWEEP = timedelta(minutes=1)
"""Rests and gates end, leases expire: once a business minute, as on a clock of sixty times the speed."""

_SEGMENTS = text("""
    select id from segment
     where crm_id = :crm_id and assignment_id = :assignment_id and retired_at is null
     order by position, id
""")
_FREE = text("""
    select s.id from unnest(cast(:segments as bigint[])) with ordinality as s(id, place)
     where exists (
        select from unnest(cast(:clocks as bigint[])) as k(id)
         cross join lateral (
            select from placement p
             where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.segment_id = s.id
               and p.clock_id = k.id and p.state = 'ready' and p.gated_by is null limit 1) one)
""")
_PEOPLED = text("""
    select distinct p.segment_id from placement p
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.segment_id = any(:segments)
       and p.clock_id = any(:clocks) and p.state in ('ready', 'leased', 'resting', 'follow_up')
""")


class Ticks:
    """The link's turns, the top-up, the sweeps; and when each segment first ran dry."""

    def __init__(self, stage: Stage, robot: SimulatedRobot | None) -> None:
        self._stage, self._robot = stage, robot
        with stage.work() as work:
            self._openings: Openings = openings(work)
            self._segments = list(work.run(_SEGMENTS, assignment_id=stage.assignment_id).scalars())
        self.dry: dict[int, datetime] = {}

    def turns(self) -> Iterator[timedelta]:
        """Link, then top-up, each half minute while a clock is open or something is in the air."""
        while True:
            if self._awake():
                if self._robot:
                    self._robot.cycle()
                if self._stage.wants("allocate"):
                    allocate.allocate_all(self._stage.opener, self._stage.assignment_id)
                self._look_for_dry_segments()
                yield CYCLE
            else:
                yield self._until_opening()

    def sweeps(self) -> Iterator[timedelta]:
        """What time alone changes, each minute, while a clock is open or something is in the air."""
        while True:
            opener = self._stage.opener
            due.wake_due(opener)
            due.open_gates(opener)
            due.expire_holds(opener)
            reaper.reap(opener)
            pause.finish_pauses(opener)
            suppress.finish_suppressions(opener)
            if self._stage.wants("rebuild"):
                for rebuild_id in rebuilds_to_do(opener):
                    run_rebuild(opener, rebuild_id)
            yield SWEEP if self._awake() else self._until_opening()

    def midnights(self) -> Iterator[timedelta]:
        """Room for the attempts of the months to come."""
        while True:
            with self._stage.app.shared() as session:
                ensure_months(session, self._stage.now)
            yield timedelta(days=1)

    def _open(self) -> dict[int, datetime]:
        return self._openings.open(self._stage.now)

    def _awake(self) -> bool:
        return bool(self._open()) or (self._robot is not None and not self._robot.quiet)

    def _until_opening(self) -> timedelta:
        """Everybody sleeps; at the opening itself there is a tick, and all ask at once."""
        opens = self._openings.next_of_all(self._stage.now)
        self._stage.hint_allocation()
        return max(opens - self._stage.now, SWEEP) if opens else timedelta(days=1)

    def _look_for_dry_segments(self) -> None:
        """Note which have customers on an open clock, and none of them free, for the first time."""
        wet = [segment for segment in self._segments if segment not in self.dry]
        clocks = sorted(self._open())
        if not (wet and clocks):
            return
        known = {"assignment_id": self._stage.assignment_id, "clocks": clocks}
        with self._stage.work() as work:
            free = set(work.run(_FREE, segments=wet, **known).scalars())
            left = [segment for segment in wet if segment not in free]
            if left:
                for segment in work.run(_PEOPLED, segments=left, **known).scalars():
                    self.dry[segment] = self._stage.now
