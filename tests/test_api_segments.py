"""The API as managers cut an assignment: bars, selections, segments, holds, history, portrait."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from web_client import Api, Caller, api_of
from world import NOON, World, new_app

from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.views import bars as bars_of
from segmentation.facets import facets

pytestmark = pytest.mark.once

JOBS = ("student", "student", "retired", "services", None)


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with api_of(world) as made:
        yield made


@pytest.fixture
def kari(api: Api) -> Caller:
    return api.manager()


@pytest.fixture
def spring(world: World) -> int:
    """Twenty customers: eight students, four each retired, in services, of no job; half have a loan."""
    world.field("job", "choice", label="Job")
    world.field("loan", "yes_no", label="Loan")
    world.field("age", label="Age")
    assignment = world.assignment("Spring")

    def fields(i: int) -> dict[str, Any]:
        return {"loan": i % 2 == 0, "age": 20 + i} | ({"job": JOBS[i % 5]} if JOBS[i % 5] else {})

    world.customers(20, assignment, fields=fields)
    return assignment


@pytest.fixture
def loans(kari: Caller, world: World, spring: int) -> int:
    """A segment by rule, filled."""
    when = {"f": "loan", "op": "is_true"}
    made = kari.ok("POST", f"/assignments/{spring}/segments", 201, json={"name": "With a loan", "when": when})
    assert made["key"] == "with-a-loan"
    rebuild(world)
    return int(made["segment_id"])


def rebuild(world: World) -> None:
    for key in rebuilds_to_do(world.opener()):
        run_rebuild(world.opener(), key)


def bar(answer: dict[str, Any], key: str, name: str) -> tuple[int, int, bool]:
    (one,) = (dim for dim in answer["dimensions"] if dim["key"] == key)
    (found,) = (bar for bar in one["bars"] if bar["name"] == name)
    return found["selected"], found["total"], found["chosen"]


def sizes(kari: Caller, assignment: int) -> dict[str, int]:
    items = kari.ok("GET", f"/assignments/{assignment}/segments")["items"]
    return {one["key"]: one["size"] for one in items}


def test_bars_follow_the_selection_each_under_the_filters_of_the_others(kari: Caller, spring: int) -> None:
    path = f"/assignments/{spring}/facets"
    everybody = kari.ok("POST", path, json={})
    assert (everybody["total"], everybody["of"], everybody["as_of"]) == (20, 20, "2026-03-02T12:00:00Z")
    assert bar(everybody, "job", "student") == (8, 8, False)
    found = kari.ok("POST", path, json={"filters": {"job": ["student"], "loan": [True]}})
    assert found["total"] == 4
    assert bar(found, "job", "student") == (4, 8, True)
    assert bar(found, "job", "retired") == (2, 4, False)  # under the loan, not under the job
    assert bar(found, "loan", "No") == (4, 10, False)
    only = kari.ok("POST", path, json={"filters": {"job": ["student"]}, "dimensions": ["loan"], "bars": 1})
    assert [one["key"] for one in only["dimensions"]] == ["loan"]
    assert (len(only["dimensions"][0]["bars"]), only["dimensions"][0]["more"]) == (1, 1)
    nobody = kari.ok("POST", path, json={"filters": {"job": []}})
    assert nobody["total"] == 0


def test_values_come_back_as_they_may_be_asked(kari: Caller, spring: int) -> None:
    """Every bar of every dimension, sent back as a filter, selects as many as it shows."""
    path = f"/assignments/{spring}"
    for one in kari.ok("POST", f"{path}/facets", json={})["dimensions"]:
        for shown in one["bars"]:
            filters = {one["key"]: [shown["value"]]}
            counted = kari.ok("POST", f"{path}/selection/count", json={"filters": filters})["count"]
            assert counted == shown["total"], (one["key"], shown)


def test_wrong_filters_name_every_problem(kari: Caller, spring: int) -> None:
    wrong = {"jobb": ["x"], "loan": ["yes"], "age": [{"from": 9, "to": 1}]}
    for path in ("facets", "selection/count", "selection/rule"):
        problem = kari.refused(422, "POST", f"/assignments/{spring}/{path}", json={"filters": wrong})
        assert [one["path"] for one in problem["problems"]] == [
            "filters.jobb", "filters.loan[0]", "filters.age[0]",
        ]  # fmt: skip
        assert "did you mean" in problem["detail"]
    kari.refused(404, "POST", "/assignments/999999/facets", json={})


def test_a_dimension_that_there_is_not_is_told(kari: Caller, spring: int) -> None:
    """Seen to fail: it was left out, and the answer was an empty list."""
    asked = {"dimensions": ["loan", "jobb"], "filters": {"agee": [1]}}
    problem = kari.refused(422, "POST", f"/assignments/{spring}/facets", json=asked)
    assert problem["problems"] == [
        {"path": "filters.agee", "message": 'there is no dimension agee - did you mean "age"?'},
        {"path": "dimensions[1]", "message": 'there is no dimension jobb - did you mean "job"?'},
    ]


@pytest.mark.parametrize("tolerance", ["0.0001%", "101%", "2", -1, True, 1.5, None])
def test_a_tolerance_that_is_none_says_how_to_write_one(
    kari: Caller, spring: int, loans: int, tolerance: object
) -> None:
    """Seen to fail: the path was body.tolerance.constrained-int, and a pattern was the message."""
    asked = {"filters": {}, "segment_id": loans, "expected": 1, "reason": "x", "tolerance": tolerance}
    problem = kari.refused(422, "POST", f"/assignments/{spring}/selection/move", json=asked)
    (told,) = problem["problems"]
    assert told["path"] == "body.tolerance"
    assert "2%" in told["message"]


def test_rare_values_are_found(kari: Caller, spring: int) -> None:
    path = f"/assignments/{spring}/facets/job/search"
    found = kari.ok("POST", path, json={"text": "TUD", "filters": {"loan": [True]}})["items"]
    assert [(one["value"], one["selected"], one["total"]) for one in found] == [("student", 4, 8)]
    kari.refused(404, "POST", f"/assignments/{spring}/facets/shoes/search", json={})


def test_what_any_process_committed_is_in_the_next_answer(
    api: Api, kari: Caller, world: World, spring: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the cache: fresh at once, and each process follows by itself.

    Planted: a cache that is not refreshed; seen to fail.
    """
    monkeypatch.setattr(bars_of, "facets", partial(facets, border=0))
    path, other = f"/assignments/{spring}/facets", new_app(world.app.settings)
    ana = api.seller(world.seller(spring))
    assert kari.ok("POST", path, json={})["source"] == "cache"
    for sold in range(1, 4):
        lease = ana.ok("POST", "/me/next")["lease_id"]
        ana.ok("POST", f"/leases/{lease}/outcome", json={"outcome": "sale"})
        found = kari.ok("POST", path, json={"filters": {"state": ["closed"]}})
        assert (found["source"], found["total"]) == ("cache", sold)
        with other.work(world.crm_id, now=NOON) as work:
            theirs = bars_of.bars(work, spring, {"state": ["closed"]})
        assert (theirs.source, theirs.total) == ("cache", sold)
    other.close()


