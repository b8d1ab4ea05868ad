"""`ringeliste fields` and `ringeliste tags`, as their users meet them."""

from pathlib import Path

import pytest
from shell import Shell
from sqlalchemy import text
from world import World

from calling.segments.publishing import publish

pytestmark = pytest.mark.once


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(world, monkeypatch)


def test_a_field_from_its_first_day_to_its_last(shell: Shell) -> None:
    said = shell.ok(
        "fields", "add", "policy", "text", "--label", "Policy no.", "--unique", "--pattern", "[A-Z]+"
    )
    assert said.out == "The field policy is added.\n"
    shell.ok("fields", "add", "size", "choice", "--choice", "small", "--choice", "large", "--position", "1")
    listed = shell.ok("fields", "list").out.splitlines()
    assert [line.split()[0] for line in listed] == ["key", "size", "policy"]
    assert "unique, matches [A-Z]+" in listed[2]
    assert "one of small, large" in listed[1]
    (size, policy) = shell.ok("fields", "list", "--json").document
    assert (size["choices"], policy["unique"], policy["label"]) == (["small", "large"], True, "Policy no.")
    shell.ok("fields", "change", "policy", "--any-text", "--shared", "--required", "--label", "Policy")
    shell.ok("fields", "change", "size", "--any-choice", "--position", "2")
    (policy, size) = shell.ok("fields", "list", "--json").document
    assert (policy["pattern"], policy["unique"], policy["required"]) == (None, False, True)
    assert size["choices"] == []
    assert "No rule in force asks it." in shell.ok("fields", "retire", "policy", "--author", "Kari").out
    assert [one["key"] for one in shell.ok("fields", "list", "--json").document] == ["size"]
    retired = shell.ok("fields", "list", "--retired").out
    assert "retired by Kari on 2026-03-02" in retired
    assert shell.ok("fields", "revive", "policy").out == "The field policy is in use again.\n"


def test_what_breaks_a_demand_is_told_before_and_after(shell: Shell) -> None:
    shell.ok("fields", "add", "policy", "text")
    shell.world.customers(3, fields=lambda i: {} if i == 0 else {"policy": f"x{i}"})
    before = shell.everything()
    said = shell.ok("fields", "change", "policy", "--required", "--pattern", "[A-Z]+", "--dry-run").out
    assert "would change" in said
    assert "1 customer without a value, such as " in said
    assert "2 customers with a text that does not match, such as 'x1' of " in said
    assert "what is written from now on" in said
    assert shell.everything() == before
    done = shell.ok("fields", "change", "policy", "--required", "--json").document
    assert (done["dry_run"], done["broken"][0]["customers"]) == (False, 1)


def test_what_cannot_be_unique_is_refused_with_exit_code_1(shell: Shell) -> None:
    shell.ok("fields", "add", "policy", "text")
    shell.world.customers(2, fields=lambda _: {"policy": "A1"})
    tried = shell.ok("fields", "change", "policy", "--unique", "--dry-run").out
    assert "2 customers who share a value with another, such as 'A1' of" in tried
    assert "They have to get other values first." in tried
    said = shell.run("fields", "change", "policy", "--unique")
    assert (said.code, '2 customers share a value with another, such as "A1"' in said.err) == (1, True)


