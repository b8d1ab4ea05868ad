"""A selection becomes a rule: for "save the selection as a standing rule"."""

from collections.abc import Mapping, Sequence
from datetime import date

from models.errors import BadInput
from segmentation.catalogue import Catalogue, KnownField
from segmentation.facets.values import EMPTY, Empty, FacetValue, Filters, Others, Range
from segmentation.nodes import AllOf, AnyOf, Leaf, Node, Scalar

PLAIN_TYPES = frozenset({"text", "choice", "number", "date", "yes_no"})


def cannot_ask(filters: Filters, known: Catalogue) -> dict[str, str]:
    """Dimensions of a selection that no rule can ask, each with the reason."""
    return {key: why for key, values in filters.items() if (why := _why_not(key, values, known))}


def as_rule(filters: Filters, known: Catalogue, labels: Mapping[int, str] | None = None) -> Node:
    """The rule that the customers of a selection meet, and nobody else. `labels`: key of each id.

    Raises BadInput for what rules cannot ask, or not in the words of bars: segment, state, the rest of
    labels and tags; and for a dimension without a value.
    """
    if foreign := cannot_ask(filters, known):
        raise BadInput("; ".join(foreign[key] for key in sorted(foreign)), dimensions=sorted(foreign))
    names = labels or {}
    parts = tuple(_any_of(key, filters[key], known, names) for key in sorted(filters))
    return parts[0] if len(parts) == 1 else AllOf(parts)


def _why_not(key: str, values: Sequence[FacetValue], known: Catalogue) -> str | None:
    if not values:
        return f"no value of {key} is selected: no rule is true of nobody"
    if key in ("labels", "tags"):
        if any(isinstance(value, Others) or (key == "labels" and value == EMPTY) for value in values):
            return f"no rule can ask for the rest of {key}: name them"
        return None
    if key not in known or known[key].type not in PLAIN_TYPES:
        return f"no rule can ask for {key}: leave it out of the selection"
    field = known[key]
    plain = (value for value in values if not isinstance(value, Empty | Range | Others))
    if foreign := sorted(str(value) for value in plain if field.choices and value not in field.choices):
        return f"no rule knows {key} {', '.join(foreign)}: leave it out of the selection"
    return None


def _any_of(key: str, values: Sequence[FacetValue], known: Catalogue, labels: Mapping[int, str]) -> Node:
    if key == "labels":
        return Leaf("label", "any", tuple(sorted(labels[int(str(value))] for value in values)))
    field = known[key]
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
    if field.type == "tags":
        return Leaf(field.key, "any", tuple(sorted(map(str, values))))
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
