"""Plans of retries where outcomes come in: counted, obeyed, changed by managers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from shell import Shell
from sqlalchemy import text
from web_client import Caller, api_of
from world import NOON, World, wait_until

from calling.handout.due import open_gates, wake_due
from calling.handout.hand_out import HandOut, next_customer
from calling.handout.ring import ring
from calling.hours.week import DAYS
from calling.outcomes.outcome import Report, record_all
from calling.outcomes.reading_plans import read_plans
from calling.outcomes.retry_plans import retry_changes, retry_plans, set_retries, set_retry
from calling.views.explain import explain
from calling.walls.hours import set_hours
from models.errors import BadValues, Conflict, NotFound
from models.outcomes import Outcome

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Called:
    """One customer, called again and again."""

    def __init__(self, world: World, plan: dict[str, Any], customer: int | None = None) -> None:
        self.world, self.assignment = world, world.assignment(gap_seconds=0, retry_plan=plan)
        self.customer = customer or world.customers(1)[0]
        world.place([self.customer], self.assignment)
        self.seller = world.seller(self.assignment)

    def take(self, now: datetime) -> HandOut:
        wake_due(self.world.opener(now))
        open_gates(self.world.opener(now))
        card = next_customer(self.world.opener(now), self.seller)
        assert card is not None
        with self.world.work(now) as work:
            ring(work, card.lease_id, self.seller)
        return card

    def call(self, now: datetime, outcome: Outcome) -> tuple[str, timedelta | None]:
        """The state after it, and for how long."""
        record_all(self.world.opener(now), [Report(self.take(now).lease_id, outcome, "seller")])
        return self.rests(now)

    def rests(self, now: datetime) -> tuple[str, timedelta | None]:
        with self.world.work(now) as work:
            row = work.run(text("select state, due_at from placement where assignment_id = :a"),
                           a=self.assignment).one()  # fmt: skip
        return row.state, row.due_at and row.due_at - now


def test_a_rest_grows_with_each_of_the_same_outcome_until_they_are_closed(world: World) -> None:
    """Other outcomes in between do not count, nor those of another assignment.

    Planted: attempts counted instead; outcomes of all assignments; each seen to fail.
    """
    plan = {
        "busy": {"delay": 600, "growth": 2, "final_after": 3},
        "machine": {"delay": 60, "growth": 3, "other_part": False},
    }
    called = Called(world, plan)
    other = Called(world, plan, called.customer)
    assert other.call(NOON, Outcome.BUSY) == ("resting", 10 * MINUTE)
    assert called.call(NOON, Outcome.BUSY) == ("resting", 10 * MINUTE)
    assert called.call(NOON + HOUR, Outcome.MACHINE) == ("resting", MINUTE)
    assert called.call(NOON + 2 * HOUR, Outcome.BUSY) == ("resting", 20 * MINUTE)
    assert called.call(NOON + 3 * HOUR, Outcome.MACHINE) == ("resting", 3 * MINUTE)
    assert called.call(NOON + 4 * HOUR, Outcome.BUSY) == ("closed", None)


def test_a_completion_is_the_same_call(world: World) -> None:
    """A dialer's word and the seller's after it are one. Planted: both counted; seen to fail."""
    called = Called(world, {"answered": {"delay": 600, "growth": 2}})
    dialer = world.dialer(called.assignment)
    card = called.take(NOON)
    with world.work() as work:
        work.run(text("update lease set seller_id = null, dialer_id = :d"), d=dialer)
    record_all(world.opener(), [Report(card.lease_id, Outcome.ANSWERED, "dialer")])
    record_all(world.opener(), [Report(card.lease_id, Outcome.ANSWERED, "seller")])
    assert called.rests(NOON) == ("resting", 10 * MINUTE)
    again = NOON + HOUR
    assert called.call(again, Outcome.ANSWERED) == ("resting", 20 * MINUTE)


def test_who_does_not_answer_is_tried_in_another_part_of_the_day(world: World) -> None:
    """At noon in Lisbon: four hours later is afternoon still, so at 17. Planted: any part; seen to fail."""
    assert Called(world, {}).call(NOON, Outcome.NO_ANSWER) == ("resting", 5 * HOUR)
    any_part = {"no_answer": {"other_part": False}}
    assert Called(world, any_part).call(NOON, Outcome.NO_ANSWER) == ("resting", 4 * HOUR)


def test_the_other_part_is_one_in_which_hours_are_open(world: World) -> None:
    """At 18:30, in the evening: four hours later it is night, and by UTC's hours the next morning.

    In the segment that the outcome moves them to nobody is called before noon: they rest until then. And
    where hours open in one part of the day alone, the next opening has to do, and explain says so.
    Planted: hours not asked; those of the segment before; each seen to fail.
    """
    evening, morning = NOON + 6.5 * HOUR, NOON.replace(day=3, hour=9, minute=1)
    assert Called(world, {}).call(evening, Outcome.NO_ANSWER) == ("resting", morning - evening)
    late = Called(world, {})
    tried = world.segment(late.assignment, "tried", rule={"f": "attempts", "op": "ge", "v": 1})
    only_afternoons: dict[str, Any] = {
        "week": {day: [["12:00", "17:00"]] for day in DAYS}, "reason": "x", "author": "Kari",
    }  # fmt: skip
    set_hours(world.opener(), assignment_id=late.assignment, segment_id=tried, **only_afternoons)
    assert late.call(evening, Outcome.NO_ANSWER) == ("resting", morning.replace(hour=12) - evening)
    only = Called(world, {})
    set_hours(world.opener(), assignment_id=only.assignment, **only_afternoons)
    again = NOON.replace(day=3, minute=1)  # the margin
    assert only.call(NOON + 4 * HOUR, Outcome.NO_ANSWER) == ("resting", again - NOON - 4 * HOUR)
    with world.work(NOON + 5 * HOUR) as work:
        (state, *_) = explain(work, only.assignment, only.customer).answers
    assert state.fact == "resting, again in the afternoon: their hours open in no other part of the day"


def test_a_plan_that_makes_no_sense_names_every_problem() -> None:
    wrong: dict[str, Any] = {
        "buzy": {}, "sale": {"delay": 1}, "busy": {"dely": 1, "growth": 0.5, "jitter": 2, "delay": 1.5},
        "machine": {"other_part": 1, "final_after": 0, "longest": True}, "answered": 600,
    }  # fmt: skip
    with pytest.raises(BadValues) as refused:
        read_plans(wrong)
    told = dict(refused.value.problems)
    assert told.keys() == {
        "buzy", "sale", "busy.dely", "busy.growth", "busy.jitter", "busy.delay", "machine.other_part",
        "machine.final_after", "machine.longest", "answered",
    }  # fmt: skip
    assert "did you mean busy?" in told["buzy"]
    assert "did you mean delay?" in told["busy.dely"]
    assert "closes" in told["sale"]


def test_one_outcome_is_changed_beside_the_others(world: World) -> None:
    assignment = world.assignment()
    with world.work() as work:
        set_retries(work, assignment, {"busy": {"delay": 60}, "machine": {"delay": 120}}, author="Kari")
        set_retry(work, assignment, "busy", {"growth": 3}, author="Kari")
        found = retry_plans(work, assignment)
        assert (found.plans[Outcome.BUSY].delay, found.plans[Outcome.BUSY].growth) == (60, 3)
        assert found.own == {"busy", "machine"}
        set_retry(work, assignment, "busy", None, author="Kari")
        assert retry_plans(work, assignment).own == {"machine"}
        for refused in (lambda: set_retries(work, 99, {}, author="Kari"),
                        lambda: set_retry(work, 99, "busy", {}, author="Kari"),
                        lambda: retry_plans(work, 99), lambda: retry_changes(work, 99, 5)):  # fmt: skip
            with pytest.raises(NotFound):
                refused()


def test_who_changed_them_when_and_from_what_to_what(world: World) -> None:
    """Nothing said anew is no change; and nobody overwrites what they have not read.

    Planted: the version not looked at; a change without its author's version; each seen to fail.
    """
    assignment, other = world.assignment(), world.assignment()
    with world.work() as work:
        set_retry(work, assignment, "busy", {"delay": 600}, author="Kari", base=0)
        set_retry(work, assignment, "busy", {"delay": 600}, author="Ola", base=1)
        assert retry_plans(work, assignment).version == 1
    with world.work(NOON + HOUR) as work:
        wanted = {"busy": {"delay": 600, "final_after": 6}, "machine": {"other_part": False}}
        set_retries(work, assignment, wanted, author="Ola", base=1)
    with world.work() as work, pytest.raises(Conflict, match="version 2"):
        set_retries(work, assignment, {}, author="Per", base=1)
    with world.work() as work, pytest.raises(Conflict, match="version 2"):
        set_retry(work, assignment, "busy", None, author="Per", base=1)
    with world.work() as work:
        last, first = retry_changes(work, assignment, 9)
        assert (first.version, first.author, first.changed_at) == (1, "Kari", NOON)
        assert first.lines == ["busy.delay: 1800 (the default) -> 600"]
        assert (last.version, last.author, last.changed_at) == (2, "Ola", NOON + HOUR)
        assert last.before == {"busy": {"delay": 600}}
        assert last.lines == [
            "busy.final_after: never (the default) -> 6", "machine.other_part: true (the default) -> false",
        ]  # fmt: skip
        assert retry_changes(work, assignment, 9, before=2) == [first]
        assert retry_changes(work, other, 9) == []


def test_two_who_change_them_at_once_both_count(world: World) -> None:
    """Each says one outcome: the second waits for the first, and keeps what it said. Planted: no lock."""
    assignment = world.assignment()
    with ThreadPoolExecutor() as threads:
        with world.work() as work:
            set_retry(work, assignment, "busy", {"delay": 60}, author="Kari")

            def second() -> None:
                with world.work() as later:
                    set_retry(later, assignment, "machine", {"delay": 60}, author="Ola")

            waiting = threads.submit(second)
            wait_until(lambda: bool(world.waited_for()))
        waiting.result()
    with world.work() as work:
        found = retry_plans(work, assignment)
        assert (found.version, set(found.own)) == (2, {"busy", "machine"})


@pytest.fixture
def kari(world: World) -> Iterator[Caller]:
    with api_of(world) as made:
        yield made.manager()


def test_plans_by_the_api(kari: Caller, world: World) -> None:
    path = f"/assignments/{world.assignment()}/retries"
    assert not any(plan["own"] for plan in kari.ok("GET", path)["plans"].values())
    plans = kari.ok("PUT", path, json={"plans": {"busy": {"delay": 60, "final_after": 4}}})["plans"]
    assert (plans["busy"]["delay"], plans["busy"]["final_after"], plans["busy"]["own"]) == (60, 4, True)
    assert kari.ok("GET", path)["plans"] == plans
    assert kari.ok("GET", path)["version"] == 1
    kari.ok("PUT", path, json={"plans": {"busy": {"delay": 90}}}, params={"base": 1})
    assert kari.refused(409, "PUT", path, json={"plans": {}}, params={"base": 1})["base"] == 1
    page = kari.ok("GET", f"{path}/changes", params={"limit": 1})
    assert [one["version"] for one in page["items"]] == [2]
    assert page["items"][0]["lines"] == ["busy.delay: 60 -> 90", "busy.final_after: 4 -> never (the default)"]
    rest = kari.ok("GET", f"{path}/changes", params={"cursor": page["next"]})
    assert ([one["version"] for one in rest["items"]], rest["next"]) == ([1], None)
    kari.refused(404, "GET", "/assignments/9999/retries/changes")
    problems = kari.refused(422, "PUT", path, json={"plans": {"bussy": {}, "sale": {}}})["problems"]
    assert [one["path"] for one in problems] == ["bussy", "sale"]
    kari.refused(404, "GET", "/assignments/9999/retries")


def test_plans_from_the_command_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = Shell(world, monkeypatch)
    world.assignment("Loans")
    before = shell.everything()
    shell.ok("retries", "set", "no_answer", "--minutes", "90", "--any-part", "--dry-run")
    assert shell.everything() == before
    said = shell.ok("retries", "set", "busy", "--minutes", "90", "--growth", "3", "--final-after", "6").out
    assert "90 minutes" in said
    assert "after 6" in said
    shown = shell.ok("retries", "show", "--json").document
    assert (shown["busy"]["delay"], shown["busy"]["own"], shown["machine"]["own"]) == (5400, True, False)
    assert "another" in shell.ok("retries", "show").out
    shell.ok("retries", "set", "busy", "--never-final")
    assert shell.ok("retries", "show", "--json").document["busy"]["final_after"] is None
    shell.ok("retries", "set", "busy", "--default")
    assert shell.ok("retries", "show", "--json").document["busy"]["own"] is False
    told = shell.ok("retries", "changes").out
    assert "busy.final_after: 6 -> never" in told
    assert [one["version"] for one in shell.ok("retries", "changes", "--json").document] == [3, 2, 1]
    stale = shell.run("retries", "set", "busy", "--minutes", "5", "--base", "1")
    assert "look at theirs first" in stale.err
    wrong = shell.run("retries", "set", "buzy", "--growth", "0")
    assert wrong.code == 2
    assert "did you mean busy?" in wrong.err
    assert shell.run("retries", "set", "busy").code == 2
