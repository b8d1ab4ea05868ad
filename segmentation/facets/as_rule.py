"""A selection becomes a rule: for "save the selection as a standing rule"."""

from collections.abc import Sequence
from datetime import date

from models.errors import BadInput
from segmentation.catalogue import Catalogue, KnownField
from segmentation.facets.values import Empty, FacetValue, Filters, Others, Range
from segmentation.nodes import AllOf, AnyOf, Leaf, Node, Scalar

PLAIN_TYPES = frozenset({"text", "choice", "number", "date", "yes_no"})


def as_rule(filters: Filters, known: Catalogue) -> AllOf:
    """The rule that the customers of a selection meet, and nobody else.

    Raises BadInput for dimensions that rules cannot ask, or not in the words of bars: segment, state, labels,
    tags; and for a dimension without a value.
    """
    foreign = sorted(key for key in filters if key not in known or known[key].type not in PLAIN_TYPES)
    if foreign:
        raise BadInput(f"no rule can ask for {', '.join(foreign)}: leave it out of the selection")
    return AllOf(tuple(_any_of(known[key], filters[key]) for key in sorted(filters)))


def _any_of(field: KnownField, values: Sequence[FacetValue]) -> Node:
    if not values:
        raise BadInput(f"no value of {field.key} is selected: no rule is true of nobody")
    plain = {value for value in values if not isinstance(value, Empty | Range | Others)}
    parts = [_one_of(field, plain)] if plain else []
    parts += [_special(field, value) for value in values if isinstance(value, Empty | Range | Others)]
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


def _one_of(field: KnownField, values: set[Scalar]) -> Node:
    if field.type == "yes_no":
        parts = tuple(
            Leaf(field.key, "is_true" if value else "is_false") for value in sorted(values, key=str)
        )
        return parts[0] if len(parts) == 1 else AnyOf(parts)
    if foreign := sorted(str(value) for value in values if field.choices and value not in field.choices):
        raise BadInput(f"no rule knows {field.key} {', '.join(foreign)}: leave it out of the selection")
    if len(values) == 1:
        return Leaf(field.key, "eq", next(iter(values)))
    return Leaf(field.key, "in", tuple(sorted(values, key=_order)))


def _special(field: KnownField, value: FacetValue) -> Node:
    match value:
        case Range(None, None):
            return Leaf(field.key, "not_empty")
        case Range(low, high):
            ends = (None if low is None else Leaf(field.key, "ge", low),
                    None if high is None else Leaf(field.key, "lt", high))  # fmt: skip
            return AllOf(tuple(end for end in ends if end is not None))
        case Others(known):
            listed = (Leaf(field.key, "not_in", tuple(sorted(known, key=_order))),) if known else ()
            return AllOf((Leaf(field.key, "not_empty"), *listed))
        case _:
            return Leaf(field.key, "empty")


def _order(value: Scalar) -> tuple[float, str]:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else 0
    return (number, value.isoformat() if isinstance(value, date) else str(value))
