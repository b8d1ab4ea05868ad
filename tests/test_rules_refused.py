"""Rules that the database refuses cost no outcome (P4): the last that it takes go on, and it alarms."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import ClauseElement, create_engine, text
from sqlalchemy.exc import DBAPIError
from web_client import Api, api_of
from world import NOON, World, new_app

from calling.customers.editing import edit_customer
from calling.handout.due import wake_due
from calling.handout.hand_out import next_customer
from calling.handout.reaper import reap
from calling.handout.ring import ring
from calling.outcomes.outcome import Report, record_all
from calling.segments.alarms import Alarm, alarms
from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.segments.sweeping import sweep_all
from calling.views.audit import audit
from calling.walls.pause import finish_pauses, pause
from models.errors import BadRule, Unavailable
from models.outcomes import Outcome
from segmentation.catalogue import catalogue
from segmentation.in_force import InForce, rules_in_force
from segmentation.language import read_rules
from segmentation.references import MAX_ASKED
from segmentation.resegment import differing
from segmentation.statements import Statement, Statements
from segmentation.trial import refusal
from wiring.failures import translated

TOO_MANY = "".join(f" %(x{i})s" for i in range(65_536))
"""More parameters than a statement may have, in a comment: the driver counts them all the same."""

TRIED = {"key": "tried", "name": "Tried", "when": {"f": "attempts", "op": "ge", "v": 1}}
MARK = 999_999
HEAVY = {"key": "heavy", "name": "Heavy", "when": {"f": "attempts", "op": "ge", "v": MARK}}
AGAIN = {"key": "tried", "name": "Tried", "when": {"f": "attempts", "op": "ge", "v": 5}}


def between(number: int) -> dict[str, Any]:
    return {"f": "attempts", "op": "between", "v": [number, number + 1]}


def segment(key: str, when: dict[str, Any]) -> dict[str, Any]:
    return {"key": key, "name": key, "when": when}


def too_heavy(statement: Statement) -> Statement:
    """The same with too many parameters."""
    values = {f"x{i}": i for i in range(65_536)}
    return Statement(
        f"{statement.sql} /*{TOO_MANY} */", {**statement.constants, **values}, statement.reckoned
    )


@contextmanager
def refused_where(is_heavy: Callable[[Statement], bool]) -> Iterator[None]:
    """Statements that are made meanwhile are refused where `is_heavy` says so, by the driver itself."""
    whole = Statement.of

    def of(statement: ClauseElement) -> Statement:
        made = whole(statement)
        return too_heavy(made) if is_heavy(made) else made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Statement, "of", staticmethod(of))
        yield


@pytest.fixture
def heavy() -> Iterator[None]:
    """Every statement that asks for MARK is refused."""
    with refused_where(lambda made: MARK in made.constants.values()):
        yield


@pytest.fixture
def heavy_moves() -> Iterator[None]:
    """Only moving is refused: what nobody can see beforehand."""
    with refused_where(lambda made: "INSERT INTO segment_move" in made.sql):
        yield


class Floor:
    """Five customers, a seller, and rules that were fine: version 1."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.assignment = world.assignment(gap_seconds=0)
        self.customers = world.customers(5, self.assignment)
        self.seller = world.seller(self.assignment)
        self.publish(TRIED)
        self.rebuild()

    def publish(self, *segments: dict[str, Any]) -> int:
        body = {"segments": list(segments)}
        return publish(self.world.opener(), self.assignment, body, author="Ann")

    def rebuild(self) -> None:
        for one in rebuilds_to_do(self.world.opener()):
            run_rebuild(self.world.opener(), one)

    def rebuilds_to_do(self) -> list[int]:
        return rebuilds_to_do(self.world.opener())

    def offered(self) -> UUID:
        return self.offered_to(self.seller)

    def offered_to(self, seller: int) -> UUID:
        handed = next_customer(self.world.opener(), seller)
        assert handed is not None
        return handed.lease_id

    def works(self) -> None:
        record_all(self.world.opener(), [Report(self.offered(), Outcome.NO_ANSWER, "seller")])

    def placed(self) -> list[str]:
        with self.world.work() as work:
            sql = "select s.key from placement p join segment s on s.id = p.segment_id order by 1"
            return list(work.run(text(sql)).scalars())

    def attempts(self) -> int:
        with self.world.work() as work:
            return int(work.run(text("select count(*) from attempt")).scalar_one())

    def alarms(self) -> list[Alarm]:
        with self.world.work() as work:
            return alarms(work, self.assignment)

    def rules(self) -> InForce:
        with self.world.work() as work:
            return rules_in_force(work, self.assignment)

    def untrue(self) -> int:
        with self.world.work() as work:
            assert [one.what for one in audit(work) if one.count] == []
            return differing(work, self.assignment)


@pytest.fixture
def floor(world: World) -> Floor:
    return Floor(world)


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with api_of(world) as made:
        yield made


