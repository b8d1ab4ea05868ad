"""A text in pieces: words, signs, numbers, quoted texts; each knows where it stands."""

import json
import re
from collections.abc import Iterator

from lark import Token

KEYWORDS = frozenset((
    "AND", "OR", "NOT", "IS", "EMPTY", "NEVER", "TRUE", "FALSE", "BETWEEN", "CONTAINS", "STARTS", "ENDS",
    "WITH", "BEFORE", "AFTER", "OLDER", "THAN", "WITHIN", "LAST", "NEXT", "DUE", "BY", "ANNIVERSARY", "ON",
    "WEEKDAY", "NONE", "COUNT", "OF", "SEGMENT", "IN", "OUTSIDE", "OVERDUE", "EVERYBODY", "ALL", "ANY",
))  # fmt: skip
"""Words of the language, in capitals; written in any case. As a text or a field they may need quotes."""

WORD = re.compile(r"[^\W\d]\w*(?:[-.]\w+)*")
SHORT = re.compile(r"\d+\w*(?:[-.]\w+)*")  # 3d, 007, 2nd-try: not a number, though it begins like one
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.-])")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+(?:Z|[+-][0-9:]+)?)?(?![\w.:+-])")

_PIECES = re.compile(
    rf"""
    (?P<SPACE>[\s\ufeff]+ | \#[^\n]*)
  | (?P<STRING>"(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*')
  | (?P<OPEN>["'][^\n]*)
  | (?P<MOMENT>{MOMENT.pattern})
  | (?P<NUMBER>{NUMBER.pattern})
  | (?P<SHORT>{SHORT.pattern})
  | (?P<WORD>{WORD.pattern})
  | (?P<COMPARE><=|>=|!=|<>|==|=(?![<>])|<|>)
  | (?P<LPAR>\() | (?P<RPAR>\)) | (?P<COMMA>,) | (?P<COLON>:)
  | (?P<ODD>[^\s\w"'()\#,:]+ | .)
    """,
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")


def tokens(text: str) -> Iterator[Token]:
    """Every piece of `text` that means something; what fits nothing comes as ODD, an open quote as OPEN."""
    line, line_start = 1, 0
    for found in _PIECES.finditer(text):
        kind, piece = str(found.lastgroup), found.group()
        if kind == "WORD" and piece.upper() in KEYWORDS:
            kind = piece.upper()
        if kind != "SPACE":
            yield Token(kind, piece, found.start(), line, found.start() - line_start + 1, end_pos=found.end())
        if "\n" in piece:
            line += piece.count("\n")
            line_start = found.start() + piece.rindex("\n") + 1


def unquoted(token: Token) -> str:
    """What a piece says: without its quotes, if it has any."""
    if token.type != "STRING":
        return str(token)
    return _ESCAPED.sub(_character, token[1:-1])


def quoted(text: str) -> str:
    """`text` in quotes, on one line."""
    return json.dumps(text, ensure_ascii=False)


def _character(escaped: re.Match[str]) -> str:
    code = escaped[1]
    if len(code) == 5:
        return chr(int(code[1:], 16))
    return {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}.get(code, code)
