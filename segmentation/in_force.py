"""The rules in force for an assignment, compiled once a version.

Read them behind the turnstile only (models/turnstile.py).
"""

import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Row, text

from models.errors import NotFound
from models.tables.assignments import UNSEGMENTED
from models.work import Work
from segmentation.catalogue import Catalogue, catalogue
from segmentation.last_good import Broken, LiveRule, Standing, earlier, standing
from segmentation.nodes import Rules, leaves, renamed
from segmentation.probe import Probe
from segmentation.references import inlined
from segmentation.statements import Statements
from segmentation.timed import Timed, timed
from segmentation.trial import tried

log = logging.getLogger("segmentation.in_force")

KEPT = 64  # assignments a process compiles for before it forgets the one unused longest

# xmin tells a version from one of the same number that was tried and rolled back, and a field that was made
# another from the one before.
_VERSION = text("""
    select rule_version, xmin::text as written,
           (select count(*) || ' ' || coalesce(sum(xmin::text::bigint), 0) from field
             where crm_id = :crm_id) as fields
      from assignment where crm_id = :crm_id and id = :assignment_id
""")
# One statement, so that version and rules are of one snapshot.
_RULES = text("""
    select a.rule_version, a.xmin::text as written, r.kind, r.id, r.key, r.rule, r.asks
      from assignment a
      join (select 'segment' as kind, assignment_id, id, key, rule, asks, position
              from segment where crm_id = :crm_id and assignment_id = :assignment_id and retired_at is null
             union all
            select 'label', assignment_id, id, key, rule, asks, position
              from label where crm_id = :crm_id and assignment_id = :assignment_id and retired_at is null
           ) r on r.assignment_id = a.id
     where a.crm_id = :crm_id and a.id = :assignment_id
     order by r.position, r.id
""")
_FIELDS = text("select key, type from field where crm_id = :crm_id")


@dataclass(frozen=True)
class InForce:
    """One assignment's rules as published. `version` 0: nothing was ever published.

    `written`: the transaction that published them, as PostgreSQL names it. `rules`: named by their keys,
    without references; `as_written`: with them. `known`: every field that they ask. `broken`: rules that
    cannot be read any more; the last form of each that can is in force in its place
    (segmentation/last_good.py). The others go on.
    """

    version: int
    written: str
    statements: Statements
    rules: Rules
    as_written: Rules
    known: Catalogue
    broken: tuple[Broken, ...] = ()

    @cached_property
    def asked(self) -> frozenset[str]:
        """The fields that any rule asks."""
        return frozenset(self.known[key].stored for key in self._fields)

    @cached_property
    def timed(self) -> Timed:
        """What of these rules time alone can flip."""
        names = {key: self.known[key].stored for key in self._fields}
        return timed(
            Rules(
                tuple(replace(one, when=renamed(one.when, names)) for one in self.rules.segments),
                tuple(replace(one, when=renamed(one.when, names)) for one in self.rules.labels),
            )
        )

    @cached_property
    def _fields(self) -> frozenset[str]:
        trees = [one.when for one in self.rules.segments] + [one.when for one in self.rules.labels]
        return frozenset(leaf.field for tree in trees for leaf in leaves(tree))

    @cached_property
    def probe(self) -> Probe:
        """What asks one customer every question of these rules."""
        return Probe(self.rules, self.known)


_Key = tuple[int, int, int, str, str]  # crm, assignment, version, the transaction that wrote it, the fields
_cache: WeakKeyDictionary[Engine, OrderedDict[_Key, InForce]] = WeakKeyDictionary()
_lock = Lock()


def rules_in_force(work: Work, assignment_id: int) -> InForce:
    """The rules of an assignment, from the cache unless they or the CRM's fields have changed.

    Raises NotFound.
    """
    now = work.run(_VERSION, assignment_id=assignment_id).first()
    if now is None:
        raise NotFound("assignment", assignment_id)
    engine = _engine(work)
    found = _recall(engine, (work.crm_id, assignment_id, now.rule_version, now.written, now.fields))
    return found or _read(work, assignment_id, engine, now.fields)


def _read(work: Work, assignment_id: int, engine: Engine, fields: str) -> InForce:
    rows = work.run(_RULES, assignment_id=assignment_id).all()
    first = rows[0]
    # Retired fields too: rules that ask them stay in force until somebody publishes others.
    known = catalogue({row.key: row.type for row in work.run(_FIELDS)})
    rules = InForce(first.rule_version, first.written, *_askable(work, assignment_id, rows, known))
    for broken in rules.broken:
        log.error(
            "%s %r of assignment %d cannot be read any more: %s",
            broken.kind, broken.key, assignment_id, broken.why,
        )  # fmt: skip
    if rules.version > 0:
        _remember(engine, (work.crm_id, assignment_id, rules.version, rules.written, fields), rules)
    return rules


_Compiled = tuple[Statements, Rules, Rules, Catalogue, tuple[Broken, ...]]


def _askable(work: Work, assignment_id: int, rows: Sequence[Row[Any]], known: Catalogue) -> _Compiled:
    """The rules as published; if the database takes no such statement, all as they last could be asked."""
    ruled = [
        LiveRule(row.kind, row.id, row.key, row.rule, row.asks, row.rule_version)
        for row in rows if row.key != UNSEGMENTED or row.kind == "label"
    ]  # fmt: skip
    (unsegmented,) = (row.id for row in rows if row.kind == "segment" and row.key == UNSEGMENTED)
    compiled = _compiled(ruled, unsegmented, standing(work, assignment_id, ruled, known))
    why = tried(work, assignment_id, compiled[0]) if ruled else ""
    if why:
        for found in earlier(work, assignment_id, ruled, known, f"the rules cannot be asked: {why}"):
            compiled = _compiled(ruled, unsegmented, found)
            if not tried(work, assignment_id, compiled[0]):
                break
    return compiled


def _compiled(ruled: Sequence[LiveRule], unsegmented: int, found: Standing) -> _Compiled:
    rules = inlined(found.rules)
    of = {kind: [row.id for row in ruled if row.kind == kind] for kind in ("segment", "label")}
    arms = tuple((id_, rule.when) for id_, rule in zip(of["segment"], rules.segments, strict=True))
    label_arms = tuple((id_, rule.when) for id_, rule in zip(of["label"], rules.labels, strict=True))
    return (
        Statements(arms, unsegmented, found.known, label_arms),
        rules,
        found.rules,
        found.known,
        found.broken,
    )


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
