"""Number plans, the choice of a number, and verified zones: by API and from the command line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from register_scene import ES, PT, known, load, numbers_of
from shell import Shell
from sqlalchemy import text
from test_number_choice import OTHER, Several
from test_zones_verified import gate, nowhere
from web_client import Caller, api_of
from world import LISBON, NOON, World

from calling.numbers.plan import plan_of
from calling.numbers.plans import plan_changes, read_plan, set_number_plan, told
from calling.registers.using import use
from calling.walls.suppress import lift, suppress
from models.errors import BadValues, NotFound

pytestmark = pytest.mark.once

WEEK = ["mon", "tue", "wed", "thu", "fri"]


@pytest.fixture
def kari(world: World) -> Iterator[Caller]:
    with api_of(world) as made:
        yield made.manager()


@pytest.mark.parametrize(
    ("plan", "problems"),
    [
        ({"next_afer": 3}, [("next_afer", "did you mean next_after?")]),
        ({"next_after": 0}, [("next_after", "from 1 to 99, or null")]),
        ({"next_after": True}, [("next_after", "from 1 to 99, or null")]),
        ({"hours": {}}, [("hours", "must be a list")]),
        ({"hours": [{"days": ["mon"]}]}, [("hours[0].kinds", "say which come first")]),
        (
            {"hours": [{"kinds": ["wrok", "home", "home"], "days": ["monday"], "form": "09:00"}]},
            [
                ("hours[0].form", "did you mean from?"), ("hours[0].kinds[0]", "did you mean work?"),
                ("hours[0].kinds[2]", "twice"), ("hours[0].days[0]", "did you mean mon?"),
            ],
        ),
        ({"hours": [{"kinds": ["work"], "from": "9:00", "to": "25:00"}]},
         [("hours[0].from", "write 09:00"), ("hours[0].to", "write 09:00")]),
        ({"hours": [{"kinds": ["work"], "from": "22:00", "to": "06:00"}]},
         [("hours[0].to", "hours over midnight are two rows")]),
        ({"hours": [[]]}, [("hours[0]", "must be an object")]),
    ],
)  # fmt: skip
def test_a_plan_that_makes_no_sense_is_refused_with_every_problem(
    plan: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    with pytest.raises(BadValues) as refusal:
        read_plan(plan)
    found = refusal.value.problems
    assert [path for path, _ in found] == [path for path, _ in problems]
    assert all(part in message for (_, message), (_, part) in zip(found, problems, strict=True))


def test_a_plan_is_told_as_it_works() -> None:
    plan = {"hours": [{"kinds": ["work"]}], "next_after": None}
    row = {"days": [*WEEK, "sat", "sun"], "from": "00:00", "to": "24:00", "kinds": ["work"]}
    assert told(plan_of(read_plan(plan))) == {"next_after": None, "hours": [row]}
    assert told(plan_of({})) == {"next_after": 3, "hours": []}


def test_who_changed_a_plan_and_when_stays(world: World) -> None:
    assignment = world.assignment()
    with world.work() as work:
        assert set_number_plan(work, assignment, {"next_after": 2}, "Kari")
        assert not set_number_plan(work, assignment, {"next_after": 2}, "Bo")
        assert set_number_plan(work, assignment, {}, "Bo")
        changes = plan_changes(work, assignment, 0, 9)
        assert [(row.plan, row.author, row.changed_at) for row in changes] == [
            ({"next_after": 2}, "Kari", NOON), ({}, "Bo", NOON),
        ]  # fmt: skip
        with pytest.raises(NotFound):
            set_number_plan(work, 999, {}, "Bo")


def test_plans_by_the_api(kari: Caller, world: World) -> None:
    path = f"/assignments/{world.assignment()}/number-plan"
    assert kari.ok("GET", path) == {
        "next_after": 3, "hours": [], "own": False, "author": None, "changed_at": None,
    }  # fmt: skip
    row = {"days": WEEK, "from": "09:00", "to": "16:00", "kinds": ["work"]}
    done = kari.ok("PUT", path, json={"plan": {"next_after": 2, "hours": [row]}})
    assert (done["next_after"], done["hours"], done["own"]) == (2, [row], True)
    assert [one["plan"] for one in kari.ok("GET", f"{path}/changes")["items"]] == [
        {"next_after": 2, "hours": [row]}
    ]
    assert "did you mean" in kari.refused(422, "PUT", path, json={"plan": {"next_afer": 2}})["detail"]


def test_plans_and_reasons_from_the_command_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    floor = Several(world, (OTHER, "work"))
    shell = Shell(world, monkeypatch)
    before = shell.everything()
    prefer = (
        "numbers",
        "prefer",
        "--row",
        "work mon-fri 09:00-16:00",
        "--row",
        "home,mobile",
        "--next-after",
        "2",
    )
    shell.ok(*prefer, "--dry-run")
    assert shell.everything() == before
    shell.ok(*prefer, "--author", "Kari")
    plan = shell.ok("numbers", "plan", "--json").document
    assert [row["kinds"] for row in plan["hours"]] == [["work"], ["home", "mobile"]]
    assert (plan["hours"][0]["days"], plan["next_after"], plan["author"]) == (WEEK, 2, "Kari")
    assert "Set by Kari" in shell.ok("numbers", "plan").out
    with world.work() as work:
        customer = str(work.run(text("select external_id from customer")).scalar_one())
    why = shell.ok("numbers", "why", customer, "--json").document
    assert (why["e164"], why["why"]) == (OTHER, f"{OTHER} (work): its kind comes first at this hour")
    assert [one["e164"] for one in why["numbers"]] == [OTHER, floor.first]
    assert OTHER in shell.ok("explain", customer).out
    assert shell.run("numbers", "prefer", "--row", "work mon-fir").code == 2
    assert shell.run("numbers", "prefer").code == 2
    shell.ok("numbers", "prefer", "--default")
    assert shell.ok("numbers", "plan", "--json").document["hours"] == []


@pytest.mark.parametrize(
    ("column", "values", "why"),
    [
        ("state", ("unverified", "good"), "somebody answered there"),
        ("unanswered", ("3", "0"), "0 calls in a row without an answer"),
        ("state", ("disconnected", "good"), "the only number"),
        ("position", ("5", "0"), "first in their order"),
    ],
)
def test_the_reason_is_the_first_that_tells_two_numbers_apart(
    world: World, column: str, values: tuple[str, str], why: str
) -> None:
    from calling.views.number_choice import why_this_number

    floor = Several(world)
    with world.work() as work:
        for e164, value in zip((floor.first, OTHER), values, strict=True):
            literal = value if value.isdecimal() else f"'{value}'"
            work.run(text(f"update customer_number set {column} = {literal} where e164 = :e"), e=e164)
        found = why_this_number(work, floor.assignment, floor.customer)
    assert found.e164 == OTHER
    assert why in found.why


def test_zones_by_the_api(kari: Caller, world: World) -> None:
    assignment = world.assignment()
    one, two, three = nowhere(world, assignment, 3)
    first = kari.ok("GET", "/zones/unknown", params={"limit": 2})
    assert ([row["id"] for row in first["items"]], first["total"]) == ([one, two], 3)
    rest = kari.ok("GET", "/zones/unknown", params={"cursor": first["next"]})
    assert ([row["id"] for row in rest["items"]], rest["next"]) == ([three], None)
    wish = {"zone": "europe/lisbon", "reason": "asked her"}
    done = kari.ok("PUT", f"/customers/{one}/zone", json=wish)
    assert (done["zone"], done["changed"]) == (LISBON, True)
    assert "Europe/Oslo" in kari.refused(
        422, "PUT", f"/customers/{one}/zone", json={"zone": "Oslo", "reason": "x"})["detail"]  # fmt: skip
    kari.refused(
        409, "PUT", f"/customers/{one}/zone", json={**wish, "zone": "Atlantic/Azores", "source": "crm"}
    )
    lines = [{"external_id": first["items"][1]["external_id"], "zone": LISBON, "reason": "invoice"},
             {"external_id": "nobody", "zone": LISBON, "reason": "invoice"}]  # fmt: skip
    person = "a person's word stands against a system's; say `anyway: true` if they are there all the same"
    away = {"zone": "Asia/Tokyo", "reason": "x", "source": "crm"}
    assert person in kari.refused(409, "PUT", f"/customers/{one}/zone", json=away)["detail"]
    line = {"external_id": first["items"][0]["external_id"], "zone": "Asia/Tokyo", "reason": "x"}
    (bad,) = kari.ok("POST", "/zones/verify", json={"customers": [line], "source": "crm"})["refused"]
    assert (bad["why"].endswith(person), bad["by_anyway"]) == (True, True)
    many = kari.ok("POST", "/zones/verify", json={"customers": lines, "source": "billing"})
    assert [one["customer_id"] for one in many["verified"]] == [two]
    assert [(one["line"], one["why"]) for one in many["refused"]] == [(2, "is no customer")]
    assert gate(world) == [None, None, "zone_unknown"]
    asked = {"assignment_id": assignment, "customer_id": one, "wall_time": "2026-03-03T15:00"}
    promised = kari.ok("POST", "/follow-ups", 201, json=asked)
    assert promised["asked_as"] == "own_zone"
    (moved,) = kari.ok("PUT", f"/customers/{one}/zone", json={**wish, "zone": "Asia/Tokyo"})["moved"]
    assert (moved["replaces"], moved["from_zone"], moved["to_zone"]) == (promised["id"], LISBON, "Asia/Tokyo")
    assert (moved["was_due_at"], moved["due_at"]) == ("2026-03-03T15:00:00Z", "2026-03-03T06:00:00Z")
    back = kari.ok("PUT", f"/customers/{one}/zone", json=wish)
    assert ([m["due_at"] for m in back["moved"]], back["stay"]) == (["2026-03-03T15:00:00Z"], [])
    (ended, *_) = kari.ok("GET", "/follow-ups", params={"which": "ended"})["items"]
    assert (ended["ended_by"], ended["asked_as"]) == ("moved", "own_zone")
    gone = kari.ok("POST", f"/customers/{one}/zone/withdraw", json={"reason": "mistaken"})
    assert gone["zone"] is None
    row = kari.ok("GET", f"/customers/{one}/zone")["items"][-1]
    assert (row["zone"], row["ended_reason"]) == (LISBON, "mistaken")
    kari.refused(404, "PUT", "/customers/9999/zone", json=wish)


def test_zones_from_the_command_line(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assignment = world.assignment()
    nowhere(world, assignment, 3)
    shell = Shell(world, monkeypatch)
    listed = shell.ok("zones", "unknown", "--json").document
    assert listed["total"] == 3
    one, two, three = (row["external_id"] for row in listed["customers"])
    before = shell.everything()
    shell.ok("zones", "verify", one, "Europe/Lisbon", "--reason", "asked", "--dry-run")
    assert shell.everything() == before
    assert "is vouched for" in shell.ok("zones", "verify", one, "Europe/Lisbon", "--reason", "asked").out
    assert shell.run("zones", "verify", one, "Lisbon", "--reason", "asked").code == 2
    file = tmp_path / "zones.csv"
    file.write_text(f"Customer;Zone\n{two};Europe/Lisbon\n{three};Lisboa\n", encoding="utf-8")
    said = shell.run("zones", "verify-list", str(file), "--reason", "invoices", "--source", "billing")
    assert said.code == 1
    assert "1 zone vouched for" in said.out
    assert "Lisboa" in said.out
    assert gate(world) == [None, None, "zone_unknown"]
    assert "invoices" in shell.ok("zones", "history", two).out
    shell.ok("zones", "withdraw", two, "--reason", "moved")
    person = shell.run("zones", "verify", one, "Asia/Tokyo", "--reason", "x", "--source", "billing")
    assert (person.code, "say --anyway if they are there all the same" in person.err) == (1, True)
    shell.ok("followups", "promise", one, "--at", "2026-03-03 15:00")
    told = shell.ok("zones", "verify", one, "Asia/Tokyo", "--reason", "moved", "--anyway").out
    assert "The call promised at 2026-03-03 15:00 their time is at 2026-03-03 15:00 in Asia/Tokyo" in told
    shell.ok("followups", "promise", one, "--at", "2026-03-04T10:00Z")
    stays = shell.ok("zones", "verify", one, "Europe/Lisbon", "--reason", "back", "--anyway").out
    assert "A call stays promised at 2026-03-04 19:00 in Asia/Tokyo." in stays
    assert gate(world) == [None, "zone_unknown", "zone_unknown"]
    assert three in shell.ok("zones", "unknown").out


def test_what_stops_a_number_for_itself_is_shown_beside_it(
    world: World, kari: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Suppressed and registered numbers are listed as such, and named where the choice is told.

    Planted: entries that were lifted, and that have run out; numbers that are left out not told; each seen
    to fail.
    """
    with known(monkeypatch, PT, ES):
        assignment = world.assignment("Spring")
        (one,) = world.customers(1, assignment)
        shell = Shell(world, monkeypatch)
        (first,) = numbers_of(world, one)
        lifted, listed, over = "+351919000001", "+351919000002", "+351919000003"
        with world.work() as work:
            more = """insert into customer_number (crm_id, customer_id, e164, position, zones)
                      values (:crm_id, :c, :e164, :place, '{Europe/Lisbon}')"""
            for place, e164 in enumerate((lifted, listed, over), 1):
                work.run(text(more), c=one, e164=e164, place=place)
            name = work.run(text("select external_id from customer where id = :c"), c=one).scalar_one()
        suppress(world.opener(), e164=first, reason="asked", author="Kari")
        suppress(world.opener(), e164=lifted, reason="asked", author="Kari")
        lift(world.opener(), e164=lifted, author="Kari")
        suppress(world.opener(), e164=over, reason="asked", author="Kari", expires_at=NOON)
        load(world, [listed])
        use(world.opener(), "PT-TEST", author="Kari")
        told = kari.ok("GET", f"/customers/{one}")["numbers"]
        assert [(n["suppressed"], n["registers"]) for n in told] == [
            ("crm", []), (None, []), (None, ["PT-TEST"]), (None, []),
        ]  # fmt: skip
        assert "suppressed" in shell.ok("numbers", "list", name).out
        why = shell.ok("numbers", "why", name, "--assignment", "Spring").out
        assert f"not rung: {first} (kind unknown): on the do-not-call list" in why
        assert f"not rung: {listed} (kind unknown): on PT-TEST" in why
        assert f"not rung: {lifted}" not in why
