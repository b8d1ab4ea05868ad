"""A rule set as it will be published: a broken rule that an edit leaves as it was may stay as it is.

Else it would keep a manager from every other edit until somebody mends it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from models.errors import BadRule
from models.work import Work
from segmentation.catalogue import BUILT_IN, Catalogue, OwnFields, catalogue
from segmentation.language import read_rule, read_rules
from segmentation.nodes import Node, dump, leaves

LISTS = ("segments", "labels")

Named = dict[str, Any]  # {"key", "name", "when"}
Place = tuple[str, int]  # ("segments", 3)
Key = tuple[str, str]  # ("segments", "old")

_LIVE = text("""
    select 'segments' as list, key, rule, asks from segment
     where crm_id = :crm_id and assignment_id = :assignment_id and retired_at is null and rule is not null
    union all
    select 'labels', key, rule, asks from label
     where crm_id = :crm_id and assignment_id = :assignment_id and retired_at is null
""")
_PLACE = re.compile(r"(segments|labels)\[(\d+)\]\.when")
_EVERYBODY: dict[str, Any] = {"all": []}  # stands for a rule that is carried, while the others are read


@dataclass(frozen=True, slots=True)
class Readable:
    """A rule set in its canonical form. `asks`: the own fields that each rule asks -> their types."""

    body: dict[str, Any]
    asks: Mapping[Key, dict[str, str]]

    def columns(self, which: str) -> dict[str, list[Any]]:
        """The segments or labels: a list for each of keys, names, rules and asks."""
        named: list[Named] = self.body.get(which, [])
        return {
            "keys": [one["key"] for one in named],
            "names": [one["name"] for one in named],
            "rules": [one["when"] for one in named],
            "asks": [self.asks[which, one["key"]] for one in named],
        }


def read_body(work: Work, assignment_id: int, body: object, fields: OwnFields) -> Readable:
    """Read a rule set that is to replace the one in force. `fields`: the CRM's own.

    Raises BadRule with every problem, save those that rules had before, which this edit does not touch.
    """
    try:
        return _readable(body, fields)
    except BadRule as bad:
        live, known = work.run(_LIVE, assignment_id=assignment_id).all(), catalogue(fields)
        broken = {(row.list, row.key): row for row in live if not _reads(row.rule, known)}
        carried = {place: row for place, row in _unchanged(body, broken).items() if place in _places(bad)}
        if not carried:
            raise
    return _carry(body, carried, fields)


def _reads(rule: object, known: Catalogue) -> bool:
    """Whether a rule can be read by itself. What it names may be missing: then this edit has to say so."""
    try:
        read_rule(rule, known)
    except BadRule:  # of no use here: the alarm tells why
        return False
    return True


def _readable(body: object, fields: OwnFields) -> Readable:
    rules = read_rules(body, fields)
    asks = {("segments", one.key): _asked(one.when, fields) for one in rules.segments}
    asks |= {("labels", one.key): _asked(one.when, fields) for one in rules.labels}
    return Readable(dump(rules), asks)


def _asked(tree: Node, fields: OwnFields) -> dict[str, str]:
    keys = {leaf.field for leaf in leaves(tree)} - BUILT_IN.keys()
    known = catalogue(fields)
    return {key: known[key].type for key in sorted(keys)}


def _places(bad: BadRule) -> set[Place]:
    found = (_PLACE.match(path) for path, _ in bad.problems)
    return {(one[1], int(one[2])) for one in found if one}


def _unchanged(body: object, broken: Mapping[Key, Any]) -> dict[Place, Any]:
    """Where in `body` a broken rule stands in just the form, and under the key, that is in force."""
    found = {}
    for which in LISTS:
        given = body.get(which) if isinstance(body, dict) else None
        for i, one in enumerate(given if isinstance(given, list) else ()):
            row = broken.get((which, str(one.get("key")))) if isinstance(one, dict) else None
            if row is not None and row.rule == one.get("when"):
                found[which, i] = row
    return found


def _carry(body: Any, carried: Mapping[Place, Any], fields: OwnFields) -> Readable:
    """Read the rest, and put the carried rules back as they were."""
    given = {which: body[which] for which in LISTS if which in body}
    rest = {which: _without(named, which, carried) for which, named in given.items()}
    read = _readable({**body, **rest}, fields)
    kept = {(which, row.key): row for (which, _), row in carried.items()}

    def as_it_was(which: str, one: Named) -> Named:
        row = kept.get((which, one["key"]))
        return one if row is None else {**one, "when": row.rule}

    whole = {
        which: [as_it_was(which, one) for one in read.body[which]] for which in LISTS if which in read.body
    }
    return Readable({**read.body, **whole}, {**read.asks, **{name: row.asks for name, row in kept.items()}})


def _without(named: Sequence[Named], which: str, carried: Mapping[Place, Any]) -> list[Named]:
    return [{**one, "when": _EVERYBODY} if (which, i) in carried else one for i, one in enumerate(named)]
