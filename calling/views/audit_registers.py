"""Rings held against the national registers as they were then, by what was a wall when somebody looked.

What a version named that was loaded later makes no ring of before wrong, and none right; nor does what was
lifted since. A dialer's ring is decided when its order is sent: behind that, the wall's answer names it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Row, text

from calling.hours.opening import read_known
from calling.hours.timetable import MARGIN
from calling.hours.versions import known_version
from calling.registers.age import refusal_of, refused_from
from models.tables import FOREVER
from models.work import Work

# A wall begins to the instant: whoever passed a turnstile before it was waited for. Nobody waits for whoever
# looks while a register is lifted, or somebody let off: near such an instant either answer is right.
LEEWAY = "interval '1 minute'"

# A number stands on a register from the first wall of a version that names it, until a version takes force
# that does not, or the CRM uses the register no more. An outcome that is told late stamps a ring behind the
# end of its lease, and is none (P4).
_NAMED = text(f"""
    with bound as materialized (
        select u.register_id, v.id as added_in, min(w.walled_at) as since,
               coalesce(min(u.ended_at), 'infinity') as until
          from crm_register u
          join register_version v on v.register_id = u.register_id and v.in_force_at is not null
          join register_wall w on w.crm_id = :crm_id and w.use_id = u.id and w.version >= v.id
         where u.crm_id = :crm_id
         group by u.id, u.register_id, v.id
    ), step as (
        select n.register_id, l.id, l.assignment_id, l.customer_id, s.step, s.at
          from lease l
          join register_number n on n.e164 = l.e164
          join bound b on b.register_id = n.register_id and b.added_in = n.added_in
          left join register_version gone on gone.id = n.removed_in
         cross join lateral (values
               ('offered', l.offered_at),
               ('taken', case when l.seller_id is not null then l.taken_at end),
               ('sent', l.sent_at),
               ('rung', case when l.seller_id is not null and l.rung_at <= coalesce(l.ended_at, 'infinity')
                             then l.rung_at end)) as s(step, at)
         where l.crm_id = :crm_id and s.at > b.since
           and s.at < least(b.until, coalesce(gone.in_force_at, 'infinity')) - {LEEWAY}
    )
    select s.step, count(distinct s.id) as leases
      from step s
     where not exists (
        select from register_exemption let
         where let.crm_id = :crm_id and let.register_id = s.register_id
           and s.at > let.given_at - {LEEWAY} and s.at <= coalesce(let.walled_at, 'infinity')
           and (let.assignment_id = s.assignment_id
             or exists (select from customer_tag mark
                         where mark.crm_id = :crm_id and mark.customer_id = s.customer_id
                           and mark.tag = let.tag and s.at > mark.tagged_at - {LEEWAY})
             or exists (select from tag_taken mark
                         where mark.crm_id = :crm_id and mark.customer_id = s.customer_id
                           and mark.tag = let.tag and s.at > mark.tagged_at - {LEEWAY}
                           and s.at < mark.taken_at + {LEEWAY})))
     group by s.step
""")  # noqa: S608 - only our own words go in

FOUND = {
    "offered": "offered although on a register",
    "taken": "a seller took who is on a register",
    "sent": "sent to a dialer although on a register",
    "rung": "a seller rang who is on a register",
}


def on_a_register(work: Work) -> Mapping[str, int]:
    """Of each finding of `FOUND`, how many leases went that step although a register named their number."""
    found = {row.step: row.leases for row in work.run(_NAMED)}
    return {what: found.get(step, 0) for step, what in FOUND.items()}


_USES = text("""
    select u.id, u.register_id, r.name, min(w.walled_at) as since, u.ended_at
      from crm_register u
      join register r on r.id = u.register_id
      join register_wall w on w.crm_id = :crm_id and w.use_id = u.id
     where u.crm_id = :crm_id group by u.id, u.register_id, r.name, u.ended_at order by u.id
""")
_VERSIONS = text("""
    select register_id, dated, in_force_at from register_version
     where in_force_at is not null order by register_id, id
