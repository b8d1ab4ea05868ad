"""Segments, bars and portraits from the command line."""

from typing import Any

import pytest
from shell import Shell
from sqlalchemy import text
from world import World

from calling.handout.hand_out import next_customer
from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild

pytestmark = pytest.mark.once

KEPT = "segments in front of it and holds keep"


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(world, monkeypatch)


@pytest.fixture
def spring(shell: Shell) -> int:
    """Forty customers, 20 to 59 years old, every fourth a student, half with a loan; two segments."""
    world = shell.world
    world.field("age", label="Age")
    world.field("job", "choice", label="Job")
    world.field("loan", "yes_no", label="Loan")
    assignment = world.assignment("Spring")

    def fields(i: int) -> dict[str, Any]:
        return {"age": 20 + i, "job": "clerk, retired" if i % 4 else "student", "loan": i < 20}

    world.customers(40, assignment, fields=fields)
    loans = {"key": "loans", "name": "Loans", "when": {"f": "loan", "op": "is_true"}}
    old = {"key": "old", "name": "Old", "when": {"f": "age", "op": "ge", "v": 50}}
    publish(world.opener(), assignment, {"segments": [loans, old]}, author="Kari")
    rebuild(world)
    return assignment


def rebuild(world: World) -> None:
    for key in rebuilds_to_do(world.opener()):
        run_rebuild(world.opener(), key)


def sizes(shell: Shell) -> dict[str, int]:
    return {one["key"]: one["size"] for one in shell.ok("segments", "--json").document}


def test_without_a_command_the_segments_are_listed(shell: Shell, spring: int) -> None:
    assert sizes(shell) == {"loans": 20, "old": 10, "unsegmented": 10}
    assert shell.ok("segments", "list").out == shell.ok("segments").out


def test_segments_are_renamed_ordered_and_deleted(shell: Shell, spring: int) -> None:
    assert shell.ok("segments", "rename", "loans", "With a loan", "--json").document["version"] == 2
    assert "Old" in shell.ok("segments", "reorder", "old", "With a loan").out.title()
    assert [one["name"] for one in shell.ok("segments", "--json").document][:2] == ["Old", "With a loan"]
    before = shell.everything()
    assert "nothing is changed" in shell.ok("segments", "delete", "old", "--dry-run").out
    assert shell.everything() == before
    shell.ok("segments", "delete", "old")
    rebuild(shell.world)
    assert sizes(shell) == {"loans": 20, "unsegmented": 20}
    assert "did you mean loans" in shell.run("segments", "delete", "lones").err
    assert shell.run("segments", "reorder").code == 2


def test_a_selection_is_moved_and_everybody_freed_and_let_go(shell: Shell, spring: int) -> None:
    dry = shell.ok("segments", "free", "loans", "--dry-run", "--json").document
    assert (dry["customers"], dry["changed"], dry["dry_run"]) == (20, 20, True)
    assert sizes(shell)["loans"] == 20
    refused = shell.run("segments", "free", "loans")
    assert (refused.code, "20 customers" in refused.err, "--yes" in refused.err) == (2, True, True)
    late = shell.run("segments", "free", "loans", "--expect", "10")
    assert (late.code, "20 customers instead of 10" in late.err) == (1, True)
    assert "20 customers moved back to free" in shell.ok("segments", "free", "loans", "--yes").out
    assert sizes(shell) == {"loans": 0, "old": 10, "unsegmented": 30}
    moved = shell.ok(
        "segments", "move", "loans", "-w", "job=student", "-w", "age=20..40", "--expect", "6", "--tolerance",
        "20", "--reason", "campaign", "--days", "2", "--json",
    ).document  # fmt: skip
    assert (moved["customers"], moved["changed"]) == (5, 5)
    let_go = shell.ok("segments", "release", "unsegmented", "--expect", "15", "--json").document
    assert (let_go["customers"], let_go["changed"]) == (15, 15)
    assert sizes(shell) == {"loans": 20, "old": 10, "unsegmented": 10}
    assert shell.run("segments", "move", "loans").code == 2


def test_leased_and_held_are_told_by_their_own_names(shell: Shell, spring: int) -> None:
    """Planted: leased ones shown as held; seen to fail."""
    shell.ok("segments", "move", "old", "-w", "age=20..23", "--expect", "3", "--reason", "x")
    assert next_customer(shell.world.opener(), shell.world.seller(spring)) is not None
    shell.ok("pause", "segment", "old", "--reason", "lunch", "--minutes", "60", "--author", "Bo")
    head, *rows = shell.ok("segments").out.splitlines()
    at = {word: head.index(word) + len(word) for word in ("leased", "held", "promised")}

    def figure(row: str, word: str) -> str:
        return row[: at[word]].rsplit(maxsplit=1)[-1]

    assert [figure(rows[-2], word) for word in at] == ["2", "3", "0"], rows  # one taken, one on the list
    assert "Old is paused until Mon 2 Mar 13:00 UTC by Bo: lunch" in rows[-1]
    told = {one["key"]: one for one in shell.ok("segments", "--json").document}
    assert (told["old"]["held"], told["old"]["pause"]["author"], told["loans"]["pause"]) == (3, "Bo", None)


