"""Rules that cannot be read: an alarm that every process and page can see, until each can be read again.

Which they are is told by reading the rules (segmentation/last_good.py). Whoever reads all of them anyway, the
sweep, writes down what differs from what is written here; nobody writes it in an outcome's transaction, where
two who find the same rule would wait for each other. What is in force then has changed: a rebuild follows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from models.work import Work
from segmentation.in_force import rules_in_force
from segmentation.last_good import Broken, Kind
from segmentation.rebuilds import request_rebuild

_WRITTEN = text("""
    select assignment_id, kind, rule_id, why, stands_in from broken_rule
     where crm_id = :crm_id and assignment_id = any(:assignments)
""")
# Whoever publishes holds the assignment: we read the rules before theirs, or theirs.
_LOCK = text("select 1 from assignment where crm_id = :crm_id and id = :assignment_id for share")
_FIND = text("""
    insert into broken_rule (crm_id, assignment_id, kind, rule_id, why, stands_in, found_at)
    select :crm_id, :assignment_id, t.kind, t.rule_id, t.why, t.stands_in, :now
      from unnest(cast(:kinds as text[]), cast(:ids as bigint[]), cast(:whys as text[]),
                  cast(:stands_in as bigint[])) as t(kind, rule_id, why, stands_in)
    on conflict (crm_id, assignment_id, kind, rule_id) do update
       set why = excluded.why, stands_in = excluded.stands_in
""")
_CLEAR = text("""
    delete from broken_rule b
     where b.crm_id = :crm_id and b.assignment_id = :assignment_id
       and not exists (select from unnest(cast(:kinds as text[]), cast(:ids as bigint[])) as t(kind, rule_id)
                        where t.kind = b.kind and t.rule_id = b.rule_id)
""")
_ALARMS = text("""
    select b.assignment_id, a.name as assignment, b.kind, b.rule_id as id, coalesce(s.key, l.key) as key,
           coalesce(s.name, l.name) as name, b.why, b.stands_in, b.found_at
      from broken_rule b
      join assignment a on a.crm_id = :crm_id and a.id = b.assignment_id
      left join segment s on s.crm_id = :crm_id and b.kind = 'segment' and s.id = b.rule_id
                         and s.retired_at is null
      left join label l on l.crm_id = :crm_id and b.kind = 'label' and l.id = b.rule_id
                       and l.retired_at is null
     where b.crm_id = :crm_id and coalesce(s.id, l.id) is not null
       and (cast(:assignment_id as bigint) is null or b.assignment_id = :assignment_id)
     order by b.found_at, b.assignment_id, b.kind desc, b.rule_id
""")
_NAMES = text("""
    select r.kind, r.id, r.key, r.name, a.name as assignment
      from (select 'segment' as kind, id, key, name, position, assignment_id, retired_at from segment
             where crm_id = :crm_id
             union all
            select 'label', id, key, name, position, assignment_id, retired_at from label
             where crm_id = :crm_id) r
      join assignment a on a.crm_id = :crm_id and a.id = r.assignment_id
     where r.assignment_id = :assignment_id and r.retired_at is null
     order by r.kind desc, r.position, r.id
""")


@dataclass(frozen=True, slots=True)
class Alarm:
    """A rule that has not been readable since `found_at` (UTC), and why.

    `stands_in`: the published version whose form is in force instead; None: nobody meets the rule.
    """

    assignment_id: int
    assignment: str
    kind: Kind
    id: int
    key: str
    name: str
    why: str
    stands_in: int | None
    found_at: datetime

    @property
    def instead(self) -> str:
        """What is in force in its place, in words."""
        if self.stands_in is None:
            return "nobody meets it"
        return f"as it could last be read, in version {self.stands_in}, it goes on"


def alarms(work: Work, assignment_id: int | None = None) -> list[Alarm]:
    """The rules that cannot be read, of one assignment or of all, the oldest first. Reads a few rows."""
    return [Alarm(**row._asdict()) for row in work.run(_ALARMS, assignment_id=assignment_id)]


def found_now(work: Work, assignment_id: int) -> list[Alarm]:
    """As `alarms`, by reading the rules: also what no sweep has found yet. `found_at` is now for those."""
    written = {(one.kind, one.id): one.found_at for one in alarms(work, assignment_id)}
    broken = {(one.kind, one.id): one for one in rules_in_force(work, assignment_id).broken}
    names = work.run(_NAMES, assignment_id=assignment_id) if broken else ()
    return [
        Alarm(
            assignment_id, row.assignment, row.kind, row.id, row.key, row.name, one.why, one.stands_in,
            written.get((row.kind, row.id), work.now),
        )
        for row in names if (one := broken.get((row.kind, row.id))) is not None
    ]  # fmt: skip


def stale(work: Work, broken: Mapping[int, Sequence[Broken]]) -> list[int]:
    """Those of these assignments whose rules break in another way than is written down."""
    written: dict[int, set[tuple[object, ...]]] = {one: set() for one in broken}
    for row in work.run(_WRITTEN, assignments=list(broken)):
        written[row.assignment_id].add((row.kind, row.rule_id, row.why, row.stands_in))
    return [one for one, there in written.items() if there != _found(broken[one])]


def renew(work: Work, assignment_id: int) -> None:
    """Write down which rules of an assignment cannot be read, in a transaction that does nothing else."""
    work.run(_LOCK, assignment_id=assignment_id)
    broken = rules_in_force(work, assignment_id).broken
    if not stale(work, {assignment_id: broken}):
        return
    names = {"kinds": [one.kind for one in broken], "ids": [one.id for one in broken]}
    work.run(_CLEAR, assignment_id=assignment_id, **names)
    work.run(
        _FIND, assignment_id=assignment_id, **names, whys=[one.why for one in broken],
        stands_in=[one.stands_in for one in broken],
    )  # fmt: skip
    request_rebuild(work, assignment_id, "what can be read of the rules has changed")


def _found(broken: Sequence[Broken]) -> set[tuple[object, ...]]:
    return {(one.kind, one.id, one.why, one.stands_in) for one in broken}
