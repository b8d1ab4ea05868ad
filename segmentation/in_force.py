"""The rules in force for an assignment, compiled once a version.

Read them behind the turnstile only (models/turnstile.py).
"""

import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Row, text

from models.errors import BadRule, NotFound
from models.tables.assignments import UNSEGMENTED
from models.work import Work
from segmentation.catalogue import REFERENCES, Catalogue, catalogue
from segmentation.language import read_rule
from segmentation.nodes import LabelRule, Node, Rules, SegmentRule, leaves
from segmentation.probe import Probe
from segmentation.references import inlined
from segmentation.statements import Statements
from segmentation.timed import Timed, timed
from segmentation.tree_reader import NOBODY

log = logging.getLogger("segmentation.in_force")

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
_EARLIER = text("""
    select body from rule_set where crm_id = :crm_id and assignment_id = :assignment_id
     order by version desc limit 20
""")
_FIELDS = text("select key, type from field where crm_id = :crm_id")


@dataclass(frozen=True)
class InForce:
    """One assignment's rules as published. `version` 0: nothing was ever published.

    `written`: the transaction that published them, as PostgreSQL names it. `rules`: named by their keys,
    without references; `as_written`: with them. `known`: every field that they ask. `broken`: keys of rules
    that cannot be read any more (a field's type has changed): their last version that can be is in force in
    their place, or nobody meets them. The others go on.
    """

    version: int
    written: str
    statements: Statements
    rules: Rules
    as_written: Rules
    known: Catalogue
    broken: tuple[str, ...] = ()

    @cached_property
    def asked(self) -> frozenset[str]:
        """The fields that any rule asks."""
        trees = [one.when for one in self.rules.segments] + [one.when for one in self.rules.labels]
        return frozenset(leaf.field for tree in trees for leaf in leaves(tree))

    @cached_property
    def timed(self) -> Timed:
        """What of these rules time alone can flip."""
        return timed(self.rules)

    @cached_property
    def probe(self) -> Probe:
        """What asks one customer every question of these rules."""
        return Probe(self.rules, self.known)


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
    statements, plain, as_written, broken = _compiled(work, assignment_id, rows, known)
    rules = InForce(first.rule_version, first.written, statements, plain, as_written, known, broken)
    for key in rules.broken:
        log.error("rule %r of assignment %d cannot be read any more", key, assignment_id)
    if rules.version > 0:
        _remember(engine, (work.crm_id, assignment_id, rules.version, rules.written), rules)
    return rules


def _compiled(
    work: Work, assignment_id: int, rows: Sequence[Row[Any]], known: Catalogue
) -> tuple[Statements, Rules, Rules, tuple[str, ...]]:
    try:
        return *_together(
            rows, {(row.kind, row.id): read_rule(row.rule, known) for row in rows if row.rule}, known
        ), ()
    except BadRule:
        read, broken = _one_by_one(work, assignment_id, rows, known)
    try:
        return *_together(rows, read, known), broken
    except BadRule:  # names that lead nowhere or in a circle: nobody meets a rule that names others
        named = {key for key, tree in read.items() if any(leaf.field in REFERENCES for leaf in leaves(tree))}
        read |= dict.fromkeys(named, NOBODY)
        lost = tuple(row.key for row in rows if (row.kind, row.id) in named)
        return *_together(rows, read, known), (*broken, *lost)


def _one_by_one(
    work: Work, assignment_id: int, rows: Sequence[Row[Any]], known: Catalogue
) -> tuple[dict[tuple[str, int], Node], tuple[str, ...]]:
    """Each rule that can be read; of the others the last version that can, or nobody."""
    read: dict[tuple[str, int], Node] = {}
    broken = []
    earlier = work.run(_EARLIER, assignment_id=assignment_id).scalars().all()
    for row in (row for row in rows if row.rule):
        forms = [row.rule, *(one["when"] for body in earlier for one in body.get(f"{row.kind}s", ())
                             if one["key"] == row.key)]  # fmt: skip
        for form in forms:
            try:
                read[row.kind, row.id] = read_rule(form, known)
                break
            except BadRule:
                continue
        else:
            read[row.kind, row.id] = NOBODY
        if form is not row.rule or read[row.kind, row.id] is NOBODY:
            broken.append(row.key)
    return read, tuple(broken)


def _together(
    rows: Sequence[Row[Any]], read: dict[tuple[str, int], Node], known: Catalogue
) -> tuple[Statements, Rules, Rules]:
    segments = [row for row in rows if row.kind == "segment" and row.key != UNSEGMENTED]
    labels = [row for row in rows if row.kind == "label"]
    (unsegmented,) = (row.id for row in rows if row.kind == "segment" and row.key == UNSEGMENTED)
    written = Rules(
        tuple(SegmentRule(row.key, row.key, read[row.kind, row.id]) for row in segments),
        tuple(LabelRule(row.key, row.key, read[row.kind, row.id]) for row in labels),
    )
    rules = inlined(written)
    arms = tuple((row.id, rule.when) for row, rule in zip(segments, rules.segments, strict=True))
    label_arms = tuple((row.id, rule.when) for row, rule in zip(labels, rules.labels, strict=True))
    return Statements(arms, unsegmented, known, label_arms), rules, written


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
