"""Tags: given and taken in batches, re-segmented in the same transaction; the first giver stays known."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from interleaving import acting_before
from sqlalchemy import text
from world import NOON, World

from calling.customers import tagging
from calling.customers.tagging import BATCH, Tagged, all_tags, tag, tags_of, untag
from calling.handout.allocate import allocate_all
from calling.handout.hand_out import next_customer
from calling.outcomes.outcome import Report, record
from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.views.audit import audit
from models.errors import BadInput, BadValues, NotFound
from models.outcomes import Outcome
from models.tables.customers import TAG_SOURCES
from segmentation.resegment import differing

LATER = NOON + timedelta(hours=1)
VIP = {"key": "vip", "name": "VIP", "when": {"f": "tags", "op": "any", "v": ["VIP"]}}


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(6) as threads:
        yield threads


def give(
    world: World, customers: list[int], *tags: str, source: str = "hand", author: str = "Kari"
) -> Tagged:
    return tag(world.opener(), customers, tags, source=source, author=author)


def cut(world: World) -> int:
    """An assignment with a segment of those who are tagged vip."""
    assignment = world.assignment()
    publish(world.opener(), assignment, {"segments": [VIP]}, author="me")
    for rebuild in rebuilds_to_do(world.opener()):
        run_rebuild(world.opener(), rebuild)
    return assignment


def in_vip(world: World, assignment: int) -> list[int]:
    sql = """select p.customer_id from placement p join segment s on s.id = p.segment_id
              where p.assignment_id = :a and s.key = 'vip' order by 1"""
    with world.work() as work:
        assert differing(work, assignment) == 0
        return list(work.run(text(sql), a=assignment).scalars())


def tags(world: World, customer: int) -> list[str]:
    with world.work() as work:
        return [row.tag for row in tags_of(work, customer)]


def test_the_first_source_author_and_time_stay(world: World) -> None:
    """Planted: `do update`; seen to fail."""
    (one,) = world.customers(1)
    assert give(world, [one], "vip", "VIP ", author="Ana").marks == 1
    again = tag(world.opener(LATER), [one], ["vip", "late"], source="api", author="Bo")
    assert (again.marks, again.customers) == (1, 1)
    with world.work() as work:
        assert [tuple(row) for row in tags_of(work, one)] == [
            ("late", "api", "Bo", LATER), ("vip", "hand", "Ana", NOON),
        ]  # fmt: skip
    assert untag(world.opener(), [one], ["vip", "never"]).marks == 1
    assert tags(world, one) == ["late"]


@pytest.mark.parametrize("source", TAG_SOURCES)
def test_every_source_is_kept(world: World, source: str) -> None:
    (one,) = world.customers(1)
    give(world, [one], "x", source=source)
    with world.work() as work:
        assert tags_of(work, one)[0].source == source


def test_what_cannot_be_given_is_told_at_once(world: World) -> None:
    (one,) = world.customers(1)
    with pytest.raises(BadValues) as refused:
        give(world, [one], "gold customer", "ok", "", "x" * 51)
    assert [path for path, _ in refused.value.problems] == ["tags[0]", "tags[2]", "tags[3]"]
    assert 'write "gold-customer"' in refused.value.problems[0][1]
    with pytest.raises(BadInput, match="name at least one"):
        give(world, [one])
    with pytest.raises(BadInput, match="source"):
        give(world, [one], "x", source="rumour")
    assert tags(world, one) == []
    with world.work() as work, pytest.raises(NotFound):
        tags_of(work, 4711)


def test_unknown_and_anonymised_customers_are_named(world: World) -> None:
    one, gone = world.customers(2)
    (theirs,) = world.neighbour().customers(1)
    with world.work() as work:
        work.run(text("update customer set anonymised_at = :now where id = :id"), id=gone)
    done = give(world, [one, gone, theirs, 999_999, one], "vip")
    assert (done.marks, done.unknown) == (1, sorted([gone, theirs, 999_999]))


def test_all_tags_are_counted_by_name(world: World) -> None:
    ids = world.customers(3)
    give(world, ids, "vip")
    give(world, ids[:1], "late", "visit")
    (theirs,) = (neighbour := world.neighbour()).customers(1)
    give(neighbour, [theirs], "vip")
    with world.work() as work:
        assert [tuple(row) for row in all_tags(work)] == [("late", 1), ("vip", 3), ("visit", 1)]
        assert [row.tag for row in all_tags(work, prefix="vi")] == ["vip", "visit"]
        assert [row.tag for row in all_tags(work, prefix="vi", after="vip", most=5)] == ["visit"]
        assert [row.tag for row in all_tags(work, most=1)] == ["late"]
        assert all_tags(work, prefix="%") == []


# --- segments follow ------------------------------------------------------------------------------


def test_segments_follow_tags_in_the_same_transaction(world: World) -> None:
    """Both ways, in every assignment that asks. Planted: follow left out; seen to fail."""
    asks, too, asks_not = cut(world), cut(world), world.assignment()
    ids = world.customers(3, asks)
    for assignment in (too, asks_not):
        world.place(ids, assignment)
    assert give(world, ids[:2], "vip").moved == 4
    assert in_vip(world, asks) == in_vip(world, too) == ids[:2]
    assert give(world, ids[:2], "vip").moved == 0
    assert untag(world.opener(), ids[:1], ["vip"]).moved == 2
    assert in_vip(world, asks) == ids[1:2]
    with world.work() as work:
        noted = (
            work.run(text("select distinct cause from segment_move where cause <> 'entered'")).scalars().all()
        )
    assert noted == ["event"]


def test_a_rule_means_the_tag_however_it_is_written(world: World) -> None:
    """Planted: the rule's value kept in capitals, so that nobody met it; seen to fail."""
    assignment = cut(world)
    ids = world.customers(1, assignment)
    give(world, ids, "ViP")
    assert in_vip(world, assignment) == ids


