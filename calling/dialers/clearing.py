"""Many at once of what was set aside: looked at, or worked off again, by why it could not be used."""

from collections.abc import Collection

from sqlalchemy import text

from calling.dialers.set_aside import LONGEST_NOTE
from models.errors import BadInput
from models.tables.attempts import PROBLEM_KINDS
from models.work import OpenWork, Work

BATCH = 200

_WAITING = """
    select id, dialer_id, event_id from set_aside
     where crm_id = :crm_id and seen_at is null and problem_kind = any(:kinds)
       and (cast(:dialer_id as bigint) is null or dialer_id = :dialer_id)
"""
_SEEN = text(f"""
    with waiting as ({_WAITING} order by id for no key update)
    update set_aside s set seen_at = :now, seen_by = :author, note = :note
      from waiting w where s.crm_id = :crm_id and s.id = w.id
""")  # noqa: S608 - our own words
_NEXT = text(f"""
    {_WAITING} and event_id is not null and id > :after order by id limit :batch for no key update
""")
_AGAIN = text("""
    update set_aside set seen_at = :now, seen_by = :author, note = 'worked off again'
     where crm_id = :crm_id and id = any(:ids)
""")
_BACK = text("""
    update dialer_event e set processed_at = null, problem = null
      from unnest(cast(:dialers as bigint[]), cast(:events as text[])) as t(dialer_id, event_id)
     where e.crm_id = :crm_id and e.dialer_id = t.dialer_id and e.event_id = t.event_id
""")


def look_at_all(
    work: Work,
    *,
    author: str,
    note: str,
    kinds: Collection[str] = PROBLEM_KINDS,
    dialer_id: int | None = None,
) -> int:
    """Say of all of these kinds, of this dialer, that somebody has looked at them; how many there were.

    Raises BadInput.
    """
    if not note.strip() or len(note) > LONGEST_NOTE:
        raise BadInput(f"note: say what came of them, in at most {LONGEST_NOTE} characters")
    return work.run(
        _SEEN, kinds=list(kinds), dialer_id=dialer_id, author=author, note=note.strip()
    ).rowcount  # fmt: skip


def work_off_all_again(
    open_work: OpenWork, *, author: str, kinds: Collection[str] = PROBLEM_KINDS, dialer_id: int | None = None
) -> int:
    """Put all events of these kinds back into the raw inbox, in batches of 200; how many. As one by one."""
    back, after = 0, 0
    while True:
        with open_work() as work:
            rows = work.run(_NEXT, kinds=list(kinds), dialer_id=dialer_id, after=after, batch=BATCH).all()
            if not rows:
                return back
            work.run(_AGAIN, ids=[row.id for row in rows], author=author)
            dialers, events = [row.dialer_id for row in rows], [row.event_id for row in rows]
            work.run(_BACK, dialers=dialers, events=events)
            for one in sorted(set(dialers)):
                work.hint("inbox", one)
        back, after = back + len(rows), rows[-1].id
