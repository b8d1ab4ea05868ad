"""An assignment's own gap and attempts: the longer gap of two has it, a change binds at once and is kept."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from calls import say, take
from promises import HOUR, MINUTE, live, promise, row_of, violations
from sqlalchemy import text
from test_limits import Dead, dying
from world import NOON, World

from calling.dialers.orders import recalls, to_offer
from calling.handout.allocate import allocate, allocate_all
from calling.handout.due import open_gates, wake_due
from calling.handout.hand_out import next_customer
from calling.handout.ring import release, ring
from calling.limits import following
from calling.limits.changing import NewLimit, set_limit
from calling.limits.following import changes_to_follow, follow_change
from calling.limits.own import own_changes, set_attempts, set_gap
from calling.views.audit_gaps import PastGaps
from calling.views.explain import explain
from models.errors import BadValues, NotFound, NotNow
from models.outcomes import Outcome

SOON: dict[str, Any] = {"retry_seconds": {"no_answer": 60}, "max_attempts": 255}
SAID = {"reason": "complaints", "author": "Kari"}


def both(world: World, first: int = 0, second: int = 0, n: int = 1) -> tuple[int, int, list[int]]:
    """Two assignments of these gaps with the same `n` customers."""
    one, two = (world.assignment(gap_seconds=gap, **SOON) for gap in (first, second))
    customers = world.customers(n, one)
    world.place(customers, two)
    return one, two, customers


def call(world: World, seller: int, now: datetime) -> None:
    say(world, take(world, seller, now).lease_id, Outcome.NO_ANSWER, now)


def gate(
    world: World, assignment: int, customer: int, name: str, now: datetime
) -> tuple[datetime | None, str] | None:
    """Until when it is shut, and what is told; None: it is open."""
    with world.work(now) as work:
        (one,) = [a for a in explain(work, assignment, customer).answers if a.gate == name]
    return None if one.open else (one.until, one.fact)


def stamps(world: World) -> list[tuple[int, str | None, datetime | None]]:
    with world.work() as work:
        sql = "select assignment_id, gated_by, gated_until from placement order by assignment_id, customer_id"
        return [tuple(row) for row in work.run(text(sql))]


def follow(world: World, now: datetime) -> None:
    for change in changes_to_follow(world.opener(now)):
        follow_change(world.opener(now), change)


# ------------------------------------------------------------------------------------------ of two gaps


@pytest.mark.parametrize(("rang", "rings"), [(0, 3600), (3600, 0), (1800, 3600), (3600, 1800), (3600, 3600)])
def test_the_longer_gap_of_the_two_assignments_counts(world: World, rang: int, rings: int) -> None:
    """And the audit agrees. Seen to fail: that of the one that rang alone, and a violation was found.

    Planted: that of the one that rings next alone; seen to fail.
    """
    one, two, (customer,) = both(world, rang, rings)
    seller, other = world.seller(one), world.seller(two)
    call(world, seller, NOON)
    ends = NOON + HOUR
    found = gate(world, two, customer, "gap", NOON + 2 * MINUTE)
    assert found is not None
    assert found[0] == ends
    assert next_customer(world.opener(ends - timedelta(seconds=1)), other) is None
    open_gates(world.opener(ends))
    call(world, other, ends)
    assert violations(world, ends) == []


def test_explain_names_whose_gap_it_is(world: World) -> None:
    one, two, (customer,) = both(world, 600, 0)
    set_gap(world.opener(), two, 5400, **SAID)
    call(world, world.seller(one), NOON)
    found = gate(world, two, customer, "gap", NOON + MINUTE)
    assert found is not None
    assert found[1].endswith("assignment 2 leaves 90 minutes between two rings (set by Kari: complaints)")
    found = gate(world, one, customer, "gap", NOON + MINUTE)
    assert found is not None
    assert found[1].endswith("assignment 1 leaves 10 minutes between two rings")


def test_a_promised_call_between_them_does_not_hide_the_first(world: World) -> None:
    """Rung by one with an hour, promised by one without: the hour counts on for the third.

    Planted: the audit looks at the last ring only; seen to fail below.
    """
    one, two, (customer,) = both(world, 3600, 0)
    third = world.assignment(gap_seconds=0, **SOON)
    world.place([customer], third)
    call(world, world.seller(one), NOON)
    promise(world, two, customer, NOON + 10 * MINUTE, NOON + MINUTE)
    call(world, world.seller(two), NOON + 10 * MINUTE)
    found = gate(world, third, customer, "gap", NOON + 20 * MINUTE)
    assert found is not None
    assert found[0] == NOON + HOUR
    with world.work() as work:  # as if it had been rung then
        work.run(text("""
            insert into lease (crm_id, id, assignment_id, customer_id, segment_id, rule_version, seller_id,
                               state, e164, zone, offered_at, ring_by, expires_at, rung_at, ended_at,
                               ended_by)
            select crm_id, gen_random_uuid(), :third, customer_id, segment_id, 0, 1, 'ended', e164, zone, :at,
                   :at, :at, :at, :at, 'released' from lease where assignment_id = :two
        """), third=third, two=two, at=NOON + 20 * MINUTE)  # fmt: skip
    assert violations(world, NOON + 21 * MINUTE) == [
        "P5 a number rung twice inside the gap", "P5 a customer rung twice inside the gap",
    ]  # fmt: skip


# ----------------------------------------------------------------------------------- a gap that is changed


def test_a_gap_that_was_changed_is_followed(world: World) -> None:
    """Longer, shorter, none: at the next look, and the stamps behind it; in the other assignment too.

    Seen to fail: nothing was reckoned anew.
    """
    one, two, (customer,) = both(world, 600, 600)
    call(world, world.seller(one), NOON)
    now = NOON + MINUTE
    wake_due(world.opener(now))
    for seconds, theirs in ((5400, 5400), (3600, 3600), (120, 600), (900, 900)):
        assert set_gap(world.opener(now), one, seconds, **SAID).after == seconds
        want = [(one, seconds), (two, theirs)]
        for assignment, length in want:
            found = gate(world, assignment, customer, "gap", now)
            assert found is not None
            assert found[0] == NOON + timedelta(seconds=length), (seconds, assignment)
        follow(world, now)
        assert stamps(world) == [(a, "gap", NOON + timedelta(seconds=length)) for a, length in want], seconds
    set_gap(world.opener(now), one, 0, **SAID)
    assert gate(world, one, customer, "gap", now) is None
    assert gate(world, two, customer, "gap", now) is not None
    set_gap(world.opener(now), two, 0, **SAID)
    assert gate(world, two, customer, "gap", now) is None
    follow(world, now)
    assert {stamp[1] for stamp in stamps(world)} == {None}
    assert violations(world, now) == []


def test_rings_are_judged_by_the_gap_that_stood(world: World) -> None:
    """Longer since, or shorter since. Planted: judged by that of today; seen to fail."""
    one, _, _ = both(world, 0, 0)
    seller = world.seller(one)
    for minutes in (0, 2):
        wake_due(world.opener(NOON + minutes * MINUTE))
        call(world, seller, NOON + minutes * MINUTE)
    assert violations(world, NOON + 3 * MINUTE) == []
    set_gap(world.opener(NOON + 3 * MINUTE), one, 3600, **SAID)
    assert violations(world, NOON + 3 * MINUTE) == []
    with world.work() as work:  # said to have been so before them
        work.run(text("update limit_change set changed_at = :at, walled_at = :at"), at=NOON - MINUTE)
    assert violations(world, NOON + 3 * MINUTE) == [
        "P5 a number rung twice inside the gap", "P5 a customer rung twice inside the gap",
    ]  # fmt: skip
    set_gap(world.opener(NOON + 4 * MINUTE), one, 0, **SAID)
    assert len(violations(world, NOON + 4 * MINUTE)) == 2


def test_until_a_change_is_a_wall_either_gap_may_have_been_read(world: World) -> None:
    """The shorter is judged by. Planted: a longer one from when it was said; seen to fail."""
    assignment = world.assignment(gap_seconds=600)
    with world.work() as work:
        for before, after, said, wall in ((600, 1200, 1, 3), (1200, 900, 2, 4), (900, 60, 6, None)):
            work.run(
                _CHANGED, a=assignment, before=before, after=after, at=NOON + said * MINUTE,
                walled=None if wall is None else NOON + wall * MINUTE,
            )  # fmt: skip
        gaps = PastGaps(work)
        found = [gaps.at(assignment, NOON + minute * MINUTE).seconds for minute in range(8)]
    assert found == [600, 600, 600, 600, 900, 900, 60, 60]


_CHANGED = text("""
    insert into limit_change
           (crm_id, deed, assignment_id, before, after, reason, author, changed_at, walled_at)
    values (:crm_id, 'gap', :a, :before, :after, 'r', 'Kari', :at, :walled)
