"""An owner's hours: stricter ones are a wall, looser ones have a manager's name on them.

What is set counts from its commit on. Then whoever passed a turnstile before is waited for, and what was
offered under the old hours and may ring no more under the new ones is taken back, as by a pause (P2, P3).
"""

from collections.abc import Mapping
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Any

import orjson
from sqlalchemy import text

from calling.handout.recalling import Patience, WallAnswer, no_patience
from calling.hours.law import shipped
from calling.hours.stricter import OWN, check_stricter
from calling.people import manager_named
from calling.walls.shut_offers import take_back_shut
from models import turnstile
from models.ends import LONGEST_EXEMPTION
from models.errors import BadInput, Conflict, NotFound
from models.work import OpenWork, Work

_EARLIEST_DAY = timedelta(hours=12)  # so far behind UTC is the last place on earth

_ASSIGNMENT = text("select 1 from assignment where crm_id = :crm_id and id = :assignment_id")
_SEGMENT = text("select assignment_id, retired_at from segment where crm_id = :crm_id and id = :segment_id")
_SET = text("""
    insert into stricter_hours (crm_id, assignment_id, segment_id, week, days, valid_from, valid_to,
                                reason, author, set_at, replaces)
    values (:crm_id, :assignment_id, :segment_id, cast(:week as jsonb), cast(:days as jsonb),
            cast(:valid_from as date), cast(:valid_to as date), :reason, :author, :now, :replaces)
    returning id
""")
_HOURS = text("""
    select assignment_id, segment_id, week, days, valid_from, valid_to, reason, ended_at
      from stricter_hours where crm_id = :crm_id and id = :hours_id for update
""")
_END = text("""
    update stricter_hours set ended_at = :now, ended_by = :author where crm_id = :crm_id and id = :hours_id
""")
_EXEMPT = text("""
    insert into exemption (crm_id, assignment_id, law, valid_from, valid_to, reason, manager, author,
                           given_at)
    values (:crm_id, :assignment_id, :law, :valid_from, :valid_to, :reason, :manager, :author, :now)
    returning id
""")
_EXEMPTION = text("select ended_at from exemption where crm_id = :crm_id and id = :exemption_id for update")
_END_EXEMPTION = text("""
    update exemption set ended_at = :now, ended_by = :author where crm_id = :crm_id and id = :exemption_id
""")
_ASSIGNMENTS = text("select id from assignment where crm_id = :crm_id order by id")
_UNWALLED = text("""
    select array(select id from stricter_hours
                  where crm_id = :crm_id and walled_at is null and ended_at is null) as hours,
           array(select id from exemption
                  where crm_id = :crm_id and walled_at is null and ended_at is not null) as exemptions,
           array(select id from own_hours_change where crm_id = :crm_id and walled_at is null) as own
""")
# Hours of an assignment, or of a segment in it, bind its calls alone.
_CONCERNED = text("""
    with changed as (
        select assignment_id from stricter_hours where crm_id = :crm_id and id = any(:hours)
        union all
        select assignment_id from exemption where crm_id = :crm_id and id = any(:exemptions)
        union all
        select null from own_hours_change where crm_id = :crm_id and id = any(:own)
    )
    select a.id from assignment a
     where a.crm_id = :crm_id
       and exists (select from changed c where coalesce(c.assignment_id, a.id) = a.id)
     order by a.id
""")
_WALLED = (
    text("""update stricter_hours set walled_at = :now
             where crm_id = :crm_id and id = any(:hours) and walled_at is null"""),
    text("""update exemption set walled_at = :now
             where crm_id = :crm_id and id = any(:exemptions) and walled_at is null"""),
    text("""update own_hours_change set walled_at = :now
             where crm_id = :crm_id and id = any(:own) and walled_at is null"""),
)


def set_hours(
    open_work: OpenWork, *, assignment_id: int | None = None, segment_id: int | None = None,
    week: Mapping[str, Any] | None = None, days: Mapping[str, Any] | None = None,
    valid_from: date | None = None, valid_to: date | None = None, reason: str, author: str,
    patience: Patience = no_patience,
) -> tuple[int, WallAnswer]:  # fmt: skip
    """Hours within which alone a segment, an assignment or the CRM is worked; their id, what was in the air.

    `week` {"mon": [["09:00", "20:00"]], ...}: a day that is missing is shut; None: any hour. `days`: own days
    {"2026-12-24": []} with hours of their own. Both on the customer's clock, from `valid_from` to `valid_to`.
    They are intersected with the law, the CRM's own hours and whatever else was set: nothing becomes looser.
    Raises BadInput with every problem, NotFound.
    """
    with open_work() as work:
        check_stricter(week, days or {}, valid_from, valid_to, _first_day(work))
        assignment_id = _checked(work, assignment_id, segment_id)
        key = _insert(
            work, assignment_id=assignment_id, segment_id=segment_id, week=week, days=days or {},
            valid_from=valid_from, valid_to=valid_to, reason=reason, author=author, replaces=None,
        )  # fmt: skip
    return key, finish_hours(open_work, patience)


