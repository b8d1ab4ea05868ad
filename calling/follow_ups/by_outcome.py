"""Follow-ups and outcomes: what was promised in a call is written, what a call has kept is consumed (P4).

A follow-up is consumed by the outcome of the lease that was handed out to keep it, if the telephone rang at
the right number, and by any outcome that closes the customer. Whatever else was promised outlives the call. A
note or an owner changed meanwhile is the same promise; so is one that has moved with its wall, if its time
had come there too before the call was over. What the first word on a call has consumed is looked at again
where the last word is another; where it stands again, it follows its wall.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from calling.follow_ups import by_outcome_sql as sql
from calling.follow_ups.asking import Asked, Wish, reckon
from calling.follow_ups.own_wall import Followed, follow_walls
from calling.follow_ups.putting import Promised
from calling.handout.placements import Rows
from calling.outcomes.settling import Change, Kept
from models.ids import instant_of
from models.outcomes import EFFECTS, Outcome
from models.tables.follow_ups import OTHERWISE
from models.work import Work

Key = tuple[int, int]


Waits = tuple[str, datetime | None]
"""A state in which nobody holds the customer, and until when."""


@dataclass(slots=True)
class Standing:
    """A promise of a placement; `made`: by this very batch, so it has no id yet. `names`: its ids so far.

    `asked_at`: the instant that was asked for. `walls`: its ids at other times, before its wall moved it.
    `otherwise`: what the customer would be without it. `over`: the call whose first word had ended it; only
    another word on the same call looks at it again.
    """

    id: int | None
    due_at: datetime
    otherwise: Waits
    asked_at: datetime | None = None
    names: Sequence[int] = ()
    walls: Sequence[int] = ()
    over: UUID | None = None
    made: dict[str, Any] | None = None


@dataclass(slots=True)
class Promises:
    """What a batch of outcomes finds promised, and does to it."""

    asked: Mapping[UUID, Asked]
    standing: dict[Key, Standing]
    now: datetime
    followed: Followed = field(default_factory=Followed)
    _ended: list[tuple[int, UUID, str]] = field(default_factory=list)
    _stay: dict[int, Standing] = field(default_factory=dict)
    _made: list[dict[str, Any]] = field(default_factory=list)
    _revived: dict[int, int] = field(default_factory=dict)  # whose they are

    def kept(self, lease: Any, outcome: Outcome) -> Kept | None:
        """The promise that outlives this outcome, should the outcome not close the customer."""
        standing = self._of(lease)
        if standing is None:
            return None
        if not self._is_of(lease, standing):
            return Kept(standing.due_at, put_off=False)
        effect = EFFECTS[outcome]
        reached = effect.rang and not effect.number_state  # the telephone rang, and it was theirs
        return None if reached else Kept(standing.due_at, put_off=True)

    def concern(self, lease: Any) -> bool:
        """Whether anything is promised to the customer of this lease, before or in the call."""
        return lease.id in self.asked or self._of(lease) is not None

    def without(self, lease: Any, before: Change) -> Change:
        """The placement as it would be if nothing had been promised before."""
        standing = self._of(lease)
        if standing is None:
            return before
        state, due_at = standing.otherwise
        if before.state == "follow_up":
            return replace(before, state=state, due_at=due_at)
        if before.return_state == "follow_up":
            return replace(before, return_state=state, return_due_at=due_at)
        return before

    def note(self, lease: Any, by: str, after: Change, unpromised: Change) -> None:
        """Say what became of the promises of a placement, once the outcome is settled.

        `unpromised`: the placement as it would be now if nothing were promised.
        """
        key = (lease.assignment_id, lease.customer_id)
        asked, standing = self.asked.get(lease.id), self._of(lease)
        waits, otherwise = _due(after), _waits(unpromised)
        stands = asked is not None and waits == asked.due_at
        if standing is not None and (stands or waits is None):
            self._end(standing, lease.id, by)
            del self.standing[key]
        elif standing is not None and waits is not None:
            self._keep(standing, lease.customer_id, waits, otherwise)
        if asked is not None:
            self._make(key, lease, asked, by, standing, otherwise, stands=stands)

    def _of(self, lease: Any) -> Standing | None:
        found = self.standing.get((lease.assignment_id, lease.customer_id))
        return found if found is None or found.over in (None, lease.id) else None

    def _is_of(self, lease: Any, standing: Standing) -> bool:
        """Whether this call was to keep the promise: at its time, or at one that the wall has moved on to
        and that had come as well before the call was over."""
        if lease.follow_up_id in standing.names:
            return True
        if standing.asked_at is None or lease.follow_up_id not in standing.walls:
            return False
        over: datetime = lease.ended_at or self.now
        return standing.asked_at <= over

    def _end(self, standing: Standing, lease_id: UUID, by: str) -> None:
        if standing.made is not None:
            standing.made |= {"ended_by": "outcome", "ended_lease_id": lease_id}
        elif standing.id is not None and standing.over is None:
            self._ended.append((standing.id, lease_id, by))

    def _keep(self, standing: Standing, customer_id: int, due_at: datetime, otherwise: Waits) -> None:
        if standing.over is None and (due_at, otherwise) == (standing.due_at, standing.otherwise):
            return
        if standing.over is not None and standing.id is not None:
            self._revived[standing.id] = customer_id
        standing.due_at, standing.otherwise, standing.over = due_at, otherwise, None
        if standing.made is not None:
            standing.made |= {"due_at": due_at} | _as_columns(otherwise)
        elif standing.id is not None:
            self._stay[standing.id] = standing

    def _make(
        self, key: Key, lease: Any, asked: Asked, by: str, before: Standing | None, otherwise: Waits, *,
        stands: bool,
    ) -> None:  # fmt: skip
        """Write the promise down, whether it stands or was overtaken by what came before it was told."""
        row = {
            "assignment_id": key[0], "customer_id": key[1],
            "seller_id": None if asked.shared else lease.seller_id, "rung_by": lease.seller_id,
            "asked_at": asked.at, "wall_time": asked.wall_time, "zone": asked.zone,
            "asked_as": asked.asked_as, "due_at": asked.due_at, "note": asked.note,
            "made_by": "seller" if by == "seller" else "key_press",
            "lease_id": lease.id, "replaces": before.id if before and stands else None,
            **_as_columns(otherwise),
            "ended_by": None if stands else "overtaken", "ended_lease_id": None,
        }  # fmt: skip
        self._made.append(row)
        if stands:
            self.standing[key] = Standing(None, asked.due_at, otherwise, made=row)

    def write(self, work: Work) -> dict[UUID, Promised]:
        """Write it all; the promises made and standing, by the lease in whose call they were made.

        The placements are locked. What stands again and moves is `followed`, to be told once segments follow.
        """
        if self._ended:
            ids, leases, authors = zip(*self._ended, strict=True)
            work.run(sql.END, ids=list(ids), leases=list(leases), authors=list(authors))
        over = {key for key, *_ in self._ended}  # kept by one outcome of the batch, and ended by the next
        if stay := {key: one for key, one in self._stay.items() if key not in over}:
            states, state_dues = zip(*(one.otherwise for one in stay.values()), strict=True)
            work.run(
                sql.STAY, ids=list(stay), dues=[one.due_at for one in stay.values()],
                states=list(states), state_dues=list(state_dues),
            )  # fmt: skip
        if revived := {key: customer for key, customer in self._revived.items() if key in stay}:
            self.followed = follow_walls(work, set(revived.values()), "outcome", alone=revived)
        if not self._made:
            return {}
        columns = {f"{name}s": [row[name] for row in self._made] for name in self._made[0]}
        made = {row.lease_id: row.id for row in work.run(sql.MAKE, **columns)}
        return {
            lease: _promised(made[lease], row, self.asked[lease])
            for row in self._made
            if row["ended_by"] is None and (lease := row["lease_id"])
        }


def promises_of(
    work: Work, leases: Sequence[Row[Any]], wishes: Mapping[UUID, Wish | None], rows: Rows,
    completed: Sequence[Row[Any]],
) -> Promises:  # fmt: skip
    """What is promised to the customers of these leases, and what these reports promise them.

    `rows`: their placements, locked. `completed`: the leases of which another word is known already. Who has
    no promise, and is given none, costs no question.
    """
    waiting = sorted(
        {customer for (_, customer), row in rows.items() if "follow_up" in (row.state, row.return_state)}
    )
    standing = {}
    if waiting or completed:
        found = work.run(
            sql.STANDING, waiting=waiting, completed=sorted({lease.customer_id for lease in completed}),
            leases=[lease.id for lease in completed],
        )  # fmt: skip
        for row in found:  # what is open comes last, and stands
            standing[row.assignment_id, row.customer_id] = Standing(
                row.id, row.due_at, (row.otherwise_state, row.otherwise_due_at), row.asked_at, row.names,
                row.walls, row.over,
            )  # fmt: skip
    return Promises(_asked(work, leases, wishes), standing, work.now)


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


def _waits(change: Change) -> Waits:
    """What a placement is, or goes back to; who has left is called no more."""
    if change.state == "leased" and change.return_state is not None:
        return change.return_state, change.return_due_at
    return (change.state, change.due_at) if change.state in OTHERWISE else ("closed", None)


def _as_columns(otherwise: Waits) -> dict[str, Any]:
    return dict(zip(("otherwise_state", "otherwise_due_at"), otherwise, strict=True))


def _promised(key: int, row: dict[str, Any], asked: Asked) -> Promised:
    return Promised(
        key, row["assignment_id"], row["customer_id"], row["seller_id"], row["asked_at"], row["wall_time"],
        row["zone"], row["asked_as"], row["due_at"], row["note"], asked.told,
    )  # fmt: skip
