"""Segments are true: the diff, the move under lock, holds, newer rules, crashes, two at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event

import pytest
from rebuild_scene import OLD, Scene, interrupted, lingering, waiting_backends
from sqlalchemy import text
from world import NOON, World, wait_until

from calling.handout.hand_out import next_customer
from models.errors import NotFound
from models.tables import Hold
from models.turnstile import pass_shared
from segmentation.in_force import rules_in_force
from segmentation.rebuild import rebuild
from segmentation.rebuilds import request_rebuild
from segmentation.resegment import Moved, differing, resegment, segment_counts


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


def test_everybody_comes_to_where_they_belong_and_a_second_rebuild_moves_nobody(scene: Scene) -> None:
    scene.change("update placement set attempts = 4 where customer_id = :c", c=scene.customers[8])
    report = scene.rebuild()
    assert (report.ending, report.scanned, report.moved, report.rule_version) == ("done", 10, 4, 1)
    expected = dict.fromkeys(scene.customers, scene.unsegmented) | dict.fromkeys(
        scene.customers[6:], scene.old
    )
    assert scene.placed() == expected | {scene.customers[8]: scene.tired}
    assert scene.to_do() == []
    with scene.world.work() as work:
        request_rebuild(work, scene.assignment, "again")
        assert segment_counts(work, scene.assignment) == {scene.unsegmented: 6, scene.old: 3, scene.tired: 1}
    assert scene.rebuild().moved == 0
    assert scene.differing() == 0


def test_a_planted_error_is_found_and_put_right(scene: Scene) -> None:
    scene.rebuild()
    scene.change(
        "update placement set segment_id = :s where customer_id = :c", s=scene.old, c=scene.customers[0]
    )
    scene.change("update placement set attempts = 5 where customer_id = :c", c=scene.customers[1])
    assert scene.differing() == 2
    scene.change(
        "update placement set state = 'left', gone_at = :now where customer_id = :c", c=scene.customers[1]
    )
    assert scene.differing() == 1
    with scene.world.work() as work:
        request_rebuild(work, scene.assignment, "repair")
    assert scene.rebuild().moved == 1
    assert scene.differing() == 0


def test_a_move_changes_segment_and_version_and_nothing_else(scene: Scene) -> None:
    """State, status, due time, gate and lease stay; who moves with a lease is named with it."""
    scene.change("update placement set segment_id = :s where assignment_id = :a", s=scene.old)
    assert next_customer(scene.world.opener(), scene.world.seller(scene.assignment))
    untouched = """
        select customer_id, state, status, attempts, clock_id, rank, due_at, gated_by, gated_until, lease_id
          from placement where assignment_id = :a order by customer_id
    """
    before = scene.all(untouched)
    report = scene.rebuild()
    assert scene.all(untouched) == before
    leases = {row.customer_id: row.lease_id for row in before}
    young = scene.customers[:6]
    assert (report.moved, list(report.leases)) == (6, [leases[c] for c in young if leases[c]])
    assert report.leases
    flow = scene.one("select * from segment_move where assignment_id = :a and cause = 'rule'")
    assert (flow.from_segment, flow.to_segment, flow.customers) == (scene.old, scene.unsegmented, young)
    versions = {row.customer_id: row.rule_version for row in scene.all("select * from placement")}
    assert [versions[customer] for customer in scene.customers] == [1] * 6 + [0] * 4


def test_a_hold_wins_until_it_expires(scene: Scene) -> None:
    held, forever = scene.customers[0], scene.customers[1]
    for customer, expires_at in ((held, NOON + timedelta(hours=1)), (forever, None)):
        scene.world.add(
            Hold(
                crm_id=scene.world.crm_id,
                assignment_id=scene.assignment,
                customer_id=customer,
                segment_id=scene.old,
                author="Ann",
                reason="knows them",
                created_at=NOON,
                expires_at=expires_at,
            )
        )
    scene.rebuild()
    assert {scene.placed()[held], scene.placed()[forever]} == {scene.old}
    scene.tire(held)
    assert scene.placed()[held] == scene.old
    with scene.world.work(NOON + timedelta(hours=1)) as work:
        assert differing(work, scene.assignment) == 1
        assert resegment(work, scene.assignment, scene.customers, "event") == [
            Moved(held, scene.old, scene.tired, None)
        ]


def test_an_outcome_between_scan_and_move_is_not_overwritten(scene: Scene) -> None:
    """Planted: batches that write what the scan said; the outcome was lost."""
    customer = scene.customers[7]  # the scan finds: should be moved to `old`
    report = scene.rebuild(interrupted(scene.world, {4: lambda: scene.tire(customer)}))
    assert report.moved == 3
    assert scene.placed()[customer] == scene.tired
    assert scene.differing() == 0


def test_an_outcome_that_the_batch_has_to_wait_for_is_not_overwritten(scene: Scene) -> None:
    """Planted: batches that write what the scan said; found."""
    customer, found = scene.customers[7], scene.to_do()[0]
    with ThreadPoolExecutor(1) as other:
        with scene.world.work() as work:
            work.run(text("select 1 from placement where customer_id = :c for no key update"), c=customer)
            running = other.submit(rebuild, scene.world.opener(), found)
            wait_until(lambda: waiting_backends(scene.world) == 1)
            scene.tire_within(work, customer)
        assert running.result().moved == 3
    assert scene.placed()[customer] == scene.tired
    assert scene.differing() == 0


def test_a_hold_that_the_batch_has_to_wait_for_is_obeyed(scene: Scene) -> None:
    """It was held behind the lock. Planted: batches that write what the scan said; the hold was lost."""
    customer, found = scene.customers[7], scene.to_do()[0]
    hold = text("""
        insert into hold (crm_id, assignment_id, customer_id, segment_id, author, reason, created_at)
        values (:crm_id, :a, :c, :s, 'Ann', 'knows them', :now)
    """)
    with ThreadPoolExecutor(1) as other:
        with scene.world.work() as work:
            work.run(text("select 1 from placement where customer_id = :c for no key update"), c=customer)
            running = other.submit(rebuild, scene.world.opener(), found)
            wait_until(lambda: waiting_backends(scene.world) == 1)
            work.run(hold, a=scene.assignment, c=customer, s=scene.tired)
            resegment(work, scene.assignment, [customer], "event")
        running.result()
    assert scene.placed()[customer] == scene.tired


def test_whoever_the_batch_has_to_wait_for_is_moved_all_the_same(scene: Scene) -> None:
    """What no rule asks was written, as by a deal. Planted: no lock before the look; they stayed."""
    customer, found = scene.customers[7], scene.to_do()[0]
    with ThreadPoolExecutor(1) as other:
        with scene.world.work() as work:
            work.run(text("update placement set rank = 7 where customer_id = :c"), c=customer)
            running = other.submit(rebuild, scene.world.opener(), found)
            wait_until(lambda: waiting_backends(scene.world) == 1)
        assert running.result().moved == 4
    assert scene.differing() == 0


def test_the_scan_waits_for_whoever_passed_before_it(scene: Scene) -> None:
    """They may have gone by older rules. Planted: no passing; the scan missed what they wrote."""
    found = scene.to_do()[0]
    with ThreadPoolExecutor(1) as other:
        with scene.world.work() as work:
            pass_shared(work, [scene.assignment])
            running = other.submit(rebuild, scene.world.opener(), found)
            wait_until(lambda: waiting_backends(scene.world, "advisory") == 1)
            work.run(text("update placement set attempts = 3 where assignment_id = :a"), a=scene.assignment)
        assert running.result().moved == 10


def test_newer_rules_stop_a_rebuild_at_the_next_batch(scene: Scene) -> None:
    """The newer rules' rebuild waits already, is hinted again, and finishes the work."""
    found = scene.to_do()[0]
    newer: list[int] = []
    open_work = interrupted(scene.world, {5: lambda: newer.append(scene.publish({"old": OLD}))})
    report = rebuild(open_work, found, batch=1)
    assert (report.ending, newer) == ("superseded", [2])
    assert report.moved < 4
    (waiting,) = scene.to_do()
    assert waiting != found
    hints = [hint for hint in scene.world.hints if hint.kind == "rebuild" and hint.subject == waiting]
    assert len(hints) == 2  # from whoever published, and from the rebuild that stopped
    assert scene.rebuild().ending == "done"
    assert scene.differing() == 0


