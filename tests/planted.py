"""Bugs to plant into the product, of kinds that were made once, or nearly: simulations have to find them."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import text

from calling.dialers import inbox, orders
from calling.handout import claims, give_back, reaper, recalling, ring
from calling.outcomes import outcome_sql
from calling.walls import pause, pauses
from dialer_adapter.values import Event
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
    "an unknown order counts as freed": _unknown_is_never_seen,
    "claims are never let go": _instead(claims, "drop", _nothing),
    "a word told again counts again": _told_again_counts,
    "a ring is not noted": _instead(ring, "note_rings", _nothing),
    "a pause recalls nothing": _sql(pause, "_CAUGHT", "l.ended_at is null", "false"),
    "hand-out asks no pause": _instead(
        pauses, "standing", lambda _: pauses.Pauses({})
    ),
    "what expired is never reaped": _instead(reaper, "_end", lambda *_, **__: 0),
}  # fmt: skip
