"""A lease ends without an outcome: its customer goes back to where they came from.

Every path that frees a customer unrung comes through here: release, skip, recall, expiry, never seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from calling.handout import claims, gates, placements
from calling.segments.following import follow
from models.work import Work

UNRUNG = ("offered", "taken")
STARTED = ("rung", "wrap_up")

_LOCK = text("""
    select id, assignment_id, customer_id, coalesce(seller_id, connected_seller_id) as seller_id from lease
     where crm_id = :crm_id and id = any(:leases) and ended_at is null and state = any(:states)
       and (not :unsent or dialer_id is null or sent_at is null)
       and (not :expired or expires_at <= :now)
     order by id for update
""")

_END = text("""
    update lease set state = 'ended', ended_at = :now, ended_by = :ended_by,
           ended_author = :author, ended_reason = :reason
     where crm_id = :crm_id and id = any(:leases)
""")

# What came meanwhile was written into return_state; giving back obeys it.
_RETURN = text("""
    update placement set state = return_state, due_at = return_due_at,
           lease_id = null, return_state = null, return_due_at = null
     where crm_id = :crm_id and customer_id = any(:customers) and lease_id = any(:leases)
""")

# Nobody knows whether it rang: it counts as rung at this moment, and waits the minimum gap.
_COUNT_AS_RUNG = text("""
    update lease set rung_at = :now where crm_id = :crm_id and id = any(:leases) and rung_at is null
""")
# A promise stays promised: only an outcome consumes it. Its owner is waited for anew from then on. Whoever
# was put off meanwhile is not tried sooner.
_REST = """
    with rested as (
        update placement p
           set state = case when p.return_state in ('closed', 'follow_up') then p.return_state
                            else 'resting' end,
               due_at = case p.return_state when 'closed' then p.return_due_at
                        else greatest(:now + a.{seconds} * interval '1 second', p.return_due_at) end,
               lease_id = null, return_state = null, return_due_at = null
          from lease l, assignment a
         where p.crm_id = :crm_id and p.customer_id = any(:customers) and p.lease_id = any(:leases)
           and l.crm_id = :crm_id and l.id = p.lease_id
           and a.crm_id = :crm_id and a.id = p.assignment_id
        returning p.assignment_id, p.customer_id, p.state, p.due_at
    )
    update follow_up f
       set due_at = r.due_at, anybodys_at = null,
           otherwise_state = case f.otherwise_state when 'closed' then 'closed' else 'resting' end,
           otherwise_due_at = case when f.otherwise_state <> 'closed'
                                   then greatest(r.due_at, f.otherwise_due_at) end
      from rested r
     where r.state = 'follow_up' and f.crm_id = :crm_id and f.assignment_id = r.assignment_id
       and f.customer_id = r.customer_id and f.ended_at is null
"""
# Where they go: back to where they came from, unless they rest first, for as long as their assignment says.
_GO_ON = {
    "unconfirmed": text(_REST.format(seconds="gap_seconds")),
    "skipped": text(_REST.format(seconds="skip_seconds")),
}

_ANSWER_RECALLS = text("""
    update recall set answered_at = :now, answer = :answer
     where crm_id = :crm_id and lease_id = any(:leases) and answered_at is null
""")
_ANSWERS = {"never_seen": "never_seen", "unconfirmed": "late"}

TAKEN_AWAY = ("recalled", "expired", "unconfirmed")
"""Endings that no seller asked for: who had the customer on their screen, or in their list, is told."""


@dataclass(frozen=True, slots=True)
class Why:
    """Who ended a lease, None: its holder, or time; and why, None: nobody had to say."""

    author: str | None = None
    reason: str | None = None


UNSAID = Why()


def give_back(
    work: Work, leases: Sequence[UUID], ended_by: str, *, states: Sequence[str] = UNRUNG,
    unsent: bool = False, expired: bool = False, why: Why = UNSAID,
) -> list[UUID]:  # fmt: skip
    """End those of these leases that stand in `states`, unrung; the leases that ended.

    `unsent`: none that its link has sent to the dialer. `expired`: only those whose time is over. All is
    looked at under the lock: what the caller has read may be a moment old. The caller has passed the
    turnstiles of their assignments. Nothing happens to leases that have ended.
    """
    claims.lock(work, leases)
    rows = work.run(_LOCK, leases=list(leases), states=list(states), unsent=unsent, expired=expired).all()
    ended = [row.id for row in rows]
    if not ended:
        return []
    unconfirmed = ended_by == "unconfirmed"
    if unconfirmed:
        work.run(_COUNT_AS_RUNG, leases=ended)
    customers = sorted({customer_id for _, customer_id in placements.lock_touched(work, ended)})
    work.run(_END, leases=ended, ended_by=ended_by, author=why.author, reason=why.reason)
    work.run(_GO_ON.get(ended_by, _RETURN), leases=ended, customers=customers)
    claims.drop(work, ended)
    work.run(_ANSWER_RECALLS, leases=ended, answer=_ANSWERS.get(ended_by, "recalled"))
    if unconfirmed:
        note_rings(work, ended, since=work.now)
    gates.restamp(work, customers, locked=True)
    for assignment_id in sorted({row.assignment_id for row in rows}):
        follow(
            work, assignment_id,
            [row.customer_id for row in rows if row.assignment_id == assignment_id], "due", "event",
        )  # fmt: skip
    for row in rows:
        work.hint("allocate", row.assignment_id)
        if row.seller_id is not None and ended_by in TAKEN_AWAY:
            work.hint("lease_taken_away", row.seller_id)
    return ended


def give_up(
    work: Work, leases: Sequence[UUID], *, states: Sequence[str] = (*UNRUNG, *STARTED),
    expired: bool = False, why: Why = UNSAID,
) -> list[UUID]:  # fmt: skip
    """End leases whose fate nobody knows: they count as rung *now* and wait the minimum gap (P5).

    From now, not from the ring: they may be talking still.
    """
    return give_back(work, leases, "unconfirmed", states=states, expired=expired, why=why)


_NOTE_RINGS = text("""
    with rung as (
        select customer_id::text as customer, e164, assignment_id,
               greatest(rung_at, cast(:since as timestamptz)) as rung_at
          from lease where crm_id = :crm_id and id = any(:leases) and rung_at is not null
    ), subject as (
        select 'customer' as scope, customer as subject, assignment_id, rung_at from rung
        union all
        select 'number', e164, assignment_id, rung_at from rung
    )
    insert into ring_limit as r (crm_id, scope, subject, assignment_id, rung_at)
    select :crm_id, scope, subject, assignment_id, max(rung_at) from subject
     group by scope, subject, assignment_id order by scope, subject, assignment_id
    on conflict (crm_id, scope, subject, assignment_id) do update
       set rung_at = greatest(r.rung_at, excluded.rung_at)
""")


def note_rings(work: Work, leases: Sequence[UUID], *, since: datetime | None = None) -> None:
    """Write when customers and numbers were rung, from where their gap counts: from `since` if that is later.

    The placements of whoever they touch are locked, and stamped next.
    """
    work.run(_NOTE_RINGS, leases=list(leases), since=since)
