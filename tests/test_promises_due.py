"""Promised calls that are due: who is handed them, when they are anybody's, and what they keep others off."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from calls import say, take
from interleaving import acting_before
from promises import DAY, HOUR, MINUTE, live, promise, promises, row_of, violations, watch
from sqlalchemy import text
from world import NOON, World

from calling.customers.verifying import verify_zone
from calling.follow_ups import promising
from calling.follow_ups.asking import Wish
from calling.follow_ups.handing_over import hand_over
from calling.follow_ups.promising import Patch
from calling.handout import placements, promise_watch, promised
from calling.handout.allocate import allocate_all
from calling.handout.due import open_gates
from calling.handout.hand_out import next_customer
from calling.handout.presence import be
from calling.handout.reaper import reap
from calling.limits.changing import NewLimit, set_limit
from calling.walls.hours import set_hours
from calling.walls.pause import pause, resume
from calling.walls.suppress import suppress
from models.outcomes import Outcome

DUE = NOON + MINUTE
TUESDAY = datetime(2026, 3, 3, 9, 1, tzinfo=NOON.tzinfo)
AFTERNOON = {"mon": [["17:00", "20:00"]]}
FIVE = NOON.replace(hour=17, minute=1)


def handed(world: World, seller: int, now: datetime) -> int | None:
    """Whom a seller is handed next."""
    card = next_customer(world.opener(now), seller)
    return card.customer_id if card else None


def share_a_number(world: World, one: int, other: int) -> None:
    """The other is rung at the number of the one as well."""
    with world.work() as work:
        work.run(
            text("""insert into customer_number (crm_id, customer_id, e164, position, zones)
                    select crm_id, :other, e164, 1, zones from customer_number where customer_id = :one"""),
            one=one, other=other,
        )  # fmt: skip


@pytest.fixture(params=["few", "many"])
def crowd(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether the due ones are read one by one, or by the segments and clocks in which there are any."""
    monkeypatch.setattr(promised, "FEW", 1_000 if request.param == "few" else 0)
    return str(request.param)


# --- who is handed them ---------------------------------------------------------------------------


@pytest.mark.usefixtures("crowd")
def test_older_ones_of_a_segment_that_nobody_works_stand_before_nobody(world: World) -> None:
    """Planted: every segment probed at once; seen to fail."""
    assignment = world.assignment()
    quiet, worked = world.segment(assignment), world.segment(assignment)
    for customer in world.customers(5, assignment, segment_id=quiet):
        promise(world, assignment, customer, DUE)
    (mine,) = world.customers(1, assignment, segment_id=worked)
    promise(world, assignment, mine, NOON + 2 * MINUTE)
    assert handed(world, world.seller(assignment, segment_id=worked), NOON + HOUR) == mine


@pytest.mark.usefixtures("crowd")
def test_one_segments_many_promises_starve_no_other_seller(world: World) -> None:
    """Dealt to all at once: each kind of holder is probed for itself. Planted: one limit for all; seen to
    fail."""
    assignment = world.assignment()
    busy, calm = world.segment(assignment), world.segment(assignment)
    for customer in world.customers(9, assignment, segment_id=busy):
        promise(world, assignment, customer, DUE)
    (last,) = world.customers(1, assignment, segment_id=calm)
    promise(world, assignment, last, NOON + 2 * MINUTE)
    sellers = [world.seller(assignment, segment_id=segment) for segment in (busy, calm)]
    allocate_all(world.opener(NOON + HOUR), assignment)
    assert {lease.seller_id: lease.customer_id == last for lease in live(world)} == dict(
        zip(sellers, (False, True), strict=True)
    )


@pytest.mark.parametrize("own", [False, True])
def test_older_ones_whom_a_gate_stops_stand_before_nobody(world: World, own: bool) -> None:
    """More than are looked at once. Planted, of its own and of anybody's: the stamp not asked; each seen to
    fail."""
    assignment = world.assignment()
    *stopped, last = world.customers(6, assignment)
    ana = world.seller(assignment)
    for minutes, customer in enumerate([*stopped, last], 1):
        promise(world, assignment, customer, NOON + minutes * MINUTE, seller=ana if own else None)
    for customer in stopped:
        suppress(world.opener(), customer_id=customer, reason="asked", author="Kari")
    assert handed(world, ana, NOON + 10 * MINUTE) == last


