"""From the parts of a rule to reasons that people read."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from segmentation.catalogue import Catalogue
from segmentation.explanation.parts import Part, names_rules
from segmentation.explanation.readable import plain, readable
from segmentation.explanation.values import Reason
from segmentation.nodes import AllOf, AnyOf, Leaf, Not
from segmentation.probe import Facts
from segmentation.text.writing import write_rule

text_of = lru_cache(maxsize=10_000)(write_rule)
"""A rule as text; the same rules are told of one customer after another."""


class Reasons:
    """Tells reasons of one customer. `kept`: their own fields as they stand in the database."""

    def __init__(self, facts: Facts, known: Catalogue, kept: Mapping[str, Any], now: datetime) -> None:
        self._facts, self._known, self._kept, self._now = facts, known, kept, now
        self._told: dict[Part, Reason] = {}

    def of(self, part: Part) -> Reason:
        """The reason of one part; each is told once, wherever it stands."""
        if part not in self._told:
            self._told[part] = self._tell(part)
        return self._told[part]

    def _tell(self, part: Part) -> Reason:
        match part.node:
            case AllOf():
                return self._group("all", part)
            case AnyOf():
                return self._group("any", part)
            case Not():
                return self._group("not", part)
            case Leaf() as leaf if names_rules(leaf):
                return self._naming(leaf, part)
            case Leaf() as leaf:
                return self._question(leaf, part)
        raise AssertionError(part.node)

    def _group(self, kind: Any, part: Part) -> Reason:
        words = {"all": "all of these", "any": "any of these", "not": "not"}
        parts = tuple(self.of(one) for one in part.parts)
        text = words[kind] if parts else "everybody" if kind == "all" else "nobody"
        return Reason(kind, text, part.was, part.flips_at, parts=parts)

    def _naming(self, leaf: Leaf, part: Part) -> Reason:
        kind = "segment" if leaf.field == "in_segment" else "label"
        keys = leaf.value if isinstance(leaf.value, tuple) else ()
        named = tuple(
            Reason("rule", f"{kind} {key}", root.was, root.flips_at, parts=(self.of(root),))
            for key, root in zip(keys, part.parts, strict=True)
        )
        return Reason("question", text_of(leaf), part.was, part.flips_at, parts=named)

    def _question(self, leaf: Leaf, part: Part) -> Reason:
        value = self._facts.values[leaf.field]
        kept = self._kept.get(leaf.field)
        told = readable(leaf, self._known[leaf.field], value, kept, self._facts.zone, self._now)
        return Reason("question", text_of(leaf), part.was, part.flips_at, plain(value), told)
