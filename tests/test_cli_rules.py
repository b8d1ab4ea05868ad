"""Rules on the command line: text and JSON, checked, translated, published; a caret under each mistake."""

import json
from pathlib import Path

import pytest
from shell import Shell
from sqlalchemy import text
from world import World

pytestmark = pytest.mark.once

TEXT = """\
segment old "Old ones": age >= 60 and not vip

segment rest: everybody
"""
BODY = {
    "language": 2,
    "segments": [
        {
            "key": "old",
            "name": "Old ones",
            "when": {"all": [{"f": "age", "op": "ge", "v": 60}, {"not": {"f": "vip", "op": "is_true"}}]},
        },
        {"key": "rest", "name": "rest", "when": {"all": []}},
    ],
}


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> Shell:
    world.field("age")
    world.field("vip", "yes_no")
    world.customers(10, world.assignment("Spring"), fields=lambda i: {"age": i * 10})
    return Shell(world, monkeypatch)


def written(tmp_path: Path, text: str, name: str = "rules.txt") -> str:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_rules_published_as_text_are_shown_as_text_and_as_json(shell: Shell, tmp_path: Path) -> None:
    file = written(tmp_path, f"# Who is old\n{TEXT}")
    moves = shell.ok("rules", "publish", file, "--dry-run", "--json").document["moves"]
    assert {move["segment"]: move["after"] for move in moves} == {"old": 4, "rest": 6, "unsegmented": 0}
    assert shell.ok("rules", "publish", file, "--json").document["version"] == 1
    assert shell.ok("rules", "show", "--text").out == TEXT
    assert shell.ok("rules", "show", "--text", "--json").document == {"text": TEXT}
    assert shell.ok("rules", "show").document == BODY


def test_whoever_publishes_is_warned_as_whoever_checks(shell: Shell, tmp_path: Path) -> None:
    """Rules that nobody can come to are put in force, for they may be meant so; but not in silence."""
    file = written(tmp_path, "segment all_of_them: everybody\nsegment old: age >= 60\n")
    told = shell.ok("rules", "check", file, "--json").document["warnings"]
    assert any("segments[1].when" in warning for warning in told)
    for how in (("--dry-run",), ()):
        assert shell.ok("rules", "publish", file, *how, "--json").document["warnings"] == told
    assert "Warning: segments[1].when" in shell.ok("rules", "publish", file).out
    sound = written(tmp_path, "segment old: age >= 60\n")
    assert shell.ok("rules", "publish", sound, "--json").document["warnings"] == []


def test_beside_a_broken_rule_a_name_is_warned_of_once_and_where_it_stands(
    shell: Shell, tmp_path: Path
) -> None:
    """Seen to fail before: publishing died after it was done, at the broken rule's field; and a warning came
    again at each rule that names another."""
    shell.world.field("born", "date")
    shell.world.field("size", "choice", choices=["small", "large"])
    birthday = "segment day: born on today\n"
    shell.ok("rules", "publish", written(tmp_path, birthday))
    with shell.world.work() as work:
        work.run(text("update field set type = 'number' where key = 'born'"))
    body = shell.ok("rules", "show").document
    body["segments"] += [{"key": "tiny", "name": "T", "when": {"f": "size", "op": "eq", "v": "smal"}}]
    body["labels"] = [{"key": "l", "name": "L", "when": {"f": "in_segment", "op": "any", "v": ["tiny"]}}]
    file = written(tmp_path, json.dumps(body))
    for how in (("--dry-run",), ()):
        (warning,) = shell.ok("rules", "publish", file, *how, "--json").document["warnings"]
        assert warning.startswith("segments[1].when: ")
        assert "smal" in warning
    assert shell.ok("rules", "roll-back", "1", "--json").document["version"] == 3


def test_the_content_says_whether_a_file_is_text_or_json(shell: Shell, tmp_path: Path) -> None:
    as_json = written(tmp_path, f"\ufeff\n{json.dumps(BODY)}", "json.txt")
    as_text = written(tmp_path, TEXT, "text.json")
    for file in (as_json, as_text):
        assert shell.ok("rules", "translate", file).out == TEXT
        assert shell.ok("rules", "translate", file, "--json").document == {
            "rules": BODY,
            "text": TEXT,
            "notes": [],
        }


def test_rules_of_a_field_that_is_gone_are_still_shown(shell: Shell, tmp_path: Path) -> None:
    shell.ok("rules", "publish", written(tmp_path, TEXT))
    with shell.world.work() as work:
        work.run(text("update field set retired_at = :now where crm_id = :crm_id"))
    assert shell.ok("rules", "show", "--text").out == TEXT


