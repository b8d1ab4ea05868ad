"""Recalls: customers are wanted back, from sellers in the transaction, from dialers by asking their link.

An order that was offered outside is freed only by what the dialer answers, or when it can ring no more (P5).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import TextClause, text

from calling.dialers.orders import want_back
from calling.handout.give_back import STARTED, UNRUNG, Why, give_back
from models import turnstile
from models.work import OpenWork, Work

BATCH = 200
LIVE = (*UNRUNG, *STARTED)

Patience = Callable[[], bool]
"""Waits a moment and says whether to look again; the edge owns the wall clock."""


def no_patience() -> bool:
    """Ask once, wait for nothing."""
    return False


@dataclass(slots=True)
class Elsewhere:
    """What a wall found in the air of so many other CRMs: how many, since no lease of theirs is ours to see.

    `until` (UTC): the last instant at which one of the `unknown` may still ring.
    """

    crms: int = 0
    recalled: int = 0
    rung: int = 0
    unknown: int = 0
    until: datetime | None = None

    def add(self, answer: "WallAnswer") -> None:
        """Count what one of them answered."""
        self.crms += 1
        self.recalled += len(answer.recalled)
        self.rung += len(answer.rung)
        self.unknown += len(answer.unknown)
        self.until = max((at for at in (self.until, *(at for _, at in answer.unknown)) if at), default=None)


@dataclass(slots=True)
class WallAnswer:
    """What a wall found in the air (P2, P8): nothing else is offered, taken or rung behind it.

    `recalled` came back unrung. `rung` are ringing, talking or in wrap-up. `unknown` may still ring, each
    until the instant (UTC) beside it. `elsewhere`: of a wall that stands in other CRMs as well.
    """

    recalled: list[UUID] = field(default_factory=list)
    rung: list[UUID] = field(default_factory=list)
    unknown: list[tuple[UUID, datetime]] = field(default_factory=list)
    elsewhere: Elsewhere = field(default_factory=Elsewhere)

    def join(self, other: "WallAnswer") -> None:
        """Take in what another part of the same wall found."""
        self.recalled += other.recalled
        self.rung += other.rung
        self.unknown += other.unknown


_HOLDERS = text("""
    select id, assignment_id, dialer_id from lease
     where crm_id = :crm_id and id = any(:leases) and ended_at is null and state = any(:states)
""")
_FATE = text("""
    select l.id, l.state, l.ended_by, l.rung_at,
           l.ring_by + coalesce(d.rings_late_seconds, 0) * interval '1 second' as last_ring,
           r.answered_at
      from lease l
      left join dialer d on d.crm_id = :crm_id and d.id = l.dialer_id
      left join recall r on r.crm_id = :crm_id and r.lease_id = l.id
     where l.crm_id = :crm_id and l.id = any(:leases)
     order by l.id
""")


def recall(
    work: Work, leases: Sequence[UUID], reason: str, *, states: Sequence[str] = LIVE,
    author: str | None = None,
) -> None:  # fmt: skip
    """Take back what sellers hold unrung and what was never sent; ask the links for the rest.

    Only leases that stand in `states`; what a seller has rung stays. Whether an order was sent is looked at
    under its lock: the link may send it at this very moment. `author`: who wants them back, None: no person.
    """
    rows = work.run(_HOLDERS, leases=list(leases), states=list(states)).all()
    if not rows:
        return
    turnstile.pass_shared(work, (row.assignment_id for row in rows))
    unrung = [state for state in states if state in UNRUNG]
    found, why = [row.id for row in rows], Why(author, reason)
    here = set(give_back(work, found, "recalled", states=unrung, unsent=True, why=why))
    outside = [r for r in rows if r.dialer_id is not None and r.id not in here]
    if outside:
        want_back(work, [r.id for r in outside], reason)
        for dialer_id in sorted({r.dialer_id for r in outside}):
            work.hint("recall", dialer_id)


def recall_all(
    open_work: OpenWork, found: TextClause, values: dict[str, object], reason: str, patience: Patience
) -> WallAnswer:
    """Recall every live lease that the statement `found` names, in batches; then what became of each."""
    with open_work() as work:
        leases = list(work.run(found, **values).scalars())
    return recall_leases(open_work, leases, reason, patience)


def recall_leases(
    open_work: OpenWork, leases: Sequence[UUID], reason: str, patience: Patience, *, author: str | None = None
) -> WallAnswer:
    """Recall these live leases, in batches; then what became of each."""
    if not leases:
        return WallAnswer()
    for start in range(0, len(leases), BATCH):
        with open_work() as work:
            recall(work, leases[start : start + BATCH], reason, author=author)
    answer = fates(open_work, leases)
    while answer.unknown and patience():
        look_again(open_work, answer)
    return answer


def look_again(open_work: OpenWork, answer: WallAnswer) -> None:
    """What has become meanwhile of those that were unknown."""
    if answer.unknown:
        unknown, answer.unknown = answer.unknown, []
        answer.join(fates(open_work, [lease for lease, _ in unknown]))


def fates(open_work: OpenWork, leases: Iterable[UUID]) -> WallAnswer:
    """What has become of these leases by now."""
    answer = WallAnswer()
    with open_work() as work:
        for row in work.run(_FATE, leases=list(leases)):
            if row.state in ("rung", "wrap_up") or (row.rung_at is not None and row.ended_by == "outcome"):
                answer.rung.append(row.id)
            elif row.state == "ended" and row.ended_by != "unconfirmed":
                answer.recalled.append(row.id)
            else:
                answer.unknown.append((row.id, row.last_ring))
    return answer
