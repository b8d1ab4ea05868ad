"""Ids for the segments and labels of a draft: their own, or below zero for those that are new."""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import Row, text

from models.work import Work
from segmentation.nodes import LabelRule, Rules, SegmentRule
from segmentation.statements import Arms

Kind = Literal["segment", "label"]
Named = Sequence[SegmentRule] | Sequence[LabelRule]

# Those that have retired as well: a draft may bring them back, and somebody may be in one still.
_NAMED = text("""
    select 'segment' as kind, id, key, name, retired_at is null as live, position from segment
     where crm_id = :crm_id and assignment_id = :assignment_id
     union all
    select 'label', id, key, name, retired_at is null, position from label
     where crm_id = :crm_id and assignment_id = :assignment_id
     order by position, id
""")


class Names:
    """Keys, ids and names, those of the draft first."""

    def __init__(self, rows: Sequence[Row[Any]], draft: Rules) -> None:
        self._ids = {(str(row.kind), str(row.key)): int(row.id) for row in rows}
        self._live = {(row.kind, row.key) for row in rows if row.live}
        self._names = {("segment", one.key): one.name for one in draft.segments}
        self._names |= {("label", one.key): one.name for one in draft.labels}
        for number, named in enumerate(self._names, 1):
            self._ids.setdefault(named, -number)
        self._names |= {
            (row.kind, row.key): row.name for row in rows if (row.kind, row.key) not in self._names
        }
        self._keys = {(kind, id_): key for (kind, key), id_ in self._ids.items()}

    @classmethod
    def of(cls, work: Work, assignment_id: int, draft: Rules) -> "Names":
        """Read those that there are."""
        return cls(work.run(_NAMED, assignment_id=assignment_id).all(), draft)

    def id(self, kind: Kind, key: str) -> int:
        """The id of what is named by a key."""
        return self._ids[kind, key]

    def key(self, kind: Kind, id_: int) -> str:
        """The key of what has this id."""
        return self._keys[kind, id_]

    def name(self, kind: Kind, key: str) -> str:
        """As the draft calls it; if it does not, as it is called now."""
        return self._names[kind, key]

    def is_live(self, kind: Kind, key: str) -> bool:
        """Whether it is there now."""
        return (kind, key) in self._live

    def all(self, kind: Kind) -> list[str]:
        """Every key, retired ones too: the draft's in their order, then those that it leaves out."""
        return [key for kind_, key in self._names if kind_ == kind]

    def arms(self, kind: Kind, named: Named) -> Arms:
        """(id, rule) of each."""
        return tuple((self._ids[kind, one.key], one.when) for one in named)
