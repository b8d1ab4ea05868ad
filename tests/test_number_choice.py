"""Which number is rung next, held against a look at every number by hand; and how the choice moves on."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from calls import say, take
from hypothesis import example, given, settings
from hypothesis import strategies as st
from interleaving import acting_after, acting_before
from sqlalchemy import text
from world import LISBON, NOON, World, wait_until

from calling.customers.numbers import set_number
from calling.dialers.orders import recalls, to_offer
from calling.handout import gates
from calling.handout.allocate import allocate_all
from calling.handout.hand_out import next_customer
from calling.handout.reaper import reap
from calling.handout.ring import ring
from calling.limits.changing import NewLimit, set_limit
from calling.limits.following import changes_to_follow, follow_change
from calling.numbers.plan import DAYS, KINDS
from calling.numbers.plans import set_number_plan
from calling.outcomes.outcome import Report, record, record_all
from calling.views.audit import audit
from models.errors import NotNow
from models.outcomes import EFFECTS, Outcome
from models.sql import load
from models.work import Work

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
AZORES, TOKYO = "Atlantic/Azores", "Asia/Tokyo"
OTHER, THIRD = "+351919999999", "+351218888888"
_ADD = text("""
    insert into customer_number (crm_id, customer_id, e164, position, state, kind, kind_by, unanswered, zones)
    values (:crm_id, :c, :e164, :position, :state, cast(:kind as text),
            case when cast(:kind as text) is not null then 'list' end, :unanswered, '{Europe/Lisbon}')