def named_everywhere(segments: int, questions: int) -> dict[str, Any]:
    """Three large rules, and many that name all of them."""
    large = [segment(f"s{i}", {"any": [between(i * 100 + j) for j in range(questions)]}) for i in range(3)]
    asks = {"f": "in_segment", "op": "any", "v": ["s0", "s1", "s2"]}
    return {"segments": [*large, *(segment(f"s{i}", asks) for i in range(3, segments))]}


def test_a_set_that_asks_too_much_of_each_customer_is_refused_with_its_figures(floor: Floor) -> None:
    """Every rule of it is within its own limits; a limit of the whole had been missing: seen to fail then."""
    with pytest.raises(BadRule) as caught:
        floor.publish(*named_everywhere(200, 60)["segments"])
    ((path, message),) = caught.value.problems
    assert path == "rules"
    assert message.startswith(
        "ask 35640 questions (377 as written, the others by the rules that they name); at most 1000 are"
    )
    assert 'segment "s3" (180)' in message
    assert "name large rules in few others" in message
    assert floor.rules().version == 1


def test_as_much_as_is_allowed_is_allowed() -> None:
    plain = [segment(f"s{i}", {"any": [between(10 * i + j) for j in range(5)]}) for i in range(200)]
    assert MAX_ASKED == 1_000
    assert len(read_rules({"segments": plain}, {}).segments) == 200
    more = {"segments": plain, "labels": [segment("one", between(9))]}
    with pytest.raises(BadRule, match="ask 1001 questions"):
        read_rules(more, {})


def test_the_largest_set_is_far_from_what_a_statement_can_hold(world: World) -> None:
    """The questions that bind most: days of the week of an instant, parts of texts, ranges of own dates."""
    for key in ("day", "text"):
        world.field(key, {"day": "date"}.get(key, key))
    asked = [
        *({"f": "last_call", "op": "within_last", "v": f"{i + 1}m"} for i in range(400)),
        *({"f": "day", "op": "due_within", "v": f"{i + 1}d"} for i in range(400)),
        *({"f": "text", "op": "contains", "v": f"a{i}"} for i in range(140)),
        *({"f": "last_call", "op": "weekday_in", "v": [day]} for day in ("mon", "tue", "wed")),
    ]
    rules = [segment(f"s{i}", {"any": asked[i : i + 20]}) for i in range(0, len(asked), 20)]
    floor = Floor(world)
    floor.publish(*rules)
    assert floor.rules().broken == ()
    move = floor.rules().statements.move
    assert 500 < len(move.constants) + len(move.reckoned) < 10_000


def test_a_value_that_is_asked_often_is_bound_once() -> None:
    """Planted: binding each where it is asked; seen to fail."""
    rules = read_rules(named_everywhere(8, 30), {})
    arms = tuple((i, one.when) for i, one in enumerate(rules.segments) if i < 3)
    once, twice = (Statements(arms * n, 9, catalogue({})).move for n in (1, 2))
    assert len(once.sql) < len(twice.sql)
    assert len(once.constants) == len(twice.constants)
    numbers = [value for value in once.constants.values() if isinstance(value, int)]
    assert len(numbers) == len(set(numbers))


def test_equal_values_of_two_types_stay_two() -> None:
    whole = Statement.of(text("select :a, :b, :c, :d").bindparams(a=1, b=True, c=1, d=[1]))
    assert sorted(map(repr, whole.constants.values())) == ["1", "True", "[1]"]


@pytest.mark.usefixtures("heavy")
def test_rules_that_the_database_refuses_leave_the_last_ones_in_force(floor: Floor) -> None:
    """Seen to fail before: no outcome could be recorded, nobody edited, and nothing alarmed."""
    floor.publish(AGAIN, HEAVY)
    floor.works()
    assert floor.attempts() == 1
    assert floor.placed() == ["tried", *["unsegmented"] * 4]  # by version 1
    broken = {one.key: (one.stands_in, one.why) for one in floor.alarms()}
    assert {key: stands_in for key, (stands_in, _) in broken.items()} == {"tried": 1, "heavy": None}
    assert all("number of parameters must be between 0 and 65535" in why for _, why in broken.values())
    edit_customer(floor.world.opener(), floor.customers[0], {"email": "a@b.no"}, author="Ann")
    floor.rebuild()
    assert floor.untrue() == 0

    other = new_app(floor.world.app.settings)
    try:
        with other.work(floor.world.crm_id) as work:  # a process that has just been started
            assert rules_in_force(work, floor.assignment).broken == floor.rules().broken
    finally:
        other.close()
    floor.publish(AGAIN)
    sweep_all(floor.world.opener())
    assert floor.alarms() == []
    floor.rebuild()
    assert floor.placed() == ["unsegmented"] * 5
    assert floor.untrue() == 0


