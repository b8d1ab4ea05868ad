"""A rule that cannot be read keeps its last good form, in every process; it alarms, and the others go on."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from ground import Database
from hypothesis import given
from hypothesis import strategies as st
from interleaving import instead_of_run
from rebuild_scene import waiting_backends
from sqlalchemy import TextClause, text
from world import NOON, World, new_app, wait_until

import calling.segments.alarms
import migrations
from calling.handout.hand_out import next_customer
from calling.outcomes.outcome import Report, record_all
from calling.segments.alarms import Alarm, alarms, renew
from calling.segments.editing import delete, rename, reorder
from calling.segments.explaining import explain_segment
from calling.segments.previewing import count_rule, preview, read_draft, warnings_of
from calling.segments.publishing import current, publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.segments.sweeping import sweep_all
from models.errors import BadRule
from models.outcomes import Outcome
from models.work import Work
from segmentation.catalogue import catalogue
from segmentation.in_force import InForce, rules_in_force
from segmentation.language import read_rule
from segmentation.last_good import standing
from segmentation.nodes import leaves
from segmentation.references import faults
from segmentation.resegment import differing

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def named(key: str, when: dict[str, Any]) -> dict[str, Any]:
    return {"key": key, "name": key.capitalize(), "when": when}


def leaf(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"f": field, "op": op} | ({} if value is None else {"v": value})


OLD = named("old", leaf("age", "ge", 60))
TRIED = named("tried", leaf("attempts", "ge", 1))
GOLD = named("gold", leaf("balance", "ge", 50))


class Floor:
    """Ten customers aged 0, 10, .. 90, whose balance is their age; restarted at will."""

    def __init__(self, world: World) -> None:
        self.world, self.running = world, world
        self._restarted: list[World] = []
        for key in ("age", "balance"):
            world.field(key)
        self.assignment = world.assignment(gap_seconds=0)
        self.customers = world.customers(
            10, self.assignment, fields=lambda i: {"age": 10 * i, "balance": 10 * i}
        )

    def publish(self, *segments: dict[str, Any], labels: tuple[dict[str, Any], ...] = ()) -> int:
        body = {"segments": list(segments), "labels": list(labels)}
        return publish(self.running.opener(), self.assignment, body, author="Ann")

    def restart(self) -> None:
        """A new process: of what the old one remembered nothing is left."""
        self.running = object.__new__(World)
        self.running.__dict__ |= self.world.__dict__ | {"app": new_app(self.world.app.settings)}
        self._restarted.append(self.running)

    def close(self) -> None:
        for one in self._restarted:
            one.app.close()

    def sql(self, statement: str, **values: Any) -> Any:
        with self.world.work() as work:
            return work.run(text(statement), **values)

    def retype(self, key: str, type_: str) -> None:
        self.sql("update field set type = :type where crm_id = :crm_id and key = :key", key=key, type=type_)

    def rebuild(self) -> None:
        for one in rebuilds_to_do(self.running.opener()):
            run_rebuild(self.running.opener(), one)

    def rules(self) -> InForce:
        with self.running.work() as work:
            return rules_in_force(work, self.assignment)

    def broken(self) -> dict[str, int | None]:
        return {one.key: one.stands_in for one in self.rules().broken}

    def differing(self) -> int:
        with self.running.work() as work:
            return differing(work, self.assignment)

    def alarms(self) -> list[Alarm]:
        with self.running.work() as work:
            return alarms(work, self.assignment)

    def placed(self) -> list[str]:
        with self.world.work() as work:
            sql = "select s.key from placement p join segment s on s.id = p.segment_id order by p.customer_id"
            return list(work.run(text(sql)).scalars())

    def labelled(self) -> list[int]:
        with self.world.work() as work:
            sql = "select cardinality(labels) from placement order by customer_id"
            return list(work.run(text(sql)).scalars())

    def works(self) -> None:
        """An outcome comes in: the customer is re-segmented by all rules."""
        handed = next_customer(self.running.opener(), self.world.seller(self.assignment))
        assert handed is not None
        record_all(self.running.opener(), [Report(handed.lease_id, Outcome.NO_ANSWER, "seller")])


@pytest.fixture
def floor(world: World) -> Iterator[Floor]:
    made = Floor(world)
    yield made
    made.close()


UNTOUCHED = ["unsegmented"] * 6 + ["old"] * 4


# What stays in force


@pytest.mark.parametrize("restarted", [False, True])
def test_a_rule_whose_field_has_another_type_is_read_as_it_was_published(
    floor: Floor, restarted: bool
) -> None:
    """Planted: `asks` not looked at. After a restart nobody met the rule; the old went home one by one."""
    floor.publish(TRIED, OLD)
    floor.rebuild()
    floor.retype("age", "text")
    if restarted:
        floor.restart()
    assert floor.broken() == {"old": 1}
    assert (floor.differing(), floor.placed()) == (0, UNTOUCHED)
    floor.sql("update customer set fields = jsonb_set(fields, '{age}', '99') where id = :c",
              c=floor.customers[0])  # fmt: skip
    assert floor.differing() == 1
    floor.works()
    assert floor.placed().count("tried") == 1


def test_a_field_that_is_no_more_is_read_as_it_was_and_so_is_one_of_days(floor: Floor) -> None:
    """Its time goes on as well: the sweep finds who comes of age. Planted: `timed` by the other name."""
    floor.world.field("born", "date")
    born = (NOON - 90 * DAY).date().isoformat()
    floor.sql("update customer set fields = fields || jsonb_build_object('born', cast(:born as text))",
              born=born)  # fmt: skip
    floor.publish(named("grown", leaf("born", "older_than", "91d")), OLD)
    floor.rebuild()
    floor.retype("born", "text")
    floor.sql("delete from field where crm_id = :crm_id and key = 'age'")
    floor.restart()
    assert floor.broken() == {"grown": 1, "old": 1}
    assert (floor.differing(), floor.placed()) == (0, UNTOUCHED)
    sweep_all(floor.running.opener(NOON + DAY))
    assert floor.placed() == ["grown"] * 10


def test_the_newest_version_that_can_be_read_stands_in_however_long_ago(floor: Floor) -> None:
    """Planted: only the last 20 versions asked, as it was."""
    floor.publish(named("old", leaf("age", "ge", 80)))
    floor.publish(named("old", leaf("attempts", "ge", 5)))
    floor.publish(named("old", leaf("attempts", "ge", 1)))
    for number in range(25):
        floor.publish({**OLD, "name": f"Old {number}"})
    floor.rebuild()
    floor.sql("update segment set asks = '{}'")
    floor.sql("delete from field where crm_id = :crm_id and key = 'age'")
    floor.restart()
    assert floor.broken() == {"old": 3}
    sweep_all(floor.running.opener())
    floor.rebuild()
    assert floor.placed() == ["unsegmented"] * 10
    floor.works()
    assert floor.placed().count("old") == 1


def test_what_was_never_readable_is_met_by_nobody(floor: Floor) -> None:
    floor.publish(OLD, named("rest", {"all": []}))
    floor.sql('update segment set rule = \'{"f": "age", "op": "ge"}\', asks = \'{}\' where key = \'rest\'')
    floor.sql("update assignment set rule_version = 2")
    floor.sql("insert into rule_set (crm_id, assignment_id, version, body, author, published_at)"
              " values (:crm_id, :a, 2, '{\"segments\": []}', 'x', :now)", a=floor.assignment)  # fmt: skip
    assert floor.broken() == {"rest": 1}
    floor.sql("update segment set key = 'other' where key = 'rest'")
    floor.restart()
    assert floor.broken() == {"other": None}


def test_what_stands_in_gives_way_where_it_goes_round_in_a_circle(floor: Floor) -> None:
    """Nobody published the two together. Planted: everybody on the circle, or the first by name, gave way."""
    floor.publish(OLD, labels=(named("y", leaf("label", "any", ["x"])), named("x", {"all": []})))
    floor.publish(
        OLD, named("golden", leaf("label", "any", ["x"])),
        labels=(named("y", leaf("balance", "ge", 50)), named("x", leaf("label", "any", ["y"]))),
    )  # fmt: skip
    floor.sql("update label set asks = '{}' where key = 'y'")
    floor.retype("balance", "text")
    assert floor.broken() == {"y": None}
    assert [one.key for one in floor.rules().rules.labels] == ["y", "x"]


def test_a_name_that_leads_nowhere_breaks_its_rule_alone(floor: Floor) -> None:
    floor.publish(named("g", leaf("label", "any", ["gold"])), OLD, labels=(GOLD,))
    floor.sql("update label set retired_at = :now")
    floor.sql("update assignment set rule_version = 2")
    assert floor.broken() == {"g": None}
    floor.rebuild()
    assert floor.placed() == UNTOUCHED


# The alarm


def test_the_sweep_raises_the_alarm_and_clears_it(floor: Floor) -> None:
    """A rebuild follows each time: what is in force has changed. Planted: no rebuild asked for."""
    floor.publish(OLD, labels=(GOLD,))
    floor.rebuild()
    assert floor.alarms() == []
    floor.retype("balance", "text")
    sweep_all(floor.running.opener(NOON + HOUR))
    floor.restart()
    (alarm,) = floor.alarms()
    assert (alarm.kind, alarm.key, alarm.name, alarm.stands_in) == ("label", "gold", "Gold", 1)
    assert "does not go with balance, a text" in alarm.why
    assert alarm.instead == "as it could last be read, in version 1, it goes on"
    assert (alarm.found_at, len(rebuilds_to_do(floor.running.opener()))) == (NOON + HOUR, 1)
    floor.rebuild()
    sweep_all(floor.running.opener(NOON + 2 * HOUR))
    assert (floor.alarms()[0].found_at, rebuilds_to_do(floor.running.opener())) == (NOON + HOUR, [])
    floor.retype("balance", "number")
    sweep_all(floor.running.opener(NOON + 3 * HOUR))
    assert (floor.alarms(), len(rebuilds_to_do(floor.running.opener()))) == ([], 1)


def test_what_a_field_became_is_seen_by_a_process_that_has_read_the_rules_before(floor: Floor) -> None:
    """Planted: rules remembered by their version alone; each process had a truth of its own."""
    floor.publish(OLD)
    assert floor.broken() == {}
    floor.retype("age", "text")
    assert floor.broken() == {"old": 1}


def test_publishing_what_can_be_read_clears_the_alarm_at_once(floor: Floor) -> None:
    floor.publish(OLD)
    floor.retype("age", "text")
    sweep_all(floor.running.opener())
    assert [one.key for one in floor.alarms()] == ["old"]
    floor.publish(named("old", leaf("age", "starts_with", "6")))
    assert (floor.alarms(), floor.broken()) == ([], {})


def test_alarms_are_behind_the_wall_and_of_their_assignment(floor: Floor) -> None:
    floor.publish(OLD)
    floor.retype("age", "text")
    sweep_all(floor.running.opener())
    other = floor.world.assignment()
    with floor.world.work() as work:
        assert [one.key for one in alarms(work)] == ["old"]
        assert alarms(work, other) == []
    with floor.world.neighbour().work() as work:
        assert alarms(work) == []


def test_no_alarm_is_raised_of_rules_that_were_replaced_meanwhile(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who publishes waits for who is writing. Planted: no lock; what was mended stood there as broken."""
    floor.publish(OLD)
    floor.retype("age", "text")
    real = Work.run

    def run(self: Work, statement: TextClause, **values: Any) -> Any:
        if statement is calling.segments.alarms._FIND and not publishing:
            publishing.append(pool.submit(floor.publish, named("old", leaf("age", "starts_with", "6"))))
            wait_until(lambda: publishing[0].done() or waiting_backends(floor.world) == 1)
        return real(self, statement, **values)

    publishing: list[Future[int]] = []
    instead_of_run(monkeypatch, run)
    with ThreadPoolExecutor(1) as pool:
        with floor.world.work() as work:
            renew(work, floor.assignment)
        assert publishing[0].result() == 2
    assert floor.alarms() == []


