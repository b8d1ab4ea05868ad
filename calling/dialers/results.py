"""What an ended call came to, in the words of its dialer: one of ours, else a cause that its map knows."""

from collections.abc import Mapping
from typing import Any

from models.masking import mask_text
from models.outcomes import Outcome

LONGEST_WORD = 200
"""Characters of a cause; of a longer one these tell."""

MOST_WORDS = 10
"""Of causes told of one call so many are read."""

_LONGEST_SAYING = 200
_OURS = {outcome.value: outcome for outcome in Outcome}


class Unusable(ValueError):
    """Nothing can be made of this event: the text says why.

    `kind` is one of PROBLEM_KINDS of models/tables/attempts.py; `words` are the causes that no map knows.
    """

    def __init__(self, why: str, kind: str, words: tuple[str, ...] = ()) -> None:
        super().__init__(why)
        self.kind, self.words = kind, words


def normal(told: Any) -> str | None:
    """A cause as maps keep it: lower case, single spaces, a number masked. None for what is no word."""
    if isinstance(told, bool) or not isinstance(told, str | int):
        return None
    return mask_text(" ".join(str(told).split()).casefold())[:LONGEST_WORD].strip() or None


def own_word(body: Mapping[str, Any]) -> Outcome | None:
    """The result of an ended call, if it is told in our own words."""
    told = body.get("result")
    return _OURS.get(told) if isinstance(told, str) else None


def words_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    """What the map is asked about an ended call, the surest first: its `result`, then each `cause`."""
    told = body.get("cause")
    causes = told if isinstance(told, list | tuple) else [told]
    words = [normal(one) for one in (body.get("result"), *causes[:MOST_WORDS])]
    return tuple(dict.fromkeys(word for word in words if word is not None))


def result_of(body: Mapping[str, Any], causes: Mapping[str, Outcome]) -> tuple[Outcome, str | None]:
    """What it came to, and what of the telling is odd. `causes`: the dialer's map. Raises Unusable."""
    ours = own_word(body)
    if ours is not None:
        return ours, None
    words = words_of(body)
    found = next((word for word in words if word in causes), None)
    if found is None:
        kind = "unknown_result" if body.get("cause") is None else "unknown_cause"
        raise Unusable(_unknown(body), kind, words)
    result = body.get("result")
    if result is None or found == normal(result):
        return causes[found], None
    return causes[found], f"unknown result {saying(result)}: by its cause"


def _unknown(body: Mapping[str, Any]) -> str:
    result, cause = body.get("result"), body.get("cause")
    if cause is None:
        return f"unknown result {saying(result)}"
    told = f"unknown cause {saying(cause)}"
    return told if result is None else f"unknown result {saying(result)}, {told}"


def saying(value: Any) -> str:
    """A value as a problem quotes it, cut short."""
    said = repr(value)
    return said if len(said) <= _LONGEST_SAYING else f"{said[:_LONGEST_SAYING]}..."
