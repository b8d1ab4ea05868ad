"""A portrait of a segment, beside data that are counted by hand."""

import json
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from world import NOON, World

from models.errors import NotFound
from segmentation.facets import facets
from segmentation.portrait import NumberFigures, Worked, calls, drawing, numbers, portrait

_ATTEMPT = text("""
    insert into attempt (crm_id, lease_id, revision, kind, assignment_id, customer_id, segment_id,
                         rule_version, e164, zone, outcome, status, counted, late, rung_at, reported_at)
    values (:crm_id, :lease, :revision, :kind, :a, :customer, :segment, 0, '+351912345678', :zone, :outcome,
            'new', 1, false, :rung_at, :now)
""")


class Scene:
    """A segment of 40 customers among 100."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.assignment = world.assignment()
        self.segment = world.segment(self.assignment)
        for key, type_ in (("age", "number"), ("job", "choice"), ("loan", "yes_no")):
            world.field(key, type_)
        self.inside = world.customers(40, self.assignment, segment_id=self.segment, fields=self.of_inside)
        self.outside = world.customers(60, self.assignment, fields=lambda _: {"age": 60, "job": "clerk"})

    @staticmethod
    def of_inside(i: int) -> dict[str, Any]:
        """30 retired of 40; ages 0, 1, .. 38 and one of 1,000; one age is no number."""
        age: Any = "old" if i == 0 else 1_000 if i == 39 else i
        return {"age": age, "job": "retired" if i < 30 else "clerk", "loan": i < 10}

    def attempt(self, outcome: str, hour: int = 12, lease: Any = None, **more: Any) -> Any:
        with self.world.work() as work:
            lease = lease or work.new_id(more.pop("began", NOON))
            row = {"revision": 0, "kind": "first", "segment": self.segment, "zone": "Europe/Lisbon"} | more
            rung_at = NOON.replace(hour=hour)
            work.run(
                _ATTEMPT, a=self.assignment, lease=lease, customer=self.inside[0], outcome=outcome,
                rung_at=rung_at, **row,
            )  # fmt: skip
        return lease

    def portrait(self, **more: Any) -> Any:
        with self.world.work() as work:
            return portrait(work, self.assignment, self.segment, **more)


def test_size_means_and_medians(world: World) -> None:
    found = Scene(world).portrait()
    assert (found.size, found.assignment, found.as_of) == (40, 100, NOON)
    inside = [*range(1, 39), 1_000]
    everybody = [*inside, *[60] * 60]
    (age,) = found.numbers.figures
    assert age == NumberFigures("age", 39, sum(inside) / 39, 20.0, sum(everybody) / 99)


def test_values_that_are_more_frequent_here(world: World) -> None:
    found = Scene(world).portrait()
    told = {(one.dimension, one.value): one for one in found.standouts}
    retired = told["job", "retired"]
    assert (retired.count, retired.of_all) == (30, 30)
    assert retired.lift == pytest.approx((30 / 40) / (30 / 100))
    assert retired.deviations == pytest.approx((0.75 - 0.3) / (0.3 * 0.7 / 40) ** 0.5)
    assert told["loan", False].count == 30
    assert ("loan", True) not in told  # ten only
    assert ("job", "clerk") not in told
    assert ("status", "new") not in told  # everybody is
    assert found.standouts[0].lift * found.standouts[0].deviations == max(
        one.lift * one.deviations for one in found.standouts
    )


def test_contacts_and_sales_are_of_attempts_in_force(world: World) -> None:
    scene = Scene(world)
    scene.attempt("no_answer")
    completed = scene.attempt("answered")
    scene.attempt("sale", lease=completed, revision=1, kind="completion")
    undone = scene.attempt("sale")
    scene.attempt("sale", lease=undone, revision=1, kind="undo")
    corrected = scene.attempt("sale")
    scene.attempt("no_answer", lease=corrected, revision=1, kind="correction")
    scene.attempt("sale", segment=world.unsegmented(scene.assignment))
    worked = scene.portrait().calls.worked
    assert worked == Worked(attempts=3, contacts=1, sales=1)
    assert (worked.contact_rate, worked.conversion_rate) == (pytest.approx(1 / 3), 1.0)


def test_hours_are_the_customers_own_and_the_surest_come_first(world: World) -> None:
    scene = Scene(world)
    for outcome in ("no_sale", "no_sale", "no_sale", "busy"):
        scene.attempt(outcome, hour=14)
    scene.attempt("no_sale", hour=15, zone="Europe/Oslo")  # 16 there: one lucky call
    scene.attempt("machine", hour=9, zone="Atlantic/Azores")  # 8 there
    assert scene.portrait().calls.hours == (
        (14, Worked(4, 3, 0)), (16, Worked(1, 1, 0)), (8, Worked(1, 0, 0)),
    )  # fmt: skip


def test_attempts_may_be_of_late_only(world: World) -> None:
    scene = Scene(world)
    scene.attempt("sale", began=NOON - timedelta(days=10))
    scene.attempt("busy")
    assert scene.portrait(since=NOON - timedelta(days=1)).calls.worked == Worked(1, 0, 0)
    assert scene.portrait().calls.worked == Worked(2, 1, 1)


def test_unless_asked_otherwise_they_are_of_ninety_days(world: World) -> None:
    """Planted: of all time."""
    scene = Scene(world)
    scene.attempt("sale", began=NOON - timedelta(days=91))
    scene.attempt("busy", began=NOON - timedelta(days=89))
    found = scene.portrait().calls
    assert (found.worked, found.since, found.cut) == (Worked(1, 0, 0), NOON - timedelta(days=90), False)
    assert scene.portrait(since=NOON - timedelta(days=92)).calls.worked == Worked(2, 1, 1)


def test_of_very_many_the_last_are_looked_at_and_the_answer_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: all of them; and those of the very millisecond at which it is cut told as of the period."""
    monkeypatch.setattr(calls, "MOST_CALLS", 3)
    scene = Scene(world)
    for minute, outcome in enumerate(["sale", "sale", "busy", "no_sale", "busy"]):
        scene.attempt(outcome, began=NOON - timedelta(minutes=10 - minute))
    found = scene.portrait().calls
    assert (found.worked, found.cut) == (Worked(3, 1, 0), True)
    assert NOON - timedelta(minutes=9) < found.since <= NOON - timedelta(minutes=8)
    assert scene.portrait(since=found.since).calls == calls.Calls(
        found.since, False, found.worked, found.hours
    )