def test_every_mistake_is_shown_with_its_line_and_a_caret(shell: Shell, tmp_path: Path) -> None:
    file = written(
        tmp_path, "segment a: agee >= 60\n\tand attempts > x\nsegment b: vip adn vip\nsegment c: (vip\n"
    )
    for command in ("check", "publish", "translate"):
        said = shell.run("rules", command, file)
        assert (said.code, said.out) == (2, "")
        assert [line.removeprefix("ringeliste: ") for line in said.err.splitlines()] == [
            'line 1, column 12: "agee" is not a field - did you mean "age"?',
            "  segment a: agee >= 60",
            "             ^^^^",
            'line 2, column 17: attempts is a number; "x" is not',
            "  \tand attempts > x",
            "  \t               ^",
            'line 3, column 16: "adn" is not known here - did you mean "and"?',
            "  segment b: vip adn vip",
            "                 ^^^",
            'line 4, column 16: the rule ends here; ")" is wanted',
            "  segment c: (vip",
            "                 ^",
        ]


def test_check_tells_programs_where_each_mistake_is(shell: Shell, tmp_path: Path) -> None:
    said = shell.run("rules", "check", written(tmp_path, "segment a: agee >= 60"), "--json")
    message = '"agee" is not a field - did you mean "age"?'
    problem = {"path": "segments[0].when.f", "message": message, "line": 1, "column": 12, "piece": "agee"}
    assert (said.code, said.document) == (2, {"ok": False, "problems": [problem], "warnings": []})
    body = {"segments": [{"key": "a", "when": {"f": "agee", "op": "ge", "v": 60}}]}
    said = shell.run("rules", "check", written(tmp_path, json.dumps(body)), "--json")
    (found,) = said.document["problems"]
    assert (said.code, found) == (2, problem | {"line": None, "column": None, "piece": None})


def test_check_says_that_all_is_well(shell: Shell, tmp_path: Path) -> None:
    file = written(tmp_path, "segment old: age >= 60\nlabel vip: vip")
    assert shell.ok("rules", "check", file, "--json").document == {
        "ok": True, "problems": [], "warnings": [], "segments": 1, "labels": 1,
    }  # fmt: skip
    assert shell.ok("rules", "check", file).out == "No mistakes: 1 segments, 1 labels.\n"


def test_check_warns_of_what_is_hardly_meant(shell: Shell, tmp_path: Path) -> None:
    file = written(tmp_path, "segment old: age >= 60\nsegment older: age >= 70")
    (warning,) = shell.ok("rules", "check", file, "--json").document["warnings"]
    assert warning.startswith("segments[1].when: nobody reaches this segment")
    assert shell.ok("rules", "check", file).out.splitlines()[1] == f"Warning: {warning}"


def test_an_sql_predicate_is_translated(shell: Shell) -> None:
    sql = ["rules", "translate", "--sql", "age <> 60 and email like '%@example.com'"]
    text = 'age != 60 and age is not empty and email ends with "@example.com"\n'
    assert shell.ok(*sql).out.splitlines()[-1] == text.strip()
    assert shell.ok(*sql).out.startswith("# LIKE is read as ILIKE")
    document = shell.ok(*sql, "--json").document
    assert (document["text"], len(document["notes"])) == (text, 1)
    assert document["when"]["all"][0] == {"f": "age", "op": "ne", "v": 60}


def test_sql_may_stand_in_a_file_of_rules(shell: Shell, tmp_path: Path) -> None:
    body = {"segments": [{"key": "a", "when": {"sql": "age >= 60"}}]}
    shell.ok("rules", "publish", written(tmp_path, json.dumps(body)))
    assert "age >= 60" in shell.ok("rules", "show", "--text").out
    body["segments"][0]["when"] = {"sql": "agee >= 60"}
    said = shell.run("rules", "check", written(tmp_path, json.dumps(body)), "--json")
    (found,) = said.document["problems"]
    assert (said.code, found["path"], found["column"]) == (2, "segments[0].when.sql", 1)
    said = shell.run("rules", "publish", written(tmp_path, json.dumps(body)))
    assert 'segments[0].when.sql: "agee" is not a field' in said.err


def test_one_rule_is_translated(shell: Shell) -> None:
    document = shell.ok("rules", "translate", "--text", "vip is true AND (age > 2)", "--json").document
    assert document["text"] == "vip and age > 2\n"
    assert document["when"]["all"][1] == {"f": "age", "op": "gt", "v": 2}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--sql", "age = (select 1)"], "a query within the predicate"),
        (["--sql", "pg_sleep(10)"], "the function pg_sleep is not taken"),
        (["--text", "age >"], "a value is wanted"),
        ([], "one of the three"),
        (["--text", "vip", "--sql", "vip"], "one of the three"),
        (["missing.txt"], "no such file"),
    ],
    ids=str,
)
def test_what_cannot_be_translated_says_why(shell: Shell, words: list[str], said: str) -> None:
    answer = shell.run("rules", "translate", *words)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


def test_a_file_that_is_no_utf_8_says_so(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("segment a: name = Bjørn".encode("latin-1"))
    said = shell.run("rules", "check", str(tmp_path / "latin.txt"))
    assert said.code == 2
    assert "not UTF-8" in said.err
