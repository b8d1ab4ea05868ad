"""The quick way to the first of a seller's list: taken if nothing is unusual, left alone if anything is."""

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest
from interleaving import Hook, acting_after, acting_before
from promises import promise
from sqlalchemy import text
from world import NOON, World, wait_until

from calling.handout import hand_out, top_of_list
from calling.handout.allocate import allocate_all
from calling.handout.hand_out import next_customer
from calling.handout.recalling import WallAnswer
from calling.walls.pause import pause

pytestmark = pytest.mark.once

UNUSUAL = {
    "away": "update seller set presence = 'away'",
    "works another assignment": "update seller set assignment_id = :other",
    "has waited for one": "update seller set asked_in_vain_at = presence_since",
    "a call was put through to them": "update seller set connected_lease_id = :top",
    "holds one": "update lease set state = 'taken', taken_at = :now where id <> :top",
    "holds one that was dealt before": "update lease set state = 'taken', taken_at = :now where id = :top",
    "has a promised one in the list": "update lease set follow_up_id = :promise where id <> :top",
    "a promise is due": "update follow_up set due_at = :now",
    "somebody is a hot lead": "insert into hot_lead"
    " (crm_id, assignment_id, customer_id, made_at, author, reason)"
    " values (:crm_id, :assignment, :hot, :now, 'a', 'r')",
    "may ring no more": "update lease set ring_by = :now",
    "of another assignment": "update lease set assignment_id = :other where id = :top",
    "stamped": "update placement set gated_by = 'suppressed', gated_until = 'infinity'",
    "closed by a late word": "update placement set return_state = 'closed' where state = 'leased'",
    "moved to another segment": "update placement set segment_id = :part",
    "on another clock": "update placement set clock_id = :clock",
    "a number that is dead": "update customer_number set state = 'disconnected'",
    "another number": "insert into customer_number (crm_id, customer_id, e164, position, zones)"
    " select crm_id, customer_id, '+351210000009', 1, zones from customer_number",
    **{
        f"a pause of {scope}": f"insert into pause (crm_id, scope, target_id, reason, author, started_at)"
        f" values (:crm_id, '{scope}', {target}, 'r', 'a', :now)"
        for scope, target in {
            "crm": "null",
            "assignment": ":assignment",
            "segment": "(select min(segment_id) from placement where crm_id = :crm_id)",
            "seller": ":seller",
        }.items()
    },
}  # fmt: skip
"""What the long way has to weigh, each written as if a step before had let it through."""

USUAL = {
    "nothing": "select 1",
    "a pause that is over": "insert into pause (crm_id, scope, reason, author, started_at, ends_at)"
    " values (:crm_id, 'crm', 'r', 'a', :now, :now)",
    "a pause of somebody else": "insert into pause (crm_id, scope, target_id, reason, author, started_at)"
    " values (:crm_id, 'seller', :seller + 1, 'r', 'a', :now)",
    "waited before they went away": "update seller set asked_in_vain_at = presence_since - interval '1 hour'",
    "a promise to come": "select 1",
}


@pytest.fixture
def after(monkeypatch: pytest.MonkeyPatch) -> Hook:
    return acting_after(monkeypatch)


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Hook:
    return acting_before(monkeypatch)


def dealt(world: World, but: str) -> int:
    """A seller with two in their list, after `but` was written."""
    assignment, other = world.assignment(), world.assignment()
    customers = world.customers(5, assignment)
    seller = world.seller(assignment)
    assert allocate_all(world.opener(), assignment) == 2
    promised = promise(world, assignment, customers[4], NOON + timedelta(hours=6))
    with world.work() as work:
        values = {
            "assignment": assignment, "other": other, "seller": seller, "promise": promised.id,
            "hot": customers[3],
            "part": world.unsegmented(other), "clock": world.clock(["Atlantic/Azores"]),
            "top": work.run(text("select id from lease order by id limit 1")).scalar_one(),
        }  # fmt: skip
        work.run(text(but), **{name: value for name, value in values.items() if f":{name}" in but})
    return seller


def taken(world: World) -> int:
    with world.work() as work:
        return int(work.run(text("select count(*) from lease where taken_at is not null")).scalar_one())


@pytest.mark.parametrize("but", UNUSUAL)
def test_whatever_is_unusual_is_left_to_the_long_way(world: World, but: str) -> None:
    """Planted, one after the other: each condition of the statement left out, but for the assignment's, which
    is looked at once more behind it; each seen to fail."""
    seller = dealt(world, UNUSUAL[but])
    before = taken(world)
    assert top_of_list.take(world.opener(), seller) is None
    assert taken(world) == before


@pytest.mark.parametrize("but", USUAL)
def test_the_first_is_taken_and_the_long_way_not_asked(
    world: World, monkeypatch: pytest.MonkeyPatch, but: str
) -> None:
    seller = dealt(world, USUAL[but])
    monkeypatch.setattr(hand_out, "_working", lambda *_: pytest.fail("the long way was asked"))
    handed = next_customer(world.opener(), seller)
    assert handed is not None
    with world.work() as work:
        first = work.run(text("select id, state, taken_at, expires_at from lease order by id limit 1")).one()
    assert (handed.lease_id, handed.state, first.taken_at) == (first.id, first.state, NOON)
    assert handed.expires_at == first.expires_at
    assert (handed.promised_at, handed.status, handed.attempts) == (None, "new", 0)


def test_both_ways_tell_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks again is shown, by the long way, what the quick one had handed out."""
    seller = dealt(world, "select 1")
    quick = next_customer(world.opener(), seller)
    assert top_of_list.take(world.opener(), seller) is None
    assert next_customer(world.opener(), seller) == quick


def test_a_pause_waits_at_the_turnstile_for_whoever_takes(world: World, after: Hook) -> None:
    """Planted: the turnstile left out, so that it waited for the row alone; seen to fail."""
    seller = dealt(world, "select 1")
    waited: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        started: list[Future[WallAnswer]] = []

        def wall() -> None:
            started.append(pool.submit(pause, world.opener(), "seller", seller, reason="r", author="a"))
            wait_until(lambda: bool(world.waited_for()))
            waited.extend(world.waited_for())

        after(top_of_list._TAKE, wall)
        taken_row = top_of_list.take(world.opener(), seller)
        answer = started[0].result(timeout=20)
    assert waited == ["advisory"]
    assert taken_row is not None
    assert taken_row.lease_id in answer.recalled


def test_whoever_turns_to_another_assignment_meanwhile_gets_nothing_by_this_way(
    world: World, before: Hook
) -> None:
    """Its turnstile was not passed. Planted: the look at what was passed left out; seen to fail."""
    seller = dealt(world, "select 1")
    with world.work() as work:
        other = work.run(text("select max(id) from assignment where crm_id = :crm_id")).scalar_one()

    def turn() -> None:
        with world.work() as work:
            work.run(text("update seller set assignment_id = :other"), other=other)
            work.run(text("update placement set assignment_id = :other where state = 'leased'"), other=other)
            work.run(text("update lease set assignment_id = :other"), other=other)

    before(top_of_list._TAKE, turn)
    assert top_of_list.take(world.opener(), seller) is None
    assert taken(world) == 0