def test_what_is_anybodys_goes_out_oldest_first(world: World) -> None:
    """Not by the customers' ids. Planted; seen to fail."""
    assignment = world.assignment()
    customers = world.customers(6, assignment)
    for minutes, customer in enumerate(reversed(customers), 1):
        promise(world, assignment, customer, NOON + minutes * MINUTE)
    assert handed(world, world.seller(assignment), NOON + HOUR) == customers[-1]


@pytest.mark.usefixtures("crowd")
def test_where_robots_are_forbidden_they_stand_before_nobody(world: World) -> None:
    """Planted: clocks that the robot may not ring probed with the others; seen to fail."""
    assignment = world.assignment()
    iranians = world.customers(6, zones=["Asia/Tehran"])
    world.place(iranians, assignment, clock_id=world.clock(["Asia/Tehran"], ["IR"]))
    (portuguese,) = world.customers(1, assignment)
    for customer in (*iranians, portuguese):
        promise(world, assignment, customer, DUE)
    world.seller(assignment)
    robot = world.dialer(assignment, mode="voice_robot", wanted=1, wanted_at=DUE)
    allocate_all(world.opener(DUE), assignment)
    assert [lease.customer_id for lease in live(world) if lease.dialer_id == robot] == [portuguese]


@pytest.mark.parametrize(("mode", "given"), [("voice_robot", 1), ("key_press", 1), ("connect", 4)])
def test_what_was_somebodys_own_is_rung_by_people(world: World, mode: str, given: int) -> None:
    """Its grace over, handed to everybody, or changed to be everybody's. Planted: whatever is anybody's;
    seen to fail."""
    assignment = world.assignment()
    passed, handed_on, given_up, nobodys = world.customers(4, assignment)
    owner, leaver = world.seller(assignment, presence="away"), world.seller(presence="away")
    promise(world, assignment, passed, DUE, seller=owner)
    promise(world, assignment, handed_on, DUE, seller=leaver)
    made = promise(world, assignment, given_up, DUE, seller=owner)
    promise(world, assignment, nobodys, DUE)
    hand_over(world.opener(), leaver, None, expected=1, author="Kari")
    promising.change(world.opener(), made.id, Patch(reowned=True), author="Kari", made_by="api")
    later = DUE + 20 * MINUTE
    watch(world, DUE)
    world.dialer(assignment, mode=mode, wanted=9, wanted_at=later)
    allocate_all(world.opener(later), assignment)
    assert len(live(world)) == given
    assert nobodys in {lease.customer_id for lease in live(world)}


# --- the grace ------------------------------------------------------------------------------------


def test_put_off_overnight_it_is_its_owners_again(world: World) -> None:
    """Planted: the grace counted from when it was due; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    world.customers(1, assignment)
    owner, other = world.seller(assignment), world.seller(assignment)
    late = NOON.replace(hour=19, minute=52)
    promise(world, assignment, row_of_only(world), late, seller=owner)
    say(world, take(world, owner, late).lease_id, Outcome.FAILED, late)
    for now in (late + HOUR, TUESDAY, TUESDAY + 14 * MINUTE):
        watch(world, now)
        assert handed(world, other, now) is None
    assert handed(world, other, TUESDAY + 15 * MINUTE) is not None


def row_of_only(world: World) -> int:
    """The only customer there is."""
    with world.work() as work:
        return int(work.run(text("select id from customer")).scalar_one())


def test_an_owner_who_went_home_in_the_evening_is_waited_for_in_the_morning(world: World) -> None:
    """Away for the day is an hour in which they might have rung. Planted: any hour; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    owner, other = world.seller(assignment), world.seller(assignment)
    with world.work(NOON.replace(hour=17)) as work:
        be(work, owner, "away")
    promise(world, assignment, customer, TUESDAY, seller=owner)
    watch(world, TUESDAY)
    assert handed(world, other, TUESDAY + 14 * MINUTE) is None
    assert handed(world, other, TUESDAY + 15 * MINUTE) == customer