@pytest.mark.usefixtures("heavy")
def test_first_rules_that_the_database_refuses_are_met_by_nobody(world: World) -> None:
    floor = Floor.__new__(Floor)
    floor.world, floor.assignment = world, world.assignment(gap_seconds=0)
    world.customers(2, floor.assignment)
    floor.seller = world.seller(floor.assignment)
    floor.publish(HEAVY)
    floor.works()
    assert floor.placed() == ["unsegmented"] * 2
    assert [(one.key, one.stands_in) for one in floor.alarms()] == [("heavy", None)]
    assert floor.untrue() == 0


@pytest.mark.usefixtures("heavy_moves")
def test_an_outcome_is_recorded_when_nobody_can_be_moved(floor: Floor, api: Api) -> None:
    """Planted: no second try, and a second one without a rebuild; each seen to fail."""
    assert floor.rebuilds_to_do() == []
    floor.works()
    ana = api.seller(floor.world.seller(floor.assignment, name="Ana"))
    lease = ana.ok("POST", "/me/next")["lease_id"]
    ana.ok("POST", f"/leases/{lease}/ring")
    assert ana.ok("POST", f"/leases/{lease}/outcome", json={"outcome": "sale"})["kind"] == "first"
    assert floor.attempts() == 2
    assert len(floor.rebuilds_to_do()) == 1  # what the next tick finds


def test_time_goes_on_elsewhere_when_nobody_can_be_moved_in_one_assignment(floor: Floor) -> None:
    """Seen to fail: the first refusal ended the sweep of all, at every tick."""
    other = floor.world.assignment("other", gap_seconds=0)
    here, there = floor.customers[0], floor.world.customers(1, other)[0]
    end, later = NOON + timedelta(minutes=1), NOON + timedelta(minutes=2)
    with refused_where(lambda made: "INTO segment_move" in made.sql and MARK in made.constants.values()):
        floor.publish(HEAVY)
        ours, theirs = floor.world.unsegmented(floor.assignment), floor.world.unsegmented(other)
        held = text("""
            insert into hold (crm_id, assignment_id, customer_id, segment_id, author, reason, created_at,
                              expires_at)
            values (:crm_id, :assignment, :customer, :segment, 'Ann', 'why', :now, :end)
        """)
        with floor.world.work() as work:
            for assignment, customer, into in ((floor.assignment, here, ours), (other, there, theirs)):
                work.run(held, assignment=assignment, customer=customer, segment=into, end=end)
        sweep_all(floor.world.opener(later))
    with floor.world.work(later) as work:
        left = list(work.run(text("select assignment_id from hold")).scalars())
        swept = work.run(text("select assignment_id, swept_to from sweep"))
        marks = {row.assignment_id: row.swept_to for row in swept}
    assert left == [floor.assignment]
    assert marks[floor.assignment] < end <= marks[other]  # it is tried again


def test_no_rest_no_lease_and_no_wall_waits_for_rules(floor: Floor) -> None:
    """Waking, reaping and pausing go on where nobody can be moved: a rebuild is asked for instead.

    Seen to fail before: nobody was woken in any assignment, no lease ended, no pause ever became a wall.
    """
    world, later = floor.world, NOON + timedelta(hours=5)
    due = {"any": [HEAVY["when"], {"f": "due", "op": "overdue_by", "v": "0d"}]}
    world.customers(2, floor.assignment, state="resting", due_at=NOON + timedelta(minutes=1))
    with refused_where(lambda made: "INTO segment_move" in made.sql and MARK in made.constants.values()):
        floor.publish(segment("heavy", due))
        assert wake_due(world.opener(later)) == 2
        offered = [floor.offered(), floor.offered_to(world.seller(floor.assignment))]
        with world.work() as work:
            ring(work, offered[0], floor.seller)
        answer = pause(world.opener(), "assignment", floor.assignment, reason="x", author="Ann")
        assert (answer.rung, len(answer.recalled)) == ([offered[0]], 3)
        assert finish_pauses(world.opener()) == 0  # it was a wall when it had returned
        reap(world.opener(later))
        with world.work(later) as work:
            assert work.run(text("select count(*) from lease where ended_at is null")).scalar() == 0
    assert floor.rebuilds_to_do()


def test_who_is_away_is_told_from_what_cannot_be_sent(world: World) -> None:
    """Planted: any error without a state is a server that cannot be reached; seen to fail."""
    values = {f"x{i}": i for i in range(65_536)}
    with world.app.engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.exec_driver_sql(f"select 1 /*{TOO_MANY} */", values)
    assert translated(caught.value) is None
    assert "number of parameters" in str(refusal(caught.value))

    away = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 2})
    with pytest.raises(DBAPIError) as caught, away.connect():
        pass
    assert isinstance(translated(caught.value), Unavailable)
    assert refusal(caught.value) is None


def test_a_connection_that_breaks_is_a_server_that_is_away(world: World) -> None:
    with world.app.engine.connect() as connection:
        pid = connection.exec_driver_sql("select pg_backend_pid()").scalar_one()
        with world.app.shared() as session:
            session.execute(text("select pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises(DBAPIError) as caught:
            connection.exec_driver_sql("select 1")
    assert isinstance(translated(caught.value), Unavailable)
    assert refusal(caught.value) is None
