"""A preview tells what publishing then does: to the customer, labels and holds too, and writes nothing."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rebuild_scene import OLD, TIRED, Scene
from rule_strategies import KNOWN, NOWS, OWN, customers, rule_sets
from rule_trials import never_kept, own_fields, rebuild_all
from sqlalchemy import create_engine, text
from test_rules_sql import fill
from world import NOON, World

from calling.segments.holding import hold
from calling.segments.publishing import publish
from models.errors import BadRule, NotFound, Unavailable
from models.work import Work
from segmentation.catalogue import catalogue
from segmentation.language import read_rule, read_rules
from segmentation.preview import Preview, count_matching, preview

YOUNG = {"f": "age", "op": "lt", "v": 30}
EVERYBODY: dict[str, Any] = {"all": []}
AGED = catalogue({"age": "number"})


@pytest.fixture
def assignment(world: World) -> int:
    """An assignment in a CRM with the fields that random rules ask."""
    own_fields(world)
    return world.assignment()


@pytest.fixture
def scene(world: World) -> Scene:
    """Ten customers aged 0, 10, .. 90; the rules in force say `tired` and `old`, and everybody is placed."""
    scene = Scene(world)
    scene.rebuild()
    return scene


def draft(labels: dict[str, Any] | None = None, **when: Any) -> dict[str, Any]:
    return {
        "segments": [{"key": key, "name": key.title(), "when": rule} for key, rule in when.items()],
        "labels": [{"key": key, "when": rule} for key, rule in (labels or {}).items()],
    }


def look(scene: Scene, body: dict[str, Any], **more: Any) -> Preview:
    with scene.world.app.work(scene.world.crm_id, now=NOON, snapshot=True) as work:
        return preview(work, scene.assignment, read_rules(body, {"age": "number"}), AGED, **more)


def cells(seen: Preview) -> dict[tuple[str, str], int]:
    return {(cell.from_key, cell.to_key): cell.size for cell in seen.cells}


# What it moves, held against what publishing then moves


_WHERE = text("""
    select p.customer_id, s.key,
           array(select l.key from label l where l.crm_id = p.crm_id and l.id = any(p.labels)) as labels
      from placement p join segment s on s.crm_id = p.crm_id and s.id = p.segment_id
     where p.assignment_id = :a and p.state not in ('left', 'anonymised')
""")
_HOLDS = text("""
    select h.customer_id from hold h
      join placement p on p.crm_id = h.crm_id and p.assignment_id = h.assignment_id
                      and p.customer_id = h.customer_id and p.state not in ('left', 'anonymised')
     where h.assignment_id = :a and (h.expires_at is null or h.expires_at > :now)
""")
_HOLD = text("""
    insert into hold (crm_id, assignment_id, customer_id, segment_id, author, reason, created_at, expires_at)
    select :crm_id, :a, :c, id, 'Ann', 'why not', :now, :until from segment
     where assignment_id = :a order by id limit 1 offset :nth
