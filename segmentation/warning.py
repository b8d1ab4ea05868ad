"""What is most likely not meant: segments that nobody reaches, rules that everybody meets, unknown choices.

Sound, not complete: whatever is said is so, and not everything is found. Rules combine in ways that no
warning follows.
"""

from dataclasses import dataclass

from segmentation.catalogue import Catalogue
from segmentation.domains import Domain, meet
from segmentation.nodes import Node, Rules
from segmentation.normal import Atom, Axis, Both, Either, Normal, normal
from segmentation.references import inlined
from segmentation.undeclared import undeclared

MAX_STEPS = 500  # of one proof; then nothing is said
MAX_TOGETHER = 10  # segments that may cover a later one between them

_NEVER = "is never true: its conditions contradict each other"


def warnings_of(rules: Rules, known: Catalogue) -> list[tuple[str, str]]:
    """(path, message) of each. Paths count the segments in order of priority. Raises BadRule."""
    plain = inlined(rules)
    segments = [_Rule.of(one.key, one.when, known) for one in plain.segments]
    labels = [_Rule.of(one.key, one.when, known) for one in plain.labels]
    said = [(f"segments[{i}].when", _of_segment(one, segments[:i])) for i, one in enumerate(segments)]
    said += [(f"labels[{i}].when", _of_label(one)) for i, one in enumerate(labels)]
    written = [(f"segments[{i}].when", one.when) for i, one in enumerate(rules.segments)]
    written += [(f"labels[{i}].when", one.when) for i, one in enumerate(rules.labels)]
    strange = [(path, message) for path, when in written for message in undeclared(when, known)]
    return [(path, message) for path, message in said if message] + strange


@dataclass(frozen=True, slots=True)
class _Rule:
    key: str
    met: Normal
    not_met: Normal

    @classmethod
    def of(cls, key: str, when: Node, known: Catalogue) -> "_Rule":
        return cls(key, normal(when, known), normal(when, known, negated=True))


def _of_segment(rule: _Rule, earlier: list[_Rule]) -> str | None:
    if _never(rule.met):
        return _NEVER
    for other in earlier:
        if _never(rule.met, other.not_met):
            return f'nobody reaches this segment: whoever meets its rule is in "{other.key}" or before it'
    if 1 < len(earlier) <= MAX_TOGETHER and _never(rule.met, *(other.not_met for other in earlier)):
        return "nobody reaches this segment: whoever meets its rule is in one before it"
    if _never(rule.not_met):
        return "is always true: nobody comes after it, and nobody is left Unsegmented"
    return None


def _of_label(rule: _Rule) -> str | None:
    if _never(rule.met):
        return _NEVER
    return "is always true: everybody has this label" if _never(rule.not_met) else None


def _never(*all_of: Normal) -> bool:
    """Whether it is proved that nobody meets all of these at once."""
    try:
        return _Proof().closed(list(all_of), ())
    except _GaveUp:
        return False


class _GaveUp(Exception):
    """Too many steps."""


class _Proof:
    """A tableau: each way of meeting everything is tried, and each has to contradict itself."""

    def __init__(self) -> None:
        self._steps = 0

    def closed(self, todo: list[Normal], atoms: tuple[Atom, ...]) -> bool:
        """Whether every way of meeting all of `todo` and `atoms` contradicts itself. Raises _GaveUp."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise _GaveUp
        branches: list[Either] = []
        while todo:
            match todo.pop():
                case Both(parts):
                    todo.extend(parts)
                case Either() as branch:
                    branches.append(branch)
                case Atom() as atom:
                    atoms = (*atoms, atom)
        if _contradict(atoms):
            return True
        if not branches:
            return False
        branches.sort(key=lambda branch: len(branch.parts))
        first, *rest = branches
        return all(self.closed([part, *rest], atoms) for part in first.parts)


def _contradict(atoms: tuple[Atom, ...]) -> bool:
    said: dict[Axis, Domain] = {}
    for atom in atoms:
        for axis, domain in atom.implied:
            said[axis] = meet(said[axis], domain) if axis in said else domain
            if said[axis].is_empty():
                return True
    opaque = {(atom.leaf, atom.negated) for atom in atoms if atom.exact is None}
    return any((leaf, not negated) in opaque for leaf, negated in opaque)
