"""Import: every good row taken, every bad one told, the same file again changes nothing."""

import csv
import json
import sys
from datetime import timedelta
from pathlib import Path
from subprocess import run
from threading import Barrier, Thread
from typing import Any

import pytest
from sheets import write_xlsx
from shell import Shell
from sqlalchemy import text
from world import NOON, World, wait_until

from calling.catalogue.values import TYPES
from calling.customers.states_in_fields import take_places
from calling.intake import importing
from calling.intake.importing import ImportReport, Progress, import_file
from calling.intake.reading import open_table
from calling.intake.rejects import harmless
from models.errors import BadInput, NotFound
from models.tables.customers import FIELD_TYPES

LATER = NOON + timedelta(hours=1)
HEADER = "customer id,name,phone,mobile,e-mail,age,housing,joined,job\n"


def put(folder: Path, content: str | bytes, name: str = "list.csv") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def load(world: World, path: Path, **options: Any) -> ImportReport:
    """Import into the world's CRM, whose numbers are Portuguese."""
    now = options.pop("now", NOON)
    return import_file(world.opener(now), path, **{"region": "PT", **options})


def rows(world: World, sql: str, **values: Any) -> list[Any]:
    """What the CRM holds."""
    with world.work() as work:
        return list(work.run(text(sql), **values).all())


def customers(world: World) -> dict[str, Any]:
    """Every customer by external id, with numbers in order and the clock."""
    found = rows(
        world,
        """select c.external_id, c.name, c.email, c.place, c.fields, c.reckoning_zone, c.updated_at, c.id,
                  k.key as clock,
                  array(select n.e164 from customer_number n where n.crm_id = :crm_id and n.customer_id = c.id
                         order by n.position) as numbers
             from customer c join call_clock k on k.id = c.clock_id where c.crm_id = :crm_id""",
    )
    return {row.external_id: row for row in found}


def outcome(report: ImportReport) -> tuple[int, int, int, int]:
    """Created, updated, unchanged, rejected."""
    return report.created, report.updated, report.unchanged, report.rejected


