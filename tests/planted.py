"""Bugs to plant into the product, of kinds that were made once, or nearly: simulations have to find them."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import text

from calling.dialers import inbox, inbox_sql, orders
from calling.handout import claims, give_back, reaper, recalling, ring
from calling.outcomes import outcome, outcome_sql
from calling.walls import pause, pauses, suppress
from dialer_adapter.values import Event
from models.sql import load as load_statement
from workers import link
from workers.jobs import to_the_end

Plant = Callable[[pytest.MonkeyPatch], None]


def _sql(module: Any, name: str, was: str, now: str) -> Plant:
    """A statement says something else."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        before = getattr(module, name).text
        assert was in before, f"{module.__name__}.{name} says no more {was!r}"
        patch.setattr(module, name, text(before.replace(was, now)))

    return plant


def _instead(module: Any, name: str, now: Any) -> Plant:
    """A function, or a value, is another one."""
    assert hasattr(module, name)
    return lambda patch: patch.setattr(module, name, now)


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _numbers_unclaimed(patch: pytest.MonkeyPatch) -> None:
    """Customers are claimed, their numbers are not."""
    real = load_statement

    def load(name: str) -> Any:
        if name != "claim_numbers":
            return real(name)
        return text("""
            with own as (
                insert into claim_number (crm_id, e164, lease_id)
                select :crm_id, m.e164, w.lease
                  from unnest(cast(:customers as bigint[]), cast(:leases as uuid[])) as w(customer, lease)
                  join customer_number m on m.crm_id = :crm_id and m.customer_id = w.customer
                 order by m.e164 on conflict do nothing)
            select unnest(cast(:leases as uuid[]))
        """)

    patch.setattr(claims, "load", load)


async def _acknowledged_first(self: link.Link, events: Sequence[Event]) -> None:
    await self._port.ack([event.event_id for event in events])
    told = [inbox.Told(e.event_id, e.lease_id, e.kind, e.at or self._app.now(), e.body) for e in events]
    await to_the_end(inbox.journal_all, self._open_work, self._dialer.id, told)


def _unknown_is_never_seen(patch: pytest.MonkeyPatch) -> None:
    real = orders.came_back
    patch.setattr(link, "FREED", ("recalled", "never_seen", "unknown"))
    patch.setattr(
        orders, "came_back",
        lambda work, leases, how: real(work, leases, "never_seen" if how == "unknown" else how),
    )  # fmt: skip


async def _no_catching_up(self: link.Link) -> None:
    """An order that was taken meanwhile is asked back first."""


def _told_again_counts(patch: pytest.MonkeyPatch) -> None:
    """What was said of a lease before is not looked for: the same word is an attempt once more."""
    patch.setattr(
        outcome_sql, "KNOWN", text(outcome_sql.KNOWN.text.replace("where crm_id", "where false and crm_id"))
    )


PLANTED: dict[str, Plant] = {
    "a sent order is freed by its recall": _instead(
        recalling, "give_back", lambda *args, **more: give_back.give_back(*args, **more | {"unsent": False})
    ),
    "the reaper takes a sent order for one that never left": _sql(
        reaper, "_EXPIRED", "seller_id, state, sent_at", "seller_id, state, null as sent_at"
    ),
    "events are acknowledged before they are journalled": _instead(
        link.Link, "_hear", _acknowledged_first
    ),
    "a link does not catch up before it asks back": _instead(link.Link, "_catch_up", _no_catching_up),
    "an unknown order counts as freed": _unknown_is_never_seen,
    "numbers are not claimed": _numbers_unclaimed,
    "claims stay behind an outcome": _instead(claims, "drop", _nothing),
    "a word told again counts again": _told_again_counts,
    "an outcome ends a lease that had ended, anew": _sql(
        outcome_sql, "END", "ended_at = coalesce(l.ended_at, :now)", "ended_at = :now"
    ),
    "a ring is not noted": _instead(ring, "note_rings", _nothing),
    "a ring of a dialer is not noted": _instead(inbox, "note_rings", _nothing),
    "who was given up is free at once": _instead(
        reaper, "give_up", lambda work, leases, **more: give_back.give_back(
            work, leases, "expired", states=(*give_back.UNRUNG, *give_back.STARTED), **more
        )
    ),
    "a do-not-call of an outcome is no wall": _instead(outcome, "finish_suppressions", _nothing),
    "a suppression that a crash left is never finished": _instead(
        suppress, "finish_suppressions", _nothing
    ),
    "a pause that a crash left is never finished": _instead(pause, "finish_pauses", _nothing),
    "a pause recalls nothing": _sql(pause, "_CAUGHT", "l.ended_at is null", "false"),
    "hand-out asks no pause": _instead(
        pauses, "standing", lambda _: pauses.Pauses({})
    ),
    "an order that is not sent yet is not looked at again": _instead(orders, "shut_orders", lambda *_: set()),
    "when it rang is what came first": _sql(
        inbox_sql, "RING", "(l.rung_at is null or l.rung_at > t.at)", "l.rung_at is null"
    ),
    "what expired is never reaped": _instead(reaper, "_end", lambda *_, **__: 0),
}  # fmt: skip
