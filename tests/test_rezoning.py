"""New zone data: every number is looked at anew, whoever moves is told of, a crash loses nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from interleaving import instead_of_run
from sqlalchemy import text
from world import LISBON, NOON, World

from calling.customers import rezoning, rezoning_sql
from calling.customers.rezoning import rezone
from calling.dialers.orders import recalls, to_offer
from calling.handout.allocate import allocate_all
from calling.handout.hand_out import next_customer
from calling.handout.ring import ring
from calling.hours import versions
from calling.intake import numbers
from calling.outcomes.outcome import Report, record_all
from calling.views.audit import audit
from calling.views.zones import unknown_zones
from models.outcomes import Outcome
from models.work import Work

MOBILE_ZONES = ["Atlantic/Azores", "Europe/Lisbon"]


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """What the process remembers of numbers is of one test."""
    numbers._known.clear()
    yield
    numbers._known.clear()


def installed(monkeypatch: pytest.MonkeyPatch, world: World, **parts: str) -> None:
    """From here on other versions are installed."""
    now = {**versions.installed(), **parts}
    monkeypatch.setattr(versions, "installed", lambda: now)
    versions._known.clear()


def told(world: World) -> list[Any]:
    with world.work() as work:
        return list(
            work.run(
                text("""select f.zones as left, t.zones as right, r.customers, r.samples
                          from rezoned_customers r join call_clock f on f.id = r.from_clock
                          join call_clock t on t.id = r.to_clock order by r.from_clock, r.to_clock""")
            ).all()
        )


def zones(world: World) -> list[list[str]]:
    with world.work() as work:
        return list(work.run(text("select zones from customer_number order by customer_id, e164")).scalars())


def test_whoever_is_elsewhere_by_the_new_data_moves_and_is_told_of(world: World) -> None:
    """The world's mobiles are kept as Lisbon's; the installed data say Azores or Lisbon.

    Planted: the clock left as it was; the placements left: seen to fail.
    """
    assignment = world.assignment()
    people = world.customers(7, assignment)
    done = rezone(world.opener())
    assert done is not None
    assert (done.customers, done.moved) == (7, 7)
    assert zones(world) == [MOBILE_ZONES] * 7
    assert [(row.left, row.right, row.customers, row.samples) for row in told(world)] == [
        ([LISBON], MOBILE_ZONES, 7, people[:5])
    ]
    clock = world.clock(MOBILE_ZONES)
    with world.work() as work:
        where = work.run(text("select distinct clock_id from placement union select clock_id from customer"))
        assert where.scalars().all() == [clock]
    # At half past nine in Lisbon it is half past eight on the Azores.
    world.seller(assignment)
    assert allocate_all(world.opener(datetime(2026, 3, 2, 9, 30, tzinfo=UTC)), assignment) == 0
    assert allocate_all(world.opener(datetime(2026, 3, 2, 10, 30, tzinfo=UTC)), assignment) == 2


def test_once_under_the_installed_data_there_is_nothing_to_do(world: World) -> None:
    world.customers(3)
    assert rezone(world.opener()) is not None
    assert rezone(world.opener()) is None
    with world.work() as work:
        assert work.run(text("select count(*) from rezoning")).scalar() == 1


def test_who_has_not_moved_is_not_written(world: World) -> None:
    """Planted: everybody written, whether their zones differ or not; seen to fail."""
    people = world.customers(4, world.assignment(), zones=MOBILE_ZONES)
    versions_of = " union all ".join(
        f"select string_agg(ctid::text || xmin::text, ' ' order by {key}) from {table}"
        for table, key in (("customer", "id"), ("customer_number", "e164"), ("placement", "customer_id"))
    )
    with world.work() as work:
        verify = """update customer set verified_zone = 'Europe/Lisbon', reckoning_zone = 'Europe/Lisbon',
                           clock_id = :clock where id = :id"""
        work.run(text(verify), clock=world.clock_id, id=people[0])
        before = work.run(text(versions_of)).scalars().all()
    done = rezone(world.opener())
    assert done is not None
    assert (done.customers, done.moved) == (4, 0)
    with world.work() as work:
        assert work.run(text(versions_of)).scalars().all() == before


def test_the_tick_notices_each_kind_of_new_data(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zones are worked out anew for new zone data; for other hours it is enough to take back what is shut."""
    world.customers(3)
    rezone(world.opener())
    with world.work() as work:
        work.run(text("update customer_number set zones = '{Europe/Oslo}'"))
    for part in ("law", "holidays"):
        installed(monkeypatch, world, **{part: "another"})
        done = rezone(world.opener())
        assert done is not None
        assert (done.customers, done.moved) == (0, 0)
        assert rezone(world.opener()) is None
    for part in ("tzdata", "phonenumbers", "zones"):
        with world.work() as work:
            work.run(text("update customer_number set zones = '{Europe/Oslo}'"))
        installed(monkeypatch, world, **{part: "another"})
        done = rezone(world.opener())
        assert done is not None
        assert done.customers == 3
        assert zones(world) == [MOBILE_ZONES] * 3


