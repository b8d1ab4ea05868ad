"""The hours as people read them: the law of every place, what an owner made stricter, who is exempted."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text

from calling.hours.law import Law, Silence, shipped
from calling.hours.places import read_legal_place
from calling.hours.reasons import OWN_HOURS
from calling.hours.stricter import OWN, scope_of, signed, stricter_from
from calling.hours.week import as_text, read_week, week_as_text
from models.errors import BadInput, NotFound
from models.work import Work

_OWN = text("select hours from crm where id = :crm_id")
_OWN_CHANGED = text("""
    select author, manager, reason, changed_at from own_hours_change
     where crm_id = :crm_id order by id desc limit 1
""")
_STRICTER = text("""
    select h.*, a.name as assignment, s.name as segment
      from stricter_hours h
      left join assignment a on a.crm_id = :crm_id and a.id = h.assignment_id
      left join segment s on s.crm_id = :crm_id and s.id = h.segment_id
     where h.crm_id = :crm_id and h.id > :after and (cast(:id as bigint) is null or h.id = :id)
       and (:ended or h.ended_at is null)
       and (cast(:assignment_id as bigint) is null or h.assignment_id is null
            or h.assignment_id = :assignment_id)
       and (cast(:segment_id as bigint) is null or h.segment_id is null or h.segment_id = :segment_id)
     order by h.id limit :most
""")
_EXEMPTIONS = text("""
    select e.*, a.name as assignment
      from exemption e
      left join assignment a on a.crm_id = :crm_id and a.id = e.assignment_id
     where e.crm_id = :crm_id and e.id > :after and (cast(:id as bigint) is null or e.id = :id)
       and (:ended or (e.ended_at is null and e.valid_to >= :today))
       and (cast(:assignment_id as bigint) is null or e.assignment_id is null
            or e.assignment_id = :assignment_id)
     order by e.id limit :most
""")
_FURTHEST = timedelta(hours=14)
ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class HoursSet:
    """Stricter hours: where, which, who set and ended them. `hours`: in words; `replaces`: those before."""

    id: int
    scope: str
    assignment_id: int | None
    assignment: str | None
    segment_id: int | None
    segment: str | None
    hours: str
    week: dict[str, Any] | None
    days: dict[str, Any]
    valid_from: date | None
    valid_to: date | None
    reason: str
    author: str
    set_at: datetime
    replaces: int | None
    walled_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class Exempted:
    """Who is let off what until when, by whose name. `name` of the row with the key `law`."""

    id: int
    scope: str
    assignment_id: int | None
    assignment: str | None
    law: str
    name: str
    valid_from: date
    valid_to: date
    reason: str
    manager: str
    author: str
    given_at: datetime
    ended_at: datetime | None
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class LawRow:
    """A row of the law file. Without a source its hours are the CRM's own, and `key` is None.

    `binds`: it is in force today; `debts`: only where an assignment is about debts. `evidence`: "text",
    "secondary" or "none". `exempted`: who is let off it.
    """

    key: str | None
    place: str
    name: str
    hours: str
    holidays: str | None
    own_days: tuple[str, ...]
    valid_from: date | None
    valid_to: date | None
    binds: bool
    debts: bool
    source: str
    evidence: str
    note: str
    exempted: tuple[Exempted, ...]


def own_hours(work: Work) -> str:
    """The CRM's own hours, in words."""
    return week_as_text(read_week(own_week(work)))


def own_week(work: Work) -> dict[str, Any]:
    """The CRM's own hours as they are kept: {"mon": [["09:00", "20:00"]], ...}."""
    week: dict[str, Any] = work.run(_OWN).scalar_one()
    return week


def own_hours_said(work: Work) -> str:
    """Who last changed the CRM's own hours, when and why; "" if nobody has since it was made."""
    row = work.run(_OWN_CHANGED).first()
    if row is None:
        return ""
    who = signed(row.manager, row.author) if row.manager else row.author
    return f"the CRM's own hours since {row.changed_at:%Y-%m-%d %H:%M} UTC ({who}: {row.reason})"


