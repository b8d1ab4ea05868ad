"""Presence: why a seller is away, until when, by whose word, and what it does to leases and promises."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interleaving import Hook, acting_before
from promises import HOUR, MINUTE, live, promise, promises, watch
from sqlalchemy import text
from world import NOON, World, wait_until

from calling.follow_ups.listing import follow_ups
from calling.follow_ups.wall_time import wall_of
from calling.handout import hand_out, presence, top_of_list
from calling.handout.absence import NOTHING, Absence, Reckoned, check, end_of_day, reckon, told
from calling.handout.allocate import allocate_all
from calling.handout.hand_out import HandOut, next_customer
from calling.handout.presence import be
from calling.handout.ring import ring
from calling.hours import opening
from calling.hours.zones import zone, zone_names
from calling.segments.editing import delete
from calling.segments.publishing import publish
from calling.views.explain import explain
from calling.views.floor import floor
from calling.views.holders import Who
from models import turnstile
from models.errors import BadInput, BadValues, Conflict, LeaseGone
from models.tables import FOREVER
from models.tables.people import AWAY_REASONS, BREAKS, DAYS_OFF

LISBON = zone("Europe/Lisbon")
MIDNIGHT = datetime(2026, 3, 3, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def goes(world: World, seller: int, said: Absence, now: datetime = NOON, **who: Any) -> None:
    with world.work(now) as work:
        be(work, seller, "away", said=said, **who)


def comes(world: World, seller: int, now: datetime, **work_of: Any) -> None:
    with world.work(now) as work:
        be(work, seller, "available", **work_of)


def handed(world: World, seller: int, now: datetime) -> int | None:
    card = next_customer(world.opener(now), seller)
    return card.customer_id if card else None


def take(world: World, seller: int, now: datetime = NOON) -> HandOut:
    """Their next customer, on the screen and not rung."""
    card = next_customer(world.opener(now), seller)
    assert card is not None
    return card


def changes(world: World) -> list[Any]:
    with world.work() as work:
        return list(work.run(text("select * from presence_change order by id")))


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Hook:
    return acting_before(monkeypatch)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


# --- what was said, and what it comes to ----------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "back_at", "off_until"),
    [
        (Absence("lunch", NOON + HOUR), NOON + HOUR, None),
        (Absence("break"), None, None),
        (Absence("off"), MIDNIGHT, MIDNIGHT),
        (Absence("off", NOON + DAY), NOON + DAY, NOON + DAY),
        (Absence("ill"), None, FOREVER),
        (Absence("ill", "today"), MIDNIGHT, MIDNIGHT),
        (Absence("ill", NOON + HOUR), NOON + HOUR, NOON + HOUR),
        (Absence("training", "today"), MIDNIGHT, MIDNIGHT),
        (Absence("training", MIDNIGHT - SECOND), MIDNIGHT - SECOND, None),
        (Absence(None, NOON + DAY), NOON + DAY, NOON + DAY),
    ],
)
def test_what_an_absence_comes_to(said: Absence, back_at: datetime, off_until: datetime) -> None:
    assert reckon(said, NOON, LISBON) == Reckoned(said.reason, back_at, off_until)


@given(
    st.sampled_from(sorted(zone_names())),
    st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_a_day_ends_with_the_first_instant_of_another_date(name: str, now: datetime) -> None:
    """In every zone, on days of 23 and 25 hours too."""
    end = end_of_day(now, zone(name))
    today = wall_of(zone(name), now).date()
    assert now < end <= now + timedelta(hours=25)
    assert wall_of(zone(name), end).date() > today
    assert wall_of(zone(name), end - SECOND).date() == today


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(BadValues) as wrong:
        check("gone", Absence("luhcn"))
    assert [path for path, _ in wrong.value.problems] == ["presence", "reason"]
    assert "did you mean 'lunch'?" in wrong.value.problems[1][1]
    with pytest.raises(BadValues, match="no reason to be away"):
        check("available", Absence("lunch"))
    for back_at in (NOON, NOON + 367 * DAY):
        with pytest.raises(BadInput, match="back_at"):
            reckon(Absence("ill", back_at), NOON, LISBON)


def test_in_words_on_the_floors_clock() -> None:
    summer = datetime(2026, 7, 6, 10, tzinfo=UTC)  # 11:00 in Lisbon
    evening = end_of_day(summer, LISBON)
    assert told("lunch", summer + HOUR, summer, LISBON) == "lunch until 12:00"
    assert told("off", evening, summer, LISBON) == "off today"
    assert told("holiday", evening + 7 * DAY, summer, LISBON) == "holiday until Tue 14 Jul"
    assert told("training", evening + 9 * HOUR, summer, LISBON) == "training until Tue 7 Jul 09:00"
    assert (told("ill", None, summer, LISBON), told(None, None, summer, LISBON)) == ("ill", "")


# --- leases ---------------------------------------------------------------------------------------


def test_sent_away_by_a_manager(world: World) -> None:
    """Their list and whom they look at go back, at once; whom they talk to stays; `next` says why."""
    assignment = world.assignment()
    world.customers(6, assignment)
    looking, talking = world.seller(assignment), world.seller(assignment)
    cards = [take(world, seller) for seller in (looking, talking)]
    with world.work() as work:
        ring(work, cards[1].lease_id, talking)
    for seller in (looking, talking):
        goes(world, seller, Absence("ill", NOON + HOUR), said_by="Kari")
    assert [(lease.seller_id, lease.state) for lease in live(world)] == [(talking, "rung")]
    assert {hint.subject for hint in world.hints if hint.kind == "lease_taken_away"} == {looking, talking}
    with world.work() as work, pytest.raises(LeaseGone, match="recalled"):
        ring(work, cards[0].lease_id, looking)
    with pytest.raises(Conflict, match="ill until 2026-03-02 13:00 UTC, says Kari") as refused:
        next_customer(world.opener(), looking)
    known = {key: refused.value.data[key] for key in ("reason", "back_at", "said_by", "since")}
    assert known == {"reason": "ill", "back_at": NOON + HOUR, "said_by": "Kari", "since": NOON}


def test_when_the_time_is_over_nobody_is_dealt_to_an_empty_chair(world: World) -> None:
    assignment = world.assignment()
    world.customers(2, assignment)
    seller = world.seller(assignment)
    goes(world, seller, Absence("lunch", NOON + 30 * MINUTE))
    later = NOON + HOUR
    allocate_all(world.opener(later), assignment)
    assert live(world) == []
    with pytest.raises(Conflict, match="away: lunch"):
        next_customer(world.opener(later), seller)
    comes(world, seller, later)
    assert handed(world, seller, later) is not None


def test_whoever_comes_back_works_what_they_worked(world: World) -> None:
    one, two = world.assignment(), world.assignment()
    segment = world.segment(one)
    seller = world.seller(one, segment_id=segment)
    goes(world, seller, Absence("lunch"))
    comes(world, seller, NOON + MINUTE)
    where = text("select assignment_id, segment_id from seller")
    with world.work() as work:
        assert tuple(work.run(where).one()) == (one, segment)
    comes(world, seller, NOON + 2 * MINUTE, assignment_id=two)
    with world.work() as work:
        assert tuple(work.run(where).one()) == (two, None)


def test_a_segment_that_is_deleted_meanwhile_is_not_kept(world: World, before: Hook) -> None:
    """Planted: kept as it was read before the lock; seen to fail: they worked a segment that is no more."""
    assignment = world.assignment()
    ours = {"key": "ours", "name": "Ours", "when": {"f": "attempts", "op": "gt", "v": 5}}
    publish(world.opener(), assignment, {"segments": [ours]}, author="Di")
    with world.work() as work:
        segment = work.run(text("select id from segment where key = 'ours'")).scalar_one()
    seller = world.seller(assignment, segment_id=segment)
    before(turnstile._SHARED, lambda: delete(world.opener(), assignment, "ours", author="Di"))
    goes(world, seller, Absence("lunch"))
    comes(world, seller, NOON + MINUTE)
    with world.work() as work:
        assert tuple(work.run(text("select assignment_id, segment_id from seller")).one()) == (
            assignment, None,
        )  # fmt: skip


# --- what was promised ----------------------------------------------------------------------------


def test_who_is_off_is_not_waited_for(world: World) -> None:
    """What is due is everybody's at once, what comes due later from its time on. Planted: the tick looks at
    an hour's absence alone; seen to fail."""
    assignment = world.assignment()
    due, coming = world.customers(2, assignment)
    owner, other = world.seller(assignment), world.seller(assignment)
    promise(world, assignment, due, NOON + MINUTE, seller=owner)
    promise(world, assignment, coming, NOON + 30 * MINUTE, seller=owner)
    now = NOON + 2 * MINUTE
    watch(world, now)
    assert handed(world, other, now) is None
    goes(world, owner, Absence("off"), now)
    watch(world, now)
    assert handed(world, other, now) == due
    third = world.seller(assignment)
    then = NOON + 30 * MINUTE
    watch(world, then - SECOND)
    assert handed(world, third, then - SECOND) is None
    watch(world, then)
    assert handed(world, third, then) == coming


