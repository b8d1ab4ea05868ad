"""What a manager does to one segment: rename, delete, reorder, make a new one. Each is a published version.

The rules in force are read and published again with one change; somebody else's version in between is a
Conflict, never overwritten.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from sqlalchemy import text

from calling.segments.publishing import (
    Also,
    current,
    lock_rules,
    nothing_more,
    publish,
    publish_all,
    version_in_force,
)
from models.errors import BadInput, NotFound
from models.tables.assignments import UNSEGMENTED
from models.work import OpenWork, Work

_LONGEST_KEY = 50
_LETTERS = str.maketrans({"ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "ß": "ss", "ł": "l", "đ": "d", "þ": "th"})
"""Letters that Unicode does not take apart."""

_KEYS = text("select key from segment where crm_id = :crm_id and assignment_id = :assignment_id")
_KEY = text("""
    select key from segment where crm_id = :crm_id and assignment_id = :assignment_id and id = :segment_id
       and retired_at is null
""")
_ID = text("""
    select id from segment where crm_id = :crm_id and assignment_id = :assignment_id and key = :key
       and retired_at is null
""")

_Change = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


def rename(open_work: OpenWork, assignment_id: int, key: str, name: str, *, author: str) -> int:
    """Give a segment another name; the new version. Key and customers stay.

    Raises NotFound, BadRule for a name that cannot be, BadInput for Unsegmented, which keeps its own.
    """
    _refuse_unsegmented([key], "Unsegmented keeps its name: it is the segment of whoever matches no rule")

    def change(segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**segment, "name": name} if segment["key"] == key else segment for segment in segments]

    return _publish(open_work, assignment_id, [key], change, author)


def delete(open_work: OpenWork, assignment_id: int, key: str, *, author: str) -> int:
    """Take a segment away; the new version.

    Its holds are let go, its customers go where the rules that are left say, what was offered from it is
    recalled, its pause ends. Raises NotFound, BadInput for Unsegmented.
    """
    _refuse_unsegmented([key], "Unsegmented cannot be deleted: whoever matches no rule has to be somewhere")

    def change(segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [segment for segment in segments if segment["key"] != key]

    return _publish(open_work, assignment_id, [key], change, author)


def reorder(open_work: OpenWork, assignment_id: int, keys: Sequence[str], *, author: str) -> int:
    """Put all segments into this order of priority; the new version.

    Raises BadInput unless each is named once, without Unsegmented.
    """
    _refuse_unsegmented(keys, "order: Unsegmented is always last; leave it out")

    def change(segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
        by_key = {segment["key"]: segment for segment in segments}
        if sorted(keys) != sorted(by_key):
            raise BadInput(f"order: name each segment once: {', '.join(by_key)}", given=list(keys))
        return [by_key[key] for key in keys]

    return _publish(open_work, assignment_id, [], change, author)


def create(
    open_work: OpenWork,
    assignment_id: int,
    segment: dict[str, Any],
    *,
    author: str,
    before: str | None = None,
    also: Also = nothing_more,
) -> int:
    """Add a segment ({"key", "name", "when"}) in front of another, or last; the new version.

    In front of Unsegmented is last. `also` is done in the same transaction. Raises BadRule, NotFound,
    BadInput for a key that is there already.
    """
    before = None if before == UNSEGMENTED else before

    def change(segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if any(one["key"] == segment.get("key") for one in segments):
            raise BadInput(f"key: there is a segment {segment['key']!r} already", key=segment["key"])
        place = next((i for i, one in enumerate(segments) if one["key"] == before), len(segments))
        return [*segments[:place], segment, *segments[place:]]

    return _publish(open_work, assignment_id, [] if before is None else [before], change, author, also)


def key_of(work: Work, assignment_id: int, segment_id: int) -> str:
    """The key of a live segment by its id. Raises NotFound."""
    key = work.run(_KEY, assignment_id=assignment_id, segment_id=segment_id).scalar()
    if key is None:
        raise NotFound("segment", segment_id)
    return str(key)


def id_of(work: Work, assignment_id: int, key: str) -> int:
    """The id of a live segment by its key. Raises NotFound."""
    segment_id = work.run(_ID, assignment_id=assignment_id, key=key).scalar()
    if segment_id is None:
        raise NotFound("segment", key)
    return int(segment_id)


def free_key(work: Work, assignment_id: int, name: str) -> str:
    """A key for a new segment of that name, which no segment of the assignment has or had."""
    plain = unicodedata.normalize("NFKD", name.translate(_LETTERS)).encode("ascii", "ignore").decode().lower()
    wanted = "-".join(re.findall("[a-z0-9]+", plain))[:_LONGEST_KEY].rstrip("-") or "segment"
    taken = set(work.run(_KEYS, assignment_id=assignment_id).scalars())
    numbered = (f"{wanted}-{n}" for n in count(2))
    return wanted if wanted not in taken else next(key for key in numbered if key not in taken)


def extend(
    open_work: OpenWork,
    assignment_id: int,
    *,
    segments: Sequence[dict[str, Any]] = (),
    labels: Sequence[dict[str, Any]] = (),
    author: str,
    base: int,
    before: str | None = None,
    first: Callable[[Work], None] = lambda _: None,
) -> int:
    """Add several segments, in front of another or last, and labels at the end; the new version.

    `base`: the version that they were made for. `first` is done first in the same transaction. Raises
    BadRule, NotFound, Conflict for somebody else's newer version, BadInput for a key that is there already.
    """

    def make(work: Work) -> dict[int, object]:
        first(work)
        lock_rules(work, [assignment_id])
        body = current(work, assignment_id)
        if version_in_force(work, assignment_id) != base:
            return {assignment_id: body}  # somebody was here: publishing refuses it, and says so
        return {assignment_id: extended(body, segments, labels, before)}

    (version,) = publish_all(open_work, make, author=author, bases={assignment_id: base}).values()
    return version


def extended(
    body: Mapping[str, Any], segments: Sequence[dict[str, Any]], labels: Sequence[dict[str, Any]],
    before: str | None,
) -> dict[str, Any]:  # fmt: skip
    """A rule set with more segments, in front of one or last, and more labels. Raises NotFound, BadInput."""
    there, named = list(body["segments"]), list(body.get("labels", []))
    _check_free("segment", segments, there)
    _check_free("label", labels, named)
    if before not in (None, UNSEGMENTED) and all(one["key"] != before for one in there):
        raise NotFound("segment", before)
    place = next((i for i, one in enumerate(there) if one["key"] == before), len(there))
    return {**body, "segments": [*there[:place], *segments, *there[place:]], "labels": [*named, *labels]}


def _refuse_unsegmented(keys: Sequence[str], why: str) -> None:
    if UNSEGMENTED in keys:
        raise BadInput(why)


def _check_free(kind: str, new: Sequence[dict[str, Any]], there: Sequence[dict[str, Any]]) -> None:
    taken = {one["key"] for one in there}
    for one in new:
        if one["key"] in taken:
            raise BadInput(f"key: there is a {kind} {one['key']!r} already", key=one["key"])


def _publish(
    open_work: OpenWork, assignment_id: int, keys: Sequence[str], change: _Change, author: str,
    also: Also = nothing_more,
) -> int:  # fmt: skip
    with open_work() as work:
        version = version_in_force(work, assignment_id)  # first: read last, it could be newer than the body
        body = current(work, assignment_id)
    segments = list(body["segments"])
    for key in keys:
        if not any(segment["key"] == key for segment in segments):
            raise NotFound("segment", key)
    changed = {**body, "segments": change(segments)}
    return publish(open_work, assignment_id, changed, author=author, base=version, also=also)