""")


@contextmanager
def undone(world: World, now: datetime) -> Iterator[Work]:
    """One transaction at `now` that is rolled back."""
    with world.app.work(world.crm_id, now=now) as work:
        nested = work.session.begin_nested()
        yield work
        nested.rollback()


# -------------------------------------------------------------------------- any numbers, any plan, any hour


@dataclass(frozen=True)
class Drawn:
    """A number as it is drawn: seconds until its gap ends, seconds since it last rang (None: never)."""

    state: str
    kind: str | None
    position: int
    unanswered: int
    gap: int | None
    rang: int | None
    suppressed: bool


NUMBERS = st.lists(
    st.builds(
        Drawn,
        state=st.sampled_from(["unverified", "unverified", "good", "disconnected", "wrong_person"]),
        kind=st.sampled_from([None, "home", "work", "mobile", "other"]),
        position=st.integers(0, 2), unanswered=st.sampled_from([0, 0, 0, 1, 2, 3, 5, 7]),
        gap=st.sampled_from([None, None, None, None, -5, 1, 900, 3600]),
        rang=st.sampled_from([None, None, None, None, 1, 3599, 3600, 7000]),
        suppressed=st.sampled_from([False, False, False, True]),
    ),
    min_size=1, max_size=5,
)  # fmt: skip
TIMES = st.sampled_from(["00:00", "09:00", "16:00", "20:30", "24:00"])
ROWS = st.lists(
    st.fixed_dictionaries(
        {"kinds": st.lists(st.sampled_from(KINDS), min_size=1, max_size=3, unique=True)},
        optional={
            "days": st.lists(st.sampled_from(DAYS), min_size=1, max_size=5, unique=True),
            "hours": st.tuples(TIMES, TIMES).filter(lambda pair: pair[0] < pair[1]),
        },
    ),
    min_size=1,
    max_size=3,
)
PLANS = st.fixed_dictionaries({}, optional={"next_after": st.sampled_from([None, 1, 2, 3, 5]), "hours": ROWS})
GOOD = Drawn("good", None, 0, 0, None, None, suppressed=False)
AT_WORK = Drawn("unverified", "work", 1, 0, None, None, suppressed=False)
WORK_BY_DAY: dict[str, Any] = {"hours": [{"kinds": ["work"], "hours": ("09:00", "16:00")}]}
LIMITED = st.sampled_from([None, None, ("number", 3600), ("customer", 3600), ("number", 7200)])


def as_kept(plan: dict[str, Any]) -> dict[str, Any]:
    """Hours as two keys of a row."""
    rows = [
        {**{k: v for k, v in row.items() if k != "hours"},
         **(dict(zip(("from", "to"), row["hours"], strict=True)) if "hours" in row else {})}
        for row in plan.get("hours", [])
    ]  # fmt: skip
    return {**plan, "hours": rows} if "hours" in plan else plan


def first_kinds(plan: dict[str, Any], zone: str, now: datetime) -> list[str]:
    local = now.astimezone(ZoneInfo(zone))
    for row in plan.get("hours", []):
        begins, ends = row.get("hours", ("00:00", "24:00"))
        if local.strftime("%a").lower() not in row.get("days", DAYS):
            continue
        if local.time() < time.fromisoformat(begins):
            continue
        if ends == "24:00" or local.time() < time.fromisoformat(ends):
            return list(row["kinds"])
    return []


def by_hand(
    numbers: dict[str, Drawn], plan: dict[str, Any], limited: Any, zone: str, now: datetime, promised: bool,
    only: str | None = None,
) -> tuple[str | None, datetime | None]:  # fmt: skip
    """The number to ring, and until when none may be; by looking at each."""
    first = first_kinds(plan, zone, now)
    after = plan.get("next_after", 3)
    last = max(
        (now - timedelta(seconds=n.rang) for n in numbers.values() if n.rang is not None), default=None
    )
    ringable = []
    for e164, number in numbers.items():
        if number.state not in ("good", "unverified") or number.suppressed or only not in (None, e164):
            continue
        ends = []
        if number.gap is not None and not promised:
            ends.append(now + timedelta(seconds=number.gap))
        if limited:
            scope, seconds = limited
            rang = last if scope == "customer" else None
            if scope == "number" and number.rang is not None:
                rang = now - timedelta(seconds=number.rang)
            if rang is not None:
                ends.append(rang + timedelta(seconds=seconds))
        until = max((end for end in ends if end > now), default=None)
        kind = number.kind or "unknown"
        reasons = (
            until or datetime.min.replace(tzinfo=now.tzinfo),
            0 if after is None else number.unanswered // after,
            first.index(kind) if kind in first else 99,
            number.state != "good", number.position, e164,
        )  # fmt: skip
        ringable.append((reasons, e164, until))
    if not ringable:
        return None, None
    _, e164, until = min(ringable)
    return e164, until


def test_the_choice_is_what_a_look_at_every_number_says(world: World) -> None:
    """Any numbers, plan, hour and zone; limits, gaps, do-not-call, promised or not.

    Planted: good before the plan's kinds; the plan's hours by UTC; no rounds; a number in its gap chosen
    while another is free; the latest end for the earliest. Each seen to fail.
    """
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    world.clock([AZORES, TOKYO, LISBON])
    seller = world.seller(assignment)

    @settings(max_examples=200, deadline=None)
    @given(
        NUMBERS, PLANS, LIMITED, st.sampled_from([LISBON, AZORES, TOKYO]), st.integers(0, 7 * 24 * 4),
        st.booleans(),
    )  # fmt: skip
    @example([GOOD, AT_WORK], WORK_BY_DAY, None, TOKYO, 4 * 14, False)  # Tuesday, 11:00 there, 02:00 UTC
    @example([GOOD, AT_WORK], WORK_BY_DAY, None, TOKYO, 4 * 22, False)  # 19:00 there, 10:00 UTC
    def agree(
        drawn: list[Drawn], plan: dict[str, Any], limited: Any, zone: str, quarters: int, promised: bool
    ) -> None:
        now = NOON + quarters * 15 * MINUTE
        numbers = {f"+3519100000{n:02}": number for n, number in enumerate(drawn)}
        with undone(world, now) as work:
            _lay(work, assignment, customer, seller, numbers, limited, zone, promised)
            set_number_plan(work, assignment, as_kept(plan), "Kari")
            fact = gates.facts_of(work, assignment, [customer])[customer]
            e164, until = by_hand(numbers, plan, limited, zone, now, promised)
            assert fact.e164 == e164, (fact, numbers)
            stops = [end for gate, end in fact.shut if gate in ("limit", "gap")]
            assert max(stops, default=None) == until, (fact, numbers)
            for one in numbers:  # the number of a lease is judged by itself
                alone = gates.facts_of(work, assignment, [customer], e164=one)[customer]
                e164, until = by_hand(numbers, plan, limited, zone, now, promised, only=one)
                assert alone.e164 == e164
                stops = [end for gate, end in alone.shut if gate in ("limit", "gap")]
                assert max(stops, default=None) == until, (one, numbers)

    agree()


def _lay(
    work: Work, assignment: int, customer: int, seller: int, numbers: dict[str, Drawn], limited: Any,
    zone: str, promised: bool,
) -> None:  # fmt: skip
    """The customer as drawn."""
    now = work.now
    work.run(text("delete from customer_number where customer_id = :c"), c=customer)
    work.run(text("update customer set reckoning_zone = :z"), z=zone)
    if promised:
        work.run(text("update placement set state = 'follow_up', due_at = :now"))
    if limited:
        work.run(
            text("""insert into call_limit (crm_id, scope, most, seconds, reason, author, created_at)
                    values (:crm_id, :scope, 1, :seconds, 'r', 'k', :now)"""),
            scope=limited[0], seconds=limited[1],
        )  # fmt: skip
    for e164, number in numbers.items():
        work.run(
            _ADD, c=customer, e164=e164, position=number.position, state=number.state, kind=number.kind,
            unanswered=number.unanswered,
        )  # fmt: skip
        if number.gap is not None:
            work.run(
                text("""insert into ring_limit (crm_id, scope, subject, assignment_id, rung_at)
                        select :crm_id, 'number', :e164, a.id,
                               :until - a.gap_seconds * interval '1 second' from assignment a"""),
                e164=e164, until=now + timedelta(seconds=number.gap),
            )  # fmt: skip
        if number.suppressed:
            work.run(
                text("""insert into suppression (crm_id, e164, reason, author, created_at)
                        values (:crm_id, :e164, 'r', 'k', :now)"""),
                e164=e164,
            )
        if number.rang is not None:
            at = now - timedelta(seconds=number.rang)
            work.run(
                text("""insert into lease (crm_id, id, assignment_id, customer_id, segment_id, rule_version,
                            seller_id, state, e164, zone, offered_at, ring_by, expires_at, rung_at, ended_at,
                            ended_by)
                        values (:crm_id, :id, :a, :c, 1, 0, :s, 'ended', :e164, 'Etc/UTC', :at, :at, :at, :at,
                            :at, 'outcome')"""),
                id=work.new_id(at), a=assignment, c=customer, s=seller, e164=e164, at=at,
            )  # fmt: skip


# ---------------------------------------------------------------------------------- calls without an answer


class Several:
    """A customer with a mobile, a work and a home number, and a seller; no gap, no limit of attempts."""

    def __init__(self, world: World, *numbers: tuple[str, str | None], **columns: Any) -> None:
        columns = {"gap_seconds": 0, "max_attempts": 255} | columns
        self.world, self.assignment = world, world.assignment(**columns)
        (self.customer,) = world.customers(1, self.assignment)
        self.seller = world.seller(self.assignment)
        with world.work() as work:
            for position, (e164, kind) in enumerate(numbers or ((OTHER, None),), 1):
                work.run(
                    _ADD, c=self.customer, e164=e164, position=position, state="unverified", kind=kind,
                    unanswered=0,
                )  # fmt: skip
            first = "select e164 from customer_number where position = 0"
            self.first = str(work.run(text(first)).scalar_one())

    def plan(self, **plan: Any) -> None:
        with self.world.work() as work:
            set_number_plan(work, self.assignment, plan, "Kari")

    def next_number(self, now: datetime = NOON) -> str | None:
        with self.world.work(now) as work:
            return gates.facts_of(work, self.assignment, [self.customer])[self.customer].e164

    def call(self, outcome: Outcome, now: datetime = NOON) -> str:
        """Ring whom the list says, and say what came of it; the number that was rung."""
        card = take(self.world, self.seller, now)
        say(self.world, card.lease_id, outcome, now)
        with self.world.work(now) as work:
            work.run(text("update placement set state = 'ready', due_at = null where state = 'resting'"))
        return card.e164

    def unanswered(self) -> dict[str, int]:
        with self.world.work() as work:
            rows = work.run(text("select e164, unanswered from customer_number order by position"))
            return {row.e164: row.unanswered for row in rows}


@pytest.fixture
def two(world: World) -> Several:
    return Several(world)


def test_after_three_without_an_answer_the_next_number_is_rung_and_round_again(two: Several) -> None:
    """Planted: once round and never back; seen to fail."""
    silent = [Outcome.NO_ANSWER, Outcome.BUSY, Outcome.MACHINE]
    rung = [two.call(silent[n % 3], NOON + n * MINUTE) for n in range(12)]
    assert rung == ([two.first] * 3 + [OTHER] * 3) * 2
    assert two.unanswered() == {two.first: 6, OTHER: 6}
    assert two.call(Outcome.ANSWERED, NOON + HOUR) == two.first
    assert two.unanswered() == {two.first: 0, OTHER: 6}


def test_an_assignment_says_after_how_many(two: Several) -> None:
    two.plan(next_after=1)
    assert [two.call(Outcome.BUSY, NOON + n * MINUTE) for n in range(4)] == [two.first, OTHER] * 2
    two.plan(next_after=None)
    assert {two.call(Outcome.BUSY, NOON + n * MINUTE) for n in range(4, 9)} == {two.first}


@pytest.mark.parametrize("outcome", [Outcome.CONGESTION, Outcome.FAILED])
def test_what_did_not_ring_counts_neither_way(two: Several, outcome: Outcome) -> None:
    two.call(Outcome.BUSY)
    two.call(outcome, NOON + MINUTE)
    assert two.unanswered()[two.first] == 1


def test_a_call_that_is_counted_is_no_news_for_facets(two: Several) -> None:
    """They ask whether a number is callable. Planted: any change of a number noted; seen to fail."""
    noted = "select count(*) from facet_change where :c = any(customers)"
    with two.world.work() as work:
        before = work.run(text(noted), c=two.customer).scalar_one()
        work.run(text("update customer_number set unanswered = 1, kind = 'work', kind_by = 'hand'"))
        assert work.run(text(noted), c=two.customer).scalar_one() == before
        work.run(text("update customer_number set state = 'good'"))
        assert work.run(text(noted), c=two.customer).scalar_one() == before + 1


HISTORY = st.lists(
    st.tuples(st.sampled_from(list(Outcome)), st.sampled_from([None, *Outcome]), st.booleans()), max_size=7
)


def test_unanswered_calls_count_in_their_own_order_however_late_they_are_told(world: World) -> None:
    """Random outcomes of one number's calls, told in any order, some completed by a seller.

    Planted: one more at each report; a completed result counted as well; seen to fail.
    """
    floor = Several(world)
    dialer = world.dialer(floor.assignment)
    lease_of = text("""
        insert into lease (crm_id, id, assignment_id, customer_id, segment_id, rule_version, dialer_id, state,
                           e164, zone, offered_at, ring_by, expires_at, ended_at, ended_by)
        values (:crm_id, :id, :a, :c, 1, 0, :d, 'ended', :e164, 'Etc/UTC', :at, :at, :at, :at, 'expired')
    """)

    @settings(max_examples=25, deadline=None)
    @given(HISTORY, st.randoms(use_true_random=False))
    def agree(history: list[Any], die: Any) -> None:
        with undone(world, NOON) as work:
            leases = []
            for n in range(len(history)):
                at = NOON - HOUR + n * MINUTE
                leases.append(work.new_id(at))
                work.run(
                    lease_of,
                    id=leases[-1],
                    a=floor.assignment,
                    c=floor.customer,
                    d=dialer,
                    e164=floor.first,
                    at=at,
                )
            told = list(zip(leases, history, strict=True))
            die.shuffle(told)
            for lease, (outcome, _, _) in told:
                _record(work, lease, outcome, "dialer")
            for lease, (_, completed, done) in told:
                if completed is not None and done:
                    _record(work, lease, completed, "seller")
            calls = 0
            for outcome, completed, done in history:
                word = EFFECTS[completed if completed is not None and done else outcome]
                calls = 0 if word.contact else calls + (1 if word.rang else 0)
            found = text("select unanswered from customer_number where e164 = :e164")
            assert work.run(found, e164=floor.first).scalar_one() == calls

    agree()


def _record(work: Work, lease: Any, outcome: Outcome, by: Any) -> None:
    record(work, [Report(lease, outcome, by)])


# ------------------------------------------------------------------------------------ plans and their hours


def test_work_by_day_home_in_the_evening(world: World) -> None:
    """On the customer's own clock. Planted: hours of UTC; seen to fail (Tokyo)."""
    floor = Several(world, (OTHER, "work"), (THIRD, "home"))
    floor.plan(
        hours=[
            {"kinds": ["work"], "days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "16:00"},
            {"kinds": ["home", "mobile"], "from": "17:00"},
        ]
    )
    monday = NOON.replace(hour=0)
    told = {hour: floor.next_number(monday + hour * HOUR) for hour in (8, 9, 15, 16, 17, 23)}
    assert told == {8: floor.first, 9: OTHER, 15: OTHER, 16: floor.first, 17: THIRD, 23: THIRD}
    assert floor.next_number(monday - 24 * HOUR + 10 * HOUR) == floor.first  # a Sunday
    with world.work() as work:
        work.run(text("update customer set reckoning_zone = :z"), z=TOKYO)
    world.clock([TOKYO])
    assert floor.next_number(monday + 8 * HOUR) == THIRD  # 17:00 there
    card = next_customer(world.opener(), floor.seller)
    assert card is not None
    with world.work() as work:
        kind = work.run(text("select number_kind from lease")).scalar_one()
        assert (card.e164, kind) == (THIRD, "home")
    say(world, card.lease_id, Outcome.NO_ANSWER)
    with world.work() as work:
        (attempt,) = work.run(text("select e164, number_kind from attempt"))
        assert tuple(attempt) == (THIRD, "home")


def test_what_was_offered_for_another_hour_comes_back_and_is_dealt_anew(world: World) -> None:
    floor = Several(world, (OTHER, "work"))
    floor.plan(hours=[{"kinds": ["work"], "from": "12:30"}])
    allocate_all(world.opener(), floor.assignment)
    card = next_customer(world.opener(NOON + HOUR), floor.seller)
    assert card is not None
    assert card.e164 == OTHER


# --------------------------------------------------------------------- a number at its limit, or in its gap


def test_a_number_at_its_limit_stops_no_other_number(two: Several) -> None:
    """Nor is it rung. Planted: the best number chosen before its limit is looked at; seen to fail."""
    world = two.world
    set_limit(world.opener(), NewLimit(1, "number", "t", seconds=86_400), "Kari")
    rung = [two.call(Outcome.BUSY, NOON + n * MINUTE) for n in range(2)]
    assert rung == [two.first, OTHER]
    assert next_customer(world.opener(NOON + HOUR), two.seller) is None
    with world.work(NOON + HOUR) as work:
        shut = dict(gates.facts_of(work, two.assignment, [two.customer])[two.customer].shut)
        assert shut == {"limit": NOON + 24 * HOUR}  # the earlier of the two
        assert [f.what for f in audit(work) if f.count] == []


def test_the_number_of_the_lease_is_looked_at_when_it_rings(two: Several) -> None:
    """Another one may be free. Planted: the best number asked at the ring; seen to fail."""
    world = two.world
    card = next_customer(world.opener(), two.seller)
    assert card is not None
    set_limit(world.opener(), NewLimit(1, "number", "t", seconds=86_400), "Kari")
    with world.work() as work:
        work.run(
            text("""insert into lease (crm_id, id, assignment_id, customer_id, segment_id, rule_version,
                        seller_id, state, e164, zone, offered_at, ring_by, expires_at, rung_at, ended_at,
                        ended_by)
                    select crm_id, :id, assignment_id, customer_id, segment_id, 0, seller_id, 'ended', e164,
                           zone, offered_at, ring_by, expires_at, :now, :now, 'outcome' from lease"""),
            id=work.new_id(NOON),
        )
    assert two.next_number() == OTHER
    with world.work() as work, pytest.raises(NotNow, match="limit"):
        ring(work, card.lease_id, two.seller)


def test_a_new_limit_takes_back_what_rings_the_number_that_it_stops(two: Several) -> None:
    """Though the customer may be rung elsewhere, an order rings until its ring_by. Planted: only gated
    customers are looked at; seen to fail."""
    world = two.world
    two.call(Outcome.ANSWERED)
    with world.work() as work:
        work.run(text("update seller set presence = 'away'"))
    dialer = world.dialer(two.assignment, wanted=1, wanted_at=NOON)
    allocate_all(world.opener(), two.assignment)
    with world.work() as work:
        (order,) = to_offer(work, dialer)
    assert order.e164 == two.first
    set_limit(world.opener(), NewLimit(1, "number", "t", seconds=86_400), "Kari")
    (change,) = changes_to_follow(world.opener())
    follow_change(world.opener(), change)
    with world.work() as work:
        assert recalls(work, dialer) == [order.lease_id]


# ---------------------------------------------------------------------------------------------- two at once


def test_a_number_that_turns_out_dead_while_the_next_lease_is_made_is_not_leased(
    two: Several, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told late of a call in another assignment, between the choice and the lease: the other number is next.

    Planted: the lease asks nothing of its number; seen to fail.
    """
    world, later = two.world, NOON + HOUR
    there = world.assignment(gap_seconds=0)
    world.place([two.customer], there)
    card = next_customer(world.opener(), world.seller(there))
    assert card is not None
    assert card.e164 == two.first
    reap(world.opener(later))  # never rung, as far as anybody knows

    def told_late() -> None:
        say(world, card.lease_id, Outcome.INVALID_NUMBER, later)

    acting_after(monkeypatch)(gates._SHUTS["none"], told_late)
    for _ in range(2):  # whoever tells an outcome hints that a round may be worth its while
        allocate_all(world.opener(later), two.assignment)
    with world.work() as work:
        rung = work.run(text("select e164 from lease where assignment_id = :a"), a=two.assignment)
        assert rung.scalars().all() == [OTHER]


def test_outcomes_and_numbers_by_hand_at_once_wait_for_each_other(
    two: Several, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who counts calls holds the placements: a number that is moved meanwhile is moved, and counted."""
    world = two.world
    card = take(world, two.seller)
    before: list[bool] = []
    with ThreadPoolExecutor(1) as pool:
        other: list[Future[Any]] = []

        def move() -> None:
            set_number(world.opener(), two.customer, OTHER, place=1, author="Kari")

        def meanwhile() -> None:
            other.append(pool.submit(move))
            wait_until(lambda: other[0].done() or bool(world.waited_for()))
            before.append(other[0].done())

        acting_before(monkeypatch)(load("append_attempts"), meanwhile)
        record_all(world.opener(), [Report(card.lease_id, Outcome.BUSY, "seller")])
        other[0].result(10)
    assert before == [False]
    assert two.unanswered() == {OTHER: 0, two.first: 1}
