"""Values that rules ask of a choice and that nobody can be given any more, or yet: most likely misspelt.

No mistake: a choice that was taken out of a field may still stand in old rows.
"""

from collections.abc import Iterator

from segmentation.catalogue import WITH_LIST, Catalogue
from segmentation.nodes import Leaf, Node, leaves
from segmentation.problems import did_you_mean, shown

_EXACT = WITH_LIST | {"eq", "ne"}


def undeclared(when: Node, known: Catalogue) -> Iterator[str]:
    """A message of each value that a rule asks and the field does not declare."""
    for leaf in leaves(when):
        field = known[leaf.field]
        if field.declared and leaf.op in _EXACT:
            for value in _values(leaf):
                if value not in field.declared:
                    yield f"{field.key} has no choice {shown(value)}{did_you_mean(value, field.declared)}"


def _values(leaf: Leaf) -> tuple[object, ...]:
    return leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
