"""The tree of a rule: immutable values, and their one form in JSON.

Node := {"all": [Node..]} | {"any": [Node..]} | {"not": Node} | {"f": field, "op": operator, "v": value}
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from segmentation.durations import Duration

LANGUAGE = 2
"""The version of the stored form. Sets without one are of version 1, which every reader of 2 reads alike."""

Scalar = str | int | float | date | Duration  # a datetime (UTC) is a date as well
Value = Scalar | tuple[Scalar, ...] | None


@dataclass(frozen=True, slots=True)
class Leaf:
    """One question of one field. `value`: None, a scalar, or a tuple for `between` and what takes lists."""

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
class LabelRule:
    """A label as the rules name it: everybody has it who meets its rule, whatever their segment."""

    key: str
    name: str
    when: Node


@dataclass(frozen=True, slots=True)
class Rules:
    """A rule set. Segments in order of priority: first match wins; who matches none is Unsegmented."""

    segments: tuple[SegmentRule, ...] = field(default=())
    labels: tuple[LabelRule, ...] = field(default=())


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


def renamed(node: Node, names: Mapping[str, str]) -> Node:
    """The same tree; the fields among `names` are called as they say."""
    match node:
        case Leaf(name) if name in names:
            return replace(node, field=names[name])
        case Not(part):
            return Not(renamed(part, names))
        case AllOf(parts):
            return AllOf(tuple(renamed(part, names) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(renamed(part, names) for part in parts))
    return node


def dump(rules: Rules) -> dict[str, Any]:
    """The canonical JSON of a rule set; labels only where there are any."""
    body = {"language": LANGUAGE, "segments": [_named(segment) for segment in rules.segments]}
    return body | ({"labels": [_named(label) for label in rules.labels]} if rules.labels else {})


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


def instant_text(instant: datetime) -> str:
    """An instant as rules write it: "2026-03-02T12:00:00Z"."""
    return f"{instant.replace(tzinfo=None).isoformat()}Z"


def _named(rule: SegmentRule | LabelRule) -> dict[str, Any]:
    return {"key": rule.key, "name": rule.name, "when": dump_node(rule.when)}


def _plain(value: Value) -> Any:
    match value:
        case tuple():
            return [_plain(one) for one in value]
        case datetime():
            return instant_text(value)
        case date():
            return value.isoformat()
        case Duration():
            return str(value)
    return value
