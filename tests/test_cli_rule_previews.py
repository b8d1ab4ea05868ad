"""Drafts and explanations on the command line: tables for people, one document for programs, exit codes."""

from pathlib import Path

import pytest
from shell import Shell
from sqlalchemy import text
from world import World

from calling.segments.holding import hold
from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild

pytestmark = pytest.mark.once

IN_FORCE = {"segments": [{"key": "old", "name": "Old [b]", "when": {"f": "age", "op": "ge", "v": 60}}]}
DRAFT = """\
segment young "Young": age < 30
segment fresh "Fresh": entered within last 2 days and (age >= 80 or label any (vip))
label vip "VIP": vip
"""


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Ten customers aged 0, 10, .. 90, the last one a VIP; in force is that those from 60 on are old."""
    world.field("age")
    world.field("vip", "yes_no")
    assignment = world.assignment("Spring")
    world.customers(10, assignment, fields=lambda i: {"age": i * 10, "vip": i == 9})
    publish(world.opener(), assignment, IN_FORCE, author="me")
    for one in rebuilds_to_do(world.opener()):
        run_rebuild(world.opener(), one)
    return Shell(world, monkeypatch)


@pytest.fixture
def draft(tmp_path: Path) -> str:
    file = tmp_path / "rules.txt"
    file.write_text(DRAFT, encoding="utf-8")
    return str(file)


def external_ids(shell: Shell) -> list[str]:
    with shell.world.work() as work:
        return list(work.run(text("select external_id from customer order by id")).scalars())


def test_a_preview_is_told_to_programs(shell: Shell, draft: str) -> None:
    before = shell.everything()
    seen = shell.ok("rules", "preview", draft, "--json").document
    assert (seen["base"], seen["customers"], seen["move"], seen["stay"]) == (1, 10, 7, 3)
    moves = {(one["from_key"], one["to_key"]): one for one in seen["cells"]}
    assert {where: one["size"] for where, one in moves.items()} == {
        ("unsegmented", "young"): 3, ("old", "fresh"): 2, ("old", "unsegmented"): 2,
        ("unsegmented", "unsegmented"): 3,
    }  # fmt: skip
    assert sorted(moves["old", "fresh"]["sample"]) == sorted(external_ids(shell)[8:])
    assert [(one["key"], one["given"]) for one in seen["labels"]] == [("vip", 1)]
    assert seen["warnings"] == ["rules: 7 of 10 customers change their segment: 70%"]
    assert shell.everything() == before


def test_a_preview_is_drawn_for_people(shell: Shell, draft: str) -> None:
    out = shell.ok("rules", "preview", draft).out
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == "10 customers: 3 stay, 7 move (70.0%)"
    assert "Young 0 3 3 0 new" in lines
    assert "Old [b] 4 0 0 4 goes" in lines
    assert "young fresh unsegmented" in lines
    assert "unsegmented 3 · 3" in lines
    assert "old · 2 2" in lines
    assert f"unsegmented young 3 {', '.join(sample(shell, draft))}" in lines
    assert "VIP 0 1 1 0" in lines
    assert "Warning: rules: 7 of 10 customers change their segment: 70%" in lines


def sample(shell: Shell, draft: str) -> list[str]:
    cells = shell.ok("rules", "preview", draft, "--json").document["cells"]
    found: list[str] = next(one["sample"] for one in cells if one["to_key"] == "young")
    return found


def test_a_matrix_that_does_not_fit_is_left_out(
    shell: Shell, draft: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    out = shell.ok("rules", "preview", draft).out
    assert "from (down)" not in out
    assert "who moves" in out


def test_strict_warnings_have_an_exit_code(shell: Shell, draft: str) -> None:
    assert shell.run("rules", "preview", draft, "--strict").code == 1
    assert shell.run("rules", "preview", draft, "--strict", "--warn-above", "70").code == 0
    assert shell.run("rules", "preview", draft, "--warn-above", "101").code == 2


def test_mistakes_are_shown_as_everywhere(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "wrong.txt"
    file.write_text("segment a: agee >= 60", encoding="utf-8")
    said = shell.run("rules", "preview", str(file))
    assert (said.code, said.out) == (2, "")
    assert 'line 1, column 12: "agee" is not a field - did you mean "age"?' in said.err


def test_holds_are_told(shell: Shell, draft: str) -> None:
    where = text("""
        select min(customer_id) as first, max(customer_id) as last, min(p.assignment_id) as assignment,
               max(s.id) filter (where s.key = 'old') as old,
               max(s.id) filter (where s.key = 'unsegmented') as rest
          from placement p join segment s on s.assignment_id = p.assignment_id
    """)
    with shell.world.work() as work:
        row = work.run(where).one()
    for customer, segment in ((row.first, row.old), (row.last, row.rest)):
        hold(shell.world.opener(), row.assignment, [customer], segment, author="Ann", reason="why not")
    lines = [" ".join(line.split()) for line in shell.ok("rules", "preview", draft).out.splitlines()]
    assert "1 hold let go: their segment goes." in lines
    assert f"fresh unsegmented 1 {external_ids(shell)[9]}" in lines


def test_a_customer_is_explained_as_a_tree(shell: Shell, draft: str) -> None:
    shell.ok("rules", "publish", draft)
    vip, young = external_ids(shell)[9], external_ids(shell)[0]
    out = shell.ok("rules", "explain", vip).out
    lines = [line.strip("│├└─ ") for line in out.splitlines()]
    assert lines[1].startswith(
        'by rule "Fresh": entered within last 2 days and (age >= 80 or label any (vip));'
    )
    assert "✗ Young" in lines
    assert "✗ age < 30 is 90" in lines
    assert "✓ Fresh until Wed 2026-03-04 12:00 UTC" in lines
    assert (
        "✓ entered within last 2 days is Mon 2026-03-02 12:00 UTC, now until Wed 2026-03-04 12:00 UTC"
        in lines
    )
    assert "✓ label any (vip)" in lines
    assert "✓ label vip" in lines
    assert "✓ vip is yes" in lines
    assert "· Fresh: not reached" in shell.ok("rules", "explain", young).out
    assert "✗ Fresh (not reached)" in shell.ok("rules", "explain", young, "--all").out


def test_an_explanation_is_told_to_programs_and_in_one_line(shell: Shell) -> None:
    old = external_ids(shell)[9]
    said = shell.ok("rules", "explain", old, "--json").document
    assert (said["segment"], said["why"]) == ("Old [b]", "by its rule: age >= 60")
    assert said["segments"][0]["reason"]["value"] == 90
    out = shell.ok("explain", old).out
    assert "by its rule: age >= 60; all of it: `ringeliste rules explain`" in out
    assert shell.ok("explain", old, "--json").document["segment_why"] == said["why"]
    assert "Old [b]" in shell.ok("rules", "explain", old).out


def test_what_if_by_facts_and_by_other_rules(shell: Shell, draft: str) -> None:
    first = external_ids(shell)[0]

    def told(*more: str) -> str:
        return str(shell.ok("rules", "explain", first, *more, "--json").document["rule_key"])

    assert told() == "unsegmented"
    assert told("--if", "age=61.5") == "old"
    assert told("--draft", draft) == "young"
    assert told("--draft", draft, "--if", "age=40", "--if", "vip=yes") == "fresh"
    assert told("--draft", draft, "--if", "age=", "--if", "vip=no") == "unsegmented"
    wrong = shell.run("rules", "explain", first, "--if", "agee=4", "--if", "vip=maybe", "--if", "tags=a,b")
    assert wrong.code == 2
    assert 'agee: "agee" is not a field - did you mean "age"?' in wrong.err
    assert 'vip: "maybe" is not a yes or no' in wrong.err
    assert shell.run("rules", "explain", first, "--if", "age").code == 2
    assert shell.run("rules", "explain", "nobody").code == 1