def test_a_selection_is_moved_and_the_history_says_so(
    kari: Caller, world: World, spring: int, loans: int
) -> None:
    path = f"/assignments/{spring}"
    asked = {"filters": {"job": ["retired"]}, "segment_id": loans, "expected": 4, "reason": "campaign"}
    done = kari.ok("POST", f"{path}/selection/move", json={**asked, "expires_at": "2026-03-03T12:00:00Z"})
    assert (done["customers"], done["changed"]) == (4, 2)
    assert sizes(kari, spring) == {"with-a-loan": 12, "unsegmented": 8}
    story = kari.ok("GET", f"{path}/segments/{loans}/history")
    assert story["size"] == 12
    assert story["steps"][-1]["came"] == {"rule": 10, "hand": 2}
    assert [(one["deed"], one["author"]) for one in story["deeds"]] == [
        ("created", "a manager"), ("held", "a manager"),
    ]  # fmt: skip
    assert story["deeds"][1]["detail"]["what"] == "Job: retired"
    held = kari.ok("GET", f"{path}/holds", params={"segment": loans})["items"]
    assert sorted(one["by_rule"] for one in held) == ["Unsegmented"] * 2 + ["With a loan"] * 2
    assert {(one["reason"], one["expires_at"]) for one in held} == {("campaign", "2026-03-03T12:00:00Z")}
    (action,) = kari.ok("GET", f"{path}/bulk-actions")["items"]
    assert (action["id"], action["done"], action["changed"], action["kind"]) == (done["id"], 4, 2, "hold")
    assert kari.ok("GET", f"{path}/bulk-actions?unfinished=true")["items"] == []