def test_many_who_find_it_at_once_write_it_once(floor: Floor) -> None:
    floor.publish(OLD, TRIED, labels=(GOLD,))
    floor.rebuild()
    floor.retype("age", "text")
    floor.retype("balance", "text")
    together = Barrier(6)

    def look(_: int) -> None:
        together.wait()
        with floor.world.work() as work:
            renew(work, floor.assignment)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(look, range(6)))
    assert [one.key for one in floor.alarms()] == ["old", "gold"]
    assert len(rebuilds_to_do(floor.running.opener())) == 1


# What a manager can still do


def _retire(floor: Floor) -> None:
    floor.sql("update field set retired_at = :now where key = 'age'")


def _retype(floor: Floor) -> None:
    floor.retype("age", "text")


@pytest.mark.parametrize("spoil", [_retire, _retype])
def test_others_are_edited_while_one_is_broken(floor: Floor, spoil: Callable[[Floor], None]) -> None:
    """Seen to fail: every edit was refused until somebody mended the rule that nobody had touched."""
    floor.publish(TRIED, OLD, labels=(GOLD,))
    floor.rebuild()
    spoil(floor)
    before = floor.broken()
    open_work = floor.running.opener()
    assert rename(open_work, floor.assignment, "tried", "Tried once", author="Bo") == 2
    assert reorder(open_work, floor.assignment, ["old", "tried"], author="Bo") == 3
    floor.restart()
    assert floor.broken().keys() == before.keys()
    floor.rebuild()
    assert (floor.differing(), floor.placed()) == (0, UNTOUCHED)
    with floor.running.work() as work:
        assert current(work, floor.assignment)["segments"][0]["when"] == OLD["when"]
    assert delete(floor.running.opener(), floor.assignment, "old", author="Bo") == 4
    assert (floor.broken(), floor.alarms()) == ({}, [])


