"""The pauses that stand now: read behind the turnstile, asked by whoever hands out, takes or rings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from models.work import Work

STANDING = text("""
    select scope, target_id, bool_or(ends_at is null) as open_ended, max(ends_at) as ends_at
      from pause
     where crm_id = :crm_id and lifted_at is null and (ends_at is null or ends_at > :now)
     group by scope, target_id
""")

STOPS_SELLER = """exists (
    select from pause z
     where z.crm_id = :crm_id and z.lifted_at is null and (z.ends_at is null or z.ends_at > :now)
       and (z.scope in ('everything', 'owner', 'crm')
         or z.scope = 'assignment' and z.target_id = l.assignment_id
         or z.scope = 'segment' and z.target_id = p.segment_id
         or z.scope = 'seller' and z.target_id = l.seller_id))"""
"""SQL over `l` lease and `p` its placement: whether a pause stops the seller's hand-out of it.

The same as `Pauses.shut` says; in a statement behind the turnstile's.
"""


@dataclass(frozen=True, slots=True)
class Pauses:
    """What is paused, and until when (None: until somebody resumes it)."""

    standing: Mapping[tuple[str, int | None], datetime | None]

    def shut(
        self, *, assignment_id: int, segment_id: int | None = None,
        seller_id: int | None = None, dialer_id: int | None = None, at: datetime | None = None,
    ) -> tuple[str, datetime | None] | None:  # fmt: skip
        """The first pause that stops this hand-out, as (scope, until); None when nothing does.

        `at` (UTC): an instant to come, if nobody lifts one or sets another until then.
        """
        scopes = (
            ("everything", None), ("owner", None), ("crm", None), ("assignment", assignment_id),
            ("segment", segment_id), ("seller", seller_id), ("dialer", dialer_id),
        )  # fmt: skip
        for scope in scopes:
            if scope in self.standing and not _over(self.standing[scope], at):
                return scope[0], self.standing[scope]
        return None


def _over(ends_at: datetime | None, at: datetime | None) -> bool:
    return at is not None and ends_at is not None and ends_at <= at


def standing(work: Work) -> Pauses:
    """Read the standing pauses of the CRM. Pass the turnstile first, in a statement before this one."""
    return told(work.run(STANDING))


def told(rows: Iterable[Row[Any]]) -> Pauses:
    """What the rows of STANDING say."""
    return Pauses({(r.scope, r.target_id): None if r.open_ended else r.ends_at for r in rows})
