"""The small world: two assignments of one CRM that share customers and numbers, sellers, and a dialer."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from calling import register
from calling.intake.importing import import_file
from calling.outcomes.attempts import ensure_months
from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from models.tables import Customer, Segment
from models.work import Work
from ringeliste.faults.ledger import CLOSES, OPENS
from wiring.app import App

BUILT_AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
"""A Monday in winter, when Lisbon's time is UTC."""

GAP_SECONDS, HOLD_SECONDS, OFFER_SECONDS, ATTEMPTS = 600, 420, 240, 3
_REST = {"delay": 420, "growth": 1, "jitter": 0, "other_part": False}
RESTS = dict.fromkeys(("answered", "no_answer", "busy", "machine", "congestion", "failed"), _REST)
_DAY = [[f"{OPENS:%H:%M}", f"{CLOSES:%H:%M}"]]
HOURS: Mapping[str, Any] = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), _DAY) | {"sat": [], "sun": []}
SETTINGS = {
    "gap_seconds": GAP_SECONDS, "hold_seconds": HOLD_SECONDS, "offer_seconds": OFFER_SECONDS,
    "max_attempts": ATTEMPTS, "retry_plan": RESTS, "order_field": "score", "order_descending": True,
}  # fmt: skip

MAPPING = {"phone_2": "phone", "phone_3": "phone"}

ALL_ZONES = ("Europe/Lisbon", "Atlantic/Azores")
_ZONES = {"+35121": ALL_ZONES[:1], "+351296": ALL_ZONES[1:]}


def rules(score: int) -> dict[str, Any]:
    """Two segments besides Unsegmented: who was tried, and who scores high."""
    return {
        "segments": [
            {"key": "tried", "name": "Tried", "when": {"f": "attempts", "op": "ge", "v": 1}},
            {"key": "best", "name": "Best", "when": {"f": "score", "op": "ge", "v": score}},
        ]
    }


def zones_of(e164: str) -> Sequence[str]:
    """Where who has this number may be: a mobile of the small world anywhere in the country."""
    return next((zones for prefix, zones in _ZONES.items() if e164.startswith(prefix)), ALL_ZONES)


@dataclass(frozen=True, slots=True)
class World:
    """Who and what is there. `people`: external id -> numbers (E.164), the first one first.

    `customers`: external id -> id; `segments`: assignment -> its segments.
    """

    crm_id: int
    assignments: tuple[int, int]
    sellers: tuple[int, ...]
    dialer_id: int
    people: Mapping[str, tuple[str, ...]]
    customers: Mapping[str, int]
    segments: Mapping[int, tuple[int, ...]]


def people(customers: int) -> dict[str, tuple[str, ...]]:
    """External ids and numbers: a third of the second half has the number of one in the first half."""
    found: dict[str, tuple[str, ...]] = {}
    half = customers // 2
    for n in range(customers):
        own = _number(n)
        if n % 3 or n <= half:
            found[str(n)] = (own,)
        else:
            shared = found[str(n - half)][0]
            found[str(n)] = (shared,) if n % 2 else (own, shared)
    return found


def _number(n: int) -> str:
    """One in five is of Lisbon, one in ten of the Azores, the others are mobiles."""
    if n % 5 == 0:
        return f"+35121{3_000_000 + 7 * n:07}"
    return f"+351296{200_000 + 7 * n:06}" if n % 10 == 1 else f"+35191{2_000_000 + 7 * n:07}"


def build(app: App, folder: Path, *, customers: int, sellers: int) -> World:
    """Build it in the empty database of `app`; lists to import are written into `folder`."""
    with app.shared() as session:
        crm_id = register.add_crm(session, "Owner", "Faults", now=BUILT_AT, region="PT", hours=HOURS)
        ensure_months(session, BUILT_AT)
    open_work = app.opener(crm_id, now=BUILT_AT)
    with open_work() as work:
        first, second = (register.add_assignment(work, name, **SETTINGS) for name in ("First", "Second"))
        dialer_id = register.add_dialer(
            work, "robot", adapter="redis_queue", mode="voice_robot", assignment_id=first, settings={}
        )
        seller_ids = tuple(register.add_seller(work, f"Seller {n + 1}") for n in range(sellers))
    everybody = people(customers)
    in_both = customers // 6
    half = customers // 2
    for assignment_id, ids in ((first, range(half)), (second, range(half - in_both, customers))):
        list_of = write_list(folder / f"{assignment_id}.csv", {str(n): everybody[str(n)] for n in ids})
        import_file(open_work, list_of, region="PT", mapping=MAPPING, assignment_id=assignment_id)
        publish(open_work, assignment_id, rules(50), author="build")
        for rebuild_id in rebuilds_to_do(open_work):
            run_rebuild(open_work, rebuild_id)
    with open_work() as work:
        rows = work.session.execute(select(Customer.external_id, Customer.id))
        found = {row.external_id: row.id for row in rows}
        segments = {key: _segments(work, key) for key in (first, second)}
    return World(crm_id, (first, second), seller_ids, dialer_id, everybody, found, segments)


def _segments(work: Work, assignment_id: int) -> tuple[int, ...]:
    found = select(Segment.id).where(Segment.crm_id == work.crm_id, Segment.assignment_id == assignment_id)
    return tuple(work.session.scalars(found.order_by(Segment.id)))


def write_list(file: Path, whom: Mapping[str, Iterable[str]]) -> Path:
    """A customer list as somebody would import it."""
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["external_id", "name", "phone", "phone_2", "phone_3", "score"])
        for key, numbers in whom.items():
            score = int(key) * 37 % 100
            rows.writerow([key, f"Customer {key}", *[*numbers, "", "", ""][:3], score])
    return file