def test_an_offered_lease_of_whoever_moves_is_recalled(world: World) -> None:
    assignment = cut(world)
    ids = world.customers(1, assignment)
    world.seller(assignment)
    allocate_all(world.opener(), assignment)
    give(world, ids, "vip")
    with world.work() as work:
        assert list(work.run(text("select ended_by from lease")).scalars()) == ["recalled"]
        assert [found for found in audit(work) if found.count] == []


def test_many_are_tagged_in_batches_each_of_which_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash leaves what was committed; said again, the rest is done. Planted: one transaction; seen."""
    assignment = cut(world)
    ids = world.customers(BATCH * 2 + 10, assignment)

    def crash() -> None:
        before(tagging._TAG, crash_now)

    def crash_now() -> None:
        raise RuntimeError("the power is gone")

    before = acting_before(monkeypatch)
    before(tagging._TAG, crash)
    with pytest.raises(RuntimeError):
        give(world, ids, "vip")
    assert in_vip(world, assignment) == ids[:BATCH]
    done = give(world, ids, "vip")
    assert (done.marks, done.moved) == (BATCH + 10, BATCH + 10)
    assert in_vip(world, assignment) == ids


# --- at once --------------------------------------------------------------------------------------


def test_many_tag_and_untag_the_same_people_at_once(world: World, pool: ThreadPoolExecutor) -> None:
    """With calls that come to outcomes beside them: no deadlock, segments true."""
    assignment = cut(world)
    ids = world.customers(60, assignment)
    sellers = [world.seller(assignment) for _ in range(2)]
    together = Barrier(6, timeout=30)

    def tagger(me: int) -> None:
        names = ["vip", "a", "b"] if me % 2 else ["b", "a", "vip"]
        together.wait()
        for turn in range(12):
            some = ids[turn : turn + 40] if me % 2 else ids[turn : turn + 40][::-1]
            if (me + turn) % 3:
                give(world, some, *names)
            else:
                untag(world.opener(), some, names)

    def seller(me: int) -> None:
        together.wait()
        for _ in range(12):
            handed = next_customer(world.opener(), sellers[me])
            if handed:
                with world.work() as work:
                    record(work, [Report(handed.lease_id, Outcome.NO_ANSWER, "seller")])

    jobs = [pool.submit(tagger, me) for me in range(4)] + [pool.submit(seller, me) for me in range(2)]
    for job in jobs:
        job.result()
    tagged = [one for one in ids if "vip" in tags(world, one)]
    assert in_vip(world, assignment) == tagged


def test_people_in_no_assignment_are_tagged_by_many_at_once(world: World, pool: ThreadPoolExecutor) -> None:
    """Nobody's placement is held there: the order of the tags alone keeps them from waiting in a ring.

    Planted: given in any order; seen to deadlock.
    """
    ids = world.customers(BATCH)
    together = Barrier(6, timeout=30)

    def tagger(me: int) -> None:
        together.wait()
        for turn in range(15):
            if (me + turn) % 2:
                give(world, ids, "a", "b", "c")
            else:
                untag(world.opener(), ids, ["c", "b", "a"])

    for job in [pool.submit(tagger, me) for me in range(6)]:
        job.result()
    assert len({tuple(tags(world, one)) for one in ids}) == 1
