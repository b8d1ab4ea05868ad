"""Promises on the customer's own wall: they follow it wherever it is; none is lost, none is doubled."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from calls import say, take
from interleaving import acting_after, acting_before, instead_of_run
from promises import DAY, HOUR, MINUTE, live, promises, row_of, violations, watch
from sqlalchemy import text
from test_zones_verified import nowhere
from world import LISBON, NOON, World

from calling.customers import rezoning, verifying_sql
from calling.customers.editing import edit_customer
from calling.customers.numbers import set_number
from calling.customers.rezoning import rezone
from calling.customers.verifying import verify_zone, withdraw_zone
from calling.customers.verifying_lists import Said, verify_zones
from calling.customers.vouching import Verified
from calling.follow_ups import own_wall, own_wall_sql, promising
from calling.follow_ups.asking import Wish
from calling.follow_ups.handing_over import hand_over
from calling.follow_ups.late import late_promises
from calling.follow_ups.promising import Patch
from calling.follow_ups.putting import Promised
from calling.follow_ups.wall_time import Reckoned, instant_of_wall
from calling.handout.allocate import allocate_all
from calling.handout.hand_out import next_customer
from calling.handout.reaper import reap
from calling.hours import versions
from calling.hours.clocks import reclock
from calling.intake import numbers
from calling.outcomes.outcome import Report, record_all
from calling.views.versions import data_in_use
from models.outcomes import Outcome
from models.sql import load
from models.work import Work

TOKYO, AZORES, HELSINKI, OSLO = "Asia/Tokyo", "Atlantic/Azores", "Europe/Helsinki", "Europe/Oslo"
TUESDAY = datetime(2026, 3, 3, 15)  # noqa: DTZ001 - on a wall


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    yield
    numbers._known.clear()
    versions._known.clear()


def on_wall(
    world: World, assignment: int, customer: int, wall: datetime = TUESDAY, now: datetime = NOON, *,
    zone: str | None = None, seller: int | None = None, note: str = "",
) -> Promised:  # fmt: skip
    """Promised on the customer's own wall, or on that of a zone."""
    return promising.promise(
        world.opener(now), assignment, customer, Wish(wall_time=wall, zone=zone, note=note),
        seller_id=seller, author="Kari", made_by="api",
    )  # fmt: skip


def verify(world: World, customer: int, zone: str, now: datetime = NOON) -> Verified:
    return verify_zone(world.opener(now), customer, zone, author="Bo", reason="asked her", anyway=True)


def at(wall: datetime, zone: str) -> datetime:
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


# --- it follows -----------------------------------------------------------------------------------


def test_fifteen_oclock_their_time_is_where_they_are(world: World) -> None:
    """Nothing that was promised is forgotten: who, why, when; and what they would be without it.

    Planted: the placement left; the new one signed by who verified; each seen to fail.
    """
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    made = on_wall(world, assignment, customer, seller=seller, note="the boat")
    done = verify(world, customer, TOKYO)
    before, after = promises(world)
    due = at(TUESDAY, TOKYO)
    assert (before.ended_by, before.ended_author, before.ended_at) == ("moved", "Bo", NOON)
    assert (after.asked_at, after.due_at, after.zone, after.wall_time) == (due, due, TOKYO, made.wall_time)
    kept = ("seller_id", "note", "author", "made_by", "asked_as", "otherwise_state")
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    assert (after.replaces, after.author, after.asked_as) == (made.id, "Kari", "own_zone")
    assert (row_of(world, customer).state, row_of(world, customer).due_at) == ("follow_up", due)
    (moved,) = done.moved
    assert (moved.id, moved.replaces, moved.from_zone, moved.to_zone) == (after.id, made.id, LISBON, TOKYO)
    assert (moved.was_due_at, moved.due_at, moved.told, done.stay) == (made.due_at, due, "", ())
    assert violations(world) == []
    back = withdraw_zone(world.opener(), customer, author="Bo", reason="mistaken")
    assert [(one.to_zone, one.due_at) for one in back.moved] == [(LISBON, made.due_at)]
    assert len(promises(world)) == 3


