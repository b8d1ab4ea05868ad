"""Import is driven by the catalogue: each bad cell told with line, column, value and reason; and tags."""

from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from interleaving import acting_before
from sqlalchemy import text
from world import NOON, World

from calling.catalogue.changing import add, change
from calling.catalogue.field import Field
from calling.catalogue.reading import all_fields
from calling.catalogue.retiring import retire, revive
from calling.customers.tagging import tag, untag
from calling.intake import staging
from calling.intake.importing import ImportReport, Progress, import_file
from calling.segments.publishing import publish
from models.errors import BadInput
from segmentation.rebuilds import rebuilds_to_do

LATER = NOON + timedelta(hours=1)


def load(world: World, folder: Path, content: str, **options: Any) -> ImportReport:
    path = folder / options.pop("name", "list.csv")
    path.write_text(content, encoding="utf-8")
    return import_file(world.opener(options.pop("now", NOON)), path, region="PT", **options)


def made(world: World, key: str, kind: str = "text", **demands: Any) -> None:
    add(world.opener(), Field(key, kind, demands.pop("label", key), **demands))


def told(report: ImportReport) -> list[tuple[int, str, str, str]]:
    return [(one.line, one.column, one.value, one.reason) for one in report.rejects]


def people(world: World) -> dict[str, dict[str, Any]]:
    with world.work() as work:
        rows = work.run(text("select external_id, fields from customer"))
        return {row.external_id: row.fields for row in rows}


def marks(world: World) -> dict[str, list[tuple[str, str, str]]]:
    """Tags by customer: (tag, source, author)."""
    sql = """select c.external_id, t.tag, t.source, t.author from customer_tag t
               join customer c on c.crm_id = t.crm_id and c.id = t.customer_id
              order by c.external_id, t.tag"""
    found: dict[str, list[tuple[str, str, str]]] = {}
    with world.work() as work:
        for row in work.run(text(sql)):
            found.setdefault(row.external_id, []).append((row.tag, row.source, row.author))
    return found


def test_every_cell_that_breaks_a_demand_is_told(world: World, tmp_path: Path) -> None:
    """Planted: what was refused once and remembered lets the next one through; seen to fail."""
    made(world, "policy", pattern=r"[A-Z]{2}\d{4}")
    made(world, "colour", "choice", choices=("red", "Light blue"))
    made(world, "born", "date", required=True)
    lines = "A,,AB1234,RED,2000-01-01\nB,,ab1,lite blue,\nC,,ab1,light blue,2000-02-30\nD,,,,2000-02-29\n"
    report = load(world, tmp_path, "id,phone,policy,colour,born\n" + lines)
    assert told(report) == [
        (3, "policy", "ab1", r"does not match the pattern [A-Z]{2}\d{4} (text field policy)"),
        (
            3,
            "colour",
            "lite blue",
            'is none of the choices - did you mean "Light blue"? (choice field colour)',
        ),
        (3, "born", "", "is required (date field born)"),
        (4, "policy", "ab1", r"does not match the pattern [A-Z]{2}\d{4} (text field policy)"),
        (4, "born", "2000-02-30", "is no day of the calendar (date field born)"),
    ]
    assert (report.created, report.rejected) == (2, 2)
    assert people(world) == {
        "A": {"policy": "AB1234", "colour": "red", "born": "2000-01-01"}, "D": {"born": "2000-02-29"},
    }  # fmt: skip


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_required_field_without_a_column(world: World, tmp_path: Path, dry_run: bool) -> None:
    """Whoever is known keeps what they have; nobody new comes in without it.

    Planted: known customers refused as well; new ones let in; each seen to fail.
    """
    made(world, "born", "date")
    load(world, tmp_path, "id,phone,born\nA,,2000-01-01\nB,,\n")
    change(world.opener(), "born", {"required": True})
    report = load(world, tmp_path, "id,phone,name\nA,,Ana\nB,,Bea\nN,,New\nM,12,\n", dry_run=dry_run)
    assert told(report) == [
        (4, "", "", "a new customer needs born, and no column gives it"),
        (5, "phone", "12", "too short"),
    ]
    assert (report.created, report.updated, report.rejected) == (0, 2, 2)


