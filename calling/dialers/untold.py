"""Calls of a dialer of which nobody told what they came to: it is asked once more when touch is had again.

They ended unconfirmed, and wait the minimum gap. What the dialer still knows is a late word like any other.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from calling.dialers.inbox import Told, journal_all, process_inbox
from models.ids import first_id_of
from models.outcomes import Outcome
from models.work import OpenWork, Work

WITHIN = timedelta(hours=1)
"""Business time since it ended unconfirmed, within which a dialer is asked."""

OLDEST = timedelta(days=1)
"""Business time since it was offered: a dialer's side keeps what it knows for a day at most."""

_UNTOLD = text("""
    select l.id from lease l
     where l.crm_id = :crm_id and l.ended_by = 'unconfirmed' and l.id >= :oldest
       and l.dialer_id = :dialer_id and l.ended_at >= :since
       and not exists (select from attempt t where t.crm_id = :crm_id and t.lease_id = l.id)
     order by l.id
""")


def untold(work: Work, dialer_id: int) -> list[UUID]:
    """The calls of a dialer that ended unconfirmed a short while ago, and nobody has told of since."""
    found = work.run(
        _UNTOLD, dialer_id=dialer_id, since=work.now - WITHIN, oldest=first_id_of(work.now - OLDEST)
    )
    return list(found.scalars())


def hear_late(open_work: OpenWork, dialer_id: int, results: Sequence[tuple[UUID, str]]) -> None:
    """What a dialer says, when asked, that calls came to: journalled as if it had told it, and worked off.

    Words that are no outcome are left out: nobody is alarmed about what nobody told.
    """
    known = [(lease, word) for lease, word in results if word in set(Outcome)]
    if not known:
        return
    with open_work() as work:
        now = work.now
    told = [Told(f"status:{lease}", lease, "ended", now, {"result": word}) for lease, word in known]
    journal_all(open_work, dialer_id, told)
    process_inbox(open_work, dialer_id)
