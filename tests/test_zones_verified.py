"""Zones that somebody vouches for: at once callable, told when they contradict, and withdrawn again."""

import json
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest
from calls import take
from promises import live, promise, promises, violations
from sqlalchemy import text
from world import LISBON, NOON, World

from calling.customers.rezoning import rezone
from calling.customers.verifying import verify_zone, withdraw_zone
from calling.customers.verifying_lists import Said, verify_zones
from calling.dialers.orders import recalls, to_offer
from calling.handout import gates
from calling.handout.allocate import allocate_all
from calling.handout.hand_out import next_customer
from calling.handout.ring import ring
from calling.hours import versions
from calling.hours.verified import contradicts, read_zone
from calling.views.explain import explain
from calling.views.zones import count_unknown, history, unknown_zones
from models.errors import BadValues, Conflict, NotFound, NotNow

HOUR = timedelta(hours=1)
TOKYO, AZORES = "Asia/Tokyo", "Atlantic/Azores"
SAID: dict[str, Any] = {"author": "Kari", "reason": "asked her"}


def nowhere(world: World, assignment: int, n: int = 1) -> list[int]:
    """Customers with a number of no country."""
    made = world.customers(n)
    world.place(made, assignment, clock_id=world.clock([], []))
    with world.work() as work:
        number = """update customer_number set e164 = '+8001' || right(e164, 7), zones = '{}'
            where customer_id = any(:made)"""
        work.run(text(number), made=made)
        person = """update customer set place = null, clock_id = :k, reckoning_zone = 'Etc/UTC'
            where id = any(:made)"""
        work.run(text(person), k=world.clock([], []), made=made)
        gates.restamp(work, made)
    return made


def gate(world: World) -> list[str | None]:
    with world.work() as work:
        return list(work.run(text("select gated_by from placement order by customer_id")).scalars())


def test_whoever_is_nowhere_is_callable_at_once_when_somebody_vouches(world: World) -> None:
    """And no more when it is withdrawn. Planted: no stamp; no clock; each seen to fail."""
    assignment = world.assignment()
    (customer,) = nowhere(world, assignment)
    seller = world.seller(assignment)
    assert gate(world) == ["zone_unknown"]
    assert next_customer(world.opener(), seller) is None
    done = verify_zone(world.opener(), customer, "europe/lisbon", **SAID)
    assert (done.zone, done.changed, done.contradicts) == (LISBON, True, None)
    assert gate(world) == [None]
    card = next_customer(world.opener(), seller)
    assert card is not None
    assert card.zone == LISBON
    withdraw_zone(world.opener(), customer, author="Bo", reason="it was her sister")
    with world.work() as work, pytest.raises(NotNow, match="zone_unknown"):
        ring(work, card.lease_id, seller)
    with world.work() as work:
        (row,) = history(work, customer, 0, 9)
        assert (row.author, row.reason, row.source) == ("Kari", "asked her", None)
        assert (row.ended_by, row.ended_reason, row.ended_at) == ("Bo", "it was her sister", NOON)
        assert count_unknown(work) == 1
    assert not withdraw_zone(world.opener(), customer, author="Bo", reason="again").changed
    assert violations(world) == []


def test_the_law_of_the_place_that_a_zone_names_holds_as_well(world: World) -> None:
    """A number of no country, own hours around the clock. Planted: places of numbers alone; seen to fail."""
    assignment = world.assignment()
    (customer,) = nowhere(world, assignment)
    seller = world.seller(assignment)
    with world.work() as work:
        always = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
        work.run(text("update crm set hours = cast(:hours as jsonb)"), hours=json.dumps(always))
    evening = datetime(2026, 3, 3, 4, 30, tzinfo=UTC)  # half past eleven in New York
    verify_zone(world.opener(), customer, "America/New_York", **SAID)
    assert next_customer(world.opener(evening), seller) is None
    with world.work(evening) as work:
        told = explain(work, assignment, customer).answers[-1].fact
    assert "47 CFR 64.1200" in told
    verify_zone(world.opener(), customer, "Asia/Manila", reason="moved", author="Kari")
    with world.work() as work:
        places = work.run(text("select k.places from customer c join call_clock k on k.id = c.clock_id"))
        assert places.scalars().all() == [["PH"]]


