"""Rules that ask other rules: each reference is replaced by the rule it names.

Segments and labels of one rule set may name each other, but not round in a circle.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from segmentation.catalogue import REFERENCES
from segmentation.nodes import AllOf, AnyOf, Leaf, Node, Not, Rules, leaves
from segmentation.problems import Problems

MAX_INLINED = 200  # leaves of one rule, with those of the rules it names
MAX_ASKED = 1_000  # leaves of all rules together, counted likewise: each costs every customer
MAX_CHAIN = 8  # rules one after another, each named by the one before

Name = tuple[str, str]  # (the field that refers to it, key): ("label", "vip")


def inlined(rules: Rules) -> Rules:
    """The same rules without references. Raises BadRule as `check` would note it."""
    problems = Problems()
    check(problems, rules)
    problems.refuse()
    inliner = _Inliner(_named(rules))
    return Rules(
        tuple(replace(one, when=inliner.tree(one.when)) for one in rules.segments),
        tuple(replace(one, when=inliner.tree(one.when)) for one in rules.labels),
    )


def check_together(problems: Problems, rules: Rules) -> None:
    """Note that all rules together ask more than can be asked of each customer at each outcome.

    For rule sets that are to be published, and have passed `check`; one that is in force stays so.
    """
    trees = _named(rules)
    asked = {
        name: {one for leaf in _references(tree) for one in _names_of(leaf)} for name, tree in trees.items()
    }
    sizes = {name: size for name, (size, _) in _sizes(trees, _order(asked, [])).items()}
    if (total := sum(sizes.values())) <= MAX_ASKED:
        return
    written = sum(1 for tree in trees.values() for _ in leaves(tree))
    largest = sorted(trees, key=lambda name: -sizes[name])[:3]
    problems.add(
        "rules",
        f"ask {total} questions ({written} as written, the others by the rules that they name); at most "
        f"{MAX_ASKED} are allowed, for all are asked at each outcome. Most are in "
        f"{', '.join(f'{_shown(name)} ({sizes[name]})' for name in largest)}: "
        'ask several values with one "in", and name large rules in few others',
    )


def check(problems: Problems, rules: Rules) -> None:
    """Note circles, each with its whole path, rules that ask too much of others, and names of nothing."""
    places = dict(_places(rules))
    for fault in faults(rules):
        problems.add(places[fault.names[0]], fault.message)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with how rules name each other. `names`: the rules that it is the fault of."""

    names: tuple[Name, ...]
    message: str


def faults(rules: Rules) -> list[Fault]:
    """Everything that keeps rules from being put in the place of their names."""
    trees = _named(rules)
    asked = {
        name: {one for leaf in _references(tree) for one in _names_of(leaf)} for name, tree in trees.items()
    }
    found = [
        Fault((name,), f"{_shown(one)} is named, and is not there")
        for name, names in asked.items() for one in sorted(names - trees.keys())
    ]  # fmt: skip
    sizes = _sizes(trees, _order({name: names & trees.keys() for name, names in asked.items()}, found))
    for name, (size, chain) in ((name, sizes[name]) for name in trees):
        if size > MAX_INLINED:
            message = f"asks {size} questions with the rules it names; at most {MAX_INLINED} are allowed"
            found.append(Fault((name,), message))
        if chain > MAX_CHAIN:
            message = f"names rules that name others {chain} deep; at most {MAX_CHAIN} are allowed"
            found.append(Fault((name,), message))
    return found


def _order(asked: dict[Name, set[Name]], found: list[Fault]) -> list[Name]:
    """Every rule after those it names. A circle is noted, and then cut."""
    while True:
        try:
            return list(TopologicalSorter(asked).static_order())
        except CycleError as error:
            path = list(reversed(error.args[1]))  # each names the next one, and the last is the first
            start = min(path[:-1])
            path = [*path[path.index(start) : -1], *path[: path.index(start)], start]
            message = f"goes round in a circle: {' → '.join(map(_shown, path))}"
            found.append(Fault(tuple(path[:-1]), message))
            asked[start] = asked[start] - {path[1]}


def _sizes(trees: Mapping[Name, Node], order: list[Name]) -> dict[Name, tuple[int, int]]:
    """(leaves when inlined, how many rules follow one another) of each rule."""
    sizes: dict[Name, tuple[int, int]] = {}
    for name in order:
        size = chain = 0
        for leaf in leaves(trees[name]):
            # What is not there yet was cut out of a circle.
            parts = [sizes.get(one, (0, 0)) for one in _names_of(leaf)]
            size += sum(part[0] for part in parts) if parts else 1
            chain = max([chain, *(part[1] + 1 for part in parts)])
        sizes[name] = size, chain
    return sizes


def _named(rules: Rules) -> Mapping[Name, Node]:
    segments = {("in_segment", one.key): one.when for one in rules.segments}
    return {**segments, **{("label", one.key): one.when for one in rules.labels}}


def _places(rules: Rules) -> Iterator[tuple[Name, str]]:
    for i, segment in enumerate(rules.segments):
        yield ("in_segment", segment.key), f"segments[{i}].when"
    for i, label in enumerate(rules.labels):
        yield ("label", label.key), f"labels[{i}].when"


def _shown(name: Name) -> str:
    return f'{"segment" if name[0] == "in_segment" else "label"} "{name[1]}"'


def _references(tree: Node) -> Iterator[Leaf]:
    return (leaf for leaf in leaves(tree) if leaf.field in REFERENCES)


def _names_of(leaf: Leaf) -> tuple[Name, ...]:
    """The rules that a leaf names; none if it asks a field."""
    if leaf.field not in REFERENCES or not isinstance(leaf.value, tuple):
        return ()
    return tuple((leaf.field, str(key)) for key in leaf.value)


class _Inliner:
    """Replaces references; each named rule is worked out once."""

    def __init__(self, rules: Mapping[Name, Node]) -> None:
        self._rules = rules
        self._done: dict[Name, Node] = {}

    def tree(self, node: Node) -> Node:
        match node:
            case AllOf(parts):
                return AllOf(tuple(self.tree(part) for part in parts))
            case AnyOf(parts):
                return AnyOf(tuple(self.tree(part) for part in parts))
            case Not(part):
                return Not(self.tree(part))
            case Leaf(field) if field in REFERENCES:
                return self._reference(node)
        return node

    def _reference(self, leaf: Leaf) -> Node:
        named = tuple(self._rule(name) for name in _names_of(leaf))
        if leaf.op == "all":
            return named[0] if len(named) == 1 else AllOf(named)
        either = named[0] if len(named) == 1 else AnyOf(named)
        return Not(either) if leaf.op == "none" else either

    def _rule(self, name: Name) -> Node:
        if name not in self._done:
            self._done[name] = self.tree(self._rules[name])
        return self._done[name]