def test_a_new_mistake_is_refused_however_much_is_broken(floor: Floor) -> None:
    """Planted: whatever cannot be read and was there before is carried; a name of nothing was let in."""
    floor.publish(OLD, named("g", leaf("label", "any", ["gold"])), labels=(GOLD,))
    floor.retype("age", "text")
    body = {"segments": [OLD, named("g", leaf("label", "any", ["gold"]))]}
    with pytest.raises(BadRule, match='there is no label "gold"'):
        publish(floor.running.opener(), floor.assignment, body, author="Bo")
    with pytest.raises(BadRule, match="age"):
        floor.publish(named("old", leaf("age", "ge", 70)), labels=(GOLD,))
    with pytest.raises(BadRule, match="agee"):
        floor.publish(OLD, named("new", leaf("agee", "ge", 70)))


# What would be


def _as_it_was(floor: Floor) -> None:
    """Its fields as they were when it was published stand in."""
    floor.publish(TRIED, OLD, labels=(GOLD,))
    floor.rebuild()
    _retype(floor)


def _retired(floor: Floor) -> None:
    """It stays in force as it is, and no new rule may ask the same."""
    floor.publish(TRIED, OLD, labels=(GOLD,))
    floor.rebuild()
    _retire(floor)


def _earlier_version(floor: Floor) -> None:
    """What was published before stands in: whoever is under thirty."""
    floor.publish(TRIED, named("old", leaf("balance", "lt", 30)), labels=(GOLD,))
    floor.publish(TRIED, OLD, labels=(GOLD,))
    floor.rebuild()
    floor.sql("update segment set asks = '{}'")
    floor.sql("delete from field where crm_id = :crm_id and key = 'age'")


