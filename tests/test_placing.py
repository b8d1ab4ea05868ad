"""Placing: customers enter an assignment once, ready, Unsegmented, ranked and stamped."""

from contextlib import closing
from dataclasses import replace
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import text
from world import NOON, World, new_app

from calling import planner
from calling.handout.rank import rank
from calling.intake import placing
from calling.intake.placing import place, rerank
from models.errors import NotFound
from wiring.settings import Settings


def placements(world: World) -> dict[int, Any]:
    """Every placement by its customer."""
    with world.work() as work:
        rows = work.run(text("select * from placement where crm_id = :crm_id"))
        return {row.customer_id: row for row in rows}


def test_everybody_enters(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """In batches; with the clock and the rank of the customer, ready and Unsegmented."""
    monkeypatch.setattr(placing, "BATCH", 7)
    world.field("balance")
    assignment = world.assignment(order_field="balance", order_descending=True)
    ids = world.customers(20, fields=lambda i: {"balance": i} if i else {})
    world.neighbour().customers(3)
    assert place(world.opener(), assignment) == 20
    found = placements(world)
    assert sorted(found) == ids
    for i, id_ in enumerate(ids):
        row = found[id_]
        assert (row.state, row.status, row.attempts, row.gated_by) == ("ready", "new", 0, None)
        assert row.segment_id == world.unsegmented(assignment)
        assert row.clock_id == world.clock_id
        assert row.rank == rank(0, i or None, None, descending=True)
        assert row.entered_at == NOON
    assert [found[id_].rank for id_ in ids[1:]] == sorted((found[id_].rank for id_ in ids[1:]), reverse=True)
    assert found[ids[0]].rank > found[ids[1]].rank  # without a value: last


def test_who_is_there_stays_as_they_are(world: World) -> None:
    """Planted and found: DO UPDATE in place of DO NOTHING."""
    assignment = world.assignment()
    ids = world.customers(3)
    world.place(ids[:1], assignment, state="closed", attempts=4, rank=77)
    assert place(world.opener(), assignment, [*ids[:2], ids[1]]) == 1
    assert place(world.opener(), assignment, ids) == 1
    assert place(world.opener(), assignment, ids) == 0
    row = placements(world)[ids[0]]
    assert (row.state, row.attempts, row.rank) == ("closed", 4, 77)


def test_one_rebuild_waits_and_one_hint_is_given(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wish stands in the transaction of each batch: no crash leaves customers unsegmented for good."""
    monkeypatch.setattr(placing, "BATCH", 2)
    assignment = world.assignment()
    world.customers(7)
    place(world.opener(), assignment)
    with world.work() as work:
        assert work.run(text("select count(*) from rebuild where crm_id = :crm_id")).scalar_one() == 1
    assert [hint.kind for hint in world.hints] == ["rebuild"]
    place(world.opener(), assignment)
    assert len(world.hints) == 1


def test_the_gates_are_stamped_in_the_same_transaction(world: World) -> None:
    """Planted and found: no restamp, so that the suppressed sink into the probe index."""
    assignment = world.assignment()
    fine, suppressed, silent = world.customers(3)
    (nowhere,) = world.customers(1, zones=[])
    with world.work() as work:
        work.run(
            text("""insert into suppression (crm_id, customer_id, reason, author, created_at)
                    values (:crm_id, :id, 'asked', 'test', :now)"""),
            id=suppressed,
        )
        work.run(text("delete from customer_number where crm_id = :crm_id and customer_id = :id"), id=silent)
    place(world.opener(), assignment)
    gates = {id_: row.gated_by for id_, row in placements(world).items()}
    assert gates == {fine: None, suppressed: "suppressed", silent: "no_number", nowhere: "zone_unknown"}


def test_an_assignment_that_is_not_there(world: World) -> None:
    with pytest.raises(NotFound):
        place(world.opener(), 4711)
    with pytest.raises(NotFound):  # P7: somebody else's
        place(world.opener(), world.neighbour().assignment())


def test_many_place_at_once(world: World) -> None:
    """Each customer enters once, whoever is first."""
    assignment = world.assignment()
    world.customers(300)
    together, entered = Barrier(4), list[int]()

    def go() -> None:
        together.wait()
        entered.append(place(world.opener(), assignment))

    threads = [Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(entered) == 300
    assert len(placements(world)) == 300


def test_a_changed_field_changes_the_rank(world: World) -> None:
    world.field("balance")
    assignment = world.assignment(order_field="balance")
    one, two = world.customers(2, fields=lambda i: {"balance": 10 + i})
    place(world.opener(), assignment)
    with world.work() as work:
        work.run(
            text("""update customer set fields = '{"balance": 99}' where crm_id = :crm_id and id = :id"""),
            id=one,
        )
        assert rerank(work, [one, two]) == 1
    assert placements(world)[one].rank == rank(0, 99, None)


def test_many_that_enter_are_counted_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """No plan made for empty tables outlives them. Planted: `note_growth` that does nothing."""
    monkeypatch.setattr(planner, "MANY", 50)
    assignment = world.assignment()
    world.customers(60)
    place(world.opener(), assignment)
    with world.work() as work:
        sizes = "select reltuples from pg_class where relname in ('customer', 'customer_number', 'placement')"
        assert list(work.run(text(sizes)).scalars()) == [60, 60, 60]


def test_who_cannot_count_now_places_all_the_same(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vacuum or an index that is being built is not waited for.

    Planted: the exception let through; the count waiting as long as any other statement may.
    """
    monkeypatch.setattr(planner, "MANY", 5)
    assignment = world.assignment()
    world.customers(6)
    impatient = new_app(replace(settings, statement_seconds=8, lock_seconds=60))
    with closing(impatient), world.work() as other:
        other.run(text("lock table customer_number in share row exclusive mode"))
        assert place(lambda: impatient.work(world.crm_id, now=NOON), assignment) == 6