def test_an_instant_and_a_named_zone_stay_and_are_told(world: World) -> None:
    """In another assignment each. Planted: every promise follows; seen to fail."""
    (customer,) = world.customers(1, first := world.assignment())
    second, third = world.assignment(), world.assignment()
    for assignment in (second, third):
        world.place([customer], assignment)
    on_wall(world, first, customer)
    on_wall(world, second, customer, zone=LISBON)
    promising.promise(
        world.opener(), third, customer, Wish(at=NOON + DAY), author="Kari", made_by="api"
    )  # fmt: skip
    done = verify(world, customer, TOKYO)
    assert [one.assignment_id for one in done.moved] == [first]
    assert [(one.assignment_id, one.asked_as) for one in done.stay] == [
        (second, "named_zone"), (third, "instant"),
    ]  # fmt: skip
    assert violations(world) == []


def test_it_slides_to_the_next_opening_there_and_says_so(world: World) -> None:
    """Half past eight on the wall."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    early = TUESDAY.replace(hour=8, minute=30)
    on_wall(world, assignment, customer, early)
    (moved,) = verify(world, customer, TOKYO).moved
    assert moved.due_at == at(early.replace(hour=9, minute=1), TOKYO)
    assert moved.told == "nobody may be rung then: Tue 03 Mar 09:01 is the next opening"
    assert promises(world)[-1].asked_at == at(early, TOKYO)
    assert violations(world) == []


def test_what_has_passed_there_is_due_at_once_and_late_only_from_now(world: World) -> None:
    """13:30 in Lisbon is 11:30 in Helsinki, half an hour ago. Planted: due half an hour ago; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    on_wall(world, assignment, customer, datetime(2026, 3, 2, 13, 30))  # noqa: DTZ001 - on a wall
    (moved,) = verify(world, customer, HELSINKI).moved
    assert (moved.due_at, moved.told) == (NOON, own_wall.PASSED)
    with world.work(NOON + 14 * MINUTE) as work:
        assert late_promises(work) == []
    with world.work(NOON + 16 * MINUTE) as work:
        assert [one.since for one in late_promises(work)] == [NOON]
    card = next_customer(world.opener(), seller)
    assert card is not None
    assert card.customer_id == customer


def test_passed_where_it_is_night_it_waits_for_the_morning(world: World) -> None:
    """14:00 in Tokyo was hours ago, and it is 21:00 there."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    on_wall(world, assignment, customer, datetime(2026, 3, 2, 14))  # noqa: DTZ001 - on a wall
    (moved,) = verify(world, customer, TOKYO).moved
    assert moved.due_at == at(TUESDAY.replace(hour=9, minute=1), TOKYO)
    assert moved.told == f"{own_wall.PASSED}; nobody may be rung then: Tue 03 Mar 09:01 is the next opening"


def test_whoever_was_waited_for_is_waited_for_anew_when_it_is_due_later(world: World) -> None:
    """Grace and what is kept free are of the time that it was due. Planted: both kept; each seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    owner, other = world.seller(assignment), world.seller(assignment)
    noon = datetime(2026, 3, 2, 12, 30)  # noqa: DTZ001 - on a wall
    on_wall(world, assignment, customer, noon, seller=owner)
    due = NOON + 30 * MINUTE
    watch(world, due)
    (before,) = promises(world)
    assert (before.anybodys_at, before.kept_free_until) == (due + 15 * MINUTE, due + 2 * MINUTE)
    verify(world, customer, AZORES, due + MINUTE)  # 12:30 there is in an hour
    after = promises(world)[-1]
    assert (after.due_at, after.anybodys_at, after.kept_free_until) == (due + HOUR, None, None)
    watch(world, due + 20 * MINUTE)
    assert next_customer(world.opener(due + 20 * MINUTE), other) is None
    watch(world, due + HOUR)
    assert promises(world)[-1].anybodys_at == due + HOUR + 15 * MINUTE
    assert next_customer(world.opener(due + HOUR), other) is None
    assert next_customer(world.opener(due + HOUR), owner) is not None
    assert violations(world, due + HOUR) == []