def test_resting_ones_are_woken(shell: Shell, spring: int) -> None:
    with shell.world.work() as work:
        rest = "update placement set state = 'resting', due_at = :now + interval '1 h' where segment_id = 2"
        work.run(text(rest))
    assert "20 customers ready now" in shell.ok("segments", "wake", "loans", "--yes").out
    assert {one["key"]: one["free"] for one in shell.ok("segments", "--json").document}["loans"] == 20


def test_the_history_is_drawn_and_told(shell: Shell, spring: int) -> None:
    shell.ok("segments", "move", "old", "-w", "job=student", "--expect", "10", "--reason", "campaign")
    shown = shell.ok("segments", "history", "old").out
    assert "█" in shown
    assert "by rule" in shown
    assert "by hand" in shown
    assert "moved 10 customers here (Job: student): campaign" in shown
    told = shell.ok("segments", "history", "old", "--hours", "1", "--json").document
    assert (told["size_before"], told["size"], len(told["steps"])) == (0, 18, 61)
    assert [one["deed"] for one in told["deeds"]] == ["created", "held"]


def test_bars_follow_the_filters(shell: Shell, spring: int) -> None:
    shown = shell.ok("facets", "Spring", "-w", "job=student", "--only", "job", "--only", "loan").out
    assert "10 of 40 customers" in shown
    assert "✓ student" in shown
    assert "Age" not in shown
    told = shell.ok(
        "facets", "-w", "age=30..", "-w", 'job="clerk, retired",student', "-w", "loan=yes", "--json"
    )
    document = told.document
    assert document["filters"] == {
        "age": [{"from": 30, "to": None}], "job": ["clerk, retired", "student"], "loan": [True]
    }  # fmt: skip
    assert (document["total"], document["of"]) == (10, 40)
    of_segment = shell.ok("facets", "-w", "segment=loans", "--json").document
    assert of_segment["total"] == 20
    assert shell.ok("facets", "-w", "job=empty", "--json").document["total"] == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["-w", "job"], "DIMENSION=VALUES"), (["-w", "jobb=x"], 'did you mean "job"?'),
        (["-w", "age=old"], "no number"), (["-w", "loan=perhaps"], "neither true nor false"),
        (["--only", "shoes"], "no such dimension"),
    ],
)  # fmt: skip
def test_wrong_filters_are_told(shell: Shell, spring: int, wrong: list[str], said: str) -> None:
    answer = shell.run("facets", *wrong)
    assert (answer.code, said in answer.err) == (2, True), answer.err


def test_the_portrait_is_drawn_and_told(shell: Shell, spring: int) -> None:
    shown = shell.ok("portrait", "old").out
    assert "10 of 40 customers" in shown
    assert "54.5" in shown  # the mean age
    told = shell.ok("portrait", "Old", "--json").document
    assert told["numbers"][0]["mean_of_all"] == 39.5
    assert (told["size"], told["worked"]["attempts"]) == (10, 0)


@pytest.mark.parametrize(
    ("wrong", "bounds"),
    [
        (["pause", "segment", "loans", "--minutes", "99999999999"], "less than or equal to 527040"),
        (
            ["segments", "move", "loans", "-w", "job=student", "--days", "999999999", "--yes"],
            "less than or equal to 3660",
        ),
        (["suppress", "912 345 678", "--days", "999999999"], "less than or equal to 36500"),
    ],
)
def test_an_end_beyond_the_calendar_is_refused_with_its_bounds(
    shell: Shell, spring: int, wrong: list[str], bounds: str
) -> None:
    answer = shell.run(*wrong)
    said = " ".join(answer.err.replace("│", " ").split())  # typer frames it
    assert (answer.code, bounds in said) == (2, True), answer.err
    most = bounds.rsplit(" ", 1)[1]
    shell.ok(*(most if one.isdecimal() and one.startswith("999") else one for one in wrong))


def test_the_history_of_a_deleted_segment_stays_readable(shell: Shell, spring: int) -> None:
    """Planted: looked for among the live ones only; seen to fail."""
    shell.ok("segments", "delete", "old", "--author", "Bo")
    assert "Bo deleted it" in shell.ok("segments", "history", "old").out
    (gone,) = shell.ok("segments", "deleted", "--json").document
    assert (gone["key"], gone["name"], gone["size"]) == ("old", "Old", 10)  # no rebuild yet
    shown = shell.ok("segments", "deleted").out
    assert "Old" in shown
    assert "10" in shown
    shell.ok("segments", "rename", "loans", "Old")
    assert "Old" in shell.ok("segments", "history", "Old").out  # the live one of two
    assert "came in" not in shell.ok("segments", "history", "Old").out
    assert shell.run("segments", "history", "olb").code == 2
    assert shell.run("segments", "rename", "old", "x").code == 0  # by name: the live one