""")


def placed(work: Work, assignment: int) -> dict[int, tuple[str, frozenset[str]]]:
    return {row.customer_id: (row.key, frozenset(row.labels)) for row in work.run(_WHERE, a=assignment)}


def holds(work: Work, assignment: int) -> set[int]:
    return set(work.run(_HOLDS, a=assignment).scalars())


held_people = st.lists(
    st.tuples(st.integers(0, 29), st.integers(0, 4), st.sampled_from([None, -1, 0, 1])), max_size=8
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rule_sets(),
    rule_sets(),
    st.lists(customers, min_size=1, max_size=30),
    held_people,
    st.sets(st.integers(0, 29), max_size=3),
    st.sampled_from(NOWS),
)
def test_what_is_foretold_is_what_publishing_does(
    world: World, assignment: int, before: dict[str, Any], after: dict[str, Any],
    people: list[dict[str, Any]], held: list[tuple[int, int, int | None]], gone: set[int], now: datetime,
) -> None:  # fmt: skip
    """Over random rule sets, one after the other; with labels, references, holds, and some who have left.

    Planted, each found: every hold stays; holds not regarded; the rules in reverse; references not followed;
    a label that is had taken for one that is kept; samples of those who stay.
    """
    with never_kept(world, now) as open_work, open_work() as work:
        ids = [row["customer_id"] for row in fill(work, world, assignment, people)]
        work.run(text("update placement set segment_id = :s"), s=world.unsegmented(assignment))
        publish(open_work, assignment, before, author="a")
        for i, (nth, hours) in {i % len(ids): rest for i, *rest in held}.items():
            until = None if hours is None else now + timedelta(hours=hours)
            work.run(_HOLD, a=assignment, c=ids[i], nth=nth, until=until)
        rebuild_all(open_work)
        left = [ids[i] for i in gone if i < len(ids)]
        work.run(
            text("""
                update placement set state = 'left', gone_at = :now, due_at = null
                 where customer_id = any(:c)
            """),
            c=left,
        )

        seen = preview(work, assignment, read_rules(after, OWN), KNOWN, warn_above=0.5)
        were, holding = placed(work, assignment), holds(work, assignment)
        base = publish(open_work, assignment, after, author="a") - 1
        moved = rebuild_all(open_work)
        are = placed(work, assignment)
        let_go = holding - holds(work, assignment)

    assert (seen.base, seen.customers, seen.move, seen.stay) == (base, len(were), moved, len(were) - moved)
    assert cells(seen) == Counter((were[c][0], are[c][0]) for c in were)
    for cell in seen.cells:
        movers = {c for c in were if (were[c][0], are[c][0]) == (cell.from_key, cell.to_key)}
        some = movers if cell.from_key != cell.to_key else set()
        assert set(cell.sample) <= some
        assert len(cell.sample) == len(set(cell.sample)) == min(20, len(some))
    sizes = Counter(key for key, _ in are.values())
    assert {one.key: one.after for one in seen.segments if one.after} == sizes
    assert {one.key for one in seen.segments if not one.goes} == {
        "unsegmented", *(one["key"] for one in after["segments"]),
    }  # fmt: skip
    for label in seen.labels:
        given_to = sum(label.key in are[c][1] - were[c][1] for c in were)
        taken = sum(label.key in were[c][1] - are[c][1] for c in were)
        has = sum(label.key in are[c][1] for c in were)
        assert (label.given, label.taken, label.after) == (given_to, taken, has), label
    assert {label for _, labels in are.values() for label in labels} <= {one.key for one in seen.labels}
    assert (seen.released, seen.held) == (len(let_go), len(holding - let_go))
    told = any(path == "rules" for path, _ in seen.warnings)
    assert told == (bool(were) and moved / len(were) > 0.5)


# What it says


def test_the_matrix_sizes_and_samples(scene: Scene) -> None:
    seen = look(scene, draft(old={"f": "age", "op": "ge", "v": 80}, young=YOUNG))
    assert cells(seen) == {
        ("unsegmented", "young"): 3, ("unsegmented", "unsegmented"): 3,
        ("old", "old"): 2, ("old", "unsegmented"): 2,
    }  # fmt: skip
    samples = {(cell.from_key, cell.to_key): set(cell.sample) for cell in seen.cells}
    assert samples["unsegmented", "young"] == set(scene.customers[:3])
    assert samples["old", "unsegmented"] == set(scene.customers[6:8])
    assert samples["old", "old"] == set()
    told = {
        one.key: (one.before, one.after, one.came, one.went, one.is_new, one.goes) for one in seen.segments
    }
    assert list(told) == ["old", "young", "unsegmented", "tired"]
    assert told == {
        "old": (4, 2, 0, 2, False, False),
        "young": (0, 3, 3, 0, True, False),
        "unsegmented": (6, 5, 2, 3, False, False),
        "tired": (0, 0, 0, 0, False, True),
    }
    assert (seen.customers, seen.move, seen.stay, seen.share, seen.base) == (10, 5, 5, 0.5, 1)
    assert (seen.segments[0].name, seen.segments[1].name) == ("Old", "Young")


def test_a_sample_is_twenty_spread_over_all_and_the_same_at_each_look(world: World) -> None:
    """Planted: the first twenty that come; they were the oldest customers."""
    scene = Scene(world, customers=400)
    body = draft(everybody=EVERYBODY)
    first, again = (look(scene, body).cells[0].sample for _ in range(2))
    assert first == again
    assert len(set(first)) == 20
    places = sorted(scene.customers.index(customer) for customer in first)
    assert places[0] < 100
    assert places[-1] > 300


def test_samples_of_samples_are_the_sample_of_all(world: World) -> None:
    """However the work is split among processes. Planted: the parts put together and cut off; found."""
    split = text("""
        select (select sample_of(i) from generate_series(cast(1 as bigint), 1000) i) as at_once,
               (select sample_of(part) from (select i % 7, sample_of(i) as part
                  from generate_series(cast(1 as bigint), 1000) i group by 1) parts) as in_parts,
               (select sample_of(i) from unnest(cast('{5,null,3}' as bigint[])) i) as few,
               (select sample_of(i) from unnest(cast('{}' as bigint[])) i) as none
    """)
    with world.work() as work:
        row = work.run(split).one()
    assert row.at_once == row.in_parts
    assert len(row.at_once) == 20
    assert (sorted(row.few), row.none) == ([3, 5], [])


def test_holds_win_and_go_with_their_segment(scene: Scene) -> None:
    first, second, *_ = scene.customers
    hold(scene.world.opener(), scene.assignment, [first], scene.old, author="Ann", reason="knows them")
    hold(scene.world.opener(), scene.assignment, [second], scene.tired, author="Ann", reason="asked for")
    seen = look(scene, draft(old=OLD, young=YOUNG))
    assert (seen.held, seen.released) == (1, 1)
    (told,) = seen.held_elsewhere
    assert (told.rule_key, told.held_key, told.size, told.sample) == ("young", "old", 1, (first,))
    assert cells(seen)["tired", "young"] == 1
    assert cells(seen)["old", "old"] == 5


def test_a_segment_that_comes_back_has_its_own_customers_again(scene: Scene) -> None:
    """Its id is the old one. Planted: retired ones taken for new; who is in it still was said to move."""
    publish(scene.world.opener(), scene.assignment, draft(young=YOUNG), author="a")
    seen = look(scene, draft(old=OLD, young=YOUNG))
    assert cells(seen)["old", "old"] == 4
    assert next(one for one in seen.segments if one.key == "old").is_new
    assert next(one for one in look(scene, draft(young=YOUNG)).segments if one.key == "old").goes


def test_what_is_hardly_meant_is_told(scene: Scene) -> None:
    body = draft(
        {"nobodys": {"f": "age", "op": "ge", "v": 500}},
        old=OLD, older={"f": "age", "op": "ge", "v": 70}, tired=TIRED, last={"f": "age", "op": "ge", "v": 99},
        both={"all": [YOUNG, {"f": "age", "op": "ge", "v": 40}]},
    )  # fmt: skip
    said = dict(look(scene, body).warnings)
    assert said.keys() == {f"segments[{i}].when" for i in (1, 2, 3, 4)} | {"labels[0].when"}
    assert said["segments[1].when"].startswith(
        'nobody reaches this segment: whoever meets its rule is in "old"'
    )
    assert said["segments[2].when"].startswith("nobody comes here now")
    assert said["segments[4].when"].startswith("is never true")
    assert said["labels[0].when"] == "nobody has this label now"


def test_a_large_move_is_worth_a_warning(scene: Scene) -> None:
    body = draft(old=OLD, young=YOUNG)
    assert dict(look(scene, body).warnings)["rules"] == "3 of 10 customers change their segment: 30%"
    assert "rules" not in dict(look(scene, body, warn_above=0.3).warnings)


def test_an_empty_assignment_has_a_preview_and_no_warnings(world: World) -> None:
    scene = Scene(world, customers=0)
    seen = look(scene, draft({"l": YOUNG}, old=OLD, young=YOUNG))
    assert (seen.customers, seen.move, seen.share, seen.cells, seen.warnings) == (0, 0, 0, (), ())
    assert [one.key for one in seen.segments] == ["old", "young", "unsegmented", "tired"]


def test_mistakes_and_foreign_assignments_are_refused(scene: Scene) -> None:
    circle = {"f": "in_segment", "op": "any", "v": ["a"]}
    with pytest.raises(BadRule):
        look(scene, draft(a=circle))
    stranger = scene.world.neighbour()
    with stranger.work() as work:
        with pytest.raises(NotFound):
            preview(work, scene.assignment, read_rules(draft(old=OLD), {"age": "number"}), AGED)
        with pytest.raises(NotFound):
            count_matching(work, scene.assignment, read_rule(OLD, AGED), AGED)


def test_rules_that_ask_too_much_are_given_up(scene: Scene) -> None:
    """It cannot be answered in time; here, because somebody has the table. Planted: no limit; it waited."""
    asked, rule = read_rules(draft(old=OLD), {"age": "number"}), read_rule(OLD, AGED)
    too_long = pytest.raises(Unavailable, match="given up after 1 s")
    with locked(scene.world), scene.world.work() as work, too_long as refused:
        preview(work, scene.assignment, asked, AGED, seconds=1)
    assert refused.value.data == {"seconds": 1}
    with locked(scene.world), scene.world.work() as work, too_long:
        count_matching(work, scene.assignment, rule, AGED, seconds=1)


@contextmanager
def locked(world: World) -> Iterator[None]:
    """Nobody else can read placements."""
    owner = create_engine(world.app.settings.database_owner_url)
    with owner.begin() as connection:
        connection.execute(text("lock table placement in access exclusive mode"))
        yield
    owner.dispose()


# One rule, while it is written


def test_one_rule_is_counted_wherever_its_customers_are(scene: Scene) -> None:
    def count(rule: dict[str, Any]) -> tuple[int, int]:
        with scene.world.app.work(scene.world.crm_id, now=NOON, snapshot=True) as work:
            found = count_matching(work, scene.assignment, read_rule(rule, AGED), AGED)
        return found.matching, found.customers

    assert count({"f": "age", "op": "ge", "v": 50}) == (5, 10)
    assert count(EVERYBODY) == (10, 10)
    assert count({"f": "zone", "op": "eq", "v": "Europe/Lisbon"}) == (10, 10)
    scene.change(
        "update placement set state = 'left', gone_at = :now where customer_id = :c", c=scene.customers[9]
    )
    assert count({"f": "age", "op": "ge", "v": 50}) == (4, 9)
