"""Templates applied: what they are worth to a floor, with one click, and never over somebody else's rules."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from interleaving import instead_of_run
from rebuild_scene import waiting_backends
from rule_strategies import row_of
from sqlalchemy import TextClause, text
from test_rules_sql import NOBODY
from world import NOON, World, wait_until

from calling.segments import publishing, turnover
from calling.segments.editing import delete, rename
from calling.segments.publishing import current, publish, version_in_force
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.segments.templates import Wish, apply, offers, preview
from calling.segments.turnover import Changed, Left, change
from models.errors import BadInput, Conflict, NotFound
from models.outcomes import Outcome
from models.work import Work
from segmentation.catalogue import catalogue
from segmentation.evaluate import labels_of, segment_of
from segmentation.language import read_rules
from segmentation.resegment import differing
from segmentation.templates.catalogue import templates
from segmentation.templates.making import parts
from segmentation.text.writing import write_body

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TOWNS = ("Oslo", "Bergen", "OSLO", "Tromsø", "oslo ", "Bergen", "", "Ås")


class Floor:
    """Forty customers aged 10 to 86, of a few towns, with turnovers from 0 to 3,800; one has nothing."""

    def __init__(self, world: World) -> None:
        self.world = world
        for key, type_ in (("alder", "number"), ("by", "text"), ("omsetning", "number"), ("født", "date")):
            world.field(key, type_, label=key.capitalize())
        self.assignment = world.assignment("Spring")
        self.customers = world.customers(40, self.assignment, fields=self.of)

    @staticmethod
    def of(i: int) -> dict[str, Any]:
        if i == 39:
            return {}
        return {"alder": 10 + 2 * i, "by": TOWNS[i % 8], "omsetning": 100 * i, "født": f"{2010 - i}-05-17"}

    def preview(self, key: str, assignment: int | None = None, **wish: Any) -> Any:
        with self.world.work() as work:
            return preview(work, assignment or self.assignment, key, Wish(**wish))

    def apply(self, key: str, assignment: int | None = None, version: int | None = None, **wish: Any) -> Any:
        return apply(
            self.world.opener(),
            assignment or self.assignment,
            key,
            Wish(**wish),
            author="Ann",
            version=version,
        )

    def publish(self, body: dict[str, Any], assignment: int | None = None) -> int:
        return publish(self.world.opener(), assignment or self.assignment, body, author="Bo")

    def body(self, assignment: int | None = None) -> dict[str, Any]:
        with self.world.work() as work:
            return current(work, assignment or self.assignment)

    def version(self, assignment: int | None = None) -> int:
        with self.world.work() as work:
            return version_in_force(work, assignment or self.assignment)

    def rebuild(self) -> None:
        for one in rebuilds_to_do(self.world.opener()):
            run_rebuild(self.world.opener(), one)

    def sizes(self) -> dict[str, int]:
        sql = "select s.key, count(*) as n from placement p join segment s on s.id = p.segment_id group by 1"
        with self.world.work() as work:
            return {row.key: row.n for row in work.run(text(sql))}

    def labelled(self) -> dict[str, int]:
        sql = """
            select l.key, count(*) as n from placement p, unnest(p.labels) as one(id)
              join label l on l.id = one.id where p.assignment_id = :a group by 1
        """
        with self.world.work() as work:
            return {row.key: row.n for row in work.run(text(sql), a=self.assignment)}

    def change(self, silver: float, gold: float, platinum: float, **more: Any) -> Changed:
        given = {"field": "omsetning", "silver": silver, "gold": gold, "platinum": platinum}
        return change(self.world.opener(), given, author="Cy", **more)


@pytest.fixture
def floor(world: World) -> Floor:
    return Floor(world)


# What the fixed ones say


def person(**facts: Any) -> dict[str, Any]:
    """A customer called at noon today, unless said otherwise."""
    return row_of({**NOBODY, "email": "a@b.no", "numbers": ["good"], "last_call": NOON, **facts})


def made(key: str, **parameters: Any) -> Any:
    """A template's rules, as its defaults fill them."""
    template = templates()[key]
    filled = {name: one.default for name, one in template.parameters.items() if one.default is not None}
    known = catalogue({"born": "date"})
    of: dict[str, list[dict[str, Any]]] = {"segments": [], "labels": []}
    for kind, piece in parts(template, {**filled, **parameters}, known).pieces:
        of[f"{kind}s"].append({"key": piece.key, "name": piece.name, "when": piece.when})
    return read_rules(of, {"born": "date"})