def test_the_grace_does_not_run_while_hours_a_pause_or_a_limit_hold_it(world: World) -> None:
    """And begins anew afterwards. Planted: never stopped again; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    segment = world.segment(assignment)
    (customer,) = world.customers(1, assignment, segment_id=segment)
    owner, other = world.seller(assignment), world.seller(assignment)
    promise(world, assignment, customer, DUE, seller=owner)
    watch(world, DUE)
    assert promises(world)[0].anybodys_at == DUE + 15 * MINUTE
    pause(world.opener(DUE + MINUTE), "segment", segment, reason="r", author="a")
    watch(world, DUE + MINUTE)
    assert promises(world)[0].anybodys_at is None
    resume(world.opener(NOON + HOUR), "segment", segment, author="a")
    watch(world, NOON + HOUR)
    assert promises(world)[0].anybodys_at == NOON + HOUR + 15 * MINUTE
    set_hours(world.opener(NOON + HOUR), segment_id=segment, week=AFTERNOON, reason="r", author="k")
    for now in (NOON + HOUR + MINUTE, FIVE):
        watch(world, now)
        assert handed(world, other, now) is None
    assert promises(world)[0].anybodys_at == FIVE + 15 * MINUTE
    assert handed(world, other, FIVE + 15 * MINUTE) == customer


def test_while_a_limit_holds_it_it_waits_for_its_owner(world: World) -> None:
    assignment = world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, assignment)
    owner, other = world.seller(assignment), world.seller(assignment)
    set_limit(world.opener(), NewLimit(1, "customer", "t", seconds=7200), "Kari")
    say(world, take(world, owner).lease_id, Outcome.FOLLOW_UP, promise=Wish(NOON + HOUR))
    watch(world, NOON + HOUR)
    free = NOON + 2 * HOUR
    open_gates(world.opener(free))
    watch(world, free)
    assert handed(world, other, free + 14 * MINUTE) is None
    assert handed(world, other, free + 15 * MINUTE) == customer


def test_whoever_it_is_handed_to_is_waited_for_too(world: World) -> None:
    """Planted: the old owner's grace goes on; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    leaver, heir, other = (world.seller(assignment) for _ in range(3))
    promise(world, assignment, customer, DUE, seller=leaver)
    watch(world, DUE)
    later = DUE + 14 * MINUTE
    hand_over(world.opener(later), leaver, heir, expected=1, author="Kari")
    watch(world, later)
    assert handed(world, other, later + 14 * MINUTE) is None
    assert handed(world, heir, later + 14 * MINUTE) == customer


def test_a_note_begins_no_other_grace_and_another_time_does(world: World) -> None:
    """Planted: begun anew with each change; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    made = promise(world, assignment, customer, DUE, seller=world.seller(assignment))
    watch(world, DUE)
    later = DUE + 5 * MINUTE
    noted = promising.change(world.opener(later), made.id, Patch(note="n"), author="a", made_by="api")
    assert promises(world)[-1].anybodys_at == DUE + 15 * MINUTE
    other = Patch(Wish(later + MINUTE))
    promising.change(world.opener(later), noted.id, other, author="a", made_by="api")
    assert promises(world)[-1].anybodys_at is None


# --- elsewhere ------------------------------------------------------------------------------------


@pytest.mark.parametrize("held", ["paused", "shut", "nobody there"])
def test_what_nobody_can_ring_now_keeps_nobody_off(world: World, held: str) -> None:
    """Nor takes from their hands whoever shares its number. Planted: kept free whatever stops it; recalled
    whatever stops it; seen to fail, both."""
    here, there = world.assignment(), world.assignment()
    segment = world.segment(here)
    (promised,) = world.customers(1, here, segment_id=segment)
    (sharer,) = world.customers(1, there)
    share_a_number(world, promised, sharer)
    world.seller(there)
    if held != "nobody there":
        world.seller(here)
    promise(world, here, promised, DUE)
    if held == "paused":
        pause(world.opener(), "assignment", here, reason="r", author="a")
    if held == "shut":
        set_hours(world.opener(), segment_id=segment, week=AFTERNOON, reason="r", author="k")
    for second in range(3):
        now = DUE + timedelta(seconds=second)
        assert watch(world, now) == 0
        allocate_all(world.opener(now), there)
        assert [lease.customer_id for lease in live(world)] == [sharer]


def test_whoever_is_offered_for_another_promise_is_not_wanted_back(world: World) -> None:
    """Promised in two assignments: one of them keeps its word now. Planted: any offer; seen to fail."""
    spring, autumn = world.assignment("Spring"), world.assignment("Autumn")
    (customer,) = world.customers(1, spring)
    world.place([customer], autumn)
    for assignment in (spring, autumn):
        world.seller(assignment)
        promise(world, assignment, customer, DUE)
    allocate_all(world.opener(NOON + 2 * MINUTE), spring)
    assert watch(world, NOON + 2 * MINUTE) == 0
    (lease,) = live(world)
    assert lease.follow_up_id is not None


def test_when_its_hours_open_later_it_takes_them_back_then(world: World) -> None:
    """Planted: recalled only in the first hour after it was due; seen to fail."""
    here, there = world.assignment(), world.assignment()
    segment = world.segment(here)
    (customer,) = world.customers(1, here, segment_id=segment)
    world.place([customer], there)
    seller = world.seller(here)
    world.seller(there)
    promise(world, here, customer, NOON + HOUR, seller=seller)
    set_hours(world.opener(), segment_id=segment, week=AFTERNOON, reason="r", author="k")
    watch(world, FIVE - MINUTE)
    allocate_all(world.opener(FIVE - MINUTE), there)
    assert [lease.assignment_id for lease in live(world)] == [there]
    assert watch(world, FIVE) == 1
    assert handed(world, seller, FIVE) == customer


def test_whoever_shares_a_number_is_kept_off_too_while_the_owner_talks(world: World) -> None:
    """Recalled once, if at all, and not dealt again each second. Planted: only the customer kept free; seen
    to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    (sharer,) = world.customers(1, assignment)
    share_a_number(world, customer, sharer)
    owner, other = world.seller(assignment), world.seller(assignment)
    world.customers(1, assignment, rank=-5)
    call = take(world, owner)
    promise(world, assignment, customer, DUE, seller=owner)
    recalls = 0
    for second in range(4):
        now = DUE + timedelta(seconds=second)
        recalls += watch(world, now)
        assert handed(world, other, now) is None
    assert recalls == 0
    say(world, call.lease_id, Outcome.NO_SALE, DUE + MINUTE)
    assert handed(world, owner, DUE + MINUTE) == customer


