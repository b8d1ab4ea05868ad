"""Pieces of a translated rule; each remembers the SQL it came from until the whole is put together."""

from dataclasses import dataclass, field
from typing import Any, Literal

from segmentation.places import Faults, Span


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf of the JSON form, or a group. `spans`: "f", "v", "v[0]" -> where that stands."""

    span: Span
    word: Literal["all", "any", "not", ""] = ""
    parts: tuple["Part", ...] = ()
    leaf: dict[str, Any] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)


def together(word: Literal["all", "any"], span: Span, *parts: Part) -> Part:
    """A group. A group of the same kind within it melts into it: rules may not be nested deep."""
    flat: list[Part] = []
    for part in parts:
        flat.extend(part.parts if part.word == word else [part])
    return flat[0] if len(flat) == 1 else Part(span, word, tuple(flat))


def negated(part: Part) -> Part:
    """The opposite, in our two-valued logic."""
    return part.parts[0] if part.word == "not" else Part(part.span, "not", (part,))


def as_json(part: Part, path: str, faults: Faults) -> dict[str, Any]:
    """The JSON form; `faults` learns where each path stands."""
    faults.spans[path] = part.span
    if part.word == "not":
        return {"not": as_json(part.parts[0], f"{path}.not", faults)}
    if part.word:
        return {
            part.word: [as_json(one, f"{path}.{part.word}[{i}]", faults) for i, one in enumerate(part.parts)]
        }
    faults.spans |= {f"{path}.{piece}": span for piece, span in part.spans.items()}
    return part.leaf