""")


@pytest.mark.parametrize("stands", ["ring", "order"])
def test_a_longer_gap_stops_whoever_has_them_on_the_screen_or_is_to_be_sent_them(
    world: World, stands: str
) -> None:
    """Dealt before it was changed. Planted: gates ask the gap of the one that rang alone; seen to fail."""
    one, two, _ = both(world)
    call(world, world.seller(one), NOON)
    now = NOON + MINUTE
    if stands == "ring":
        seller = world.seller(two)
        card = take(world, seller, now, rung=False)
        set_gap(world.opener(now), two, 600, **SAID)
        with pytest.raises(NotNow, match="gap") as refused, world.work(now) as work:
            ring(work, card.lease_id, seller)
        assert refused.value.until == NOON + 600 * timedelta(seconds=1)
    else:
        dialer = world.dialer(two, wanted=1, wanted_at=now)
        with world.work(now) as work:
            assert allocate(work, two).leased == 1
        set_gap(world.opener(now), two, 600, **SAID)
        with world.work(now) as work:
            assert to_offer(work, dialer) == []


def test_what_was_offered_comes_back_when_a_gap_is_made_longer(world: World) -> None:
    """From a list at once, from a dialer by its link.

    Planted: whom a gap stops is no reason; seen to fail.
    """
    one, two, _ = both(world, n=2)
    seller = world.seller(one)
    for _ in range(2):
        call(world, seller, NOON)
    now = NOON + MINUTE
    with world.work() as work:
        work.run(text("update seller set presence = 'away'"))
    dialer = world.dialer(two, wanted=1, wanted_at=now)
    allocate_all(world.opener(now), two)
    with world.work(now) as work:
        (order,) = to_offer(work, dialer)
    world.seller(two)
    allocate_all(world.opener(now), two)
    set_gap(world.opener(now), one, 3600, **SAID)
    follow(world, now)
    with world.work(now) as work:
        assert recalls(work, dialer) == [order.lease_id]
        live = work.run(text("select id from lease where ended_at is null")).scalars().all()
    assert live == [order.lease_id]


@pytest.mark.parametrize("another", [False, True])
@pytest.mark.parametrize("kind", ["gap", "limit"])
def test_what_was_offered_comes_back_from_who_only_shares_a_number(
    world: World, kind: str, another: bool
) -> None:
    """Whose other number is free is dealt anew with that one. Seen to fail before: left in the list.

    Planted: the stamp asked alone, which is silent where another number is free; seen to fail.
    """
    one, two = (world.assignment(gap_seconds=0, **SOON) for _ in range(2))
    (customer,), (sharer,) = world.customers(1, one), world.customers(1, two)
    call(world, world.seller(one), NOON)
    now = NOON + MINUTE
    with world.work() as work:
        work.run(_SHARED, one=customer, other=sharer, keep=another)
    seller = world.seller(two)
    allocate_all(world.opener(now), two)
    (card,) = live(world)
    if kind == "gap":
        set_gap(world.opener(now), one, 3600, **SAID)
    else:
        set_limit(world.opener(now), NewLimit(1, "number", "r", seconds=3600), "Kari")
    follow(world, now)
    assert [row for row in live(world) if row.id == card.id] == []
    handed = next_customer(world.opener(now), seller)
    assert (handed is not None) == another
    if handed is not None:
        assert (handed.customer_id, handed.e164 == card.e164) == (sharer, False)


_SHARED = text("""
    with gone as (
        delete from customer_number where crm_id = :crm_id and customer_id = :other and not :keep
    ), later as (
        update customer_number set position = 1 where crm_id = :crm_id and customer_id = :other and :keep
    )
    insert into customer_number (crm_id, customer_id, e164, position, zones)
    select crm_id, :other, e164, 0, zones from customer_number where crm_id = :crm_id and customer_id = :one
