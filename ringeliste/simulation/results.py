"""What a simulation comes to: one JSON object, the same for the same seed to the digit."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from calling.views import audit, report
from ringeliste.simulation.stage import Stage
from wiring.app import App


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """One segment at the end. Size = free + gated + leased + resting + closed.

    `ran_dry`: the first instant (UTC) at which none of its customers was free (ready, stopped by no gate) on
    any clock, open or shut, or None.
    """

    key: str
    name: str
    size: int
    free: int
    gated: int
    leased: int
    resting: int
    follow_up: int
    closed: int
    attempts: int
    contacts: int
    sales: int
    ran_dry: datetime | None


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """Totals, segments and hours of the simulated time, and the audit after it.

    `seconds`: simulated, in business time. `refused`: customers whom something stopped at the last look
    before the ring, by gate. `check`: violations per promise, in the whole database.
    """

    days: float
    seed: int
    sellers: int
    begins: datetime
    ends: datetime
    seconds: int
    attempts: int
    contacts: int
    sales: int
    refused: Mapping[str, int]
    hours: list[report.Hour]
    segments: list[SegmentResult]
    check: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """Plain values: instants in ISO 8601, UTC."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def results(
    stage: Stage, begins: datetime, *, days: float, sellers: int, dry: Mapping[int, datetime]
) -> SimulationReport:
    """Read it from the database, as it is at the end."""
    with stage.work() as work:
        figures = report.segments(work, stage.assignment_id)
        hours = report.hours(work, stage.assignment_id, begins)
    return SimulationReport(
        days=days,
        seed=stage.seed,
        sellers=sellers,
        begins=begins,
        ends=stage.now,
        seconds=(stage.now - begins) // timedelta(seconds=1),
        attempts=sum(hour.attempts for hour in hours),
        contacts=sum(hour.contacts for hour in hours),
        sales=sum(hour.sales for hour in hours),
        refused=dict(sorted(stage.refused.items())),
        hours=hours,
        segments=[_segment(figure, dry.get(figure.id)) for figure in figures],
        check=check(stage.app, stage.now),
    )


def check(app: App, now: datetime) -> dict[str, int]:
    """{"P1": 0, ...}: violations per promise in every CRM of the database."""
    totals: dict[str, int] = {}
    for crm_id in app.crms():
        with app.work(crm_id, now=now, snapshot=True) as work:
            for promise, count in audit.by_promise(audit.audit(work)).items():
                totals[promise] = totals.get(promise, 0) + count
    return totals


def _segment(figure: report.SegmentFigures, ran_dry: datetime | None) -> SegmentResult:
    known = {name: getattr(figure, name) for name in SegmentResult.__dataclass_fields__ if name != "ran_dry"}
    return SegmentResult(**known, ran_dry=ran_dry)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