def test_of_very_many_customers_a_sample_is_looked_at_and_the_answer_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted by hand in SQL, by the same hash. Planted: all of them; one share for both."""
    monkeypatch.setattr(numbers, "SAMPLE", 16)
    scene = Scene(world)
    found = scene.portrait().numbers
    sql = """
        select count(*) filter (where p.segment_id = :s and {here}), count(*) filter (where {all}),
               avg((c.fields ->> 'age')::float) filter (where p.segment_id = :s and {here}
                                                          and jsonb_typeof(c.fields -> 'age') = 'number'),
               avg((c.fields ->> 'age')::float) filter (where {all}
                                                          and jsonb_typeof(c.fields -> 'age') = 'number')
          from placement p join customer c on c.id = p.customer_id
    """
    one_in = "hashint8(customer_id) & {} = 0"
    with world.work() as work:
        expected = list(
            work.run(text(sql.format(here=one_in.format(3), all=one_in.format(7))), s=scene.segment).one()
        )
    assert (found.sample, found.sample_of_all) == (expected[0], expected[1])
    assert 0 < found.sample < 40
    (age,) = found.figures
    assert (age.mean, age.mean_of_all) == (pytest.approx(expected[2]), pytest.approx(expected[3]))


ODD = ["1e400", "-1e400", "1e-400", "1e308", "1e131071", "0", '"1e400"', "null", "[]", "{}", "true"]


@pytest.mark.parametrize("border", [0, 10_000], ids=["cache", "sql"])
def test_whatever_is_in_the_data_there_is_an_answer(
    world: World, monkeypatch: pytest.MonkeyPatch, border: int
) -> None:
    """No double holds 1e400, nor 1e-400. Planted: a bare cast; the database refused the statement."""
    monkeypatch.setattr(drawing, "facets", partial(facets, border=border))
    scene = Scene(world)
    sql = """
        update customer
           set fields = jsonb_set(fields, '{age}', cast((cast(:odd as text[]))[id % 11 + 1] as jsonb))
    """
    with world.work() as work:
        work.run(text(sql), odd=ODD)
    scene.attempt("sale", zone="Nowhere/At_all")
    scene.attempt("busy", zone="")
    found = scene.portrait()
    (age,) = found.numbers.figures
    assert (age.mean, age.median, age.mean_of_all) == (0, 0, 0)
    assert found.calls.hours == ((12, Worked(2, 1, 1)),)
    assert json.dumps(asdict(age), allow_nan=False)


def test_nobody_called_yet_and_nobody_there(world: World) -> None:
    scene = Scene(world)
    empty = world.segment(scene.assignment)
    with world.work() as work:
        found = portrait(work, scene.assignment, empty)
    assert (found.size, found.numbers.figures, found.standouts, found.calls.hours) == (0, (), (), ())
    assert (found.calls.worked.contact_rate, found.calls.worked.conversion_rate) == (None, None)


def test_a_segment_that_there_is_not(world: World) -> None:
    with world.work() as work, pytest.raises(NotFound):
        portrait(work, world.assignment(), 999)
