"""Where in a text something is wrong: each problem with its path, line, column and piece."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.errors import BadRule, BadRuleText
from segmentation.problems import MOST_TOLD

Span = tuple[int, int]  # (first character, the one after the last) of the text, from 0


@dataclass(slots=True)
class Faults:
    """Everything wrong with one text. `spans`: path -> the piece of text that it came from."""

    text: str
    spans: dict[str, Span] = field(default_factory=dict)
    _found: list[tuple[Span, str, str]] = field(default_factory=list)
    _and_more: bool = False

    @property
    def is_full(self) -> bool:
        """Whether there are more than are told at once: nothing else need be looked for."""
        return len(self._found) > MOST_TOLD

    def add(self, path: str, message: str, span: Span) -> None:
        """Note one problem that stands at `span`."""
        self._found.append((span, path, message))

    def take(self, bad: BadRule, words: Mapping[str, str]) -> None:
        """Note what the validator found. `words`: path -> the message in the words of this text instead."""
        for path, message in bad.problems:
            self.add(path, words.get(path, message), self.span(path))
        self._and_more |= bad.and_more

    def span(self, path: str) -> Span:
        """The text of a path, or of the nearest one above it; the whole text if there is none."""
        while path not in self.spans:
            above = path.rpartition("[" if path.endswith("]") else ".")[0]
            if not above:
                return 0, len(self.text)
            path = above
        return self.spans[path]

    def refuse(self) -> None:
        """Raise BadRuleText with all of them in the order of the text, or the first, if there are any."""
        if not self._found:
            return
        found = sorted(self._found, key=lambda one: one[0][0])[:MOST_TOLD]
        raise BadRuleText(
            [(path, message) for _, path, message in found],
            [_place(self.text, span) for span, _, _ in found],
            self.text,
            and_more=self._and_more or self.is_full,
        )


def _place(text: str, span: Span) -> tuple[int, int, str]:
    start = span[0]
    line_start = text.rfind("\n", 0, start) + 1
    piece = text[start : span[1]].partition("\n")[0].rstrip()
    return text.count("\n", 0, start) + 1, start - line_start + 1, piece
