"""The big figures: what has been done, what it brought, and what is left to do this minute."""

from calling.hours.opening import REGISTER_STALE
from web.pages.parts import box, count, share, words
from web.pages.snapshot import Snapshot, local


class Figures:
    """Five figures in a row, each with a line of meaning below."""

    def __init__(self) -> None:
        with box("figures"):
            self._attempts = _Figure("Attempts today", "attempts")
            self._contacts = _Figure("Contacts today", "contacts")
            self._sales = _Figure("Sales today", "sales")
            self._callable = _Figure("Callable now", "callable")
            self._leased = _Figure("In hand", "leased")

    def show(self, now: Snapshot) -> None:
        """Write the figures of a snapshot."""
        attempts, contacts, sales = map(now.so_far, ("attempts", "contacts", "sales"))
        hour = now.this_hour
        self._attempts.write(attempts, f"{count(hour.attempts)} this hour")
        self._contacts.write(contacts, f"{share(contacts, attempts)} of attempts")
        self._sales.write(sales, f"{share(sales, contacts)} of contacts")
        self._callable.write(now.callable_now, _left(now))
        self._leased.write(now.total("leased"), _held(now))


class _Figure:
    def __init__(self, name: str, kind: str) -> None:
        with box(f"figure {kind}"):
            words(name, "name")
            self._number = words("–", "number").mark(kind)
            self._meaning = words("", "meaning")

    def write(self, number: int, meaning: str) -> None:
        self._number.text, self._meaning.text = count(number), meaning


def _left(now: Snapshot) -> str:
    """Why it is that many."""
    if all(segment.paused for segment in now.segments):
        return "everything is paused"
    if now.floor.any_open:
        return f"{share(now.callable_now, now.total('size'))} of {count(now.total('size'))}"
    if now.floor.shut_by is None:
        return "nobody is free"
    if now.floor.shut_by == REGISTER_STALE:
        return "register too old: load a newer version"
    if now.floor.opens_at is None:
        return "their hours never open"
    return f"hours shut, open at {local(now.floor.opens_at, now.zone)} with the margin"


def _held(now: Snapshot) -> str:
    """By whom: on sellers' screens and lists, and in dialers' queues."""
    sellers = sum(s.listed + (s.lease_id is not None) for s in now.floor.sellers)
    dialers = sum(d.offered + d.taken + d.rung for d in now.floor.dialers)
    return f"{count(sellers)} with sellers · {count(dialers)} with dialers"
