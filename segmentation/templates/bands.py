"""Bands of one field: each customer falls into exactly one, and who has no value into `unknown`.

Each band's rule says by itself who belongs to it, so bands hold as labels, and as segments in any order.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from segmentation.catalogue import KnownField
from segmentation.templates.rounding import Number

YEAR_DAYS = 365

_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "ß": "ss", "đ": "d", "ł": "l", "Ø": "O", "Æ": "Ae", "Ł": "L"})
_MAX_KEY = 50  # of 60: room for what tells two of the same apart

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment or label to be: its rule is a canonical tree, as it is published."""

    key: str
    name: str
    when: Tree


@dataclass(frozen=True, slots=True)
class Wording:
    """How bands of something are called: `key` begins each key; a name is built around `of`."""

    key: str
    unknown: str
    below: str
    between: str
    from_on: str
    whole: bool = False  # 18 to 24, not 18 to under 25


AGE = Wording(
    "age", "Age unknown", "Age under {high}", "Age {low} to {high}", "Age {low} and over", whole=True
)
INCOME = Wording(
    "income", "Income unknown", "Income under {high}", "Income {low} to under {high}", "Income from {low}"
)
SIZE = Wording(
    "size", "Size unknown", "Under {high} employees", "{low} to {high} employees", "{low} employees and over",
    whole=True,
)  # fmt: skip
PLACE = Wording("place", "Place unknown", "", "", "")


def of_number(field: KnownField, limits: Sequence[Number], called: Wording) -> list[Piece]:
    """Bands that begin at `limits`, ascending; below the first, and from the last on."""
    pieces = []
    for low, high in pairwise((None, *limits, None)):
        parts = [_leaf(field, "ge", low)] if low is not None else []
        parts += [_leaf(field, "lt", high)] if high is not None else []
        pieces.append(_between(called, low, high, _both(parts) if parts else _leaf(field, "not_empty")))
    return [*pieces, _unknown(field, called)]


def of_birth(field: KnownField, years: Sequence[Number], called: Wording) -> list[Piece]:
    """Bands of age by the date of birth. Rules count days: who comes of age does so on the birthday or one of
    the two days after it, never before."""
    pieces = []
    for low, high in pairwise((None, *years, None)):
        old_enough = _leaf(field, "not_empty") if low is None else _leaf(field, "older_than", _days(low))
        parts = [old_enough]
        parts += [{"not": _leaf(field, "older_than", _days(high))}] if high is not None else []
        pieces.append(_between(called, low, high, _both(parts)))
    return [*pieces, _unknown(field, called)]


def of_values(
    field: KnownField, groups: Sequence[Sequence[str]], called: Wording, others: str
) -> list[Piece]:
    """A band for each group of spellings, one for all other values."""
    named = [_of_group(field, group, called) for group in groups]
    listed = sorted({value for group in groups for value in group})
    rest = [_leaf(field, "not_in", listed)] if listed else []
    other = Piece(f"{called.key}-other", others, _both([*rest, _leaf(field, "not_empty")]))
    return [*named, other, _unknown(field, called)]


def slug(text: str) -> str:
    """A key made of any text: "Ål i Hallingdal" -> "al-i-hallingdal"; "" where no letter can be kept."""
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:_MAX_KEY].strip("-")


def free_keys(pieces: Sequence[Piece], taken: set[str]) -> Iterator[Piece]:
    """The same pieces; whose key is taken, by others or before it, gets a number behind it."""
    taken = set(taken)
    for piece in pieces:
        key, number = piece.key, 1
        while key in taken:
            number += 1
            key = f"{piece.key}-{number}"
        taken.add(key)
        yield Piece(key, piece.name, piece.when)


def _of_group(field: KnownField, group: Sequence[str], called: Wording) -> Piece:
    name = " ".join(group[0].split())
    when = _leaf(field, "eq", group[0]) if len(group) == 1 else _leaf(field, "in", sorted(group))
    return Piece(f"{called.key}-{slug(name) or 'value'}", name, when)


def _between(called: Wording, low: Number | None, high: Number | None, when: Tree) -> Piece:
    whole = called.whole and isinstance(low, int) and isinstance(high, int)
    last = high - 1 if whole and high is not None else high
    words_high = high if low is None else last
    words = {"low": _shown(low), "high": _shown(words_high)}
    if low is None and high is None:
        return Piece(f"{called.key}-any", called.unknown.replace("unknown", "known"), when)
    pattern = called.below if low is None else called.from_on if high is None else called.between
    if whole and last == low:
        pattern = called.between.replace("{low} to {high}", "{low}")
    ends = ("under" if low is None else _in_key(low), "up" if high is None else _in_key(words_high))
    return Piece(f"{called.key}-{'-'.join(ends)}", pattern.format(**words), when)


def _unknown(field: KnownField, called: Wording) -> Piece:
    return Piece(f"{called.key}-unknown", called.unknown, _leaf(field, "empty"))


def _days(years: Number) -> str:
    """As many days as so many years have at the most; never whole weeks: "2348 weeks" tells nobody an age."""
    days = int(years * YEAR_DAYS - -years // 4)
    return f"{days + 1 if days % 7 == 0 else days}d"


def _leaf(field: KnownField, op: str, value: Any = None) -> Tree:
    return {"f": field.key, "op": op} | ({} if value is None else {"v": value})


def _both(parts: list[Tree]) -> Tree:
    return parts[0] if len(parts) == 1 else {"all": parts}


def _shown(number: Number | None) -> str:
    return "" if number is None else f"{number:,}"


def _in_key(number: Number | None) -> str:
    return str(number).replace("-", "minus-").replace(".", "-").replace("+", "")
