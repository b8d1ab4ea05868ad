"""What the live table shows, read from the database in a thread of its own: a slow answer stops no table."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Thread
from time import monotonic
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from calling.hours import opening
from calling.views import report
from calling.views.report import Hour, SegmentFigures
from models.errors import RingelisteError
from wiring.app import App

READ_SECONDS = 1.0
REST = 5
"""A read that takes long is followed by a rest so many times as long: watching must not cost calls."""

HOURS_SHOWN = 24

_FIRST = text("select id from assignment where crm_id = :crm_id order by id limit 1")


@dataclass(frozen=True, slots=True)
class Figures:
    """An assignment at one instant (business time, UTC). `opens`: when the next shut clock opens."""

    at: datetime
    speed: float
    segments: list[SegmentFigures]
    hours: list[Hour]
    opens: datetime | None
    ringable: bool

    def per_hour(self) -> list[tuple[datetime, Hour | None]]:
        """The last hours that somebody worked, oldest first; an empty hour between them is there as well."""
        known = {hour.begins: hour for hour in self.hours}
        if not known:
            return []
        last = self.at.replace(minute=0, second=0, microsecond=0)
        first = max(min(known), last - timedelta(hours=HOURS_SHOWN - 1))
        count = int((last - first) / timedelta(hours=1)) + 1
        return [(at, known.get(at)) for at in (first + timedelta(hours=n) for n in range(count))]


class Reader:
    """Reads again and again; `latest` is what was read last, `problem` why it is old, or empty."""

    def __init__(self, app: App, crm_id: int, assignment_id: int) -> None:
        self._app, self._crm_id, self._assignment_id = app, crm_id, assignment_id
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="figures", daemon=True)
        self.latest: Figures | None = None
        self.problem = ""

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Read no more; the thread is left to its last answer."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            begun = monotonic()
            try:
                self.latest, self.problem = self.read(), ""
            except (RingelisteError, SQLAlchemyError) as error:
                self.problem = str(error).splitlines()[0]
            self._stopping.wait(max(READ_SECONDS, (monotonic() - begun) * REST))

    def read(self) -> Figures:
        """The figures now. Raises what the database raises."""
        with self._app.work(self._crm_id, snapshot=True) as work:
            segments = report.segments(work, self._assignment_id)
            hours = report.hours(work, self._assignment_id, work.now - timedelta(hours=HOURS_SHOWN))
            known = opening.openings(work)
            return Figures(
                at=work.now,
                speed=self._app.clock.base().speed,
                segments=segments,
                hours=hours,
                opens=known.next_of_all(work.now, self._assignment_id),
                ringable=known.any_open(work.now, self._assignment_id),
            )


@dataclass(frozen=True, slots=True)
class Scene:
    """What is shown: the page's address, the zone that people here live in, and the figures, if any."""

    address: str
    zone: ZoneInfo
    reader: Reader | None


def first_assignment(app: App) -> tuple[int, int] | None:
    """The oldest assignment of the oldest CRM that has one: (CRM, assignment)."""
    for crm_id in app.crms():
        with app.work(crm_id) as work:
            found = work.run(_FIRST).scalar()
        if found is not None:
            return crm_id, int(found)
    return None
