"""Statements of promises and numbers read what is asked for, however many calls there were."""

from collections.abc import Iterator
from typing import Any

import pytest
from calls import say, take
from promises import HOUR
from sqlalchemy import TextClause, create_engine, text
from test_own_walls import on_wall
from world import NOON, World

from calling.follow_ups import own_wall_sql
from calling.outcomes import dead_numbers, dead_numbers_sql
from models.outcomes import Outcome

CALLS, PEOPLE = 8_000, 40

# One customer's call, many times more: of each of them, an hour ago.
_LEASES = """
    insert into lease (crm_id, id, assignment_id, customer_id, segment_id, rule_version, seller_id, state,
                       e164, zone, offered_at, ring_by, expires_at, rung_at, ended_at, ended_by)
    select l.crm_id,
           ('01900000-' || right(md5(n::text), 4) || '-7000-8000-' || right(md5(n || 'x'), 12))::uuid,
           l.assignment_id, m.customer_id, l.segment_id, 0, l.seller_id, 'ended', m.e164, l.zone,
           l.offered_at, l.ring_by, l.expires_at, l.rung_at, l.ended_at, l.ended_by
      from lease l
     cross join generate_series(1, cast(:calls as integer)) n
      join customer_number m on m.crm_id = :crm_id and m.customer_id = :first + n % :people
     where l.id = :like
"""
_ATTEMPTS = """
    insert into attempt (crm_id, lease_id, revision, kind, assignment_id, customer_id, segment_id,
                         rule_version, seller_id, e164, zone, outcome, status, counted, late, reported_at)
    select crm_id, id, 0, 'first', assignment_id, customer_id, segment_id, 0, seller_id, e164, zone,
           'answered', 'answered', 1, false, ended_at
      from lease where id <> :like and ended_at is not null
"""


@pytest.fixture
def worked(world: World) -> tuple[int, list[int]]:
    """An assignment, and customers who were called often, each of whom is promised a call."""
    assignment = world.assignment(gap_seconds=0)
    people = world.customers(PEOPLE, assignment)
    card = take(world, world.seller(assignment), NOON - HOUR)
    say(world, card.lease_id, Outcome.BUSY, NOON - HOUR)
    with world.work() as work:
        work.run(text(_LEASES), like=card.lease_id, calls=CALLS, people=PEOPLE, first=people[0])
        work.run(text(_ATTEMPTS), like=card.lease_id)
    for customer in people:
        on_wall(world, assignment, customer)
    return assignment, people


def scans(plan: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """(table, rows that were looked at) of each part of a plan that reads a table."""
    if "Relation Name" in plan:
        looked = sum(plan.get(name, 0) for name in ("Actual Rows", *LOST)) * plan["Actual Loops"]
        yield plan["Relation Name"], int(looked)
    for part in plan.get("Plans", []):
        yield from scans(part)


LOST = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")


def most(world: World, statement: TextClause, **asked: Any) -> int:
    """The rows that it looks at in the table of which it looks at most."""
    with world.work() as work:
        (plan,) = work.run(text(f"explain (analyze, format json) {statement.text}"), **asked).scalars()
    found: dict[str, int] = {}
    for table, rows in scans(plan[0]["Plan"]):
        found[table] = found.get(table, 0) + rows
    return max(found.values())


def analyze(world: World) -> None:
    engine = create_engine(world.app.settings.database_owner_url)
    with engine.begin() as connection:
        connection.execute(text("analyze lease, attempt, follow_up, customer_number, placement"))
    engine.dispose()


@pytest.mark.parametrize("counted", [False, True])
def test_promises_that_may_move_are_read_by_keys(
    world: World, worked: tuple[int, list[int]], counted: bool
) -> None:
    """With and without statistics. Seen to fail before: every lease of the CRM for each batch of a list."""
    _, people = worked
    if counted:
        analyze(world)
    of_two = CALLS // PEOPLE * 2
    assert most(world, own_wall_sql.OPEN, customers=people[:2]) < 3 * of_two


@pytest.mark.parametrize("counted", [False, True])
def test_whether_a_number_has_answered_since_is_read_by_keys(
    world: World, worked: tuple[int, list[int]], counted: bool
) -> None:
    """Seen to fail before: without statistics every attempt of the CRM, once for each lease of a batch."""
    if counted:
        analyze(world)
    with world.work() as work:
        rows = work.run(
            text("select id, e164 from lease where ended_at is not null order by id desc limit 20")
        ).all()
    asked = {"leases": [row.id for row in rows], "numbers": [row.e164 for row in rows]}
    told = {"told": asked["leases"], "contacts": dead_numbers.CONTACTS}
    assert most(world, dead_numbers_sql.ANSWERED_SINCE, **asked, **told) < CALLS // 2
