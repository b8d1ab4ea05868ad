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
from segmentation.catalogue import catalogue
from segmentation.language import read_rule
from segmentation.statements import Statements

KEPT = 64  # assignments a process compiles for before it forgets the one unused longest

# xmin tells a version from one of the same number that was tried and rolled back.
_VERSION = text("""
    select rule_version, xmin::text as written from assignment where crm_id = :crm_id and id = :assignment_id
""")
# One statement, so that version and rules are of one snapshot.
_SEGMENTS = text("""
    select a.rule_version, a.xmin::text as written, s.id, s.key, s.rule
      from assignment a
      join segment s on s.crm_id = :crm_id and s.assignment_id = :assignment_id and s.retired_at is null
     where a.crm_id = :crm_id and a.id = :assignment_id
     order by s.position, s.id
""")
_FIELDS = text("select key, type from field where crm_id = :crm_id")


@dataclass(frozen=True, slots=True)
class InForce:
    """One assignment's rules as published. `version` 0: nothing was ever published.

    `written`: the transaction that published them, as PostgreSQL names it.
    """

    version: int
    written: str
    statements: Statements


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
    segments = work.run(_SEGMENTS, assignment_id=assignment_id).all()
    first = segments[0]
    rules = InForce(first.rule_version, first.written, _compiled(work, segments))
    if rules.version > 0:
        _remember(engine, (work.crm_id, assignment_id, rules.version, rules.written), rules)
    return rules


def _compiled(work: Work, segments: Sequence[Row[Any]]) -> Statements:
    # Retired fields too: rules that ask them stay in force until somebody publishes others.
    known = catalogue({row.key: row.type for row in work.run(_FIELDS)})
    (unsegmented,) = (segment.id for segment in segments if segment.key == UNSEGMENTED)
    arms = tuple((s.id, read_rule(s.rule, known)) for s in segments if s.id != unsegmented)
    return Statements(arms, unsegmented, known)


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