def test_what_was_due_already_and_would_be_there_too_stays_due_as_it_was(world: World) -> None:
    """Nobody's waiting begins anew. Planted: due from now on; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    owner = world.seller(assignment)
    on_wall(world, assignment, customer, datetime(2026, 3, 2, 12, 30), seller=owner)  # noqa: DTZ001
    due = NOON + 30 * MINUTE
    watch(world, due)
    verify(world, customer, HELSINKI, due + 5 * MINUTE)
    after = promises(world)[-1]
    assert (after.due_at, after.anybodys_at) == (due, due + 15 * MINUTE)
    assert after.asked_at == due - 2 * HOUR
    with world.work(due + 16 * MINUTE) as work:
        assert [one.since for one in late_promises(work)] == [due]


def test_another_name_for_the_same_time_moves_nothing(world: World) -> None:
    """Who lives in London keeps Lisbon's time. Planted: a move to the same instant; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    made = on_wall(world, assignment, customer)
    done = verify(world, customer, "Europe/London")
    assert (done.moved, [one.zone for one in done.stay]) == ((), ["Europe/London"])
    (row,) = promises(world)
    assert (row.id, row.zone, row.due_at) == (made.id, "Europe/London", made.due_at)


def test_while_nobody_knows_the_zone_it_stays_on_the_last_wall(world: World) -> None:
    """Known again, it follows. Planted: moved to the wall of UTC; seen to fail."""
    assignment = world.assignment()
    (customer,) = nowhere(world, assignment)
    verify(world, customer, TOKYO)
    made = on_wall(world, assignment, customer)
    assert made.asked_at == at(TUESDAY, TOKYO)
    gone = withdraw_zone(world.opener(), customer, author="Bo", reason="mistaken")
    assert (gone.moved, [one.zone for one in gone.stay]) == ((), [TOKYO])
    (moved,) = verify(world, customer, OSLO).moved
    assert moved.due_at == at(TUESDAY, OSLO)
    assert violations(world) == []


def test_said_again_as_their_own_time_it_follows_from_then_on(world: World) -> None:
    """The same instant, asked for otherwise. Planted: taken as no change; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    made = promising.promise(
        world.opener(), assignment, customer, Wish(at=at(TUESDAY, LISBON)), author="a", made_by="api"
    )
    patch = Patch(Wish(wall_time=TUESDAY))
    again = promising.change(world.opener(), made.id, patch, author="a", made_by="api")
    assert (made.asked_as, again.asked_as, again.due_at) == ("instant", "own_zone", made.due_at)
    noted = promising.change(world.opener(), again.id, Patch(note="x"), author="a", made_by="api")
    assert noted.asked_as == "own_zone"
    (moved,) = verify(world, customer, TOKYO).moved
    assert moved.replaces == noted.id


def test_it_is_told_with_an_outcome_and_handed_over_all_the_same(world: World) -> None:
    """A seller's word, in the call; what moves is still of that call, and its new owner's."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    seller, heir = world.seller(assignment), world.seller(assignment)
    card = take(world, seller)
    say(world, card.lease_id, Outcome.FOLLOW_UP, promise=Wish(wall_time=TUESDAY))
    hand_over(world.opener(), seller, heir, expected=1, author="Kari")
    verify(world, customer, TOKYO)
    after = promises(world)[-1]
    assert (after.lease_id, after.seller_id, after.made_by) == (card.lease_id, heir, "seller")
    assert (after.handed_by, after.handed_from, after.asked_as) == ("Kari", seller, "own_zone")
    assert (after.otherwise_state, after.due_at) == ("resting", at(TUESDAY, TOKYO))
    assert violations(world) == []


# --- whatever changes the zone --------------------------------------------------------------------