def test_who_was_verified_before_the_rule_is_moved_by_the_upgrade(world: World) -> None:
    """Planted: the rule left out of the version of our zones; seen to fail."""
    assignment = world.assignment()
    (customer,) = nowhere(world, assignment)
    verify_zone(world.opener(), customer, "Europe/Paris", **SAID)
    rezone(world.opener())
    with world.work() as work:  # as the release before left it
        work.run(text("update customer set clock_id = :k"), k=world.clock(["Europe/Paris"], []))
        laws = [
            (files("calling") / "laws" / f"{name}.toml").read_text("utf-8")
            for name in ("zones", "area_codes")
        ]
        work.run(text("update data_version set zones = :zones"), zones=versions._hash(*laws))
    versions._known.clear()
    rezone(world.opener())
    with world.work() as work:
        places = work.run(text("select k.places from customer c join call_clock k on k.id = c.clock_id"))
        assert places.scalars().all() == [["FR"]]


def test_a_zone_that_contradicts_is_taken_only_anyway_and_told(world: World) -> None:
    """Planted: taken in silence; seen to fail."""
    (customer,) = world.customers(1, world.assignment())
    with pytest.raises(BadValues, match=r"Europe/Lisbon, which keep another time$") as refused:
        verify_zone(world.opener(), customer, TOKYO, **SAID)
    assert refused.value.data["unless"] == "anyway"  # how that is said each door says
    done = verify_zone(world.opener(), customer, TOKYO, **SAID, anyway=True)
    assert done.contradicts is not None
    with world.work() as work:
        (row,) = history(work, customer, 0, 9)
        assert row.contradicts
        found = work.run(
            text("select k.zones, k.places from customer c join call_clock k on k.id = clock_id")
        )
        assert tuple(found.one()) == ([TOKYO], ["PT", "JP"])  # the law of the number's country still binds
    # Of zones that keep one time none contradicts: Norwegians live in Berlin.
    assert not contradicts("Europe/Berlin", ["Europe/Oslo"])
    assert contradicts(AZORES, [LISBON])
    assert not contradicts(TOKYO, [])


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("Oslo", "did you mean Europe/Oslo"), ("Europe/Olso", "did you mean Europe/Oslo"),
        ("new york", "did you mean America/New_York"), ("Etc/UTC", "write Area/City"),
        ("CET", "write Area/City"), ("", "write Area/City"),
    ],
)  # fmt: skip
def test_what_is_no_zone_is_refused_with_what_was_meant(world: World, said: str, hint: str) -> None:
    (customer,) = world.customers(1)
    with pytest.raises(BadValues, match=hint):
        verify_zone(world.opener(), customer, said, author="Kari", reason="x")
    with pytest.raises(BadValues, match="say how it is known"):
        verify_zone(world.opener(), customer, said, author="Kari", reason=" ")


def test_names_of_today_are_kept() -> None:
    assert read_zone("Asia/Calcutta") == "Asia/Kolkata"
    assert read_zone(" america/argentina/buenos_aires ") == "America/Argentina/Buenos_Aires"


def test_a_persons_word_stands_against_a_systems(world: World) -> None:
    """Planted: the last word wins; seen to fail."""
    (customer,) = world.customers(1, zones=[AZORES, LISBON])
    with world.work() as work:
        work.run(text("update customer_number set zones = '{Atlantic/Azores,Europe/Lisbon}'"))
    verify_zone(world.opener(), customer, AZORES, **SAID, source="register")
    verify_zone(world.opener(), customer, LISBON, **SAID)
    with pytest.raises(Conflict, match="Kari has verified Europe/Lisbon"):
        verify_zone(world.opener(), customer, AZORES, **SAID, source="register")
    verify_zone(world.opener(), customer, AZORES, **SAID, source="register", anyway=True)
    with world.work() as work:
        assert [row.zone for row in history(work, customer, 0, 9)] == [AZORES, LISBON, AZORES]
        assert [row.zone for row in history(work, customer, 0, 9) if row.ended_at is None] == [AZORES]
    with pytest.raises(NotFound):
        verify_zone(world.opener(), 9999, LISBON, **SAID)