def test_an_owners_next_promise_counts_while_the_first_is_on_a_telephone(world: World) -> None:
    """Who is being rung elsewhere cannot be asked back; who is offered elsewhere can. Planted: both looked
    at alike; seen to fail."""
    ours, theirs = world.assignment("Ours"), world.assignment("Theirs")
    first, second = world.customers(2, ours)
    world.place([first, second], theirs)
    ana, bo = world.seller(ours, "Ana"), world.seller(theirs, "Bo")
    world.seller(theirs, "Per")
    promise(world, ours, first, DUE, seller=ana)
    promise(world, ours, second, NOON + 2 * MINUTE, seller=ana)
    assert take(world, bo).customer_id == first
    allocate_all(world.opener(NOON), theirs)
    assert watch(world, NOON + 5 * MINUTE) == 1
    assert handed(world, ana, NOON + 5 * MINUTE) == second


def test_kept_free_no_longer_than_somebody_looks(world: World) -> None:
    """The ticks have stopped, or the taker left: others are offered them again."""
    here, there = world.assignment(), world.assignment()
    (customer,) = world.customers(1, here)
    world.place([customer], there)
    owner, rival = world.seller(here), world.seller(there)
    promise(world, here, customer, DUE, seller=owner)
    watch(world, DUE)
    assert handed(world, rival, DUE + MINUTE) is None
    assert handed(world, rival, DUE + 2 * MINUTE) == customer


# --- races and crashes --------------------------------------------------------------------------------------


