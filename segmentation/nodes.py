"""The tree of a rule: immutable values, and their one form in JSON.

Node := {"all": [Node..]} | {"any": [Node..]} | {"not": Node} | {"f": field, "op": operator, "v": value}
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Scalar = str | int | float | date
Value = Scalar | tuple[Scalar, ...] | None


@dataclass(frozen=True, slots=True)
class Leaf:
    """One question of one field. `value`: None, a scalar, or a tuple for `between`, `in` and `not_in`."""

    field: str
    op: str
    value: Value = None


@dataclass(frozen=True, slots=True)
class AllOf:
    """True when every part is; without parts, always."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when at least one part is."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True when its part is not."""

    part: "Node"


Node = Leaf | AllOf | AnyOf | Not


@dataclass(frozen=True, slots=True)
class SegmentRule:
    """A segment as the rules name it: who comes into it, after the segments before it took theirs."""

    key: str
    name: str
    when: Node


@dataclass(frozen=True, slots=True)
class Rules:
    """A rule set: in order of priority, first match wins; who matches none is Unsegmented."""

    segments: tuple[SegmentRule, ...] = field(default=())


def leaves(node: Node) -> Iterator[Leaf]:
    """Every leaf of the tree, from left to right."""
    match node:
        case Leaf():
            yield node
        case Not(part):
            yield from leaves(part)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from leaves(part)


def dump(rules: Rules) -> dict[str, Any]:
    """The canonical JSON of a rule set."""
    return {"segments": [{"key": s.key, "name": s.name, "when": dump_node(s.when)} for s in rules.segments]}


def dump_node(node: Node) -> dict[str, Any]:
    """The canonical JSON of a tree."""
    match node:
        case AllOf(parts):
            return {"all": [dump_node(part) for part in parts]}
        case AnyOf(parts):
            return {"any": [dump_node(part) for part in parts]}
        case Not(part):
            return {"not": dump_node(part)}
        case Leaf(name, op, None):
            return {"f": name, "op": op}
        case Leaf(name, op, value):
            return {"f": name, "op": op, "v": _plain(value)}


def _plain(value: Value) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value
