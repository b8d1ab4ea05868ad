"""The demo's list: real customers, made-up names and numbers, and a truth that no rule can see."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from world import World

from calling.intake.importing import import_file
from calling.intake.numbers import Number, read_number
from dialer_adapter.truth import read_truth
from models.errors import BadInput
from ringeliste.demo_list import FIELDS, write_demo_list

CALL_ITSELF = {"contact", "day", "month", "duration", "campaign", "y"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The list, written once."""
    made = tmp_path_factory.mktemp("demo")
    write_demo_list(made)
    return made


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a CSV."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_customer_has_a_number_of_their_own(folder: Path) -> None:
    """Valid in Portugal's plan; four of five are mobiles, which answer with two zones."""
    rows = read(folder / "demo-customers.csv")
    assert [row["customer id"] for row in rows] == [str(n) for n in range(1, 45_212)]
    numbers = [read_number(row["phone"], None) for row in rows]
    assert all(isinstance(number, Number) and number.place == "PT" for number in numbers)
    assert len({number.e164 for number in numbers if isinstance(number, Number)}) == len(rows)
    zones = Counter(number.zones for number in numbers if isinstance(number, Number))
    assert 0.78 < zones["Atlantic/Azores", "Europe/Lisbon"] / len(rows) < 0.82
    assert zones["Atlantic/Azores",] > 100
    assert zones["Europe/Lisbon",] > 7_000
    assert len({row["name"] for row in rows}) > 20_000


def test_nothing_of_the_call_itself_is_in_it(folder: Path) -> None:
    header = set(read(folder / "demo-customers.csv")[0])
    assert header == {"customer id", "name", "phone", *FIELDS}
    assert not header & CALL_ITSELF


def test_the_truth_is_beside_it(folder: Path) -> None:
    truth = read_truth(folder / "demo-truth.csv")
    assert len(truth) == 45_211
    assert sum(truth.values()) == 5_289


def test_the_seed_decides(folder: Path, tmp_path: Path) -> None:
    again = write_demo_list(tmp_path, seed=1)
    assert again.customers.read_bytes() == (folder / "demo-customers.csv").read_bytes()
    other = write_demo_list(tmp_path, seed=2)
    assert other.customers.read_bytes() != (folder / "demo-customers.csv").read_bytes()
    assert other.truth.read_bytes() == (folder / "demo-truth.csv").read_bytes()


def test_another_file_of_its_shape(tmp_path: Path) -> None:
    """As its makers published it: semicolons and quotes."""
    data = tmp_path / "mine.csv"
    header = [*FIELDS, "duration", "y"]
    data.write_text(";".join(f'"{key}"' for key in header) + "\n" + ";".join(["1"] * 12 + ['"no"']) + "\n")
    assert len(read(write_demo_list(tmp_path, data=data).customers)) == 1
    data.write_text("age,job\n1,x\n")
    with pytest.raises(BadInput, match="lacks the columns marital"):
        write_demo_list(tmp_path, data=data)


def test_it_can_be_imported(world: World, folder: Path, tmp_path: Path) -> None:
    """The first two thousand of it: without a reject, every field of its type, two zones and more."""
    made = write_demo_list(tmp_path)
    lines = made.customers.read_text(encoding="utf-8").splitlines(keepends=True)
    made.customers.write_text("".join(lines[:2001]), encoding="utf-8")
    report = import_file(world.opener(), made.customers, region="PT", mapping=made.mapping)
    assert (report.created, report.rejected) == (2000, 0)
    assert report.new_fields == FIELDS
    with world.work() as work:
        rows = work.run(
            text("""select k.key, count(*) as customers from customer c join call_clock k on k.id = c.clock_id
                     where c.crm_id = :crm_id group by k.key""")
        )
        clocks = {row.key: row.customers for row in rows}
    assert clocks["PT|Atlantic/Azores,Europe/Lisbon"] > 1500
    assert clocks["PT|Europe/Lisbon"] > 300