@pytest.mark.parametrize("said", [Absence("lunch", NOON + 2 * HOUR), Absence("ill", NOON + HOUR)])
def test_whoever_said_when_they_are_back_is_waited_for(world: World, said: Absence) -> None:
    """On a long break, and after it: by the grace alone, until they are an hour late. Planted: the hour
    counted from when they left; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    owner, other = world.seller(assignment), world.seller(assignment)
    goes(world, owner, said)
    due = NOON + 90 * MINUTE
    promise(world, assignment, customer, due, seller=owner)
    watch(world, due)
    assert handed(world, other, due + 14 * MINUTE) is None
    assert handed(world, other, due + 15 * MINUTE) == customer


def test_back_early_they_are_handed_what_nobody_has_taken(world: World) -> None:
    """It stays everybody's, and is theirs first when they ask; what is due later is theirs alone again."""
    assignment = world.assignment()
    due, coming = world.customers(2, assignment)
    owner, other = world.seller(assignment), world.seller(assignment, presence="away")
    goes(world, owner, Absence("ill"))
    promise(world, assignment, due, NOON + MINUTE, seller=owner)
    promise(world, assignment, coming, NOON + HOUR, seller=owner)
    watch(world, NOON + MINUTE)
    comes(world, owner, NOON + 2 * MINUTE)
    assert promises(world)[0].anybodys_at == NOON + MINUTE
    assert handed(world, owner, NOON + 2 * MINUTE) == due
    comes(world, other, NOON + HOUR)
    watch(world, NOON + HOUR)
    assert handed(world, other, NOON + HOUR) is None