LISTS = {
    Outcome.FOLLOW_UP: "call-backs",
    Outcome.ANSWERED: "call-backs", Outcome.ABANDONED: "call-backs", Outcome.NO_ANSWER: "no-answer-again",
    Outcome.MACHINE: "no-answer-again", Outcome.BUSY: "busy-again", Outcome.CONGESTION: "busy-again",
    Outcome.FAILED: "busy-again", Outcome.SALE: "done", Outcome.NO_SALE: "done",
    Outcome.KEY_PRESSED: "call-backs", Outcome.INTENT: "call-backs", Outcome.LANGUAGE: "other-language",
    Outcome.WRONG_PERSON: "done", Outcome.INVALID_NUMBER: "done", Outcome.DO_NOT_CALL: "done",
}  # fmt: skip


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_its_call_list(outcome: Outcome) -> None:
    """No outcome falls through to Unsegmented. Planted: `machine` left out; its customers were nowhere."""
    resting = {"state": "resting", "due_at": NOON + HOUR} if LISTS[outcome] != "done" else {"state": "closed"}
    row = person(status=outcome.value, last_outcome=outcome.value, attempts=1, **resting)
    assert segment_of(made("call-lists"), row, catalogue({}), NOON) == LISTS[outcome]


@pytest.mark.parametrize(
    ("facts", "list_"),
    [
        ({"last_call": None}, "new"),
        ({"last_outcome": "answered", "status": "answered", "attempts": 2}, "warm"),
        ({"last_outcome": "intent", "status": "intent", "attempts": 2}, "warm"),
        ({"last_outcome": "no_answer", "status": "no_answer", "attempts": 6}, "last-chance"),
        ({"last_outcome": "busy", "status": "busy", "attempts": 6}, "last-chance"),
        ({"last_outcome": "answered", "status": "answered", "attempts": 9}, "warm"),
    ],
)
def test_usual_call_lists(facts: dict[str, Any], list_: str) -> None:
    assert segment_of(made("call-lists"), person(**facts), catalogue({}), NOON) == list_


@pytest.mark.parametrize(
    ("facts", "statuses"),
    [
        ({"last_call": None}, {"new-this-week", "never-called"}),
        ({"last_call": None, "entered": NOON - 7 * DAY}, {"never-called"}),
        ({"attempts": 3, "last_outcome": "busy"}, {"not-reached", "new-this-week"}),
        ({"attempts": 2, "last_outcome": "busy"}, {"new-this-week"}),
        ({"attempts": 3, "last_outcome": "answered"}, {"new-this-week"}),
        ({"state": "resting", "due_at": NOON + HOUR, "last_outcome": "answered"},
         {"promised", "new-this-week"}),
        ({"state": "follow_up", "due_at": NOON - HOUR, "last_outcome": "follow_up"},
         {"promised", "promise-overdue", "new-this-week"}),
        ({"last_call": NOON - 30 * DAY, "entered": NOON - 40 * DAY}, {"resting-long"}),
        ({"last_call": NOON - 30 * DAY, "entered": NOON - 40 * DAY, "status": "sale"}, {"bought"}),
        ({"last_call": NOON - 181 * DAY, "entered": NOON - 190 * DAY, "customer_since": NOON - 900 * DAY},
         {"resting-long", "sleeping"}),
        ({"status": "no_sale", "last_outcome": "no_sale"}, {"said-no", "new-this-week"}),
        ({"numbers": ["disconnected"]}, {"no-good-number", "new-this-week"}),
        ({"email": ""}, {"no-email", "new-this-week"}),
        ({"fields": {"born": "1980-03-05"}}, {"birthday-soon", "new-this-week"}),
    ],
    ids=lambda one: str(sorted(one)),
)  # fmt: skip
def test_automatic_statuses_are_given_and_taken_away(facts: dict[str, Any], statuses: set[str]) -> None:
    rules = made("automatic-statuses", birthday="born")
    given = labels_of(rules, person(**facts), catalogue({"born": "date"}), NOON)
    assert set(given) == statuses