def test_it_follows_the_first_number_and_who_says_which_that_is(world: World) -> None:
    """Another order, and a file with a verified zone. Planted: by hand alone; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    with world.work() as work:
        work.run(
            text("""insert into customer_number (crm_id, customer_id, e164, position, zones)
                    values (:crm_id, :id, '+4722334455', 1, '{Europe/Oslo}')"""),
            id=customer,
        )
    made = on_wall(world, assignment, customer)
    assert made.zone == LISBON
    set_number(world.opener(), customer, "+4722334455", author="Kari", place=1)
    (_, after) = promises(world)
    assert (after.zone, after.due_at) == (OSLO, at(TUESDAY, OSLO))
    edit_customer(world.opener(), customer, {"place": "NO"}, author="Kari")
    assert len(promises(world)) == 2  # where the letters go is not where the telephone is
    assert violations(world) == []


def test_a_list_that_vouches_moves_it_as_well(world: World, tmp_path: Any) -> None:
    """Planted: the import alone left out; seen to fail."""
    from test_import import load as load_list

    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    on_wall(world, assignment, customer)
    file = vouching(world, tmp_path, TOKYO)
    load_list(world, file, mapping={"tz": "verified_zone:anyway"})
    (before, after) = promises(world)
    assert (before.ended_by, before.ended_author, after.due_at) == ("moved", file.name, at(TUESDAY, TOKYO))
    assert violations(world) == []


# --- new data ------------------------------------------------------------------------------------


def new_rules(monkeypatch: pytest.MonkeyPatch, world: World, zone: str, by: timedelta) -> None:
    """As if new data had put the clocks of a zone back."""

    def of_today(name: str, wall: datetime) -> Reckoned:
        found = instant_of_wall(name, wall)
        return Reckoned(found.at + by, found.reading) if name == zone else found

    now = {**versions.installed(), "tzdata": "2099a"}
    monkeypatch.setattr(own_wall, "instant_of_wall", of_today)
    monkeypatch.setattr(versions, "installed", lambda: now)
    versions._known.clear()


def test_where_the_clock_is_set_otherwise_the_wall_is_followed_and_reported(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their own and a named one; who is elsewhere by new data, too; an instant stays. Nobody's clock changes.

    Planted: only whoever has another clock is looked at; seen to fail.
    """
    (one, two) = world.customers(2, assignment := world.assignment())
    rezone(world.opener())
    on_wall(world, assignment, one)
    promising.promise(world.opener(), assignment, two, Wish(at=NOON + DAY), author="a", made_by="api")
    new_rules(monkeypatch, world, LISBON, HOUR)
    done = rezone(world.opener())
    assert done is not None
    assert (done.moved, done.promises) == (0, 1)
    first, instant, after = promises(world)
    assert (first.ended_by, first.ended_author) == ("moved", rezoning.NEW_DATA)
    assert (after.replaces, after.due_at) == (first.id, first.due_at + HOUR)
    assert instant.ended_at is None
    with world.work() as work:
        told = data_in_use(work).rezonings[0].promises
    assert (told.moved, told.stay) == (1, 0)
    (named,) = told.that_moved
    assert (named.id, named.was_due_at, named.due_at) == (after.id, first.due_at, after.due_at)
    assert violations(world) == []
    assert rezone(world.opener()) is None


def test_whoever_is_reckoned_elsewhere_by_new_data_is_told_of_with_what_stays(world: World) -> None:
    """As the release before reckoned them: by the Azores. Planted: what stays left out; seen to fail."""
    one, two = world.customers(2, assignment := world.assignment())
    with world.work() as work:
        work.run(text("update customer set reckoning_zone = 'Atlantic/Azores'"))
    made = on_wall(world, assignment, one)
    promising.promise(world.opener(), assignment, two, Wish(at=NOON + DAY), author="a", made_by="api")
    rezone(world.opener())
    with world.work() as work:
        told = data_in_use(work).rezonings[0].promises
    (moved,), (stays,) = told.that_moved, told.that_stay
    assert (moved.from_zone, moved.to_zone, moved.was_due_at) == (AZORES, LISBON, made.due_at)
    assert moved.due_at == made.due_at - HOUR
    assert (stays.asked_as, stays.due_at, stays.was_due_at) == ("instant", NOON + DAY, NOON + DAY)
    assert violations(world) == []


@pytest.mark.parametrize("dies_at", ["END", "MAKE", "WAIT"])
def test_a_crash_in_the_midst_moves_nobody_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, dies_at: str
) -> None:
    """Nor leaves anybody behind, between any two of its statements."""
    monkeypatch.setattr(rezoning, "READ", 4)
    monkeypatch.setattr(rezoning, "BATCH", 2)
    people = world.customers(8, assignment := world.assignment())
    rezone(world.opener())
    for customer in people:
        on_wall(world, assignment, customer)
    new_rules(monkeypatch, world, LISBON, HOUR)

    def dies() -> None:
        raise RuntimeError("dead")

    with monkeypatch.context() as patched:
        after = acting_after(patched)
        after(getattr(own_wall_sql, dies_at), lambda: after(getattr(own_wall_sql, dies_at), dies))
        with pytest.raises(RuntimeError, match="dead"):
            rezone(world.opener())
    assert len(promises(world)) == 10
    done = rezone(world.opener())
    assert done is not None
    assert done.promises == 8
    rows = promises(world)
    assert (len(rows), sum(row.ended_at is None for row in rows)) == (16, 8)
    assert violations(world) == []


