"""The public API as a seller's page uses it. Whatever is away is asked again until it answers."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from time import monotonic
from typing import Any

import httpx
import structlog

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
"""Wall seconds before the same question is asked again: doubled each time."""

STEP_SECONDS = 0.5
"""Longest wall time for which the speed of the business clock is believed while waiting."""

CLOCK_SECONDS = 2.0

WAIT_SECONDS = 20.0
"""Wall time for which a question for the next customer is held open."""

log = structlog.get_logger(__name__)


class Refused(Exception):
    """The API answered, and the answer is no. `sent_away`: somebody said that this seller is away."""

    def __init__(self, status: int, problem: str, *, sent_away: bool = False) -> None:
        super().__init__(f"{problem} ({status})")
        self.status, self.sent_away = status, sent_away


class DeskApi:
    """One seller's key on a client that all share."""

    def __init__(self, client: httpx.AsyncClient, key: str) -> None:
        self._client, self._key = client, {"Authorization": f"Bearer {key}"}
        self._dice = Random(key)  # noqa: S311 - only spreads who asks when

    async def be_available(self, assignment_id: int) -> None:
        """Sit down to an assignment."""
        await self._ask("PUT", "/me/presence", {"presence": "available", "assignment_id": assignment_id})

    async def next_customer(self) -> tuple[dict[str, Any] | None, float]:
        """A card, as soon as there is one; or None, and the wall seconds after which to ask again."""
        answer = await self._ask("POST", f"/me/next?wait={WAIT_SECONDS:g}")
        if answer.status_code == httpx.codes.NO_CONTENT:
            return None, float(answer.headers.get("Retry-After", 1))
        return answer.json(), 0.0

    async def ring(self, lease_id: str) -> None:
        """The moment before it rings. Raises Refused."""
        await self._ask("POST", f"/leases/{lease_id}/ring")

    async def release(self, lease_id: str) -> None:
        """Give back unrung."""
        await self._ask("POST", f"/leases/{lease_id}/release")

    async def outcome(self, lease_id: str, outcome: str, talk_seconds: int) -> dict[str, Any]:
        """Report; what came of it."""
        body = {"outcome": outcome, "talk_seconds": talk_seconds}
        recorded: dict[str, Any] = (await self._ask("POST", f"/leases/{lease_id}/outcome", body)).json()
        return recorded

    async def clock(self) -> dict[str, Any]:
        """Business time as the API tells it."""
        told: dict[str, Any] = (await self._ask("GET", "/clock")).json()
        return told

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """Ask until there is an answer; every question of a seller's page may be asked twice."""
        pause, said = FIRST_PAUSE, False
        while True:
            try:
                answer = await self._client.request(method, path, json=body, headers=self._key)
                problem = f"answered {answer.status_code}"
            except httpx.TransportError as error:
                answer, problem = None, f"{type(error).__name__} {error}".strip()
            if answer is not None and answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                return _accepted(answer)
            if not said:
                log.warning("asking again until it answers", method=method, path=path, why=problem)
                said = True
            await asyncio.sleep(pause * (0.5 + self._dice.random()))
            pause = min(pause * 2, LONGEST_PAUSE)


def _accepted(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    raise _refused(answer)


def _refused(answer: httpx.Response) -> Refused:
    try:
        said = answer.json()
        problem, sent_away = str(said["detail"]), bool(said.get("said_by"))
    except (ValueError, KeyError, TypeError):
        problem, sent_away = answer.reason_phrase, False
    return Refused(answer.status_code, problem, sent_away=sent_away)


class BusinessTime:
    """The business clock as it was last told, and gone on since."""

    def __init__(self) -> None:
        self._told, self._tick, self._speed = datetime(1970, 1, 1, tzinfo=UTC), monotonic(), 0.0
        self.known = asyncio.Event()

    def now(self) -> datetime:
        """Business time (UTC)."""
        return self._told + timedelta(seconds=(monotonic() - self._tick) * self._speed)

    async def passes(self, seconds: float) -> None:
        """Wait until so many business seconds have passed, however the clock is set meanwhile."""
        end = self.now() + timedelta(seconds=seconds)
        while (left := (end - self.now()).total_seconds()) > 0:
            step = min(left / self._speed, STEP_SECONDS) if self._speed else STEP_SECONDS
            await asyncio.sleep(step)

    async def follow(self, api: DeskApi) -> None:
        """Ask the API every other second, for ever."""
        while True:
            tick = monotonic()
            told = await api.clock()
            self._told, self._tick = datetime.fromisoformat(told["now"]), tick
            self._speed = float(told["speed"])
            self.known.set()
            await asyncio.sleep(CLOCK_SECONDS)