def stricter_hours(
    work: Work, *, assignment_id: int | None = None, segment_id: int | None = None, ended: bool = False,
    after: int = 0, most: int = ALL,
) -> list[HoursSet]:  # fmt: skip
    """What holds beside the CRM's own hours; of an assignment or segment also what holds around it.

    `ended`: what held once as well.
    """
    asked = {"assignment_id": assignment_id, "segment_id": segment_id, "ended": ended, "id": None}
    return [_set(row) for row in work.run(_STRICTER, **asked, after=after, most=most)]


def one_hours(work: Work, hours_id: int) -> HoursSet:
    """Stricter hours, standing or not. Raises NotFound."""
    asked = {"assignment_id": None, "segment_id": None, "ended": True, "id": hours_id}
    for row in work.run(_STRICTER, **asked, after=0, most=1):
        return _set(row)
    raise NotFound("hours", hours_id)


def exemptions(
    work: Work, *, assignment_id: int | None = None, ended: bool = False, after: int = 0, most: int = ALL
) -> list[Exempted]:
    """Who is exempted from what; `ended`: who was once as well."""
    asked = {"assignment_id": assignment_id, "ended": ended, "id": None, "today": _today(work)}
    return [_exempted(row) for row in work.run(_EXEMPTIONS, **asked, after=after, most=most)]


def one_exemption(work: Work, exemption_id: int) -> Exempted:
    """An exemption, standing or not. Raises NotFound."""
    asked = {"assignment_id": None, "ended": True, "id": exemption_id, "today": _today(work)}
    for row in work.run(_EXEMPTIONS, **asked, after=0, most=1):
        return _exempted(row)
    raise NotFound("exemption", exemption_id)


def laws(work: Work, place: str | None = None) -> list[LawRow]:
    """Every row by place, those without a source too; `place`: of it and its country alone.

    Raises BadInput for a place that does not exist.
    """
    place = _place(place) if place else None
    free = exemptions(work)
    today = work.now.date()
    rows = [_law(law, today, [one for one in free if one.law == law.key]) for law in shipped().rows]
    rows += [_silence(one) for one in shipped().silent]
    mine = {place, place.partition("-")[0]} if place else None
    return sorted(
        (r for r in rows if mine is None or r.place in mine), key=lambda r: (r.place, r.key is None)
    )


def _place(written: str) -> str:
    try:
        return read_legal_place(written.strip())
    except ValueError as error:
        raise BadInput(f"place: {written!r} {error}", place=written) from None


def in_words(hours: Any) -> str:
    """Stricter hours: "mon-fri 09:00-12:00; sat-sun never; 2026-12-24 never"."""
    week = [week_as_text(hours.week)] if hours.week else []
    return "; ".join([*week, *(f"{day} {as_text(spans)}" for day, spans in sorted(hours.days.items()))])


def _set(row: Any) -> HoursSet:
    hours = stricter_from(row._asdict())
    values: dict[str, Any] = {name: getattr(row, name, None) for name in HoursSet.__dataclass_fields__}
    where = scope_of(row.assignment_id, row.segment_id).lower()
    return HoursSet(**{**values, "scope": where, "hours": in_words(hours)})


def _exempted(row: Any) -> Exempted:
    values: dict[str, Any] = {name: getattr(row, name, None) for name in Exempted.__dataclass_fields__}
    law = shipped().by_key.get(row.law)
    name = "the CRM's own hours" if row.law == OWN else law.name if law else "a row that is no more"
    return Exempted(**{**values, "scope": scope_of(row.assignment_id, None).lower(), "name": name})


def _today(work: Work) -> date:
    """The earliest local day on earth: what ends today has not ended there yet."""
    return (work.now - _FURTHEST).date()


def _law(law: Law, today: date, free: list[Exempted]) -> LawRow:
    holidays = f"{law.calendar}: {as_text(law.holiday_hours)}" if law.calendar else None
    own = tuple(f"{month:02}-{day:02}" for month, day in sorted(law.own_days))
    return LawRow(
        law.key, law.place, law.name, week_as_text(law.week), holidays, own,
        None if law.valid_from == date.min else law.valid_from,
        None if law.valid_to == date.max else law.valid_to,
        law.binds(today), law.debts, law.source, law.evidence, law.note, tuple(free),
    )  # fmt: skip


def _silence(one: Silence) -> LawRow:
    return LawRow(
        None,
        one.place,
        one.name,
        OWN_HOURS,
        None,
        (),
        None,
        None,
        True,
        False,
        one.looked,
        "none",
        one.note,
        (),
    )
