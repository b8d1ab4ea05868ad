"""Keys of own fields: which there may be, and the key that a column's header asks for."""

import re
import unicodedata

from segmentation.catalogue import TAKEN

# What a customer has beside the CRM's own fields: the targets of a list's columns.
TARGETS = (
    "external_id",
    "name",
    "first_name",
    "last_name",
    "email",
    "place",
    "phone",
    "tags",
    "verified_zone",
)
RESERVED = TAKEN | frozenset(TARGETS)
"""Keys that mean something else already: in rules, in facets, or as a column of a list."""

LONGEST = 60
KEY = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "ß": "ss", "đ": "d", "ł": "l"})


def key_of(header: str) -> str:
    """The key of an own field: "Saldo (€)" -> "saldo"; a name that means something else gets "own_"."""
    key = re.sub(r"[^a-z0-9]+", "_", plain(header)).strip("_")[:LONGEST].rstrip("_") or "field"
    return f"own_{key}"[:LONGEST].rstrip("_") if key in RESERVED or key[0].isdigit() else key


def plain(text: str) -> str:
    """A text in small Latin letters without accents; what has no such letter is left out."""
    folded = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return folded.encode("ascii", "ignore").decode()


def problem_of(key: str) -> str | None:
    """What is wrong with a key, and what to write instead; None: nothing."""
    if len(key) > LONGEST or not KEY.fullmatch(key):
        return (
            f'"{key}" is no key: at most {LONGEST} small letters a-z and digits, parted by _, '
            f'a letter first; write "{key_of(key)}"'
        )
    if key in RESERVED:
        return f'"{key}" is built in, and means something else: write "{key_of(key)}", or another key'
    return None
