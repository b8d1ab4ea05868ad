"""A rule set's text cut into its segments and labels, so that one mistake hides no other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise, takewhile
from typing import Literal

from lark import Token

from segmentation.places import Faults, Span
from segmentation.problems import did_you_mean
from segmentation.text.tokens import unquoted

KINDS = ("segment", "label")
_SIGNS = frozenset({"LPAR", "RPAR", "COMMA", "COLON", "COMPARE", "ODD", "OPEN"})
_LONGEST_HEADING = 12  # pieces that are looked at for its colon
_HEADING = 4  # pieces: segment key "Name" :


@dataclass(frozen=True, slots=True)
class Block:
    """One segment or label: its heading, and the pieces of its rule."""

    kind: Literal["segment", "label"]
    key: Token
    name: Token | None
    rule: Sequence[Token]
    head: Span
    end: int


def blocks(pieces: Sequence[Token], faults: Faults) -> Iterator[Block]:
    """The blocks in the order of the text. What is wrong with a heading is noted."""
    starts = [
        i
        for i, piece in enumerate(pieces)
        if _begins_line(pieces, i) and _is_heading(pieces[i : i + _HEADING], piece)
    ]
    if pieces and (not starts or starts[0]):
        stray = pieces[: starts[0] if starts else len(pieces)]
        message = 'no segment yet: begin with a heading, as in segment callback "Call back":'
        faults.add("rules", message, span_of(stray))
    for start, end in pairwise([*starts, len(pieces)]):
        yield _block(pieces[start:end], faults)


def span_of(pieces: Sequence[Token]) -> Span:
    """From the first piece to the last."""
    return pieces[0].start_pos or 0, pieces[-1].end_pos or 0


def _begins_line(pieces: Sequence[Token], i: int) -> bool:
    return i == 0 or pieces[i - 1].line != pieces[i].line


def _is_heading(rest: Sequence[Token], first: Token) -> bool:
    """A misspelt one is known by its colon: nothing else has one."""
    if first.type in _SIGNS or len(rest) < 2 or rest[1].type in _SIGNS - {"COLON"}:
        return False
    line = [piece.type for piece in rest if piece.line == first.line]
    named = (
        first.lower() in KINDS and rest[1].type in ("WORD", "STRING", "SHORT") and rest[1].line == first.line
    )
    return named or "COLON" in line


def _block(pieces: Sequence[Token], faults: Faults) -> Block:
    kind, key, name, between, colon = _heading(pieces)
    rule = pieces[1 + (key is not kind) + (name is not None) + len(between) + (colon is not None) :]
    head = span_of(pieces[: len(pieces) - len(rule)])
    if kind.lower() not in KINDS:
        message = f'"{kind}" begins neither a segment nor a label{did_you_mean(kind, KINDS)}'
        faults.add("rules", message, span_of([kind]))
    if key is kind:
        faults.add(
            "rules", f'the {kind.lower()} has no key, as in {kind.lower()} callback "Call back":', head
        )
    elif colon is None:
        faults.add("rules", 'a ":" is wanted between the heading and the rule', head)
    elif between:
        faults.add("rules", _stray(kind, key, between), span_of(between))
    kind_of = "label" if kind.lower() == "label" else "segment"
    return Block(kind_of, key, name, rule, head, pieces[-1].end_pos or 0)  # type: ignore[arg-type]  # one of KINDS


def _heading(
    pieces: Sequence[Token],
) -> tuple[Token, Token, Token | None, Sequence[Token], Token | None]:
    """Kind, key, name, what else stands before the colon, and the colon; only of a line that has one."""
    kind, rest = pieces[0], list(islice(pieces, 1, _LONGEST_HEADING))
    key = rest.pop(0) if rest and rest[0].type != "COLON" else kind
    name = rest.pop(0) if rest and rest[0].type == "STRING" and key is not kind else None
    on_line = list(takewhile(lambda piece: piece.line == kind.line, rest))
    if rest and rest[0].type == "COLON":
        return kind, key, name, (), rest[0]
    at = next((i for i, piece in enumerate(on_line) if piece.type == "COLON"), None)
    return (kind, key, name, (), None) if at is None else (kind, key, name, on_line[:at], on_line[at])


def _stray(kind: Token, key: Token, between: Sequence[Token]) -> str:
    """What is wrong with a heading that has more than a key and a name."""
    words = " ".join(between)
    if between[0].lower() in ("prio", "priority"):
        return (
            f'"{words}" is not wanted: the order of the segments is their priority, the first is asked first'
        )
    return f'"{words[:40]}" is not wanted here; a name stands in quotes: {kind.lower()} {key} "{words[:40]}":'


def named(block: Block) -> dict[str, str]:
    """What a heading says of the segment or label, as the JSON form has it."""
    body = {"key": unquoted(block.key)}
    return body | ({"name": unquoted(block.name)} if block.name is not None else {})
