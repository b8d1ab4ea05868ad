"""Which data a CRM is worked by, and what the change to them moved."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from calling.hours.versions import installed, versions
from models.work import Work

_RUNS = text("select * from rezoning where crm_id = :crm_id order by id desc limit :most")
_MOVES = text("""
    select f.key as from_clock, t.key as to_clock, r.customers,
           array(select c.external_id from customer c where c.crm_id = :crm_id and c.id = any(r.samples)
                  order by c.id) as samples
      from rezoned_customers r
      join call_clock f on f.id = r.from_clock
      join call_clock t on t.id = r.to_clock
     where r.crm_id = :crm_id and r.rezoning_id = :id
     order by r.customers desc, f.key, t.key
""")
_PROMISES = text("""
    select r.moved, r.was_due_at, r.due_at, f.id, f.assignment_id, f.wall_time, f.zone as to_zone, f.asked_as,
           coalesce(b.zone, f.zone) as from_zone, c.external_id
      from rezoned_promise r
      join follow_up f on f.crm_id = :crm_id and f.id = r.follow_up_id
      join customer c on c.crm_id = :crm_id and c.id = f.customer_id
      left join follow_up b on b.crm_id = :crm_id and b.id = f.replaces and r.moved
     where r.crm_id = :crm_id and r.rezoning_id = :id and r.moved = :moved
     order by r.follow_up_id limit :most
""")
_HOW_MANY = text("""
    select count(*) filter (where moved) as moved, count(*) filter (where not moved) as stay
      from rezoned_promise where crm_id = :crm_id and rezoning_id = :id
""")
LAST = 5
MOST = 100
"""Promises of one rezoning that are named; whoever has more counts them."""


@dataclass(frozen=True, slots=True)
class ClockMove:
    """So many customers went from a clock ("PT|Europe/Lisbon") to another; `samples`: external ids."""

    from_clock: str
    to_clock: str
    customers: int
    samples: list[str]


@dataclass(frozen=True, slots=True)
class PromiseLooked:
    """A promised call of somebody who was looked at: from when to when (UTC), on whose wall; or as it was."""

    id: int
    assignment_id: int
    external_id: str
    wall_time: str
    asked_as: str
    from_zone: str
    to_zone: str
    was_due_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class RezonedPromises:
    """How many promises moved with their wall, and how many stay; the first 100 of each."""

    moved: int
    stay: int
    that_moved: list[PromiseLooked]
    that_stay: list[PromiseLooked]


@dataclass(frozen=True, slots=True)
class RezoningDone:
    """A CRM was brought, or is being brought, under other data. `changed`: part -> from what, to what."""

    id: int
    started_at: datetime
    finished_at: datetime | None
    customers: int
    moved: int
    recalled: int
    changed: Mapping[str, tuple[str | None, str]]
    moves: list[ClockMove]
    promises: RezonedPromises


@dataclass(frozen=True, slots=True)
class DataInUse:
    """`installed`: what this program decides by; `current`: the CRM has been brought under it.

    `rezonings`: the last ones, newest first.
    """

    installed: Mapping[str, str]
    current: bool
    rezonings: list[RezoningDone]


def data_in_use(work: Work) -> DataInUse:
    """The versions of everything, and what the last changes moved."""
    runs = work.run(_RUNS, most=LAST).all()
    known = versions(work, [v for run in runs for v in (run.from_version, run.to_version) if v is not None])
    done = [
        RezoningDone(
            run.id, run.started_at, run.finished_at, run.customers, run.moved, run.recalled,
            _changed(known.get(run.from_version, {}), known.get(run.to_version, {})),
            [ClockMove(**row._asdict()) for row in work.run(_MOVES, id=run.id)],
            _promises(work, run.id),
        )
        for run in runs
    ]  # fmt: skip
    last = next((run for run in runs if run.finished_at is not None), None)
    current = last is not None and known.get(last.to_version) == dict(installed())
    return DataInUse(dict(installed()), current, done)


def _promises(work: Work, run_id: int) -> RezonedPromises:
    def some(moved: bool) -> list[PromiseLooked]:
        rows = work.run(_PROMISES, id=run_id, moved=moved, most=MOST)
        return [PromiseLooked(**{k: v for k, v in row._mapping.items() if k != "moved"}) for row in rows]

    count = work.run(_HOW_MANY, id=run_id).one()
    return RezonedPromises(
        count.moved, count.stay, some(True) if count.moved else [], some(False) if count.stay else []
    )


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, tuple[str | None, str]]:
    return {part: (before.get(part), to) for part, to in now.items() if before.get(part) != to}