def vouching(world: World, folder: Any, zone: str) -> Any:
    """A list that vouches for the zone of the only customer, and how its columns are to be taken."""
    from test_import import put

    with world.work() as work:
        name = work.run(text("select external_id from customer")).scalar_one()
        phone = work.run(text("select e164 from customer_number")).scalar_one()
    return put(folder, f"id,name,phone,tz\n{name},Ana,{phone},{zone}\n")


# --- while it is being kept ------------------------------------------------------------------------


def test_what_is_offered_to_keep_it_comes_back_and_what_is_on_a_screen_goes_on(world: World) -> None:
    """At another time it is another promise, and outlives a call that reached nobody. Planted: consumed by
    the call for the time of before; seen to fail."""
    people = world.customers(2, assignment := world.assignment())
    seller = world.seller(assignment)
    for customer in people:
        on_wall(world, assignment, customer, datetime(2026, 3, 2, 12, 30))  # noqa: DTZ001 - on a wall
    due = NOON + 30 * MINUTE
    card = take(world, seller, due)
    (other,) = set(people) - {card.customer_id}
    world.seller(assignment, "Bo")
    allocate_all(world.opener(due), assignment)
    assert [lease.customer_id for lease in live(world) if lease.state == "offered"] == [other]
    for customer in people:
        verify(world, customer, AZORES, due)
    assert [lease.customer_id for lease in live(world) if lease.state == "offered"] == []
    assert (row_of(world, other).due_at, row_of(world, card.customer_id).return_due_at) == (
        due + HOUR, due + HOUR,
    )  # fmt: skip
    say(world, card.lease_id, Outcome.NO_ANSWER, due + MINUTE)
    row = row_of(world, card.customer_id)
    assert (row.state, row.due_at) == ("follow_up", due + HOUR)
    assert violations(world, due + MINUTE) == []


def test_what_a_list_moves_is_offered_no_more(world: World, tmp_path: Any) -> None:
    """Planted: the import recalls nothing; seen to fail: offered still, to be rung at the time of before."""
    from test_import import load as load_list

    (customer,) = world.customers(1, assignment := world.assignment())
    seller = world.seller(assignment)
    on_wall(world, assignment, customer, datetime(2026, 3, 2, 12), NOON - HOUR, seller=seller)  # noqa: DTZ001
    assert allocate_all(world.opener(), assignment) == 1
    load_list(world, vouching(world, tmp_path, AZORES), mapping={"tz": "verified_zone:anyway"})
    assert live(world) == []
    assert (row_of(world, customer).state, row_of(world, customer).due_at) == ("follow_up", NOON + HOUR)
    assert next_customer(world.opener(NOON + MINUTE), seller) is None
    assert take(world, seller, NOON + HOUR).promised_at == NOON + HOUR
    assert violations(world, NOON + HOUR) == []


