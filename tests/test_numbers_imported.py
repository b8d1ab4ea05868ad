"""What a list says of numbers and zones, and what it may not change."""

from pathlib import Path
from typing import Any

import pytest
from calls import say, take
from test_import import LATER, customers, load, outcome, put, rejected, rows
from world import NOON, World

from calling.customers.numbers import set_number
from calling.customers.verifying import verify_zone
from calling.handout.hand_out import next_customer
from calling.handout.ring import ring
from calling.views.zones import history
from models.errors import BadInput
from models.outcomes import Outcome

LAND, MOBILE, OFFICE = "+351212345678", "+351912345678", "+351218888888"
MINE = """select e164, kind, kind_by, state, position from customer_number where crm_id = :crm_id
    order by position"""


def kinds(world: World) -> dict[str, tuple[str | None, str | None]]:
    """Number -> its kind, and who says it."""
    return {row.e164: (row.kind, row.kind_by) for row in rows(world, MINE)}


def order(world: World) -> list[str]:
    return [row.e164 for row in rows(world, MINE)]


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Work phone", "work"), ("Jobbtelefon", "work"), ("mobil", "mobile"), ("Telemóvel 2", "mobile"),
        ("Privattelefon", "home"), ("home phone", "home"), ("Telefon", None), ("phone2", None),
    ],
)  # fmt: skip
def test_a_column_says_where_its_numbers_ring(
    world: World, tmp_path: Path, header: str, kind: str | None
) -> None:
    report = load(world, put(tmp_path, f"id,{header}\nA,212345678\n"))
    assert kinds(world) == {LAND: (kind, "list" if kind else None)}
    assert report.columns[header] == (f"phone:{kind}" if kind else "phone")


def test_a_mapping_says_it_and_what_an_owner_says_wins_over_the_plan(world: World, tmp_path: Path) -> None:
    """Planted: the plan's word kept; a kind by hand overwritten; each seen to fail."""
    plain = put(tmp_path, "id,ring\nA,912345678;212345678\n")
    load(world, plain, mapping={"ring": "phone"})
    assert kinds(world) == {MOBILE: ("mobile", "plan"), LAND: (None, None)}
    load(world, plain, mapping={"ring": "phone:work"})
    assert kinds(world) == {MOBILE: ("work", "list"), LAND: ("work", "list")}
    assert outcome(load(world, plain, mapping={"ring": "phone:work"})) == (0, 0, 1, 0)
    load(world, plain, mapping={"ring": "phone"}, now=LATER)  # says nothing of it any more
    assert kinds(world)[MOBILE] == ("work", "list")
    (ana,) = customers(world).values()
    set_number(world.opener(), ana.id, LAND, kind="work", author="Kari")  # as it was, and now by hand
    load(world, plain, mapping={"ring": "phone:home"}, now=LATER)
    assert kinds(world) == {MOBILE: ("home", "list"), LAND: ("work", "hand")}


@pytest.mark.parametrize(
    ("said", "hint"), [("phone:wrok", "did you mean phone:work"), ("phone:text", "one of home, work")]
)
def test_a_kind_that_is_none_is_refused(world: World, tmp_path: Path, said: str, hint: str) -> None:
    with pytest.raises(BadInput, match=hint):
        load(world, put(tmp_path, "id,ring\nA,212345678\n"), mapping={"ring": said})


def test_a_number_in_two_columns_is_of_the_one_that_says_more(world: World, tmp_path: Path) -> None:
    load(world, put(tmp_path, "id,phone,work phone\nA,212345678,212345678\n"))
    assert kinds(world) == {LAND: ("work", "list")}


