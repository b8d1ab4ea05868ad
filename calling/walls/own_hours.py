"""A CRM's own hours: shut at once, opened by a named manager only. The law binds within them as before.

They stand alone where no law row has a source, so who opens an hour answers for it by name, as with an
exemption; but own hours have no last day. What was before stays written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Row, text

from calling.handout.recalling import Patience, WallAnswer, no_patience
from calling.hours.spans import intersect
from calling.hours.week import Week, read_week, week_as_text
from calling.people import manager_named
from calling.walls.hours import finish_hours
from models.errors import BadInput
from models.work import OpenWork, Work

# Two who change them write one after the other; readers wait for nobody.
_NOW = text("select hours from crm where id = :crm_id for no key update")
_WRITE = text("update crm set hours = cast(:week as jsonb) where id = :crm_id")
_NOTE = text("""
    insert into own_hours_change
           (crm_id, before, after, reason, manager, author, changed_at, walled_at)
    values (:crm_id, cast(:before as jsonb), cast(:after as jsonb), :reason, :manager, :author, :now,
            case when not :shuts then cast(:now as timestamptz) end)
    returning id
""")
_CHANGES = text("""
    select id, before, after, reason, manager, author, changed_at, walled_at from own_hours_change
     where crm_id = :crm_id and id < :before_id order by id desc limit :most
""")
_ASSIGNMENTS = text("select id from assignment where crm_id = :crm_id order by id")

LATEST = 2**62


@dataclass(frozen=True, slots=True)
class OwnHoursSet:
    """What they were and are, in words. `opens`, `shuts`: some hour is open, or shut, that was not.

    `change_id` None: they were so before, and nothing was written.
    """

    before: str
    after: str
    opens: bool
    shuts: bool
    change_id: int | None
    in_the_air: WallAnswer = field(default_factory=WallAnswer)


def set_own_hours(
    open_work: OpenWork, week: Mapping[str, Any], *, reason: str, author: str, manager: str | None = None,
    patience: Patience = no_patience,
) -> OwnHoursSet:  # fmt: skip
    """Change the CRM's own hours, {"mon": [["09:00", "20:00"]], ...}; a day that is missing is shut.

    When it answers, nothing rings in hours that it shut, but what the answer names. `manager` answers by name
    for hours that it opens. Raises BadInput.
    """
    after = read_week(week)
    if after.empty:
        raise BadInput("hours: no hour would be left; to stop all calls, pause the CRM")
    if not reason.strip():
        raise BadInput("reason: say why; whoever asks why nobody is called wants to know")
    with open_work() as work:
        told = work.run(_NOW).scalar_one()
        before = read_week(told)
        opens, shuts = not _within(after, before), not _within(before, after)
        words = week_as_text(before), week_as_text(after)
        if not (opens or shuts):
            return OwnHoursSet(*words, opens, shuts, None)
        values = {"before": _json(told), "after": _json(week), "shuts": shuts}
        named = _named(work, manager) if opens else None
        key = work.run(_NOTE, **values, reason=reason.strip(), manager=named, author=author).scalar_one()
        work.run(_WRITE, week=values["after"])
        if opens:
            for assignment_id in work.run(_ASSIGNMENTS).scalars():
                work.hint("allocate", assignment_id)
    return OwnHoursSet(*words, opens, shuts, int(key), finish_hours(open_work, patience))


def own_hours_changes(work: Work, most: int, *, before_id: int = LATEST) -> Sequence[Row[Any]]:
    """Who changed the CRM's own hours, from what to what and why: the last first, ids before `before_id`."""
    return work.run(_CHANGES, most=most, before_id=before_id).all()


def _named(work: Work, manager: str | None) -> str:
    if manager is None or not manager.strip():
        raise BadInput("manager: hours that open need the name of the manager who answers for it")
    return manager_named(work, manager)


def _within(inner: Week, outer: Week) -> bool:
    """Every hour of the one is an hour of the other."""
    return all(intersect(inner.on(day), outer.on(day)) == inner.on(day) for day in range(7))


def _json(week: Any) -> str:
    return orjson.dumps(week).decode()