def test_dead_before_the_recall_a_list_gives_nobody_the_time_of_before(
    world: World, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: `next` looks at no promise; seen to fail: dealt an hour too early."""
    from test_import import load as load_list

    (customer,) = world.customers(1, assignment := world.assignment())
    seller = world.seller(assignment)
    on_wall(world, assignment, customer, datetime(2026, 3, 2, 12), NOON - HOUR, seller=seller)  # noqa: DTZ001
    allocate_all(world.opener(), assignment)
    monkeypatch.setattr("calling.intake.importing.take_back_moved_promises", lambda *_: None)
    load_list(world, vouching(world, tmp_path, AZORES), mapping={"tz": "verified_zone:anyway"})
    assert [lease.state for lease in live(world)] == ["offered"]
    assert next_customer(world.opener(NOON + MINUTE), seller) is None
    assert live(world) == []
    assert violations(world, NOON + MINUTE) == []


def test_an_outcome_that_consumes_it_at_that_moment_comes_first_or_second(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Just before the locks: nothing is left to move. With the locks in hand: it waits, and finds it moved.

    Planted: what has moved consumed by the call for the time of before; seen to fail.
    """
    people = world.customers(2, assignment := world.assignment())
    noon = datetime(2026, 3, 2, 12, 30)  # noqa: DTZ001 - on a wall
    due = NOON + 30 * MINUTE
    cards = {}
    for customer in people:
        on_wall(world, assignment, customer, noon)
    for _ in people:
        card = take(world, world.seller(assignment), due)
        cards[card.customer_id] = card
    one, two = people
    before, after = acting_before(monkeypatch), acting_after(monkeypatch)

    before(verifying_sql.LOCK, lambda: say(world, cards[one].lease_id, Outcome.NO_ANSWER, due))
    assert verify(world, one, AZORES, due).moved == ()
    assert [row.ended_by for row in promises(world) if row.customer_id == one] == ["outcome"]

    waiting = Thread(target=lambda: say(world, cards[two].lease_id, Outcome.NO_ANSWER, due))
    after(own_wall_sql.OPEN, waiting.start)
    assert len(verify(world, two, AZORES, due).moved) == 1
    waiting.join()
    assert [row.ended_by for row in promises(world) if row.customer_id == two] == ["moved", None]
    assert (row_of(world, two).state, row_of(world, two).due_at) == ("follow_up", due + HOUR)
    assert violations(world, due) == []


@pytest.mark.parametrize(
    ("number", "zone", "dealt"), [("+358401234567", HELSINKI, True), ("+351295212345", AZORES, False)]
)
def test_found_by_a_hand_out_and_moved_before_it_is_dealt_the_time_of_before_is_not_kept(
    world: World, monkeypatch: pytest.MonkeyPatch, number: str, zone: str, dealt: bool
) -> None:
    """Another number is first, and the clock the same. By Helsinki's wall it is due still, but another
    promise: only its own call can keep that.
    """
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    with world.work() as work:
        second = """insert into customer_number (crm_id, customer_id, e164, position, zones)
                    values (:crm_id, :id, :number, 1, array[:zone])"""
        work.run(text(second), id=customer, number=number, zone=zone)
        reclock(work, [customer])
    on_wall(world, assignment, customer, datetime(2026, 3, 2, 12, 30))  # noqa: DTZ001 - on a wall
    due, seller = NOON + 30 * MINUTE, world.seller(assignment)
    acting_after(monkeypatch)(
        load("due_promises"), lambda: set_number(world.opener(due), customer, number, author="Bo", place=1)
    )
    next_customer(world.opener(due), seller)
    card = next_customer(world.opener(due), seller)
    assert (card is not None) == dealt
    standing = [row.id for row in promises(world) if row.ended_at is None]
    assert [lease.follow_up_id for lease in live(world)] == (standing if dealt else [])
    if card is not None:
        say(world, card.lease_id, Outcome.NO_ANSWER, due)
        assert [row.ended_by for row in promises(world)] == ["moved", "outcome"]
    assert violations(world, due) == []


def test_handed_out_at_that_moment_it_is_never_rung_for_the_time_of_before(world: World) -> None:
    """Twenty sellers ask while forty customers turn out to be an hour behind. What was offered comes back,
    what is dealt behind it is not for a promise."""
    people = world.customers(40, assignment := world.assignment())
    noon = datetime(2026, 3, 2, 12, 30)  # noqa: DTZ001 - on a wall
    for customer in people:
        on_wall(world, assignment, customer, noon)
    due = NOON + 30 * MINUTE
    sellers = [world.seller(assignment, f"S{n}") for n in range(20)]
    with world.work() as work:
        names = {
            row.id: row.external_id
            for row in work.run(text("select id, external_id from customer where id = any(:p)"), p=people)
        }
    said = [Said(n, names[customer], AZORES, "a list") for n, customer in enumerate(people)]
    with ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(next_customer, world.opener(due), seller) for seller in sellers[:10]]
        moving = [
            pool.submit(verify_zones, world.opener(due), said[n::4], author="Bo", anyway=True)
            for n in range(4)
        ]
        asking += [pool.submit(next_customer, world.opener(due), seller) for seller in sellers[10:]]
        moved = [one for job in moving for one in job.result()[0]]
        for job in asking:
            job.result()
    reap(world.opener(due))
    assert sum(len(one.moved) for one in moved) == len(people)
    stale = """select count(*) from lease l join follow_up f on f.id = l.follow_up_id
                where l.ended_at is null and l.state = 'offered'
                  and (f.ended_at is not null or f.due_at > :now)"""
    with world.work(due) as work:
        assert work.run(text(stale)).scalar() == 0
    rows = promises(world)
    assert sorted(row.customer_id for row in rows if row.ended_at is None) == sorted(people)
    assert {row.due_at for row in rows if row.ended_at is None} == {due + HOUR}
    assert violations(world, due) == []