@pytest.mark.parametrize(
    ("expected", "tolerance", "refused"),
    [
        (4, 0, False), (5, 0, True), (5, 1, False), (2, 1, True), (5, "20%", False), (6, "20%", True),
        (0, "99%", True),
    ],
)  # fmt: skip
def test_a_selection_that_has_moved_is_refused_with_its_new_count(
    kari: Caller, spring: int, loans: int, expected: int, tolerance: int | str, refused: bool
) -> None:
    path, before = f"/assignments/{spring}/selection/move", sizes(kari, spring)
    asked = {
        "filters": {"job": ["retired"]}, "segment_id": loans, "expected": expected, "tolerance": tolerance,
        "reason": "x",
    }  # fmt: skip
    if not refused:
        assert kari.ok("POST", path, json=asked)["customers"] == 4
        return
    problem = kari.refused(409, "POST", path, json=asked)
    assert (problem["count"], problem["expected"]) == (4, expected)
    assert sizes(kari, spring) == before
    assert kari.ok("GET", f"/assignments/{spring}/holds")["items"] == []


def test_a_selection_becomes_a_standing_rule_or_a_segment_of_its_own(
    kari: Caller, world: World, spring: int, loans: int
) -> None:
    path, filters = f"/assignments/{spring}/selection", {"job": ["retired"]}
    rule = kari.ok("POST", f"{path}/rule", json={"filters": filters})
    assert rule == {"when": {"f": "job", "op": "eq", "v": "retired"}, "text": "job = retired"}
    by_rule = {"filters": filters, "name": "Pensioners", "how": "rule", "expected": 4, "before": loans}
    made = kari.ok("POST", f"{path}/segment", 201, json=by_rule)
    assert (made["version"], made["key"], made["done"]) == (2, "pensioners", None)
    rebuild(world)
    assert sizes(kari, spring) == {"pensioners": 4, "with-a-loan": 8, "unsegmented": 8}
    of_state = {"filters": {"state": ["ready"]}, "name": "Now", "how": "hold", "expected": 20}
    kari.refused(422, "POST", f"{path}/segment", json=of_state)  # without a reason
    held = kari.ok("POST", f"{path}/segment", 201, json={**of_state, "reason": "all hands"})
    assert (held["key"], held["done"]["changed"]) == ("now", 20)
    rebuild(world)
    assert sizes(kari, spring) == {"pensioners": 0, "with-a-loan": 0, "now": 20, "unsegmented": 0}
    problem = kari.refused(422, "POST", f"{path}/rule", json={"filters": {"state": ["ready"]}})
    assert "no rule can ask for state" in problem["detail"]
    kari.refused(409, "POST", f"{path}/segment", json={**by_rule, "name": "Again", "expected": 9})


