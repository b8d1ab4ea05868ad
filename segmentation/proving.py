"""Whether rules contradict each other: proved within a budget of steps, never guessed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from segmentation.domains import Among, Domain, meet
from segmentation.nodes import Leaf
from segmentation.normal import Atom, Axis, Both, Either, Normal

MAX_STEPS = 500  # of one proof; then nothing is said

_BELOW, _OTHER, _MISSING = object(), object(), object()


class Spent(Exception):
    """The whole budget is used up."""


class _GaveUp(Exception):
    """Too many steps for one proof."""


@dataclass(slots=True)
class Budget:
    """What may still be looked at, in questions; so the same rules get the same answers on any machine."""

    left: int

    def take(self, questions: int) -> None:
        """Use some of it. Raises Spent."""
        self.left -= questions
        if self.left < 0:
            raise Spent


@dataclass(slots=True)
class _Said:
    """What one way of meeting the rules says of each field."""

    domains: dict[Axis, Domain] = field(default_factory=dict)
    opaque: dict[Leaf, bool] = field(default_factory=dict)

    def and_also(self, atom: Atom) -> bool:
        """Whether this can be as well."""
        for axis, domain in atom.implied:
            ours = self.domains.get(axis)
            domain = domain if ours is None else meet(ours, domain)
            if domain.is_empty():
                return False
            self.domains[axis] = domain
        return atom.exact is not None or self.opaque.setdefault(atom.leaf, not atom.negated) != atom.negated


class Witness:
    """Somebody who meets a rule, as far as we can tell. Whoever they do not meet does not cover the rule."""

    def __init__(self, said: _Said) -> None:
        self._points = {axis: _point(domain) for axis, domain in said.domains.items()}
        self._opaque = said.opaque

    def meets(self, rule: Normal, budget: Budget) -> bool:
        """Whether they meet another one. Raises Spent."""
        match rule:
            case Both(parts):
                return all(self.meets(part, budget) for part in parts)
            case Either(parts):
                return any(self.meets(part, budget) for part in parts)
        budget.take(1)
        if rule.exact is None:
            return self._opaque.get(rule.leaf, False) != rule.negated
        axis, domain = rule.exact
        point = self._points.get(axis, _OTHER)
        return _lies_in(
            domain, _nothing_said(axis) if point is _OTHER and axis not in self._points else point
        )


def witness(rule: Normal, budget: Budget) -> Witness | None:
    """Somebody who may meet the rule; None: it is proved that nobody does. Raises Spent."""
    try:
        said = _Proof(budget).way([rule], _Said())
    except _GaveUp:
        return Witness(_Said())
    return None if said is None else Witness(said)


def contradict(rules: Sequence[Normal], budget: Budget) -> bool:
    """Whether it is proved that nobody meets all of these at once. Raises Spent."""
    try:
        return _Proof(budget).way(list(rules), _Said()) is None
    except _GaveUp:
        return False


class _Proof:
    """A tableau: each way of meeting everything is tried, and each has to contradict itself."""

    def __init__(self, budget: Budget) -> None:
        self._budget, self._steps = budget, 0

    def way(self, todo: list[Normal], said: _Said) -> _Said | None:
        """One way of meeting all of `todo` and what was `said` that is open; None: there is none."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise _GaveUp
        said = _Said(dict(said.domains), dict(said.opaque))
        self._budget.take(3 + len(said.domains) // 4)
        branches: list[Either] = []
        while todo:
            match todo.pop():
                case Both(parts):
                    todo.extend(parts)
                case Either() as branch:
                    self._budget.take(1)
                    branches.append(branch)
                case Atom() as atom:
                    self._budget.take(3)
                    if not said.and_also(atom):
                        return None
        if not branches:
            return said
        branches.sort(key=lambda branch: len(branch.parts))
        first, *rest = branches
        for part in first.parts:
            found = self.way([part, *rest], said)
            if found is not None:
                return found
        return None


def _point(domain: Domain) -> Any:
    """Something that lies in it: nothing at all if that does, else the lowest, or one not named."""
    if isinstance(domain, Among):
        if domain.but:
            return None if None not in domain.values else _OTHER
        return None if None in domain.values else min(domain.values, key=repr)
    if domain.missing:
        return _MISSING
    return _BELOW if domain.from_below else domain.cuts[0]


def _nothing_said(axis: Axis) -> Any:
    """The value of a field that nothing is said of."""
    if axis[1].startswith("has ") or axis[0] in ("has_email", "has_phone"):
        return False
    if axis[0] == "attempts":
        return (0, 0)
    return _BELOW if axis[0] in ("entered", "customer_since") else None


def _lies_in(domain: Domain, point: Any) -> bool:
    if isinstance(domain, Among):
        return (point in domain.values) != domain.but
    if point is None or point is _MISSING:
        return domain.missing
    return domain.from_below if point is _BELOW else domain.holds_after(point)
