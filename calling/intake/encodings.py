"""How a text file is encoded: sniffed from all of it, since the first å may stand on the last line."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from models.errors import BadInput

_BLOCK = 1 << 20
EXCEL = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How .xlsx (and any other zip) and .xls files begin."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# How files begin that people take for lists, beside Excel's: programs, PDF, pictures, archives, databases.
_BINARIES = (
    b"\x7fELF", b"MZ\x90", b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"BZh", b"\xfd7zXZ",
    b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd", b"SQLite format 3", b"PAR1",
)  # fmt: skip
_MOST_NULS = 0.1
"""Share of NUL bytes beyond which a file is no text. One here and there spoils only its row."""

_NOT_IN_CP1252 = frozenset(b"\x81\x8d\x8f\x90\x9d")


def encoding_of(path: Path) -> str:
    """The encoding of a text file. Raises BadInput if it is no text.

    A byte-order mark decides; else UTF-8 if most of what is not ASCII is; else Windows-1252, or Latin-1
    where a byte means nothing in it.
    """
    with path.open("rb") as file:
        head = file.read(_BLOCK)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if head.startswith(_BINARIES) or head.count(0) > _MOST_NULS * len(head):
        raise BadInput(f"{path} is no text file; give CSV, Excel (.xlsx, .xls) or JSON lines")
    valid, broken = _count(path)
    if valid >= broken:
        return "utf-8"
    return "latin-1" if any(not _NOT_IN_CP1252.isdisjoint(block) for block in _blocks(path)) else "cp1252"


def whole(text: str) -> bool:
    """False if `text` holds bytes that could not be decoded (they stand in it as lone surrogates)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _count(path: Path) -> tuple[int, int]:
    """How many signs beyond ASCII are proper UTF-8, and how many bytes are not."""
    valid = broken = 0
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    for block in _blocks(path):
        text = decoder.decode(block)
        if not text.isascii():
            kept = len(text.encode("utf-8", "ignore").decode())
            broken += len(text) - kept
            valid += kept - len(text.encode("ascii", "ignore"))
    return valid, broken


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
