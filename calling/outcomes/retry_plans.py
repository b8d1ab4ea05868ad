"""What an assignment says of its own about trying again: read strictly, written, shown."""

from collections.abc import Mapping
from dataclasses import asdict
from difflib import get_close_matches
from typing import Any

import orjson
from sqlalchemy import text

from calling.outcomes.retrying import DAY, DEFAULTS, RetryPlan, plan_of
from models.errors import BadValues, NotFound
from models.outcomes import EFFECTS, Outcome
from models.work import Work

_READ = text("select retry_plan from assignment where crm_id = :crm_id and id = :assignment_id")
_WRITE = text("""
    update assignment set retry_plan = cast(:plan as jsonb)
     where crm_id = :crm_id and id = :assignment_id returning id
""")
_LOCK = text("""
    select retry_plan from assignment where crm_id = :crm_id and id = :assignment_id for no key update
""")

Problems = list[tuple[str, str]]
LONGEST = 366 * DAY


def retry_plans(work: Work, assignment_id: int) -> tuple[dict[Outcome, RetryPlan], frozenset[str]]:
    """The plan of every outcome after which a customer rests, and which the assignment has changed.

    Raises NotFound.
    """
    own = work.run(_READ, assignment_id=assignment_id).scalar()
    if own is None:
        raise NotFound("assignment", assignment_id)
    return {outcome: plan_of(outcome, own) for outcome in DEFAULTS}, frozenset(own)


def set_retries(work: Work, assignment_id: int, wanted: Mapping[str, Any]) -> None:
    """Say all that an assignment has of its own: outcome -> what differs from the default; {}: nothing.

    It holds for outcomes from now on; who rests already comes back as was said. Raises BadValues with every
    problem, NotFound.
    """
    own = read_plans(wanted)
    if work.run(_WRITE, assignment_id=assignment_id, plan=_json(own)).first() is None:
        raise NotFound("assignment", assignment_id)


def set_retry(work: Work, assignment_id: int, outcome: str, wanted: Mapping[str, Any] | None) -> None:
    """Say what differs for one outcome, beside what was said of it and the others; None: the default again.

    Raises BadValues with every problem, NotFound.
    """
    own = work.run(_LOCK, assignment_id=assignment_id).scalar()
    if own is None:
        raise NotFound("assignment", assignment_id)
    said = {} if wanted is None else {outcome: {**own.get(outcome, {}), **wanted}}
    read_plans(said or {outcome: {}})
    kept = {name: plan for name, plan in own.items() if name != outcome}
    work.run(_WRITE, assignment_id=assignment_id, plan=_json({**kept, **said}))


def read_plans(body: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Own plans by outcome, checked. Raises BadValues with every problem."""
    problems: Problems = []
    for name, plan in body.items():
        if problem := _no_such(name):
            problems.append((name, problem))
        elif not isinstance(plan, Mapping):
            problems.append((name, 'must be an object such as {"delay": 3600}'))
        else:
            _check(name, plan, problems)
    if problems:
        raise BadValues(problems)
    return {name: dict(plan) for name, plan in body.items()}


def _no_such(name: str) -> str | None:
    resting = [outcome.value for outcome in DEFAULTS]
    if name in resting:
        return None
    if name in {outcome.value for outcome in EFFECTS}:
        return "closes the customer, or the number: nobody is tried again after it"
    near = get_close_matches(name, resting, 1)
    return "is no outcome; " + (f"did you mean {near[0]}?" if near else f"there are {', '.join(resting)}")


_BETWEEN: Mapping[str, tuple[float, float]] = {
    "delay": (0, LONGEST), "growth": (1, 100), "jitter": (0, 1), "longest": (60, LONGEST),
    "final_after": (1, 255),
}  # fmt: skip
_WHOLE = ("delay", "longest", "final_after")


def _check(name: str, plan: Mapping[str, Any], problems: Problems) -> None:
    known = [*_BETWEEN, "other_part"]
    for key, value in plan.items():
        path = f"{name}.{key}"
        if key not in known:
            near = get_close_matches(str(key), known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            problems.append((path, f"is no part of a plan; {hint}"))
        elif key == "other_part":
            if not isinstance(value, bool):
                problems.append((path, "must be true or false"))
        elif problem := _number(key, value):
            problems.append((path, problem))


def _number(key: str, value: Any) -> str | None:
    low, high = _BETWEEN[key]
    if key == "final_after" and value is None:
        return None
    kind = int if key in _WHOLE else (int, float)
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        what = "a whole number" if key in _WHOLE else "a number"
        return f"must be {what} from {low:g} to {high:g}" + (", or null" if key == "final_after" else "")
    return None


def told(plans: Mapping[Outcome, RetryPlan]) -> dict[str, dict[str, Any]]:
    """Plans as plain values."""
    return {outcome.value: asdict(plan) for outcome, plan in plans.items()}


def _json(own: Mapping[str, Any]) -> str:
    return orjson.dumps(own).decode()