def test_dead_between_a_new_owner_and_the_recall(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Changed, or handed over: the reaper finds it. Planted: the reaper looks at neither; seen to fail."""
    assignment = world.assignment(hold_seconds=7200)
    changed, handed_on = world.customers(2, assignment)
    owner, leaver, heir = (world.seller(assignment) for _ in range(3))
    made = promise(world, assignment, changed, DUE, seller=owner)
    promise(world, assignment, handed_on, DUE, seller=leaver)
    allocate_all(world.opener(DUE), assignment)
    assert len(live(world)) == 2
    dead = Patch(reowned=True, seller_id=heir)
    with monkeypatch.context() as died:
        died.setattr(promising, "_take_back", lambda *_: None)
        died.setattr("calling.follow_ups.handing_over.recall", lambda *_, **__: None)
        promising.change(world.opener(DUE), made.id, dead, author="k", made_by="api")
        hand_over(world.opener(DUE), leaver, heir, expected=1, author="k")
    assert len(live(world)) == 2
    reap(world.opener(DUE + MINUTE))
    assert live(world) == []


@pytest.mark.parametrize("door", ["another time", "another owner", "handed over", "first promised", "moved"])
def test_dead_before_the_recall_nobody_is_given_what_is_no_longer_so(
    world: World, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    """Whoever asks before the reaper has looked. Planted: `next` does not look; seen to fail at each."""
    (customer,) = world.customers(1, assignment := world.assignment(hold_seconds=7200))
    owner, heir = world.seller(assignment), world.seller(assignment)
    if door != "first promised":
        wish = Wish(wall_time=datetime(2026, 3, 2, 12))  # noqa: DTZ001 - on a wall
        who: dict[str, Any] = {"seller_id": owner, "author": "k", "made_by": "api"}
        promising.promise(world.opener(NOON - HOUR), assignment, customer, wish, **who)
    with world.work() as work:
        work.run(text("update seller set presence = 'away' where id = :id"), id=heir)
    allocate_all(world.opener(), assignment)
    assert [lease.seller_id for lease in live(world)] == [owner]
    now = world.opener(NOON + MINUTE)
    with monkeypatch.context() as died:
        for behind in ("follow_ups.promising._take_back", "follow_ups.handing_over.recall",
                       "customers.verifying.afterwards"):  # fmt: skip
            died.setattr(f"calling.{behind}", lambda *_, **__: None)
        if door == "first promised":
            promise(world, assignment, customer, NOON + DAY)
        elif door == "handed over":
            hand_over(now, owner, heir, expected=1, author="k")
        elif door == "moved":
            verify_zone(now, customer, "Atlantic/Azores", author="Bo", reason="asked her", anyway=True)
        else:
            other = Patch(Wish(NOON + DAY)) if door == "another time" else Patch(reowned=True, seller_id=heir)
            promising.change(now, promises(world)[0].id, other, author="k", made_by="api")
    assert [lease.state for lease in live(world)] == ["offered"]
    assert next_customer(now, owner) is None
    assert live(world) == []
    assert row_of(world, customer).state == "follow_up"
    assert violations(world, NOON + MINUTE) == []


def test_the_reaper_leaves_whoever_was_handed_what_had_become_anybodys(world: World) -> None:
    assignment = world.assignment(hold_seconds=7200)
    (customer,) = world.customers(1, assignment)
    owner = world.seller(assignment, presence="away", presence_since=NOON)
    other = world.seller(assignment)
    promise(world, assignment, customer, NOON + DAY, seller=owner)
    at = NOON + DAY + 2 * HOUR
    watch(world, at)
    allocate_all(world.opener(at), assignment)
    reap(world.opener(at + MINUTE))
    assert [lease.seller_id for lease in live(world)] == [other]
    assert row_of(world, customer).state == "leased"


def test_taken_back_while_the_tick_looks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has ended by then is written no more. Planted: written whatever became of it; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    made = promise(world, assignment, customer, DUE, seller=world.seller(assignment))
    acting_before(monkeypatch)(
        placements._LOCK, lambda: promising.cancel(world.opener(DUE), made.id, author="a")
    )
    watch(world, DUE)
    (row,) = promises(world)
    assert (row.ended_by, row.anybodys_at, row.kept_free_until) == ("cancelled", None, None)


def test_dead_between_the_look_and_the_recall(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next tick recalls them."""
    here, there = world.assignment(), world.assignment()
    (customer,) = world.customers(1, here)
    world.place([customer], there)
    seller = world.seller(here)
    world.seller(there)
    promise(world, here, customer, DUE)
    allocate_all(world.opener(), there)
    with monkeypatch.context() as died:
        died.setattr(promise_watch, "recall", lambda *_, **__: None)
        watch(world, DUE)
    assert [lease.assignment_id for lease in live(world)] == [there]
    assert watch(world, DUE) == 1
    assert handed(world, seller, DUE) == customer


def test_an_owner_who_turns_to_another_segment_keeps_their_promise_and_nobody_elses(world: World) -> None:
    """Theirs is theirs in whatever segment it is. Planted: all of the other segment goes; seen to fail."""
    assignment = world.assignment()
    first, second = world.segment(assignment), world.segment(assignment)
    own, shared = world.customers(2, assignment, segment_id=first)
    owner, other = (world.seller(assignment, segment_id=first) for _ in range(2))
    promise(world, assignment, own, DUE, seller=owner)
    promise(world, assignment, shared, DUE)
    allocate_all(world.opener(NOON + HOUR), assignment)
    assert [(lease.customer_id, lease.seller_id) for lease in live(world)] == [(own, owner), (shared, other)]
    for seller in (owner, other):
        with world.work(NOON + HOUR) as work:
            be(work, seller, "available", assignment_id=assignment, segment_id=second)
    assert [lease.customer_id for lease in live(world)] == [own]
