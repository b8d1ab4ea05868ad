"""The link to one dialer: it offers, recalls, listens and reconciles; PostgreSQL is the only truth.

One link per dialer, by a lock. Events are journalled before they are acknowledged. When touch is lost, what
was offered stays held (P5); a new epoch begins with asking after everything that was offered in the last.
"""

import asyncio
from collections.abc import Sequence
from typing import cast
from uuid import UUID

import structlog

from calling.dialers import inbox, orders, untold
from calling.dialers.inbox import Told
from calling.dialers.orders import LinkedDialer, OrderToOffer
from calling.handout.allocate import allocate_all
from dialer_adapter.port import Dialer
from dialer_adapter.values import Event, Mode, Order, OrderState
from wiring.app import App
from wiring.logs import bound
from workers.jobs import side_by_side, to_the_end

BEAT_SECONDS = 1.0
TURN_SECONDS = 0.1
"""Wall time between two turns of the work: how long a recall may wait for its link."""

LISTEN_SECONDS = 1.0

FREED = ("recalled", "never_seen")

log = structlog.get_logger(__name__)


class Link:
    """One dialer and the port to it. `run` returns when told to stop, and raises when touch is lost."""

    def __init__(self, app: App, crm_id: int, dialer: LinkedDialer, port: Dialer) -> None:
        self._app, self._crm_id, self._dialer, self._port = app, crm_id, dialer, port
        self._open_work = app.opener(crm_id)
        self._epoch = dialer.epoch
        self._told = asyncio.Event()

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping`; raises Unavailable when the dialer or PostgreSQL cannot be reached.

        Once at work, in a group.
        """
        with bound(crm=self._crm_id, assignment=self._dialer.assignment_id, dialer=self._dialer.id):
            await self._port.beat()
            await self._catch_up()
            await self._ask_once_more()
            await self._enter_epoch()
            jobs = (self._beat(), self._listen(), self._digest(), self._work())
            await side_by_side([asyncio.create_task(job) for job in jobs], stopping)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await self._port.beat()

    async def _listen(self) -> None:
        """Journal, commit, acknowledge, in this order. Begins anew with each epoch."""
        cursor, epoch = "", self._epoch
        while True:
            batch = await self._port.events("" if epoch != self._epoch else cursor, LISTEN_SECONDS)
            epoch, cursor = self._epoch, batch.cursor
            if batch.events:
                await self._hear(batch.events)
                self._told.set()

    async def _hear(self, events: Sequence[Event]) -> None:
        """Journal and acknowledge. Whoever wants no more calls is behind the wall before the ack (P8)."""
        told = [Told(e.event_id, e.lease_id, e.kind, e.at or self._app.now(), e.body) for e in events]
        await to_the_end(inbox.journal_all, self._open_work, self._dialer.id, told)
        if await to_the_end(inbox.asks_for_no_calls, self._open_work, self._dialer.id, told):
            await to_the_end(inbox.process_to_the_wall, self._open_work, self._dialer.id)
        await self._port.ack([event.event_id for event in events])

    async def _catch_up(self) -> None:
        """Let all that was told while nobody listened take effect, before any order is asked back.

        The dialer's side forgets an order some time after it was taken. An order that was taken while we
        were away would then be "never seen", and its customer free while they are being rung.
        """
        cursor = ""
        while (batch := await self._port.events(cursor)).events:
            cursor = batch.cursor
            await self._hear(batch.events)
            await self._port.beat()
        await to_the_end(inbox.process_inbox, self._open_work, self._dialer.id)

    async def _ask_once_more(self) -> None:
        """After calls that ended unconfirmed while we were out of touch: the dialer may know by now."""
        leases = await to_the_end(self._untold)
        for start in range(0, len(leases), orders.BATCH):
            answers = await self._port.status(leases[start : start + orders.BATCH])
            results = [(a.lease_id, a.result) for a in answers if a.state is OrderState.ENDED and a.result]
            await to_the_end(untold.hear_late, self._open_work, self._dialer.id, results)
            await self._port.beat()

    async def _digest(self) -> None:
        """Let what was told take effect; a tick does it for a link that died after its ack."""
        while True:
            self._told.clear()
            await to_the_end(inbox.process_inbox, self._open_work, self._dialer.id)
            await self._told.wait()

    async def _work(self) -> None:
        while True:
            await self._enter_epoch()
            wanted = (await self._port.capacity()).wanted
            back = await to_the_end(self._look, wanted)
            if back:
                await self._recall(back)
            if wanted:
                await self._offer(await to_the_end(self._top_up))
            await asyncio.sleep(TURN_SECONDS)

    async def _enter_epoch(self) -> None:
        """In a new epoch whatever is outside is wanted back first: the other side may have forgotten it."""
        epoch = await self._port.epoch()
        if epoch == self._epoch:
            return
        log.info("a new epoch", epoch=epoch, before=self._epoch)
        await self._port.beat()
        await self._recall(await to_the_end(self._everything_outside))
        await to_the_end(self._enter, epoch)
        self._epoch = epoch

    async def _offer(self, found: Sequence[OrderToOffer]) -> None:
        if not found or self._epoch is None:
            return
        mode = cast("Mode", self._dialer.mode)
        sent = [Order(o.lease_id, o.e164, o.ring_by, o.customer_ref, mode) for o in found]
        answers = await self._port.offer(self._epoch, sent)
        refused = [
            a.lease_id for a in answers if not a.accepted and a.reason not in ("taken", "ringing", "ended")
        ]
        if refused:
            # The call may have been repeated on its way: only the answer to a recall frees a customer.
            await to_the_end(self._want_back, refused, "refused")
            await self._recall(refused)

    async def _recall(self, leases: Sequence[UUID]) -> None:
        answers = await self._port.recall(leases)
        for how in FREED:
            freed = [a.lease_id for a in answers if a.answer == how]
            if freed:
                await to_the_end(orders.came_back, self._open_work, freed, how)
        late = [a.lease_id for a in answers if a.answer == "taken"]
        if late:
            await to_the_end(self._too_late, late)

    # What follows runs in threads: the verbs are synchronous.

    def _look(self, wanted: int) -> list[UUID]:
        """Note what the dialer wants; whatever is to be recalled: asked for, or past ring_by."""
        late = self._port.capabilities.rings_late_seconds
        with self._open_work() as work:
            orders.heard(work, self._dialer.id, wanted=wanted, rings_late_seconds=late)
            asked = orders.recalls(work, self._dialer.id)
            return sorted({*asked, *orders.unsettled(work, self._dialer.id)})

    def _untold(self) -> list[UUID]:
        with self._open_work() as work:
            return untold.untold(work, self._dialer.id)

    def _top_up(self) -> list[OrderToOffer]:
        """Deal, then mark as sent what is about to be offered."""
        if self._dialer.assignment_id is not None:
            allocate_all(self._open_work, self._dialer.assignment_id)
        with self._open_work() as work:
            return orders.to_offer(work, self._dialer.id)

    def _want_back(self, leases: Sequence[UUID], reason: str) -> None:
        with self._open_work() as work:
            orders.want_back(work, leases, reason)

    def _everything_outside(self) -> list[UUID]:
        with self._open_work() as work:
            outside = orders.unsettled(work, self._dialer.id, everything=True)
            orders.want_back(work, outside, "a new epoch")
            return outside

    def _enter(self, epoch: str) -> None:
        with self._open_work() as work:
            orders.entered_epoch(work, self._dialer.id, epoch)

    def _too_late(self, leases: Sequence[UUID]) -> None:
        with self._open_work() as work:
            orders.too_late(work, leases)
