"""What is most likely not meant: segments that nobody reaches, rules that everybody meets, unknown choices.

Sound, not complete: whatever is said is so, and not everything is found. Rules combine in ways that no
warning follows; how much is looked at is bounded for the whole set (segmentation/proving.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from segmentation.catalogue import Catalogue
from segmentation.nodes import Node, Rules
from segmentation.normal import Either, Normal, normal
from segmentation.problems import MOST_TOLD
from segmentation.proving import Budget, Spent, Witness, contradict, witness
from segmentation.references import inlined
from segmentation.undeclared import undeclared

MAX_TOGETHER = 10  # segments that may cover a later one between them

BUDGET = 400_000
"""Questions that are looked at for one rule set: about a third of a second."""

_WITNESSES = 8  # one of each way of meeting a rule; whom another rule has not is quickly found among them

_NEVER = "is never true: its conditions contradict each other"


def warnings_of(rules: Rules, known: Catalogue) -> list[tuple[str, str]]:
    """(path, message) of each. Paths count the segments in order of priority. Raises BadRule.

    Pure reckoning, bounded by BUDGET: where it is spent, the last warning says how far was looked.
    """
    written = [(f"segments[{i}].when", one.when) for i, one in enumerate(rules.segments)]
    written += [(f"labels[{i}].when", one.when) for i, one in enumerate(rules.labels)]
    strange = ((path, message) for path, when in written for message in undeclared(when, known))
    return [*_of_rules(inlined(rules), known), *islice(strange, MOST_TOLD)]


def _of_rules(rules: Rules, known: Catalogue) -> Iterator[tuple[str, str]]:
    budget, looked_at = Budget(BUDGET), "none of the rules"
    earlier: list[_Rule] = []
    try:
        for i, segment in enumerate(rules.segments):
            rule = _Rule.of(segment.key, segment.when, known, budget)
            if message := _of_segment(rule, earlier, budget):
                yield f"segments[{i}].when", message
            earlier.append(rule)
            looked_at = f'the rules up to segment "{segment.key}"'
        for i, label in enumerate(rules.labels):
            if message := _of_label(_Rule.of(label.key, label.when, known, budget)):
                yield f"labels[{i}].when", message
            looked_at = f'the segments and the labels up to "{label.key}"'
    except Spent:
        told = "the rules ask too much to look for all that is never or always true"
        yield "rules", f"{told}: {looked_at} were looked at"


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule and its contrary, and who meets each: nobody, if that is proved."""

    key: str
    met: Normal
    not_met: Normal
    who: tuple[Witness, ...]
    who_not: Witness | None

    @classmethod
    def of(cls, key: str, when: Node, known: Catalogue, budget: Budget) -> "_Rule":
        met, not_met = normal(when, known), normal(when, known, negated=True)
        parts = met.parts[:_WITNESSES] if isinstance(met, Either) and met.parts else (met,)
        who = tuple(one for part in parts if (one := witness(part, budget)) is not None)
        if not who and (one := witness(met, budget)) is not None:
            who = (one,)
        return cls(key, met, not_met, who, witness(not_met, budget))


def _of_segment(rule: _Rule, earlier: list[_Rule], budget: Budget) -> str | None:
    if not rule.who:
        return _NEVER
    taking = [other for other in earlier if all(one.meets(other.met, budget) for one in rule.who)]
    for other in taking:
        if contradict([rule.met, other.not_met], budget):
            return f'nobody reaches this segment: whoever meets its rule is in "{other.key}" or before it'
    if 1 < len(earlier) <= MAX_TOGETHER and _are_taken(rule, earlier, budget):
        return "nobody reaches this segment: whoever meets its rule is in one before it"
    if rule.who_not is None:
        return "is always true: nobody comes after it, and nobody is left Unsegmented"
    return None


def _are_taken(rule: _Rule, earlier: list[_Rule], budget: Budget) -> bool:
    """Whether those before take between them whoever meets the rule."""
    found = all(any(one.meets(other.met, budget) for other in earlier) for one in rule.who)
    return found and contradict([rule.met, *(other.not_met for other in earlier)], budget)


def _of_label(rule: _Rule) -> str | None:
    if not rule.who:
        return _NEVER
    return "is always true: everybody has this label" if rule.who_not is None else None
