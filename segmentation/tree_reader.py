"""The tree of one rule, read from JSON: every problem noted, and reading goes on."""

from collections.abc import Collection, Mapping
from typing import Any

from segmentation.catalogue import OPERATORS, REFERENCES, Catalogue, KnownField
from segmentation.nodes import AllOf, AnyOf, Leaf, Node, Not
from segmentation.problems import Problems, a_or_an, did_you_mean, shown, unknown_keys
from segmentation.spellings import accepted, meant
from segmentation.values import read_value

MAX_LEAVES = 60  # of one rule
MAX_GROUPS = 200  # of one rule: all, any and not
MAX_DEPTH = 6  # of one rule: a leaf alone is 1 deep

NOBODY = AnyOf(())
"""Stands where a problem was noted; never leaves a reading."""

_GROUPS = ("all", "any", "not")
_OWN_OPERATOR = frozenset({"in_seg"})

Keys = Mapping[str, Collection[str]]
"""Field that refers to other rules -> the keys it may name."""


class TreeReader:
    """Reads trees; everything wrong goes to `problems`. `keys` None: whatever is named may be there."""

    def __init__(self, problems: Problems, known: Catalogue, keys: Keys | None = None) -> None:
        self._problems, self._known, self._keys = problems, known, keys
        self._leaves = self._groups = 0

    def rule(self, path: str, when: object) -> Node:
        """One rule, within its limits."""
        self._leaves = self._groups = 0
        node = self._node(path, when, 1)
        if self._leaves > MAX_LEAVES:
            self._problems.add(path, f"asks {self._leaves} questions; at most {MAX_LEAVES} are allowed")
        if self._groups > MAX_GROUPS:
            self._problems.add(path, f"has more than {MAX_GROUPS} groups")
        return node

    def _node(self, path: str, given: object, depth: int) -> Node:
        if depth > MAX_DEPTH:
            self._problems.add(path, f"is nested deeper than {MAX_DEPTH}")
            return NOBODY
        if not isinstance(given, dict):
            self._problems.add(path, f'is {shown(given)}: a rule has "f", "op", "v", or "all", "any", "not"')
            return NOBODY
        groups = [word for word in _GROUPS if word in given]
        if not groups:
            return self._leaf(path, given)
        unknown_keys(self._problems, path, given, groups[:1])
        return self._group(f"{path}.{groups[0]}", groups[0], given[groups[0]], depth)

    def _group(self, path: str, word: str, given: object, depth: int) -> Node:
        self._groups += 1
        if self._groups > MAX_GROUPS:
            return NOBODY
        if word == "not":
            return Not(self._node(path, given, depth + 1))
        if not isinstance(given, list):
            self._problems.add(path, f"is {shown(given)}: give a list of rules")
            return NOBODY
        if word == "any" and not given:
            self._problems.add(path, "is empty, so it is never true")
        parts = tuple(self._node(f"{path}[{i}]", part, depth + 1) for i, part in enumerate(given))
        return AllOf(parts) if word == "all" else AnyOf(parts)

    def _leaf(self, path: str, given: dict[str, Any]) -> Node:
        self._leaves += 1
        if self._leaves > MAX_LEAVES:
            return NOBODY
        if given.keys() == _OWN_OPERATOR:
            given = {"f": "in_segment", "op": "any", "v": [given["in_seg"]]}
        unknown_keys(self._problems, path, given, ("f", "op", "v"))
        field = self._field(path, given.get("f"))
        if field is None:
            return NOBODY
        given = accepted(field, given)
        if not self._takes(path, field, given.get("op")):
            return NOBODY
        value = read_value(self._problems, path, field, given["op"], given)
        if field.key in REFERENCES and self._keys is not None:
            self._look_up(path, field, given.get("v"), self._keys[field.key])
        return Leaf(field.key, given["op"], value)

    def _field(self, path: str, key: object) -> KnownField | None:
        field = self._known.get(key) if isinstance(key, str) else None
        if field is None:
            live = [one.key for one in self._known.values() if not one.retired]
            self._problems.add(f"{path}.f", f"{shown(key)} is not a field{did_you_mean(key, live)}")
        elif field.retired:
            why = f"it was retired {field.retired}; revive it, or ask another"
            self._problems.add(f"{path}.f", f"{shown(key)} is no longer in use: {why}")
        return field

    def _takes(self, path: str, field: KnownField, op: object) -> bool:
        takes = OPERATORS[field.type]
        if isinstance(op, str) and op in takes:
            return True
        self._problems.add(f"{path}.op", _wrong_operator(field, op, takes))
        return False

    def _look_up(self, path: str, field: KnownField, given: object, keys: Collection[str]) -> None:
        for i, key in enumerate(given if isinstance(given, list) else ()):
            if isinstance(key, str) and key and key not in keys:
                kind = field.type.removesuffix("s")
                message = f"there is no {kind} {shown(key)} in this rule set{did_you_mean(key, keys)}"
                self._problems.add(f"{path}.v[{i}]", message)


def _wrong_operator(field: KnownField, op: object, takes: tuple[str, ...]) -> str:
    instead = meant(op, takes) or f": it takes {', '.join(takes)}"
    return f"{shown(op)} does not go with {field.key}, {a_or_an(field.type)}{instead}"
