"""A manager takes customers away from whoever holds them: somebody else has to go on, or nobody is there.

What has not rung goes back; orders are asked back from their dialer. What rings or was rung stays, unless the
manager says that it is to end as well: then nobody knows what came of it, and it waits the minimum gap.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from calling.handout.give_back import STARTED, Why, give_up
from calling.handout.recalling import BATCH, Patience, recall_leases
from models import turnstile
from models.errors import BadInput
from models.work import OpenWork

LONGEST_REASON = 200
"""Characters of a reason."""

_HOLDERS = text("""
    select id, assignment_id, state from lease
     where crm_id = :crm_id and id = any(:leases) and ended_at is null order by id
""")


@dataclass(frozen=True, slots=True)
class Seized:
    """What became of each lease. `back`: unrung, free again. `rung`: it goes on, or came to an outcome.

    `given_up`: it had rung and ended all the same, unconfirmed. `unknown`: a dialer has it and may ring it
    until the instant (UTC) beside it. `over`: it had ended before.
    """

    back: list[UUID] = field(default_factory=list)
    rung: list[UUID] = field(default_factory=list)
    given_up: list[UUID] = field(default_factory=list)
    unknown: list[tuple[UUID, datetime]] = field(default_factory=list)
    over: list[UUID] = field(default_factory=list)


def seize(
    open_work: OpenWork, leases: Sequence[UUID], *, author: str, reason: str, patience: Patience,
    even_rung: bool = False,
) -> Seized:  # fmt: skip
    """Take these leases away from who holds them, whoever it is; who had one on the screen is told.

    `even_rung`: those that ring, talk or are in wrap-up too. A late word of them counts (P4). Safe to repeat.
    Raises BadInput without a reason.
    """
    told = reason.strip()
    if not told or len(told) > LONGEST_REASON:
        raise BadInput(
            f"reason: say why they are taken away, in at most {LONGEST_REASON} characters; who held them "
            "reads it"
        )  # fmt: skip
    wanted = sorted(set(leases))
    with open_work() as work:
        live = set(work.run(_HOLDERS, leases=wanted).scalars())
    done = Seized(over=[lease for lease in wanted if lease not in live])
    standing = sorted(live)
    if even_rung:
        for start in range(0, len(standing), BATCH):
            done.given_up.extend(_give_up(open_work, standing[start : start + BATCH], Why(author, told)))
    left = [lease for lease in standing if lease not in set(done.given_up)]
    found = recall_leases(open_work, left, told, patience, author=author)
    done.back.extend(found.recalled)
    done.rung.extend(found.rung)
    done.unknown.extend(found.unknown)
    return done


def _give_up(open_work: OpenWork, leases: Sequence[UUID], why: Why) -> list[UUID]:
    """End those of them that have rung; the leases that ended."""
    with open_work() as work:
        rows = work.run(_HOLDERS, leases=list(leases)).all()
        turnstile.pass_shared(work, (row.assignment_id for row in rows))
        return give_up(work, [row.id for row in rows], states=STARTED, why=why)
