"""Trees without "not", over atoms that say exactly, or at least, which values let them be true."""

from dataclasses import dataclass
from typing import Any

from segmentation.catalogue import Catalogue, KnownField
from segmentation.domains import Among, Cut, Domain, Ranges, between, meet, points
from segmentation.nodes import AllOf, Leaf, Node, Not
from segmentation.windows import window_of

Axis = tuple[str, str]
"""A field, and how it is measured: its value, how far it is from now, or whether it has one tag."""

_ANY = Ranges(from_below=True)  # there is some value
_NONE = Ranges(missing=True)
_YES_NO: dict[str, frozenset[Any]] = {
    "is_true": frozenset({True}),
    "is_false": frozenset({False}),
    "empty": frozenset({None}),
    "not_empty": frozenset({True, False}),
}


_SOME_TAGS: Axis = ("tags", "value")
_THERE = Among(frozenset({None}), but=True)
_NO_TEXT: frozenset[Any] = frozenset({None, ""})


@dataclass(frozen=True, slots=True)
class Atom:
    """A leaf, or its contrary. `exact`: true of just these values. `implied`: what is true when it is."""

    leaf: Leaf
    negated: bool
    exact: tuple[Axis, Domain] | None
    implied: tuple[tuple[Axis, Domain], ...]


@dataclass(frozen=True, slots=True)
class Both:
    """True when every part is."""

    parts: tuple["Normal", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """True when at least one part is."""

    parts: tuple["Normal", ...]


Normal = Atom | Both | Either


def normal(node: Node, known: Catalogue, *, negated: bool = False) -> Normal:
    """The tree, or its contrary, in this form."""
    match node:
        case Not(part):
            return normal(part, known, negated=not negated)
        case Leaf(key) if known[key].type == "tags" and node.op in ("any", "all", "none"):
            return _tags(node, negated)
        case Leaf(key):
            return _atom(node, known[key], negated)
    parts = tuple(normal(part, known, negated=negated) for part in node.parts)
    return Both(parts) if isinstance(node, AllOf) != negated else Either(parts)


def _tags(leaf: Leaf, negated: bool) -> Normal:
    assert isinstance(leaf.value, tuple)  # noqa: S101 - so it was read
    has_not = negated != (leaf.op == "none")
    domain = Among(frozenset({not has_not}))
    each = [(("tags", f"has {tag}"), domain) for tag in leaf.value]
    some = () if has_not else ((_SOME_TAGS, _THERE),)
    atoms = tuple(Atom(leaf, has_not, one, (one, *some)) for one in each)
    return Both(atoms) if (leaf.op == "all") != has_not else Either(atoms)


def _atom(leaf: Leaf, field: KnownField, negated: bool) -> Atom:
    exact = _exact(leaf, field)
    if exact is None:
        return Atom(leaf, negated, None, () if negated else _consequences(field, Ranges()))
    axis, domain = exact
    domain = domain.complement() if negated else domain
    domain = meet(domain, _possible(field, axis, domain))
    return Atom(leaf, negated, (axis, domain), ((axis, domain), *_consequences(field, domain)))


def _consequences(field: KnownField, domain: Domain) -> tuple[tuple[Axis, Domain], ...]:
    """What else is so. Of a field of time, which has two measures: both have a value, or neither."""
    if field.key == "has_email" and domain in (Among(frozenset({True})), Among(frozenset({False}))):
        return ((("email", "value"), Among(_NO_TEXT, but=domain == Among(frozenset({True})))),)
    if field.type not in ("instant", "date") or not isinstance(domain, Ranges):
        return ()
    if not domain.missing:
        return (((field.key, "value"), _ANY), ((field.key, "from now"), _ANY))
    if domain == _NONE:
        return (((field.key, "value"), _NONE), ((field.key, "from now"), _NONE))
    return ()


def _possible(field: KnownField, axis: Axis, domain: Domain) -> Domain:
    """What the field can be at all."""
    if field.key == "attempts":
        return between((0, 0), None)
    if field.key in ("has_email", "has_phone"):
        return Among(frozenset({True, False}))
    if field.key in ("entered", "customer_since") and axis[1] in ("value", "from now"):
        return _ANY
    return (
        Among(frozenset(), but=True) if isinstance(domain, Among) else Ranges(from_below=True, missing=True)
    )


def _exact(leaf: Leaf, field: KnownField) -> tuple[Axis, Domain] | None:
    window = window_of(leaf, field.type)
    if window is not None:
        low = None if window.low is None else (window.low, 1)
        return (field.key, "from now"), between(low, (window.high, 1))
    match field.type:
        case "text" | "choice":
            return _of_text(leaf)
        case "tags" if leaf.op in ("empty", "not_empty"):
            return _SOME_TAGS, _THERE if leaf.op == "not_empty" else _THERE.complement()
        case "yes_no":
            return (leaf.field, "value"), Among(_YES_NO[leaf.op])
        case "number" | "date" | "instant":
            domain = _ordered(leaf, whole=field.whole)
            return None if domain is None else ((leaf.field, "value"), domain)
    return None


def _of_text(leaf: Leaf) -> tuple[Axis, Domain] | None:
    value: Any = leaf.value
    domains = {
        "eq": lambda: Among(frozenset({value})),
        "ne": lambda: Among(frozenset({value}), but=True),
        "in": lambda: Among(frozenset(value)),
        "not_in": lambda: Among(frozenset(value), but=True),
        "empty": lambda: Among(frozenset({None, ""})),
        "not_empty": lambda: Among(frozenset({None, ""}), but=True),
    }
    return ((leaf.field, "value"), domains[leaf.op]()) if leaf.op in domains else None


def _ordered(leaf: Leaf, *, whole: bool) -> Ranges | None:
    value: Any = leaf.value

    def after(one: Any) -> Cut:
        return (one + 1, 0) if whole else (one, 1)

    match leaf.op:
        case "eq" | "ne" | "in" | "not_in":
            some = value if isinstance(value, tuple) else (value,)
            found = Ranges(_cuts(some)) if whole else points(some)
            return found.complement() if leaf.op in ("ne", "not_in") else found
        case "lt" | "before":
            return between(None, (value, 0))
        case "le":
            return between(None, after(value))
        case "gt" | "after":
            return between(after(value), None)
        case "ge":
            return between((value, 0), None)
        case "between":
            return between((value[0], 0), after(value[1]))
        case "empty":
            return _NONE
        case "not_empty":
            return _ANY
    return None


def _cuts(whole: tuple[Any, ...]) -> tuple[Cut, ...]:
    """The cuts around whole numbers; neighbours have none between them."""
    edges: set[int] = set()
    for number in set(whole):
        edges ^= {number, number + 1}
    return tuple((edge, 0) for edge in sorted(edges))
