"""The types of fields: a cell's text or a JSON value read as a type, and the type that a column's cells fit.

Numbers become JSON numbers, yes and no become true and false, dates "2026-03-02", the rest stays text. What
is read here is what rules see: a value of another JSON type would be none for them.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date

TYPES = ("text", "number", "date", "yes_no", "choice")
"""As the table `field` knows them; said again here, so that a parsing process need not load the tables."""

LONGEST = 2_000  # characters of a text
_LONGEST_NUMBER = 100  # characters; whatever is longer is too large, or too exact
MOST = 10**15  # of a number: what every reader of JSON keeps exactly
MOST_CHOICES = 30

_YES = frozenset({"yes", "y", "true", "ja", "sim", "sí", "si", "oui", "wahr", "tosi", "kyllä"})
_NO = frozenset({"no", "n", "false", "nei", "nej", "nein", "não", "nao", "non", "falsch", "ei"})
_WHOLE = re.compile(r"[+-]?\d+")
_DECIMAL = re.compile(r"[+-]?\d*[.,]\d+")
_DOUBTFUL = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")  # 1,234: a thousand and more, or one and a bit?
_CODE = re.compile(r"[+-]?0\d+")  # 0150 is a postal code, no number
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL keeps neither NUL nor half a character
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


def read_text(kind: str, text: str) -> object:
    """The value of a text that is not empty, nor has spaces around it; `kind` is a type of `field`.

    ValueError says what is wrong.
    """
    if kind in _READERS:
        return _READERS[kind](text)
    if len(text) > LONGEST:
        raise ValueError(f"is longer than {LONGEST:,} characters")
    if _UNSTORABLE.search(text):
        raise ValueError("holds a character that cannot be kept")
    return text


def read_json(kind: str, value: object) -> object:
    """The value that a JSON value stands for; None for null and for a text of spaces alone: no value.

    ValueError says what is wrong.
    """
    if value is None:
        return None
    if isinstance(value, str) and kind not in ("number", "yes_no"):
        text = value.strip()
        return read_text(kind, text) if text else None
    if kind == "yes_no" and isinstance(value, bool):
        return value
    if kind == "number" and isinstance(value, int | float) and not isinstance(value, bool):
        if not abs(value) <= MOST:  # so written, NaN is refused too
            raise ValueError("is too large to be kept exactly as a number")
        return value
    raise ValueError(f"takes {_JSON[kind]}; {_shown(value)} is none")


def infer(values: Sequence[str]) -> str:
    """The type that fits every one of a column's cells (none of them empty); text if there are none."""
    if not values:
        return "text"
    if all(value.casefold() in _YES | _NO for value in values):
        return "yes_no"
    if not any(_CODE.fullmatch(value) for value in values) and _all_read(_number, values):
        return "number"
    if _all_read(_date, values):
        return "date"
    counts = Counter(values)
    few = len(counts) <= min(MOST_CHOICES, len(values) // 4)
    return "choice" if few and max(map(len, counts)) <= 100 else "text"


def _all_read(reader: Callable[[str], object], values: Sequence[str]) -> bool:
    try:
        for value in values:
            reader(value)
    except ValueError:
        return False
    return True


def _number(text: str) -> int | float:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("is no number, or too long for one")
    if _DOUBTFUL.fullmatch(text):
        raise ValueError("may be a thousand or a fraction: write it without the comma, or with a point")
    if _WHOLE.fullmatch(text):
        value: int | float = int(text)
    elif _DECIMAL.fullmatch(text):
        value = float(text.replace(",", "."))
    else:
        raise ValueError("is no number")
    if abs(value) > MOST:
        raise ValueError("is too large to be kept exactly as a number")
    return value


def _yes_no(text: str) -> bool:
    word = text.casefold()
    if word in _YES or word == "1":
        return True
    if word in _NO or word == "0":
        return False
    raise ValueError("is neither yes nor no")


def _date(text: str) -> str:
    if iso := _ISO.fullmatch(text):
        year, month, day = iso.groups()
    elif dotted := _DOTTED.fullmatch(text):
        day, month, year = dotted.groups()
    else:
        raise ValueError("is no date: write 2026-03-02 or 02.03.2026")
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        raise ValueError("is no day of the calendar") from None


_JSON = {
    "text": "a text", "choice": "a text", "date": 'a date as a text, "2026-03-02"', "number": "a JSON number",
    "yes_no": "true or false",
}  # fmt: skip


def _shown(value: object) -> str:
    match value:
        case str():
            return f'"{value[:40]}…"' if len(value) > 40 else f'"{value}"'
        case bool():
            return "true" if value else "false"
        case int() | float():
            return "a number" if isinstance(value, int) and value.bit_length() > 64 else str(value)
        case list():
            return "a list"
    return "an object"


_READERS: dict[str, Callable[[str], object]] = {"number": _number, "yes_no": _yes_no, "date": _date}
