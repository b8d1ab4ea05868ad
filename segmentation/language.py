"""The rule language: JSON in, an immutable tree out, or every problem at once.

{"segments": [{"key": "tired", "name": "Tired", "when": {"f": "attempts", "op": "ge", "v": 3}}, ..]}
"""

import re
from collections.abc import Mapping
from typing import Any

from models.tables.assignments import UNSEGMENTED
from segmentation.catalogue import OPERATORS, Catalogue, KnownField, catalogue
from segmentation.nodes import AllOf, AnyOf, Leaf, Node, Not, Rules, SegmentRule
from segmentation.problems import Problems, did_you_mean, shown, unknown_keys
from segmentation.values import MAX_TEXT, read_value

MAX_SEGMENTS = 200
MAX_LEAVES = 60  # of one rule
MAX_DEPTH = 6  # of one rule: a leaf alone is 1 deep

_SLUG = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")
_MAX_KEY = 60
_GROUPS = ("all", "any", "not")
_SPELLINGS = {
    "=": "eq", "==": "eq", "is": "eq", "equals": "eq", "!=": "ne", "<>": "ne", "is_not": "ne",
    "<": "lt", "<=": "le", "lte": "le", "before": "lt", ">": "gt", ">=": "ge", "gte": "ge", "after": "gt",
    "any": "in", "none": "not_in", "starts": "starts_with", "is_empty": "empty", "exists": "not_empty",
}  # fmt: skip
_TIME_OPERATORS = (
    "older_than", "within_last", "due_within", "overdue_by",
    "anniversary_within", "weekday_in", "on", "never",
)  # fmt: skip


def read_rules(body: object, fields: Mapping[str, str]) -> Rules:
    """Read a rule set. `fields`: the CRM's own, key -> type.

    Raises BadRule with every problem: (path, message).
    """
    problems = Problems()
    rules = _Reader(problems, catalogue(fields)).rules(body)
    problems.refuse()
    return rules


def read_rule(when: object, known: Catalogue) -> Node:
    """Read the tree of one rule. Raises BadRule with every problem."""
    problems = Problems()
    node = _Reader(problems, known).rule("when", when)
    problems.refuse()
    return node


_NOBODY = AnyOf(())  # stands where a problem was noted; never leaves this module


