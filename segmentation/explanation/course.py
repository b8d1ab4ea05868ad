"""Rules over one customer as time passes and nothing else happens: what is so now, and when it will not be.

From one flip of a question to the next, whatever stands above it is reckoned anew.
"""

from dataclasses import dataclass
from datetime import datetime
from heapq import heapify, heappop, heappush

from models.tables.assignments import UNSEGMENTED
from segmentation.catalogue import Catalogue
from segmentation.explanation.flips import next_flip
from segmentation.explanation.parts import Part, names_rules
from segmentation.nodes import AllOf, AnyOf, Leaf, Node, Not, Rules
from segmentation.probe import Facts
from segmentation.references import Name

MOST_STEPS = 200
"""Instants that are looked at: anniversaries and clocks that change go on for ever."""

_Waiting = list[tuple[int, int, Part]]  # a heap: (height, identity, part)


@dataclass(frozen=True, slots=True)
class Stay:
    """A hold in force: in which segment, and until when (None: until it is released)."""

    key: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """Where the customer belongs now, by rule alone and with a hold, and where time alone takes them next.

    `change`: (when, to which segment). `looked_to`: nothing is known of later; None: everything is.
    """

    by_rule: str
    belongs: str
    change: tuple[datetime, str] | None
    looked_to: datetime | None


class Course:
    """The parts of every rule over one customer. Rules may name each other, not round in a circle."""

    def __init__(self, rules: Rules, facts: Facts, known: Catalogue, now: datetime) -> None:
        self._facts, self._known, self._now = facts, known, now
        self._trees: dict[Name, Node] = {("in_segment", one.key): one.when for one in rules.segments}
        self._trees |= {("label", one.key): one.when for one in rules.labels}
        self._questions: dict[Leaf, Part] = {}
        self._roots: dict[Name, Part] = {}
        self._flips: list[tuple[datetime, int, Part | None]] = []  # a heap; None: the hold ends
        self._open: set[Part] = set()  # what may flip, and has not
        self.segments = {one.key: self._root(("in_segment", one.key)) for one in rules.segments}
        self.labels = {one.key: self._root(("label", one.key)) for one in rules.labels}

    def run(self, stay: Stay | None) -> Outlook:
        """Let time pass until it has changed whatever it can. Once only."""
        by_rule = self._by_rule()
        belongs, at = stay.key if stay else by_rule, self._now
        change: tuple[datetime, str] | None = None
        may_change = self._may_change(stay)
        heapify(self._flips)
        if stay and stay.until:
            heappush(self._flips, (stay.until, -1, None))
        steps = 0
        while self._flips and (self._open or (may_change and change is None)):
            if steps == MOST_STEPS:
                return Outlook(by_rule, belongs, change, at)
            at = self._step()
            steps += 1
            is_held = stay is not None and (stay.until is None or at < stay.until)
            if change is None and not is_held and (now_in := self._by_rule()) != belongs:
                change = at, now_in
        return Outlook(by_rule, belongs, change, None)

    def _root(self, name: Name) -> Part:
        if name not in self._roots:
            self._roots[name] = self._part(self._trees[name])
        return self._roots[name]

    def _part(self, node: Node) -> Part:
        match node:
            case AllOf(parts) | AnyOf(parts):
                made = Part(node, [self._part(part) for part in parts])
            case Not(part):
                made = Part(node, [self._part(part)])
            case Leaf(field, _, tuple(keys)) if names_rules(node):
                made = Part(node, [self._root((field, str(key))) for key in keys])
            case Leaf():
                made = self._questions.get(node) or self._question(node)
        if not made.is_settled:
            self._open.add(made)
        return made

    def _question(self, leaf: Leaf) -> Part:
        flip = self._next(leaf, self._now)
        made = Part.question(leaf, answer=self._facts.answers[leaf], is_settled=flip is None)
        if flip is not None:
            self._flips.append((flip, len(self._questions), made))
        self._questions[leaf] = made
        return made

    def _next(self, leaf: Leaf, after: datetime) -> datetime | None:
        value = self._facts.values[leaf.field]
        return next_flip(leaf, self._known[leaf.field], value, self._facts.zone, after)

    def _by_rule(self) -> str:
        return next((key for key, part in self.segments.items() if part.answer), UNSEGMENTED)

    def _may_change(self, stay: Stay | None) -> bool:
        if stay:
            return stay.until is not None
        for part in self.segments.values():
            if not part.is_settled:
                return True
            if part.answer:
                return False
        return False

    def _step(self) -> datetime:
        """Go on to the next instant at which something flips, and reckon what stands above it."""
        at = self._flips[0][0]
        waiting: _Waiting = []
        while self._flips and self._flips[0][0] == at:
            _, number, part = heappop(self._flips)
            if part is None:
                continue
            self._set(part, at, waiting)
            assert isinstance(part.node, Leaf)  # noqa: S101 - only questions flip by themselves
            if (later := self._next(part.node, at)) is not None:
                heappush(self._flips, (later, number, part))
        while waiting:  # from the bottom up: each is reckoned when all its parts are
            _, _, part = heappop(waiting)
            if part.reckoned() != part.answer:
                self._set(part, at, waiting)
        return at

    def _set(self, part: Part, at: datetime, waiting: _Waiting) -> None:
        """Its answer is the other one from `at` on."""
        part.answer = not part.answer
        if part.flips_at is None:
            part.flips_at = at
            self._open.discard(part)
        for above in part.above:
            heappush(waiting, (above.height, id(above), above))
