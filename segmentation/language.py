"""The rule language (docs/rules.md): JSON in, an immutable tree out, or every problem at once.

{"language": 2,
 "segments": [{"key": "tired", "name": "Tired", "when": {"f": "attempts", "op": "ge", "v": 3}}, ..],
 "labels": [{"key": "vip", "name": "VIP", "when": {"f": "tags", "op": "any", "v": ["vip"]}}, ..]}
"""

import re
from dataclasses import replace
from typing import Any

from models.tables.assignments import UNSEGMENTED
from segmentation.catalogue import Catalogue, OwnFields, catalogue
from segmentation.nodes import LANGUAGE, LabelRule, Node, Rules, SegmentRule
from segmentation.problems import Problems, shown, unknown_keys
from segmentation.references import MAX_ASKED, check, check_together
from segmentation.tree_reader import MAX_DEPTH, MAX_LEAVES, NOBODY, Keys, TreeReader
from segmentation.values import MAX_TEXT

__all__ = ["MAX_ASKED", "MAX_DEPTH", "MAX_LABELS", "MAX_LEAVES", "MAX_SEGMENTS", "read_rule", "read_rules"]

MAX_SEGMENTS = 200
MAX_LABELS = 100

_SLUG = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")
_MAX_KEY = 60


def read_rules(body: object, fields: OwnFields) -> Rules:
    """Read a rule set. `fields`: the CRM's own.

    Raises BadRule with every problem: (path, message).
    """
    problems = Problems()
    reader = _Reader(problems, catalogue(fields), _keys(body))
    rules = reader.rules(body)
    problems.refuse()
    check(problems, rules)
    problems.refuse()
    check_together(problems, rules)
    problems.refuse()
    return replace(rules, segments=_by_priority(rules.segments, reader.prios))


def read_rule(when: object, known: Catalogue) -> Node:
    """Read the tree of one rule; the rules it names are not looked for. Raises BadRule with every problem."""
    problems = Problems()
    node = TreeReader(problems, known).rule("when", when)
    problems.refuse()
    return node


def _keys(body: object) -> Keys:
    """The keys of segments and labels, before anything else of them is read."""

    def of(word: str) -> list[str]:
        given = body.get(word) if isinstance(body, dict) else None
        named = [one.get("key") for one in given if isinstance(one, dict)] if isinstance(given, list) else []
        return [key for key in named if isinstance(key, str)]

    return {"in_segment": of("segments"), "label": of("labels")}


def _by_priority(segments: tuple[SegmentRule, ...], prios: list[int]) -> tuple[SegmentRule, ...]:
    """The lowest "prio" first, as written where it is the same."""
    if not prios:
        return segments
    return tuple(one for _, one in sorted(zip(prios, segments, strict=True), key=lambda pair: pair[0]))


class _Reader:
    """One reading of a rule set; everything wrong goes to `problems`, and reading goes on."""

    def __init__(self, problems: Problems, known: Catalogue, keys: Keys) -> None:
        self._problems = problems
        self.prios: list[int] = []
        self._trees = TreeReader(problems, known, keys)

    def rules(self, body: object) -> Rules:
        if not isinstance(body, dict) or not isinstance(body.get("segments"), list):
            self._problems.add("rules", 'a rule set is an object with a list: {"segments": [..]}')
            return Rules()
        unknown_keys(self._problems, "rules", body, ("language", "version", "default", "segments", "labels"))
        self._check_top(body)
        segments = [SegmentRule(*one) for one in self._list("segments", body["segments"], MAX_SEGMENTS)]
        labels = [LabelRule(*one) for one in self._list("labels", body.get("labels", []), MAX_LABELS)]
        self.prios = self._prios(body["segments"])
        return Rules(tuple(segments), tuple(labels))

    def _check_top(self, body: dict[str, Any]) -> None:
        language = body.get("language", 1)
        if isinstance(language, bool) or language not in range(1, LANGUAGE + 1):
            self._problems.add("language", f"is {shown(language)}: versions 1 to {LANGUAGE} are read here")
        if body.get("default", UNSEGMENTED) != UNSEGMENTED:
            message = f'is {shown(body["default"])}: whoever matches no rule is "{UNSEGMENTED}"'
            self._problems.add("default", message)

    def _list(self, word: str, given: object, most: int) -> list[tuple[str, str, Node]]:
        if not isinstance(given, list):
            self._problems.add(word, f"is {shown(given)}: give a list")
            return []
        if len(given) > most:
            self._problems.add(word, f"{len(given)} {word}; at most {most} are allowed")
        read = [self._named(word, f"{word}[{i}]", one) for i, one in enumerate(given[:most])]
        self._refuse_doubles(word, [key for key, _, _ in read])
        return read

    def _named(self, word: str, path: str, given: object) -> tuple[str, str, Node]:
        kind = word.removesuffix("s")
        if not isinstance(given, dict):
            self._problems.add(path, f'is {shown(given)}: a {kind} is {{"key": .., "name": .., "when": ..}}')
            return "", "", NOBODY
        known = ("key", "name", "when", "prio") if kind == "segment" else ("key", "name", "when")
        unknown_keys(self._problems, path, given, known)
        key = self._key(kind, path, given.get("key"))
        name = self._name(path, given.get("name", key))
        if kind == "segment" and key != UNSEGMENTED == name.casefold():
            message = f"is {shown(name)}: so is called the segment of whoever matches no rule; take another"
            self._problems.add(f"{path}.name", message)
        if "when" not in given:
            who = "who belongs here" if kind == "segment" else "who has it"
            self._problems.add(path, f'"when" is missing: the rule that says {who}')
            return key, name, NOBODY
        return key, name, self._trees.rule(f"{path}.when", given["when"])

    def _prios(self, given: list[Any]) -> list[int]:
        """The "prio" of every segment; none if nobody says any."""
        prios = [one.get("prio") if isinstance(one, dict) else None for one in given[:MAX_SEGMENTS]]
        if all(prio is None for prio in prios):
            return []
        for i, prio in enumerate(prios):
            if isinstance(prio, bool) or not isinstance(prio, int):
                message = f"is {shown(prio)}: a whole number, of every segment or of none"
                self._problems.add(f"segments[{i}].prio", message)
        return [prio for prio in prios if isinstance(prio, int)]

    def _key(self, kind: str, path: str, key: object) -> str:
        if not isinstance(key, str) or len(key) > _MAX_KEY or not _SLUG.fullmatch(key):
            message = f'is {shown(key)}: at most {_MAX_KEY} small letters and digits, parted by "-" or "_"'
            self._problems.add(f"{path}.key", message)
            return ""
        if kind == "segment" and key == UNSEGMENTED:
            self._problems.add(f"{path}.key", f'"{UNSEGMENTED}" is the segment of whoever matches no rule')
        return key

    def _name(self, path: str, name: object) -> str:
        if isinstance(name, str) and name.strip() == name and len(name) <= MAX_TEXT and name.isprintable():
            return name
        message = f"is {shown(name)}: a name is one line of at most {MAX_TEXT} characters, no space around it"
        self._problems.add(f"{path}.name", message)
        return ""

    def _refuse_doubles(self, word: str, keys: list[str]) -> None:
        first: dict[str, int] = {}
        for i, key in enumerate(keys):
            if key and first.setdefault(key, i) != i:
                self._problems.add(f"{word}[{i}].key", f'"{key}" is the key of {word}[{first[key]}] already')
