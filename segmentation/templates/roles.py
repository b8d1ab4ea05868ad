"""Which of a CRM's fields holds an age, an income, a place: by its name, and if its values can be."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from segmentation.catalogue import KnownField
from segmentation.templates.catalogue import Role
from segmentation.templates.values import Values

OLDEST = 115
_YEAR = 365.25
_FEW = 60  # different values of a place or a class, at the most, where a name does not tell

_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "ß": "ss", "đ": "d", "ł": "l"})
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MEANT = {"age": "the age", "birth": "the date of birth", "income": "the income", "size": "the size",
          "place": "the place", "turnover": "the turnover"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """A field as its CRM calls it."""

    field: KnownField
    label: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A field that may hold what is looked for, and why. `sure`: its name says so and its values can be.

    `known`: how many of the customers who were looked at have a value.
    """

    field: str
    label: str
    type: str
    why: str
    sure: bool
    known: int


def suggested(
    role: Role, types: Iterable[str], fields: Iterable[Named], values: Mapping[str, Values], today: date
) -> list[Suggestion]:
    """The fields of these types that may hold `role`, the likeliest first. `today`: for days of birth."""
    found = []
    for place, one in enumerate(fields):
        if one.field.type not in types:
            continue
        like = values.get(one.field.key, Values())
        named, can = _named(role, one), _can_be(role, one.field, like, today)
        looks = not named and can and _looks_like(role, one.field, like, today)
        if (named and (can or not like.known)) or looks:
            # A CRM's own field knows more than one that every CRM has.
            order = (not named, one.field.table is not None, -named, -like.known, place)
            found.append((order, _told(role, one, like, bool(named))))
    return [suggestion for _, suggestion in sorted(found, key=lambda one: one[0])]


def words(name: str) -> list[str]:
    """A name word by word, small and without accents: "FødselsDato" -> ["fodsels", "dato"]."""
    parted = _CAMEL.sub(" ", name).lower().translate(_LETTERS)
    plain = unicodedata.normalize("NFKD", parted).encode("ascii", "ignore").decode()
    return re.findall(r"[a-z]+|[0-9]+", plain)


def _named(role: Role, one: Named) -> int:
    """How clearly key or label says it: 3 the whole name, 2 a word of it, 1 within a word, 0 not at all."""
    return max((_says(role, one.field, words(name)) for name in (one.field.key, one.label)), default=0)


def _says(role: Role, field: KnownField, name: list[str]) -> int:
    of_birth = role == "age" and field.type == "date"
    known = _words()["birth" if of_birth else role]
    joined, spaced = "".join(name), f" {' '.join(name)} "
    if joined in {phrase.replace(" ", "") for phrase in (*known["phrases"], *known["whole"])}:
        return 3
    if any(f" {phrase} " in spaced for phrase in known["phrases"]):
        return 2
    return int(any(part in joined for part in known["within"]))


def _can_be(role: Role, field: KnownField, like: Values, today: date) -> bool:
    """Whether the values can be that at all. A field without values says nothing against it."""
    if not like.known:
        return True
    if field.type in ("text", "choice"):
        return 2 <= like.different <= (max(_FEW, like.known // 2) if role == "place" else _FEW)
    match role:
        case "age" | "birth" if field.type == "date":
            return _years(like.high, today) >= 0 and _years(like.low, today) <= OLDEST
        case "age":
            return bool(like.low >= 0 and 0 < like.high <= OLDEST)
        case "size":
            return bool(like.low >= 0 and like.high >= 1 and like.whole)
    return bool(like.high > 0)


def _looks_like(role: Role, field: KnownField, like: Values, today: date) -> bool:
    """Whether the values alone give it away: days of birth spread over generations, ages of grown people."""
    if not like.known or role not in ("age", "birth"):
        return False
    if field.type == "date":
        generations = _years(like.low, today) - _years(like.high, today)
        return _years(like.middle, today) >= 18 and generations > 20
    if field.type != "number" or not like.whole:
        return False
    return bool(like.low >= 15 and like.low + 20 <= like.high <= 100 and like.different >= 20)


def _told(role: Role, one: Named, like: Values, named: bool) -> Suggestion:
    why = f"its name says that it is {_MEANT[role]}" if named else f"its values look like {_MEANT[role]}"
    if named and not like.known:
        why += "; nobody has a value yet"
    return Suggestion(one.field.key, one.label, one.field.type, why, named and like.known > 0, like.known)


def _years(day: Any, today: date) -> float:
    return float((today - day).days / _YEAR)


@cache
def _words() -> Mapping[str, Mapping[str, list[str]]]:
    read: Mapping[str, Mapping[str, list[str]]] = tomllib.loads(
        files(__package__).joinpath("roles.toml").read_text(encoding="utf-8")
    )
    return read
