"""What the page and the live table read is of one instant, whatever is reported meanwhile."""

import asyncio
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from world import NOON, World

from calling.handout import allocate, hand_out, ring
from calling.outcomes import outcome
from calling.views import report
from calling.views.report import Hour
from models.errors import Unavailable
from models.outcomes import Outcome
from models.work import Work
from web.pages.readers import Reader
from wiring.clock import set_clock


def test_the_parts_add_up_while_outcomes_come_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sellers; outcomes are reported between the page's statements. Planted: READ COMMITTED; fails."""
    with world.app.shared() as session:
        set_clock(session, NOON, 0)
    assignment = world.assignment()
    world.customers(12, assignment)
    sellers = [world.seller(assignment) for _ in range(2)]
    read_hours = report.hours

    def busy(work: Work, *asked: object) -> list[Hour]:
        for seller in sellers:
            sell_one(world, seller)
        return read_hours(work, *asked)  # type: ignore[arg-type]

    monkeypatch.setattr(report, "hours", busy)
    reader = Reader(world.app, world.crm_id, assignment, ZoneInfo("Europe/Lisbon"))
    for before in (0, 2, 4):
        now = asyncio.run(reader._read()).snapshot
        assert now is not None
        parts = [now.total(part) for part in ("free", "gated", "leased", "resting", "closed")]
        assert sum(parts) == now.total("size") == 12
        assert now.total("attempts") == now.so_far("attempts") == now.total("this_hour") == before
        assert now.this_hour.attempts == before
        held = sum(one.listed + (one.lease_id is not None) for one in now.floor.sellers)
        assert held == now.total("leased")
        assert now.callable_now == now.total("free")


def sell_one(world: World, seller: int) -> None:
    """Another transaction, and another: the next customer rings and buys, and the lists are filled again."""
    card = hand_out.next_customer(world.opener(), seller)
    assert card is not None
    with world.work() as work:
        ring.ring(work, card.lease_id, seller)
    outcome.record_all(world.opener(), [outcome.Report(card.lease_id, Outcome.SALE, "seller", 60)])
    allocate.allocate_all(world.opener(), card.assignment_id)


def test_a_snapshot_only_reads(world: World) -> None:
    with pytest.raises(Unavailable), world.app.work(world.crm_id, snapshot=True) as work:
        work.run(text("update crm set name = name where id = :crm_id"))
