"""A small world for tests: a data owner, a CRM in Portugal, and short ways to put people and work into it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any

from sqlalchemy import QueuePool, select, text
from sqlalchemy.orm import Session

from calling.hours.main_zones import main_zone
from models.tables import (
    Assignment,
    Base,
    CallClock,
    Crm,
    Customer,
    CustomerNumber,
    DataOwner,
    Dialer,
    Field,
    Placement,
    Segment,
    Seller,
)
from models.tables.assignments import UNSEGMENTED
from models.work import Hint, OpenWork, Work
from ringeliste.embedded import processes
from wiring.app import App
from wiring.settings import Settings

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""A Monday, noon in Lisbon (winter time: UTC), 11:00 on the Azores."""

OFFICE_HOURS = {
    **{day: [["09:00", "20:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    **{day: [] for day in ("sat", "sun")},
}
LISBON = "Europe/Lisbon"
LAST = 1_000_000  # Unsegmented is worked last
_EVERYBODY: dict[str, Any] = {"all": []}  # the rule that every customer meets


def flat_rest(seconds: int) -> dict[str, Any]:
    """A retry plan that always rests so long."""
    return {"delay": seconds, "growth": 1, "jitter": 0, "other_part": False}


def new_app(settings: Settings) -> App:
    """The application itself; only its dice are seeded, so that a run can be repeated."""
    return App(settings, dice=Random(20_260_302))


def checked_out(app: App) -> int:
    """How many connections somebody has taken and not given back."""
    pool = app.engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


def wait_until(predicate: Callable[[], bool], seconds: float = 10) -> None:
    """Look again and again; the test fails if `predicate` has not become true after `seconds`."""
    assert processes.wait_until(predicate, seconds), f"still not true after {seconds} s"


_WAITED_FOR = text("""
    select locktype from pg_locks join pg_stat_activity using (pid)
     where not granted and datname = current_database()
""")


class World:
    """One CRM of the test's database. What it opens is what wiring opens; hints are kept in `hints`."""

    def __init__(self, app: App, name: str = "Ringende") -> None:
        self.app = app
        self.hints: list[Hint] = []
        self._names = count(1)
        with app.shared() as session:
            owner = DataOwner(name=f"{name} AS", created_at=NOON)
            session.add(owner)
            session.flush()
            crm = Crm(
                owner_id=owner.id, kind="b2c", name=name, region="PT", hours=OFFICE_HOURS, created_at=NOON
            )
            session.add(crm)
            session.flush()
            self.owner_id, self.crm_id = owner.id, crm.id
        self.clock_id = self.clock([LISBON])

    def neighbour(self) -> "World":
        """Another owner's CRM in the same database: behind the wall."""
        return World(self.app, f"Nabo {next(self._names)}")

    @contextmanager
    def work(self, now: datetime = NOON) -> Iterator[Work]:
        """One transaction in this CRM at `now`; once committed its hints stand in `hints`."""
        with self.app.work(self.crm_id, now=now) as work:
            yield work
        self.hints += work.hints

    def opener(self, now: datetime = NOON) -> OpenWork:
        """For verbs of several transactions."""

        def open_work() -> AbstractContextManager[Work]:
            return self.work(now)

        return open_work

    def waited_for(self) -> list[str]:
        """What anybody in this test's database waits for: `advisory` at a turnstile, others at a row."""
        with self.app.shared() as session:
            return list(session.scalars(_WAITED_FOR))

    def add(self, row: Base) -> Any:
        """Insert one row; gives it back with what the database filled in."""
        with self.work() as work:
            work.session.add(row)
            work.session.flush()
            work.session.refresh(row)
            work.session.expunge(row)
        return row

    def clock(self, zones: Sequence[str], places: Sequence[str] = ("PT",)) -> int:
        """The call clock of these candidate zones and legal places, made when it is missing."""
        zones, places = sorted(zones), sorted(places)
        key = f"{','.join(places)}|{','.join(zones)}"
        with self.app.shared() as session:
            found = session.scalar(select(CallClock.id).where(CallClock.key == key))
            return found or self._new_clock(session, key, zones, places)

    def _new_clock(self, session: Session, key: str, zones: list[str], places: list[str]) -> int:
        made = CallClock(key=key, zones=zones, places=places)
        session.add(made)
        session.flush()
        return made.id

    def assignment(self, name: str | None = None, **columns: Any) -> int:
        """A piece of calling work with its Unsegmented; the assignment's id."""
        flat = {outcome: flat_rest(seconds) for outcome, seconds in columns.pop("retry_seconds", {}).items()}
        columns = {"retry_plan": flat, "created_at": NOON} | columns
        name = name or f"assignment {next(self._names)}"
        made: Assignment = self.add(Assignment(crm_id=self.crm_id, name=name, **columns))
        self.add(
            Segment(
                crm_id=self.crm_id,
                assignment_id=made.id,
                key=UNSEGMENTED,
                name="Unsegmented",
                position=LAST,
                created_at=NOON,
            )
        )
        return made.id

    def segment(self, assignment_id: int, key: str | None = None, **columns: Any) -> int:
        """A segment (by default with a rule that everybody meets); its id."""
        number = next(self._names)
        key = key or f"segment-{number}"
        defaults = {"name": key, "position": number, "rule": _EVERYBODY, "created_at": NOON}
        made: Segment = self.add(
            Segment(crm_id=self.crm_id, assignment_id=assignment_id, key=key, **(defaults | columns))
        )
        return made.id

    def unsegmented(self, assignment_id: int) -> int:
        """The id of an assignment's Unsegmented."""
        with self.work() as work:
            return work.session.scalars(
                select(Segment.id).where(
                    Segment.crm_id == self.crm_id,
                    Segment.assignment_id == assignment_id,
                    Segment.key == UNSEGMENTED,
                )
            ).one()

    def field(self, key: str, type: str = "number", **columns: Any) -> None:  # noqa: A002 - the column's name
        """A field of the CRM's own."""
        columns = {"label": key, "ordinal": next(self._names)} | columns
        self.add(Field(crm_id=self.crm_id, key=key, type=type, **columns))

    def customers(
        self,
        n: int,
        assignment_id: int | None = None,
        *,
        segment_id: int | None = None,
        zones: Sequence[str] = (LISBON,),
        fields: Callable[[int], Mapping[str, Any]] = lambda _: {},
        **columns: Any,
    ) -> list[int]:
        """`n` customers with a Portuguese mobile each; placed as ready where `assignment_id` is given.

        `fields` gives the own fields of the i-th (from 0); `columns` are of the placement. Ids in order.
        """
        clock_id, first = self.clock(zones), next(self._names) * 10_000
        people = [
            Customer(
                crm_id=self.crm_id,
                external_id=str(first + i),
                name=f"Customer {first + i}",
                place="PT",
                clock_id=clock_id,
                reckoning_zone=main_zone("+3519", sorted(zones)) or "Etc/UTC",
                fields=dict(fields(i)),
                created_at=NOON,
                updated_at=NOON,
            )
            for i in range(n)
        ]
        with self.work() as work:
            work.session.add_all(people)
            work.session.flush()
            ids = [person.id for person in people]
            work.session.add_all(
                CustomerNumber(
                    crm_id=self.crm_id,
                    customer_id=id_,
                    e164=f"+3519{10_000_000 + self.crm_id * 2_000_000 + first + i:08d}",
                    position=0,
                    zones=sorted(zones),
                )
                for i, id_ in enumerate(ids)
            )
        if assignment_id is not None:
            self.place(ids, assignment_id, segment_id=segment_id, clock_id=clock_id, **columns)
        return ids

    def place(
        self, customers: Sequence[int], assignment_id: int, *, segment_id: int | None = None, **columns: Any
    ) -> None:
        """Put customers into an assignment: ready, of equal rank, in Unsegmented unless said otherwise."""
        segment_id = segment_id or self.unsegmented(assignment_id)
        defaults = {"state": "ready", "clock_id": self.clock_id, "rank": 0, "entered_at": NOON}
        with self.work() as work:
            work.session.add_all(
                Placement(
                    crm_id=self.crm_id,
                    assignment_id=assignment_id,
                    customer_id=customer_id,
                    segment_id=segment_id,
                    **(defaults | columns),
                )
                for customer_id in customers
            )

    def seller(self, assignment_id: int | None = None, name: str | None = None, **columns: Any) -> int:
        """A seller, available; works `assignment_id`. Their id."""
        columns = {"presence": "available", "presence_since": NOON} | columns
        name = name or f"seller {next(self._names)}"
        made: Seller = self.add(Seller(crm_id=self.crm_id, name=name, assignment_id=assignment_id, **columns))
        return made.id

    def dialer(self, assignment_id: int | None = None, name: str | None = None, **columns: Any) -> int:
        """A dialer on a Redis queue that wants no orders until told; works `assignment_id`. Its id."""
        columns = {"adapter": "redis_queue", "mode": "connect", "settings": {}} | columns
        name = name or f"dialer {next(self._names)}"
        made: Dialer = self.add(Dialer(crm_id=self.crm_id, name=name, assignment_id=assignment_id, **columns))
        return made.id
