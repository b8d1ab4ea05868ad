"""Editing a customer: held against the catalogue, followed at once by segments, rank, clock and recalls."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from interleaving import acting_before
from sqlalchemy import TextClause, text
from world import NOON, World, wait_until

from calling.catalogue.changing import add
from calling.catalogue.field import Field
from calling.catalogue.retiring import retire
from calling.customers import editing
from calling.customers.editing import Edited, edit_customer, edits
from calling.dialers import reclocked
from calling.dialers.orders import to_offer
from calling.handout.allocate import allocate_all
from calling.handout.hand_out import next_customer
from calling.intake.importing import import_file
from calling.outcomes.outcome import Report, record
from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.views.audit import audit
from models.errors import BadValues, Conflict, NotFound
from models.outcomes import Outcome
from segmentation.resegment import differing

LATER = NOON + timedelta(minutes=1)
OLD = {"key": "old", "name": "Old", "when": {"f": "age", "op": "ge", "v": 60}}
MAIL = {"key": "mail", "name": "Mail", "when": {"f": "has_email", "op": "is_true"}}
ABROAD = {"key": "abroad", "name": "Abroad", "when": {"f": "country", "op": "ne", "v": "PT"}}


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


@pytest.fixture
def fields(world: World) -> None:
    for field in (
        Field("age", "number", "Age"),
        Field("note", "text", "Note", pattern="[a-z ]*"),
        Field("colour", "choice", "Colour", choices=("red", "light blue")),
        Field("born", "date", "Born", required=True),
    ):
        add(world.opener(), field)


def cut(world: World, *segments: Any, **columns: Any) -> int:
    """An assignment with these segments."""
    assignment = world.assignment(**columns)
    publish(world.opener(), assignment, {"segments": list(segments)}, author="me")
    for rebuild in rebuilds_to_do(world.opener()):
        run_rebuild(world.opener(), rebuild)
    return assignment


def edit(world: World, customer: int, /, author: str = "Kari", **wanted: Any) -> Edited:
    return edit_customer(world.opener(LATER), customer, wanted, author=author)


def row(world: World, customer: int) -> Any:
    with world.work() as work:
        return work.run(text("select * from customer where id = :id"), id=customer).one()


def segment_of(world: World, assignment: int, customer: int) -> str:
    sql = """select s.key from placement p join segment s on s.id = p.segment_id
              where p.assignment_id = :a and p.customer_id = :c"""
    with world.work() as work:
        return str(work.run(text(sql), a=assignment, c=customer).scalar_one())


def moves(world: World) -> list[tuple[str, list[int]]]:
    with world.work() as work:
        rows = work.run(
            text("select cause, customers from segment_move where cause <> 'entered' order by id")
        )
        return [(row.cause, row.customers) for row in rows]


# --- what is written ------------------------------------------------------------------------------


@pytest.mark.usefixtures("fields")
def test_only_what_is_named_is_written(world: World) -> None:
    (one,) = world.customers(1, fields=lambda _: {"age": 41, "note": "a", "born": "2000-01-01"})
    before = row(world, one)
    done = edit(world, one, fields={"age": 42, "note": None, "colour": "RED"}, email=" a@b.no ")
    assert set(done.changed) == {"fields.age", "fields.note", "fields.colour", "email"}
    after = row(world, one)
    assert after.fields == {"age": 42, "born": "2000-01-01", "colour": "red"}
    assert (after.email, after.name, after.place) == ("a@b.no", before.name, before.place)
    assert after.updated_at == LATER
    with world.work() as work:
        (noted,) = edits(work, one, 0, 10)
    assert (noted.author, set(noted.changed), noted.edited_at) == ("Kari", set(done.changed), LATER)


@pytest.mark.usefixtures("fields")
def test_what_is_so_already_is_not_written(world: World) -> None:
    """Planted: true taken for 1; seen to fail."""
    add(world.opener(), Field("vip", "yes_no", "VIP"))
    (one,) = world.customers(1, fields=lambda _: {"age": 41.0, "vip": 1, "born": "2000-01-01"})
    before = row(world, one)
    assert (
        edit(world, one, fields={"age": 41, "note": "", "born": "01.01.2000"}, name=before.name).changed == ()
    )
    assert row(world, one) == before
    assert edit(world, one, fields={"vip": True}).changed == ("fields.vip",)
    assert edit(world, one, name=None).changed == ("name",)
    assert row(world, one).name == ""


@pytest.mark.usefixtures("fields")
def test_every_problem_is_told_at_once_and_nothing_is_written(world: World) -> None:
    add(world.opener(), Field("policy", "text", "Policy", unique=True))
    add(world.opener(), Field("gone", "text", "Gone"))
    retire(world.opener(), "gone", author="Bo")
    one, other = world.customers(2, fields=lambda i: {"policy": f"P{i}"})
    before = row(world, one)
    wanted = {
        "age": "41", "note": "A", "colour": "lite blue", "born": None, "policy": "P1", "gone": "x", "agee": 1,
    }  # fmt: skip
    with pytest.raises(BadValues) as refused:
        edit(world, one, fields=wanted, email="nobody", place="XX", name="\x00", nmae="x", external_id="7")
    told = dict(refused.value.problems)
    assert told.pop("fields.age") == 'takes a JSON number; "41" is none'
    assert told.pop("fields.note") == "does not match the pattern [a-z ]*"
    assert told.pop("fields.colour") == 'is none of the choices - did you mean "light blue"?'
    assert told.pop("fields.born") == "is required"
    assert (
        told.pop("fields.policy")
        == f'customer "{row(world, other).external_id}" has this value already, and it is unique'
    )
    assert told.pop("fields.gone") == "is no longer in use: it was retired by Bo on 2026-03-02"
    assert told.pop("fields.agee") == 'is no field - did you mean "age"?'
    assert told.pop("email") == "is no e-mail address"
    assert told.pop("place").startswith("is no place")
    assert told.pop("name") == "holds a character that cannot be kept"
    assert 'did you mean "name"' in told.pop("nmae")
    assert "a list knows the customer" in told.pop("external_id")
    assert told == {}
    assert row(world, one) == before


@pytest.mark.usefixtures("fields")
def test_an_old_value_that_breaks_a_demand_hinders_no_edit_of_another(world: World) -> None:
    (one,) = world.customers(1, fields=lambda _: {"note": "OLD STYLE"})
    assert edit(world, one, fields={"age": 3}).changed == ("fields.age",)
    assert row(world, one).fields == {"note": "OLD STYLE", "age": 3}


def test_who_is_not_there_or_not_any_more(world: World) -> None:
    (one,) = world.customers(1)
    with pytest.raises(NotFound):
        edit(world, 4711, name="x")
    with pytest.raises(NotFound):
        edit(world.neighbour(), one, name="x")
    with world.work() as work:
        work.run(text("update customer set anonymised_at = :now where id = :id"), id=one)
    with pytest.raises(Conflict, match="anonymised"):
        edit(world, one, name="x")


@pytest.mark.usefixtures("fields")
def test_a_date_stays_findable_by_its_day(world: World) -> None:
    (one,) = world.customers(1)
    for value in ("2000-02-29", "2001-03-01"):
        edit(world, one, fields={"born": value})
        with world.work() as work:
            assert str(work.run(text("select day from customer_day")).scalar_one()) == value


# --- what follows ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("fields")
def test_segments_follow_in_every_assignment_that_asks(world: World) -> None:
    """Planted: followed in the first assignment only, the moves not noted; each seen to fail."""
    asks, too, asks_not = cut(world, OLD), cut(world, MAIL, OLD), cut(world, MAIL)
    (one,) = world.customers(1, asks)
    world.place([one], too)
    world.place([one], asks_not)
    assert edit(world, one, fields={"age": 61}).moved == 2
    assert [segment_of(world, a, one) for a in (asks, too, asks_not)] == ["old", "old", "unsegmented"]
    assert moves(world) == [("event", [one]), ("event", [one])]
    assert edit(world, one, email="a@b.no").moved == 2
    assert [segment_of(world, a, one) for a in (asks, too, asks_not)] == ["old", "mail", "mail"]
    assert edit(world, one, fields={"note": "x"}).moved == 0
    with world.work() as work:
        assert [differing(work, assignment) for assignment in (asks, too, asks_not)] == [0, 0, 0]


@pytest.mark.usefixtures("fields")
def test_an_offered_lease_of_whoever_moves_is_recalled(world: World) -> None:
    """Planted: not recalled; seen to fail."""
    assignment = cut(world, OLD)
    world.customers(1, assignment)
    world.seller(assignment)
    allocate_all(world.opener(), assignment)
    with world.work() as work:
        (customer,) = work.run(text("select customer_id from lease where state = 'offered'")).scalars()
    edit(world, customer, fields={"age": 61})
    with world.work() as work:
        assert list(work.run(text("select ended_by from lease")).scalars()) == ["recalled"]
        assert [found for found in audit(work) if found.count] == []


@pytest.mark.usefixtures("fields")
def test_a_taken_lease_stays(world: World) -> None:
    assignment = cut(world, OLD)
    world.customers(1, assignment)
    handed = next_customer(world.opener(), world.seller(assignment))
    assert handed
    edit(world, handed.customer_id, fields={"age": 61})
    assert segment_of(world, assignment, handed.customer_id) == "old"
    with world.work() as work:
        assert list(work.run(text("select state from lease")).scalars()) == ["taken"]


@pytest.mark.usefixtures("fields")
def test_the_rank_follows_the_field_of_the_order(world: World) -> None:
    """Planted: the rank left as it was; seen to fail."""
    assignment = world.assignment(order_field="age")
    one, other = world.customers(2, assignment, fields=lambda i: {"age": 10 + i})
    edit(world, one, fields={"age": 90})
    edit(world, other, fields={"age": 20})
    with world.work() as work:
        ranked = work.run(text("select customer_id from placement order by rank")).scalars().all()
    assert ranked == [other, one]


def test_another_address_is_another_clock(world: World) -> None:
    """A legal place more and its zones: the window, the gates, the order outside and the segment follow.

    Planted: each of the four left out, one after the other; seen to fail.
    """
    assignment = cut(world, ABROAD)
    (one,) = world.customers(1, assignment, zones=())
    world.dialer(assignment, wanted=1, wanted_at=NOON)
    with world.work() as work:
        work.run(text("update placement set gated_by = 'zone_unknown', gated_until = '9000-01-01'"))
        work.run(text("update customer_number set zones = '{Europe/Lisbon}'"))
    edit(world, one, place="US-FL")
    found = row(world, one)
    with world.work() as work:
        clock = work.run(text("select key from call_clock where id = :id"), id=found.clock_id).scalar_one()
        placed = work.run(text("select clock_id, gated_by from placement")).one()
    assert (found.place, clock) == ("US-FL", "PT,US-FL|America/Chicago,America/New_York,Europe/Lisbon")
    assert (placed.clock_id, placed.gated_by) == (found.clock_id, None)
    assert segment_of(world, assignment, one) == "abroad"


def test_a_place_is_edited_under_its_own_name_and_one_that_is_none_is_refused(world: World) -> None:
    """Seen to fail before: US-PR and US-FLA were kept, and neither added a zone."""
    (one,) = world.customers(1)
    edit(world, one, place="us-pr")
    found = row(world, one)
    with world.work() as work:
        zones = work.run(text("select zones from call_clock where id = :id"), id=found.clock_id).scalar_one()
    assert (found.place, "America/Puerto_Rico" in zones) == ("PR", True)
    with pytest.raises(BadValues, match="did you mean US-FL"):
        edit(world, one, place="US-FLA")
    assert row(world, one).place == "PR"


def test_an_order_outside_is_wanted_back_when_the_clock_changes(world: World) -> None:
    assignment = world.assignment()
    (one,) = world.customers(1, assignment)
    dialer = world.dialer(assignment, wanted=1, wanted_at=NOON)
    allocate_all(world.opener(), assignment)
    with world.work() as work:
        (order,) = to_offer(work, dialer)
    edit(world, one, place="NO")
    with world.work() as work:
        assert list(work.run(text("select lease_id from recall")).scalars()) == [order.lease_id]


def test_a_seller_edits_whom_they_have_on_the_screen(world: World) -> None:
    """Planted: any seller edits anybody; seen to fail."""
    assignment = world.assignment()
    world.customers(2, assignment)
    ana, rui = world.seller(assignment), world.seller(assignment)
    hers = next_customer(world.opener(), ana)
    assert hers
    done = edit_customer(world.opener(), hers.customer_id, {"name": "Ana"}, author="ana", seller_id=ana)
    assert done.changed == ("name",)
    with pytest.raises(NotFound, match="on your screen"):
        edit_customer(world.opener(), hers.customer_id, {"name": "Rui"}, author="rui", seller_id=rui)
    with world.work() as work:
        record(work, [Report(hers.lease_id, Outcome.NO_ANSWER, "seller")])
    with pytest.raises(NotFound):
        edit_customer(world.opener(), hers.customer_id, {"name": "Late"}, author="ana", seller_id=ana)


# --- at once --------------------------------------------------------------------------------------


def meanwhile(
    world: World, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, statement: TextClause,
    other: Callable[[], Any],
) -> list["Future[Any]"]:  # fmt: skip
    """Start `other` just before `statement`; go on when it is done or waits for a lock."""
    jobs: list[Future[Any]] = []

    def go() -> None:
        jobs.append(pool.submit(other))
        wait_until(lambda: jobs[0].done() or waits(world))

    acting_before(monkeypatch)(statement, go)
    return jobs


@pytest.mark.usefixtures("fields")
def test_two_editors_at_once_lose_nothing_of_each_other(
    world: World, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other begins when we have read and not yet written. Of one value the last one stays.

    Planted: the customer read without a lock, so that our write took their address away; seen to fail.
    """
    (one,) = world.customers(1, fields=lambda _: {"age": 1, "note": "a"})
    theirs = {"fields": {"note": "b", "age": 2}, "email": "a@b.no"}
    jobs = meanwhile(world, pool, monkeypatch, editing._WRITE, lambda: edit(world, one, "Bo", **theirs))
    edit(world, one, "Kari", fields={"age": 3}, name="New")
    jobs[0].result()
    found = row(world, one)
    assert (found.fields, found.email, found.name) == ({"age": 2, "note": "b"}, "a@b.no", "New")