def test_every_mistake_stands_on_its_line(shell: Shell) -> None:
    said = shell.run("fields", "add", "Tags", "nummer", "--pattern", "a**")
    assert said.code == 2
    assert [line.split(":")[1].strip() for line in said.err.splitlines()] == [
        "key",
        "type",
        "pattern",
        "pattern",
    ]
    shell.ok("fields", "add", "age", "number")
    assert "did you mean" in shell.run("fields", "retire", "aeg").err
    for wrong in ((), ("--any-text", "--pattern", "a"), ("--any-choice", "--choice", "a")):
        assert shell.run("fields", "change", "age", *wrong).code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("fields", "add", "size", "choice", "--choice", "small"),
        ("fields", "add", "size", "text", "--unique", "--position", "1"),
        ("fields", "change", "age", "--label", "Years", "--position", "2"),
        ("fields", "retire", "age"),
        ("fields", "revive", "gone"),
        ("tags", "add", "vip", "--customer", "{customer}"),
        ("tags", "remove", "old", "--customer", "{customer}"),
    ],
)
def test_a_dry_run_changes_nothing(shell: Shell, words: tuple[str, ...]) -> None:
    """Planted: the door of every day instead of the one that is rolled back; seen to fail."""
    for key in ("age", "gone"):
        shell.ok("fields", "add", key, "number", "--unique")
    shell.ok("fields", "retire", "gone")
    (one,) = shell.world.customers(1)
    with shell.world.work() as work:
        known = work.run(text("select external_id from customer where id = :id"), id=one).scalar_one()
    shell.ok("tags", "add", "old", "--customer", known)
    before = shell.everything()
    shell.ok(*(word.replace("{customer}", known) for word in words), "--dry-run")
    assert shell.everything() == before


def test_retiring_names_the_rules_that_go_on_asking(shell: Shell) -> None:
    shell.ok("fields", "add", "age", "number")
    assignment = shell.world.assignment("Spring")
    old = {"key": "old", "name": "Old", "when": {"f": "age", "op": "ge", "v": 60}}
    publish(shell.world.opener(), assignment, {"segments": [old]}, author="me")
    said = shell.ok("fields", "retire", "age").out
    assert "until they are published again" in said
    assert said.splitlines()[-1].split() == ["Spring", "segment", "old", "Old"]


def test_tags_are_given_listed_and_taken(shell: Shell, tmp_path: Path) -> None:
    assert "No tags yet" in shell.ok("tags", "list").out
    ids = shell.world.customers(3)
    with shell.world.work() as work:
        known = list(work.run(text("select external_id from customer order by id")).scalars())
    assert len(known) == len(ids)
    file = tmp_path / "ids.txt"
    file.write_text("\n".join([*known, "", f" {known[0]} "]) + "\n", encoding="utf-8")
    said = shell.ok("tags", "add", "VIP", "late", "--customers", str(file), "--author", "Kari").out
    assert said == "6 tags given, 3 customers changed.\n"
    again = shell.ok("tags", "add", "vip", "--customer", known[0], "--json").document
    assert (again["marks"], again["customers"], again["dry_run"]) == (0, 0, False)
    assert shell.ok("tags", "list", "--json").document == [
        {"tag": "late", "customers": 3}, {"tag": "vip", "customers": 3},
    ]  # fmt: skip
    assert (
        shell.ok("tags", "remove", "vip", "--customer", known[1]).out == "1 tag taken, 1 customer changed.\n"
    )
    (late, vip) = shell.ok("tags", "list", "--customer", known[0], "--json").document
    assert (late["tag"], vip["source"], vip["author"]) == ("late", "hand", "Kari")
    assert "given by" in shell.ok("tags", "list", "--customer", known[0]).out


def test_nobody_is_forgotten_in_silence(shell: Shell, tmp_path: Path) -> None:
    (one,) = shell.world.customers(1)
    with shell.world.work() as work:
        known = work.run(text("select external_id from customer where id = :id"), id=one).scalar_one()
    said = shell.run("tags", "add", "vip", "--customer", known, *(f"--customer=no{i}" for i in range(7)))
    assert said.code == 2
    assert "no0, no1, no2, no3, no4 and 2 more; nothing was done" in said.err
    assert shell.run("tags", "add", "vip").code == 2
    assert shell.run("tags", "add", "vip", "--customers", str(tmp_path / "none")).code == 2
    assert 'write "gold-customer"' in shell.run("tags", "add", "gold customer", "--customer", known).err
    assert shell.ok("tags", "list", "--json").document == []