def test_what_asks_a_field_that_nobody_has_is_left_out() -> None:
    template = templates()["automatic-statuses"]
    filled = {name: one.default for name, one in template.parameters.items() if one.default is not None}
    done = parts(template, filled, catalogue({}))
    assert done.notes == ("birthday-soon is left out: no field is known for birthday",)
    assert len(done.pieces) == len(template.parts) - 1


# One click


def test_what_is_offered_says_which_field_it_takes(floor: Floor) -> None:
    with floor.world.work() as work:
        found = {one.template.key: one for one in offers(work, floor.assignment)}
        with pytest.raises(NotFound):
            offers(work, floor.assignment + 1)
    assert list(found) == [
        "automatic-statuses", "call-lists", "turnover-classes", "age", "income", "company-size", "place",
    ]  # fmt: skip
    ages = [(one.field, one.sure) for one in found["age"].suggestions["field"]]
    assert ages == [("alder", True), ("født", True)]
    assert found["place"].suggestions["field"][0].field == "by"
    assert found["turnover-classes"].suggestions["field"][0].field == "omsetning"
    assert [key for key, one in found.items() if not one.fits] == ["income", "company-size"]
    assert found["income"].why_not == "say which field it is: field"


def test_a_field_that_nobody_has_filled_is_no_click_away(world: World) -> None:
    """Seen to fail: it was offered, and could not be applied."""
    world.field("age")
    assignment = world.assignment()
    world.customers(3, assignment)
    with world.work() as work:
        age = next(one for one in offers(work, assignment) if one.template.key == "age")
    assert [one.field for one in age.suggestions["field"]] == ["age"]
    assert (age.fits, age.why_not) == (False, "say which field it is: field")


def test_ages_with_one_click(floor: Floor) -> None:
    """Everybody is in one band, also who has no age. Planted: bands put before the rules that are there."""
    rest = {"key": "minors", "name": "Minors", "when": {"f": "alder", "op": "lt", "v": 14}}
    floor.publish({"segments": [rest]})
    seen = floor.preview("age")
    assert [(one.key, one.count) for one in seen.parts] == [
        ("age-under-18", 4), ("age-18-24", 4), ("age-25-34", 5), ("age-35-44", 5), ("age-45-54", 5),
        ("age-55-64", 5), ("age-65-74", 5), ("age-75-up", 6), ("age-unknown", 1),
    ]  # fmt: skip
    assert (seen.customers, seen.version, seen.parts[1].text) == (40, 1, "alder >= 18 and alder < 25")
    done = floor.apply("age", version=seen.version)
    assert (done.version, list(done.keys)) == (2, [one.key for one in seen.parts])
    floor.rebuild()
    expected = {one.key: one.count for one in seen.parts} | {"minors": 2, "age-under-18": 2}
    assert floor.sizes() == expected
    assert write_body(floor.body()).startswith("segment minors")


def test_ages_by_the_date_of_birth_in_front_of_others(floor: Floor) -> None:
    floor.publish({"segments": [{"key": "rest", "name": "Rest", "when": {"all": []}}]})
    seen = floor.preview("age", parameters={"field": "født", "limits": [18, 30]})
    assert [(one.key, one.count) for one in seen.parts] == [
        ("age-under-18", 3), ("age-18-29", 12), ("age-30-up", 24), ("age-unknown", 1),
    ]  # fmt: skip
    floor.apply("age", parameters=seen.parameters, before="rest")
    floor.rebuild()
    assert floor.sizes() == {one.key: one.count for one in seen.parts}


