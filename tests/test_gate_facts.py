"""A shut gate of explain says which entry, by whose word, since when, and until when."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from register_scene import PT, known, load, numbers_of
from sqlalchemy import text
from world import NOON, World

from calling.handout import gates
from calling.handout.hand_out import next_customer
from calling.handout.ring import ring
from calling.limits.changing import NewLimit, set_limit
from calling.outcomes.outcome import Report, record_all
from calling.registers.stamping import stamp
from calling.registers.using import use
from calling.views.explain import explain
from calling.views.holders import Who
from calling.walls.pause import pause
from calling.walls.suppress import lift, suppress
from models.outcomes import Outcome

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _portugal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with known(monkeypatch, PT):
        yield


@pytest.fixture
def spring(world: World) -> int:
    return world.assignment("Spring", gap_seconds=600)


def fact(world: World, assignment: int, customer: int, gate: str, now: datetime = NOON) -> str:
    """What a gate says; it has to be shut."""
    with world.work(now) as work:
        told = explain(work, assignment, customer).answers
    (found,) = (one.fact for one in told if one.gate == gate and not one.open)
    return found


def test_do_not_call_says_which_entries(world: World, spring: int) -> None:
    """The number's and the customer's own, not those that are over.

    Planted: lifted ones told; seen to fail.
    """
    customer, other = world.customers(2, spring)
    number, others = numbers_of(world)
    suppress(world.opener(), customer_id=other, reason="no", author="Ola")
    for subject in ({"e164": number}, {"customer_id": customer}):
        suppress(world.opener(), **subject, reason="a mistake", author="Ola")
        lift(world.opener(), **subject, author="Ola")
    suppress(world.opener(), e164=number, reason="over", author="Ola", expires_at=NOON + HOUR)
    later = NOON + 2 * HOUR
    suppress(
        world.opener(later), e164=number, reason="asked us to stop", author="Kari", expires_at=NOON + DAY
    )
    suppress(world.opener(later), e164=number, reason="sued us", author="Per", scope="owner")
    suppress(world.opener(later), customer_id=customer, reason="moved", author="Ida")
    told = fact(world, spring, customer, "suppressed", later)
    assert told == (
        "the customer, or every number of theirs, is on a do-not-call list: "
        "the customer in this CRM, moved; by Ida, since 2026-03-02 14:00 UTC; "
        f"{number} in this CRM, asked us to stop; by Kari, since 2026-03-02 14:00 UTC"
        " until 2026-03-03 12:00 UTC; "
        f"{number} in every CRM of its owner, sued us; by Per, since 2026-03-02 14:00 UTC"
    )
    assert others not in told


def test_a_register_is_named_with_its_day(world: World, spring: int) -> None:
    listed, free = world.customers(2, spring)
    number = numbers_of(world, listed)[0]
    load(world, [number])
    use(world.opener(), "PT-TEST", author="Kari")
    stamp(world.opener())
    assert fact(world, spring, listed, "register").endswith(f": {number} is on PT-TEST, as dated 2026-03-02")
    with world.work() as work:
        assert all(one.open for one in explain(work, spring, free).answers)


def test_a_pause_says_why_and_by_whom(world: World, spring: int) -> None:
    """Of the scope that stops them, and of that very segment; a seller's own as well."""
    loans, cards = world.segment(spring, "loans"), world.segment(spring, "cards")
    (customer,) = world.customers(1, spring, segment_id=loans)
    pause(world.opener(), "segment", cards, reason="fraud", author="Ola")
    pause(world.opener(), "segment", loans, reason="new terms", author="Kari", ends_at=NOON + DAY)
    assert fact(world, spring, customer, "pause") == (
        "the segment is paused: new terms; by Kari, since 2026-03-02 12:00 UTC"
    )
    ana = world.seller(spring, "Ana")
    pause(world.opener(), "seller", ana, reason="lunch", author="Ana")
    with world.work() as work:
        holder = explain(work, spring, customer, Who("seller", ana)).holder
    assert holder is not None
    assert "the seller is paused: lunch; by Ana, since 2026-03-02 12:00 UTC" in [
        one.fact for one in holder.answers
    ]
    pause(world.opener(), "crm", None, reason="fire drill", author="Per")
    assert fact(world, spring, customer, "pause").startswith("the whole CRM is paused: fire drill; by Per")


def test_the_state_names_the_holder_and_the_gap_says_when_it_rang(world: World, spring: int) -> None:
    (customer,) = world.customers(1, spring)
    (number,) = numbers_of(world)
    ana = world.seller(spring, "Ana")
    handed = next_customer(world.opener(), ana)
    assert handed is not None
    assert fact(world, spring, customer, "state") == "taken by seller Ana"
    with world.work() as work:
        work.run(text("update lease set state = 'offered', taken_at = null"))
    assert fact(world, spring, customer, "state") == "offered to seller Ana"
    with world.work() as work:
        work.run(text("update lease set state = 'taken', taken_at = :now"))
    at = NOON + timedelta(seconds=7)
    with world.work(at) as work:
        ring(work, handed.lease_id, ana)
    assert fact(world, spring, customer, "state", at) == "rung by seller Ana"
    told = fact(world, spring, customer, "gap", at)
    assert told in (
        f"they were rung a moment ago: {who} at 2026-03-02 12:00:07 UTC;"
        " Spring leaves 10 minutes between two rings"
        for who in ("the customer", number)
    )


def test_a_rest_is_told_as_a_rest(world: World, spring: int) -> None:
    """Not as a number of rings."""
    (customer,) = world.customers(1, spring)
    rest = NewLimit(1, "customer", days=61, after=("no_sale",), reason="peace")
    set_limit(world.opener(), rest, "Kari")
    ana = world.seller(spring, "Ana")
    handed = next_customer(world.opener(), ana)
    assert handed is not None
    with world.work() as work:
        ring(work, handed.lease_id, ana)
    record_all(world.opener(), [Report(handed.lease_id, Outcome.NO_SALE, "seller")])
    with world.work() as work:
        gates.restamp(work, [customer])
    told = fact(world, spring, customer, "limit")
    assert told.startswith("they rest after what they answered: 61 calendar days of rest after 1 x no_sale")
    assert "set by Kari: peace" in told
