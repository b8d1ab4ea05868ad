"""All segments of an assignment are made true: diff first, then move (design 5.5).

One scan finds who would move; batches then lock those rows, look at them *again* and move them, so that an
outcome that lands in between is never overwritten. A crash leaves the row of the rebuild unfinished, and it
is done again from the start.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, count
from time import perf_counter
from typing import Literal
from uuid import UUID

from sqlalchemy import text

from models import turnstile
from models.errors import NotFound
from models.work import OpenWork, Work
from segmentation import rebuilds
from segmentation.in_force import InForce, rules_in_force
from segmentation.pace import Pace
from segmentation.reasons import cause_of
from segmentation.resegment import move_many

LANES = (True, False)  # two batches are at work at once; the first lane tells how far both are
TELL_EVERY = 20  # batches: so often whoever watches is told how far it is


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What came of a rebuild. `superseded`: newer rules came, their own rebuild goes on from here.

    `elsewhere`: another process is at this assignment; nothing was done, or no more. `leases`: live ones of
    whoever moved.
    """

    rebuild_id: int
    assignment_id: int
    ending: Literal["done", "superseded", "elsewhere"]
    rule_version: int
    scanned: int
    moved: int
    leases: tuple[UUID, ...] = ()


# A second process that finds the lock taken leaves the work to the first. Start and scan take it alone, the
# batches together, each for its transaction.
_ALONE = text("""
    select pg_try_advisory_xact_lock(-id) from assignment where crm_id = :crm_id and id = :assignment_id
""")
_TOGETHER = text("""
    select pg_try_advisory_xact_lock_shared(-id) as ours, rule_version, xmin::text as written
      from assignment where crm_id = :crm_id and id = :assignment_id
""")

# What a crash of the server takes back is done again: only the end of the rebuild waits for the disk.
_UNHURRIED = text("set local synchronous_commit = off")

# One pass with one set of values: lists become constants, which are hashed; compiling would cost more.
_SCAN_SETTINGS = (text("set local jit = off"), text("set local plan_cache_mode = force_custom_plan"))


First = Callable[[OpenWork, int], None]
"""Done for an assignment behind the turnstile, before the scan; done again after a crash."""


def rebuild(
    open_work: OpenWork, rebuild_id: int, batch: int | None = None,
    first: First = lambda _open_work, _assignment_id: None,
) -> RebuildReport:  # fmt: skip
    """Carry out one rebuild in many short transactions; its moves stand in the history under their cause.

    `batch`: so many placements in each, else as many as are moved in some 25 ms. Doing it again is harmless.
    Raises NotFound.
    """
    return _Run(open_work, rebuild_id, batch, first).run()


def _not_before(instant: datetime, open_work: OpenWork) -> OpenWork:
    """As `open_work`, by a clock that has come to `instant`: who asked may have one that is ahead of ours.

    What they asked for, clocks that changed, would not be true yet.
    """

    @contextmanager
    def opened() -> Iterator[Work]:
        with open_work() as work:
            work.now = max(work.now, instant)
            yield work

    return opened


class _Elsewhere(Exception):
    """Another process is at this assignment."""


class _Superseded(Exception):
    """Newer rules are in force."""