def rejected(path: Path) -> list[list[str]]:
    """The rows of a rejects file, without its header."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def test_a_list_becomes_customers(world: World, tmp_path: Path) -> None:
    path = put(
        tmp_path,
        HEADER
        + "A1,Ana Silva,212345678,912345678,ana@example.pt,41,yes,2024-02-29,admin.\n"
        + 'A2,"Rui ""Zé"", Costa",,+47 22 33 44 55,,-3,no,01.03.2024,\n'
        + "A3,,,,,,,,retired\n",
    )
    report = load(world, path)
    assert outcome(report) == (3, 0, 0, 0)
    found = customers(world)
    ana, rui, nobody = found["A1"], found["A2"], found["A3"]
    assert ana.name == "Ana Silva"
    assert ana.email == "ana@example.pt"
    assert ana.numbers == ["+351212345678", "+351912345678"]
    assert ana.clock == "PT|Atlantic/Azores,Europe/Lisbon"
    assert ana.reckoning_zone == "Europe/Lisbon"
    assert ana.fields == {"age": 41, "housing": True, "joined": "2024-02-29", "job": "admin."}
    assert rui.name == 'Rui "Zé", Costa'
    assert rui.fields == {"age": -3, "housing": False, "joined": "2024-03-01"}
    assert rui.clock == "NO|Europe/Oslo"
    assert nobody.numbers == []
    assert (nobody.clock, nobody.reckoning_zone) == ("|", "Etc/UTC")
    types = dict(rows(world, "select key, type from field where crm_id = :crm_id"))
    assert types == {"age": "number", "housing": "yes_no", "joined": "date", "job": "text"}
    kept = rows(world, "select * from import_run where crm_id = :crm_id")[0]
    assert (kept.id, kept.state, kept.rows, kept.created) == (report.run_id, "done", 3, 3)


def test_the_same_file_again_changes_nothing(world: World, tmp_path: Path) -> None:
    """Planted and found: the upsert without IS DISTINCT FROM, which touches updated_at."""
    path = put(tmp_path, HEADER + "A1,Ana,212345678;912345678,,,41,yes,,x\nA2,Rui,,,,,,,\n")
    load(world, path)
    before = customers(world)
    report = load(world, path, now=LATER)
    assert outcome(report) == (0, 0, 2, 0)
    assert customers(world) == before


def test_a_change_is_an_update(world: World, tmp_path: Path) -> None:
    load(world, put(tmp_path, "id,navn,telefon,age,job\nA1,Ana,212345678,41,admin\nA2,Rui,,50,\n"))
    change = put(tmp_path, "id,navn,telefon,age\nA1,Ana Silva,912345678,\nA2,Rui,,50\n")
    report = load(world, change, now=LATER)
    assert outcome(report) == (0, 1, 1, 0)
    ana, rui = customers(world)["A1"], customers(world)["A2"]
    assert ana.name == "Ana Silva"
    assert ana.fields == {"job": "admin"}  # emptied where the file has the column, kept where it has not
    assert ana.numbers == ["+351912345678", "+351212345678"]  # the file's first, the other stays
    assert ana.clock == "PT|Atlantic/Azores,Europe/Lisbon"  # of both numbers
    assert (ana.updated_at, rui.updated_at) == (LATER, NOON)
    again = load(world, put(tmp_path, "id,navn,telefon,age\nA1,Ana Silva,912345678,\n"), now=LATER)
    assert outcome(again) == (0, 0, 1, 0)


def test_every_bad_row_is_told_and_every_good_one_taken(world: World, tmp_path: Path) -> None:
    """Planted and found: a row dropped in silence where the cell before it was bad as well."""
    world.field("age", "number")
    lines = [
        "G1,Good,212345678,,,30,yes,,\n",
        "B1,Bad,123,ukjent,,old,yes,,\n",  # three cells of one row
        ",Nobody,212345679,,,30,yes,,\n",
        "B2,Short,212345679\n",
        "B3,Mail,,,not an address,30,no,,\n",
        "G1,Twice,212345670,,,30,no,,\n",
        '"G2","Line\nbreak",212345671,,,30,no,,\n',
        "B4,=SUM(A1),212345672,,,=1+1,no,,\n",
        "G3,Last,212345673,,,30,no,,\n",
    ]
    report = load(world, put(tmp_path, HEADER + "".join(lines)), rejects=tmp_path / "bad.csv")
    assert outcome(report) == (3, 0, 0, 6)
    assert report.rows == 9
    assert set(customers(world)) == {"G1", "G2", "G3"}
    assert report.rejects_file == tmp_path / "bad.csv"
    assert [row[:4] for row in rejected(tmp_path / "bad.csv")] == [
        ["3", "age", "old", "is no number (number field age)"],
        ["3", "phone", "123", "too short"],
        ["3", "mobile", "ukjent", "not a telephone number"],
        ["4", "customer id", "", "no customer id"],
        ["5", "", "", "has 3 cells, the header 9"],
        ["6", "e-mail", "not an address", "is no e-mail address"],
        ["7", "customer id", "G1", "line 2 has this customer id already"],
        ["10", "age", "'=1+1", "is no number (number field age)"],
    ]


def test_the_good_one_of_two_with_one_id_is_taken(world: World, tmp_path: Path) -> None:
    """A rejected row does not stand in the way of a later one with its id."""
    path = put(tmp_path, "id,phone\nA,123\nA,212345678\nA,212345679\n")
    report = load(world, path)
    assert outcome(report) == (1, 0, 0, 2)
    assert customers(world)["A"].numbers == ["+351212345678"]


def test_a_customer_keeps_the_good_numbers(world: World, tmp_path: Path) -> None:
    """Planted and seen: the row rejected whole; the dropped number of a double counted as well."""
    lines = [
        "A,212345678,123\n",
        "B,212345679;ukjent;912345678,\n",
        "C,ukjent,123\n",  # none of them is good
        "A,212345670,123\n",  # a double, and rejected as one
        "D,,\n",
    ]
    path = put(tmp_path, "id,phone,mobile\n" + "".join(lines))
    report = load(world, path, rejects=tmp_path / "bad.csv")
    assert outcome(report) == (3, 0, 0, 2)
    assert (report.rows, report.dropped) == (5, 2)
    found = customers(world)
    assert found["A"].numbers == ["+351212345678"]
    assert found["B"].numbers == ["+351212345679", "+351912345678"]
    assert rejected(tmp_path / "bad.csv") == [
        ["2", "mobile", "123", "too short", "number dropped"],
        ["3", "phone", "ukjent", "not a telephone number", "number dropped"],
        ["4", "phone", "ukjent", "not a telephone number", "row rejected"],
        ["4", "mobile", "123", "too short", "row rejected"],
        ["5", "mobile", "123", "too short", "row rejected"],
        ["5", "id", "A", "line 2 has this customer id already", "row rejected"],
    ]
    again = load(world, path, rejects=tmp_path / "bad.csv", now=LATER)
    assert (outcome(again), again.dropped) == ((0, 0, 3, 2), 2)


def test_what_is_no_place_costs_only_itself(world: World, tmp_path: Path) -> None:
    """Planted: the row rejected; seen to fail. A row that is rejected for more tells of its place as well."""
    text = "id,phone,Place\nA,212345678,Oslo\nB,212345679,es\nC,123,California\n"
    report = load(world, put(tmp_path, text), rejects=tmp_path / "bad.csv")
    assert outcome(report) == (2, 0, 0, 1)
    assert (report.dropped, report.misplaced) == (0, 1)
    assert {key: found.place for key, found in customers(world).items()} == {"A": None, "B": "ES"}
    why = "is no place: write PT, or US-FL for a state"
    assert rejected(tmp_path / "bad.csv") == [
        ["2", "Place", "Oslo", why, "place dropped"],
        ["4", "phone", "123", "too short", "row rejected"],
        ["4", "Place", "California", why, "row rejected"],
    ]


def test_states_of_addresses_are_legal_places(world: World, tmp_path: Path) -> None:
    """By name of the column and most cells, so that the stricter of address and area code binds.

    Planted: any column that is called so; what the law of the state asks left out; each seen to fail.
    """
    listed = "id,phone,State\nA,(212) 555-0143,FL\nB,(212) 555-0144,florida\nC,(212) 555-0145,\n"
    report = load(world, put(tmp_path, listed), region="US")
    assert (outcome(report), report.misplaced) == ((3, 0, 0, 0), 0)
    found = customers(world)
    assert {key: one.place for key, one in found.items()} == {"A": "US-FL", "B": "US-FL", "C": None}
    asked = "select k.places from customer c join call_clock k on k.id = c.clock_id order by c.external_id"
    assert [row.places for row in rows(world, asked)] == [["US-FL", "US-NY"], ["US-FL", "US-NY"], ["US-NY"]]
    other = "id,phone,State\nD,(212) 555-0146,new\n"
    report = load(world, put(tmp_path, other), region="US")
    assert (outcome(report), report.misplaced) == ((1, 0, 0, 0), 0)
    assert customers(world)["D"].place is None
    assert report.warnings == [
        "'State' is kept as the field own_state, and no law asks it: if it has the states of addresses, "
        "map it to place:state"
    ]
    said = "id,phone,Where\nE,(212) 555-0147,Georgia\nF,(212) 555-0148,Oslo\n"
    report = load(world, put(tmp_path, said), region="US", mapping={"Where": "place:state"})
    assert (customers(world)["E"].place, report.misplaced) == ("US-GA", 1)


def test_an_odd_cell_loses_its_own_place_and_no_law_of_others(world: World, tmp_path: Path) -> None:
    """Seen to fail before: one N/A among the first rows made a field of the column, in silence."""
    people = "".join(f"C{n},(212) 555-01{n:02},FL\n" for n in range(20))
    report = load(world, put(tmp_path, f"id,phone,State\n{people}X,(212) 555-0199,N/A\n"), region="US")
    assert (outcome(report), report.misplaced, report.warnings) == ((21, 0, 0, 0), 1, [])
    assert report.columns["State"] == "place:state"
    found = customers(world)
    assert {one.place for key, one in found.items() if key != "X"} == {"US-FL"}
    assert found["X"].place is None


def test_a_field_that_was_made_of_states_goes_on_beside_the_place(world: World, tmp_path: Path) -> None:
    """Rules may ask it. Seen to fail before: who had imported one odd list never had a law again."""
    first = load(
        world, put(tmp_path, "id,phone,State\nA,(212) 555-0143,FL\nB,(212) 555-0144,new\n"), region="US"
    )
    assert len(first.warnings) == 1
    report = load(
        world, put(tmp_path, "id,phone,State\nA,(212) 555-0143,TX\nC,(212) 555-0145,Alabama\n"), region="US"
    )
    assert report.columns["State"] == "place:state and own_state:text"
    assert (report.warnings, report.misplaced) == ([], 0)
    found = customers(world)
    assert {key: (one.place, one.fields["own_state"]) for key, one in found.items()} == {
        "A": ("US-TX", "TX"), "B": (None, "new"), "C": ("US-AL", "Alabama"),
    }  # fmt: skip
    mapped = load(
        world,
        put(tmp_path, "id,phone,State\nA,(212) 555-0143,FL\n"),
        region="US",
        mapping={"State": "own_state"},
    )
    assert (customers(world)["A"].place, len(mapped.warnings)) == ("US-TX", 1), "who says so has their way"


def test_states_of_another_country_than_the_lists_are_told_of(world: World, tmp_path: Path) -> None:
    report = load(world, put(tmp_path, "id,phone,State\nA,+12125550143,FL\n"))
    assert report.warnings == [
        "'State' is kept as the field own_state, and no law asks it: its cells are states of US; "
        "write them as in US-XX and map it to place"
    ]
    assert load(world, put(tmp_path, "id,phone,Region\nB,212345678,Norte\n")).warnings == []


@pytest.mark.parametrize("mapping", [{"State": "place:state"}, {"State": "place"}])
def test_a_place_that_cannot_be_read_leaves_what_stands(
    world: World, tmp_path: Path, mapping: dict[str, str]
) -> None:
    """An empty cell takes it away. Planted: written as none; the row counted as changed; both fail."""

    def said(state: str, name: str = "Ada") -> ImportReport:
        listed = put(tmp_path, f"id,name,phone,State\nA,{name},(212) 555-0143,{state}\n")
        return load(world, listed, region="US", mapping=mapping)

    said("US-FL")
    report = said("Fla.")
    assert (outcome(report), report.misplaced) == ((0, 0, 1, 0), 1)
    assert outcome(said("N/A", "Bea")) == (0, 1, 0, 0)
    found = customers(world)["A"]
    assert (found.name, found.place, "US-FL" in found.clock) == ("Bea", "US-FL", True)
    assert outcome(said("")) == (0, 1, 0, 0)
    assert customers(world)["A"].place is None


def test_a_long_value_is_cut_in_the_report_and_whole_in_the_file(world: World, tmp_path: Path) -> None:
    long = "x" * 300
    report = load(world, put(tmp_path, f"id,phone\nA,{long}\n"), rejects=tmp_path / "bad.csv")
    assert report.rejects[0].value == "x" * 79 + "…"
    assert rejected(tmp_path / "bad.csv")[0][2] == long


@pytest.mark.parametrize("content", ["id,phone\nA,212345678\n", "id,phone\nA,1\n"], ids=["clean", "bad"])
def test_a_file_of_somebody_else_is_neither_overwritten_nor_removed(
    world: World, tmp_path: Path, content: str
) -> None:
    theirs = put(tmp_path, "our own notes\n", "bad.csv")
    with pytest.raises(BadInput, match="holds no rejects"):
        load(world, put(tmp_path, content), rejects=theirs)
    assert theirs.read_text() == "our own notes\n"
    assert customers(world) == {}


def test_a_device_takes_rejects_and_stays(world: World, tmp_path: Path) -> None:
    pipe = tmp_path / "null"
    pipe.symlink_to("/dev/null")  # never the device itself: the planted bug removes it
    load(world, put(tmp_path, "id,phone\nA,212345678\n"), rejects=pipe)
    assert pipe.is_symlink()


def test_no_rejects_no_file(world: World, tmp_path: Path) -> None:
    header = "line,column,value,reason\n"
    old = put(tmp_path, header, "bad.csv")
    report = load(world, put(tmp_path, "id,phone\nA,212345678\n"), rejects=old)
    assert report.rejects_file is None
    assert not old.exists()
    old.write_text(header)
    with pytest.raises(BadInput):
        load(world, put(tmp_path, "name\nA\n"), rejects=old)
    assert not old.exists()


@pytest.mark.parametrize("text", ["=1", "+351", "-1", "@x", "\t=1"])
def test_no_cell_is_taken_for_a_formula(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize(
    "content",
    [
        "kundenr;navn;tlf\n1;Åse Ødegård;+351 212 345 678\n".encode(),
        "kundenr;navn;tlf\n1;Åse Ødegård;+351 212 345 678\n".encode("utf-8-sig"),
        "kundenr;navn;tlf\n1;Åse Ødegård;+351 212 345 678\n".encode("cp1252"),
        "kundenr\tnavn\ttlf\r\n1\tÅse Ødegård\t+351 212 345 678\r\n".encode("utf-16"),
        "sep=|\nkundenr|navn|tlf\n1|Åse Ødegård|+351 212 345 678\n".encode("latin-1"),
        "Customers of March;;\n;;\nkundenr;navn;tlf\n1;Åse Ødegård;+351 212 345 678\n".encode(),
        '\n\n"kundenr";"navn";"tlf"\n"1";"Åse Ødegård";"+351 212 345 678"'.encode(),
        '{"kundenr": 1, "navn": "Åse Ødegård", "tlf": "+351212345678"}\n'.encode(),
    ],
    ids=["utf-8", "bom", "cp1252", "utf-16", "sep", "title", "quoted", "json"],
)
def test_formats(world: World, tmp_path: Path, content: bytes) -> None:
    report = load(world, put(tmp_path, content))
    assert outcome(report) == (1, 0, 0, 0)
    found = customers(world)["1"]
    assert (found.name, found.numbers) == ("Åse Ødegård", ["+351212345678"])


def test_the_first_accent_may_stand_on_the_last_line(world: World, tmp_path: Path) -> None:
    """Planted and found: the encoding sniffed from the first block alone."""
    lines = "".join(f"{n},Plain name {n:050},\n" for n in range(30_000))
    path = put(tmp_path, ("id,name,phone\n" + lines + "last,Åse,\n").encode("latin-1"))
    with open_table(path) as table:
        *_, (_, cells) = table.rows
    assert cells == ["last", "Åse", ""]


def test_bytes_that_are_no_text_spoil_only_their_row(world: World, tmp_path: Path) -> None:
    content = "id,name,phone\nA,Åse,\nB,Ødegård,\n".encode() + b"C,\xff\xfe,\nD,\xc3\x85ge,\n"
    report = load(world, put(tmp_path, content))
    assert outcome(report) == (3, 0, 0, 1)
    assert [(r.line, r.reason) for r in report.rejects] == [(4, "holds bytes that are not UTF-8")]


def test_a_nul_byte_spoils_only_its_row(world: World, tmp_path: Path) -> None:
    """Planted and found: the whole file refused as binary; the NUL of a column that is left out."""
    content = b"id,na\0me,phone,junk\nA,Ana,,\nB,R\0ui,91\0,\nC,Eva,,\0\nD,Bo,,\n"
    path = put(tmp_path, content)
    report = load(world, path, rejects=tmp_path / "bad.csv", mapping={"junk": "-"})
    assert outcome(report) == (3, 0, 0, 1)
    assert [row[:4] for row in rejected(tmp_path / "bad.csv")] == [
        ["3", "name", "R␀ui", "holds a NUL byte"],
        ["3", "phone", "91␀", "holds a NUL byte"],
    ]
    cut_off = put(tmp_path, numbered(2000).encode() + bytes(512), "cut.csv")  # by a crash of its writer
    assert outcome(load(world, cut_off)) == (2000, 0, 0, 1)


def test_an_open_quotation_mark_spoils_only_its_row(world: World, tmp_path: Path) -> None:
    """Planted and found: the lines that it swallowed not read again."""
    body = 'A,"open,\n' + "".join(f"{n},Name,\n" for n in range(300)) + 'B,"open to the end,\nC,Name,\n'
    report = load(world, put(tmp_path, "id,name,phone\n" + body))
    assert outcome(report) == (301, 0, 0, 2)
    assert [reject.line for reject in report.rejects] == [2, 303]
    assert report.rejects[0].reason == "a quotation mark is never closed"


def test_excel(world: World, tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    write_xlsx(
        path,
        [
            ["Customer ID", "Telephone 1", "Telephone 2", "Age", "Loan", ""],
            ["A1", 212345678.0, "912 345 678", 41, True, ""],
            [17, "ukjent", "", 1.5, False, ""],
            [None, None, None, None, None, None],
            [18, None, None, None, None, None],
        ],
        first_row=3,
    )
    report = load(world, path)
    assert outcome(report) == (2, 0, 0, 1)
    assert [(r.line, r.column, r.value) for r in report.rejects] == [(5, "Telephone 1", "ukjent")]
    found = customers(world)
    assert found["A1"].numbers == ["+351212345678", "+351912345678"]
    assert found["A1"].fields == {"age": 41, "loan": True}
    assert "18" in found


def test_json_lines(world: World, tmp_path: Path) -> None:
    lines = [
        json.dumps({"id": 1, "phone": ["212345678", 912345678], "score": 0.25}),
        "no json",
        json.dumps({"id": 2, "phone": None, "late": "x"}),
        json.dumps({"id": 3, "phone": {"home": "212345678"}}),
        "[1]",
    ]
    report = load(world, put(tmp_path, "\n".join(lines), "list.jsonl"))
    assert outcome(report) == (2, 0, 0, 3)
    assert [reject.line for reject in report.rejects] == [2, 4, 5]
    found = customers(world)
    assert found["1"].numbers == ["+351212345678", "+351912345678"]
    assert found["1"].fields == {"score": 0.25}
    assert found["2"].fields == {"late": "x"}


def test_mapping(world: World, tmp_path: Path) -> None:
    header = "Kd,Fornavn,Etternavn,Ring,Saldo (€),Junk,Status\n"
    path = put(tmp_path, header + "7,Ana,Silva,212345678,0012,x,vip\n")
    mapping = {"Kd": "external_id", "Ring": "phone", "Junk": "-", "Saldo (€)": "balance:text"}
    report = load(world, path, mapping=mapping)
    assert outcome(report) == (1, 0, 0, 0)
    found = customers(world)["7"]
    assert found.name == "Ana Silva"
    assert found.fields == {"balance": "0012", "own_status": "vip"}
    assert report.columns["Ring"] == "phone"
    assert "Junk" not in report.columns


@pytest.mark.parametrize(
    ("content", "mapping", "message"),
    [
        ("name,phone\nA,1\n", {}, "no column is the customer id"),
        ("id,name\n1,A\n", {}, "no column is a telephone number"),
        ("id,phone\n1,\n", {"fone": "phone"}, "no column 'fone'; did you mean 'phone'"),
        ("id,ring\n1,\n", {"ring": "phon"}, "did you mean phone"),
        ("id,customer id,phone\n1,2,\n", {}, "both give external_id"),
        ("id,phone,x\n1,,\n", {"x": "age:int"}, "a type is one of text, number"),
        ("id,phone\n", {}, "has a header and no rows"),
        ("", {}, "is empty"),
        ("  \n \n", {}, "is empty"),
        ("1,+351 212 345 678\n2,+351 212 345 679\n", {}, "has to name the columns"),
        (b"\x7fELF\x02\x01\x01 id,phone", {}, "is no text file"),
        (b"\x89PNG\r\n\x1a\n id,phone\n", {}, "is no text file"),
        (b"%PDF-1.7\nid,phone\n1,2\n", {}, "is no text file"),
        (b"id\0\0\0,phone\0\0\0\n1\0\0\0,2\0\0\0\n", {}, "is no text file"),
        (b"PK\x03\x04 no zip", {}, "cannot be read as Excel"),
    ],
)
def test_what_cannot_be_imported(
    world: World, tmp_path: Path, content: str | bytes, mapping: dict[str, str], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        load(world, put(tmp_path, content), mapping=mapping)
    assert rows(world, "select 1 from import_run where crm_id = :crm_id") == []


def test_a_file_that_is_not_there(world: World, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not there"):
        load(world, tmp_path / "none.csv")
    with pytest.raises(BadInput, match="is a folder"):
        load(world, tmp_path)
    with pytest.raises(BadInput, match="two letters"):
        import_file(world.opener(), tmp_path, region="Portugal")
    path = put(tmp_path, "id,phone\n1,\n")
    with pytest.raises(BadInput, match="name another one"):
        load(world, path, rejects=path)
    with pytest.raises(NotFound):
        load(world, path, assignment_id=4711)


def test_a_dry_run_writes_only_the_rejects(world: World, tmp_path: Path) -> None:
    load(world, put(tmp_path, "id,name,phone\nA,Ana,212345678\nB,Rui,\n"))
    before = customers(world)
    path = put(tmp_path, "id,name,phone,age\nA,Ana Silva,,\nB,Rui,,\nC,New,912345678,4\nD,Bad,1,\n")
    report = load(world, path, dry_run=True, rejects=tmp_path / "bad.csv")
    assert outcome(report) == (1, 1, 1, 1)
    assert report.new_fields == {"age": "number"}
    assert report.run_id is None
    assert customers(world) == before
    assert rows(world, "select 1 from field where crm_id = :crm_id") == []
    assert len(rows(world, "select 1 from import_run where crm_id = :crm_id")) == 1
    assert len(rejected(tmp_path / "bad.csv")) == 1


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Transactions of 10 rows."""
    monkeypatch.setattr("calling.intake.parallel.CHUNK", 10)


