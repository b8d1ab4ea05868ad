"""500 outcomes a second beside edits of rules, rebuilds and moves by hand, for a minute of real time.

Nobody may wait for anybody for ever, and in the end every segment is true: else there is no figure.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from random import Random
from threading import Event
from time import monotonic

from sqlalchemy import text

from benchmarks.figures import Figure, cost, seconds
from benchmarks.floor import NOON, Floor, lay
from benchmarks.rebuilding import RULES
from calling import register
from calling.dialers.orders import to_offer
from calling.handout.allocate import BATCH, allocate_all
from calling.outcomes.outcome import Report, record_all
from calling.segments.holding import hold, release
from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.views.audit import audit
from models.outcomes import Outcome
from segmentation.resegment import differing
from wiring.app import App

SECONDS = 60
ASKED = 500  # outcomes a second
EDITS, MOVES = 2.0, 0.5  # seconds from one to the next

_WANTS = text("update dialer set wanted = :wanted, wanted_at = :now where crm_id = :crm_id")
_SOME = text("select customer_id from placement where crm_id = :crm_id order by customer_id limit 5000")
_SEGMENT = text("select id from segment where crm_id = :crm_id and key = 'loans'")
_RESULTS = (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.MACHINE, Outcome.NO_SALE)


def measure(app: App, rows: int, rounds: int = SECONDS) -> list[Figure]:
    """Outcomes a second for `rounds` seconds, and what a batch of 200 costs in it and alone."""
    flood = _Flood(lay(app, rows))
    calm = [seconds(flood.outcomes) for _ in range(3 if rows > 10 * BATCH else 1)]
    flood.told, flood.costs = 0, []
    took = flood.rage(rounds)
    flood.check()
    told = round(flood.told / took)
    name = f"outcomes beside {flood.moved:,} moves by rule in {flood.rebuilds} rebuilds"
    return [
        Figure(name, told, "1/s", ASKED, "as many as were asked for", round(ASKED / max(told, 1), 2)),
        cost(f"a batch of {BATCH} outcomes in it", flood.costs, calm, "the same with nobody beside it"),
    ]


class _Flood:
    def __init__(self, floor: Floor) -> None:
        self._floor, self._stop = floor, Event()
        self._open = floor.app.opener(floor.crm_id, now=NOON)
        self.told = self.moved = self.rebuilds = 0
        self.costs: list[float] = []
        with self._open() as work:
            self._dialer = register.add_dialer(
                work, "robot", adapter="none", mode="voice_robot", assignment_id=floor.assignment_id,
                settings={},
            )  # fmt: skip
            work.run(_WANTS, wanted=BATCH)
        self.edit(0)
        self.rebuild(0)
        with self._open() as work:
            self._some = list(work.run(_SOME).scalars())
            self._segment = work.run(_SEGMENT).scalar_one()
        floor.tidy()

    def rage(self, long: float) -> float:
        """All at once; the seconds it took."""
        begun = monotonic()
        every = ((self._tell, BATCH / ASKED), (self.edit, EDITS), (self.rebuild, 0.05), (self._move, MOVES))
        with ThreadPoolExecutor(len(every)) as pool:
            loops = [pool.submit(self._again, act, pause) for act, pause in every]
            self._stop.wait(long)
            self._stop.set()
        for loop in loops:
            loop.result()
        return monotonic() - begun

    def _again(self, act: Callable[[int], object], pause: float) -> None:
        """So often, whatever each takes; whoever is late does not wait."""
        begun = monotonic()
        try:
            for turn in count(1):
                act(turn)
                if self._stop.wait(max(0.0, begun + turn * pause - monotonic())):
                    return
        finally:
            self._stop.set()

    def outcomes(self) -> None:
        """Two hundred calls are dealt out and told."""
        dice = Random(self.told)
        allocate_all(self._open, self._floor.assignment_id)
        with self._open() as work:
            orders = to_offer(work, self._dialer)
        begun = monotonic()
        record_all(self._open, [Report(order.lease_id, dice.choice(_RESULTS), "dialer") for order in orders])
        if orders:
            self.costs.append(monotonic() - begun)
        self.told += len(orders)

    def _tell(self, _: int) -> None:
        self.outcomes()

    def edit(self, turn: int) -> None:
        """Everybody from an age on is somewhere else."""
        older = {"key": "older", "name": "Older", "when": {"f": "age", "op": "ge", "v": 60 + turn % 10}}
        others = [one for one in RULES["segments"] if one["key"] != "older"]
        publish(self._open, self._floor.assignment_id, {"segments": [*others, older]}, author="benchmark")

    def rebuild(self, _: int) -> None:
        """Whatever is asked for."""
        for key in rebuilds_to_do(self._open):
            self.moved += run_rebuild(self._open, key).moved
            self.rebuilds += 1

    def _move(self, turn: int) -> None:
        some = Random(turn).sample(self._some, min(30, len(self._some)))
        hold(self._open, self._floor.assignment_id, some, self._segment, author="Bo", reason="flood")
        release(self._open, self._floor.assignment_id, some[:15], author="Bo")

    def check(self) -> None:
        """Every segment is true, every promise kept."""
        self.rebuild(0)
        with self._open() as work:
            wrong, broken = differing(work, self._floor.assignment_id), audit(work)
        if wrong or any(found.count for found in broken):
            raise AssertionError(f"{wrong} in a wrong segment; {[one for one in broken if one.count]}")
