"""How often somebody may be rung: random histories against a naive counter, law, owners, races, crashes."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from interleaving import Hook, acting_after
from sqlalchemy import text
from world import NOON, World, wait_until

from calling.dialers.orders import recalls, to_offer
from calling.handout import gates
from calling.handout import ring as ringing
from calling.handout.allocate import allocate_all
from calling.handout.due import open_gates, wake_due
from calling.handout.hand_out import HandOut, next_customer
from calling.handout.reaper import reap
from calling.handout.ring import release, ring
from calling.hours import versions
from calling.limits import following, law, standing
from calling.limits.changing import NewLimit, end_limit, say_of_debts, set_limit
from calling.limits.following import changes_to_follow, follow_change
from calling.limits.limit import Limit
from calling.limits.stops import stops
from calling.outcomes.outcome import Report, record_all
from calling.views.audit import audit
from calling.views.explain import explain
from models.errors import BadInput, BadValues, NotFound, NotNow
from models.outcomes import Outcome
from models.work import OpenWork, Work
from models.zones import zone

SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3600, 86_400))
PARIS, NEW_YORK = "Europe/Paris", "America/New_York"
TEATIME = NOON + 2 * HOUR
"""At noon in Lisbon it is lunch in France: nobody is called."""


@pytest.fixture
def after(monkeypatch: pytest.MonkeyPatch) -> Hook:
    return acting_after(monkeypatch)


def rolling(most: int, seconds: int, scope: str = "customer", **more: Any) -> Limit:
    return Limit(most, scope, seconds, None, "test", "test", **more)


def calendar(most: int, days: int, scope: str = "customer", **more: Any) -> Limit:
    return Limit(most, scope, None, days, "test", "test", **more)


# ---------------------------------------------------------------------------------- a limit by itself


def allowed(limit: Limit, times: list[datetime], zones: tuple[str, ...], now: datetime) -> bool:
    """The naive counter: so many in the window that ends now, in every zone?"""
    if limit.seconds is not None:
        return sum((now - at).total_seconds() < limit.seconds for at in times) < limit.most
    assert limit.days is not None
    for name in zones:
        today = now.astimezone(zone(name)).date()
        first = today - timedelta(days=limit.days - 1)
        if sum(at.astimezone(zone(name)).date() >= first for at in times) >= limit.most:
            return False
    return True


ZONES = st.lists(
    st.sampled_from(
        ["Europe/Lisbon", "Atlantic/Azores", PARIS, NEW_YORK, "Africa/Cairo", "America/Havana",
         "America/Santiago", "Asia/Beirut", "Pacific/Chatham", "Etc/UTC"]
    ),
    min_size=1, max_size=3, unique=True,
).map(tuple)  # fmt: skip
# Summer time begins and ends in these weeks, in some of the zones at midnight.
WEEKS = st.sampled_from(
    [datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 6), (3, 27), (4, 3), (4, 22), (9, 4),
                                                               (10, 23), (10, 30), (6, 10))]
)  # fmt: skip
WINDOWS = st.one_of(
    st.builds(rolling, st.integers(1, 4), st.sampled_from([60, 3600, 86_400, 604_800])),
    st.builds(calendar, st.integers(1, 4), st.integers(1, 7)),
)


@given(WINDOWS, ZONES, WEEKS, st.lists(st.integers(0, 8 * 86_400), max_size=9))
@example(calendar(1, 1), ("Africa/Cairo",), datetime(2026, 4, 22, tzinfo=UTC), [86_400])
@example(calendar(1, 1), ("America/Havana",), datetime(2026, 10, 30, tzinfo=UTC), [2 * 86_400])
@settings(max_examples=400, deadline=None)
def test_a_limit_ends_to_the_second_when_the_naive_counter_says(
    limit: Limit, zones: tuple[str, ...], week: datetime, seconds: list[int]
) -> None:
    """At a second before, at, and after each boundary, across DST.

    Planted: days as 24 hours each, the mildest zone instead of the strictest, the last ring instead of the
    one that decides; each seen to fail.
    """
    times = sorted((week + timedelta(seconds=s) for s in seconds), reverse=True)
    until = limit.until(times, zones)
    edges = {*times, *([until] if until else []), *(at + limit.reach for at in times)}
    for edge in edges:
        for now in (edge - SECOND, edge, edge + SECOND):
            if not times or now >= times[0]:
                assert (until is None or now >= until) == allowed(limit, times, zones, now), (now, until)


def test_a_zone_that_there_is_not_stops_no_outcome() -> None:
    """Planted: it does; seen to fail."""
    assert calendar(1, 1).until([NOON], ("Europe/Nowhere", PARIS)) == NOON + 11 * HOUR
    assert calendar(1, 1).until([NOON], ("Europe/Nowhere",)) == NOON + 12 * HOUR


def test_every_row_of_the_law_says_where_it_stands() -> None:
    rows = law.shipped()
    assert {row.place for row in rows} >= {"US-FL", "US-OK", "FR", "RE", "US"}
    assert all(row.source and row.name for row in rows)
    assert "US-MD" not in {row.place for row in rows}  # memory is no source
    assert {(row.most, row.seconds) for row in law.of_places(("US-FL",)) if not row.debts} == {(3, 86_400)}
    assert {row.place for row in law.of_places(("FR", "US-OK"))} == {"FR", "US-OK", "US"}
    assert law.of_places(("PT",)) == ()


@pytest.mark.parametrize(
    "wrong", ["hours = 24\ncalendar_days = 1\nscopes = ['customer']", "scopes = ['customer']",
              "hours = 1\nscopes = ['custmer']", "hours = 1\nscopes = ['customer']\nafter = ['refused']"],
)  # fmt: skip
def test_a_row_of_the_law_that_makes_no_sense_is_refused(wrong: str) -> None:
    head = "[[limit]]\nplace = 'XX'\nname = 'n'\nsource = 's'\nevidence = 'text'\nmost = 1\n"
    with pytest.raises(BadInput, match="XX"):
        law.read_limits(head + wrong)


# ------------------------------------------------------------------------------ limits in the database


class Floor:
    """Two assignments with the same people, and short ways to let them be rung."""

    def __init__(self, world: World, **columns: Any) -> None:
        self.world = world
        self.a, self.b = (world.assignment(gap_seconds=0, max_attempts=255, **columns) for _ in range(2))
        self.sellers = {one: world.seller(one) for one in (self.a, self.b)}

    def people(self, n: int, zones: tuple[str, ...] = ("Europe/Lisbon",), place: str = "PT") -> list[int]:
        customers = self.world.customers(n)
        for assignment in (self.a, self.b):
            self.world.place(customers, assignment, clock_id=self.world.clock(zones, [place]))
        return customers

    def take(self, assignment: int, now: datetime) -> HandOut | None:
        return next_customer(self.world.opener(now), self.sellers[assignment])

    def call(self, assignment: int, now: datetime, outcome: Outcome = Outcome.CONGESTION) -> HandOut | None:
        """Take, ring, and say; congestion is an outcome that rests for ten minutes and counts nothing."""
        card = self.take(assignment, now)
        if card is not None:
            with self.world.work(now) as work:
                ring(work, card.lease_id, self.sellers[assignment])
            record_all(self.world.opener(now), [Report(card.lease_id, outcome, "seller")])
        return card

    def wake(self, now: datetime) -> None:
        wake_due(self.world.opener(now))
        open_gates(self.world.opener(now))

    def shut(self, assignment: int, customer: int, now: datetime) -> dict[str, datetime]:
        with self.world.work(now) as work:
            return dict(gates.facts_of(work, assignment, [customer])[customer].shut)

    def stamps(self, now: datetime = NOON) -> list[tuple[int, int, str | None, datetime | None]]:
        with self.world.work(now) as work:
            sql = "select assignment_id, customer_id, gated_by, gated_until from placement order by 1, 2"
            return [tuple(row) for row in work.run(text(sql))]

    def follow(self, now: datetime = NOON) -> None:
        for change in changes_to_follow(self.world.opener(now)):
            follow_change(self.world.opener(now), change)

    def violations(self, now: datetime = NOON) -> list[str]:
        with self.world.work(now) as work:
            return [f"{f.promise} {f.what}" for f in audit(work) if f.count]


@pytest.fixture
def floor(world: World) -> Floor:
    return Floor(world)


def limit(world: World, most: int, scope: str = "customer", now: datetime = NOON, **more: Any) -> int:
    more = {"seconds": 86_400} | more if "days" not in more else more
    return set_limit(world.opener(now), NewLimit(most, scope, "test", **more), "Kari")


def test_whoever_was_rung_often_enough_is_not_dealt_and_comes_back_to_the_second(floor: Floor) -> None:
    """In whichever assignment, and the audit agrees. Planted: `limit` left out of the gates; seen to fail."""
    (customer,) = floor.people(1)
    limit(floor.world, 2, seconds=7200)
    assert floor.call(floor.a, NOON)
    assert floor.call(floor.b, NOON + MINUTE)
    opens = NOON + 2 * HOUR
    for assignment in (floor.a, floor.b):
        assert floor.shut(assignment, customer, NOON + HOUR) == {"limit": opens}
    floor.wake(opens - SECOND)
    assert floor.take(floor.a, opens - SECOND) is None
    assert {stamp[2:] for stamp in floor.stamps()} == {("limit", opens)}
    floor.wake(opens)
    assert floor.take(floor.a, opens) is not None
    assert floor.violations() == []


def test_scopes_count_what_they_say(floor: Floor) -> None:
    """A number of two people, people in two assignments. Planted: each scope as customer; seen to fail."""
    world = floor.world
    one, two = floor.people(2)
    with world.work() as work:
        work.run(text("update customer_number set e164 = '+351910000000'"))
    rung = {"assignment": {(floor.a, one)}, "customer": {(floor.a, one), (floor.b, one)}}
    rung["number"] = {(a, c) for a in (floor.a, floor.b) for c in (one, two)}
    with world.work() as work:
        work.run(text("update placement set rank = 1 where customer_id = :two"), two=two)
    card = floor.call(floor.a, NOON)
    assert card is not None
    assert card.customer_id == one
    for scope, stopped in rung.items():
        mine = limit(world, 1, scope)
        with world.work(NOON + MINUTE) as work:
            assert {(s.assignment_id, s.customer_id) for s in stops(work, [one, two])} == stopped, scope
        end_limit(world.opener(), mine, "Kari")
    mine = limit(world, 1, "customer", assignment_id=floor.b)
    with world.work(NOON + MINUTE) as work:  # it counts rings of both, and binds those of one
        assert [(s.assignment_id, s.customer_id) for s in stops(work, [one, two])] == [(floor.b, one)]


def test_the_law_of_florida_counts_by_the_area_code_too(floor: Floor) -> None:
    (customer,) = floor.people(1, (NEW_YORK,), "US-FL")
    morning = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)  # 9:30 in New York
    for n in range(3):
        assert floor.call(floor.b, morning + n * HOUR) is not None
        floor.wake(morning + (n + 1) * HOUR)
    assert floor.take(floor.b, morning + 3 * HOUR) is None
    assert floor.shut(floor.a, customer, morning + 3 * HOUR) == {"limit": morning + DAY}
    with floor.world.work(morning + 3 * HOUR) as work:
        answers = {a.gate: a for a in explain(work, floor.a, customer).answers}
    assert "Florida" in answers["limit"].fact
    assert "3 rings" in answers["limit"].fact
    assert answers["limit"].until == morning + DAY


def test_france_rests_sixty_whole_days_after_a_refusal(floor: Floor) -> None:
    """Also in another assignment, over the night in which summer time begins.

    Planted: sixty days from the day itself; seen to fail.
    """
    (customer,) = floor.people(1, (PARIS,), "FR")
    assert floor.call(floor.a, TEATIME, Outcome.NO_SALE) is not None
    opens = datetime(2026, 5, 1, 22, tzinfo=UTC)  # midnight in Paris: 2 March and 60 days, summer time
    assert floor.shut(floor.b, customer, TEATIME + HOUR) == {"limit": opens}
    assert floor.shut(floor.b, customer, opens - SECOND) == {"limit": opens}
    assert floor.shut(floor.b, customer, opens) == {}


def test_a_seller_who_corrects_the_dialer_makes_it_a_refusal(floor: Floor) -> None:
    """The word in force counts. Planted: the first word counts; seen to fail."""
    world = floor.world
    (customer,) = floor.people(1, (PARIS,), "FR")
    with world.work() as work:
        work.run(text("update seller set presence = 'away'"))
    dialer = world.dialer(floor.a, wanted=1, wanted_at=TEATIME)
    allocate_all(world.opener(TEATIME), floor.a)
    with world.work(TEATIME) as work:
        (order,) = to_offer(work, dialer)
    record_all(world.opener(TEATIME), [Report(order.lease_id, Outcome.ANSWERED, "dialer", rung_at=TEATIME)])
    assert floor.shut(floor.b, customer, TEATIME + HOUR) == {}
    record_all(world.opener(TEATIME + MINUTE), [Report(order.lease_id, Outcome.NO_SALE, "seller")])
    assert list(floor.shut(floor.b, customer, TEATIME + HOUR)) == ["limit"]


def test_debts_are_bound_only_where_an_assignment_says_so(floor: Floor) -> None:
    """Planted: debts everywhere; seen to fail."""
    (customer,) = floor.people(1, (NEW_YORK,), "US")
    evening = datetime(2026, 3, 2, 16, tzinfo=UTC)
    assert floor.call(floor.a, evening, Outcome.ANSWERED) is not None
    assert floor.shut(floor.a, customer, evening + HOUR) == {}
    assert say_of_debts(floor.world.opener(evening), floor.a, about_debts=True, author="Kari")
    assert not say_of_debts(floor.world.opener(evening), floor.a, about_debts=True, author="Kari")
    # The day of the conversation is the first of seven: Monday, so Monday again.
    opens = datetime(2026, 3, 9, 4, tzinfo=UTC)
    assert floor.shut(floor.a, customer, evening + HOUR) == {"limit": opens}
    assert floor.shut(floor.b, customer, evening + HOUR) == {}
    with pytest.raises(NotFound):
        say_of_debts(floor.world.opener(), 999, about_debts=True, author="Kari")


def test_a_talk_that_ends_in_a_promise_begins_the_rest(floor: Floor) -> None:
    """And the promised call waits for its end. Planted: follow_up left out of the row; seen to fail."""
    (customer,) = floor.people(1, (NEW_YORK,), "US")
    evening = datetime(2026, 3, 2, 16, tzinfo=UTC)
    say_of_debts(floor.world.opener(evening), floor.a, about_debts=True, author="Kari")
    assert floor.call(floor.a, evening, Outcome.FOLLOW_UP) is not None
    opens = datetime(2026, 3, 9, 4, tzinfo=UTC)
    assert floor.shut(floor.a, customer, evening + DAY) == {"limit": opens}


def test_rings_of_another_law_are_not_judged_by_the_installed_one(floor: Floor) -> None:
    """Planted: judged by it; seen to fail. By an owner's own limit they are."""
    floor.people(1, (NEW_YORK,), "US-FL")
    morning = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
    for at in (morning, morning + HOUR, morning + 2 * HOUR, morning + DAY):
        floor.wake(at)
        assert floor.call(floor.b, at) is not None

    def beyond() -> bool:
        return "P3 rung beyond a limit" in floor.violations()

    assert not beyond()
    with floor.world.work() as work:  # the fourth, as an edition without the row would have dealt it
        moved = """update lease set offered_at = :at, rung_at = :at, ended_at = :at
                    where rung_at = (select max(rung_at) from lease)"""
        work.run(text(moved), at=morning + 3 * HOUR)
    assert beyond()
    with floor.world.work() as work:
        work.run(text("update lease set data_version = data_version + 1"))
    assert not beyond()
    limit(floor.world, 3, now=morning - DAY)
    assert beyond()


