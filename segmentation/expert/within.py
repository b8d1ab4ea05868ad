"""SQL predicates in rules that are given as JSON: {"sql": ".."} may stand wherever a tree may."""

from collections.abc import Iterable, Mapping
from typing import Any

from models.errors import BadRule, BadRuleText
from segmentation.catalogue import Catalogue
from segmentation.expert.reading import read_predicate
from segmentation.problems import shown
from segmentation.tree_reader import MAX_DEPTH

SQL = "sql"

_EVERYBODY: dict[str, Any] = {"all": []}  # stands where a predicate was refused, while the rest is read


class Translation:
    """Goes through rules; each predicate becomes its tree. `notes`: where one means not just what it said."""

    def __init__(self, known: Catalogue) -> None:
        self._known = known
        self._refused: list[dict[str, Any]] = []
        self.notes: dict[str, None] = {}

    def body(self, given: Any) -> Any:
        """A rule set without SQL. What is no rule set is left to its reader."""
        if not isinstance(given, dict):
            return given
        lists = {word: given[word] for word in ("segments", "labels") if isinstance(given.get(word), list)}
        return given | {
            word: [self._named(f"{word}[{i}].when", one) for i, one in enumerate(those)]
            for word, those in lists.items()
        }

    def _named(self, path: str, one: Any) -> Any:
        return (
            {**one, "when": self.tree(path, one["when"])} if isinstance(one, dict) and "when" in one else one
        )

    def tree(self, path: str, given: Any, depth: int = 1) -> Any:
        """A tree without SQL; deeper than trees may be nothing is looked for."""
        if not isinstance(given, dict) or depth > MAX_DEPTH:
            return given
        if SQL in given:
            return self._predicate(f"{path}.{SQL}".removeprefix("."), given)
        below = dict(given)
        if "not" in given:
            below["not"] = self.tree(f"{path}.not", given["not"], depth + 1)
        for word in ("all", "any"):
            if isinstance(given.get(word), list):
                parts = enumerate(given[word])
                below[word] = [self.tree(f"{path}.{word}[{i}]", part, depth + 1) for i, part in parts]
        return below

    def _predicate(self, path: str, given: Mapping[str, Any]) -> dict[str, Any]:
        if len(given) > 1 or not isinstance(given[SQL], str):
            said = f'{shown(given[SQL])}: give nothing but one predicate: {{"sql": "attempts >= 2"}}'
            self._refused.append({"path": path, "message": said})
            return _EVERYBODY
        try:
            predicate = read_predicate(given[SQL], self._known)
        except BadRuleText as bad:
            self._refused += [{**problem, "path": path} for problem in bad.data["problems"]]
            return _EVERYBODY
        self.notes |= dict.fromkeys(predicate.notes)
        return predicate.when

    def refuse(self, also: Iterable[tuple[str, str]] = ()) -> None:
        """Raise BadRule with every problem of predicates, with line, column and piece, and with `also`."""
        found = [*self._refused, *({"path": path, "message": message} for path, message in also)]
        if found:
            bad = BadRule([(one["path"], one["message"]) for one in found])
            bad.data["problems"] = found
            raise bad

    @property
    def is_refused(self) -> bool:
        """Whether a predicate was."""
        return bool(self._refused)