class _Reader:
    """One reading; everything wrong goes to `problems`, and reading goes on."""

    def __init__(self, problems: Problems, known: Catalogue) -> None:
        self._problems, self._known = problems, known
        self._leaves = 0

    def rules(self, body: object) -> Rules:
        if not isinstance(body, dict) or not isinstance(body.get("segments"), list):
            self._problems.add("rules", 'a rule set is an object with a list: {"segments": [..]}')
            return Rules()
        unknown_keys(self._problems, "rules", body, ("segments",))
        given = body["segments"]
        if len(given) > MAX_SEGMENTS:
            self._problems.add("segments", f"{len(given)} segments; at most {MAX_SEGMENTS} are allowed")
        read = [self._segment(f"segments[{i}]", one) for i, one in enumerate(given[:MAX_SEGMENTS])]
        self._refuse_doubles(read)
        return Rules(tuple(read))

    def rule(self, path: str, when: object) -> Node:
        self._leaves = 0
        node = self._node(path, when, 1)
        if self._leaves > MAX_LEAVES:
            self._problems.add(path, f"asks {self._leaves} questions; at most {MAX_LEAVES} are allowed")
        return node

    def _segment(self, path: str, given: object) -> SegmentRule:
        if not isinstance(given, dict):
            self._problems.add(path, f'is {shown(given)}: a segment is {{"key": .., "name": .., "when": ..}}')
            return SegmentRule("", "", _NOBODY)
        unknown_keys(self._problems, path, given, ("key", "name", "when"))
        key = self._key(path, given.get("key"))
        name = self._name(path, given.get("name", key))
        if "when" not in given:
            self._problems.add(path, '"when" is missing: the rule that says who belongs here')
            return SegmentRule(key, name, _NOBODY)
        return SegmentRule(key, name, self.rule(f"{path}.when", given["when"]))

    def _key(self, path: str, key: object) -> str:
        if not isinstance(key, str) or len(key) > _MAX_KEY or not _SLUG.fullmatch(key):
            message = f'is {shown(key)}: at most {_MAX_KEY} small letters and digits, parted by "-" or "_"'
            self._problems.add(f"{path}.key", message)
            return ""
        if key == UNSEGMENTED:
            self._problems.add(f"{path}.key", f'"{UNSEGMENTED}" is the segment of whoever matches no rule')
        return key

    def _name(self, path: str, name: object) -> str:
        if isinstance(name, str) and name.strip() == name and len(name) <= MAX_TEXT and name.isprintable():
            return name
        message = f"is {shown(name)}: a name is one line of at most {MAX_TEXT} characters, no space around it"
        self._problems.add(f"{path}.name", message)
        return ""

    def _refuse_doubles(self, segments: list[SegmentRule]) -> None:
        first: dict[str, int] = {}
        for i, segment in enumerate(segments):
            if segment.key and first.setdefault(segment.key, i) != i:
                message = f'"{segment.key}" is the key of segments[{first[segment.key]}] already'
                self._problems.add(f"segments[{i}].key", message)

    def _node(self, path: str, given: object, depth: int) -> Node:
        if depth > MAX_DEPTH:
            self._problems.add(path, f"is nested deeper than {MAX_DEPTH}")
            return _NOBODY
        if not isinstance(given, dict):
            self._problems.add(path, f'is {shown(given)}: a rule has "f", "op", "v", or "all", "any", "not"')
            return _NOBODY
        groups = [word for word in _GROUPS if word in given]
        if not groups:
            return self._leaf(path, given)
        unknown_keys(self._problems, path, given, groups[:1])
        return self._group(f"{path}.{groups[0]}", groups[0], given[groups[0]], depth)

    def _group(self, path: str, word: str, given: object, depth: int) -> Node:
        if word == "not":
            return Not(self._node(path, given, depth + 1))
        if not isinstance(given, list):
            self._problems.add(path, f"is {shown(given)}: give a list of rules")
            return _NOBODY
        if word == "any" and not given:
            self._problems.add(path, "is empty, so it is never true")
        parts = tuple(self._node(f"{path}[{i}]", part, depth + 1) for i, part in enumerate(given))
        return AllOf(parts) if word == "all" else AnyOf(parts)

    def _leaf(self, path: str, given: dict[str, Any]) -> Node:
        self._leaves += 1
        if self._leaves > MAX_LEAVES:
            return _NOBODY
        unknown_keys(self._problems, path, given, ("f", "op", "v"))
        field = self._field(path, given.get("f"))
        if field is None or not self._takes(path, field, given.get("op")):
            return _NOBODY
        op = given["op"]
        return Leaf(field.key, op, read_value(self._problems, path, field, op, given))

    def _field(self, path: str, key: object) -> KnownField | None:
        field = self._known.get(key) if isinstance(key, str) else None
        if field is None:
            self._problems.add(f"{path}.f", f"{shown(key)} is not a field{did_you_mean(key, self._known)}")
        return field

    def _takes(self, path: str, field: KnownField, op: object) -> bool:
        takes = OPERATORS[field.type]
        if isinstance(op, str) and op in takes:
            return True
        self._problems.add(f"{path}.op", _wrong_operator(field, op, takes))
        return False


def _wrong_operator(field: KnownField, op: object, takes: tuple[str, ...]) -> str:
    if op in _TIME_OPERATORS:
        return f'"{op}" is a time operator: those are not known yet; compare with a date instead'
    spelled = _SPELLINGS.get(op) if isinstance(op, str) else None
    meant = f' - did you mean "{spelled}"?' if spelled in takes else did_you_mean(op, takes)
    instead = meant or f": it takes {', '.join(takes)}"
    return f"{shown(op)} does not go with {field.key}, a {field.type}{instead}"
