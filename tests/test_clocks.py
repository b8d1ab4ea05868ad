"""Clocks: where a customer may be, told strictly, and kept once for all who share it."""

from threading import Barrier, Thread

import pytest
from sqlalchemy import text
from world import LISBON, NOON, World

from calling.handout.hand_out import next_customer
from calling.hours.clocks import clock_for, clock_ids, clock_key, read_clocks, reclock, whereabouts_of
from calling.hours.opening import openings
from calling.hours.whereabouts import UNKNOWN_RECKONING, Whereabouts, whereabouts
from calling.views.explain import explain
from calling.views.funnel import funnel
from models.work import Work

AZORES = "Atlantic/Azores"
MOBILE = ((AZORES, LISBON), "PT")
LANDLINE = ((LISBON,), "PT")
NORWAY = (("Europe/Oslo",), "NO")
FLORIDA = ("America/Chicago", "America/New_York")  # of an address, as its area codes say
NOWHERE = ((), None)  # +800 and its like


@pytest.mark.parametrize(
    ("numbers", "verified", "place", "expected"),
    [
        ([LANDLINE, MOBILE], None, None, Whereabouts((AZORES, LISBON), ("PT",), LISBON)),
        ([MOBILE, LANDLINE], None, "PT", Whereabouts((AZORES, LISBON), ("PT",), AZORES)),
        ([MOBILE, NORWAY], None, "US-FL",
         Whereabouts((*FLORIDA, AZORES, "Europe/Lisbon", "Europe/Oslo"), ("NO", "PT", "US-FL"), AZORES)),
        ([MOBILE, NORWAY], LISBON, None, Whereabouts((LISBON,), ("NO", "PT"), LISBON)),
        # Whoever sits abroad is protected there too, as far as anybody can tell.
        ([NOWHERE], LISBON, None, Whereabouts((LISBON,), ("PT",), LISBON)),
        ([NORWAY], "Europe/Paris", None, Whereabouts(("Europe/Paris",), ("NO", "FR"), "Europe/Paris")),
        ([NORWAY], "Europe/Oslo", None, Whereabouts(("Europe/Oslo",), ("NO",), "Europe/Oslo")),
        ([NOWHERE], FLORIDA[1], "US-FL", Whereabouts(FLORIDA[1:], ("US-FL",), FLORIDA[1])),
        ([NOWHERE], "US/Eastern", None, Whereabouts(("US/Eastern",), ("US",), "US/Eastern")),
        ([], None, "PT", Whereabouts((), ("PT",), UNKNOWN_RECKONING)),
        # A verified zone that the zone data know no more says nothing; somebody has to look at it.
        ([LANDLINE], "Europe/Gone", None, Whereabouts((), ("PT",), UNKNOWN_RECKONING)),
        # One number that may be anywhere: the other proves nothing about where its owner is.
        ([LANDLINE, NOWHERE], None, None, Whereabouts((), ("PT",), UNKNOWN_RECKONING)),
    ],
)  # fmt: skip
def test_where_a_customer_may_be(
    numbers: list[tuple[tuple[str, ...], str | None]],
    verified: str | None,
    place: str | None,
    expected: Whereabouts,
) -> None:
    """Planted and found: a number without zones passed over in the union."""
    assert whereabouts(numbers, verified, place) == expected


def test_they_are_reckoned_where_most_people_live_with_the_first_number() -> None:
    """Never by the second one, nor where somebody vouches. Planted: the alphabet; seen to fail."""
    portugal = (("Atlantic/Azores", LISBON), "PT")
    assert whereabouts([portugal, NORWAY], None, None, LISBON).reckoning == LISBON
    assert whereabouts([portugal], "Atlantic/Azores", None, LISBON).reckoning == "Atlantic/Azores"
    assert whereabouts([portugal, NOWHERE], None, None, LISBON).reckoning == UNKNOWN_RECKONING


def test_a_clock_is_made_once(world: World) -> None:
    where = Whereabouts((AZORES, LISBON), ("PT",), LISBON)
    nowhere = Whereabouts((), (), UNKNOWN_RECKONING)
    with world.work() as work:
        made = clock_ids(work, [where, nowhere, where])
    assert set(made) == {"PT|Atlantic/Azores,Europe/Lisbon", "|"}
    with world.work() as work:
        assert clock_for(work, where) == made[clock_key(where)]
        known = {clock.id: clock for clock in read_clocks(work)}
        assert known[made[clock_key(where)]].zones == (AZORES, LISBON)
        assert known[made["|"]].zones == known[made["|"]].places == ()
        assert [clock.id for clock in read_clocks(work, [made["|"]])] == [made["|"]]