@pytest.mark.parametrize("seed", range(6))
def test_random_days_against_a_plain_model(world: World, seed: int) -> None:
    """When a promise becomes everybody's, tick for tick, whatever its owner says meanwhile. Planted: who is
    back another day but names no day off not counted; seen to fail."""
    die = Random(seed)
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    owner = world.seller(assignment)
    due = NOON + die.randrange(1, 200) * MINUTE
    promise(world, assignment, customer, due, seller=owner)
    there, since, said, anybodys = True, NOON, NOTHING, None
    now = NOON
    for _ in range(12):
        now += die.randrange(3, 50) * MINUTE
        if now >= NOON + 7 * HOUR:
            break
        deed = die.random()
        if deed < 0.3:
            comes(world, owner, now)
            since, there, said = (since if there else now), True, NOTHING
        elif deed < 0.8:
            reason = die.choice([None, *AWAY_REASONS])
            back = die.choice([None, now + die.randrange(1, 120) * MINUTE, now + die.randrange(1, 3) * DAY])
            goes(world, owner, Absence(reason, back), now)
            same = not there and reason == said.reason
            ends = MIDNIGHT if reason == "off" and back is None else back
            off = reason in DAYS_OFF or (ends is not None and ends >= MIDNIGHT)
            there, since = False, since if same else now
            said = Reckoned(reason, ends, (ends or FOREVER) if off else None)
        watch(world, now)
        gone = (said.off_until or NOON) > now or (
            not there and now - max(since, said.back_at or since) >= HOUR
        )
        if now >= due and gone:
            anybodys = min(anybodys or now, now)
        elif now >= due and anybodys is None:
            anybodys = now + 15 * MINUTE
        assert promises(world)[0].anybodys_at == anybodys, (now, said)


