"""A simulated seller: takes a customer, rings, talks, reports, takes the next, as a person would.

Knows the public API and nothing else of ours; what becomes of a call is told by dialer_adapter/fate.py.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from dialer_adapter.fate import fate
from ringeliste.desk_api import BusinessTime, DeskApi, Refused
from ringeliste.desk_journal import DeskJournal, Told

DIAL_SECONDS, WRAP_UP_SECONDS = 6, 20
"""Business time: from the card to the ring, and from the outcome to the next card."""

ASK_SECONDS = 30.0
"""The longest wall time for which a seller believes that nobody can be rung."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Floor:
    """What all sellers of a room share. `truth`: external id -> buys once reached."""

    assignment_id: int
    truth: Mapping[str, bool]
    seed: int
    time: BusinessTime
    journal: DeskJournal


class Desk:
    """One seller with their key."""

    def __init__(self, seller_id: int, api: DeskApi, floor: Floor) -> None:
        self._seller_id, self._api, self._floor = seller_id, api, floor
        self._dice = Random(f"{floor.seed}|{seller_id}")  # noqa: S311 - only spreads who asks when
        self._there = False

    async def work(self) -> None:
        """For ever: what was left from last time first."""
        for told in self._floor.journal.unacknowledged(self._seller_id):
            await self._report(told)
        while True:
            try:
                await self._turn()
            except Refused as refused:
                log.warning("refused", seller=self._seller_id, why=str(refused))
                self._there = refused.sent_away  # who was sent away waits until somebody calls them back
                await asyncio.sleep(1 + self._dice.random())

    async def _turn(self) -> None:
        if not self._there:
            await self._api.be_available(self._floor.assignment_id)
            self._there = True
        card, wait = await self._api.next_customer()
        if card is None:
            await asyncio.sleep(min(wait, ASK_SECONDS) * (1 + self._dice.random() / 4))
            return
        if card["state"] != "taken" or await self._rings(card):
            await self._talk(card)

    async def _rings(self, card: Mapping[str, Any]) -> bool:
        """Ring, unless a gate has shut meanwhile: then the customer goes back."""
        await self._floor.time.passes(DIAL_SECONDS)
        try:
            await self._api.ring(card["lease_id"])
        except Refused as refused:
            log.info("may not ring", seller=self._seller_id, lease=card["lease_id"], why=str(refused))
            await self._api.release(card["lease_id"])
            return False
        return True

    async def _talk(self, card: Mapping[str, Any]) -> None:
        floor = self._floor
        lease, customer = card["lease_id"], card["external_id"]
        hour = floor.time.now().astimezone(ZoneInfo(card["zone"])).hour
        its = fate(floor.seed, lease, customer, hour, floor.truth.get(customer, False))
        await floor.time.passes(its.ring_seconds + its.talk_seconds)
        told = Told(lease, self._seller_id, its.result.value, its.talk_seconds)
        floor.journal.reported(told)
        await self._report(told)
        await floor.time.passes(WRAP_UP_SECONDS)

    async def _report(self, told: Told) -> None:
        """Until it is acknowledged: an outcome is never given up."""
        try:
            answer = await self._api.outcome(told.lease_id, told.outcome, told.talk_seconds)
        except Refused as refused:  # a bug, here or there: the journal keeps it for who looks
            log.error("an outcome was refused", seller=self._seller_id, lease=told.lease_id, why=str(refused))
            return
        self._floor.journal.acknowledged(told, answer["kind"])