def test_the_same_clocks_made_by_many_at_once(world: World) -> None:
    """Planted and found: no ON CONFLICT; keys in the caller's order, which deadlocks."""
    wanted = [Whereabouts((LISBON,), (f"P{n}",), LISBON) for n in range(40)]
    together, found = Barrier(6), list[dict[str, int]]()

    def make(number: int) -> None:
        together.wait()
        with world.work() as work:
            found.append(clock_ids(work, wanted[number:] + wanted[:number]))

    threads = [Thread(target=make, args=(7 * n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert all(one == found[0] for one in found)
    assert len(found[0]) == 40


def clock_of(work: Work, customer: int) -> tuple[str, str, str]:
    """Key and reckoning zone of a customer, and the key of its placement."""
    row = work.run(
        text("""
            select k.key, c.reckoning_zone, pk.key as placed from customer c
              join call_clock k on k.id = c.clock_id
              join placement p on p.crm_id = :crm_id and p.customer_id = c.id
              join call_clock pk on pk.id = p.clock_id
             where c.crm_id = :crm_id and c.id = :id"""),
        id=customer,
    ).one()
    return row.key, row.reckoning_zone, row.placed


def test_a_customer_follows_their_facts_and_the_placement_the_customer(world: World) -> None:
    """Planted and found: the placement left on the old clock."""
    assignment = world.assignment()
    one, two = world.customers(2, assignment)
    with world.work() as work:
        assert reclock(work, [one, two]) == []
        work.run(
            text("""insert into customer_number (crm_id, customer_id, e164, position, zones)
                    values (:crm_id, :id, '+4722334455', 1, '{Europe/Oslo}')"""),
            id=one,
        )
        assert reclock(work, [two, one]) == [one]
        both = "NO,PT|Europe/Lisbon,Europe/Oslo"
        assert clock_of(work, one) == (both, LISBON, both)
        assert clock_of(work, two) == ("PT|Europe/Lisbon", LISBON, "PT|Europe/Lisbon")
        work.run(
            text("update customer set verified_zone = 'Europe/Oslo' where crm_id = :crm_id and id = :id"),
            id=one,
        )
        assert reclock(work, [one]) == [one]
        assert clock_of(work, one) == ("NO,PT|Europe/Oslo", "Europe/Oslo", "NO,PT|Europe/Oslo")
        assert reclock(work, []) == []


def test_a_customer_without_a_number_is_nowhere(world: World) -> None:
    (one,) = world.customers(1)
    with world.work(NOON) as work:
        work.run(text("delete from customer_number where crm_id = :crm_id"))
        assert whereabouts_of(work, [one]) == {one: Whereabouts((), ("PT",), UNKNOWN_RECKONING)}


def test_a_clock_whose_zone_is_no_more_is_shut_and_nobody_elses(world: World) -> None:
    """New zone data take a name away that somebody once vouched for. Seen to fail before: nobody of any CRM
    was handed out any more."""
    assignment = world.assignment()
    (here,) = world.customers(1, assignment)
    (gone,) = world.customers(1)
    clock = world.clock(["Europe/Gone", LISBON])
    with world.work() as work:
        work.run(_VOUCHED, id=gone, clock=clock)
    world.place([gone], assignment, clock_id=clock)
    seller = world.seller(assignment)
    card = next_customer(world.opener(), seller)
    assert card is not None
    assert card.customer_id == here
    with world.work() as work:
        known = openings(work)
        told = explain(work, assignment, gone)
        assert known.any_open(NOON)
        assert known.next_of_all(NOON) is None
        assert funnel(work, assignment).total == 2
    assert not told.callable_now
    assert told.callable_at is None
    (window,) = (answer for answer in told.answers if answer.gate == "window")
    assert "the zone data know no Europe/Gone any more: a person has to verify the zone" in window.fact


_VOUCHED = text("""
    update customer set verified_zone = 'Europe/Gone', reckoning_zone = 'Europe/Gone', clock_id = :clock
     where crm_id = :crm_id and id = :id
""")
