"""The grammar at work: pieces of text to a tree. A mistake ends one question, and it goes on after it."""

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import Any

from lark import Lark, Token, Tree, UnexpectedToken
from lark.lexer import Lexer

from segmentation.places import Faults, Span
from segmentation.text.mistakes import explained, meant, wants_a_condition, wants_a_text
from segmentation.text.skipping import next_question
from segmentation.text.tokens import KEYWORDS
from segmentation.tree_reader import MAX_LEAVES
from segmentation.values import MAX_LIST

Parsed = Tree[Token]

_DEEPEST = 100  # brackets within brackets; the language allows far less
_MOST_QUESTIONS = 200
"""Of one rule that are read before it is refused: it has far more than the language allows."""

_LONGEST = 2 * MAX_LIST + 10  # pieces of one question with a list that has a mistake at its end
_TOO_LONG = f"asks more than {_MOST_QUESTIONS} questions; at most {MAX_LEAVES} are allowed"
_TOO_DEEP = "has too many brackets within brackets"

_CLOSING = frozenset({"AND", "OR", "RPAR", "$END"})
_VALUES = (KEYWORDS - {"AND", "OR", "NOT"}) | {"WORD", "STRING", "NUMBER", "MOMENT", "SHORT"}


class _Given(Lexer):
    """The pieces are there already, and are fed one by one."""

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
    """The tree of one rule; mistakes are noted at `path`, and `everybody` stands where a question has one.

    None if it goes too deep, or `faults` can take no more. `known`: all fields.
    """
    return _Reading(pieces, path, faults, known).tree()


