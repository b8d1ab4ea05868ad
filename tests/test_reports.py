"""What a report counts: each call once, in the hour in which it was told, as what it came to in the end."""

from datetime import timedelta
from uuid import UUID

from calls import say, take
from sqlalchemy import text
from world import NOON, World

from calling.handout.allocate import allocate_all
from calling.views import report
from models.outcomes import Outcome

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def order(world: World, assignment: int) -> UUID:
    """The lease of the one customer whom a dialer is to ring."""
    world.dialer(assignment, wanted=1, wanted_at=NOON)
    allocate_all(world.opener(), assignment)
    with world.work() as work:
        found: UUID = work.run(text("select id from lease")).scalar_one()
    return found


def test_a_sale_that_a_seller_completes_is_a_sale_of_the_hour_of_its_call(world: World) -> None:
    """Told by a dialer, sold by the seller an hour later. Planted: the first word read; seen to fail."""
    assignment = world.assignment()
    world.customers(1, assignment)
    lease = order(world, assignment)
    say(world, lease, Outcome.NO_ANSWER, by="dialer")
    say(world, lease, Outcome.SALE, NOON + HOUR)
    with world.work(NOON + HOUR) as work:
        (segment,) = report.segments(work, assignment)
        (hour,) = report.hours(work, assignment, NOON - HOUR)
    assert (segment.attempts, segment.contacts, segment.sales, segment.this_hour) == (1, 1, 1, 0)
    assert hour == report.Hour(begins=NOON, attempts=1, contacts=1, sales=1)


def test_a_call_whose_word_was_taken_back_is_none_until_it_is_told_anew(world: World) -> None:
    """Of any number of rows of one call the last counts. Planted: the first word read; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    world.customers(2, assignment)
    seller = world.seller(assignment)
    sold = take(world, seller).lease_id
    say(world, sold, Outcome.SALE)
    kept = take(world, seller, NOON + MINUTE).lease_id
    say(world, kept, Outcome.NO_SALE, NOON + MINUTE)

    def counted() -> tuple[int, int, int]:
        with world.work(NOON + HOUR) as work:
            (segment,) = report.segments(work, assignment)
        return segment.attempts, segment.contacts, segment.sales

    assert counted() == (2, 2, 1)
    for revision, kind, after in ((1, "undo", (1, 1, 0)), (2, "correction", (2, 1, 0))):
        with world.work(NOON + HOUR) as work:
            work.run(_AGAIN, lease=sold, revision=revision, kind=kind)
        assert counted() == after


_AGAIN = text("""
    insert into attempt (crm_id, lease_id, revision, kind, assignment_id, customer_id, segment_id,
                         rule_version, e164, zone, outcome, status, counted, late, reported_at)
    select crm_id, lease_id, :revision, :kind, assignment_id, customer_id, segment_id,
           rule_version, e164, zone, 'no_answer', status, counted, late, :now
      from attempt where crm_id = :crm_id and lease_id = :lease and revision = 0
""")
