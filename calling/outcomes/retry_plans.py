"""What an assignment says of its own about trying again: written with its author, shown."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, text

from calling.outcomes.reading_plans import read_plans
from calling.outcomes.retrying import DEFAULTS, RetryPlan, plan_of
from models.errors import Conflict, NotFound
from models.outcomes import Outcome
from models.work import Work

_READ = text("""
    select retry_plan, retry_version from assignment where crm_id = :crm_id and id = :assignment_id
""")
_WRITE = text("""
    update assignment set retry_plan = cast(:after as jsonb), retry_version = :version
     where crm_id = :crm_id and id = :assignment_id
""")
_NOTE = text("""
    insert into retry_change (crm_id, assignment_id, version, before, after, author, changed_at)
    values (:crm_id, :assignment_id, :version, cast(:before as jsonb), cast(:after as jsonb), :author, :now)
""")
_LOCK = text(f"{_READ.text} for no key update")
_CHANGES = text("""
    select version as id, version, before, after, author, changed_at from retry_change
     where crm_id = :crm_id and assignment_id = :assignment_id and version < :before
     order by version desc limit :most
""")

LATEST = 2**62


@dataclass(frozen=True, slots=True)
class Retries:
    """The plan of every outcome after which a customer rests. `own`: those that the assignment has changed.

    `version` counts the changes; whoever changes it says which one they have read.
    """

    version: int
    plans: dict[Outcome, RetryPlan]
    own: frozenset[str]


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody changed what an assignment says of its own: what it said `before` and `after`, by outcome."""

    id: int
    version: int
    before: dict[str, dict[str, Any]]
    after: dict[str, dict[str, Any]]
    author: str
    changed_at: datetime

    @property
    def lines(self) -> list[str]:
        """What changed, a line a value: "busy.delay 1800 -> 600"; a default is told as such."""
        return list(_differences(self.before, self.after))


def retry_plans(work: Work, assignment_id: int) -> Retries:
    """What is done after each outcome that lets a customer rest. Raises NotFound."""
    row = _found(work.run(_READ, assignment_id=assignment_id).first(), assignment_id)
    plans = {outcome: plan_of(outcome, row.retry_plan) for outcome in DEFAULTS}
    return Retries(row.retry_version, plans, frozenset(row.retry_plan))


def set_retries(
    work: Work, assignment_id: int, wanted: Mapping[str, Any], *, author: str, base: int | None = None
) -> None:
    """Say all that an assignment has of its own: outcome -> what differs from the default; {}: nothing.

    It holds for outcomes from now on; who rests already comes back as was said. `base`: the version that was
    read; somebody else's newer one is never overwritten. Raises BadValues with every problem, NotFound,
    Conflict.
    """
    own = read_plans(wanted)
    _write(work, assignment_id, _locked(work, assignment_id, base), own, author)


def set_retry(
    work: Work, assignment_id: int, outcome: str, wanted: Mapping[str, Any] | None, *, author: str,
    base: int | None = None,
) -> None:  # fmt: skip
    """Say what differs for one outcome, beside what was said of it and the others; None: the default again.

    `base`: as for `set_retries`. Raises BadValues with every problem, NotFound, Conflict.
    """
    row = _locked(work, assignment_id, base)
    said = {} if wanted is None else {outcome: {**row.retry_plan.get(outcome, {}), **wanted}}
    read_plans(said or {outcome: {}})
    kept = {name: plan for name, plan in row.retry_plan.items() if name != outcome}
    _write(work, assignment_id, row, {**kept, **said}, author)


def retry_changes(work: Work, assignment_id: int, most: int, *, before: int | None = None) -> list[Change]:
    """Who changed the plans, when, from what to what: the last first. `before`: only versions before it.

    Raises NotFound.
    """
    _found(work.run(_READ, assignment_id=assignment_id).first(), assignment_id)
    rows = work.run(_CHANGES, assignment_id=assignment_id, most=most, before=before or LATEST)
    return [Change(**row._mapping) for row in rows]


def _locked(work: Work, assignment_id: int, base: int | None) -> Row[Any]:
    row = _found(work.run(_LOCK, assignment_id=assignment_id).first(), assignment_id)
    if base is not None and base != row.retry_version:
        raise Conflict(
            f"somebody changed it to version {row.retry_version} since you read {base}: look at theirs first",
            version=row.retry_version, base=base,
        )  # fmt: skip
    return row


def _found(row: Row[Any] | None, assignment_id: int) -> Row[Any]:
    if row is None:
        raise NotFound("assignment", assignment_id)
    return row


def _write(work: Work, assignment_id: int, row: Row[Any], own: Mapping[str, Any], author: str) -> None:
    """What is said again is no change. The row is locked."""
    if row.retry_plan == own:
        return
    values = {"assignment_id": assignment_id, "version": row.retry_version + 1, "after": _json(own)}
    work.run(_WRITE, **values)
    work.run(_NOTE, **values, before=_json(row.retry_plan), author=author)


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for outcome in sorted({*before, *after}):
        was, now = before.get(outcome, {}), after.get(outcome, {})
        default = asdict(DEFAULTS[Outcome(outcome)])
        for key in sorted({*was, *now}):
            if was.get(key, ...) != now.get(key, ...):
                old, new = (
                    _told(said[key]) if key in said else f"{_told(default[key])} (the default)"
                    for said in (was, now)
                )
                yield f"{outcome}.{key}: {old} -> {new}"


def _told(value: Any) -> str:
    return "never" if value is None else str(value).lower() if isinstance(value, bool) else f"{value:g}"


def told(plans: Mapping[Outcome, RetryPlan]) -> dict[str, dict[str, Any]]:
    """Plans as plain values."""
    return {outcome.value: asdict(plan) for outcome, plan in plans.items()}


def _json(own: Mapping[str, Any]) -> str:
    return orjson.dumps(own).decode()
