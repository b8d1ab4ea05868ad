"""The parts of a rule over one customer: its questions, its groups, and the rules that it names."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeGuard

from segmentation.catalogue import REFERENCES
from segmentation.nodes import AllOf, Leaf, Node, Not


class Part:
    """A question, a group, or a question that names rules; then `parts` are their trees.

    `was`: its answer now. `answer`: the one at the instant that has been reached. `flips_at`: the first
    instant at which it is not what it was; None if none is known. `is_settled`: time never changes it.
    """

    def __init__(self, node: Node, parts: Sequence["Part"] = ()) -> None:
        self.node, self.parts = node, tuple(parts)
        self.above: list[Part] = []
        self.height: int = 1 + max((part.height for part in parts), default=0)
        for part in parts:
            part.above.append(self)
        self.flips_at: datetime | None = None
        self.answer = self.was = self.reckoned()
        self.is_settled = self._is_settled()

    @classmethod
    def question(cls, leaf: Leaf, *, answer: bool, is_settled: bool) -> "Part":
        """What asks a field: whoever makes it knows the answer."""
        made = cls(leaf)
        made.answer = made.was = answer
        made.is_settled = is_settled
        return made

    def reckoned(self) -> bool:
        """The answer of a group, from those of its parts."""
        return combined(self.node, (part.answer for part in self.parts))

    def _is_settled(self) -> bool:
        """A part that is settled may decide it alone: what is false among all, what is true among any."""
        deciding = not isinstance(self.node, AllOf) and not (names_rules(self.node) and self.node.op == "all")
        return any(part.is_settled and part.answer is deciding for part in self.parts) or all(
            part.is_settled for part in self.parts
        )


def names_rules(node: Node) -> TypeGuard[Leaf]:
    """Whether it is a question that names other rules."""
    return isinstance(node, Leaf) and node.field in REFERENCES


def combined(node: Node, answers: Iterable[bool]) -> bool:
    """What a group, or a question that names rules, makes of the answers of its parts."""
    match node:
        case AllOf() | Leaf(_, "all"):
            return all(answers)
        case Not() | Leaf(_, "none"):
            return not any(answers)
    return any(answers)