def test_a_standing_rule_says_how_many_really_come_into_it(
    kari: Caller, world: World, spring: int, loans: int
) -> None:
    """First unless it is said otherwise, as on the page; earlier segments and holds keep their customers.

    Planted: last by default; seen to fail.
    """
    path = f"/assignments/{spring}/selection"
    hold = {
        "filters": {"job": ["retired"], "loan": [False]},
        "segment_id": loans,
        "expected": 2,
        "reason": "x",
    }
    kari.ok("POST", f"{path}/move", json=hold)
    rule = {"filters": {"job": ["retired"]}, "name": "Pensioners", "how": "rule", "expected": 4}
    made = kari.ok("POST", f"{path}/segment", 201, json=rule)
    assert (made["selected"], made["comes"]) == (4, 2)  # two are held elsewhere
    last = kari.ok("POST", f"{path}/segment", 201, json={**rule, "name": "Again", "place": "last"})
    assert (last["selected"], last["comes"]) == (4, 0)
    rebuild(world)
    assert sizes(kari, spring) == {"pensioners": 2, "with-a-loan": 10, "again": 0, "unsegmented": 8}
    kari.refused(422, "POST", f"{path}/segment", json={**rule, "place": "middle"})
    both = {**rule, "name": "Both", "before": loans, "place": "last"}
    assert "one of the two" in kari.refused(422, "POST", f"{path}/segment", json=both)["detail"]


def test_a_broken_rule_keeps_nobody_from_seeing_who_comes(
    kari: Caller, world: World, spring: int, loans: int
) -> None:
    """Seen to fail: 422 for a preview of what could be published, and a segment of nobody knows how many."""
    with world.work() as work:
        work.run(text("update field set type = 'text' where key = 'loan'"))
    path = f"/assignments/{spring}"
    rule = {"filters": {"job": ["retired"]}, "name": "Pensioners", "how": "rule", "expected": 4}
    made = kari.ok("POST", f"{path}/selection/segment", 201, json=rule)
    assert (made["selected"], made["comes"]) == (4, 4)
    rules = kari.ok("GET", f"{path}/rules")
    seen = kari.ok("POST", f"{path}/rules/preview", json={"segments": rules["segments"]})
    after = {one["key"]: one["after"] for one in seen["segments"]}
    rebuild(world)
    assert sizes(kari, spring) == after == {"pensioners": 4, "with-a-loan": 8, "unsegmented": 8}


def test_segments_are_renamed_ordered_deleted(kari: Caller, world: World, spring: int, loans: int) -> None:
    path = f"/assignments/{spring}/segments"
    ours = kari.ok("POST", path, 201, json={"name": "By hand", "before": loans})["segment_id"]
    assert kari.ok("PATCH", f"{path}/{loans}", json={"name": "Loans"}) == {"version": 3}
    assert kari.ok("PUT", f"{path}/order", json={"segments": [loans, ours]}) == {"version": 4}
    items = kari.ok("GET", path)["items"]
    assert [(one["id"], one["name"]) for one in items][:2] == [(loans, "Loans"), (ours, "By hand")]
    assert kari.ok("DELETE", f"{path}/{loans}") == {"version": 5}
    rebuild(world)
    assert sizes(kari, spring) == {"by-hand": 0, "unsegmented": 20}
    (gone,) = kari.ok("GET", f"{path}/deleted")["items"]
    assert (gone["id"], gone["key"], gone["name"], gone["size"]) == (loans, "with-a-loan", "Loans", 0)
    assert kari.ok("GET", f"{path}/{loans}/history")["deeds"][-1]["deed"] == "deleted"
    kari.refused(404, "DELETE", f"{path}/{loans}")
    kari.refused(404, "PATCH", f"{path}/{loans}", json={"name": "x"})
    kari.refused(422, "PUT", f"{path}/order", json={"segments": []})
    kari.refused(422, "POST", path, json={"name": "By hand", "key": "by-hand"})
    bad = {"name": "Bad", "when": {"f": "shoe", "op": "eq", "v": 1}}
    assert kari.refused(422, "POST", path, json=bad)["type"].endswith(":bad-rule")
    wrong = {"name": "Bad", "when": {"f": "job", "op": "eq", "v": "nul\x00"}}
    kari.refused(422, "POST", path, json=wrong)