def test_at_most_one_waits_and_its_hint_names_it(scene: Scene) -> None:
    (waiting,) = scene.to_do()
    with scene.world.work() as work:
        assert request_rebuild(work, scene.assignment, "again") == waiting
        assert [(hint.kind, hint.subject) for hint in work.hints] == [("rebuild", waiting)]
    scene.change("update rebuild set started_at = :now where assignment_id = :a")
    with scene.world.work() as work:
        assert request_rebuild(work, scene.assignment, "more") > waiting
    assert len(scene.to_do()) == 2


def test_many_who_ask_at_once_share_one(scene: Scene) -> None:
    together = Barrier(8)

    def ask(_: int) -> int:
        together.wait()
        with scene.world.work() as work:
            return request_rebuild(work, scene.assignment, "at once")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == set(scene.to_do())
    assert len(scene.to_do()) == 1


def test_whoever_starts_it_waits_for_those_who_still_ask(scene: Scene) -> None:
    """The scan sees what they wrote before they asked. Planted: on conflict do nothing; it was missed."""
    found = scene.to_do()[0]
    with ThreadPoolExecutor(1) as other:
        with scene.world.work() as work:
            work.run(text("update placement set attempts = 3 where assignment_id = :a"), a=scene.assignment)
            assert request_rebuild(work, scene.assignment, "all of them are tired") == found
            running = other.submit(rebuild, scene.world.opener(), found)
            wait_until(lambda: waiting_backends(scene.world) == 1)
        assert running.result().moved == 10
    assert set(scene.placed().values()) == {scene.tired}