def test_outcomes_and_moves_at_once_lose_no_promise_and_double_none(world: World) -> None:
    """Batches of both, in any order."""
    people = world.customers(30, assignment := world.assignment(gap_seconds=0))
    noon = datetime(2026, 3, 2, 12, 30)  # noqa: DTZ001 - on a wall
    due = NOON + 30 * MINUTE
    for customer in people:
        on_wall(world, assignment, customer, noon)
    cards = [take(world, world.seller(assignment, f"S{n}"), due) for n in range(30)]
    with world.work() as work:
        rows = work.run(text("select id, external_id from customer where id = any(:p)"), p=people)
        names = {row.id: row.external_id for row in rows}
    said = [Said(n, names[customer], AZORES, "a list") for n, customer in enumerate(people)]
    reports = [Report(card.lease_id, Outcome.NO_ANSWER, "seller") for card in cards]
    with ThreadPoolExecutor(4) as pool:
        jobs: list[Any] = []
        for n in range(6):
            jobs.append(pool.submit(record_all, world.opener(due), reports[n::6]))
            jobs.append(pool.submit(verify_zones, world.opener(due), said[n::6], author="Bo", anyway=True))
        for job in jobs:
            job.result()
    of: dict[int, list[str | None]] = {}
    for row in promises(world):
        of.setdefault(row.customer_id, []).append(row.ended_by)
    assert sorted(of) == sorted(people)
    assert all(ends in (["outcome"], ["moved", None]) for ends in of.values())
    assert violations(world, due) == []


# --- any wall ------------------------------------------------------------------------------------

ZONES = (
    LISBON, AZORES, TOKYO, HELSINKI, OSLO, "America/New_York", "America/St_Johns", "Asia/Kathmandu",
    "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Chatham", "America/Santiago", "Africa/Casablanca",
)  # fmt: skip


def test_from_any_zone_to_any_zone_it_is_the_first_instant_at_which_the_wall_shows_it(world: World) -> None:
    """Against a look at every minute; and from zone to zone nothing is left of the way. Planted: reckoned on
    the wall of before; seen to fail."""
    random, people = Random(7), world.customers(40, assignment := world.assignment())
    walls = [TUESDAY + timedelta(minutes=random.randrange(60 * 24 * 45)) for _ in people]
    for customer, wall in zip(people, walls, strict=True):
        on_wall(world, assignment, customer, wall)
    with world.work() as work:
        rows = work.run(text("select id, external_id from customer where id = any(:p)"), p=people)
        names = {row.id: row.external_id for row in rows}
    for _ in range(2):
        zones = [random.choice(ZONES) for _ in people]
        said = [Said(n, names[c], z, "x") for n, (c, z) in enumerate(zip(people, zones, strict=True))]
        verify_zones(world.opener(), said, author="Bo", anyway=True)
    standing = {row.customer_id: row for row in promises(world) if row.ended_at is None}
    assert len(standing) == len(people)
    for customer, wall, zone in zip(people, walls, zones, strict=True):
        assert standing[customer].zone == zone
        assert standing[customer].asked_at == shown_first(wall, zone), (wall, zone)
    assert violations(world) == []


def shown_first(wall: datetime, zone: str) -> datetime:
    """The first minute at which that clock shows the time, or has passed it."""
    start, rules = wall.replace(tzinfo=UTC) - timedelta(hours=15), ZoneInfo(zone)
    return next(
        now for n in range(60 * 31)
        if (now := start + n * MINUTE).astimezone(rules).replace(tzinfo=None) >= wall
    )  # fmt: skip


def test_two_hundred_are_moved_by_as_many_statements_as_two(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: a statement a promise; seen to fail."""
    people = world.customers(60, assignment := world.assignment())
    for customer in people:
        on_wall(world, assignment, customer)
    with world.work() as work:
        rows = work.run(text("select external_id from customer where id = any(:p) order by id"), p=people)
        said = [Said(n, name, TOKYO, "x") for n, name in enumerate(rows.scalars())]
    counts, real = [0], Work.run

    def counting(self: Work, statement: Any, **values: Any) -> Any:
        counts[-1] += 1
        return real(self, statement, **values)

    instead_of_run(monkeypatch, counting)
    for some in (said[:2], said[2:4], said[4:]):
        done, _ = verify_zones(world.opener(), some, author="Bo", anyway=True)
        assert all(one.moved for one in done)
        counts.append(0)
    assert counts[1] == counts[2]