def test_places_are_the_most_frequent_and_spellings_are_one(floor: Floor) -> None:
    """Planted: by exact spelling; "OSLO" was a place of its own, and Tromsø fell among the others."""
    seen = floor.preview("place", parameters={"top": 2}, as_="label")
    assert [(one.kind, one.key, one.name, one.count) for one in seen.parts] == [
        ("label", "place-oslo", "Oslo", 15), ("label", "place-bergen", "Bergen", 10),
        ("label", "place-other", "Other places", 9), ("label", "place-unknown", "Place unknown", 6),
    ]  # fmt: skip
    assert seen.parts[0].text == '"by" in (OSLO, Oslo, "oslo ")'
    floor.apply("place", parameters={"top": 2}, as_="label")
    floor.rebuild()
    assert floor.labelled() == {one.key: one.count for one in seen.parts}


def test_income_is_cut_at_round_numbers_into_about_even_bands(floor: Floor) -> None:
    seen = floor.preview("income", parameters={"field": "omsetning", "bands": 4})
    assert seen.parameters["limits"] == [1000, 2000, 3000]
    assert [one.count for one in seen.parts] == [10, 10, 10, 9, 1]
    assert seen.parts[1].name == "Income 1,000 to under 2,000"


def test_the_preview_is_what_is_applied_whatever_comes_between(floor: Floor) -> None:
    """The parameters of the answer, given back. Planted: limits worked out anew; other bands than shown."""
    seen = floor.preview("income", parameters={"field": "omsetning"})
    floor.world.customers(200, floor.assignment, fields=lambda i: {"omsetning": 50_000 + i})
    assert floor.preview("income", parameters={"field": "omsetning"}).parameters != seen.parameters
    floor.apply("income", parameters=seen.parameters)
    assert [one["key"] for one in floor.body()["segments"]] == [one.key for one in seen.parts]


def test_applied_twice_it_says_that_it_is_there(floor: Floor) -> None:
    floor.apply("call-lists")
    with pytest.raises(Conflict, match="all of it is there already"):
        floor.apply("call-lists")
    delete(floor.world.opener(), floor.assignment, "warm", author="a")
    seen = floor.preview("call-lists")
    assert [one.key for one in seen.parts if one.there is None] == ["warm"]
    assert list(floor.apply("call-lists").keys) == ["warm"]


def test_a_key_that_is_taken_is_not_taken_again(floor: Floor) -> None:
    mine = {"key": "new", "name": "Mine", "when": {"f": "alder", "op": "ge", "v": 80}}
    gold = {"key": "bought", "name": "Mine", "when": {"f": "alder", "op": "ge", "v": 80}}
    floor.publish({"segments": [mine], "labels": [gold]})
    assert "new-2" in floor.apply("call-lists").keys
    assert "bought-2" in floor.apply("automatic-statuses").keys
    assert floor.body()["segments"][0] == mine


def test_some_parts_only(floor: Floor) -> None:
    done = floor.apply("automatic-statuses", only=["no-email", "promised"], parameters={"tries": 5})
    assert sorted(done.keys) == ["no-email", "promised"]
    with pytest.raises(BadInput, match='did you mean "sleeping"'):
        floor.preview("automatic-statuses", only=["sleepin"])


def test_nobody_elses_edit_is_overwritten(floor: Floor) -> None:
    """Planted: `base` not handed on."""
    seen = floor.preview("age")
    floor.publish({"segments": [{"key": "x", "name": "X", "when": {"all": []}}]})
    with pytest.raises(Conflict, match="version 1 since you read 0"):
        floor.apply("age", version=seen.version)
    with pytest.raises(NotFound, match="segment nowhere"):
        floor.apply("age", before="nowhere")
    assert [one["key"] for one in floor.body()["segments"]] == ["x"]


def test_what_cannot_be_made_is_said(floor: Floor) -> None:
    with pytest.raises(NotFound, match='did you mean "age"'):
        floor.preview("agee")
    with pytest.raises(BadInput, match="no field of this CRM looks like it"):
        floor.preview("income")
    floor.world.field("flat")
    with pytest.raises(BadInput, match="too few, or too much alike"):
        floor.preview("income", parameters={"field": "flat"})
    with pytest.raises(BadInput, match="as: call-lists says itself"):
        floor.preview("call-lists", as_="label")
    with pytest.raises(BadInput, match="whole years from 1 to 99"):
        floor.preview("age", parameters={"field": "født", "limits": [17.5, 30]})


