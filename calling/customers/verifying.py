"""Zones that somebody vouches for, a person or a system of record; withdrawn as well, each with who and why.

A verified zone is the customer's only candidate. Legal places are those of their numbers and address, and the
country of the zone beside them: which law protects somebody who sits abroad nobody can tell, so all do.
Many at once: verifying_lists.py.
"""

from calling.customers.verifying_refused import check
from calling.customers.vouching import Verified, Voice, Wish, afterwards, write
from models.work import OpenWork


def verify_zone(
    open_work: OpenWork, customer_id: int, zone: str, *, author: str, reason: str, source: str | None = None,
    anyway: bool = False,
) -> Verified:  # fmt: skip
    """Vouch for the zone of a customer, in place of what was vouched for before; they are callable at once.

    `source`: the system of record that says so, None: a person. `anyway`: also a zone that contradicts all
    candidates, and a system's word against a person's. Clock, promises on their wall, gates and segments
    follow in the transaction; what was offered by another clock comes back. Raises BadValues with every
    problem, NotFound, Conflict; `data["unless"]` says that `anyway` would have helped.
    """
    name = check(zone, author, reason, source)
    return _one(open_work, customer_id, Wish(name, reason.strip()), Voice(author, source, anyway))


def withdraw_zone(open_work: OpenWork, customer_id: int, *, author: str, reason: str) -> Verified:
    """Vouch no more: the candidates of numbers and address count again. Withdrawn twice is once.

    Raises BadValues, NotFound, Conflict for whoever was anonymised.
    """
    check(None, author, reason, None)
    return _one(open_work, customer_id, Wish(None, reason.strip()), Voice(author, None, anyway=True))


def _one(open_work: OpenWork, customer_id: int, wish: Wish, voice: Voice) -> Verified:
    with open_work() as work:
        written = write(work, {customer_id: wish}, voice)
        if written.refused:
            raise written.refused[customer_id]
    afterwards(open_work, written)
    return written.done[0]
