"""Follow-ups and outcomes: what was promised in a call is written, what a call has kept is consumed (P4).

A follow-up is consumed by the outcome of the lease that was handed out to keep it, if the telephone rang at
the right number, and by any outcome that closes the customer. Whatever else was promised outlives the call.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from calling.follow_ups.asking import Asked, Wish, reckon
from calling.follow_ups.promising import Promised
from calling.handout.placements import Rows
from calling.outcomes.settling import Change, Kept
from models.ids import instant_of
from models.outcomes import EFFECTS, Outcome
from models.work import Work

_OPEN = text("""
    select id, assignment_id, customer_id, due_at from follow_up
     where crm_id = :crm_id and customer_id = any(:customers) and ended_at is null
""")
_END = text("""
    update follow_up f
       set ended_at = :now, ended_by = 'outcome', ended_author = t.author, ended_lease_id = t.lease_id
      from unnest(cast(:ids as bigint[]), cast(:leases as uuid[]), cast(:authors as text[]))
           as t(id, lease_id, author)
     where f.crm_id = :crm_id and f.id = t.id and f.ended_at is null
""")
_PUT_OFF = text("""
    update follow_up f set due_at = t.due_at
      from unnest(cast(:ids as bigint[]), cast(:dues as timestamptz[])) as t(id, due_at)
     where f.crm_id = :crm_id and f.id = t.id and f.ended_at is null
""")
_MAKE = text("""
    insert into follow_up (crm_id, assignment_id, customer_id, seller_id, asked_at, wall_time, zone, due_at,
                           note, author, made_by, lease_id, replaces, created_at,
                           ended_at, ended_by, ended_lease_id)
    select :crm_id, t.assignment_id, t.customer_id, t.seller_id, t.asked_at, t.wall_time, t.zone, t.due_at,
           t.note, coalesce(s.name, t.made_by), t.made_by, t.lease_id, t.replaces, :now,
           case when t.ended_by is not null then cast(:now as timestamptz) end, t.ended_by, t.ended_lease_id
      from unnest(
            cast(:assignment_ids as bigint[]), cast(:customer_ids as bigint[]),
            cast(:seller_ids as bigint[]), cast(:rung_bys as bigint[]), cast(:asked_ats as timestamptz[]),
            cast(:wall_times as text[]), cast(:zones as text[]), cast(:due_ats as timestamptz[]),
            cast(:notes as text[]), cast(:made_bys as text[]), cast(:lease_ids as uuid[]),
            cast(:replacess as bigint[]), cast(:ended_bys as text[]), cast(:ended_lease_ids as uuid[])
           ) as t(assignment_id, customer_id, seller_id, rung_by, asked_at, wall_time, zone, due_at, note,
                  made_by, lease_id, replaces, ended_by, ended_lease_id)
      left join seller s on s.crm_id = :crm_id and s.id = t.rung_by
    returning id, lease_id
