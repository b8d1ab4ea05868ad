"""Turnover classes: where silver, gold and platinum begin is kept once a CRM, for all its assignments.

A class is a label like any other, so it is explained, versioned and rebuilt like any other. It belongs to the
classes as long as its rule is just what they make: thresholds that are moved are published at once for every
assignment with such labels, in one transaction. One whose rule somebody wrote by hand is left, and told of.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from calling.segments.publishing import current, lock_rules, own_fields, publish_all
from models.errors import BadInput, Conflict
from models.work import OpenWork, Work
from segmentation.catalogue import KnownField, catalogue
from segmentation.templates.catalogue import Template, templates
from segmentation.templates.choices import read_choices, refuse
from segmentation.templates.making import identity, parts
from segmentation.templates.roles import Named

TEMPLATE = "turnover-classes"
CLASSES = ("silver", "gold", "platinum")

_READ = text("""
    select version, field, silver, gold, platinum, author, changed_at from turnover_classes
     where crm_id = :crm_id
""")
_READ_SHARED = text(f"{_READ.text} for share")
_READ_ALONE = text(f"{_READ.text} for update")
_KEEP = text("""
    insert into turnover_classes (crm_id, field, silver, gold, platinum, author, changed_at)
    values (:crm_id, :field, :silver, :gold, :platinum, :author, :now)
    on conflict (crm_id) do nothing
""")
_CHANGE = text("""
    update turnover_classes
       set version = version + 1, field = :field, silver = :silver, gold = :gold, platinum = :platinum,
           author = :author, changed_at = :now
     where crm_id = :crm_id
""")
_RULED = text("select id from assignment where crm_id = :crm_id and rule_version > 0 order by id")


@dataclass(frozen=True, slots=True)
class Turnover:
    """Where the classes begin, in the unit of `field`; who said so, and when (UTC). `version` counts up."""

    version: int
    field: str
    silver: float
    gold: float
    platinum: float
    author: str
    changed_at: datetime

    @property
    def parameters(self) -> dict[str, Any]:
        """As the template takes them."""
        given = {name: getattr(self, name) for name in CLASSES}
        return {"field": self.field} | {name: int(n) if n == int(n) else n for name, n in given.items()}


@dataclass(frozen=True, slots=True)
class Left:
    """A label that is called like a class, and whose rule somebody has written by hand."""

    assignment_id: int
    key: str


@dataclass(frozen=True, slots=True)
class Changed:
    """The classes as they are now; assignment -> version of the rules published for it; labels left alone."""

    turnover: Turnover
    published: Mapping[int, int]
    left: Sequence[Left]


def turnover(work: Work) -> Turnover | None:
    """Where the CRM's classes begin; None before anybody has said."""
    row = work.run(_READ).first()
    return Turnover(**row._asdict()) if row else None


def keep(work: Work, parameters: Mapping[str, Any], expected: int | None, author: str) -> None:
    """To be done first where the classes are put into an assignment: nobody moves them until it is published.

    They are kept if there are none. `expected`: the version that was looked at; Conflict if it is another.
    """
    if expected is None:
        work.run(_KEEP, **_bound(parameters), author=author)
    row = work.run(_READ_SHARED).one()
    found = Turnover(**row._asdict())
    if (expected is not None and found.version != expected) or found.parameters != _plain(parameters):
        raise Conflict("somebody has moved the turnover classes meanwhile: look again", version=found.version)


def change(
    open_work: OpenWork, given: Mapping[str, Any], *, author: str, expected: int | None = None
) -> Changed:
    """Move where the classes begin (`given`: field, silver, gold, platinum), wherever they are in use.

    `expected`: the version that was looked at. Raises BadInput with every problem, Conflict for another's
    change, and then nothing has changed anywhere.
    """
    left: list[Left] = []

    def make(work: Work) -> dict[int, object]:
        parameters = _read(work, given)
        work.run(_KEEP, **_bound(parameters), author=author)
        before = Turnover(**work.run(_READ_ALONE).one()._asdict())
        if expected is not None and before.version != expected:
            message = f"somebody has moved the turnover classes since you read version {expected}"
            raise Conflict(message, version=before.version, expected=expected)
        if before.parameters == _plain(parameters):
            return {}
        work.run(_CHANGE, **_bound(parameters), author=author)
        return _bodies(work, before.parameters, parameters, left)

    published = publish_all(open_work, make, author=author)
    with open_work() as work:
        now = turnover(work)
    assert now is not None  # noqa: S101 - it was kept above
    return Changed(now, published, left)


def _bodies(
    work: Work, before: Mapping[str, Any], now: Mapping[str, Any], left: list[Left]
) -> dict[int, object]:
    """The rule sets that have labels of the classes as they were, with the labels as they are now."""
    was, becomes = _rules(work, before), _rules(work, now)
    instead = {identity(was[name]): becomes[name] for name in CLASSES}
    users = [one for one in work.run(_RULED).scalars() if _uses(current(work, one), instead)]
    lock_rules(work, users)
    bodies: dict[int, object] = {}
    for assignment_id in work.run(_RULED).scalars().all():
        body = current(work, assignment_id)
        labels = body.get("labels", [])
        left += [
            Left(assignment_id, one["key"]) for one in labels
            if one["key"] in CLASSES and identity(one["when"]) not in instead
        ]  # fmt: skip
        if assignment_id in users and _uses(body, instead):
            moved = [{**one, "when": instead.get(identity(one["when"]), one["when"])} for one in labels]
            bodies[assignment_id] = {**body, "labels": moved}
    return bodies


def _uses(body: Mapping[str, Any], instead: Mapping[bytes, object]) -> bool:
    return any(identity(one["when"]) in instead for one in body.get("labels", ()))


def _rules(work: Work, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Class -> its rule as it is published."""
    field = KnownField(parameters["field"], "number")
    known = {**catalogue(own_fields(work)), field.key: field}  # also where it was retired since
    return {piece.key: piece.when for _, piece in parts(_template(), parameters, known).pieces}


def _read(work: Work, given: Mapping[str, Any]) -> dict[str, Any]:
    missing = [name for name in ("field", *CLASSES) if given.get(name) is None]
    refuse((name, "say it: the classes have no default") for name in missing)
    fields = {key: Named(field, key) for key, field in own_fields(work).items() if not field.retired}
    read = read_choices(_template(), given, fields)
    if not read["silver"] < read["gold"] < read["platinum"]:
        raise BadInput("silver has to begin below gold, and gold below platinum")
    return read


def _template() -> Template:
    return templates()[TEMPLATE]


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: parameters[name] for name in ("field", *CLASSES)}


def _bound(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: float(parameters[name]) for name in CLASSES} | {"field": parameters["field"]}
