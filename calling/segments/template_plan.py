"""What a template would make of an assignment: chosen, suggested, worked out, under keys that are free."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from calling.segments import turnover
from calling.segments.publishing import current, own_fields, version_in_force
from models.errors import BadInput, NotFound
from models.work import Work
from segmentation.catalogue import BUILT_IN, catalogue
from segmentation.problems import did_you_mean
from segmentation.templates.bands import Piece, free_keys
from segmentation.templates.catalogue import Kind, Template, templates
from segmentation.templates.choices import read_choices
from segmentation.templates.making import Ground, Made, identity, make
from segmentation.templates.roles import Named, Suggestion, suggested
from segmentation.templates.values import sample, values_of

Pieces = Sequence[tuple[Kind, Piece]]

_LABELS = text("""
    select key, label from field where crm_id = :crm_id and retired_at is null order by ordinal, key
""")
_BUILT_IN = {"place": "Place", "country": "Country"}
"""Built-in fields that bands can be made of."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to make of a template. `only`: the keys of some of its parts. `as_`: bands as segments or labels.

    `before`: new segments come in front of this one, else last.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    only: Sequence[str] | None = None
    as_: Kind | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be made of rules `version`: every key is free. `there`: what need not be made -> its key.

    `turnover`: the version of the CRM's classes that were looked at, if this is about them and there are any.
    """

    template: Template
    ground: Ground
    version: int
    made: Made
    pieces: Pieces
    there: Mapping[tuple[Kind, str], str]
    turnover: int | None


def plan(work: Work, assignment_id: int, key: str, wish: Wish) -> Plan:
    """Work out what a template would make. Raises NotFound, BadInput with every problem."""
    template = templates().get(key)
    if template is None:
        raise NotFound("template", f"{key!r}{did_you_mean(key, templates())}")
    version, ground = version_in_force(work, assignment_id), ground_of(work, assignment_id)
    chosen = read_choices(template, wish.parameters, ground.fields)
    if wish.as_ is not None and template.bands is None:
        raise BadInput(f"as: {key} says itself what is a segment and what a label; bands take it")
    kept = turnover.turnover(work) if template.turnover else None
    if kept is not None:
        chosen = _kept(chosen, kept)
    made = make(ground, template, chosen, suggestions(ground, [template])[key], wish.as_)
    body = current(work, assignment_id)
    pieces = _only(made.pieces, wish.only)
    there = {
        (kind, piece.key): found for kind, piece in pieces
        if (found := _same(piece, body.get(f"{kind}s", []))) is not None
    }  # fmt: skip
    version_of_classes = None if kept is None else kept.version
    return Plan(template, ground, version, made, _free(pieces, there, body), there, version_of_classes)


def ground_of(work: Work, assignment_id: int) -> Ground:
    """The assignment's customers to judge by, and the fields that its rules may ask."""
    own = own_fields(work)
    labels = {row.key: row.label for row in work.run(_LABELS)}
    fields = {key: Named(BUILT_IN[key], label) for key, label in _BUILT_IN.items()}
    for key, own_field in own.items():
        if key not in BUILT_IN and not own_field.retired:
            fields[key] = Named(own_field, labels[key])
    return Ground(work, assignment_id, sample(work, assignment_id), fields, catalogue(own))


def suggestions(
    ground: Ground, asked: Sequence[Template]
) -> Mapping[str, Mapping[str, Sequence[Suggestion]]]:
    """template -> field parameter -> suggestions. The values are looked at once for all of them."""
    roles = [one for template in asked for one in template.parameters.values() if one.role is not None]
    types = {type_ for one in roles for type_ in one.types}
    fields = [one for one in ground.fields.values() if one.field.type in types]
    like = values_of(ground.work, ground.assignment_id, ground.sample, [one.field for one in fields])
    today = ground.work.now.date()
    return {
        template.key: {
            name: suggested(one.role, one.types, fields, like, today)
            for name, one in template.parameters.items() if one.role is not None
        }
        for template in asked
    }  # fmt: skip


def _kept(chosen: dict[str, Any], kept: turnover.Turnover) -> dict[str, Any]:
    """The classes begin where the CRM says. Raises BadInput where something else was asked for."""
    if any(kept.parameters[name] != value for name, value in chosen.items()):
        message = "parameters: the turnover classes begin where they do in the whole CRM; move them there"
        raise BadInput(message, kept=kept.parameters)
    return kept.parameters


def _only(pieces: Pieces, only: Sequence[str] | None) -> Pieces:
    if only is None:
        return pieces
    keys = [piece.key for _, piece in pieces]
    for key in only:
        if key not in keys:
            hint = did_you_mean(key, keys) or f": there are {', '.join(keys)}"
            raise BadInput(f"only: there is no part {key!r}{hint}")
    return [(kind, piece) for kind, piece in pieces if piece.key in only]


def _same(piece: Piece, named: Sequence[Mapping[str, Any]]) -> str | None:
    """The key of one that asks just the same."""
    wanted = identity(piece.when)
    return next((str(one["key"]) for one in named if identity(one["when"]) == wanted), None)


def _free(pieces: Pieces, there: Mapping[tuple[Kind, str], str], body: Mapping[str, Any]) -> Pieces:
    """The pieces under keys that nobody has; those that are there keep theirs."""
    kinds: tuple[Kind, Kind] = ("segment", "label")
    freed: list[tuple[Kind, Piece]] = []
    for kind in kinds:
        taken = {one["key"] for one in body.get(f"{kind}s", [])}
        for one in (piece for of, piece in pieces if of == kind):
            (free,) = [one] if (kind, one.key) in there else free_keys([one], taken)
            taken.add(free.key)
            freed.append((kind, free))
    return freed