class _Run:
    """One run of one rebuild, and how far it came."""

    def __init__(self, open_work: OpenWork, rebuild_id: int, batch: int | None, first: First) -> None:
        self._open_work, self._id, self._batch, self._first = open_work, rebuild_id, batch, first
        self._cause = ""
        self._assignment = self._version = self._scanned = 0
        self._settled: list[int] = []  # of each batch: how many it looked at, and how many it moved
        self._moved: list[int] = []
        self._leases: list[UUID] = []

    def run(self) -> RebuildReport:
        """Start, scan, move, finish."""
        try:
            if (ended := self._start()) is not None:
                return ended
            turnstile.pass_exclusively(self._open_work, [self._assignment])
            self._first(self._open_work, self._assignment)
            self._move(*self._scan())
        except _Elsewhere:
            return self._report("elsewhere")
        except _Superseded:
            return self._finish("superseded")
        return self._finish("done")

    def _start(self) -> RebuildReport | None:
        """What came of it, if it has ended. Waits for whoever is still asking for this very rebuild."""
        with self._open_work() as work:
            row = work.run(rebuilds.FIND, rebuild_id=self._id).first()
            if row is None:
                raise NotFound("rebuild", self._id)
            self._assignment = row.assignment_id
            if row.finished_at is not None:
                self._version, self._scanned, self._moved = row.rule_version, row.scanned, [row.moved]
                return self._report(row.ending)
            self._alone(work)
            asked_at = work.run(rebuilds.START, rebuild_id=self._id).scalar_one()
        self._open_work = _not_before(asked_at, self._open_work)
        return None

    def _alone(self, work: Work) -> None:
        if not work.run(_ALONE, assignment_id=self._assignment).scalar():
            raise _Elsewhere

    def _scan(self) -> tuple[InForce, list[int]]:
        """The rules in force, and the customers that would move by them, by key."""
        with self._open_work() as work:
            self._alone(work)
            rules = rules_in_force(work, self._assignment)
            for setting in _SCAN_SETTINGS:
                work.run(setting)
            pairs = rules.statements.scan.run(work, assignment_id=self._assignment).all()
            # By now newer rules may be in force; then they are the cause.
            self._cause = cause_of(work.run(rebuilds.REASONS, assignment_id=self._assignment).scalars())
            self._version = rules.version
            self._scanned = sum(pair.size for pair in pairs)
            movers = sorted(chain.from_iterable(pair.movers or () for pair in pairs))
            work.run(
                rebuilds.SCANNED, rebuild_id=self._id, version=self._version, scanned=self._scanned,
                differing=len(movers),
            )  # fmt: skip
        return rules, movers

    def _move(self, rules: InForce, ids: list[int]) -> None:
        pace = Pace(ids, self._batch)
        lanes = ThreadPoolExecutor(len(LANES))
        try:
            for done in [lanes.submit(self._lane, rules, pace, tells) for tells in LANES]:
                done.result()
        finally:
            pace.stop()
            lanes.shutdown()

    def _lane(self, rules: InForce, pace: Pace, tells: bool) -> None:
        """Batch after batch; the one lane that `tells` says now and then how far both are."""
        for number in count(1):
            batch = pace.next()
            if not batch:
                return
            begun = perf_counter()
            self._apply(rules, batch)
            pace.took(perf_counter() - begun, len(batch))
            if tells and number % TELL_EVERY == 0:
                self._tell()

    def _apply(self, rules: InForce, ids: Sequence[int]) -> None:
        """Settle one batch: each of these has the segment and labels they ought to."""
        with self._open_work() as work:
            turnstile.pass_shared(work, [self._assignment])
            now = work.run(_TOGETHER, assignment_id=self._assignment).one()
            if not now.ours:
                raise _Elsewhere
            if (now.rule_version, now.written) != (rules.version, rules.written):
                raise _Superseded
            work.run(_UNHURRIED)
            moved, leases = move_many(work, self._assignment, rules, ids, self._cause)
        self._moved.append(moved)
        self._leases += leases
        self._settled.append(len(ids))

    def _tell(self) -> None:
        """In a transaction of its own: in a batch's it would make the lanes wait for each other."""
        with self._open_work() as work:
            work.run(
                rebuilds.SETTLED, rebuild_id=self._id, settled=sum(self._settled), moved=sum(self._moved)
            )

    def _finish(self, ending: Literal["done", "superseded"]) -> RebuildReport:
        report = self._report(ending)
        with self._open_work() as work:
            work.run(
                rebuilds.FINISH,
                rebuild_id=self._id,
                ending=ending,
                version=report.rule_version,
                scanned=report.scanned,
                settled=sum(self._settled),
                moved=report.moved,
            )
            waiting = work.run(rebuilds.WAITING, assignment_id=self._assignment).scalar()
            if waiting is not None:
                work.hint("rebuild", waiting)  # its own hint may have come while we were here
            elif ending == "superseded":
                rebuilds.request_rebuild(work, self._assignment, "superseded")
        return report

    def _report(self, ending: Literal["done", "superseded", "elsewhere"]) -> RebuildReport:
        return RebuildReport(
            self._id, self._assignment, ending, self._version, self._scanned, sum(self._moved),
            tuple(sorted(self._leases)),
        )  # fmt: skip
