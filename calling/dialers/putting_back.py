"""What lay aside for want of a word counts once the map of its dialer's causes knows it: late, and once.

Whoever lays something aside writes down by which version of the map it was read. So whatever was read by an
older one is looked at again, however the edit and the reading fell together, and after any crash: the end of
each round of the inbox asks for it, and a tick begins a round.
"""

from typing import Any

from sqlalchemy import Row, text

from calling.dialers.causes import Known, known_causes
from models.tables.attempts import UNKNOWN_KINDS
from models.tables.base import one_of
from models.work import OpenWork, Work

BATCH = 200
NOBODY = (0, 0)

# By the index alone, however many lie there: the version is read first. Whoever is busy with some, does them.
_OLDER = text(f"""
    select s.id, s.event_id, s.words from set_aside s
     where s.crm_id = :crm_id and s.dialer_id = :dialer_id and s.seen_at is null
       and {one_of("s.problem_kind", UNKNOWN_KINDS)}
       and s.read_version < (select causes_version from dialer where crm_id = :crm_id and id = :dialer_id)
     order by s.read_version, s.id limit :batch
       for no key update of s skip locked
""")  # noqa: S608 - our own words
_READ = text("""
    update set_aside set read_version = :version where crm_id = :crm_id and id = any(:ids)
""")
_SEEN = text("""
    update set_aside s set read_version = c.version, seen_at = :now, seen_by = c.author,
           note = 'counted by version ' || c.version || ' of the causes'
      from dialer_cause_change c
     where s.crm_id = :crm_id and s.id = any(:ids)
       and c.crm_id = :crm_id and c.dialer_id = :dialer_id and c.version = :version
""")
_BACK = text("""
    update dialer_event set processed_at = null, problem = null
     where crm_id = :crm_id and dialer_id = :dialer_id and event_id = any(:events)
""")


def put_back(work: Work, dialer_id: int) -> tuple[int, int]:
    """Look again at up to 200 that an older version of the map knew not: how many, and how many it knows now.

    Those go back into the raw inbox, and are hinted at.
    """
    rows = work.run(_OLDER, dialer_id=dialer_id, batch=BATCH).all()
    if not rows:
        return NOBODY
    causes = known_causes(work, dialer_id)
    found = [row for row in rows if not causes.outcomes.keys().isdisjoint(row.words)]
    if len(found) < len(rows):
        left = {row.id for row in rows} - {row.id for row in found}
        work.run(_READ, ids=sorted(left), version=causes.version)
    if found:
        _count(work, dialer_id, found, causes)
    return len(rows), len(found)


def _count(work: Work, dialer_id: int, found: list[Row[Any]], causes: Known) -> None:
    work.run(_SEEN, dialer_id=dialer_id, ids=[row.id for row in found], version=causes.version)
    work.run(_BACK, dialer_id=dialer_id, events=[row.event_id for row in found])
    work.hint("inbox", dialer_id)


def put_all_back(open_work: OpenWork, dialer_id: int) -> int:
    """All that an older version of the map knew not, in batches of 200; how many go back to be counted."""
    back = 0
    while True:
        with open_work() as work:
            looked, found = put_back(work, dialer_id)
        if not looked:
            return back
        back += found