class _Reading:
    """One rule, piece by piece. Where a question is wrong, what the parser made of it is taken back."""

    def __init__(self, pieces: Sequence[Token], path: str, faults: Faults, known: Collection[str]) -> None:
        self._pieces, self._path, self._faults, self._known = pieces, path, faults, known
        self._parser = _grammar().parse_interactive()
        self._states = self._parser.parser_state.parse_conf.states
        self._stack = self._parser.parser_state.state_stack
        self._open: list[str] = []  # brackets round conditions, and those of "all of (": "(" or "of"
        self._within = 0  # brackets open in the question itself
        self._first, self._height = 0, len(self._stack)  # where the question begins: piece, and stack
        self._questions = 0  # and what stands before them: brackets, and not
        self._before = ""  # kind of the piece that was fed last
        self._sure = True  # of the brackets: none was lost with a mistake

    def tree(self) -> Parsed | None:
        """Read to the end."""
        i = 0
        while i < len(self._pieces):
            if self._faults.is_full:
                return None
            i = self._next(i)
            if len(self._open) > _DEEPEST or self._questions > _MOST_QUESTIONS:
                self._note(_TOO_DEEP if self._open[_DEEPEST:] else _TOO_LONG, self._pieces[0])
                return None
        return self._finished()

    def _next(self, i: int) -> int:
        """Read the piece at `i`; the answer is the one to go on with."""
        piece, can = self._pieces[i], self._states[self._stack[-1]]
        if self._may_begin():
            self._first, self._height, self._within = i, len(self._stack), 0
            self._questions += 1
        if "LISTED" in can and (end := self._end_of_list(i)):
            listed = Token("LISTED", "", piece.start_pos, end_pos=self._pieces[end - 1].end_pos)
            listed.value = self._pieces[i + 1 : end - 1 : 2]  # a piece of pieces
            self._parser.feed_token(listed)
            return end
        if self._within and i - self._first > _LONGEST:
            return self._mended(i, set(), f"holds more than {MAX_LIST} values")
        if self._closes_nothing(piece):
            return self._mended(i, self._wanted() & _CLOSING)
        try:
            self._parser.feed_token(piece)
        except UnexpectedToken:
            return self._mended(i, self._wanted())
        self._count_brackets(piece.type)
        self._before = piece.type
        return i + 1

    def _end_of_list(self, i: int) -> int:
        """The piece after a list of values without mistakes; 0 if it is none. One step, however long."""
        pieces = self._pieces
        if pieces[i].type != "LPAR":
            return 0
        for at in range(i + 1, len(pieces) - 1, 2):
            if pieces[at].type not in _VALUES:
                return 0
            if pieces[at + 1].type != "COMMA":
                return at + 2 if pieces[at + 1].type == "RPAR" else 0
        return 0

    def _may_begin(self) -> bool:
        """Whether a question could begin here."""
        return wants_a_condition(self._states[self._stack[-1]])

    def _is_whole(self) -> bool:
        """Whether the question could end here."""
        return self._leads_on("OR")

    def _closes_nothing(self, piece: Token) -> bool:
        """The parser would find out too late: only when it has put together what stands before."""
        if piece.type not in ("RPAR", "COMMA") or self._within or not self._is_whole():
            return False
        if piece.type == "RPAR":
            return not self._open
        return piece.type == "COMMA" and self._open[-1:] != ["of"]

    def _count_brackets(self, kind: str) -> None:
        if kind == "LPAR":
            if self._may_begin():
                self._open.append("of" if self._before == "OF" else "(")
            else:
                self._within += 1
        elif kind == "RPAR":
            if self._within:
                self._within -= 1
            else:
                self._open.pop()
                self._height = 0  # the group stays, whatever comes after it

    def _mended(self, i: int, wanted: set[str], why: str = "") -> int:
        """Note what is wrong at `i`, put everybody in the place of its question, and say where to go on."""
        piece, before = self._pieces[i], self._pieces[i - 1] if i else None
        stray = piece.type == "RPAR" and self._closes_nothing(piece)
        if self._sure or not stray:
            self._note(why or explained(piece, before, wanted, self._known), piece)
        word = meant(piece, wanted)
        if word in ("AND", "OR", "OF"):
            self._feed(word, piece)
            return i + 1
        if self._is_a_text(i, wanted):
            self._feed("STRING", piece, f'"{piece}"')
            return i + 1
        if stray:
            self._sure = False
            return i + 1
        end = next_question(
            self._pieces, self._first, i, self._within, self._open[-1:], between=word == "BETWEEN"
        )
        self._sure = self._sure and not self._lost_brackets(end, piece, wanted)
        self._take_back(end)
        return end

    def _is_a_text(self, i: int, wanted: set[str]) -> bool:
        """Whether a word of the language was meant as a value: no condition follows it."""
        after = self._pieces[i + 1].type if i + 1 < len(self._pieces) else "$END"
        is_word = self._pieces[i].type in ("AND", "OR", "NOT")
        return is_word and wants_a_text(wanted) and after in (*_CLOSING, "COMMA")

    def _lost_brackets(self, end: int, piece: Token, wanted: set[str]) -> bool:
        kinds = [one.type for one in self._pieces[self._first : end]]
        asked = bool(wanted & {"LPAR", "RPAR"}) and "EVERYBODY" not in wanted and not self._is_whole()
        return asked or piece.type == "OPEN" or kinds.count("LPAR") != kinds.count("RPAR")

    def _take_back(self, end: int) -> None:
        """What was read of the question is forgotten: everybody stands in its place."""
        if not self._height:
            return
        del self._stack[self._height :]
        del self._parser.parser_state.value_stack[self._height - 1 :]
        self._within = 0
        around = self._pieces[self._first : end] or self._pieces[self._first - 1 : self._first]
        self._feed("EVERYBODY", around[0] if around else Token("EVERYBODY", "", 0, end_pos=0), "everybody")

    def _feed(self, kind: str, like: Token, text: str = "") -> None:
        self._parser.feed_token(Token.new_borrow_pos(kind, text or str(like), like))
        self._before = kind

    def _finished(self) -> Parsed:
        last = self._pieces[-1] if self._pieces else Token("$END", "", 0, end_pos=0)
        end = Token("$END", "", last.end_pos, end_pos=last.end_pos)
        if self._may_begin():
            self._first, self._height = len(self._pieces), len(self._stack)
        if not self._is_whole():
            self._note(explained(end, None, self._wanted(), self._known), end)
            self._take_back(len(self._pieces))
        elif self._open and self._sure:
            self._note(explained(end, None, {"RPAR"}, self._known), end)
        for _ in self._open:
            self._feed("RPAR", last, ")")
        tree: Parsed = self._parser.feed_token(end)
        return tree

    def _note(self, message: str, piece: Token) -> None:
        self._faults.add(self._path, message, _span(piece))

    def _wanted(self) -> set[str]:
        """The kinds of pieces that lead on from here, all brackets considered."""
        return {kind for kind in self._states[self._stack[-1]] if kind.isupper() and self._leads_on(kind)}

    def _leads_on(self, kind: str) -> bool:
        stack = list(self._stack)
        while kind in (can := self._states[stack[-1]]):
            _, rule = can[kind]
            if not hasattr(rule, "expansion"):
                return True
            del stack[len(stack) - len(rule.expansion) :]
            stack.append(self._states[stack[-1]][rule.origin.name][1])
            if kind == "$END" and stack[-1] == self._parser.parser_state.parse_conf.end_state:
                return True
        return False


def _span(piece: Token) -> Span:
    return piece.start_pos or 0, piece.end_pos or 0