""")


def test_a_changed_gap_reaches_its_customers_whenever_the_worker_dies(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies before each of its transactions in turn, and another goes on where it stopped."""
    monkeypatch.setattr(following, "BATCH", 2)
    one, two, customers = both(world, n=5)
    seller = world.seller(one)
    for _ in customers:
        call(world, seller, NOON)
    now = NOON + MINUTE
    set_gap(world.opener(now), one, 3600, **SAID)
    (change,) = changes_to_follow(world.opener())
    want = {(assignment, "gap", NOON + HOUR) for assignment in (one, two)}
    for steps in range(40):
        with world.work() as work:
            work.run(text("update placement set gated_by = null, gated_until = null"))
            work.run(text("update limit_change set followed_to = 0, followed_at = null, walled_at = null"))
        try:
            follow_change(dying(world.opener(now), steps), change)
            break
        except Dead:
            follow(world, now)
        assert set(stamps(world)) == want
    assert steps > 8
    assert set(stamps(world)) == want
    with world.work() as work:
        (row,) = own_changes(work, None, 10)
    assert (row.followed, row.walled_at) == (True, now)


# ------------------------------------------------------------------------------------------------- attempts


def test_whoever_has_had_their_attempts_is_called_no_more_and_more_let_them_go(world: World) -> None:
    """On the screen as well; nobody is closed by it. Planted: not asked by the gates; seen to fail."""
    one, two, (customer,) = both(world)
    seller = world.seller(one)
    for minutes in (0, 2):
        wake_due(world.opener(NOON + minutes * MINUTE))
        call(world, seller, NOON + minutes * MINUTE)
    now = NOON + 4 * MINUTE
    wake_due(world.opener(now))
    card = take(world, seller, now, rung=False)
    set_attempts(world.opener(now), one, 2, **SAID)
    with pytest.raises(NotNow, match="limit"), world.work(now) as work:
        ring(work, card.lease_id, seller)
    with world.work(now) as work:
        release(work, card.lease_id, seller)
    follow(world, now)
    assert next_customer(world.opener(now), seller) is None
    found = gate(world, one, customer, "limit", now)
    assert found == (
        None, "they have had all their attempts: 2 of 2 in assignment 1 (set by Kari: complaints)",
    )  # fmt: skip
    assert gate(world, two, customer, "limit", now) is None
    with world.work(now) as work:
        assert explain(work, one, customer).callable_at is None
    set_attempts(world.opener(now), one, 3, **SAID)
    follow(world, now)
    assert gate(world, one, customer, "limit", now) is None
    call(world, seller, now)
    with world.work() as work:
        state = "select state from placement where assignment_id = :one"
        assert work.run(text(state), one=one).scalar_one() == "closed"
    set_attempts(world.opener(now), one, 9, **SAID)
    follow(world, now)
    with world.work() as work:
        assert work.run(text(state), one=one).scalar_one() == "closed"
    assert violations(world, now) == []