def test_a_template_of_a_neighbour_sees_nothing_of_ours(floor: Floor) -> None:
    beside = floor.world.neighbour()
    other = beside.assignment()
    with beside.work() as work:
        assert not next(one for one in offers(work, other) if one.template.key == "age").fits
        assert preview(work, other, "call-lists", Wish()).customers == 0


# Turnover classes


def test_classes_are_worked_out_kept_and_shared(floor: Floor) -> None:
    """The second assignment takes them as they are, without a word. Planted: worked out anew for each."""
    seen = floor.preview("turnover-classes")
    assert seen.parameters == {"field": "omsetning", "silver": 2000, "gold": 3000, "platinum": 3600}
    floor.apply("turnover-classes")
    floor.rebuild()
    assert floor.labelled() == {"silver": 10, "gold": 6, "platinum": 3}
    other = floor.world.assignment("Other")
    with floor.world.work() as work:
        assert next(one for one in offers(work, other) if one.template.turnover).fits
    floor.apply("turnover-classes", other)
    assert floor.body(other)["labels"] == floor.body()["labels"]
    with pytest.raises(BadInput, match="in the whole CRM"):
        floor.preview("turnover-classes", other, parameters={"gold": 9})


def test_moved_thresholds_are_published_wherever_they_are_in_use(floor: Floor) -> None:
    """And nowhere else; everybody is relabelled. Planted: the thresholds written, the rules left."""
    floor.apply("turnover-classes")
    other, third = floor.world.assignment("Other"), floor.world.assignment("Third")
    floor.apply("turnover-classes", other)
    floor.publish({"segments": []}, third)
    floor.rebuild()
    done = floor.change(1000, 2000, 3000)
    assert (dict(done.published), done.left) == ({floor.assignment: 2, other: 2}, [])
    assert (done.turnover.version, done.turnover.author) == (2, "Cy")
    floor.rebuild()
    assert floor.labelled() == {"silver": 10, "gold": 10, "platinum": 9}
    with floor.world.work() as work:
        assert differing(work, floor.assignment) == 0
    assert floor.version(third) == 1
    assert dict(floor.change(1000, 2000, 3000).published) == {}


def test_what_somebody_wrote_by_hand_is_left_and_told_of(floor: Floor) -> None:
    floor.apply("turnover-classes")
    body = floor.body()
    labels = [{**one, "when": {"f": "alder", "op": "ge", "v": 80}} if one["key"] == "gold" else one
              for one in body["labels"]]  # fmt: skip
    floor.publish({**body, "labels": labels})
    done = floor.change(1, 2, 3)
    assert done.left == [Left(floor.assignment, "gold")]
    kept = {one["key"]: one["when"] for one in floor.body()["labels"]}
    assert kept["gold"] == {"f": "alder", "op": "ge", "v": 80}
    assert kept["platinum"] == {"f": "omsetning", "op": "ge", "v": 3}


def test_renamed_labels_are_still_classes(floor: Floor) -> None:
    floor.publish({"segments": [], "labels": [{"key": "gold", "name": "G", "when": {"all": []}}]})
    assert list(floor.apply("turnover-classes").keys) == ["silver", "gold-2", "platinum"]
    assert dict(floor.change(1, 2, 3).published) == {floor.assignment: 3}


