"""The port: what every dialer must do for us, whatever it is made of."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from dialer_adapter.values import (
    Capabilities,
    Capacity,
    EventBatch,
    OfferAnswer,
    Order,
    RecallAnswer,
    Status,
)


class Dialer(Protocol):
    """One dialer's queue of orders. Used by one link at a time.

    Every method raises Unavailable when the dialer cannot be reached. What was asked then may have been done
    or not: each is safe to repeat, and `status` tells.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What this adapter can promise."""
        ...

    async def beat(self) -> None:
        """Tell the dialer's side what business time it is: first of all, each second, and when it is set.

        When the beats stop, nothing more is taken: a pause could not reach the dialer.
        """
        ...

    async def epoch(self) -> str:
        """The epoch in force; a new one begins when the dialer's side may have forgotten something.

        After that nothing offered before may be offered again, also not under its own id, before `status`
        says never_seen; and events are read from the beginning (cursor "").
        """
        ...

    async def capacity(self) -> Capacity:
        """How many orders it wants to find waiting, and how many wait."""
        ...

    async def offer(self, epoch: str, orders: Sequence[Order]) -> list[OfferAnswer]:
        """Offer orders, best first, decided on under `epoch`; an answer each, in the same order.

        Offering twice rings once. An order of another epoch is refused.
        """
        ...

    async def recall(self, lease_ids: Sequence[UUID]) -> list[RecallAnswer]:
        """Want orders back; an answer each, in the same order. Asking again gives the same answer.

        `recalled` and `never_seen` are final, a later offer of the lease is refused: this frees a customer.
        """
        ...

    async def status(self, lease_ids: Sequence[UUID]) -> list[Status]:
        """Where orders are; one each, in the same order.

        It changes nothing, so `never_seen` is true for now only: an offer still on its way may come. To free
        a customer, recall.
        """
        ...

    async def events(self, cursor: str, wait: float = 0.0) -> EventBatch:
        """What was told after `cursor` ("": all not acknowledged), waiting up to `wait` wall seconds for it.

        Start with "" in each new process and each new epoch; an event may come more than once.
        """
        ...

    async def ack(self, event_ids: Sequence[str]) -> None:
        """These events are safely ours (committed): the dialer may forget them."""
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...