def test_a_promise_is_kept_however_few_attempts_are_left(world: World) -> None:
    """Planted: promised ones are stopped as well; seen to fail."""
    assignment = world.assignment(gap_seconds=0, **SOON)
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    call(world, seller, NOON)
    promise(world, assignment, customer, NOON + HOUR, NOON + MINUTE)
    set_attempts(world.opener(NOON + MINUTE), assignment, 1, **SAID)
    follow(world, NOON + MINUTE)
    assert row_of(world, customer).gated_by is None
    call(world, seller, NOON + HOUR)
    assert row_of(world, customer).state == "closed"


# ------------------------------------------------------------------------------------------------- the verbs


def test_who_changed_what_from_what_and_why_stays_written(world: World) -> None:
    one, two, _ = both(world, 600, 600)
    assert set_gap(world.opener(), one, 1200, **SAID).before == 600
    assert set_gap(world.opener(), one, 1200, **SAID).change_id is None
    set_attempts(world.opener(NOON + MINUTE), one, 4, reason=" enough ", author="Bo")
    set_gap(world.opener(NOON + HOUR), two, 0, **SAID)
    with world.work() as work:
        rows = own_changes(work, one, 10)
        assert len(own_changes(work, None, 10)) == 3
        assert [row.id for row in own_changes(work, None, 10, before_id=rows[0].id)] == [rows[1].id]
    told = [(row.deed, row.before, row.after, row.reason, row.author, row.changed_at) for row in rows]
    assert told == [
        ("attempts", 255, 4, "enough", "Bo", NOON + MINUTE), ("gap", 600, 1200, "complaints", "Kari", NOON),
    ]  # fmt: skip
    neighbour = world.neighbour()
    with neighbour.work() as work:
        assert own_changes(work, None, 10) == []
    with pytest.raises(NotFound):
        set_gap(neighbour.opener(), one, 0, **SAID)


def test_nonsense_is_told_with_every_problem(world: World) -> None:
    assignment = world.assignment()
    for verb, value, what in (
        (set_gap, -1, "gap"), (set_gap, 31 * 86_400, "gap"), (set_attempts, 0, "attempts"),
        (set_attempts, 256, "attempts"),
    ):  # fmt: skip
        with pytest.raises(BadValues) as refused:
            verb(world.opener(), assignment, value, reason=" ", author="Kari")
        assert dict(refused.value.problems).keys() == {what, "reason"}
    with pytest.raises(NotFound):
        set_attempts(world.opener(), 999, 3, **SAID)
    assert changes_to_follow(world.opener()) == []
