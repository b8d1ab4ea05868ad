"""A scene for tests of rebuilds: young, old and tired customers, and ways to get in between."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import Row, text
from world import World

from calling.segments.publishing import publish
from models.work import OpenWork, Work
from segmentation.rebuild import RebuildReport, rebuild
from segmentation.rebuilds import rebuilds_to_do
from segmentation.resegment import differing, resegment

OLD = {"f": "age", "op": "ge", "v": 60}
TIRED = {"f": "attempts", "op": "ge", "v": 3}


class Scene:
    """An assignment of customers aged 0, 10, 20, ...; the old ones belong to `old`, the tired to `tired`."""

    def __init__(self, world: World, customers: int = 10) -> None:
        self.world = world
        self.assignment = world.assignment()
        self.unsegmented = world.unsegmented(self.assignment)
        world.field("age")
        self.customers = world.customers(customers, self.assignment, fields=lambda i: {"age": 10 * i % 100})
        self.publish({"tired": TIRED, "old": OLD})
        self.tired, self.old = self.segment("tired"), self.segment("old")

    def publish(self, rules: dict[str, Any]) -> int:
        body = {"segments": [{"key": key, "when": when} for key, when in rules.items()]}
        return publish(self.world.opener(), self.assignment, body, author="test")

    def segment(self, key: str) -> int:
        return int(self.one("select id from segment where assignment_id = :a and key = :key", key=key).id)

    def one(self, sql: str, **values: Any) -> Row[Any]:
        with self.world.work() as work:
            return work.run(text(sql), a=self.assignment, **values).one()

    def all(self, sql: str, **values: Any) -> list[Row[Any]]:
        with self.world.work() as work:
            return list(work.run(text(sql), a=self.assignment, **values))

    def change(self, sql: str, **values: Any) -> None:
        with self.world.work() as work:
            work.run(text(sql), a=self.assignment, **values)

    def tire(self, customer: int) -> None:
        """An outcome in miniature: the placement changes and is re-segmented in one transaction."""
        with self.world.work() as work:
            self.tire_within(work, customer)

    def tire_within(self, work: Work, customer: int) -> None:
        work.run(text("update placement set attempts = 3 where customer_id = :c"), c=customer)
        resegment(work, self.assignment, [customer], "event")

    def placed(self) -> dict[int, int]:
        rows = self.all("select customer_id, segment_id from placement where assignment_id = :a")
        return {row.customer_id: row.segment_id for row in rows}

    def to_do(self) -> list[int]:
        with self.world.work() as work:
            return rebuilds_to_do(work)

    def differing(self) -> int:
        with self.world.work() as work:
            return differing(work, self.assignment)

    def rebuild(self, open_work: OpenWork | None = None, **more: Any) -> RebuildReport:
        """Carry out the oldest rebuild that is to do."""
        return rebuild(open_work or self.world.opener(), self.to_do()[0], **more)


def interrupted(world: World, before: dict[int, Callable[[], None]]) -> OpenWork:
    """Opens works; before the n-th (from 1) something else happens.

    A rebuild opens: 1 start, 2 turnstile, 3 scan, 4.. batches, and at last the finish.
    """
    opened = iter(range(1, 1_000))

    @contextmanager
    def open_work() -> Iterator[Work]:
        before.get(next(opened), lambda: None)()
        with world.work() as work:
            yield work

    return lambda: _typed(open_work())


def lingering(world: World, within: dict[int, Callable[[], None]]) -> OpenWork:
    """As `interrupted`, but something else happens at the end of the n-th work, before its commit."""
    opened = iter(range(1, 1_000))

    @contextmanager
    def open_work() -> Iterator[Work]:
        number = next(opened)
        with world.work() as work:
            yield work
            within.get(number, lambda: None)()

    return lambda: _typed(open_work())


def _typed(work: AbstractContextManager[Work]) -> AbstractContextManager[Work]:
    return work


def waiting_backends(world: World, *kinds: str) -> int:
    """How many wait, by default for a row of somebody else's."""
    return sum(kind in (kinds or ("transactionid", "tuple")) for kind in world.waited_for())
