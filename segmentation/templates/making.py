"""A template and what it was told become segments and labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from models.work import Work
from segmentation.catalogue import Catalogue
from segmentation.language import read_rule
from segmentation.nodes import Node, dump_node
from segmentation.templates import bands
from segmentation.templates.bands import Piece, Wording
from segmentation.templates.catalogue import Bands, Kind, Part, Template
from segmentation.templates.choices import MOST_YEARS, refuse
from segmentation.templates.roles import Named, Suggestion
from segmentation.templates.rounding import Number
from segmentation.templates.values import frequent, limits_of
from segmentation.text.reading import read_rule_text
from segmentation.text.tokens import quoted

_CALLED: Mapping[Bands, Wording] = {
    "age": bands.AGE, "income": bands.INCOME, "size": bands.SIZE, "place": bands.PLACE,
}  # fmt: skip
_OTHERS: Mapping[Bands, str] = {
    "age": "Other ages", "income": "Other incomes", "size": "Other sizes", "place": "Other places",
}  # fmt: skip
CLASS_SHARES = (0.5, 0.8, 0.95)
"""Of the customers with a turnover, so many lie below silver, gold, platinum where nobody has said better."""

_LEEWAY = 0.02  # a class may begin so far from its share, to begin at a round number


@dataclass(frozen=True, slots=True)
class Made:
    """The pieces of one kind after the other, and the parameters that they were made with: given again, they
    make the same pieces, whatever the data are by then. `notes` say what was left out."""

    pieces: tuple[tuple[Kind, Piece], ...]
    parameters: dict[str, Any]
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Ground:
    """Where pieces are made: an assignment's customers (`sample`), and the fields that its rules may ask."""

    work: Work
    assignment_id: int
    sample: Sequence[int]
    fields: Mapping[str, Named]
    known: Catalogue


def make(
    ground: Ground, template: Template, chosen: Mapping[str, Any],
    suggestions: Mapping[str, Sequence[Suggestion]], as_: Kind | None,
) -> Made:  # fmt: skip
    """Make the pieces. What was not `chosen` is suggested or worked out; BadInput where neither helps."""
    filled = {name: one.default for name, one in template.parameters.items() if one.default is not None}
    named = {name: found[0].field for name, found in suggestions.items() if found}
    parameters = {**filled, **named, **chosen}
    refuse(
        (f"parameters.{name}", f"no field of this CRM looks like it: name one of {', '.join(one.types)}")
        for name, one in template.parameters.items() if one.needed and name not in parameters
    )  # fmt: skip
    if template.bands is not None:
        return _bands(ground, template.bands, parameters, chosen, as_ or "segment")
    if template.turnover:
        parameters = _classes(ground, parameters)
    return parts(template, parameters, ground.known)


def parts(template: Template, parameters: Mapping[str, Any], known: Catalogue) -> Made:
    """The parts of a template, filled; those that ask a field that nobody has named are left out."""
    pieces, notes = [], []
    for part in template.parts:
        missing = [
            name for name in template.parameters if f"{{{name}}}" in part.rule and name not in parameters
        ]
        if missing:
            notes.append(f"{part.key} is left out: no field is known for {missing[0]}")
            continue
        pieces.append((part.kind, _filled(template, part, parameters, known)))
    return Made(tuple(pieces), dict(parameters), tuple(notes))


def identity(when: Mapping[str, Any]) -> bytes:
    """The same for rules that ask the same in the same order, however their members were ordered."""
    return orjson.dumps(when, option=orjson.OPT_SORT_KEYS)


def tree_of(piece: Piece, known: Catalogue) -> Node:
    """The piece's rule as a tree."""
    return read_rule(piece.when, known)


def _filled(template: Template, part: Part, parameters: Mapping[str, Any], known: Catalogue) -> Piece:
    of_field = {name for name, one in template.parameters.items() if one.role is not None}
    written = {name: quoted(value) if name in of_field else value for name, value in parameters.items()}
    when = read_rule_text(part.rule.format_map(written), known)
    return Piece(part.key, part.name.format_map(parameters), dump_node(read_rule(when, known)))


def _classes(ground: Ground, parameters: dict[str, Any]) -> dict[str, Any]:
    """Where no class begins yet: half of the customers get one, a fifth are gold, a twentieth platinum."""
    names = ("silver", "gold", "platinum")
    if not any(name in parameters for name in names):
        turnover = ground.fields[parameters["field"]].field
        limits = limits_of(
            ground.work, ground.assignment_id, ground.sample, turnover, CLASS_SHARES, _LEEWAY
        )  # fmt: skip
        if len(limits) == len(names):
            parameters = parameters | dict(zip(names, limits, strict=True))
    refuse(
        (f"parameters.{name}", "say where the class begins: the values are too few or too much alike to tell")
        for name in names if name not in parameters
    )  # fmt: skip
    ascending = parameters["silver"] < parameters["gold"] < parameters["platinum"]
    refuse([] if ascending else [("parameters", "silver has to begin below gold, and gold below platinum")])
    return parameters


def _bands(
    ground: Ground, of: Bands, parameters: Mapping[str, Any], chosen: Mapping[str, Any], as_: Kind
) -> Made:
    asked, called = ground.fields[parameters["field"]].field, _CALLED[of]
    if asked.type in ("text", "choice"):
        groups = parameters.get("values") or frequent(
            ground.work, ground.assignment_id, ground.sample, asked, parameters["top"]
        )
        _need(groups, "values", asked.key)
        pieces = bands.of_values(asked, groups, called, _OTHERS[of])
        used: dict[str, Any] = {"field": asked.key, "values": [list(group) for group in groups]}
    else:
        limits = parameters.get("limits") or _even(ground, asked.key, parameters["bands"])
        _need(limits, "limits", asked.key)
        _check_years(limits, asked.type)
        made_of = bands.of_birth if asked.type == "date" else bands.of_number
        pieces, used = made_of(asked, limits, called), {"field": asked.key, "limits": list(limits)}
    notes = [f"{name} says nothing about a field of type {asked.type}" for name in chosen if name not in used
             and name not in ("bands", "top")]  # fmt: skip
    return Made(tuple((as_, piece) for piece in pieces), used, tuple(notes))


def _even(ground: Ground, key: str, number: int) -> list[Number]:
    """Limits of bands with about as many customers in each, a quarter of a band more or fewer."""
    shares = [i / number for i in range(1, number)]
    asked = ground.fields[key].field
    return limits_of(ground.work, ground.assignment_id, ground.sample, asked, shares, 0.25 / number)


def _need(found: Sequence[object], name: str, key: str) -> None:
    message = f"the values of {key} are too few, or too much alike, to be cut: say where"
    refuse([] if found else [(f"parameters.{name}", message)])


def _check_years(limits: Sequence[Number], type_: str) -> None:
    whole = all(isinstance(one, int) and 1 <= one <= MOST_YEARS for one in limits)
    message = f"by the date of birth, ages are whole years from 1 to {MOST_YEARS}"
    refuse([("parameters.limits", message)] if type_ == "date" and not whole else [])