def test_unsegmented_keeps_its_name_and_its_place(
    kari: Caller, world: World, spring: int, loans: int
) -> None:
    """It is listed, so nobody is told that it is not there; and nobody else is called so."""
    path, free = f"/assignments/{spring}/segments", world.unsegmented(spring)
    renamed = kari.refused(422, "PATCH", f"{path}/{free}", json={"name": "Rest"})
    assert "Unsegmented keeps its name" in renamed["detail"]
    assert "Unsegmented cannot be deleted" in kari.refused(422, "DELETE", f"{path}/{free}")["detail"]
    for name in ("Unsegmented", "unsegmented"):
        problem = kari.refused(422, "PATCH", f"{path}/{loans}", json={"name": name})
        assert "whoever matches no rule" in problem["detail"], problem
        kari.refused(422, "POST", path, json={"name": name, "when": None})
    last = kari.ok("POST", path, 201, json={"name": "Last", "before": free})
    items = kari.ok("GET", path)["items"]
    assert [one["key"] for one in items] == ["with-a-loan", last["key"], "unsegmented"]
    problem = kari.refused(422, "PUT", f"{path}/order", json={"segments": [last["segment_id"], loans, free]})
    assert "Unsegmented is always last" in problem["detail"]


def test_all_back_to_free_then_ready_then_let_go(kari: Caller, world: World, spring: int, loans: int) -> None:
    path = f"/assignments/{spring}/segments"
    with world.work() as work:
        rest = """update placement set state = 'resting', due_at = :now + interval '1 hour'
                   where customer_id in (select customer_id from placement where segment_id = :s limit 3)"""
        work.run(text(rest), s=loans)
    assert kari.ok("GET", f"{path}/{loans}/affected") == {"customers": 10, "resting": 3, "held": 0}
    late = {"expected": 9, "reason": "over"}
    assert kari.refused(409, "POST", f"{path}/{loans}/free", json=late)["count"] == 10
    assert kari.ok("POST", f"{path}/{loans}/free", json={**late, "tolerance": "20%"})["changed"] == 10
    assert sizes(kari, spring) == {"with-a-loan": 0, "unsegmented": 20}
    free = world.unsegmented(spring)
    assert kari.ok("GET", f"{path}/{free}/affected") == {"customers": 20, "resting": 3, "held": 10}
    woken = kari.ok("POST", f"{path}/{free}/wake", json={"expected": 3, "reason": "again"})
    assert woken["changed"] == 3
    asked = {"filters": {"state": ["resting"]}, "expected": 0, "reason": "x"}
    assert kari.ok("POST", f"/assignments/{spring}/selection/wake", json=asked)["changed"] == 0
    (one, *_) = kari.ok("GET", f"/assignments/{spring}/holds?limit=3")["items"]
    let_go = {"customers": [one["customer_id"]]}
    assert kari.ok("POST", f"/assignments/{spring}/holds/release", json=let_go) == {"moved": 1}
    assert (
        kari.ok("POST", f"{path}/{free}/release", json={"expected": 9, "reason": "rules again"})["changed"]
        == 9
    )
    assert sizes(kari, spring) == {"with-a-loan": 10, "unsegmented": 10}
    deeds = kari.ok("GET", f"{path}/{free}/deeds?limit=2")
    rest_of = kari.ok("GET", f"{path}/{free}/deeds", params={"cursor": deeds["next"]})
    told = [deed["deed"] for deed in [*deeds["items"], *rest_of["items"]]]
    assert told == ["held", "woken", "woken", "released", "released"]
    kari.refused(422, "POST", f"{path}/{free}/free", json={"expected": 10, "reason": "x"})


def test_holds_come_page_by_page(kari: Caller, spring: int, loans: int) -> None:
    move = {"filters": {}, "segment_id": loans, "expected": 20, "reason": "x"}
    kari.ok("POST", f"/assignments/{spring}/selection/move", json=move)
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        page = kari.ok("GET", f"/assignments/{spring}/holds", params=params)
        seen += [one["customer_id"] for one in page["items"]]
        cursor = page["next"]
    assert (seen, len(seen)) == (sorted(set(seen)), 20)