class Crash(Exception):
    """The process dies here."""


@pytest.mark.parametrize("where", ["_write", "take_back_moved", "DONE_TO"])
def test_a_crash_is_gone_on_from(world: World, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Nobody is told of twice, nobody is left out. Planted: `done_to` before the moves; seen to fail."""
    monkeypatch.setattr(rezoning, "READ", 4)
    monkeypatch.setattr(rezoning, "BATCH", 2)
    world.customers(10, world.assignment())
    calls = 0

    def dying(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Crash
        return real(*arguments)

    if where == "DONE_TO":
        real: Any = Work.run

        def run(self: Work, statement: Any, **values: Any) -> Any:
            return dying_run(self, statement, **values)

        def dying_run(self: Work, statement: Any, **values: Any) -> Any:
            nonlocal calls
            if statement is rezoning_sql.DONE_TO:
                calls += 1
                if calls == 2:
                    raise Crash
            return real(self, statement, **values)

        instead_of_run(monkeypatch, run)
    else:
        real = getattr(rezoning, where)
        monkeypatch.setattr(rezoning, where, dying)
    with pytest.raises(Crash):
        rezone(world.opener())
    with world.work() as work:
        assert work.run(text("select count(*) from rezoning where finished_at is null")).scalar() == 1
    done = rezone(world.opener())
    assert done is not None
    assert (done.customers, done.moved) == (10, 10)
    assert [(row.customers, len(set(row.samples))) for row in told(world)] == [(10, 5)]
    assert zones(world) == [MOBILE_ZONES] * 10


def test_newer_data_in_the_midst_of_it_begin_it_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.customers(3)
    with monkeypatch.context() as patched:
        patched.setattr(rezoning, "take_back_shut", lambda *_: (_ for _ in ()).throw(Crash))
        with pytest.raises(Crash):
            rezone(world.opener())
    installed(monkeypatch, world, tzdata="2099a")
    done = rezone(world.opener())
    assert done is not None
    assert (done.customers, done.moved) == (3, 3)
    with world.work() as work:
        told_of = work.run(
            text("""select tzdata from rezoning z join data_version v on v.id = z.to_version""")
        )
        assert told_of.scalars().all() == ["2099a"]


def test_two_at_once_do_it_once(world: World) -> None:
    world.customers(50, world.assignment())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: rezone(world.opener()), range(4)))
    with world.work() as work:
        runs = work.run(text("select finished_at, customers, moved from rezoning")).all()
    assert [(run.customers, run.moved) for run in runs if run.moved or len(runs) == 1] == [(50, 50)]
    assert all(run.finished_at for run in runs)
    assert [row.customers for row in told(world)] == [50]


def test_orders_of_whoever_moved_are_wanted_back(world: World) -> None:
    """`ring_by` came from the zones that they had (P3). Planted: no recall; seen to fail."""
    assignment = world.assignment()
    world.customers(4, assignment)
    dialer = world.dialer(assignment, wanted=2, wanted_at=NOON)
    allocate_all(world.opener(), assignment)
    with world.work() as work:
        sent = {order.lease_id for order in to_offer(work, dialer)}
    rezone(world.opener())
    with world.work() as work:
        assert set(recalls(work, dialer)) == sent != set()


def test_new_laws_take_back_what_was_offered_under_the_old_ones(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the file had come with the new program: nobody set a wall. Planted: nothing taken back; fails."""
    assignment = world.assignment()
    world.customers(4, assignment, zones=MOBILE_ZONES)
    rezone(world.opener())
    seller = world.seller(assignment)
    assert next_customer(world.opener(), seller) is not None
    with world.app.shared() as session:
        session.execute(text('update crm set hours = \'{"mon": [["15:00", "20:00"]]}\''))
    installed(monkeypatch, world, law="of tomorrow")
    done = rezone(world.opener())
    assert done is not None
    assert done.recalled == 2
    with world.work() as work:
        assert not work.run(text("select 1 from lease where ended_at is null")).all()


@pytest.mark.parametrize("gone", ["+351555555555", "+3511"])
def test_a_number_of_no_plan_any_more_is_nowhere(world: World, gone: str) -> None:
    """Not callable until a person has looked at it, and counted as moved."""
    assignment = world.assignment()
    (one,) = world.customers(1, assignment)
    with world.work() as work:
        work.run(text("update customer_number set e164 = :gone"), gone=gone)
    rezone(world.opener())
    assert zones(world) == [[]]
    with world.work() as work:
        gate = work.run(text("select gated_by from placement where customer_id = :one"), one=one).scalar()
    assert gate == "zone_unknown"
    assert [row.right for row in told(world)] == [[]]


# Decisions record the versions they used


def test_leases_and_attempts_name_the_data_they_were_decided_by(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the attempt without it; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    world.customers(4, assignment)
    seller = world.seller(assignment)
    for law in ("of today", "of tomorrow"):
        installed(monkeypatch, world, law=law)
        card = next_customer(world.opener(), seller)
        assert card is not None
        with world.work() as work:
            ring(work, card.lease_id, seller)
        record_all(world.opener(), [Report(card.lease_id, Outcome.NO_ANSWER, "seller")])
        with world.work() as work:
            work.run(text("update lease set state = 'ended', ended_at = :now, ended_by = 'released' "
                          "where ended_at is null"))  # fmt: skip
            work.run(text("delete from claim_customer")), work.run(text("delete from claim_number"))
    sql = "select v.law from {} x join data_version v on v.id = x.data_version where {} order by 1"
    with world.work() as work:
        by_lease = work.run(text(sql.format("lease", "x.rung_at is not null"))).scalars().all()
        by_attempt = work.run(text(sql.format("attempt", "true"))).scalars().all()
        kept = versions.versions(work, [1, 2])
    assert by_lease == by_attempt == ["of today", "of tomorrow"]
    assert {one["tzdata"] for one in kept.values()} == {versions.installed()["tzdata"]}


def test_the_versions_in_use_are_looked_up_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: asked at every hand-out; seen to fail."""
    versions._known.clear()
    for _ in range(2):  # written down, then read as committed
        with world.work() as work:
            first = versions.version_id(work)
    with world.work() as work:
        instead_of_run(monkeypatch, lambda *_, **__: pytest.fail("asked again"))
        assert versions.version_id(work) == first


def test_rings_decided_by_other_data_are_not_judged_by_these(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At half past nine in Lisbon, before anybody knew of the Azores. Planted: judged; seen to fail.

    By the same data it is judged by where they were held to be then; a lease of before that was written down
    says nothing of it, and is judged by where they are.
    """
    assignment = world.assignment()
    world.customers(1, assignment)
    seller = world.seller(assignment)
    early = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    card = next_customer(world.opener(early), seller)
    assert card is not None
    with world.work(early) as work:
        ring(work, card.lease_id, seller)
    installed(monkeypatch, world, phonenumbers="99")
    rezone(world.opener())

    def violations() -> int:
        with world.work() as work:
            return sum(one.count for one in audit(work) if one.promise == "P3")

    with world.work() as work:
        clock = work.run(text("select clock_id from lease")).scalar_one()
        work.run(text("update lease set clock_id = null"))
    assert violations() == 0
    monkeypatch.undo()
    versions._known.clear()
    assert violations() == 1
    with world.work() as work:
        work.run(text("update lease set clock_id = :clock"), clock=clock)
    assert violations() == 0


def reads_as(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    """The installed data say that every number is of this zone."""
    read = numbers_as_read
    monkeypatch.setattr(rezoning, "_read", lambda e164: read(e164)._replace(zones=(zone,)))


numbers_as_read = rezoning._read


def test_data_that_are_taken_back_in_the_midst_leave_nobody_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newer data have moved some when the older are installed again. Seen to fail before: they stayed moved,
    and the rezoning was told to be done."""
    world.customers(6, world.assignment())
    rezone(world.opener())
    monkeypatch.setattr(rezoning, "READ", 2)
    go_on, rounds = rezoning._go_on, iter(range(9))

    def dies(*arguments: Any) -> bool:
        if next(rounds) == 2:
            raise RuntimeError("dead")
        return go_on(*arguments)

    with monkeypatch.context() as newer:
        installed(newer, world, tzdata="2099a")
        reads_as(newer, "Europe/Oslo")
        newer.setattr(rezoning, "_go_on", dies)
        with pytest.raises(RuntimeError, match="dead"):
            rezone(world.opener())
    versions._known.clear()
    assert zones(world).count(["Europe/Oslo"]) == 4
    rezone(world.opener())
    assert zones(world) == [MOBILE_ZONES] * 6


def test_of_two_editions_the_later_one_looks_at_everybody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older one is in the midst when the newer begins anew. Seen to fail before: the older went on where
    the newer had been, and told that all was done."""
    world.customers(6, world.assignment())
    rezone(world.opener())
    monkeypatch.setattr(rezoning, "READ", 2)
    go_on, rounds = rezoning._go_on, iter(range(9))

    def beside(open_work: Any, run_id: int, mine: int) -> bool:
        if next(rounds) == 1:
            with monkeypatch.context() as newer:
                installed(newer, world, tzdata="2099b")
                reads_as(newer, "Europe/Rome")
                with world.work() as work:
                    row = rezoning._begun(work)
                assert row is not None
                go_on(open_work, row.id, row.to_version)
            versions._known.clear()
        return go_on(open_work, run_id, mine)

    with monkeypatch.context() as older:
        installed(older, world, tzdata="2099a")
        reads_as(older, "Europe/Oslo")
        older.setattr(rezoning, "_go_on", beside)
        rezone(world.opener())
    with monkeypatch.context() as newer:
        installed(newer, world, tzdata="2099b")
        reads_as(newer, "Europe/Rome")
        rezone(world.opener())
    assert zones(world) == [["Europe/Rome"]] * 6


def test_places_of_an_earlier_edition_get_their_names_and_zones(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It kept US-PR, AU-NSW Western and BR-AC, none of which added a zone; US-ZZ it took for a place.

    Planted: the places left as they were; the file of subdivisions left out of the versions: seen to fail.
    """
    people = world.customers(4, world.assignment(), zones=MOBILE_ZONES)
    rezone(world.opener())
    for customer, place in zip(people, ("US-PR", "AU-NSW Western", "BR-AC", "US-ZZ"), strict=True):
        clock = world.clock(MOBILE_ZONES, ["PT", place])
        with world.work() as work:
            for table, key in (("customer", "id"), ("placement", "customer_id")):
                work.run(
                    text(f"update {table} set clock_id = :clock where {key} = :id"), clock=clock, id=customer
                )
            work.run(text("update customer set place = :place where id = :id"), place=place, id=customer)
    assert rezone(world.opener()) is None, "by the same data nobody looks"
    shipped = versions._shipped
    monkeypatch.setattr(
        versions, "_shipped", lambda name: shipped(name) + "#" * (name == "subdivisions.toml")
    )
    versions.installed.cache_clear()
    versions._known.clear()
    done = rezone(world.opener())
    monkeypatch.undo()
    versions.installed.cache_clear()
    versions._known.clear()
    assert done is not None
    assert done.moved == 4
    with world.work() as work:
        found = work.run(
            text("""
            select c.place, k.places, k.zones, p.clock_id = c.clock_id as together
              from customer c join call_clock k on k.id = c.clock_id
              join placement p on p.customer_id = c.id order by c.id
        """)
        ).all()
    assert [(row.place, row.places) for row in found] == [
        ("PR", ["PR", "PT"]), ("AU-NSW", ["AU-NSW", "PT"]), ("BR-AC", ["BR-AC", "PT"]),
        ("US-ZZ", ["PT", "US-ZZ"]),
    ]  # fmt: skip
    needed = ("America/Puerto_Rico", "Australia/Broken_Hill", "America/Rio_Branco", "Pacific/Honolulu")
    assert all(name in row.zones and row.together for name, row in zip(needed, found, strict=True))


def test_whose_verified_zone_is_no_more_is_asked_for_again(world: World) -> None:
    (customer,) = world.customers(1, world.assignment())
    with world.work() as work:
        work.run(text("update customer set verified_zone = 'Europe/Gone' where id = :id"), id=customer)
    rezone(world.opener())
    with world.work() as work:
        assert [row.id for row in unknown_zones(work, 0, 9)] == [customer]