def test_what_is_offered_by_another_clock_comes_back(world: World) -> None:
    """A seller's at once, a dialer's by its link. Planted: nothing comes back; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    allocate_all(world.opener(), assignment)
    verify_zone(world.opener(), customer, TOKYO, **SAID, anyway=True)  # 21:00 there
    assert live(world) == []
    assert next_customer(world.opener(), seller) is None
    withdraw_zone(world.opener(), customer, author="Bo", reason="mistaken")
    with world.work() as work:
        work.run(text("update seller set presence = 'away'"))
    dialer = world.dialer(assignment, wanted=1, wanted_at=NOON)
    allocate_all(world.opener(), assignment)
    with world.work() as work:
        (order,) = to_offer(work, dialer)
    verify_zone(world.opener(), customer, TOKYO, **SAID, anyway=True)
    with world.work() as work:
        assert recalls(work, dialer) == [order.lease_id]


def test_whoever_is_on_a_screen_is_refused_at_the_ring(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    card = take(world, seller := world.seller(assignment), rung=False)
    verify_zone(world.opener(), customer, TOKYO, **SAID, anyway=True)
    with world.work() as work, pytest.raises(NotNow, match="window"):
        ring(work, card.lease_id, seller)


def test_a_promise_of_an_instant_stays_as_it_was_made_and_is_told(world: World) -> None:
    """Who verifies hears of it, and hours are looked at when it is due."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    made = promise(world, assignment, customer, NOON + HOUR)
    done = verify_zone(world.opener(), customer, TOKYO, **SAID, anyway=True)
    assert [(one.wall_time, one.zone, one.asked_as) for one in done.stay] == [
        ("2026-03-02T13:00", LISBON, "instant")
    ]
    assert done.moved == ()
    assert [(p.due_at, p.ended_at) for p in promises(world)] == [(made.due_at, None)]
    with world.work(NOON + HOUR) as work:
        told = explain(work, assignment, customer)
    assert not told.callable_now
    assert violations(world) == []


def test_a_list_of_who_is_nowhere_and_verified_in_bulk(world: World) -> None:
    """Page by page. Planted: one bad line costs its batch; seen to fail."""
    assignment = world.assignment()
    people = nowhere(world, assignment, 5)
    with world.work() as work:
        first, second = unknown_zones(work, 0, 3), unknown_zones(work, people[2], 3)
        assert [row.id for row in (*first, *second)] == people
        assert first[0].numbers[0].startswith("+8001")
        ids = [row.external_id for row in (*first, *second)]
    verify_zone(world.opener(), people[3], LISBON, **SAID)
    said = [
        Said(2, ids[0], LISBON, "register"), Said(3, ids[1], "Europe/Lisobn", "register"),
        Said(4, "nobody", LISBON, "register"), Said(5, ids[2], AZORES, "register"),
        Said(6, ids[0], AZORES, "register"), Said(7, ids[3], AZORES, "register"),
    ]  # fmt: skip
    done, refused = verify_zones(world.opener(), said, author="Kari", source="register")
    assert [one.zone for one in done] == [LISBON, AZORES]
    assert [(one.line, one.why) for one in refused] == [
        (3, "is no time zone of a place; did you mean Europe/Lisbon?"), (4, "is no customer"),
        (6, "line 2 has this customer already"),
        (7, "Kari has verified Europe/Lisbon: a person's word stands against a system's"),
    ]  # fmt: skip
    assert gate(world) == [None, "zone_unknown", None, None, "zone_unknown"]
    with world.work() as work:
        assert count_unknown(work) == 2
        plan = work.run(
            text("explain select id from customer where crm_id = :crm_id and reckoning_zone = 'Etc/UTC'"
                 " and anonymised_at is null and id > 0 order by id limit 50")
        )  # fmt: skip
        assert any("ix_customer_zone_unknown" in line for line in plan.scalars())