class Crash(BaseException):
    """kill -9, as the process itself would see it."""


@pytest.mark.parametrize("at", [2, 3, 4, 5, 7, 8])
def test_a_rebuild_that_crashed_is_to_do_and_done_again(scene: Scene, at: int) -> None:
    found = scene.to_do()[0]

    def crash() -> None:
        raise Crash

    with pytest.raises(Crash):
        rebuild(interrupted(scene.world, {at: crash}), found, batch=1)
    assert scene.to_do() == [found]
    assert scene.rebuild().ending == "done"
    assert scene.differing() == 0
    assert scene.to_do() == []


def test_a_batch_that_fails_is_undone_with_its_history(scene: Scene) -> None:
    def crash() -> None:
        raise Crash

    with pytest.raises(Crash):
        scene.rebuild(lingering(scene.world, {4: crash}))
    assert set(scene.placed().values()) == {scene.unsegmented}
    assert not scene.all("select 1 from segment_move where assignment_id = :a and cause = 'rule'")


def test_a_second_process_leaves_the_work_to_the_first(scene: Scene) -> None:
    """Hints come twice. Planted: without the lock both scanned and moved."""
    found = scene.to_do()[0]
    inside, go_on = Event(), Event()

    def hold_up() -> None:
        inside.set()
        assert go_on.wait(10)

    with ThreadPoolExecutor(1) as other:
        first = other.submit(rebuild, lingering(scene.world, {4: hold_up}), found)
        assert inside.wait(10)
        second = rebuild(scene.world.opener(), found)
        go_on.set()
        assert (second.ending, first.result().ending, first.result().moved) == ("elsewhere", "done", 4)


def test_who_finds_another_at_work_between_two_batches_stops(scene: Scene) -> None:
    """Planted: batches that do not look; both moved the same customers."""
    found = scene.to_do()[0]
    alone = text("select pg_try_advisory_xact_lock(-cast(:a as bigint))")
    with scene.world.work() as scanning:

        def begin() -> None:
            assert scanning.run(alone, a=scene.assignment).scalar_one()

        report = rebuild(interrupted(scene.world, {4: begin}), found)
    assert (report.ending, report.moved) == ("elsewhere", 0)
    assert scene.to_do() == [found]


def test_a_finished_rebuild_is_not_done_again_and_an_unknown_one_is_refused(scene: Scene) -> None:
    found = scene.to_do()[0]
    first = scene.rebuild()
    scene.change("update placement set attempts = 3 where assignment_id = :a")
    assert rebuild(scene.world.opener(), found) == first
    assert scene.differing() == 10
    with pytest.raises(NotFound):
        rebuild(scene.world.opener(), found + 1)
    with scene.world.work() as work, pytest.raises(NotFound):
        resegment(work, scene.assignment + 1, [1], "event")


def test_nothing_of_a_neighbour_moves(scene: Scene) -> None:
    """Two CRMs with assignments, customers and rules of their own: each rebuild stays behind its wall."""
    beside = Scene(scene.world.neighbour())
    scene.rebuild()
    assert set(beside.placed().values()) == {beside.unsegmented}
    assert beside.differing() == 4
    assert scene.one("select current_user as me").me == "ringeliste_app"


def test_a_version_that_was_rolled_back_leaves_no_trace(scene: Scene) -> None:
    """Planted: rules remembered by their version alone; the second 2 went by the first one's rules."""
    with scene.world.work() as work:
        work.run(text("update segment set rule = '{\"all\": []}' where key = 'tired'"))
        work.run(text("update assignment set rule_version = 2 where id = :a"), a=scene.assignment)
        assert rules_in_force(work, scene.assignment).version == 2
        work.session.rollback()
    assert scene.publish({"old": OLD}) == 2
    scene.rebuild()
    assert set(scene.placed().values()) == {scene.unsegmented, scene.old}
    assert scene.differing() == 0


def test_rules_are_compiled_once_a_version(scene: Scene) -> None:
    with scene.world.work() as work:
        first = rules_in_force(work, scene.assignment)
        assert rules_in_force(work, scene.assignment) is first
    scene.publish({"old": OLD})
    with scene.world.work() as work:
        assert rules_in_force(work, scene.assignment) is not first