def test_the_portrait_has_names(api: Api, kari: Caller, world: World, spring: int, loans: int) -> None:
    ana = api.seller(world.seller(spring))
    lease = ana.ok("POST", "/me/next")["lease_id"]
    ana.ok("POST", f"/leases/{lease}/outcome", json={"outcome": "sale"})
    found = kari.ok("GET", f"/assignments/{spring}/segments/{loans}/portrait")
    assert (found["size"], found["assignment"]) == (10, 20)
    assert {one["name"] for one in found["numbers"]} == {"Age"}
    (age,) = found["numbers"]
    assert (age["known"], age["mean"], age["median"], age["mean_of_all"]) == (10, 29.0, 29.0, 29.5)
    assert found["worked"]["attempts"] in (0, 1)
    kari.refused(404, "GET", f"/assignments/{spring}/segments/999999/portrait")
    kari.refused(404, "GET", f"/assignments/{world.assignment()}/segments/{loans}/history")
    too_many = {"since": "2024-01-01T00:00:00Z", "step_minutes": 1}
    kari.refused(422, "GET", f"/assignments/{spring}/segments/{loans}/history", params=too_many)


@pytest.mark.parametrize(
    "wrong",
    [
        {"expected": -1}, {"expected": "4"}, {"tolerance": -1}, {"tolerance": "2"}, {"tolerance": "101%"},
        {"tolerance": True}, {"reason": "  "}, {"expires_at": "2026-03-01T12:00:00Z"}, {"segment_id": 0},
        {"expires_at": "2036-04-02T12:00:00Z"},
        {"filters": None}, {"filter": {}}, {"filters": {"job": "student"}},
    ],
)  # fmt: skip
def test_a_move_that_is_wrong_is_told(kari: Caller, spring: int, loans: int, wrong: dict[str, Any]) -> None:
    asked = {"filters": {}, "segment_id": loans, "expected": 20, "reason": "x"} | wrong
    kari.refused(422, "POST", f"/assignments/{spring}/selection/move", json=asked)
    assert kari.ok("GET", f"/assignments/{spring}/holds")["items"] == []
    gone = {"filters": {}, "segment_id": 999_999, "expected": 20, "reason": "x"}
    kari.refused(404, "POST", f"/assignments/{spring}/selection/move", json=gone)


def test_a_paused_segment_is_deleted_with_its_pause(
    kari: Caller, world: World, spring: int, loans: int
) -> None:
    """Nothing of it stands on in GET /pauses, and what is brought back is worked at once."""
    path = f"/assignments/{spring}/segments"
    stop = {"scope": "segment", "target_id": loans, "reason": "wrong script"}
    pause = kari.ok("POST", "/pauses", 201, json=stop)["id"]
    kari.ok("DELETE", f"{path}/{loans}")
    assert kari.ok("GET", "/pauses")["items"] == []
    assert kari.ok("DELETE", f"/pauses/{pause}") == {"lifted": 0}
    refused = kari.refused(404, "POST", "/pauses", json=stop)
    assert refused["detail"] == f"there is no segment {loans}: it was deleted"
    *_, deleted, ended = kari.ok("GET", f"{path}/{loans}/deeds")["items"]
    assert (deleted["deed"], deleted["author"]) == ("deleted", "a manager")
    assert (ended["deed"], ended["author"]) == ("resumed", "a manager")
    assert ended["detail"] == {"reason": "wrong script", "deleted": True}
    kari.ok("POST", f"/assignments/{spring}/rules/versions/1/roll-back")
    rebuild(world)
    (back,) = (one for one in kari.ok("GET", path)["items"] if one["id"] == loans)
    assert (back["size"], back["free"], back["paused"]) == (10, 10, False)
