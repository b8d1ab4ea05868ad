"""The rules in force for an assignment, compiled once a version.

Read them behind the turnstile only (models/turnstile.py).
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Row, text

from models.errors import NotFound
from models.tables.assignments import UNSEGMENTED
from models.work import Work
from segmentation.catalogue import Catalogue, catalogue
from segmentation.language import read_rule
from segmentation.nodes import LabelRule, Rules, SegmentRule
from segmentation.references import inlined
from segmentation.statements import Statements

KEPT = 64  # assignments a process compiles for before it forgets the one unused longest

# xmin tells a version from one of the same number that was tried and rolled back.
_VERSION = text("""
    select rule_version, xmin::text as written from assignment where crm_id = :crm_id and id = :assignment_id
""")
# One statement, so that version and rules are of one snapshot.
_RULES = text("""
    select a.rule_version, a.xmin::text as written, r.kind, r.id, r.key, r.rule
      from assignment a
      join (select 'segment' as kind, assignment_id, id, key, rule, position
              from segment where crm_id = :crm_id and assignment_id = :assignment_id and retired_at is null
             union all
            select 'label', assignment_id, id, key, rule, position
              from label where crm_id = :crm_id and assignment_id = :assignment_id and retired_at is null
           ) r on r.assignment_id = a.id
     where a.crm_id = :crm_id and a.id = :assignment_id
     order by r.position, r.id
""")
_FIELDS = text("select key, type from field where crm_id = :crm_id")


@dataclass(frozen=True, slots=True)
class InForce:
    """One assignment's rules as published. `version` 0: nothing was ever published.

    `written`: the transaction that published them, as PostgreSQL names it. `rules`: named by their keys,
    without references.
    """

    version: int
    written: str
    statements: Statements
    rules: Rules


_Key = tuple[int, int, int, str]  # crm, assignment, version, the transaction that wrote it
_cache: WeakKeyDictionary[Engine, OrderedDict[_Key, InForce]] = WeakKeyDictionary()
_lock = Lock()


def rules_in_force(work: Work, assignment_id: int) -> InForce:
    """The rules of an assignment, from the cache unless a newer version was published. Raises NotFound."""
    now = work.run(_VERSION, assignment_id=assignment_id).first()
    if now is None:
        raise NotFound("assignment", assignment_id)
    engine = _engine(work)
    found = _recall(engine, (work.crm_id, assignment_id, now.rule_version, now.written))
    return found or _read(work, assignment_id, engine)


def _read(work: Work, assignment_id: int, engine: Engine) -> InForce:
    rows = work.run(_RULES, assignment_id=assignment_id).all()
    first = rows[0]
    # Retired fields too: rules that ask them stay in force until somebody publishes others.
    known = catalogue({row.key: row.type for row in work.run(_FIELDS)})
    rules = InForce(first.rule_version, first.written, *_compiled(rows, known))
    if rules.version > 0:
        _remember(engine, (work.crm_id, assignment_id, rules.version, rules.written), rules)
    return rules


def _compiled(rows: Sequence[Row[Any]], known: Catalogue) -> tuple[Statements, Rules]:
    segments = [row for row in rows if row.kind == "segment" and row.key != UNSEGMENTED]
    labels = [row for row in rows if row.kind == "label"]
    (unsegmented,) = (row.id for row in rows if row.kind == "segment" and row.key == UNSEGMENTED)
    written = Rules(
        tuple(SegmentRule(row.key, row.key, read_rule(row.rule, known)) for row in segments),
        tuple(LabelRule(row.key, row.key, read_rule(row.rule, known)) for row in labels),
    )
    rules = inlined(written)
    arms = tuple((row.id, rule.when) for row, rule in zip(segments, rules.segments, strict=True))
    label_arms = tuple((row.id, rule.when) for row, rule in zip(labels, rules.labels, strict=True))
    return Statements(arms, unsegmented, known, label_arms), rules


def _engine(work: Work) -> Engine:
    bound = work.session.get_bind()
    return bound.engine if isinstance(bound, Connection) else bound


def _recall(engine: Engine, key: _Key) -> InForce | None:
    with _lock:
        kept = _cache.get(engine, OrderedDict())
        if key in kept:
            kept.move_to_end(key)
        return kept.get(key)


def _remember(engine: Engine, key: _Key, rules: InForce) -> None:
    with _lock:
        kept = _cache.setdefault(engine, OrderedDict())
        kept[key] = rules
        while len(kept) > KEPT:
            kept.popitem(last=False)
