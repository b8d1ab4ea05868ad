"""What assignments, their segments, hours and floor look like on the wire, each with an example."""

from typing import Any
from uuid import UUID

from pydantic import Field

from web.api.common import Instant, Model


class Assignment(Model):
    """A piece of calling work. Seconds are of business time."""

    id: int
    name: str
    rule_version: int
    order_field: str | None
    order_descending: bool
    max_attempts: int
    gap_seconds: int
    about_debts: bool
    retry_plan: dict[str, dict[str, Any]] = Field(
        description="What it says of its own about trying again; `GET ../retries` has the whole plan."
    )
    do_not_call_scope: str = Field(
        description="How far do-not-calls of outcomes reach; who changed it: `GET /suppressions/reach/{id}`."
    )
    offer_seconds: int
    hold_seconds: int
    created_at: Instant


class SegmentPause(Model):
    """Why nothing of a segment is handed out."""

    scope: str = Field(description="segment, or what it is part of: assignment, crm.")
    reason: str
    author: str
    ends_at: Instant | None = Field(description="It lifts itself then; null: when it is resumed.")


class Segment(Model):
    """A segment now. Size = free + gated + leased + resting + follow_up + closed."""

    id: int
    key: str
    name: str
    position: int
    paused: bool
    size: int
    free: int = Field(description="Ready, and no gate but hours or a pause could stop them.")
    gated: int = Field(description="Ready, but stopped: do-not-call, no number, unknown zone, limit, gap.")
    leased: int
    resting: int = Field(description="Tried; waiting for their due time.")
    follow_up: int = Field(description="Promised calls, waiting for theirs.")
    closed: int
    attempts: int
    contacts: int
    sales: int
    this_hour: int = Field(description="Attempts reported in the hour that runs.")
    held: int = Field(description="So many of them were put there by hand; `GET ../holds` names them.")
    pause: SegmentPause | None


class Hour(Model):
    """What was reported within one hour."""

    begins: Instant
    attempts: int
    contacts: int
    sales: int


class SellerNow(Model):
    """A seller: away, paused, waiting, taken (a customer on the screen), rung or wrap_up; since when."""

    id: int
    name: str
    state: str
    since: Instant
    segment_id: int | None
    lease_id: UUID | None
    customer: str | None
    external_id: str | None
    listed: int = Field(description="Customers that wait in their list.")
    reason: str | None = Field(description="Why they are away; null: they did not say.")
    back_at: Instant | None = Field(description="When they said they would be back.")
    said_by: str | None = Field(description="Who said it for them; null: they themselves.")
    off: bool = Field(description="Off for the day: nobody waits for them with what they promised.")


class DialerNow(Model):
    """A dialer, and its orders by how far they came."""

    id: int
    name: str
    mode: str
    paused: bool
    linked_at: Instant | None = Field(description="When its link last said what it wants; null: never.")
    offered: int
    taken: int
    rung: int


class Floor(Model):
    """One assignment's floor now."""

    sellers: list[SellerNow]
    dialers: list[DialerNow]
    callable_now: dict[int, int] = Field(description="By segment id; not paused, and their hours are open.")
    any_open: bool
    opens_at: Instant | None = Field(description="While all hours are shut: when the first open.")
    shut_by: str | None = Field(
        description="What shuts all who are free: window or register_stale; null: some are open, or none."
    )
    rebuilding: bool = Field(description="Customers are on their way to the segments of new rules.")


class FunnelStep(Model):
    """A gate, and how many customers stop at it."""

    gate: str = Field(
        description="closed, leased, resting, follow_up, segment, a stamped gate, held, kept_free, pause, "
        "window, robots."
    )
    meaning: str
    customers: int
    next_at: Instant | None = Field(description="When time lets the first of them on; null: somebody has to.")


class Funnel(Model):
    """`total` = the customers of all steps + `callable_now`."""

    total: int
    steps: list[FunnelStep]
    callable_now: int
    hours_open: bool = Field(
        description="False: the timetable alone shuts all who are not finished, the list is after hours."
    )


class Point(Model):
    """A quarter of an hour of a forecast."""

    at: Instant
    callable: int
    waiting: int = Field(description="For their hours.")
    refused: int = Field(description="Whose register is too old to call by then.")


class Forecast(Model):
    """What becomes of a list, if it is worked as in the last hour."""

    rings_an_hour: float
    callable_now: int
    dry_at: Instant | None = Field(
        description="From then on nobody may be rung, for a while; null: it lasts."
    )
    waiting: int = Field(description="Who wait for their hours then; 0: the customers run out.")
    refused: int = Field(description="Whose register is too old to call by then: load a newer version.")
    course: list[Point]


