"""What is wrong with a piece of text, in words that people understand."""

from collections.abc import Collection, Sequence

from lark import Token

from segmentation.problems import did_you_mean
from segmentation.text.tokens import KEYWORDS

_MISTAKEN = {
    "&&": "and",
    "&": "and",
    "||": "or",
    "|": "or",
    "!": "not",
    "=>": ">=",
    "=<": "<=",
    "~": "contains",
}
_SHOWN = {"RPAR": '")"', "LPAR": '"("', "COMMA": '","', "COMPARE": '">="', "$END": "the end of the rule"}
_LINKS = frozenset({"AND", "OR", "NOT"})
_VALUE, _TEXT = frozenset({"STRING", "MOMENT"}), frozenset({"STRING", "WORD"})


def explained(token: Token, before: Token | None, wanted: Collection[str], known: Collection[str]) -> str:
    """Why `token`, which comes after `before`, cannot stand where only `wanted` can; `known`: all fields."""
    if token.type == "OPEN":
        return "the quote is not closed on its line"
    if token.type == "$END":
        return f"the rule ends here; {_wanted(wanted)} is wanted"
    if str(token) in _MISTAKEN:
        return f'"{token}" is not known here - did you mean "{_MISTAKEN[token]}"?'
    joined = f"{before}_{token}".lower() if before else ""
    if joined in known:
        return f'"{before} {token}" is not a field - did you mean "{joined}"?'
    meant = _hint(token, wanted)
    if meant:
        return f'"{token}" is not known here{meant}'
    quotes = "; a text with such signs needs quotes" if token.type == "ODD" else ""
    if token.type in _LINKS and wants_a_text(wanted):
        quotes = f'; as a text the word "{token}" needs quotes'
    return f'"{_short(token)}" stands where {_wanted(wanted)} is wanted{quotes}'


def meant(token: Token, wanted: Collection[str]) -> str:
    """The kind of piece that was most likely meant, as "AND" of adn or of &&; "" if none is near."""
    word = _MISTAKEN.get(token, "") or _hint(token, wanted).partition('"')[2].partition('"')[0]
    return word.upper() if word.upper() in wanted else ""


def wants_a_text(wanted: Collection[str]) -> bool:
    """Whether a text could stand here, and no condition."""
    return (
        (set(wanted) >= _VALUE or set(wanted) >= _TEXT)
        and "COMPARE" not in wanted
        and not wants_a_condition(wanted)
    )


def wants_a_condition(wanted: Collection[str]) -> bool:
    """Whether a condition could begin here."""
    return "EVERYBODY" in wanted and "LPAR" in wanted


def _short(token: Token) -> str:
    return f"{token[:40]}…" if len(token) > 40 else str(token)


def _hint(token: Token, wanted: Collection[str]) -> str:
    """` - did you mean "and"?` if a wanted word is near; letters in another order are nearest of all."""
    if not token.isalpha() or token.type in _LINKS:
        return ""
    words = sorted(one.lower() for one in KEYWORDS.intersection(wanted))
    same_letters = [one for one in words if sorted(one) == sorted(token.lower())]
    return did_you_mean(str(token), same_letters or words)


def _wanted(wanted: Collection[str]) -> str:
    """What may stand at a place, in people's words."""
    if wants_a_condition(wanted):
        return "a condition, as in attempts >= 2,"
    if {"STRING", "MOMENT"} <= set(wanted):
        return "a value"
    if {"NUMBER", "SHORT"} <= set(wanted):
        return "a length of time, as in 3 days,"
    if {"COMPARE", "BETWEEN"} <= set(wanted):
        return 'an operator, as in "=", "in", "contains", "older than" or "is empty",'
    if set(wanted) == {"WORD"}:
        return "a unit of time, as in hours or days,"
    if "WORD" in wanted:
        return "a word of the calendar, as in today or last week,"
    shown = [_SHOWN.get(one, f'"{one.lower()}"') for one in sorted(wanted, key=_last) if one != "LISTED"]
    return _listed(shown)


def _last(word: str) -> tuple[bool, str]:
    return word == "$END", word


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