def test_the_versions_hash_every_law(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: limits left out; seen to fail."""
    read = versions._shipped
    before = versions.installed()
    for name in ("hours.toml", "limits.toml", "registers.toml", "zones.toml", "area_codes.toml",
                 "main_zones.toml"):  # fmt: skip
        monkeypatch.setattr(versions, "_shipped", lambda file, n=name: read(file) + "#" * (file == n))
        now = versions.installed.__wrapped__()
        changed = {part for part in now if now[part] != before[part]}
        assert changed == ({"law"} if name in versions.LAW_FILES else {"zones"})


def test_a_late_outcome_counts_its_ring_from_when_it_rang(floor: Floor) -> None:
    """Planted: late rings counted from the report; seen to fail."""
    (customer,) = floor.people(1)
    limit(floor.world, 1, seconds=7200)
    card = floor.take(floor.a, NOON)
    assert card is not None
    later = NOON + HOUR
    reap(floor.world.opener(later))  # never rung, as far as anybody knows
    assert floor.shut(floor.b, customer, later) == {}
    rang = NOON + 5 * MINUTE
    told = Report(card.lease_id, Outcome.BUSY, "seller", rung_at=rang)
    record_all(floor.world.opener(later), [told])
    assert floor.shut(floor.b, customer, later) == {"limit": rang + 2 * HOUR}
    assert {(a, by, until) for a, _, by, until in floor.stamps()} == {
        (floor.a, "limit", rang + 2 * HOUR), (floor.b, "limit", rang + 2 * HOUR),
    }  # fmt: skip
    assert floor.violations(later) == []


def test_an_unconfirmed_ring_counts(floor: Floor) -> None:
    """From the moment it was given up. Planted: only rings with an outcome; seen to fail."""
    world = floor.world
    (customer,) = floor.people(1)
    limit(world, 1, seconds=7200)
    card = floor.take(floor.a, NOON)
    assert card is not None
    with world.work(NOON) as work:
        ring(work, card.lease_id, floor.sellers[floor.a])
    assert floor.shut(floor.b, customer, NOON + MINUTE) == {"limit": NOON + 2 * HOUR}
    reap(world.opener(NOON + HOUR))
    assert floor.shut(floor.b, customer, NOON + HOUR) == {"limit": NOON + 2 * HOUR}


# ----------------------------------------------------------------- random histories, many limits at once

OFFSETS = st.integers(-3 * 86_400, 0)
LIMITS = st.lists(
    st.tuples(
        st.integers(1, 3), st.sampled_from(["number", "customer", "assignment"]),
        st.sampled_from([("seconds", 3600), ("seconds", 86_400), ("days", 1), ("days", 2)]),
        st.sampled_from([None, "a", "b"]),
    ),
    min_size=1, max_size=3,
)  # fmt: skip


def test_random_histories_agree_with_a_naive_counter(floor: Floor) -> None:
    """Three customers, two of whom share a number, one with two; two assignments, up to three limits.

    The gate is shut exactly when counting by hand says so of every number of theirs, and opens at the instant
    from which it does not of one.
    Planted: the mildest zone; of several limits the one that ends first; the customer's rings for the
    number's; fewer rings read than the largest limit counts. Each seen to fail.
    """
    world = floor.world
    one, two, three = floor.people(3, ("Europe/Lisbon", "Atlantic/Azores"))
    with world.work() as work:
        work.run(text("update customer_number set e164 = '+351910000000' where customer_id = :c"), c=one)
        work.run(text("update customer_number set e164 = '+351910000000' where customer_id = :c"), c=two)
        add = """insert into customer_number (crm_id, customer_id, e164, position, zones)
            values (:crm_id, :c, '+351910000009', -1, '{}')"""
        work.run(text(add), c=three)
        numbers = work.run(text("select customer_id, e164 from customer_number order by 1, position")).all()
    ringable = [(row.customer_id, row.e164) for row in numbers]
    zones, names = ("Atlantic/Azores", "Europe/Lisbon"), {"a": floor.a, "b": floor.b, None: None}

    @given(LIMITS, st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), OFFSETS), max_size=14))
    @example(
        [(1, "number", ("seconds", 3600), None), (2, "number", ("seconds", 86_400), None)],
        [(0, "a", -7200), (0, "a", -7300)],
    )
    @settings(max_examples=60, deadline=None)
    def agree(drawn: Any, rings: Any) -> None:
        past = [(*ringable[who], names[where], NOON + timedelta(seconds=s)) for who, where, s in rings]
        with undone(world) as work:
            wishes = [
                NewLimit(most, scope, "test", **{unit: length}, assignment_id=names[where])
                for most, scope, (unit, length), where in drawn
            ]
            plant(work, wishes, past, floor.sellers[floor.a])
            for assignment in (floor.a, floor.b):
                facts = gates.facts_of(work, assignment, [one, two, three])
                for customer, fact in facts.items():
                    counting = [w for w in wishes if w.assignment_id in (None, assignment)]

                    def free(now: datetime, customer: int = customer, at: int = assignment,
                             counting: list[NewLimit] = counting) -> bool:  # fmt: skip
                        return any(
                            all(
                                allowed(
                                    Limit(w.most, w.scope, w.seconds, w.days, "", ""),
                                    [when for who, e164, where, when in past
                                     if (e164 == number if w.scope == "number" else who == customer)
                                     and (w.scope != "assignment" or where == at)],
                                    zones, now,
                                )
                                for w in counting
                            )
                            for owner, number in ringable if owner == customer
                        )  # fmt: skip

                    until = dict(fact.shut).get("limit")
                    assert (until is None) == free(NOON), (fact, drawn, past)
                    if until is not None:
                        assert not free(until - SECOND)
                        assert free(until)

    agree()


@contextmanager
def undone(world: World) -> Iterator[Work]:
    """One transaction at noon that is rolled back."""
    with world.app.work(world.crm_id, now=NOON) as work:
        nested = work.session.begin_nested()
        yield work
        nested.rollback()


def plant(work: Work, wishes: list[NewLimit], past: list[Any], seller: int) -> None:
    for wish in wishes:
        work.run(
            text("""insert into call_limit (crm_id, assignment_id, scope, most, seconds, days, reason, author,
                        created_at) values (:crm_id, :a, :scope, :most, :seconds, :days, 'r', 'k', :now)"""),
            a=wish.assignment_id, scope=wish.scope, most=wish.most, seconds=wish.seconds, days=wish.days,
        )  # fmt: skip
    for customer, e164, assignment, at in past:
        work.run(
            text("""insert into lease (crm_id, id, assignment_id, customer_id, segment_id, rule_version,
                        seller_id, state, e164, zone, offered_at, ring_by, expires_at, rung_at, ended_at,
                        ended_by)
                    values (:crm_id, :id, :a, :c, 1, 0, :s, 'ended', :e164, 'Etc/UTC', :at, :at, :at, :at,
                        :at, 'outcome')"""),
            id=work.new_id(at), a=assignment, c=customer, s=seller, e164=e164, at=at,
        )  # fmt: skip


# -------------------------------------------------------------------------------- two at once, and crashes


def two_leases(floor: Floor) -> tuple[int, list[tuple[UUID, int]]]:
    """One person on two sellers' screens at once, past the claims that forbid it."""
    world = floor.world
    (customer,) = floor.people(1)
    made = []
    with world.work() as work:
        for assignment, seller in floor.sellers.items():
            lease = work.new_id(NOON)
            made.append((lease, seller))
            work.run(
                text("""insert into lease (crm_id, id, assignment_id, customer_id, segment_id, rule_version,
                            seller_id, state, e164, zone, offered_at, taken_at, ring_by, expires_at)
                        select :crm_id, :id, :a, :c, :segment, 0, :s, 'taken', m.e164, 'Europe/Lisbon', :now,
                               :now, :later, :later
                          from customer_number m where m.customer_id = :c"""),
                id=lease, a=assignment, c=customer, segment=world.unsegmented(assignment), s=seller,
                later=NOON + HOUR,
            )  # fmt: skip
            work.run(
                text("""update placement set state = 'leased', lease_id = :id, return_state = 'ready'
                         where assignment_id = :a"""),
                id=lease, a=assignment,
            )  # fmt: skip
    return customer, made


@pytest.mark.parametrize("scope", ["customer", "number"])
def test_of_two_rings_at_once_the_limit_lets_one_through(floor: Floor, after: Hook, scope: str) -> None:
    """The claims would forbid it; the limit does not rest on them. At one ring below the limit, one rings.

    Planted: the limit looked at before the placements are locked; seen to fail.
    """
    world = floor.world
    _, ((first, ana), (second, rui)) = two_leases(floor)
    limit(world, 1, scope)
    started: list[Future[Any]] = []

    def go(lease: UUID, seller: int) -> str:
        try:
            with world.work() as work:
                ring(work, lease, seller)
        except NotNow as error:
            return error.gate
        return "rung"

    with ThreadPoolExecutor(1) as pool:

        def other() -> None:
            started.append(pool.submit(go, second, rui))
            wait_until(lambda: started[0].done() or bool(world.waited_for()))

        after(ringing._RING, other)
        assert (go(first, ana), started[0].result(10)) == ("rung", "limit")
    with world.work() as work:
        assert work.run(text("select count(*) from lease where rung_at is not null")).scalar_one() == 1


def test_when_a_limit_is_set_nobody_is_rung_beyond_it(floor: Floor, after: Hook) -> None:
    """Whoever was looking at the limits just then is waited for; then `ring` and `next` refuse at once.

    Planted: no turnstile is passed; seen to fail.
    """
    world = floor.world
    floor.people(3)
    card = floor.call(floor.a, NOON)
    assert card is not None
    floor.wake(NOON + HOUR)
    again = NOON + HOUR
    held = floor.take(floor.a, again)
    assert held is not None
    assert held.customer_id != card.customer_id
    with ThreadPoolExecutor(1) as pool:
        setting: list[Future[int]] = []
        rings: list[datetime] = []

        def set_meanwhile() -> None:
            setting.append(pool.submit(limit, world, 1, "customer", again))
            wait_until(lambda: setting[0].done() or "advisory" in world.waited_for())
            assert not setting[0].done(), "it was set while somebody was about to ring by the old limits"

        after(standing.STANDING, set_meanwhile)
        with world.work(again) as work:
            rings.append(ring(work, held.lease_id, floor.sellers[floor.a]).rung_at)
        setting[0].result(10)
    record_all(world.opener(again), [Report(held.lease_id, Outcome.CONGESTION, "seller")])
    floor.wake(again + HOUR)
    fresh = floor.take(floor.a, again + HOUR)
    assert fresh is not None
    assert fresh.customer_id not in (card.customer_id, held.customer_id)


def test_nobody_is_rung_beyond_a_limit_while_six_sellers_race(floor: Floor) -> None:
    """In two assignments with the same people, two of whom share a number; all are rung as often as may be.

    Planted: the gate always open; seen to fail.
    """
    world = floor.world
    customers = floor.people(8)
    with world.work() as work:
        work.run(text("update customer_number set e164 = '+351910000000' where customer_id = any(:two)"),
                 two=customers[:2])  # fmt: skip
    limit(world, 2, "customer", seconds=36_000)
    limit(world, 3, "number", seconds=36_000)
    sellers = [(a, world.seller(a)) for a in (floor.a, floor.b) for _ in range(3)]

    def work_on(assignment: int, seller: int) -> None:
        for minutes in range(0, 220, 11):  # congestion rests for ten, then twenty, forty, ...
            now = NOON + minutes * MINUTE
            floor.wake(now)
            try:
                card = next_customer(world.opener(now), seller)
                if card is not None:
                    with world.work(now) as work:
                        ring(work, card.lease_id, seller)
                    record_all(world.opener(now), [Report(card.lease_id, Outcome.CONGESTION, "seller")])
            except NotNow:
                assert card is not None
                with world.work(now) as work:
                    release(work, card.lease_id, seller)

    with ThreadPoolExecutor(len(sellers)) as pool:
        for one in [pool.submit(work_on, *place) for place in sellers]:
            one.result(60)
    with world.work() as work:
        rung = "select {} as who, count(*) as times from lease where rung_at is not null group by 1"
        by_customer = {r.who: r.times for r in work.run(text(rung.format("customer_id")))}
        by_number = {r.who: r.times for r in work.run(text(rung.format("e164")))}
    assert all(by_customer[c] == 2 for c in customers[2:])
    assert by_customer[customers[0]] + by_customer[customers[1]] == by_number["+351910000000"] == 3
    assert floor.violations(NOON + 4 * HOUR) == []


def rung_once(floor: Floor, n: int) -> list[int]:
    """`n` people, each rung once in assignment a at noon, and ready again; nobody is stamped."""
    world = floor.world
    customers = floor.people(n)
    with world.work() as work:
        found = work.run(text("select customer_id, e164 from customer_number"))
        numbers = {row.customer_id: row.e164 for row in found}
        plant(work, [], [(c, numbers[c], floor.a, NOON) for c in customers], floor.sellers[floor.a])
    return customers


def test_a_limit_that_was_changed_reaches_its_customers_whenever_the_worker_dies(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies before each of its transactions in turn, and another goes on where it stopped.

    Planted: the change is done when it begins, or where it stopped is noted before the stamps; seen to fail.
    """
    world = floor.world
    monkeypatch.setattr(following, "BATCH", 2)
    customers = rung_once(floor, 5)
    mine = limit(world, 1, now=NOON + MINUTE)
    want = {(a, c, "limit", NOON + DAY) for a in (floor.a, floor.b) for c in customers}
    (change,) = changes_to_follow(world.opener())
    for steps in range(40):
        with world.work() as work:
            work.run(text("update placement set gated_by = null, gated_until = null"))
            work.run(text("update limit_change set followed_to = 0, followed_at = null, walled_at = null"))
        try:
            follow_change(dying(world.opener(NOON + MINUTE), steps), change)
            break
        except Dead:
            done = {customer for _, customer, gate, _ in floor.stamps() if gate}
            with world.work() as work:
                (row,) = work.run(text("select followed_to, followed_at from limit_change"))
            assert done >= {c for c in customers if c <= row.followed_to}
            assert row.followed_at is None
        floor.follow(NOON + MINUTE)
        assert set(floor.stamps()) == want
    assert steps > 8
    assert changes_to_follow(world.opener()) == []
    end_limit(world.opener(NOON + MINUTE), mine, "Kari")
    floor.follow(NOON + MINUTE)
    assert {stamp[2:] for stamp in floor.stamps()} == {(None, None)}


class Dead(Exception):
    """The process died."""


def dying(open_work: OpenWork, steps: int) -> OpenWork:
    """Dies when it has opened so many transactions since."""
    left = [steps]

    @contextmanager
    def opening() -> Iterator[Work]:
        left[0] -= 1
        if left[0] < 0:
            raise Dead
        with open_work() as work:
            yield work

    return opening


def test_what_was_offered_comes_back_when_a_limit_is_set(floor: Floor) -> None:
    """From a seller's list at once, from a dialer by its link. Planted: no recall; seen to fail."""
    world = floor.world
    rung_once(floor, 2)
    later = NOON + MINUTE
    dialer = world.dialer(floor.b, wanted=1, wanted_at=later)
    allocate_all(world.opener(later), floor.b)
    with world.work(later) as work:
        (order,) = to_offer(work, dialer)
        offered = work.run(text("select seller_id, ended_at from lease where ended_at is null")).all()
    assert len(offered) == 2
    limit(world, 1, now=later)
    floor.follow(later)
    with world.work(later) as work:
        assert recalls(work, dialer) == [order.lease_id]
        assert work.run(text("select id from lease where ended_at is null")).scalars().all() == [
            order.lease_id
        ]


def test_a_dialer_is_sent_nobody_beyond_a_limit(floor: Floor) -> None:
    """Dealt before it was set, not sent yet: the last look sees it. Planted: it does not; seen to fail."""
    world = floor.world
    rung_once(floor, 1)
    world_later = NOON + MINUTE
    with world.work() as work:
        work.run(text("update seller set presence = 'away'"))
    dialer = world.dialer(floor.b, wanted=1, wanted_at=world_later)
    allocate_all(world.opener(world_later), floor.b)
    limit(world, 1, now=world_later)
    with world.work(world_later) as work:
        assert to_offer(work, dialer) == []


# ------------------------------------------------------------------------------------------------ the verbs


def test_a_limit_that_makes_no_sense_names_every_problem(world: World) -> None:
    wrong = NewLimit(0, "custmer", " ", seconds=1, days=2, after=["no_sales"])
    with pytest.raises(BadValues) as refused:
        set_limit(world.opener(), wrong, "Kari")
    told = dict(refused.value.problems)
    assert told.keys() == {"most", "scope", "window", "reason", "after[0]"}
    assert "did you mean customer?" in told["scope"]
    assert "did you mean no_sale?" in told["after[0]"]
    for odd in (
        NewLimit(1, "customer", "r", seconds=59), NewLimit(1, "customer", "r", days=400),
        NewLimit(1, "number", "r", days=1, after=["sale"]),
    ):  # fmt: skip
        with pytest.raises(BadValues):
            set_limit(world.opener(), odd, "Kari")
    with pytest.raises(NotFound):
        limit(world, 1, assignment_id=999)
    assert changes_to_follow(world.opener()) == []


def test_who_changed_a_limit_stays_written(world: World) -> None:
    mine = limit(world, 2, days=1)
    assert end_limit(world.opener(NOON + HOUR), mine, "Bo") is True
    assert end_limit(world.opener(NOON + HOUR), mine, "Bo") is False
    with pytest.raises(NotFound):
        end_limit(world.opener(), mine + 1, "Bo")
    with world.work() as work:
        row = work.run(text("select author, created_at, ended_by, ended_at from call_limit")).one()
        deeds = work.run(text("select deed, author from limit_change order by id")).all()
    assert tuple(row) == ("Kari", NOON, "Bo", NOON + HOUR)
    assert [tuple(deed) for deed in deeds] == [("set", "Kari"), ("ended", "Bo")]


def test_nothing_of_it_crosses_the_wall(floor: Floor) -> None:
    """A neighbour's limit binds nobody here."""
    (customer,) = floor.people(1)
    limit(floor.world.neighbour(), 1)
    assert floor.call(floor.a, NOON) is not None
    assert floor.shut(floor.b, customer, NOON + MINUTE) == {}
