"""The grammar at work: pieces of text to a tree, and mistakes in words that people understand."""

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import Any

from lark import Lark, Token, Tree, UnexpectedInput, UnexpectedToken
from lark.lexer import Lexer

from segmentation.places import Faults, Span
from segmentation.problems import did_you_mean
from segmentation.text.tokens import KEYWORDS

Parsed = Tree[Token]

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


class _Given(Lexer):
    """The pieces are there already."""

    def __init__(self, lexer_conf: Any) -> None:
        """Lark makes it."""

    def lex(self, data: Any) -> Iterator[Token]:  # type: ignore[override]  # as Lark calls it
        """Hand them on."""
        return iter(data)


@cache
def _grammar() -> Lark:
    return Lark.open(
        "rule.lark", rel_to=__file__, parser="lalr", lexer=_Given, start="rule", propagate_positions=True
    )


def parse(pieces: Sequence[Token], path: str, faults: Faults, known: Collection[str]) -> Parsed | None:
    """The tree of one rule; None if it has mistakes, which are noted at `path`.

    After a mistake reading goes on at the next line that begins with `and` or `or`. `known`: all fields.
    """
    try:
        return _grammar().parse(pieces)  # our lexer takes pieces, not a text
    except UnexpectedInput as error:
        if not isinstance(error, UnexpectedToken):
            raise
        at = _index(pieces, error.token)
        before = pieces[at - 1] if at else None
        faults.add(path, _explained(error, before, known), _span(error.token, before))
        _go_on(pieces, at, path, faults, known)
    return None


def _go_on(pieces: Sequence[Token], at: int, path: str, faults: Faults, known: Collection[str]) -> None:
    for i in range(at + 1, len(pieces)):
        if pieces[i].type in ("AND", "OR") and pieces[i].line != pieces[i - 1].line:
            rest = _balanced(pieces[i + 1 :])
            if rest:
                parse(rest, path, faults, known)
            return


def _balanced(pieces: Sequence[Token]) -> list[Token]:
    """Without the closing brackets of groups that began before."""
    kept, open_ = [], 0
    for piece in pieces:
        open_ += (piece.type == "LPAR") - (piece.type == "RPAR")
        if open_ < 0:
            open_ = 0
        else:
            kept.append(piece)
    return kept


def _index(pieces: Sequence[Token], token: Token) -> int:
    return next((i for i, piece in enumerate(pieces) if piece is token), len(pieces))


def _span(token: Token, before: Token | None) -> Span:
    if token.type != "$END":
        return token.start_pos or 0, token.end_pos or 0
    end = (before.end_pos or 0) if before else 0
    return end, end


def _explained(error: UnexpectedToken, before: Token | None, known: Collection[str]) -> str:
    token, wanted = error.token, error.accepts or error.expected
    if token.type == "OPEN":
        return "the quote is not closed on its line"
    if token.type == "$END":
        return f"the rule ends here; {_wanted(wanted)} is wanted"
    if str(token) in _MISTAKEN:
        return f'"{token}" is not known here - did you mean "{_MISTAKEN[token]}"?'
    joined = f"{before}_{token}".lower() if before else ""
    if joined in known:
        return f'"{before} {token}" is not a field - did you mean "{joined}"?'
    meant = _meant(token, wanted)
    if meant:
        return f'"{token}" is not known here{meant}'
    quotes = "; a text with such signs needs quotes" if token.type == "ODD" else ""
    return f'"{token}" stands where {_wanted(wanted)} is wanted{quotes}'


def _meant(token: Token, wanted: Collection[str]) -> str:
    """` - did you mean "and"?` if a wanted word is near; letters in another order are nearest of all."""
    if not token.isalpha():
        return ""
    words = sorted(one.lower() for one in KEYWORDS.intersection(wanted))
    same_letters = [one for one in words if sorted(one) == sorted(token.lower())]
    return did_you_mean(str(token), same_letters or words)


def _wanted(wanted: Collection[str]) -> str:
    """What may stand at a place, in people's words."""
    if {"EVERYBODY", "LPAR"} <= set(wanted):
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
    return _listed([_SHOWN.get(one, f'"{one.lower()}"') for one in sorted(wanted, key=_last)])


def _last(word: str) -> tuple[bool, str]:
    return word == "$END", word


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
