"""Where reading goes on after a mistake: at the next question that is surely one."""

from collections.abc import Sequence

from lark import Token

_NO_QUESTION = frozenset({"NUMBER", "MOMENT", "SHORT", "COMPARE", "COMMA", "RPAR", "ODD"})
"""None of these begins a question, so an "and" before it is part of what is wrong."""

_OF_LISTS = frozenset({"WORD", "STRING", "NUMBER", "MOMENT", "SHORT", "COMMA", "AND", "OR"})


def next_question(
    pieces: Sequence[Token], first: int, wrong: int, within: int, group: list[str], *, between: bool
) -> int:
    """The piece that ends the question which began at `first` and is wrong at `wrong`: and, or, ")", ",".

    `within`: brackets open in the question. `group`: ["("] or ["of"] if it stands in one. `between`: that
    word was meant, and it has an "and" of its own.
    """
    kinds = [piece.type for piece in pieces[first:wrong]]
    keeps_and = between or ("BETWEEN" in kinds and "AND" not in kinds)
    for at in range(wrong, len(pieces)):
        match pieces[at].type:
            case "LPAR":
                within += 1
            case "RPAR" if within:
                within -= 1
            case "RPAR" if group:
                return at
            case "COMMA" if not within and group == ["of"]:
                return at
            case "AND" if keeps_and:
                keeps_and = False
            case "AND" | "OR" if _goes_on(pieces, at, within):
                return at
    return len(pieces)


def _goes_on(pieces: Sequence[Token], at: int, within: int) -> bool:
    """Whether another question follows this "and" or "or"."""
    if at + 1 < len(pieces) and pieces[at + 1].type in _NO_QUESTION:
        return False
    begins_line = at > 0 and pieces[at - 1].line != pieces[at].line
    return begins_line or not within or not _is_in_list(pieces, at)


def _is_in_list(pieces: Sequence[Token], at: int) -> bool:
    """Whether a list that is open is closed after it, with nothing but values until there."""
    for piece in pieces[at:]:
        if piece.type == "RPAR":
            return True
        if piece.type not in _OF_LISTS:
            return False
    return False
