"""Where a customer stands: their segment, labels and hold, and what everything is called."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, text

from models.errors import NotFound
from models.work import Work
from segmentation.explanation.course import Stay
from segmentation.explanation.values import HoldNow
from segmentation.nodes import Rules
from segmentation.rows import GONE

_STANDING = text("""
    select c.external_id, c.name, c.fields, p.state, s.key as segment_key, s.name as segment,
           array(select l.key from label l
                  where l.crm_id = :crm_id and l.assignment_id = :assignment_id
                    and l.id = any(p.labels)) as labels,
           h.author, h.reason, h.created_at, h.expires_at, held.key as held_key, held.name as held,
           (select jsonb_object_agg(g.key, g.name) from segment g
             where g.crm_id = :crm_id and g.assignment_id = :assignment_id) as segments,
           (select jsonb_object_agg(g.key, g.name) from label g
             where g.crm_id = :crm_id and g.assignment_id = :assignment_id) as label_names
      from placement p
      join customer c on c.crm_id = :crm_id and c.id = p.customer_id
      join segment s on s.crm_id = :crm_id and s.id = p.segment_id
      left join hold h on h.crm_id = :crm_id and h.assignment_id = :assignment_id
                      and h.customer_id = p.customer_id and (h.expires_at is null or h.expires_at > :now)
      left join segment held on held.crm_id = :crm_id and held.id = h.segment_id
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.customer_id = :customer_id
""")


class Standing:
    """One customer in one assignment."""

    def __init__(self, row: Row[Any], draft: Rules | None) -> None:
        self.external_id, self.name = str(row.external_id), str(row.name)
        self.kept: Mapping[str, Any] = row.fields
        self.key, self.segment = str(row.segment_key), str(row.segment)
        self.labels = frozenset(row.labels)
        self.hold = _hold(row)
        self._segments: dict[str, str] = {**row.segments}
        self._labels: dict[str, str] = {**(row.label_names or {})}
        if draft is not None:
            self._segments |= {one.key: one.name for one in draft.segments}
            self._labels |= {one.key: one.name for one in draft.labels}

    @property
    def stay(self) -> Stay | None:
        """The hold as far as time is concerned."""
        return Stay(self.hold.key, self.hold.until) if self.hold else None

    def segment_name(self, key: str) -> str:
        """What a segment is called."""
        return self._segments[key]

    def label_name(self, key: str) -> str:
        """What a label is called."""
        return self._labels[key]


def standing(work: Work, assignment_id: int, customer_id: int, draft: Rules | None) -> Standing:
    """Read it. Raises NotFound for who is not in the assignment, or not any more."""
    row = work.run(_STANDING, assignment_id=assignment_id, customer_id=customer_id).first()
    if row is None or row.state in GONE:
        raise NotFound("customer in the assignment", customer_id)
    return Standing(row, draft)


def _hold(row: Row[Any]) -> HoldNow | None:
    if row.held_key is None:
        return None
    return HoldNow(row.held_key, row.held, row.author, row.reason, row.created_at, row.expires_at)