def test_thresholds_that_make_no_sense_change_nothing(floor: Floor) -> None:
    floor.apply("turnover-classes")
    for given, said in (
        ({"silver": 5}, "say it"), ({"silver": 3, "gold": 3, "platinum": 4}, "below gold"),
        ({"field": "by", "silver": 1, "gold": 2, "platinum": 3}, "of type text"),
        ({"silver": 1, "gold": "2", "platinum": 3}, "a number to"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=said):
            change(floor.world.opener(), {"field": "omsetning", **given}, author="a")
    assert floor.version() == 1


def test_two_who_move_them_do_not_overwrite_each_other(floor: Floor) -> None:
    floor.change(1, 2, 3)
    assert floor.change(10, 20, 30, expected=1).turnover.version == 2
    with pytest.raises(Conflict, match="since you read version 1"):
        floor.change(5, 6, 7, expected=1)
    with floor.world.work() as work:
        kept = turnover.turnover(work)
    assert kept is not None
    assert kept.parameters == {"field": "omsetning", "silver": 10, "gold": 20, "platinum": 30}


def test_all_assignments_or_none(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them cannot be written: the other keeps what it had, and so does the CRM."""
    floor.apply("turnover-classes")
    other = floor.world.assignment("Other")
    floor.apply("turnover-classes", other)
    before, real = (floor.body(), floor.body(other)), Work.run

    def run(self: Work, statement: TextClause, **values: Any) -> Any:
        if "insert into rule_set" in statement.text and values["assignment_id"] == other:
            raise Conflict("the disk is full")
        return real(self, statement, **values)

    instead_of_run(monkeypatch, run)
    with pytest.raises(Conflict, match="disk"):
        floor.change(1, 2, 3)
    monkeypatch.undo()
    assert (floor.body(), floor.body(other)) == before
    with floor.world.work() as work:
        kept = turnover.turnover(work)
    assert kept is not None
    assert kept.version == 1


def during(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, pool: ThreadPoolExecutor, statement: TextClause,
    other: Callable[[], Any],
) -> list["Future[Any]"]:  # fmt: skip
    """Start `other` before whoever comes first executes `statement`; go on when it is done or waits."""
    going: list[Future[Any]] = []
    real = Work.run

    def run(self: Work, asked: TextClause, **values: Any) -> Any:
        if asked is statement and not going:
            going.append(pool.submit(other))
            wait_until(lambda: going[0].done() or waiting_backends(floor.world) == 1)
        return real(self, asked, **values)

    instead_of_run(monkeypatch, run)
    return going


@pytest.fixture
def pool() -> Any:
    with ThreadPoolExecutor(1) as threads:
        yield threads


def test_thresholds_moved_while_the_template_is_applied(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, pool: ThreadPoolExecutor
) -> None:
    """Between what was looked at and what is published. Planted: not looked at again; the old stayed."""
    floor.change(10, 20, 30)
    going = during(floor, monkeypatch, pool, turnover._READ_SHARED, lambda: floor.change(1, 2, 3))
    with pytest.raises(Conflict, match="moved the turnover classes"):
        floor.apply("turnover-classes")
    going[0].result()
    assert floor.version() == 0


def test_who_moves_them_waits_for_who_applies_them(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, pool: ThreadPoolExecutor
) -> None:
    """Behind the look, before the publishing. Planted: no lock; the assignment kept what was before."""
    floor.change(10, 20, 30)
    going = during(floor, monkeypatch, pool, publishing._ASSIGNMENT, lambda: floor.change(1, 2, 3))
    floor.apply("turnover-classes")
    assert dict(going[0].result().published) == {floor.assignment: 2}
    assert floor.body()["labels"][2]["when"] == {"f": "omsetning", "op": "ge", "v": 3}


def test_an_edit_while_thresholds_move_is_not_lost(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, pool: ThreadPoolExecutor
) -> None:
    """Planted: the rules read before they were locked; the renaming was published over."""
    floor.apply("turnover-classes")
    floor.apply("call-lists")
    going = during(
        floor, monkeypatch, pool, publishing._ASSIGNMENT,
        lambda: rename(floor.world.opener(), floor.assignment, "warm", "Hot", author="a"),
    )  # fmt: skip
    floor.change(1, 2, 3)
    assert going[0].result() == 3
    body = floor.body()
    assert floor.version() == 4
    assert {one["key"]: one["name"] for one in body["segments"]}["warm"] == "Hot"
    assert body["labels"][2]["when"]["v"] == 3


def test_the_page_about_templates_names_each_of_them_and_what_it_is_told() -> None:
    page = (Path(__file__).parents[1] / "docs" / "templates.md").read_text(encoding="utf-8")
    for template in templates().values():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{template.key}`"))
        told = set(template.parameters) - ({"top", "values"} if template.key != "place" else set())
        assert [name for name in told if f"`{name}`" not in row] == []
