"""The floor that the benchmarks work on: any number of customers, made by SQL in seconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from sqlalchemy import make_url, text

from calling import register
from calling.outcomes.attempts import ensure_months
from wiring.app import App

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""A Monday, when every clock of the floor is open."""

HOURS = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
CLOCKS = (("Europe/Lisbon",), ("Atlantic/Azores", "Europe/Lisbon"), ("Atlantic/Madeira",))

_CLOCK = text("""
    insert into call_clock (key, zones, places) values (:key, :zones, '{PT}')
    on conflict (key) do update set key = excluded.key returning id
""")
_PEOPLE = text("""
    with made as (
        insert into customer (crm_id, external_id, name, place, clock_id, reckoning_zone, fields, created_at,
                              updated_at)
        select :crm_id, 'c' || i, 'Customer ' || i,
               case when :varied then (array['PT', 'ES', 'FR', 'NO'])[abs(hashint8(i + 2)::bigint) % 4 + 1]
                    else 'PT' end,
               (cast(:clocks as bigint[]))[i % 3 + 1],
               'Europe/Lisbon',
               jsonb_build_object('age', 18 + i % 70, 'balance', (i * 7919) % 20000 - 2000, 'loan', i % 7 = 0,
                   'job', (array['student', 'retired', 'services', 'management', 'technician'])[i % 5 + 1]),
               :now, :now
          from generate_series(cast(:first as bigint), :last) i
        returning id, external_id, clock_id
    ), numbers as (
        insert into customer_number (crm_id, customer_id, e164, position, zones)
        select :crm_id, id, '+3519' || lpad(substr(external_id, 2), 8, '0'), 0, '{Europe/Lisbon}' from made
    )
    insert into placement (crm_id, assignment_id, customer_id, state, segment_id, clock_id, rank, entered_at,
                           attempts, status)
    select :crm_id, :assignment_id, m.id, 'ready', s.id, m.clock_id, (m.id * 7919) % :rows, :now,
           case when :varied then abs(hashint8(m.id)::bigint) % 9 else 0 end,
           case when :varied then (array['new', 'no_answer', 'busy', 'machine', 'sale'])
                                  [abs(hashint8(m.id + 1)::bigint) % 5 + 1] else 'new' end
      from made m join segment s on s.crm_id = :crm_id and s.assignment_id = :assignment_id
""")
SLICE = 500_000  # customers a transaction: none outlives its limit
_FIELDS = text("""
    insert into field (crm_id, key, type, label, ordinal)
    values (:crm_id, 'age', 'number', 'Age', 1), (:crm_id, 'balance', 'number', 'Balance', 2),
           (:crm_id, 'loan', 'yes_no', 'Loan', 3), (:crm_id, 'job', 'choice', 'Job', 4)
""")


@dataclass(frozen=True, slots=True)
class Floor:
    """One CRM and one assignment with everybody in it, ready and unsegmented."""

    app: App
    crm_id: int
    assignment_id: int
    rows: int

    def tidy(self) -> None:
        """What autovacuum does by itself in time, done now, so that no round pays for the one before."""
        url = make_url(self.app.settings.database_owner_url).set(drivername="postgresql")
        with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute("vacuum analyze")


@contextmanager
def driver(app: App) -> Iterator[psycopg.Connection]:
    """A connection as the application's, without anything of ours or of SQLAlchemy's around it."""
    pooled = app.engine.raw_connection()
    try:
        bare = pooled.driver_connection
        assert isinstance(bare, psycopg.Connection)
        yield bare
    finally:
        pooled.close()


def lay(app: App, rows: int, *, varied: bool = False) -> Floor:
    """Make a CRM with `rows` customers, all placed in one assignment.

    They are alike in what calls do to them, unless `varied`: attempts, status and place are spread then.
    """
    with app.shared() as session:
        ensure_months(session, NOON)
        crm_id = register.add_crm(
            session, "Benchmark", f"{rows} customers", now=NOON, region="PT", hours=HOURS
        )
    with app.work(crm_id, now=NOON) as work:
        assignment_id = register.add_assignment(work, "Benchmark", gap_seconds=0)
        clocks = [
            work.run(_CLOCK, key=f"bench|{','.join(zones)}", zones=list(zones)).scalar_one()
            for zones in CLOCKS
        ]
        work.run(_FIELDS)
    for first in range(1, rows + 1, SLICE):
        with app.work(crm_id, now=NOON) as work:
            for setting in ("statement_timeout = 0", "synchronous_commit = off"):
                work.session.connection().exec_driver_sql(f"set local {setting}")
            last = min(rows, first + SLICE - 1)
            work.run(
                _PEOPLE, first=first, last=last, rows=rows, clocks=clocks, assignment_id=assignment_id,
                varied=varied,
            )  # fmt: skip
    floor = Floor(app, crm_id, assignment_id, rows)
    floor.tidy()
    return floor
