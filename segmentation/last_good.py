"""Which form of each rule is in force: the published one, or the last of it that can still be read.

A rule breaks when what it asks has changed under it: the type of a field, a rule that it names, the language
of a newer release. It breaks alone. In its place comes, whichever can be read first: itself, with its fields
of the types that they had when it was published; what an earlier version said under its key; nobody at all.
All of it stands in the database, so every process, whenever it was started, comes to the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Literal

from sqlalchemy import text

from models.errors import BadRule
from models.work import Work
from segmentation.catalogue import Catalogue, catalogue
from segmentation.language import read_rule
from segmentation.nodes import LabelRule, Node, Rules, SegmentRule, leaves, renamed
from segmentation.references import Name, faults
from segmentation.tree_reader import NOBODY

Kind = Literal["segment", "label"]

_NEVER: dict[str, Any] = {"not": {"all": []}}
_NAMED_BY: Mapping[Kind, str] = {"segment": "in_segment", "label": "label"}

_EARLIER = text("""
    select s.version, one -> 'when' as form
      from rule_set s cross join jsonb_array_elements(s.body -> cast(:list as text)) one
     where s.crm_id = :crm_id and s.assignment_id = :assignment_id and s.version <= :version
       and one ->> 'key' = :key
     order by s.version desc
""")
_SETS = text("""
    select version, body from rule_set
     where crm_id = :crm_id and assignment_id = :assignment_id and version < :version order by version desc
""")


@dataclass(frozen=True, slots=True)
class LiveRule:
    """A rule as it stands in the database. `asks`: its own fields -> their types when it was published."""

    kind: Kind
    id: int
    key: str
    rule: Any
    asks: Mapping[str, str]
    rule_version: int


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that cannot be read as it was published, and `why`.

    `stands_in`: the published version whose form is in force in its place; None: nobody meets the rule.
    """

    kind: Kind
    id: int
    key: str
    why: str
    stands_in: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """The rules in force by their keys, still naming each other. `known`: every field that they ask."""

    rules: Rules
    known: Catalogue
    broken: tuple[Broken, ...]


def standing(work: Work, assignment_id: int, rows: Sequence[LiveRule], known: Catalogue) -> Standing:
    """The form of each rule that is in force."""
    taken = [_Taken(work, assignment_id, row, known) for row in rows]
    while found := faults(_rules(taken)):
        at_fault = [one for one in taken if one.name in found[0].names]
        # What has come in the place of another gives way first: nobody published the two together.
        for one in [one for one in at_fault if not one.as_published] or at_fault:
            one.next(found[0].message)
    fields = {key: field for one in taken for key, field in one.known.items()}
    return Standing(_rules(taken), {**known, **fields}, tuple(one.broken for one in taken if one.why))


def earlier(
    work: Work, assignment_id: int, rows: Sequence[LiveRule], known: Catalogue, why: str
) -> Iterator[Standing]:
    """What the rules were in each earlier version, the newest first; at last, that nobody meets any.

    For rules that can be read, and cannot be asked: `why`. Each that was otherwise is broken. A rule without
    an earlier form is met by nobody.
    """
    asked = {"assignment_id": assignment_id, "version": rows[0].rule_version if rows else 0}
    for once in work.run(_SETS, **asked).all():
        forms = {
            (kind, one["key"]): one["when"] for kind in _NAMED_BY for one in once.body.get(f"{kind}s", [])
        }
        had = [
            replace(row, rule=forms.get((row.kind, row.key), _NEVER), rule_version=once.version)
            for row in rows
        ]
        yield _instead(standing(work, assignment_id, had, known), rows, had, why)
    never = [replace(row, rule=_NEVER) for row in rows]
    yield _instead(standing(work, assignment_id, never, known), rows, never, why)


def _instead(found: Standing, rows: Sequence["LiveRule"], had: Sequence["LiveRule"], why: str) -> Standing:
    """`had` in the place of `rows`: whatever is otherwise is broken."""
    others = [
        Broken(now.kind, now.id, now.key, why, None if once.rule == _NEVER else once.rule_version)
        for now, once in zip(rows, had, strict=True)
        if once.rule != now.rule
    ]
    changed = {(one.kind, one.id) for one in others}
    as_ever = (one for one in found.broken if (one.kind, one.id) not in changed)
    return replace(found, broken=(*others, *as_ever))


def _rules(taken: Sequence["_Taken"]) -> Rules:
    return Rules(
        tuple(SegmentRule(one.key, one.key, one.tree) for one in taken if one.kind == "segment"),
        tuple(LabelRule(one.key, one.key, one.tree) for one in taken if one.kind == "label"),
    )


@dataclass(frozen=True, slots=True)
class _Form:
    """A tree that can be read, the fields of other types that it asks, the version that it comes from."""

    tree: Node
    version: int | None
    known: Catalogue


class _Taken:
    """One rule, and the form that is taken of it."""

    def __init__(self, work: Work, assignment_id: int, row: LiveRule, known: Catalogue) -> None:
        self.kind, self.key = row.kind, row.key
        self.name: Name = (_NAMED_BY[self.kind], self.key)
        self.why = ""
        self._row, self._known = row, known
        self._forms = chain([self._published()], self._stand_ins(work, assignment_id))
        self.next()

    def next(self, why: str = "") -> None:
        """Take the next form; of the last, which nobody meets, nothing can be said any more."""
        self.why = self.why or why
        self._form = next(form for form in self._forms if form is not None)

    @property
    def tree(self) -> Node:
        return self._form.tree

    @property
    def known(self) -> Catalogue:
        return self._form.known

    @property
    def as_published(self) -> bool:
        return not self.why

    @property
    def broken(self) -> Broken:
        return Broken(self.kind, self._row.id, self.key, self.why, self._form.version)

    def _published(self) -> _Form | None:
        try:
            return _Form(read_rule(self._row.rule, self._known), self._row.rule_version, {})
        except BadRule as bad:
            self.why = "; ".join(message for _, message in bad.problems)
            return None

    def _stand_ins(self, work: Work, assignment_id: int) -> Iterator[_Form | None]:
        yield self._as_it_was()
        asked = {"list": f"{self.kind}s", "key": self.key, "version": self._row.rule_version}
        for earlier in work.run(_EARLIER, assignment_id=assignment_id, **asked).all():
            if earlier.form != self._row.rule:
                tree = _read(earlier.form, self._known)
                yield None if tree is None else _Form(tree, earlier.version, {})
        yield _Form(NOBODY, None, {})

    def _as_it_was(self) -> _Form | None:
        """The published form, with the fields that have another type now read as they were."""
        once = catalogue(self._row.asks)
        tree = _read(self._row.rule, once)
        if tree is None:
            return None
        changed = {
            leaf.field: f"{leaf.field}:{once[leaf.field].type}"
            for leaf in leaves(tree) if once[leaf.field] != self._known.get(leaf.field)
        }  # fmt: skip
        as_once = {name: replace(once[key], key=name, kept_as=key) for key, name in changed.items()}
        return _Form(renamed(tree, changed), self._row.rule_version, as_once)


def _read(form: object, known: Catalogue) -> Node | None:
    try:
        return read_rule(form, known)
    except BadRule:  # whoever asks goes on to the next form; why the published one is none was kept
        return None
