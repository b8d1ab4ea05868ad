"""What the causes of a dialer come to: its CRM's own rows over those shipped; who changed them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from calling.dialers.shipped_causes import Shipped, shipped
from models.errors import NotFound
from models.outcomes import Outcome
from models.work import Work

_READ = text("""
    select d.name, d.adapter, d.causes_version,
           (select coalesce(jsonb_object_agg(c.cause, c.outcome), '{}') from dialer_cause c
             where c.crm_id = :crm_id and c.dialer_id = :dialer_id) as own
      from dialer d where d.crm_id = :crm_id and d.id = :dialer_id
""")
_CHANGES = text("""
    select version as id, version, before, after, reason, author, changed_at from dialer_cause_change
     where crm_id = :crm_id and dialer_id = :dialer_id and version < :before
     order by version desc limit :most
""")

LATEST = 2**62


@dataclass(frozen=True, slots=True)
class Known:
    """What the inbox reads by: each cause, and what it comes to; `version` of the CRM's own rows."""

    version: int
    outcomes: Mapping[str, Outcome]


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause and what it comes to. `own`: somebody said so; `shipped`: what it would come to otherwise."""

    cause: str
    outcome: Outcome
    own: bool
    shipped: Shipped | None


@dataclass(frozen=True, slots=True)
class Causes:
    """All causes of a dialer that are known, by name. Say `version` as the base of a change."""

    dialer_id: int
    dialer: str
    adapter: str
    version: int
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody changed what causes come to: of those that changed, what was said `before` and `after`.

    A cause that is missing on one side took, or takes, what is shipped.
    """

    id: int
    version: int
    before: dict[str, str]
    after: dict[str, str]
    reason: str
    author: str
    changed_at: datetime

    @property
    def lines(self) -> list[str]:
        """What changed, a line a cause: "hangup 21: the default -> no_sale"."""
        return list(_differences(self.before, self.after))


def known_causes(work: Work, dialer_id: int) -> Known:
    """What the causes of a dialer come to now. Raises NotFound."""
    row = _row(work, dialer_id)
    shipped_ones = {cause: one.outcome for cause, one in shipped(row.adapter).items()}
    return Known(row.causes_version, shipped_ones | _own(row))


def causes(work: Work, dialer_id: int) -> Causes:
    """Every cause of a dialer that is known, and from where. Raises NotFound."""
    row = _row(work, dialer_id)
    defaults, own = shipped(row.adapter), _own(row)
    named = sorted({*defaults, *own}, key=_by_number)
    return Causes(
        dialer_id, row.name, row.adapter, row.causes_version,
        tuple(
            Cause(
                name, own[name] if name in own else defaults[name].outcome, name in own, defaults.get(name)
            )
            for name in named
        ),
    )  # fmt: skip


def cause_changes(work: Work, dialer_id: int, most: int, *, before: int | None = None) -> list[Change]:
    """Who changed them, when, why, from what to what: the last first. `before`: only versions before it.

    Raises NotFound.
    """
    _row(work, dialer_id)
    rows = work.run(_CHANGES, dialer_id=dialer_id, most=most, before=before or LATEST)
    return [Change(**row._mapping) for row in rows]


def _row(work: Work, dialer_id: int) -> Row[Any]:
    row = work.run(_READ, dialer_id=dialer_id).first()
    if row is None:
        raise NotFound("dialer", dialer_id)
    return row


def _own(row: Row[Any]) -> dict[str, Outcome]:
    """Without what a later release may have said: an outcome that we do not know stops no inbox."""
    return {cause: Outcome(outcome) for cause, outcome in row.own.items() if outcome in set(Outcome)}


def _by_number(name: str) -> tuple[str, int, str]:
    """ "hangup 3" stands before "hangup 17"."""
    family, _, code = name.rpartition(" ")
    return (family, int(code), "") if code.isdecimal() else (family, 0, code)


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for cause in sorted({*before, *after}, key=_by_number):
        was, now = (said.get(cause, "the default") for said in (before, after))
        yield f"{cause}: {was} -> {now}"
