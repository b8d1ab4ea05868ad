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
LAST = 5


@dataclass(frozen=True, slots=True)
class ClockMove:
    """So many customers went from a clock ("PT|Europe/Lisbon") to another; `samples`: external ids."""

    from_clock: str
    to_clock: str
    customers: int
    samples: list[str]


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
        )
        for run in runs
    ]  # fmt: skip
    last = next((run for run in runs if run.finished_at is not None), None)
    current = last is not None and known.get(last.to_version) == dict(installed())
    return DataInUse(dict(installed()), current, done)


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, tuple[str | None, str]]:
    return {part: (before.get(part), to) for part, to in now.items() if before.get(part) != to}
