"""Opaque cursors: where a list was left, handed to the reader and taken back unchanged."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

from models.errors import BadInput

_LARGEST = 2**63 - 1


def encode(kind: str, last_id: int) -> str:
    """The cursor of the list `kind` after the row `last_id`."""
    return encode_text(kind, str(last_id))


def encode_text(kind: str, last: str) -> str:
    """The cursor of a list that goes by names, after `last`."""
    return urlsafe_b64encode(f"{kind}:{last}".encode()).decode().rstrip("=")


def decode(kind: str, cursor: str | None) -> int:
    """The id after which the list `kind` goes on; 0 without a cursor. Raises BadInput for another list's."""
    last_id = decode_text(kind, cursor)
    if not last_id:
        return 0
    if not (last_id.isdecimal() and last_id.isascii()) or int(last_id) > _LARGEST:
        raise _foreign(kind)
    return int(last_id)


def decode_text(kind: str, cursor: str | None) -> str:
    """The name after which the list `kind` goes on; empty without a cursor. Raises BadInput."""
    if not cursor:
        return ""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (ValueError, binascii.Error):
        text = ""
    name, _, last = text.partition(":")
    if name != kind or not last or "\x00" in last:
        raise _foreign(kind)
    return last


def _foreign(kind: str) -> BadInput:
    return BadInput(f"cursor: not one of this list; take it from `next` of the page before ({kind})")