""")

Key = tuple[int, int]


@dataclass(slots=True)
class Standing:
    """An open promise of a placement; `made`: by this very batch, so it has no id yet."""

    id: int | None
    due_at: datetime
    made: dict[str, Any] | None = None


@dataclass(slots=True)
class Promises:
    """What a batch of outcomes finds promised, and does to it."""

    asked: Mapping[UUID, Asked]
    standing: dict[Key, Standing]
    _ended: list[tuple[int, UUID, str]] = field(default_factory=list)
    _put_off: dict[int, datetime] = field(default_factory=dict)
    _made: list[dict[str, Any]] = field(default_factory=list)

    def kept(self, lease: Any, outcome: Outcome) -> Kept | None:
        """The promise that outlives this outcome, should the outcome not close the customer."""
        standing = self.standing.get((lease.assignment_id, lease.customer_id))
        if standing is None:
            return None
        if standing.id is None or standing.id != lease.follow_up_id:
            return Kept(standing.due_at, put_off=False)
        effect = EFFECTS[outcome]
        reached = effect.rang and not effect.number_state  # the telephone rang, and it was theirs
        return None if reached else Kept(standing.due_at, put_off=True)

    def note(self, lease: Any, by: str, after: Change) -> None:
        """Say what became of the promises of a placement, once the outcome is settled."""
        key = (lease.assignment_id, lease.customer_id)
        asked, standing = self.asked.get(lease.id), self.standing.get(key)
        waits = _due(after)
        stands = asked is not None and waits == asked.due_at
        if standing is not None and (stands or waits is None):
            self._end(standing, lease.id, by)
            del self.standing[key]
        elif standing is not None and waits is not None and waits != standing.due_at:
            self._move(standing, waits)
        if asked is not None:
            self._make(key, lease, asked, by, standing, stands=stands)

    def _end(self, standing: Standing, lease_id: UUID, by: str) -> None:
        if standing.made is not None:
            standing.made |= {"ended_by": "outcome", "ended_lease_id": lease_id}
        elif standing.id is not None:
            self._ended.append((standing.id, lease_id, by))

    def _move(self, standing: Standing, due_at: datetime) -> None:
        standing.due_at = due_at
        if standing.made is not None:
            standing.made["due_at"] = due_at
        elif standing.id is not None:
            self._put_off[standing.id] = due_at

    def _make(
        self, key: Key, lease: Any, asked: Asked, by: str, before: Standing | None, *, stands: bool
    ) -> None:
        """Write the promise down, whether it stands or was overtaken by what came before it was told."""
        row = {
            "assignment_id": key[0], "customer_id": key[1],
            "seller_id": None if asked.shared else lease.seller_id, "rung_by": lease.seller_id,
            "asked_at": asked.at, "wall_time": asked.wall_time, "zone": asked.zone, "due_at": asked.due_at,
            "note": asked.note, "made_by": "seller" if by == "seller" else "key_press",
            "lease_id": lease.id, "replaces": before.id if before and stands else None,
            "ended_by": None if stands else "overtaken", "ended_lease_id": None,
        }  # fmt: skip
        self._made.append(row)
        if stands:
            self.standing[key] = Standing(None, asked.due_at, row)

    def write(self, work: Work) -> dict[UUID, Promised]:
        """Write it all; the promises made and standing, by the lease in whose call they were made.

        The placements are locked.
        """
        if self._ended:
            ids, leases, authors = zip(*self._ended, strict=True)
            work.run(_END, ids=list(ids), leases=list(leases), authors=list(authors))
        if self._put_off:
            work.run(_PUT_OFF, ids=list(self._put_off), dues=list(self._put_off.values()))
        if not self._made:
            return {}
        columns = {f"{name}s": [row[name] for row in self._made] for name in self._made[0]}
        made = {row.lease_id: row.id for row in work.run(_MAKE, **columns)}
        return {
            lease: _promised(made[lease], row, self.asked[lease])
            for row in self._made
            if row["ended_by"] is None and (lease := row["lease_id"])
        }


def promises_of(
    work: Work, leases: Sequence[Row[Any]], wishes: Mapping[UUID, Wish | None], rows: Rows
) -> Promises:
    """What is promised to the customers of these leases, and what these reports promise them.

    `rows`: their placements, locked. Who has no promise, and is given none, costs no question.
    """
    waiting = sorted(
        {customer for (_, customer), row in rows.items() if "follow_up" in (row.state, row.return_state)}
    )
    standing = (
        {
            (r.assignment_id, r.customer_id): Standing(r.id, r.due_at)
            for r in work.run(_OPEN, customers=waiting)
        }
        if waiting
        else {}
    )
    return Promises(_asked(work, leases, wishes), standing)


def _asked(work: Work, leases: Iterable[Row[Any]], wishes: Mapping[UUID, Wish | None]) -> dict[UUID, Asked]:
    wanted = [(lease, wish) for lease in leases if (wish := wishes.get(lease.id)) is not None]
    if not wanted:
        return {}
    asked = reckon(work, [(lease.assignment_id, lease.customer_id, wish) for lease, wish in wanted])
    # Nobody is promised a call before the one they are in: a key press may name any time.
    return {
        lease.id: one for (lease, _), one in zip(wanted, asked, strict=True) if one.at > instant_of(lease.id)
    }


def _due(after: Change) -> datetime | None:
    """When the promise of a placement is due: it waits for it, or goes back to it."""
    if after.state == "follow_up":
        return after.due_at
    return after.return_due_at if after.return_state == "follow_up" else None


def _promised(key: int, row: dict[str, Any], asked: Asked) -> Promised:
    return Promised(
        key, row["assignment_id"], row["customer_id"], row["seller_id"], row["asked_at"], row["wall_time"],
        row["zone"], row["due_at"], row["note"], asked.told,
    )  # fmt: skip