""")
_CLOCKS = text("select id from call_clock order by id")
# What an order may still ring, or may have rung, it rings until its last moment, and nothing rings at that.
# The first minute of a dialer's lateness is the margin of its hours.
_RUNG = text(f"""
    select count(distinct ring.id) from (
        select l.id, coalesce(l.clock_id, p.clock_id) as clock_id,
               coalesce(l.sent_at, l.rung_at) as decided_at,
               case when l.dialer_id is null then l.rung_at
                    when l.rung_at is null or l.ended_by is not distinct from 'unconfirmed'
                    then l.ring_by - interval '1 microsecond'
                         + greatest(d.rings_late_seconds - :margin, 0) * interval '1 second'
                    else l.rung_at - least(d.rings_late_seconds, :margin) * interval '1 second' end as at
          from lease l
          join placement p on p.crm_id = :crm_id and p.assignment_id = l.assignment_id
                          and p.customer_id = l.customer_id
          left join dialer d on d.crm_id = :crm_id and d.id = l.dialer_id
         where l.crm_id = :crm_id
           and case when l.dialer_id is null then l.rung_at <= coalesce(l.ended_at, 'infinity')
                    else l.rung_at is not null or (l.sent_at is not null and l.ended_at is null) end
           and (l.data_version is null or l.data_version = :data_version)) ring
      join unnest(cast(:clocks as bigint[]), cast(:since as timestamptz[]), cast(:until as timestamptz[]),
                  cast(:ends as timestamptz[])) as shut(clock_id, since, until, ends)
        on shut.clock_id = ring.clock_id and ring.decided_at > shut.since
       and ring.decided_at < shut.until - {LEEWAY} and ring.at >= shut.ends
""")  # noqa: S608 - only our own words go in


@dataclass(frozen=True, slots=True)
class Shut:
    """Whoever decided between `since` and `until` may ring at this clock no more from `ends` on (UTC)."""

    clock_id: int
    since: datetime
    until: datetime
    ends: datetime


def rung_by_old_registers(work: Work) -> int:
    """Rings, and orders that may ring, where a register had grown too old to call by, or was never loaded.

    By the policy of the installed file: a ring that was decided by another one names it, and is not judged.
    """
    shut = list(_shut(work))
    if not shut:
        return 0
    return int(
        work.run(
            _RUNG, margin=60 * MARGIN, data_version=known_version(work),
            clocks=[one.clock_id for one in shut], since=[one.since for one in shut],
            until=[one.until for one in shut], ends=[one.ends for one in shut],
        ).scalar_one()
    )  # fmt: skip


def _shut(work: Work) -> Iterator[Shut]:
    """When which clock was, or will be, shut by the age of a register: use by use, version by version."""
    uses = [use for use in work.run(_USES) if refusal_of(use.name, None)]
    if not uses:
        return
    versions = work.run(_VERSIONS).all()
    clocks = read_known(work, list(work.run(_CLOCKS).scalars())).values()
    for use in uses:
        loaded = [row for row in versions if row.register_id == use.register_id]
        for dated, since, until in _in_force(use, loaded):
            refused = refusal_of(use.name, dated)
            found = ((clock.id, refused_from((refused,), clock.places, clock.zones)) for clock in clocks)
            yield from (Shut(key, since, until, end[0]) for key, end in found if end and end[0] < until)


def _in_force(use: Row[Any], loaded: Sequence[Row[Any]]) -> Iterator[tuple[date | None, datetime, datetime]]:
    """Behind the first wall of a use: the day of the version in force (None: none), since and until when."""
    days = [None, *(row.dated for row in loaded)]
    changes = [use.since, *(row.in_force_at for row in loaded), use.ended_at or FOREVER]
    for dated, (since, until) in zip(days, pairwise(changes), strict=True):
        within = max(since, use.since), min(until, use.ended_at or FOREVER)
        if within[0] < within[1]:
            yield dated, *within
