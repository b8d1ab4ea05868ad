"""Short ways to promise calls, and to see what became of them."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from world import NOON, World

from calling.follow_ups import promising
from calling.follow_ups.asking import Wish
from calling.follow_ups.putting import Promised
from calling.handout.promise_watch import watch_promises
from calling.views.audit import audit

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def promise(
    world: World, assignment: int, customer: int, at: datetime, now: datetime = NOON, *,
    seller: int | None = None, **wish: Any,
) -> Promised:  # fmt: skip
    """By a manager through the API."""
    return promising.promise(
        world.opener(now), assignment, customer, Wish(at, **wish), seller_id=seller, author="Kari",
        made_by="api",
    )  # fmt: skip


def row_of(world: World, customer: int) -> Row[Any]:
    """The placement of a customer who has just one."""
    with world.work() as work:
        return work.run(text("select * from placement where customer_id = :c"), c=customer).one()


def promises(world: World) -> list[Row[Any]]:
    """Every follow-up there was, in the order in which they were made."""
    with world.work() as work:
        return list(work.run(text("select * from follow_up order by id")))


def live(world: World) -> list[Row[Any]]:
    """The leases that have not ended."""
    with world.work() as work:
        return list(work.run(text("select * from lease where ended_at is null order by id")))


def watch(world: World, now: datetime) -> int:
    """The tick of promises; how many leases it wants back."""
    return watch_promises(world.opener(now))


def violations(world: World, now: datetime = NOON) -> list[str]:
    """What the audit finds."""
    with world.work(now) as work:
        return [f"{found.promise} {found.what}" for found in audit(work) if found.count]
