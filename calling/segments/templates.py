"""Templates on an assignment: what is offered, what it would make of its customers, and applying it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from calling.segments import turnover
from calling.segments.editing import extend, extended
from calling.segments.previewing import preview as foretell
from calling.segments.publishing import current, version_in_force
from calling.segments.template_plan import Plan, Wish, ground_of, plan, suggestions
from models.errors import Conflict
from models.work import OpenWork, Work
from segmentation.preview import Preview as Forecast
from segmentation.templates.catalogue import Kind, Template, templates
from segmentation.templates.counting import counts
from segmentation.templates.making import tree_of
from segmentation.templates.roles import Suggestion
from segmentation.text.writing import write_rule

__all__ = ["Applied", "Offer", "PlannedPart", "Preview", "Wish", "apply", "forecast", "offers", "preview"]


@dataclass(frozen=True, slots=True)
class Offer:
    """A template, and which fields of this CRM each of its field parameters may take, the likeliest first.

    `fits`: it can be applied as it is, with one click. `why_not`: what has to be said first.
    """

    template: Template
    suggestions: Mapping[str, Sequence[Suggestion]]
    fits: bool
    why_not: str | None


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """A segment or label to be: `count` customers meet its rule (`text`, as people write it).

    `there`: the key of one that is there already with the same rule; then it is not made again.
    """

    kind: Kind
    key: str
    name: str
    text: str
    when: Mapping[str, Any]
    count: int
    there: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What applying would do to rules `version`. `parameters`, given again, make the same whatever comes.

    Counts are of all `customers` of the assignment, whether or not a segment before takes them.
    """

    template: str
    version: int
    parameters: Mapping[str, Any]
    parts: Sequence[PlannedPart]
    customers: int
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Applied:
    """The version that is in force now, and the keys that came with it."""

    version: int
    keys: Sequence[str]


def offers(work: Work, assignment_id: int) -> list[Offer]:
    """Every template, and what of it fits this CRM. Raises NotFound."""
    version_in_force(work, assignment_id)
    every = list(templates().values())
    found = suggestions(ground_of(work, assignment_id), every)
    kept = turnover.turnover(work)
    return [_offer(one, found[one.key], kept) for one in every]


def preview(work: Work, assignment_id: int, key: str, wish: Wish) -> Preview:
    """What a template would make, with counts. Raises NotFound, BadInput with every problem."""
    planned = plan(work, assignment_id, key, wish)
    trees = [tree_of(piece, planned.ground.known) for _, piece in planned.pieces]
    total, found = counts(work, assignment_id, trees, planned.ground.known)
    parts = [
        PlannedPart(
            kind, piece.key, piece.name, write_rule(tree), piece.when, count,
            planned.there.get((kind, piece.key)),
        )
        for (kind, piece), tree, count in zip(planned.pieces, trees, found, strict=True)
    ]  # fmt: skip
    return Preview(key, planned.version, planned.made.parameters, parts, total, planned.made.notes)


def apply(
    open_work: OpenWork, assignment_id: int, key: str, wish: Wish, *, author: str, version: int | None = None
) -> Applied:
    """Add what a template makes to the assignment's rules, and publish.

    `version`: that of the preview; by default the one in force. Raises Conflict for somebody else's newer
    rules, or if all of it is there already; NotFound; BadInput with every problem.
    """
    with open_work() as work:
        planned = plan(work, assignment_id, key, wish)
    new = _new(planned)

    def first(work: Work) -> None:
        if planned.template.turnover:
            turnover.keep(work, planned.made.parameters, planned.turnover, author)

    published = extend(
        open_work, assignment_id, segments=new["segment"], labels=new["label"], author=author,
        base=planned.version if version is None else version, before=wish.before, first=first,
    )  # fmt: skip
    return Applied(published, [one["key"] for kind in new.values() for one in kind])


def forecast(work: Work, assignment_id: int, key: str, wish: Wish) -> Forecast:
    """Whom applying would move: segments and labels before and after. Nothing is written.

    Raises what `apply` raises; Unavailable when it takes too long.
    """
    new = _new(plan(work, assignment_id, key, wish))
    body = extended(current(work, assignment_id), new["segment"], new["label"], wish.before)
    return foretell(work, assignment_id, body)


def _new(planned: Plan) -> dict[Kind, list[dict[str, Any]]]:
    """What is not there yet, as rules have it. Raises Conflict if all of it is."""
    of: dict[Kind, list[dict[str, Any]]] = {"segment": [], "label": []}
    for kind, piece in planned.pieces:
        if (kind, piece.key) not in planned.there:
            of[kind].append({"key": piece.key, "name": piece.name, "when": piece.when})
    if not any(of.values()):
        there = sorted(set(planned.there.values()))
        raise Conflict(f"{planned.template.key}: all of it is there already", there=there)
    return of


def _offer(
    template: Template, found: Mapping[str, Sequence[Suggestion]], kept: turnover.Turnover | None
) -> Offer:
    settled = template.turnover and kept is not None
    likeliest = {name: next(iter(several), None) for name, several in found.items()}
    missing = [
        name for name, one in template.parameters.items()
        if one.needed and ((first := likeliest.get(name)) is None or not first.known)
    ]  # fmt: skip
    why = f"say which field it is: {', '.join(missing)}" if missing and not settled else None
    return Offer(template, found, why is None, why)
