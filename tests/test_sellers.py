"""Simulated sellers on the real API: what they reported is never lost, whatever breaks in between."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from eventually import eventually
from sqlalchemy import text
from web_client import Api
from world import NOON, World

from ringeliste import desk_api
from ringeliste.desk import Desk, Floor
from ringeliste.desk_api import BusinessTime, DeskApi
from ringeliste.desk_journal import DeskJournal, Told, read_lines
from wiring.clock import set_clock

pytestmark = pytest.mark.once

Break = Callable[[httpx.Request], None]
SPEED = 20_000


class Weather(httpx.AsyncBaseTransport):
    """The API over ASGI; `before` and `after` may raise as a broken connection would."""

    def __init__(self, site: Any, before: Break | None = None, after: Break | None = None) -> None:
        self._inner = httpx.ASGITransport(site, raise_app_exceptions=False)
        self._before, self._after = before, after

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._before:
            self._before(request)
        answer = await self._inner.handle_async_request(request)
        await answer.aread()
        if self._after:
            self._after(request)
        return answer


@pytest.fixture
def floor(world: World, monkeypatch: pytest.MonkeyPatch) -> "Room":
    monkeypatch.setattr(desk_api, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(desk_api, "LONGEST_PAUSE", 0.01)
    return Room(world)


class Room:
    """One seller, 30 customers, and a clock that runs very fast."""

    def __init__(self, world: World) -> None:
        self.world, self.api = world, Api(world)
        self.assignment = world.assignment(hold_seconds=86_400)
        world.customers(30, self.assignment)
        self.seller = world.seller()
        self.key = self.api.key("seller", seller_id=self.seller)
        with world.app.shared() as session:
            set_clock(session, NOON + timedelta(seconds=1), SPEED)
        self.journal = Path(world.app.settings.data) / "sellers.journal"

    def sell(self, calls: int, *, before: Break | None = None, after: Break | None = None) -> None:
        """Let the seller work until so many outcomes stand in the journal as acknowledged."""
        asyncio.run(self._sell(calls, Weather(self.api.site, before, after)))

    async def _sell(self, calls: int, weather: Weather) -> None:
        journal, time = DeskJournal(self.journal), BusinessTime()
        async with httpx.AsyncClient(transport=weather, base_url="http://testserver/api/v1") as client:
            api = DeskApi(client, self.key)
            floor = Floor(self.assignment, {}, 1, time, journal)
            tasks = [asyncio.create_task(time.follow(api))]
            await asyncio.wait_for(time.known.wait(), 20)
            tasks.append(asyncio.create_task(Desk(self.seller, api, floor).work()))
            await eventually(
                lambda: len(self.acknowledged()) >= calls or any(task.done() for task in tasks), 30
            )
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        journal.close()

    def acknowledged(self) -> list[dict[str, Any]]:
        return [line["told"] for line in read_lines(self.journal) if line["acknowledged"]]

    def attempts(self) -> dict[str, str]:
        """Lease -> outcome of every first attempt in the database."""
        with self.world.work() as work:
            rows = work.run(
                text("select lease_id, outcome from attempt where crm_id = :crm_id and revision = 0")
            )
            return {str(row.lease_id): row.outcome for row in rows}


def told_of(room: Room) -> dict[str, str]:
    return {line["told"]["lease_id"]: line["told"]["outcome"] for line in read_lines(room.journal)}


def test_a_seller_works_and_every_outcome_is_an_attempt(floor: Room) -> None:
    floor.sell(5)
    done = {told["lease_id"]: told["outcome"] for told in floor.acknowledged()}
    assert len(done) >= 5
    assert done.items() <= floor.attempts().items()


def test_no_outcome_is_lost_when_connections_break_before_and_after_the_answer(floor: Room) -> None:
    """Every third request fails unsent, every fourth after it was done: the same is reported once."""
    asked = iter(range(10**6))

    def fail(every: int) -> Break:
        def broken(request: httpx.Request) -> None:
            if next(asked) % every == 0:
                raise httpx.ReadError("the connection broke", request=request)

        return broken

    floor.sell(6, before=fail(3), after=fail(4))
    acknowledged = floor.acknowledged()
    assert len({told["lease_id"] for told in acknowledged}) == len(acknowledged)
    assert all(floor.attempts()[told["lease_id"]] == told["outcome"] for told in acknowledged)


def test_a_killed_seller_reports_first_what_was_not_acknowledged(floor: Room) -> None:
    """Killed between the journal and the answer. Plant the bug: write the journal after the request."""

    def never(request: httpx.Request) -> None:
        if request.url.path.endswith("/outcome"):
            raise asyncio.CancelledError

    floor.sell(1, before=never)
    (left,) = told_of(floor)
    assert left not in floor.attempts()
    floor.sell(1)
    assert floor.acknowledged()[0]["lease_id"] == left
    assert floor.attempts()[left] == told_of(floor)[left]


def test_a_seller_goes_on_with_the_customer_they_held(floor: Room) -> None:
    """Killed while it rang: the lease is the same, and it is not rung twice."""
    rung: list[str] = []

    def die(request: httpx.Request) -> None:
        if request.url.path.endswith("/ring"):
            rung.append(request.url.path.split("/")[-2])
            raise asyncio.CancelledError

    floor.sell(1, after=die)
    floor.sell(1)
    assert floor.acknowledged()[0]["lease_id"] == rung[0]


class Chair:
    """The API as a desk asks it: while `sent_away`, whoever asks for the next customer is refused."""

    def __init__(self) -> None:
        self.sat_down, self.sent_away = 0, False

    async def be_available(self, _: int) -> None:
        self.sat_down += 1

    async def next_customer(self) -> tuple[None, float]:
        if self.sent_away:
            raise desk_api._refused(
                httpx.Response(409, json={"detail": "you are away: ill, says Kari", "said_by": "Kari"})
            )
        return None, 0.0


def test_a_seller_who_is_sent_away_waits_until_they_are_called_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: sits down again whoever sent them away; seen to fail."""
    chair, naps = Chair(), iter([False, True, True, True, False, None])

    async def nap(_: float) -> None:
        sent_away = next(naps)
        if sent_away is None:
            raise asyncio.CancelledError
        chair.sent_away = sent_away

    monkeypatch.setattr("ringeliste.desk.asyncio.sleep", nap)
    journal = cast("DeskJournal", SimpleNamespace(unacknowledged=lambda _: []))
    room = Floor(1, {}, 1, BusinessTime(), journal)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(Desk(7, cast("DeskApi", chair), room).work())
    assert chair.sat_down == 1


def test_a_torn_line_is_dropped_and_the_next_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "sellers.journal"
    journal = DeskJournal(file)
    journal.reported(Told("a", 1, "sale", 10))
    journal.close()
    with file.open("a", encoding="utf-8") as torn:
        torn.write('{"told": {"lease_id": "b"')
    again = DeskJournal(file)
    assert again.unacknowledged(1) == [Told("a", 1, "sale", 10)]
    again.acknowledged(Told("a", 1, "sale", 10), "first")
    again.close()
    assert [line["acknowledged"] for line in read_lines(file)] == [None, "first"]
    assert all(json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())