@pytest.mark.usefixtures("fields")
def test_many_editors_and_a_list_at_once(world: World, tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    """Each writes a field of its own; every last value is there, segments are true, nobody waits for ever."""
    assignment = cut(world, OLD, MAIL)
    for i in range(6):
        add(world.opener(), Field(f"f{i}", "number", "F"))
    ids = world.customers(10, assignment)
    with world.work() as work:
        known = work.run(
            text(
                "select c.external_id, n.e164 from customer c join customer_number n on n.customer_id = c.id"
            )
        ).all()
    path = tmp_path / "list.csv"
    together = Barrier(7, timeout=30)

    def editor(me: int) -> None:
        together.wait()
        for turn in range(15):
            for customer in ids if me % 2 else reversed(ids):
                edit(world, customer, f"e{me}", fields={f"f{me}": turn, "age": 10 * turn}, name=f"{me}")

    def importer() -> None:
        together.wait()
        for turn in range(10):
            lines = "".join(f"{one.external_id},{one.e164},{turn % 2},a{turn}@b.no\n" for one in known)
            path.write_text("id,phone,imported,email\n" + lines, encoding="utf-8")
            import_file(world.opener(), path, region="PT")

    jobs: list[Future[None]] = [pool.submit(editor, me) for me in range(6)] + [pool.submit(importer)]
    for job in jobs:
        job.result()
    for rebuild in rebuilds_to_do(world.opener()):
        run_rebuild(world.opener(), rebuild)
    for customer in ids:
        found = row(world, customer)
        assert {key: found.fields[key] for key in (f"f{i}" for i in range(6))} == {
            f"f{i}": 14 for i in range(6)
        }
        assert (found.email, found.fields["imported"]) == ("a9@b.no", 1)
    with world.work() as work:
        assert differing(work, assignment) == 0


@pytest.mark.usefixtures("fields")
def test_an_outcome_and_an_edit_of_one_customer(
    world: World, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes second sees the other: the segment is right by both.

    Planted: the placement not held, and nothing followed; seen to fail.
    """
    tired = {"all": [{"f": "attempts", "op": "ge", "v": 1}, {"f": "age", "op": "ge", "v": 60}]}
    assignment = cut(world, {"key": "tired", "name": "Tired", "when": tired})
    world.customers(1, assignment)
    handed = next_customer(world.opener(), world.seller(assignment))
    assert handed

    def report() -> Any:
        with world.work() as work:
            return record(work, [Report(handed.lease_id, Outcome.NO_ANSWER, "seller")])

    jobs = meanwhile(world, pool, monkeypatch, editing._NOTE, report)
    edit(world, handed.customer_id, fields={"age": 61})
    jobs[0].result()
    assert segment_of(world, assignment, handed.customer_id) == "tired"


def waits(world: World) -> bool:
    """Somebody waits for a lock in this database."""
    sql = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    with world.app.shared() as session:
        return session.execute(text(sql)).first() is not None


def test_an_edit_that_is_beaten_to_it_looks_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has to be looked at again is looked at behind the lock: anonymised in this very moment."""
    (one,) = world.customers(1)

    def anonymise() -> None:
        with world.work() as work:
            work.run(text("update customer set anonymised_at = :now where id = :id"), id=one)

    before = acting_before(monkeypatch)
    before(editing._LOCK, anonymise)
    with pytest.raises(Conflict):
        edit(world, one, name="x")


def test_a_list_and_an_edit_of_an_address(
    world: World, tmp_path: Path, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a customer whose order is outside. Planted: the list locks the customer first; seen to deadlock."""
    assignment = world.assignment()
    (one,) = world.customers(1, assignment)
    dialer = world.dialer(assignment, wanted=1, wanted_at=NOON)
    allocate_all(world.opener(), assignment)
    with world.work() as work:
        assert to_offer(work, dialer)
    path = tmp_path / "list.csv"
    path.write_text(f"id,phone,name\n{row(world, one).external_id},,New\n", encoding="utf-8")
    jobs = meanwhile(world, pool, monkeypatch, reclocked._ORDERS, lambda: edit(world, one, place="NO"))
    import_file(world.opener(), path, region="PT")
    jobs[0].result()
    assert (row(world, one).place, row(world, one).name) == ("NO", "New")
