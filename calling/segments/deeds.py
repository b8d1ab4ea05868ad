"""What publishing did to each segment, for its history."""

from collections.abc import Mapping
from typing import Any

from calling.segments.history import note_deed
from models.work import Work


def note_changes(
    work: Work, assignment_id: int, before: Mapping[str, Any], after: Mapping[str, Any], author: str,
    version: int, back_to: int | None = None,
) -> None:  # fmt: skip
    """Compare the live segments of two versions by key and write what was done to each.

    The rows have id, name, rule and position; a moved one is noted only if its place among those that
    stay has changed. `back_to`: the earlier version that was rolled back to.
    """
    of = {"version": version} | ({} if back_to is None else {"back_to": back_to})
    stay = [key for key in before if key in after]
    places = {key: place for place, key in enumerate(key for key in after if key in before)}

    def note(segment_id: int, deed: str, **detail: Any) -> None:
        note_deed(work, assignment_id, segment_id, deed, author, **of, **detail)

    for key, row in after.items():
        was = before.get(key)
        if was is None:
            note(row.id, "created", name=row.name)
            continue
        if was.name != row.name:
            note(row.id, "renamed", was=was.name, name=row.name)
        if was.rule != row.rule:
            note(row.id, "ruled", was=was.rule)
        if places[key] != stay.index(key):
            note(row.id, "reordered", place=places[key] + 1)
    for key in before.keys() - after.keys():
        note(before[key].id, "deleted")
