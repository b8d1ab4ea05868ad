"""What is let in: one SQL expression of bounded size; the rest is refused before anything is made of it."""

from sqlglot import ParseError, TokenError, TokenType, exp, parse_one, tokenize
from sqlglot.tokens import Token  # type: ignore[attr-defined]  # defined in a module that may be compiled

from segmentation.places import Span

MAX_CHARACTERS = 10_000
MAX_PIECES = 2_000
MAX_BRACKETS = 30  # one within another

_OPENING = (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE)
_CLOSING = (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE)


class NotTaken(Exception):
    """A piece of SQL is refused: why, and where it stands."""

    def __init__(self, why: str, span: Span) -> None:
        super().__init__(why)
        self.why, self.span = why, span


def parsed(sql: str) -> exp.Expr:
    """The one expression that `sql` is. Raises NotTaken."""
    if len(sql) > MAX_CHARACTERS:
        why = f"the predicate is {len(sql)} characters long; at most {MAX_CHARACTERS} are allowed"
        raise NotTaken(why, (0, 0))
    try:
        _look_at_pieces(sql, tokenize(sql, read="postgres"))
        return parse_one(sql, read="postgres", into=exp.Condition)
    except TokenError as error:
        raise NotTaken("a quote is not closed", (0, len(sql))) from error
    except ParseError as error:
        raise _not_sql(sql, error) from None
    except RecursionError:
        raise NotTaken("is nested too deep", (0, len(sql))) from None


def span_of(node: exp.Expr, sql: str) -> Span:
    """Where an expression stands; the parser knows it of names, literals and functions, so of most."""
    while not (
        known := [(one.meta["start"], one.meta["end"] + 1) for one in node.walk() if "start" in one.meta]
    ):
        if node.parent is None:
            return 0, len(sql)
        node = node.parent
    return min(start for start, _ in known), max(end for _, end in known)


def _look_at_pieces(sql: str, pieces: list[Token]) -> None:
    if not pieces:
        raise NotTaken("there is no predicate", (0, len(sql)))
    if len(pieces) > MAX_PIECES:
        why = f"the predicate has {len(pieces)} words and signs; at most {MAX_PIECES} are allowed"
        raise NotTaken(why, (0, len(sql)))
    depth = 0
    for piece, next_one in zip(pieces, [*pieces[1:], None], strict=True):
        span = piece.start, piece.end + 1
        depth += (piece.token_type in _OPENING) - (piece.token_type in _CLOSING)
        if depth > MAX_BRACKETS:
            raise NotTaken(f"has more than {MAX_BRACKETS} brackets within brackets", span)
        if piece.comments:
            end = next_one.start if next_one else len(sql)
            gap = sql[piece.end + 1 : end]
            raise NotTaken("comments are not taken", (end - len(gap.lstrip()), end))
        if piece.token_type is TokenType.L_BRACKET:
            raise NotTaken("rows and arrays are not taken", span)
        if piece.token_type is TokenType.SEMICOLON:
            raise NotTaken('";" is not taken: write one predicate', span)


def _not_sql(sql: str, error: ParseError) -> NotTaken:
    first = error.errors[0] if error.errors else {}
    piece = str(first.get("highlight") or "")
    before = sql.split("\n")[: (first.get("line") or 1) - 1]
    stop = min(sum(len(line) + 1 for line in before) + (first.get("col") or 1), len(sql))
    near = f' near "{piece}"' if piece else ""
    return NotTaken(f"this is no SQL predicate{near}", (max(stop - len(piece), 0), stop))