class Slot(Model):
    """An hour of a weekday on the customers' own clocks."""

    weekday: int = Field(description="0 is Monday.")
    hour: int
    attempts: int
    contacts: int
    rate: float = Field(description="Calls that reach a person, drawn towards the whole where there are few.")


class BestTimes(Model):
    """When customers answer. 168 slots, for all and for each of the largest places."""

    since: Instant
    cut: bool = Field(description="There were more calls; these are the last 100,000.")
    attempts: int
    rate: float | None
    slots: list[Slot]
    places: dict[str, list[Slot]]


ASSIGNMENT: dict[str, Any] = {
    "id": 1, "name": "Term deposit", "rule_version": 4, "order_field": "balance", "order_descending": True,
    "max_attempts": 8, "gap_seconds": 3600, "about_debts": False, "retry_plan": {"busy": {"delay": 1800}},
    "do_not_call_scope": "crm", "offer_seconds": 60, "hold_seconds": 900,
    "created_at": "2026-03-02T08:00:00Z",
}  # fmt: skip
SEGMENT: dict[str, Any] = {
    "id": 3, "key": "loans", "name": "Loans", "position": 3, "paused": False, "size": 7244, "free": 6871,
    "gated": 12, "leased": 9, "resting": 210, "follow_up": 30, "closed": 112, "attempts": 391,
    "contacts": 171, "sales": 14, "this_hour": 63, "held": 498, "pause": None,
}  # fmt: skip
HOUR: dict[str, Any] = {"begins": "2026-03-02T11:00:00Z", "attempts": 672, "contacts": 287, "sales": 31}
FLOOR: dict[str, Any] = {
    "sellers": [
        {
            "id": 7, "name": "Ana", "state": "rung", "since": "2026-03-02T12:00:05Z", "segment_id": None,
            "lease_id": "019cad9a-2c00-7c3e-9d0a-0c0ffee00001", "customer": "Customer 1841",
            "external_id": "bm-01841", "listed": 2, "reason": None, "back_at": None, "said_by": None,
            "off": False,
        },
        {
            "id": 8, "name": "Rui", "state": "away", "since": "2026-03-02T11:55:00Z", "segment_id": None,
            "lease_id": None, "customer": None, "external_id": None, "listed": 0, "reason": "lunch",
            "back_at": "2026-03-02T12:30:00Z", "said_by": None, "off": False,
        },
    ],
    "dialers": [
        {
            "id": 1, "name": "robot", "mode": "voice_robot", "paused": False,
            "linked_at": "2026-03-02T12:00:00Z", "offered": 14, "taken": 3, "rung": 5,
        }
    ],
    "callable_now": {"3": 6871}, "any_open": True, "opens_at": None, "shut_by": None,
    "rebuilding": False,
}  # fmt: skip
FUNNEL: dict[str, Any] = {
    "total": 7244, "callable_now": 6730, "hours_open": True,
    "steps": [
        {"gate": "closed", "meaning": "finished: a final outcome, all attempts used, or closed by hand",
         "customers": 112, "next_at": None},
        {"gate": "resting", "meaning": "rest after their last call", "customers": 210,
         "next_at": "2026-03-02T12:04:00Z"},
        {"gate": "window", "meaning": "their hours are shut", "customers": 192,
         "next_at": "2026-03-02T13:01:00Z"},
    ],
}  # fmt: skip
FORECAST: dict[str, Any] = {
    "rings_an_hour": 672.0, "callable_now": 1100, "dry_at": "2026-03-02T13:38:12Z", "waiting": 0,
    "refused": 0,
    "course": [
        {"at": "2026-03-02T12:00:00Z", "callable": 1100, "waiting": 0, "refused": 0},
        {"at": "2026-03-02T12:15:00Z", "callable": 932, "waiting": 0, "refused": 0},
    ],
}  # fmt: skip
BEST_TIMES: dict[str, Any] = {
    "since": "2025-12-02T12:00:00Z", "cut": False, "attempts": 8011, "rate": 0.42,
    "slots": [{"weekday": 0, "hour": 17, "attempts": 310, "contacts": 171, "rate": 0.535}],
    "places": {"PT": [{"weekday": 0, "hour": 17, "attempts": 300, "contacts": 168, "rate": 0.54}]},
}  # fmt: skip