def test_a_demand_made_while_a_file_is_imported_holds_for_the_next_file(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(world, "policy")
    before = acting_before(monkeypatch)
    before(staging._COUNTS, lambda: change(world.opener(), "policy", {"required": True}))
    assert load(world, tmp_path, "id,phone,policy\nA,,x\nB,,\n").rejected == 0
    assert load(world, tmp_path, "id,phone,policy\nA,,x\nB,,\n").rejected == 1


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_column_of_a_retired_field_is_refused_by_name(world: World, tmp_path: Path, dry_run: bool) -> None:
    """By its key, by its label, and by a mapping. Planted: not refused; seen to fail."""
    made(world, "policy", label="Policy no.")
    retire(world.opener(), "policy", author="Kari")
    for header, mapping in (("policy", {}), ("Policy no.", {}), ("x", {"x": "policy"})):
        with pytest.raises(BadInput, match=r"retired by Kari on 2026-03-02; revive it"):
            load(world, tmp_path, f"id,phone,{header}\nA,,1\n", mapping=mapping, dry_run=dry_run)
    assert people(world) == {}
    load(world, tmp_path, "id,phone,policy\nA,,1\n", mapping={"policy": "-"})
    revive(world.opener(), "policy")
    load(world, tmp_path, "id,phone,policy\nA,,1\n")
    assert people(world) == {"A": {"policy": "1"}}


def test_a_field_retired_while_a_file_is_imported_takes_the_rest_of_it(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unique until then: what it held is free, and the import goes on to its end."""
    monkeypatch.setattr("calling.intake.parallel.CHUNK", 2)
    made(world, "policy", unique=True)

    def after(progress: Progress) -> None:
        if progress.rows == 2:
            retire(world.opener(), "policy", author="Kari")

    report = load(world, tmp_path, "id,phone,policy\nA,,1\nB,,2\nC,,2\nD,,1\n", progress=after)
    assert (report.created, report.rejected) == (4, 0)
    with world.work() as work:
        assert work.run(text("select count(*) from unique_value")).scalar_one() == 0


def test_a_header_finds_its_field_by_key_and_by_label(world: World, tmp_path: Path) -> None:
    made(world, "balance", "number", label="Saldo (€)")
    load(world, tmp_path, "id,phone,Saldo (€)\nA,,1\n")
    load(world, tmp_path, "id,phone,balance\nA,,2\n")
    assert people(world) == {"A": {"balance": 2}}


def test_a_new_column_gets_no_built_in_key(world: World, tmp_path: Path) -> None:
    """A field called zone would be hidden behind the built-in one of rules. Planted; seen to fail."""
    report = load(world, tmp_path, "id,phone,Zone,Segment,Due\nA,,1,2,3\n")
    assert report.new_fields.keys() == {"own_zone", "own_segment", "own_due"}
    with world.work() as work:
        assert [field.label for field in all_fields(work)] == ["Zone", "Segment", "Due"]


def test_a_field_added_while_running_is_a_column_of_the_next_import(world: World, tmp_path: Path) -> None:
    made(world, "born", "text")
    load(world, tmp_path, "id,phone,born\nA,,2000-01-01\n")
    assert people(world)["A"] == {"born": "2000-01-01"}  # a text, as declared: not told by its cells


# --- tags -----------------------------------------------------------------------------------------


def test_a_column_of_tags_gives_them(world: World, tmp_path: Path) -> None:
    report = load(
        world, tmp_path,
        'id,phone,tags,Etiketter\nA,,VIP; gold,late\nB,,"vip,gold",\nC,,,\nD,,gold customer;ok,\nE,,"a|b",\n',
        author="Kari",
    )  # fmt: skip
    assert marks(world) == {
        "A": [("gold", "import", "Kari"), ("late", "import", "Kari"), ("vip", "import", "Kari")],
        "B": [("gold", "import", "Kari"), ("vip", "import", "Kari")],
        "E": [("a", "import", "Kari"), ("b", "import", "Kari")],
    }
    assert told(report) == [
        (5, "tags", "gold customer",
         'is no tag: letters, digits, - _ and . inside, no spaces; write "gold-customer"')
    ]  # fmt: skip
    assert report.columns["tags"] == report.columns["Etiketter"] == "tags"
    assert people(world) == {"A": {}, "B": {}, "C": {}, "E": {}}


def test_known_customers_gain_tags_and_lose_none(world: World, tmp_path: Path) -> None:
    """The first source and time stay, and the same file again changes nothing.

    Planted: tags not compared, so that a known customer was unchanged; seen to fail.
    """
    load(world, tmp_path, "id,phone\nA,\nB,\n")
    with world.work() as work:
        ids = {row.external_id: row.id for row in work.run(text("select external_id, id from customer"))}
    tag(world.opener(), [ids["A"]], ["vip", "hot"], source="hand", author="Ana")
    content = "id,phone,tags\nA,,vip;late\nB,,\n"
    first = load(world, tmp_path, content, now=LATER)
    again = load(world, tmp_path, content, now=LATER)
    assert (first.updated, first.unchanged) == (1, 1)
    assert (again.updated, again.unchanged) == (0, 2)
    assert marks(world) == {
        "A": [("hot", "hand", "Ana"), ("late", "import", "list.csv"), ("vip", "hand", "Ana")]
    }
    dry = load(world, tmp_path, "id,phone,tags\nA,,vip;new\nB,,x\n", dry_run=True)
    assert dry.updated == 2
    untag(world.opener(), [ids["A"]], ["late"])
    assert load(world, tmp_path, content, now=LATER).updated == 1


def test_tags_of_a_list_are_followed_by_a_rebuild(world: World, tmp_path: Path) -> None:
    assignment = world.assignment()
    vip = {"key": "vip", "name": "VIP", "when": {"f": "tags", "op": "any", "v": ["vip"]}}
    publish(world.opener(), assignment, {"segments": [vip]}, author="me")
    load(world, tmp_path, "id,phone\nA,\n", assignment_id=assignment)
    with world.work() as work:
        work.run(text("delete from rebuild"))
    load(world, tmp_path, "id,phone,tags\nA,,vip\n")
    with world.work() as work:
        assert len(rebuilds_to_do(work)) == 1


def test_two_lists_that_tag_the_same_people_at_once(world: World, tmp_path: Path) -> None:
    """Each tag stands once, and both lists come to their end."""
    load(world, tmp_path, "id,phone\n" + "".join(f"{i},\n" for i in range(60)))
    reports: list[ImportReport] = []

    def go(name: str, order: list[int]) -> None:
        lines = "".join(f"{i},,a;b;{name}\n" for i in order)
        reports.append(load(world, tmp_path, "id,phone,tags\n" + lines, name=f"{name}.csv"))

    threads = [
        Thread(target=go, args=args) for args in (("x", list(range(60))), ("y", list(range(59, -1, -1))))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reports) == 2
    assert all(len(found) == 4 for found in marks(world).values())