def _label_named_by_another(floor: Floor) -> None:
    """A new segment asks a label that is broken."""
    floor.publish(OLD, labels=(GOLD,))
    floor.rebuild()
    floor.retype("balance", "text")


@pytest.mark.parametrize("spoil", [_as_it_was, _retired, _earlier_version, _label_named_by_another])
def test_a_draft_with_a_rule_that_was_broken_before_is_foretold(
    floor: Floor, spoil: Callable[[Floor], None]
) -> None:
    """Seen to fail: the preview refused what publishing takes.

    Planted: whoever cannot be read is met by nobody; seen to fail.
    """
    spoil(floor)
    floor.restart()
    new = named("new", {"all": [leaf("label", "any", ["gold"]), leaf("attempts", "lt", 5)]})
    body = {"segments": [TRIED, OLD, new], "labels": [GOLD]}
    with floor.running.work() as work:
        warned = warnings_of(*read_draft(work, floor.assignment, body))
        seen = preview(work, floor.assignment, body, warnings=warned)
        why = explain_segment(work, floor.assignment, floor.customers[5], draft=body)
        assert count_rule(work, floor.assignment, {"text": "label any (gold)"}, draft=body).matching == 5
    floor.publish(TRIED, OLD, new, labels=(GOLD,))
    floor.rebuild()
    sizes = Counter(floor.placed())
    assert {one.key: one.after for one in seen.segments if one.after} == sizes
    assert {one.name for one in seen.segments} == {"Tried", "Old", "New", "Unsegmented"}
    assert [one.after for one in seen.labels] == [sum(floor.labelled())]
    assert why.belongs_key == floor.placed()[5]
    assert sizes["new"] > 0