def test_order_and_states_by_hand_or_by_outcome_outlive_the_list(world: World, tmp_path: Path) -> None:
    """What is new goes behind. Planted: the file's order for everybody; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    path = put(tmp_path, "id,name,phone\nA,Ana,212345678;912345678\n")
    load(world, path, assignment_id=assignment)
    (ana,) = customers(world).values()
    set_number(world.opener(), ana.id, MOBILE, place=1, author="Kari")
    seller = world.seller(assignment)
    say(world, take(world, seller).lease_id, Outcome.INVALID_NUMBER)
    assert outcome(load(world, path, now=LATER)) == (0, 0, 1, 0)
    more = put(tmp_path, "id,name,phone\nA,Ana Maria,218888888;212345678;912345678\n")
    assert outcome(load(world, more, now=LATER)) == (0, 1, 0, 0)
    assert order(world) == [MOBILE, LAND, OFFICE]
    assert {row.e164: row.state for row in rows(world, MINE)}[MOBILE] == "disconnected"
    assert outcome(load(world, more, now=LATER)) == (0, 0, 1, 0)


def test_a_list_read_again_while_the_customer_is_held(world: World, tmp_path: Path) -> None:
    """The lease keeps its number, the new one is held with it, and the ring goes on."""
    assignment = world.assignment(gap_seconds=0)
    load(world, put(tmp_path, "id,phone\nA,212345678\n"), assignment_id=assignment)
    seller = world.seller(assignment)
    card = next_customer(world.opener(), seller)
    assert card is not None
    load(world, put(tmp_path, "id,work phone,phone\nA,218888888,212345678\n"))
    assert order(world) == [OFFICE, LAND]
    with world.work() as work:
        assert ring(work, card.lease_id, seller).e164 == LAND
    claims = rows(world, "select e164, lease_id from claim_number where crm_id = :crm_id order by 1")
    assert [tuple(row) for row in claims] == [(LAND, card.lease_id), (OFFICE, card.lease_id)]
    say(world, card.lease_id, Outcome.NO_ANSWER)
    assert rows(world, "select e164, number_kind from attempt") == [(LAND, None)]


# ---------------------------------------------------------------------- zones that a list vouches for

UNKNOWN = "+80012345678"


def zone_of(world: World) -> Any:
    (row,) = rows(world, "select verified_zone, reckoning_zone from customer where crm_id = :crm_id")
    return tuple(row)


def test_a_system_of_record_vouches_for_zones(world: World, tmp_path: Path) -> None:
    """Planted: no row of who said so; a person's word overwritten; each seen to fail."""
    assignment = world.assignment()
    head = "id,phone,verified zone\n"
    first = put(tmp_path, head + f"A,{UNKNOWN},europe/lisbon\n", "crm.csv")
    load(world, first, assignment_id=assignment)
    assert zone_of(world) == ("Europe/Lisbon", "Europe/Lisbon")
    assert outcome(load(world, first, now=LATER)) == (0, 0, 1, 0)
    load(world, put(tmp_path, head + f"A,{UNKNOWN},Atlantic/Azores\n", "crm.csv"), now=LATER)
    assert zone_of(world) == ("Atlantic/Azores", "Atlantic/Azores")
    (ana,) = customers(world).values()
    with world.work() as work:
        old, new = history(work, ana.id, 0, 9)
    assert (old.zone, old.source, old.ended_by) == ("Europe/Lisbon", "crm.csv", "crm.csv")
    assert (new.zone, new.ended_at, new.contradicts) == ("Atlantic/Azores", None, False)
    verify_zone(world.opener(), ana.id, "Europe/Lisbon", author="Kari", reason="asked her")
    assert outcome(load(world, put(tmp_path, head + f"A,{UNKNOWN},Atlantic/Azores\n"))) == (0, 0, 1, 0)
    assert outcome(load(world, put(tmp_path, head + f"A,{UNKNOWN},\n"))) == (0, 0, 1, 0)
    load(world, put(tmp_path, "id,name,phone,verified zone\nA,Ana," + f"{UNKNOWN},Atlantic/Azores\n"))
    assert zone_of(world) == ("Europe/Lisbon", "Europe/Lisbon")


def test_a_zone_of_a_list_is_held_against_the_rest_of_the_row(world: World, tmp_path: Path) -> None:
    """Planted: taken whatever it is; seen to fail."""
    path = put(
        tmp_path,
        "id,phone,tz\nA,212345678,Asia/Tokyo\nB,212345679,Europe/Lisobn\nC,212345670,Europe/London\nD,212345671,UTC\n",
    )
    bad = tmp_path / "bad.csv"
    report = load(world, path, mapping={"tz": "verified_zone"}, rejects=bad)
    assert outcome(report) == (1, 0, 0, 3)  # London keeps the time of Lisbon
    reasons = {row[2]: row[3] for row in rejected(bad)}
    assert "map it to verified_zone:anyway" in reasons["Asia/Tokyo"]
    assert "did you mean Europe/Lisbon" in reasons["Europe/Lisobn"]
    assert "write Area/City" in reasons["UTC"]
    report = load(world, path, mapping={"tz": "verified_zone:anyway"}, now=NOON)
    assert outcome(report) == (1, 0, 1, 2)
    told = rows(world, "select zone from zone_verification where contradicts")
    assert [row.zone for row in told] == ["Asia/Tokyo"]
