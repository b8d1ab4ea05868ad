"""Plans of retries as people write them, read strictly: every problem named at once."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from calling.outcomes.retrying import DAY, DEFAULTS
from models.errors import BadValues
from models.outcomes import EFFECTS

Problems = list[tuple[str, str]]
LONGEST = 366 * DAY


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