def test_what_publishing_refuses_is_not_foretold(floor: Floor) -> None:
    """A broken rule with another form, and a mistake beside one that is carried."""
    floor.publish(TRIED, OLD)
    _retype(floor)
    for body in (
        {"segments": [named("old", leaf("age", "ge", 70))]},
        {"segments": [OLD, named("new", leaf("agee", "ge", 70))]},
        {"segments": [OLD, named("new", leaf("label", "any", ["gold"]))]},
    ):
        with pytest.raises(BadRule) as told, floor.running.work() as work:
            preview(work, floor.assignment, body)
        with pytest.raises(BadRule) as refused:
            publish(floor.running.opener(), floor.assignment, body, author="Bo")
        assert told.value.problems == refused.value.problems


# Whatever breaks

_KEYS = ("a", "b", "c", "d", "e")
_whens = st.one_of(
    st.just(leaf("age", "ge", 60)), st.just(leaf("attempts", "ge", 1)),
    st.lists(st.sampled_from(_KEYS), min_size=1, max_size=2, unique=True).map(
        lambda keys: {"any": [leaf("label", "any", sorted(keys)), leaf("age", "lt", 5)]}
    ),
    st.lists(st.sampled_from(_KEYS), min_size=1, max_size=2, unique=True).map(
        lambda keys: leaf("label", "all", sorted(keys))
    ),
    st.just({"f": "once", "op": "was_known"}),
)  # fmt: skip


class History:
    """Stands for a unit of work: what the versions before said of each key."""

    def __init__(self, earlier: dict[str, list[Any]]) -> None:
        self.earlier, self.crm_id = earlier, 1

    def run(self, _statement: TextClause, *, key: str, **_: Any) -> Any:
        forms = self.earlier.get(key, [])
        rows = [SimpleNamespace(version=9 - i, form=form) for i, form in enumerate(forms)]
        return SimpleNamespace(all=lambda: rows)


@given(
    st.dictionaries(st.sampled_from(_KEYS), _whens, min_size=1),
    st.dictionaries(st.sampled_from(_KEYS), st.lists(_whens, max_size=3)),
    st.sampled_from(["number", "text", ""]), st.booleans(),
)  # fmt: skip
def test_whatever_breaks_the_rest_stands_as_it_was(
    now: dict[str, Any], earlier: dict[str, list[Any]], age: str, as_published: bool
) -> None:
    """What stands can be compiled; who can be read, and names nobody who cannot, is as published.

    Planted: rules that name each other in a circle were left as they stood.
    """
    known, asks = catalogue({"age": age} if age else {}), {"age": "number"} if as_published else {}
    rows: Any = [
        SimpleNamespace(kind="label", id=i, key=key, rule=rule, asks=asks, rule_version=9)
        for i, (key, rule) in enumerate(now.items())
    ]
    work: Any = History(earlier)
    found = standing(work, 1, rows, known)
    assert faults(found.rules) == []
    assert {one.field for rule in found.rules.labels for one in leaves(rule.when)} <= found.known.keys()
    broken = {one.key for one in found.broken}
    for rule in found.rules.labels:
        if rule.key not in broken:
            assert rule.when == read_rule(now[rule.key], known)
    untouched = {
        key for key, when in now.items() if "label" not in str(when) and "was_known" not in str(when)
    }
    assert broken.isdisjoint(untouched if age == "number" else ())


def test_rules_from_before_we_kept_what_they_ask_are_kept_as_well(floor: Floor, database: Database) -> None:
    """The migration writes down the types of that day. Planted: without it nobody met them."""
    floor.publish(OLD, labels=(GOLD,))
    floor.rebuild()
    floor.world.app.engine.dispose()
    config = migrations.config(database.owner_url)
    before = ScriptDirectory.from_config(config).get_revision("0009").down_revision
    command.downgrade(config, str(before))
    command.upgrade(config, "head")
    for key in ("age", "balance"):
        floor.retype(key, "text")
    floor.restart()
    assert floor.broken() == {"old": 1, "gold": 1}
    assert floor.differing() == 0
    assert floor.sql("select ending from rebuild").scalars().all() == ["done"]