# --- whoever looks --------------------------------------------------------------------------------


def test_whose_a_promise_is_while_its_owner_is_off(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    ana, bo = world.seller(assignment, "Ana"), world.seller(assignment, "Bo")
    goes(world, ana, Absence("ill", "today"), said_by="Kari")
    due = NOON + HOUR
    promise(world, assignment, customer, due, seller=ana)

    def why(now: datetime) -> tuple[bool, datetime | None, str]:
        with world.work(now) as work:
            found = explain(work, assignment, customer, Who("seller", bo)).holder
        assert found is not None
        (answer,) = (one for one in found.answers if one.gate == "promise")
        return answer.open, answer.until, answer.fact

    with world.work() as work:
        state = explain(work, assignment, customer).answers[0].fact
    assert state.endswith("; Ana's, who is off for the day: everybody's from 2026-03-02 13:00 UTC")
    assert why(NOON) == (False, due, "the promise is everybody's from then on: Ana is ill today")
    assert why(due)[0] is False  # the tick has not looked
    watch(world, due)
    assert why(due) == (True, None, "the promise is everybody's: Ana is ill today")
    assert why(MIDNIGHT)[2] == "anybody may keep the promise by now"
    with world.work(due) as work:
        (listed,) = follow_ups(work, 0, 9)
        (hers, _) = floor(work, assignment).sellers
        seen = explain(work, assignment, customer, Who("seller", ana)).holder
    assert listed.anybodys
    assert listed.owner_off is not None
    assert (listed.owner_off.reason, listed.owner_off.back_at) == ("ill", MIDNIGHT)
    assert (hers.state, hers.reason, hers.back_at, hers.said_by, hers.off) == (
        "away", "ill", MIDNIGHT, "Kari", True,
    )  # fmt: skip
    assert seen is not None
    there = "away since 2026-03-02 12:00 UTC: ill until 2026-03-03 00:00 UTC, says Kari"
    assert [one.fact for one in seen.answers if one.gate == "presence"] == [there]
    comes(world, ana, due)
    with world.work(due) as work:
        assert follow_ups(work, 0, 9)[0].owner_off is None


def test_every_change_is_kept_and_saying_it_again_is_none(world: World) -> None:
    assignment = world.assignment()
    seller = world.seller(assignment)
    for _ in range(2):
        goes(world, seller, Absence("lunch", NOON + HOUR))
    later = NOON + 31 * MINUTE
    goes(world, seller, Absence("meeting"), later, said_by="Kari")
    comes(world, seller, NOON + HOUR)
    found = [
        (one.before_reason or one.before_presence, one.before_since, one.reason or one.presence, one.said_by)
        for one in changes(world)
    ]
    assert found == [
        ("available", NOON, "lunch", None), ("lunch", NOON, "meeting", "Kari"),
        ("meeting", later, "available", None),
    ]  # fmt: skip
    assert [one.changed_at for one in changes(world)] == [NOON, later, NOON + HOUR]


# --- two tabs, two at once ------------------------------------------------------------------------


def test_two_tabs_are_one_seller(world: World) -> None:
    """Away in one, the other is told; back in one, both show the same customer."""
    assignment = world.assignment()
    world.customers(5, assignment)
    seller = world.seller(assignment)
    first = take(world, seller)
    goes(world, seller, Absence("break"))
    with pytest.raises(Conflict, match="you are away: break"):
        next_customer(world.opener(), seller)
    with world.work() as work, pytest.raises(LeaseGone, match="released"):
        ring(work, first.lease_id, seller)
    comes(world, seller, NOON)
    one, other = take(world, seller), take(world, seller)
    assert one.lease_id == other.lease_id != first.lease_id


_SECOND_NUMBERS = text("""
    insert into customer_number (crm_id, customer_id, e164, position, zones)
    select crm_id, customer_id, '+3512' || right(e164, 8), 1, zones from customer_number
""")


@pytest.mark.parametrize("when", ["dealing", "taking", "taking by the quick way"])
def test_sent_away_while_they_ask_for_the_next(
    world: World, before: Hook, pool: ThreadPoolExecutor, when: str
) -> None:
    """While they deal for themself, or are about to take. Planted: whoever leaves waits for no allocator;
    seen to fail: two customers held by nobody there."""
    assignment = world.assignment()
    world.customers(4, assignment)
    seller = world.seller(assignment)
    if when == "taking":  # whoever has a second number is weighed
        with world.work() as work:
            work.run(_SECOND_NUMBERS)
    if when != "dealing":
        allocate_all(world.opener(), assignment)
    going: list[Future[Any]] = []

    def sent() -> None:
        going.append(pool.submit(goes, world, seller, Absence("off"), NOON, said_by="Kari"))
        wait_until(lambda: going[0].done() or bool(world.waited_for()))

    asked = {"dealing": opening.HOURS, "taking": hand_out._TAKE}.get(when, top_of_list._TAKE)
    before(asked, sent)
    with suppress(Conflict):  # they may have heard of it already
        next_customer(world.opener(), seller)
    going[0].result()
    assert live(world) == []
    with pytest.raises(Conflict, match="off until"):
        next_customer(world.opener(), seller)


def test_sent_away_while_the_other_tab_sits_down(world: World, before: Hook) -> None:
    """And is dealt to by then. Planted: no second look under the lock; seen to fail: leases of one away."""
    assignment = world.assignment()
    world.customers(4, assignment)
    seller = world.seller(assignment, presence="away")

    def sits_down() -> None:
        comes(world, seller, NOON)
        allocate_all(world.opener(), assignment)

    before(presence._LOCKED, sits_down)
    with pytest.raises(Conflict, match="at this very moment"):
        goes(world, seller, Absence("ill"), said_by="Kari")
    assert {lease.seller_id for lease in live(world)} == {seller}
    goes(world, seller, Absence("ill"), said_by="Kari")
    assert live(world) == []


def test_both_tabs_say_the_same_at_once(world: World, before: Hook) -> None:
    """Neither is refused, and it is one change."""
    assignment = world.assignment()
    seller = world.seller(assignment, presence="away")
    before(presence._LOCKED, lambda: comes(world, seller, NOON))
    comes(world, seller, NOON)
    assert [one.presence for one in changes(world)] == ["available"]


def test_dead_before_it_is_noted_nothing_was_said(world: World, before: Hook) -> None:
    """What they hold is theirs still, and they are there."""
    assignment = world.assignment()
    world.customers(2, assignment)
    seller = world.seller(assignment)
    take(world, seller)

    def die() -> None:
        raise KeyboardInterrupt

    before(presence._NOTE, die)
    with suppress(KeyboardInterrupt):
        goes(world, seller, Absence("off"))
    assert {(lease.seller_id, lease.state) for lease in live(world)} >= {(seller, "taken")}
    assert changes(world) == []
    assert next_customer(world.opener(), seller) is not None


def test_the_words_are_each_of_one_kind() -> None:
    assert not set(BREAKS) & set(DAYS_OFF)