def numbered(n: int) -> str:
    """A list of `n` customers."""
    return "id,name,phone\n" + "".join(f"{i},Name {i},91{i:07}\n" for i in range(n))


def test_a_crash_leaves_whole_batches_and_the_file_again_does_the_rest(
    world: World, tmp_path: Path, small_chunks: None
) -> None:
    """Planted and found: counts kept for the end of the file."""
    path = put(tmp_path, numbered(35))

    def crash(progress: Progress) -> None:
        if progress.rows == 20:
            raise RuntimeError("the power is gone")

    with pytest.raises(RuntimeError):
        load(world, path, progress=crash)
    assert len(customers(world)) == 20
    kept = rows(world, "select * from import_run where crm_id = :crm_id")[0]
    assert (kept.state, kept.rows, kept.created) == ("failed", 20, 20)
    assert outcome(load(world, path)) == (15, 0, 20, 0)


def test_progress(world: World, tmp_path: Path, small_chunks: None) -> None:
    seen: list[Progress] = []
    load(world, put(tmp_path, numbered(25)), progress=seen.append)
    assert [progress.rows for progress in seen] == [10, 20, 25]
    assert seen[-1].share == 1
    assert seen[-1].rate > 0
    assert seen[-1].eta == 0


def test_worker_processes_do_the_same(
    world: World, tmp_path: Path, small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows of a large file come back in their order, with the lines of the file."""
    monkeypatch.setattr(importing, "SAMPLE", 20)
    path = put(tmp_path, numbered(45) + "7,Twice,\nX,Bad,1\n")
    report = load(world, path)
    assert outcome(report) == (45, 0, 0, 2)
    assert [(r.line, r.reason) for r in report.rejects] == [
        (47, "line 9 has this customer id already"), (48, "not a telephone number"),
    ]  # fmt: skip
    assert customers(world)["44"].numbers == ["+351910000044"]


def test_a_parsing_process_loads_little() -> None:
    """Neither tables nor geocoder (98 MB); the types of fields are the table's all the same."""
    heavy = "{'sqlalchemy', 'holidays', 'phonenumbers.geocoder', 'pytz'}"
    code = f"import calling.intake.parallel, sys; sys.exit(bool({heavy} & sys.modules.keys()))"
    assert run([sys.executable, "-c", code], check=False).returncode == 0
    assert TYPES == FIELD_TYPES


def test_a_customer_that_somebody_makes_in_this_very_moment(world: World, tmp_path: Path) -> None:
    """Planted and found: not looked for again, so that their numbers are lost."""
    path = put(tmp_path, numbered(3))
    reports = list[ImportReport]()
    importing_it = Thread(target=lambda: reports.append(load(world, path, now=LATER)))
    with world.work() as work:
        work.run(
            text("""
                insert into customer (crm_id, external_id, clock_id, reckoning_zone, created_at, updated_at)
                values (:crm_id, '1', :clock, 'Europe/Lisbon', :now, :now)"""),
            clock=world.clock_id,
        )
        importing_it.start()
        wait_until(lambda: blocked(world))
    importing_it.join()
    assert outcome(reports[0]) == (2, 1, 0, 0)
    found = customers(world)
    assert found["1"].numbers == ["+351910000001"]
    assert found["1"].name == "Name 1"


def blocked(world: World) -> bool:
    """Somebody waits for somebody else's transaction."""
    with world.app.shared() as session:
        waiting = text("""select 1 from pg_stat_activity
                           where wait_event_type = 'Lock' and datname = current_database()""")
        return session.execute(waiting).first() is not None


def test_two_imports_of_one_file_at_once(world: World, tmp_path: Path, small_chunks: None) -> None:
    """Every customer is made once, and both files come to their end."""
    path = put(tmp_path, numbered(200))
    together, reports = Barrier(2), list[ImportReport]()

    def go() -> None:
        together.wait()
        reports.append(load(world, path))

    threads = [Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reports) == 2
    assert sum(report.created for report in reports) == 200
    assert sum(report.created + report.updated + report.unchanged for report in reports) == 400
    assert all(len(c.numbers) == 1 for c in customers(world).values())


def test_the_neighbour_has_the_same_ids(world: World, tmp_path: Path) -> None:
    """P7: an external id belongs to its CRM."""
    neighbour = world.neighbour()
    path = put(tmp_path, numbered(3))
    load(neighbour, path)
    assert outcome(load(world, path)) == (3, 0, 0, 0)
    assert len(customers(world)) == len(customers(neighbour)) == 3


def test_a_verified_zone_is_not_overruled(world: World, tmp_path: Path) -> None:
    load(world, put(tmp_path, "id,phone\nA,212345678\n"))
    with world.work() as work:
        work.run(text("update customer set verified_zone = 'Atlantic/Azores' where crm_id = :crm_id"))
    load(world, put(tmp_path, "id,phone\nA,912345678\n"))
    found = customers(world)["A"]
    assert (found.clock, found.reckoning_zone) == ("PT|Atlantic/Azores", "Atlantic/Azores")


def test_an_update_reaches_the_placements(world: World, tmp_path: Path) -> None:
    """Clock, rank and gates follow, and a rebuild is asked for, in the transaction of the change."""
    world.field("balance", "number")
    assignment = world.assignment(order_field="balance")
    load(world, put(tmp_path, "id,phone,balance\nA,,10\nB,212345678,20\n"), assignment_id=assignment)
    before = placements(world)
    assert before["A"].gated_by == "no_number"
    assert before["A"].rank < before["B"].rank
    with world.work() as work:
        work.run(text("delete from rebuild where crm_id = :crm_id"))
    load(world, put(tmp_path, "id,phone,balance\nA,912345678,30\nB,212345678,20\n"))
    after = placements(world)
    assert after["A"].gated_by is None
    assert after["A"].key == "PT|Atlantic/Azores,Europe/Lisbon"
    assert after["A"].rank > after["B"].rank
    assert after["B"] == before["B"]
    assert len(rows(world, "select 1 from rebuild where crm_id = :crm_id and started_at is null")) == 1
    assert [hint.kind for hint in world.hints] == ["rebuild", "rebuild"]  # one of each import


def placements(world: World) -> dict[str, Any]:
    """Every placement by the customer's external id."""
    found = rows(
        world,
        """select c.external_id, p.state, p.rank, p.gated_by, k.key, s.key as segment
             from placement p join customer c on c.crm_id = :crm_id and c.id = p.customer_id
             join call_clock k on k.id = p.clock_id
             join segment s on s.crm_id = :crm_id and s.id = p.segment_id
            where p.crm_id = :crm_id""",
    )
    return {row.external_id: row for row in found}


def test_a_number_that_a_held_customer_gains_is_held_too(world: World, tmp_path: Path) -> None:
    """P1. Planted and found: the number not claimed; another customer's claim on it overwritten."""
    load(world, put(tmp_path, "id,phone\nA,212345678\nB,912345678\n"))
    ids = {key: row.id for key, row in customers(world).items()}
    with world.work() as work:
        leases = {key: work.new_id(NOON) for key in ids}
        for key, number in (("A", "+351212345678"), ("B", "+351912345678")):
            values = {"customer": ids[key], "lease": leases[key], "number": number}
            work.run(text("insert into claim_customer values (:crm_id, :customer, :lease)"), **values)
            work.run(text("insert into claim_number values (:crm_id, :number, :lease)"), **values)
    load(world, put(tmp_path, "id,phone\nA,212345678;912345678;212345679\n"))
    claims = dict(rows(world, "select e164, lease_id from claim_number where crm_id = :crm_id"))
    assert claims == {
        "+351212345678": leases["A"],
        "+351212345679": leases["A"],
        "+351912345678": leases["B"],  # held by somebody else: not for A until it is free
    }
    held = dict(rows(world, "select customer_id, lease_id from claim_customer where crm_id = :crm_id"))
    assert held == {ids["A"]: leases["A"], ids["B"]: leases["B"]}


def test_states_that_an_older_list_left_in_a_field_become_places(world: World, tmp_path: Path) -> None:
    """With all that follows, and once. A place that somebody has stays.

    Planted: whoever has a state is asked again; clocks left as they were; each seen to fail.
    """
    listed = (
        "id,phone,Lives in,place\nA,(212) 555-0143,FL,\nB,(212) 555-0144,Alaska,US\nC,(212) 555-0145,new,\n"
        "D,(212) 555-0146,FL,US-TX\n"
    )
    load(world, put(tmp_path, listed), region="US", mapping={"Lives in": "lives_in:text"})
    before = customers(world)["B"].id
    (clock,) = rows(world, "select clock_id from customer where id = :c", c=before)
    world.place([before], world.assignment(), clock_id=clock.clock_id)
    done = take_places(world.opener(), "lives_in", country="US", author="Kari")
    assert (done.taken, dict(done.no_states)) == (2, {"new": 1})
    found = customers(world)
    places = {"A": "US-FL", "B": "US-AK", "C": None, "D": "US-TX"}
    assert {key: one.place for key, one in found.items()} == places
    assert found["A"].clock.startswith("US-FL,US-NY|")
    assert "America/Anchorage" in found["B"].clock
    (clock,) = rows(world, "select k.key from placement p join call_clock k on k.id = p.clock_id")
    assert clock.key == found["B"].clock
    assert take_places(world.opener(), "lives_in", country="US", author="Kari").taken == 0
    (edit,) = rows(world, "select author, changed from customer_edit where customer_id = :c", c=before)
    assert tuple(edit) == ("Kari", ["place"])


@pytest.mark.parametrize(("key", "country"), [("gone", "US"), ("joined", "US"), ("lives_in", None)])
def test_places_are_taken_from_names_of_states_alone(world: World, key: str, country: str | None) -> None:
    world.field("joined", "date")
    world.field("lives_in", "text")
    with pytest.raises((BadInput, NotFound)):
        take_places(world.opener(), key, country=country, author="Kari")


def test_places_by_the_command_line(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run tells the same and writes nothing."""
    shell = Shell(world, monkeypatch)
    listed = "id,phone,Lives in\nA,(212) 555-0143,FL\nB,(212) 555-0144,new\n"
    load(world, put(tmp_path, listed), region="US", mapping={"Lives in": "lives_in:text"})
    how = ("zones", "places", "lives_in", "--country", "US")
    before = shell.everything()
    tried = shell.ok(*how, "--dry-run").out
    assert "1 customer with a state" in tried
    assert "new: no state" in tried
    assert shell.everything() == before
    told = shell.ok(*how, "--author", "Kari", "--json").document
    assert told == {"taken": 1, "no_states": {"new": 1}, "dry_run": False}
    assert customers(world)["A"].place == "US-FL"
