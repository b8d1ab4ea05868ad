"""The number plan of an assignment: read strictly, written with who and when, shown.

A change holds from the next customer who is dealt. What was offered with another number comes back at its
last look; an order that a dialer has already rings as it was given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

import orjson
from sqlalchemy import Row, text

from calling.numbers.plan import DAYS, KINDS, NumberPlan, clock_time, plan_of
from models.errors import BadValues, NotFound
from models.work import Work

_READ = text("""
    select a.number_plan, c.author, c.changed_at
      from assignment a
      left join lateral (
           select author, changed_at from number_plan_change
            where crm_id = :crm_id and assignment_id = a.id order by id desc limit 1) c on true
     where a.crm_id = :crm_id and a.id = :assignment_id
""")
_WRITE = text("""
    update assignment set number_plan = cast(:plan as jsonb)
     where crm_id = :crm_id and id = :assignment_id and number_plan <> cast(:plan as jsonb) returning id
""")
_NOTE = text("""
    insert into number_plan_change (crm_id, assignment_id, plan, author, changed_at)
    values (:crm_id, :assignment_id, cast(:plan as jsonb), :author, :now)
""")
_CHANGES = text("""
    select id, plan, author, changed_at from number_plan_change
     where crm_id = :crm_id and assignment_id = :assignment_id and id > :after order by id limit :most
""")

MOST_ROWS = 50
LONGEST_ROW = 99

Problems = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class StandingPlan:
    """The plan of an assignment, as it is kept and as it works; who said so, and when (None: the default)."""

    own: Mapping[str, Any]
    plan: NumberPlan
    author: str | None
    changed_at: datetime | None


def number_plan(work: Work, assignment_id: int) -> StandingPlan:
    """The plan of an assignment. Raises NotFound."""
    row = work.run(_READ, assignment_id=assignment_id).first()
    if row is None:
        raise NotFound("assignment", assignment_id)
    return StandingPlan(row.number_plan, plan_of(row.number_plan), row.author, row.changed_at)


def set_number_plan(work: Work, assignment_id: int, wanted: Mapping[str, Any], author: str) -> bool:
    """Say all that an assignment has of its own ({}: the default); whether that is new.

    `wanted`: {"next_after": calls or null, "hours": [{"days": [..], "from": "09:00", "to": "16:00",
    "kinds": [..]}, ..]}. Raises BadValues with every problem, NotFound.
    """
    own = read_plan(wanted)
    number_plan(work, assignment_id)
    plan = orjson.dumps(own).decode()
    if work.run(_WRITE, assignment_id=assignment_id, plan=plan).first() is None:
        return False
    work.run(_NOTE, assignment_id=assignment_id, plan=plan, author=author)
    work.hint("allocate", assignment_id)
    return True


def plan_changes(work: Work, assignment_id: int, after: int, most: int) -> Sequence[Row[Any]]:
    """Who changed the plan to what, and when, from the first on."""
    return work.run(_CHANGES, assignment_id=assignment_id, after=after, most=most).all()


def read_plan(body: Mapping[str, Any]) -> dict[str, Any]:
    """A plan as it is kept. Raises BadValues with every problem."""
    problems: Problems = []
    for key, value in body.items():
        if key == "next_after":
            _check_next_after(value, problems)
        elif key != "hours":
            problems.append((str(key), "is no part of a plan" + _meant(str(key), ("next_after", "hours"))))
        elif not isinstance(value, list) or len(value) > MOST_ROWS:
            problems.append((key, f"must be a list of at most {MOST_ROWS} rows"))
        else:
            for n, row in enumerate(value):
                _check_row(f"hours[{n}]", row, problems)
    if problems:
        raise BadValues(problems)
    return {key: value for key, value in body.items() if value != []}


def _check_next_after(value: Any, problems: Problems) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LONGEST_ROW:
        wanted = f"must be a whole number from 1 to {LONGEST_ROW}, or null: then never for want of an answer"
        problems.append(("next_after", wanted))


def _check_row(path: str, row: Any, problems: Problems) -> None:
    if not isinstance(row, Mapping):
        problems.append(
            (path, 'must be an object such as {"kinds": ["work"], "from": "09:00", "to": "16:00"}')
        )
        return
    known = ("days", "from", "to", "kinds")
    problems += [
        (f"{path}.{key}", f"is no part of a row{_meant(str(key), known)}") for key in row if key not in known
    ]
    if "kinds" not in row:
        problems.append((f"{path}.kinds", f"say which come first: {', '.join(KINDS)}"))
    for name, choices in (("kinds", KINDS), ("days", DAYS)):
        if name in row:
            _check_words(f"{path}.{name}", row[name], choices, problems)
    begins, ends = (_time(path, row, key, problems) for key in ("from", "to"))
    if begins is not None and ends is not None and begins >= ends:
        problems.append((f"{path}.to", "must be later than from; hours over midnight are two rows"))


def _check_words(path: str, value: Any, choices: Sequence[str], problems: Problems) -> None:
    if not isinstance(value, list) or not value:
        problems.append((path, f"must be a list of {', '.join(choices)}"))
        return
    for n, word in enumerate(value):
        if word not in choices:
            problems.append((f"{path}[{n}]", f"{word!r} is none of them{_meant(str(word), choices)}"))
        elif word in value[:n]:
            problems.append((f"{path}[{n}]", f"{word!r} stands there twice"))


def _time(path: str, row: Mapping[str, Any], key: str, problems: Problems) -> str | None:
    """The text of a time; texts of times sort as the times do."""
    text_ = row.get(key, {"from": "00:00", "to": "24:00"}[key])
    try:
        clock_time(text_ if isinstance(text_, str) else "")
    except ValueError:
        problems.append((f"{path}.{key}", f"{text_!r} is no time of the day; write 09:00"))
        return None
    return str(text_)


def _meant(word: str, choices: Sequence[str]) -> str:
    near = get_close_matches(word, choices, 1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(choices)}"


def told(plan: NumberPlan) -> dict[str, Any]:
    """A plan as plain values."""
    return {
        "next_after": plan.next_after,
        "hours": [
            {
                "days": [day for day in DAYS if day in row.days],
                "from": f"{row.begins:%H:%M}",
                "to": f"{row.ends:%H:%M}" if row.ends else "24:00",
                "kinds": list(row.kinds),
            }
            for row in plan.hours
        ],
    }