def change_hours(
    open_work: OpenWork, hours_id: int, *, author: str, reason: str | None = None,
    patience: Patience = no_patience, **other: Any,
) -> tuple[int, WallAnswer]:  # fmt: skip
    """End standing hours and set others in their stead, in one transaction; the new id, what was in the air.

    `other`: week, days, valid_from, valid_to as in `set_hours`; what is not named stays, the `reason` too.
    Raises BadInput, NotFound, Conflict when they have ended.
    """
    with open_work() as work:
        row = work.run(_HOURS, hours_id=hours_id).first()
        _standing("hours", hours_id, row)
        assert row is not None  # noqa: S101 - _standing has looked
        kept = {name: getattr(row, name) for name in ("week", "days", "valid_from", "valid_to")}
        wanted = {**kept, **other}
        check_stricter(**wanted, first=_first_day(work), stood=[date.fromisoformat(day) for day in row.days])
        work.run(_END, hours_id=hours_id, author=author)
        key = _insert(
            work, assignment_id=row.assignment_id, segment_id=row.segment_id,
            reason=row.reason if reason is None else reason, author=author, replaces=hours_id, **wanted,
        )  # fmt: skip
    return key, finish_hours(open_work, patience)


def end_hours(open_work: OpenWork, hours_id: int, *, author: str) -> None:
    """Let standing hours hold no more. Raises NotFound, Conflict when they have ended already."""
    with open_work() as work:
        _standing("hours", hours_id, work.run(_HOURS, hours_id=hours_id).first())
        work.run(_END, hours_id=hours_id, author=author)
        _hint(work)


def exempt(
    open_work: OpenWork, law: str, *, assignment_id: int | None = None, valid_to: date, reason: str,
    manager: str | None = None, author: str,
) -> int:  # fmt: skip
    """Let the CRM, or one assignment, off one law row ("NO", "US-FL") or off the CRM's own hours ("own").

    Until `valid_to`, the last local day of the customer. `manager` answers for it by name, and is shown
    wherever somebody asks why a customer may be rung; a manager of the CRM where any is known, `author`, who
    enters it, if nobody is named. Raises BadInput, NotFound.
    """
    answers_for_it = author if manager is None else manager
    if not answers_for_it.strip() or not reason.strip():
        raise BadInput("exemption: needs the name of the manager who answers for it, and a reason")
    keys = {key.lower(): key for key in (OWN, *shipped().by_key)}
    if law not in keys.values():
        near = get_close_matches(law.lower(), keys, 1)
        hint = f"; did you mean {keys[near[0]]}?" if near else ""
        raise BadInput(f"law: there is no row {law!r}{hint}", law=law)
    with open_work() as work:
        first = _first_day(work)
        if not first <= valid_to <= work.now.date() + LONGEST_EXEMPTION:
            longest = f"within {LONGEST_EXEMPTION.days} days"
            raise BadInput(
                f"valid_to: {valid_to} has to be a day from today on, {longest}", valid_to=valid_to
            )
        _checked(work, assignment_id, None)
        if manager is not None:
            answers_for_it = manager_named(work, manager)
        key = work.run(
            _EXEMPT, assignment_id=assignment_id, law=law, valid_from=first, valid_to=valid_to,
            reason=reason.strip(), manager=answers_for_it.strip(), author=author,
        ).scalar_one()  # fmt: skip
        _hint(work)
    return int(key)


def end_exemption(
    open_work: OpenWork, exemption_id: int, *, author: str, patience: Patience = no_patience
) -> WallAnswer:
    """From here on the law binds again; what was in the air. Raises NotFound, Conflict when it has ended."""
    with open_work() as work:
        row = work.run(_EXEMPTION, exemption_id=exemption_id).first()
        _standing("exemption", exemption_id, row)
        work.run(_END_EXEMPTION, exemption_id=exemption_id, author=author)
    return finish_hours(open_work, patience)


def finish_hours(open_work: OpenWork, patience: Patience = no_patience) -> WallAnswer:
    """The second half: pass the turnstiles of whom it binds, take back what may ring no more, note the wall.

    A tick calls it for what a crash left.
    """
    with open_work() as work:
        left = work.run(_UNWALLED).one()
        if not (left.hours or left.exemptions or left.own):
            return WallAnswer()
        those = {"hours": list(left.hours), "exemptions": list(left.exemptions), "own": list(left.own)}
        assignments = list(work.run(_CONCERNED, **those).scalars())
    turnstile.pass_exclusively(open_work, assignments)
    answer = take_back_shut(open_work, "the hours were changed", patience)
    with open_work() as work:
        for statement in _WALLED:
            work.run(statement, **those)
        _hint(work)
    return answer


def _insert(work: Work, *, week: Any, days: Any, **values: Any) -> int:
    told = None if week is None else orjson.dumps(week).decode()
    own = orjson.dumps(days, option=orjson.OPT_NON_STR_KEYS).decode()
    return int(work.run(_SET, week=told, days=own, **values).scalar_one())


def _checked(work: Work, assignment_id: int | None, segment_id: int | None) -> int | None:
    """The assignment that is meant; raises NotFound for one, or a segment, that is not there."""
    if segment_id is not None:
        segment = work.run(_SEGMENT, segment_id=segment_id).first()
        if segment is None or assignment_id not in (None, segment.assignment_id):
            raise NotFound("segment", segment_id)
        if segment.retired_at is not None:
            raise NotFound("segment", segment_id, "it was deleted")
        return int(segment.assignment_id)
    if assignment_id is not None and work.run(_ASSIGNMENT, assignment_id=assignment_id).first() is None:
        raise NotFound("assignment", assignment_id)
    return assignment_id


def _standing(what: str, key: int, row: Any) -> None:
    if row is None:
        raise NotFound(what, key)
    if row.ended_at is not None:
        raise Conflict(f"{what} {key} ended already", ended_at=row.ended_at)


def _first_day(work: Work) -> date:
    """The earliest local day on earth: what is over there is over everywhere."""
    return (work.now - _EARLIEST_DAY).date()


def _hint(work: Work) -> None:
    """More may be open now."""
    for assignment_id in work.run(_ASSIGNMENTS).scalars():
        work.hint("allocate", assignment_id)
