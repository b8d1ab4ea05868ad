"""Opaque cursors: where a list was left, handed to the reader and taken back unchanged."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

from models.errors import BadInput

_LARGEST = 2**63 - 1


def encode(kind: str, last_id: int) -> str:
    """The cursor of the list `kind` after the row `last_id`."""
    return urlsafe_b64encode(f"{kind}:{last_id}".encode()).decode().rstrip("=")


def decode(kind: str, cursor: str | None) -> int:
    """The id after which the list `kind` goes on; 0 without a cursor. Raises BadInput for another list's."""
    if not cursor:
        return 0
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (ValueError, binascii.Error):
        text = ""
    name, _, last_id = text.partition(":")
    if name != kind or not (last_id.isdecimal() and last_id.isascii()) or int(last_id) > _LARGEST:
        raise BadInput(f"cursor: not one of this list; take it from `next` of the page before ({kind})")
    return int(last_id)