def test_a_segment_is_made_of_a_selection_by_rule_or_by_hold(shell: Shell, spring: int) -> None:
    """By rule it says how many really come; the dry run changes nothing and says the same."""
    students = ("-w", "job=student")
    before = shell.everything()
    dry = shell.ok("segments", "new", "Students", *students, "--dry-run", "--json").document
    assert (dry["selected"], dry["comes"], dry["dry_run"], dry["done"]) == (10, 10, True, None)
    assert shell.everything() == before
    assert "10 customers?" in shell.run("segments", "new", "Students", *students).err
    refused = shell.run("segments", "new", "Students", *students, "--expected", "8", "--tolerance", "10")
    assert (refused.code, "10 customers instead of 8" in refused.err) == (1, True)
    said = shell.ok("segments", "new", "Students", *students, "--expect", "9", "--tolerance", "20", "--last")
    assert "3 of 10 customers come into it" in said.out
    assert "Nobody works yet" in said.out
    rebuild(shell.world)
    assert sizes(shell) == {"loans": 20, "old": 10, "students": 3, "unsegmented": 7}
    for of_holds in (("--days", "5"), ("--reason", "trial")):
        refused = shell.run("segments", "new", "Trial", *students, *of_holds, "--yes")
        assert (refused.code, "are of holds; say --how hold" in refused.err) == (2, True)
    hold = ("--how", "hold", "--reason", "trial", "--days", "2", "--before", "old", "--yes")
    made = shell.ok("segments", "new", "Trial", *students, *hold, "--author", "Bo", "--json").document
    assert (made["key"], made["comes"], made["done"]["customers"]) == ("trial", 10, 10)
    rebuild(shell.world)
    assert list(sizes(shell).items())[:3] == [("loans", 15), ("trial", 10), ("old", 8)]
    held = shell.ok("segments", "holds", "trial", "--most", "3", "--json").document
    assert [(one["by_rule"], one["author"], one["reason"]) for one in held] == [("Loans", "Bo", "trial")] * 3
    shown = shell.ok("segments", "holds", "--most", "3").out
    assert "Wed 2026-03-04 12:00 UTC" in shown
    assert "--most" in shown
    assert "Nobody is held" in shell.ok("segments", "holds", "old").out
    names = [one["external_id"] for one in held[:2]]
    let_go = ("--customer", names[0], "--customer", names[1])
    assert "2 customers moved to where" in shell.ok("segments", "release", *let_go).out
    assert sizes(shell)["trial"] == 8
    assert shell.run("segments", "release").code == 2
    assert shell.run("segments", "new", "X", "--yes").code == 2
    assert (
        "one of the two"
        in shell.run("segments", "new", "X", *students, "--last", "--before", "old", "--yes").err
    )


@pytest.mark.parametrize(
    ("age", "more", "said"),
    [
        ("20..21", ("--how", "hold"), "1 customer is held in it."),
        ("20..22", ("--how", "hold"), "2 customers are held in it."),
        ("20..21", (), "1 customer comes into it."),
        ("20..22", (), "All 2 customers come into it."),
        ("39..41", ("--last",), f"1 of 2 customers comes into it; {KEPT} the other."),
        ("20..21", ("--last",), f"0 of 1 customer comes into it; {KEPT} the other."),
    ],
)
def test_one_customer_is_one(shell: Shell, spring: int, age: str, more: tuple[str, ...], said: str) -> None:
    """Seen to fail: 1 customer are held in it."""
    out = shell.ok("segments", "new", "Few", "-w", f"age={age}", *more, "--yes", "--dry-run").out
    assert said in " ".join(out.split())


def test_a_selection_is_told_as_a_rule_and_woken(shell: Shell, spring: int) -> None:
    assert shell.ok("segments", "rule", "-w", "job=student").out == "job = student\n"
    assert "no rule can ask" in shell.run("segments", "rule", "-w", "state=ready").err
    with shell.world.work() as work:
        rest = "update placement set state = 'resting', due_at = :now + interval '1 h' where segment_id = 2"
        work.run(text(rest))
    woken = shell.ok("segments", "wake", "-w", "job=student", "--expect", "5", "--json").document
    assert (woken["customers"], woken["changed"]) == (5, 5)
    assert shell.run("segments", "wake", "--yes").code == 2
    assert shell.run("segments", "wake", "loans", "-w", "job=student", "--yes").code == 2


def test_a_delete_says_when_nobody_works(shell: Shell, spring: int) -> None:
    """Before, only a roll back said so."""
    assert "Nobody works yet" in shell.ok("segments", "delete", "old").out
    assert "Nobody works yet" not in shell.ok("segments", "rename", "loans", "L").out
