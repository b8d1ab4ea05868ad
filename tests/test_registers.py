"""National registers: whom they name nobody rings, from the one commit on in which a version takes force."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from threading import Event
from typing import Any

import pytest
from interleaving import Hook, acting_before
from register_scene import ES, PT, TODAY, follow_all, gates_of, known, load, numbers_of, rows
from sellers_at_work import begun_behind, hand_outs, snapshot, wait_turns
from sheets import write_xlsx
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from world import NOON, World, wait_until

from benchmarks.floor import Floor
from benchmarks.registered import REGISTER, put_on_register
from calling.customers.tagging import tag, untag
from calling.handout.allocate import allocate, allocate_all
from calling.handout.hand_out import next_customer
from calling.handout.ring import ring
from calling.intake.numbers import Number, read_number
from calling.registers import coming, law, loading, stamping
from calling.registers.following import KEPT, follow
from calling.registers.law import read_registers
from calling.registers.reading import Numbers, Reading, read_register
from calling.registers.stamping import stamp
from calling.registers.using import end_exemption, exempt, use, use_no_more
from calling.registers.walling import wall
from calling.views.explain import explain
from calling.views.funnel import funnel
from models.errors import BadInput, Conflict, NotFound, NotNow

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _portugal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with known(monkeypatch, PT, ES):
        yield


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Hook:
    return acting_before(monkeypatch)


def used(world: World, numbers: list[str]) -> None:
    """A register with these numbers, and the CRM obeys it."""
    load(world, numbers)
    use(world.opener(), "PT-TEST", author="Kari")
    stamp(world.opener())


# --- the reviewed file ----------------------------------------------------------------------------


def test_every_shipped_row_has_a_source_or_says_that_it_has_none() -> None:
    shipped = law.read_registers(
        Path(law.__file__).parent.joinpath("../laws/registers.toml").read_text("utf-8")
    )
    assert {"NO-RESERVASJON", "US-DNC", "GB-TPS"} <= set(shipped)
    assert [row.name for row in shipped.values() if not row.sourced] == ["SE-NIX"]
    assert all(row.policy == "warn" for row in shipped.values() if not row.sourced)


def test_a_row_that_cannot_be_is_refused_with_everything_that_is_wrong() -> None:
    row = """[[register]]
    name="X"\ncountry="XX"\ntitle="t"\nbinds=["b2x"]\nwarn_after=9\nrefuse_after=9\npolicy="shout"
    source=""\nevidence="text"\nnote=""\n"""
    with pytest.raises(BadInput) as refused:
        read_registers(row)
    assert len(refused.value.data["problems"]) == 4


# --- files ----------------------------------------------------------------------------------------


def read(path: Path, region: str = "PT", column: str | None = None) -> tuple[list[str], Reading]:
    reading = Reading()
    found = [one for chunk in read_register(path, region, column=column, reading=reading) for one in chunk]
    return found, reading


def test_numbers_are_read_as_people_of_the_country_write_them(tmp_path: Path) -> None:
    path = tmp_path / "register.txt"
    path.write_text("912345678\n912 345 679\n+351 912 345 680\n00351912345681\n\n", encoding="utf-8")
    found, reading = read(path)
    assert found == ["+351912345678", "+351912345679", "+351912345680", "+351912345681"]
    assert (reading.lines, reading.bad_lines) == (5, 0)


@pytest.mark.parametrize("region", ["NO", "US", "GB", "IT", "AU", "SE", "FR", "PT", "BR", "AR", "MX", "RU"])
def test_the_fast_way_reads_no_number_otherwise_than_the_slow_one(region: str) -> None:
    """Every number that could be a customer's. Planted: the digits of an extension taken for the
    number's own; seen to fail."""
    dice = Random(region)
    numbers = Numbers(region)
    texts = []
    for _ in range(400):
        start = dice.choice(["", "0", "00", "1", "8", "9", "011", "15", "+39", "+1", "+5411", "+44 "])
        head = start + "".join(dice.choices("0123456789", k=dice.randint(2, 7)))
        texts += [head + "".join(dice.choices("0123456789", k=5)) for _ in range(6)]
    good = {text_: one.e164 for text_ in texts if isinstance(one := read_number(text_, region), Number)}
    assert len(good) > 60
    assert {text_: numbers.read(text_) for text_ in good} == good
    assert numbers.read("912345671 x1234") == numbers.read("912345671 x5678")


def test_a_column_is_taken_by_name_or_place_and_two_are_joined(tmp_path: Path) -> None:
    path = tmp_path / "register.csv"
    path.write_text("area,number,since\n212,5550100,2020\n212,5550101,2021\n", encoding="utf-8")
    assert read(path, "US", "area+number")[0] == ["+12125550100", "+12125550101"]
    assert read(path, "US", "1+2")[0] == ["+12125550100", "+12125550101"]
    with pytest.raises(BadInput, match="area, number, since"):
        read(path, "US", "phone")


def test_a_cell_in_quotes_may_hold_the_separator(tmp_path: Path) -> None:
    """Or whoever has a fax beside the telephone is rung on. Planted: lines split at each separator; seen to
    fail."""
    path = tmp_path / "register.csv"
    path.write_text('name,fax,phone\n"Silva, Ana",212345678,912345678\nRui,212345679,912345679\n', "utf-8")
    found, reading = read(path, column="phone")
    assert (found, reading.lines, reading.bad_lines) == (["+351912345678", "+351912345679"], 2, 0)
    path.write_text('"name";"phone 1"\n"Silva; Ana\nof Faro";"912345678"\n"Rui";"912345679"\n', "utf-8")
    assert read(path, column="phone 1") == (["+351912345678", "+351912345679"], Reading(2, 0, 1.0))
    path.write_text('"912345678"\n"912345679"\n', "utf-8")
    assert read(path)[0] == ["+351912345678", "+351912345679"]


def test_a_line_whose_cells_are_shifted_is_told_and_no_number_of_it_taken(tmp_path: Path) -> None:
    """Planted: the width not looked at; seen to fail."""
    path = tmp_path / "register.csv"
    good = "Rui,212345679,912345679\n" * 3
    bad = "Silva, Ana,212345678,912345678\n", 'Eva\n"Bo,212345670,912345670\n'
    path.write_text(f"name,fax,phone\n{bad[0]}{good}{bad[1]}{good}Li,1,912345671,,\n", "utf-8")
    found, reading = read(path, column="phone")
    assert found == ["+351912345679"] * 6 + ["+351912345671"]
    assert [(bad.line, bad.reason) for bad in reading.bad] == [
        (2, "4 cells, the first line has 3"),
        (6, "1 cell, the first line has 3"),
        (7, "a quotation mark is never closed"),
    ]


def test_of_several_numbers_in_a_cell_each_counts(tmp_path: Path) -> None:
    """Planted: the first alone; seen to fail."""
    path = tmp_path / "register.csv"
    path.write_text('name,phone\nAna,912345678 / 912345679\nBo,"912345670, 912345671"\n', "utf-8")
    found, reading = read(path, column="phone")
    assert found == ["+351912345678", "+351912345679", "+351912345670", "+351912345671"]
    assert (reading.lines, reading.bad_lines) == (2, 0)
    path.write_text("030/1234567\n030 12 34 567 ext. 12\n", "utf-8")
    assert read(path, "DE")[0] == ["+49301234567"] * 2


def test_a_workbook_and_what_is_no_text_are_refused_in_words(tmp_path: Path) -> None:
    """Planted: not looked at; seen to fail."""
    path = tmp_path / "ours.xlsx"
    write_xlsx(path, [["phone"], ["912345678"]])
    with pytest.raises(BadInput, match=r"ours.xlsx is an Excel workbook .* save it as CSV"):
        read(path, column="phone")
    path.write_bytes(b"%PDF-1.7\n\x00")
    with pytest.raises(BadInput, match=r"is no text file; give a number a line, or CSV$"):
        read(path)


def test_bad_lines_are_told_with_their_number_and_a_file_of_them_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "register.txt"
    path.write_text("912345678\nnobody\n912345679\n12\n912345670\n", encoding="utf-8")
    found, reading = read(path)
    assert len(found) == 3
    assert [(bad.line, bad.text) for bad in reading.bad] == [(2, "nobody"), (4, "12")]
    path.write_text("912345678\n" + "nobody\n" * 5_000, encoding="utf-8")
    with pytest.raises(BadInput, match=r"999 of 1000 lines .* line 2: 'nobody'"):
        read(path)


@pytest.mark.parametrize(
    ("country", "theirs", "ours"),
    [
        ("NO", ["+46701234567", "+351912345678"], "91234567"),
        ("US", ["+14165550100", "+18765550100", "+525555550100"], "2125550100"),
    ],
)
def test_a_file_without_one_number_of_the_country_is_refused_unless_told(
    tmp_path: Path, country: str, theirs: list[str], ours: str
) -> None:
    """Canada shares its calling code. Planted: any number of the code taken; seen to fail."""
    path = tmp_path / "register.txt"
    path.write_text("\n".join(theirs * 3), encoding="utf-8")
    with pytest.raises(BadInput, match=f"register.txt holds no number of {country} .*its first is.*--force"):
        read(path, country)
    reading = Reading()
    assert list(read_register(path, country, reading=reading, from_anywhere=True))
    path.write_text("\n".join([*theirs, ours]), encoding="utf-8")
    assert len(read(path, country)[0]) == len(theirs) + 1


def test_a_file_of_another_country_leaves_what_is_in_force(world: World, tmp_path: Path) -> None:
    path = tmp_path / "register.txt"
    path.write_text("+4791234567\n+4791234568\n", encoding="utf-8")
    first = load(world, ["+351912345671"])
    how: dict[str, Any] = {"dated": TODAY, "author": "Kari", "now": NOON}
    with pytest.raises(BadInput, match="holds no number of PT"):
        loading.load_register(world.app.shared, "PT-TEST", path, **how)
    assert [row.in_force for row in rows(world, "select in_force from register")] == [first.version_id]
    assert rows(world, "select 1 from register_staging") == []
    assert loading.load_register(world.app.shared, "PT-TEST", path, **how, force=True).numbers == 2


# --- versions -------------------------------------------------------------------------------------


def test_a_version_is_the_difference_to_the_one_before(world: World) -> None:
    first = load(world, ["+351912345671", "+351912345672", "+351912345671"], TODAY - DAY)
    assert (first.added, first.removed, first.numbers) == (2, 0, 2)
    second = load(world, ["+351912345672", "+351912345673"])
    assert (second.before, second.added, second.removed, second.numbers) == (2, 1, 1, 2)
    found = rows(world, "select name, dated, numbers, in_force from register")
    assert [tuple(row) for row in found] == [("PT-TEST", TODAY, 2, second.version_id)]
    assert rows(world, "select 1 from register_staging") == []


def test_an_older_file_one_of_tomorrow_and_one_that_lacks_too_much_are_refused(world: World) -> None:
    """Planted: the share left out; seen to fail."""
    numbers = [f"+35191234567{n}" for n in range(10)]
    load(world, numbers)
    with pytest.raises(BadInput, match="older than the version in force"):
        load(world, numbers, TODAY - DAY)
    with pytest.raises(BadInput, match="has not come"):
        load(world, numbers, TODAY + 2 * DAY)
    with pytest.raises(BadInput, match="lacks 3 of the 10"):
        load(world, numbers[:7], force=False)
    assert load(world, numbers[:8], force=False).removed == 2
    with pytest.raises(BadInput, match="holds no number"):
        load(world, [])


def test_a_file_that_is_not_there_leaves_no_version(world: World, tmp_path: Path) -> None:
    """Planted: the load begun before anybody looks for the file; seen to fail."""
    with pytest.raises(BadInput, match="there is no such file"):
        loading.load_register(
            world.app.shared, "PT-TEST", tmp_path / "gone.txt", dated=TODAY, author="Kari", now=NOON
        )
    assert rows(world, "select 1 from register_version") == []


def test_a_dry_run_tells_what_would_be_and_leaves_nothing(world: World) -> None:
    load(world, ["+351912345671"])
    told = load(world, ["+351912345672"], dry_run=True)
    assert (told.version_id, told.added, told.removed) == (None, 1, 1)
    assert len(rows(world, "select 1 from register_version")) == 1
    assert [row.e164 for row in rows(world, "select e164 from register_number")] == ["+351912345671"]


def test_a_load_that_died_is_as_if_it_had_never_been(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dead after the difference was written, before it took force. Planted: not discarded; seen to fail."""
    load(world, ["+351912345671", "+351912345672"])

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(coming, "take_force", die)
        patch.setattr(coming, "_DISCARD", text("select 1 where :id = 0 and :why = '' and :now is null"))
        with pytest.raises(KeyboardInterrupt):
            load(world, ["+351912345672", "+351912345673"])
    assert (
        len(rows(world, "select 1 from register_version where in_force_at is null and failed_at is null"))
        == 1
    )
    told = load(world, ["+351912345671", "+351912345672"])
    assert (told.added, told.removed, told.numbers) == (0, 0, 2)
    failed = rows(world, "select why from register_version where failed_at is not null")
    assert [row.why for row in failed] == ["another load began"]


def test_of_two_loads_at_once_the_first_is_overtaken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: force taken by whoever comes last; seen to fail."""
    real = coming.take_force

    def overtaken(*args: Any) -> None:
        monkeypatch.setattr(coming, "take_force", real)
        load(world, ["+351912345672"])
        real(*args)

    monkeypatch.setattr(coming, "take_force", overtaken)
    with pytest.raises(Conflict, match="another load"):
        load(world, ["+351912345671"])
    assert [row.e164 for row in rows(world, "select e164 from register_number")] == ["+351912345672"]


def test_a_load_that_is_overtaken_while_it_reads_changes_nothing(world: World) -> None:
    """It is looked at twice: by the function that works out the difference, and where it takes force."""

    def slowly() -> Iterator[list[str]]:
        yield ["+351912345671"]
        load(world, ["+351912345672"])
        yield ["+351912345673"]

    with pytest.raises(Conflict, match="another load"):
        loading.load_numbers(
            world.app.shared, PT, slowly(), file="slow.txt", dated=TODAY, author="Bo", now=NOON
        )
    assert [row.e164 for row in rows(world, "select e164 from register_number")] == ["+351912345672"]
    assert rows(world, "select 1 from register_staging") == []


def test_the_application_writes_no_number_but_through_a_load(world: World) -> None:
    load(world, ["+351912345671"])
    for statement in (
        "delete from register_number", "update register_number set removed_in = 1",
        "insert into register_number values (1, '+1', 1, null)",
    ):  # fmt: skip
        with pytest.raises(ProgrammingError, match="permission denied"), world.work() as work:
            work.run(text(statement))


def test_who_left_a_register_is_forgotten_once_no_ring_is_judged_by_it(world: World) -> None:
    """Rings of the last 400 days are. Planted: forgotten as soon as everybody has followed; seen to fail."""
    used(world, ["+351912345671"])
    load(world, ["+351912345672"])
    follow_all(world)
    assert len(rows(world, "select 1 from register_number")) == 2
    follow_all(world, NOON + KEPT + DAY)
    assert [row.e164 for row in rows(world, "select e164 from register_number")] == ["+351912345672"]


# --- the gate -------------------------------------------------------------------------------------


def test_whom_a_register_names_nobody_is_given_and_everybody_is_told_why(world: World) -> None:
    """Planted: the gate left out of STAMPED; seen to fail."""
    assignment = world.assignment()
    named, free = world.customers(2, assignment)
    used(world, numbers_of(world, named))
    assert gates_of(world) == {named: "register", free: None}
    assert allocate_all(world.opener(), assignment) == 0
    world.seller(assignment)
    allocate_all(world.opener(), assignment)
    assert [row.customer_id for row in rows(world, "select customer_id from lease")] == [free]
    with world.work() as work:
        told = explain(work, assignment, named)
        steps = {step.gate: step.customers for step in funnel(work, assignment).steps}
    assert [(a.gate, a.until) for a in told.answers if not a.open] == [("register", None)]
    assert told.callable_at is None
    assert steps["register"] == 1


def test_the_next_number_is_rung_that_is_on_no_register(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    (first,) = numbers_of(world)
    with world.work() as work:
        work.run(
            text("""insert into customer_number (crm_id, customer_id, e164, position, zones)
                    values (:crm_id, :c, '+351210000009', 1, '{Europe/Lisbon}')"""),
            c=customer,
        )
    used(world, [first])
    handed = next_customer(world.opener(), world.seller(assignment))
    assert handed is not None
    assert handed.e164 == "+351210000009"


def test_a_register_binds_only_the_crm_that_uses_it(world: World) -> None:
    other = world.neighbour()
    assignment, theirs = world.assignment(), other.assignment()
    world.customers(1, assignment)
    other.customers(1, theirs)
    used(world, numbers_of(world) + numbers_of(other))
    assert next_customer(world.opener(), world.seller(assignment)) is None
    assert next_customer(other.opener(), other.seller(theirs)) is not None


def test_who_enters_later_is_stamped_at_once(world: World) -> None:
    from calling.intake.placing import place

    assignment = world.assignment()
    (customer,) = world.customers(1)
    used(world, numbers_of(world))
    place(world.opener(), assignment)
    assert gates_of(world) == {customer: "register"}


def test_ring_never_trusts_the_stamp(world: World) -> None:
    """The version takes force between take and ring; nobody has followed yet."""
    assignment = world.assignment()
    world.customers(1, assignment)
    load(world, ["+351912345671"])
    use(world.opener(), "PT-TEST", author="Kari")
    seller = world.seller(assignment)
    handed = next_customer(world.opener(), seller)
    assert handed is not None
    load(world, [handed.e164])
    with world.work() as work, pytest.raises(NotNow, match="register"):
        ring(work, handed.lease_id, seller)


# --- following ------------------------------------------------------------------------------------


def test_a_load_calls_back_what_is_offered_and_opens_who_left(world: World) -> None:
    """P8. Planted: the recall left out of `wall`; seen to fail."""
    assignment = world.assignment()
    customers = world.customers(3, assignment)
    stays, leaves, comes = numbers_of(world)
    used(world, [stays, leaves])
    seller = world.seller(assignment)
    handed = next_customer(world.opener(), seller)
    assert handed is not None
    assert handed.e164 == comes
    load(world, [stays, comes])
    told = follow_all(world)
    assert (told.in_the_air.crms, told.in_the_air.recalled, told.stamped) == (1, 1, 1)
    assert gates_of(world) == dict(zip(customers, ["register", None, "register"], strict=True))
    assert follow_all(world).in_the_air.crms == 0


@pytest.mark.parametrize("hand_out", ["allocate", "next"])
def test_a_load_waits_for_whoever_has_passed_the_turnstile(world: World, hand_out: str) -> None:
    """P8, step by step. Planted: the turnstiles not passed by `wall`; seen to fail."""
    from contextlib import nullcontext

    assignment = world.assignment()
    world.customers(4, assignment)
    used(world, ["+351210000001"])
    seller = world.seller(assignment)
    if hand_out == "next":
        allocate_all(world.opener(), assignment)
    with ThreadPoolExecutor(1) as pool:
        with world.work() as work:
            if hand_out == "allocate":
                assert allocate(work, assignment).leased == 2
            else:
                assert next_customer(lambda: nullcontext(work), seller)
            load(world, numbers_of(world))
            waiting = pool.submit(wall, world.opener())
            wait_until(lambda: waiting.done() or bool(world.waited_for()))
            assert world.waited_for() == ["advisory"]
        answer = waiting.result()
    assert len(answer.recalled) == 2
    assert rows(world, "select 1 from lease where ended_at is null") == []


@pytest.mark.once
def test_nothing_begins_behind_a_load_while_sellers_work(world: World) -> None:
    """P8 by race: allocate, take and ring against the loader. Planted: `ring` and allocation blind; seen."""
    assignment = world.assignment(gap_seconds=0, max_attempts=255)
    world.customers(60, assignment)
    everybody = numbers_of(world)
    used(world, ["+351210000001"])
    sellers = [world.seller(assignment) for _ in range(4)]
    turns, stopping = dict.fromkeys(sellers, 0), Event()
    with ThreadPoolExecutor(4) as pool:
        loops = [pool.submit(hand_outs, world, seller, stopping, turns) for seller in sellers]
        try:
            for _ in range(3):
                wait_turns(turns, 2)
                load(world, everybody)
                wall(world.opener())
                seen = snapshot(world)
                wait_turns(turns, 2)
                assert begun_behind(seen, snapshot(world)) == []
                load(world, ["+351210000001"])
                follow_all(world)
                with world.work() as work:
                    work.run(
                        text("""update placement set state = 'ready', attempts = 0, due_at = null
                                      where state = 'resting'""")
                    )
        finally:
            stopping.set()
    for loop in loops:
        loop.result()


def test_a_tick_goes_on_where_a_crash_left_the_stamps(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a version finished by its first window; seen to fail."""
    monkeypatch.setattr(stamping, "WINDOW", 2)
    assignment = world.assignment()
    customers = world.customers(5, assignment)
    load(world, numbers_of(world))
    use(world.opener(), "PT-TEST", author="Kari")

    class Dead(Exception):
        pass

    def die(_: int) -> None:
        raise Dead

    with pytest.raises(Dead):
        stamp(world.opener(), die)
    assert list(gates_of(world).values()).count("register") == 2
    looked_at: list[int] = []
    assert stamp(world.opener(), looked_at.append) == 3
    assert (sum(looked_at), list(gates_of(world))) == (3, customers)
    assert stamping.uses_to_stamp(world.opener()) == []


def test_a_version_that_comes_while_another_is_followed_begins_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamping, "WINDOW", 2)
    assignment = world.assignment()
    customers = world.customers(4, assignment)
    numbers = numbers_of(world)
    load(world, numbers[2:])
    use(world.opener(), "PT-TEST", author="Kari")
    came: list[int] = []

    def another(_: int) -> None:
        if not came:
            came.append(1)
            load(world, numbers[:2])

    stamp(world.opener(), another)
    assert gates_of(world) == dict(zip(customers, ["register", "register", None, None], strict=True))


def test_a_crm_that_uses_it_no_more_is_free_again(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    used(world, numbers_of(world))
    use_no_more(world.opener(), "PT-TEST", author="Kari")
    follow(world.opener())
    assert gates_of(world) == {customer: None}
    with pytest.raises(Conflict, match="does not use"):
        use_no_more(world.opener(), "PT-TEST", author="Kari")
    with pytest.raises(NotFound, match="did you mean PT-TEST"):
        use(world.opener(), "pt-tst", author="Kari")


# --- exemptions -----------------------------------------------------------------------------------


def test_a_named_manager_lets_an_assignment_off_and_takes_it_back(world: World) -> None:
    """Planted: an end of it without a wall; seen to fail."""
    assignment, other = world.assignment(), world.assignment()
    (customer,) = world.customers(1, assignment)
    world.place([customer], other)
    used(world, numbers_of(world))
    key = exempt(
        world.opener(),
        "PT-TEST",
        assignment_id=assignment,
        reason="asked us to call",
        manager="Kari",
        author="Kari",
    )
    stamp(world.opener())
    found = rows(world, "select gated_by from placement order by assignment_id")
    assert [row.gated_by for row in found] == [None, "register"]
    handed = next_customer(world.opener(), world.seller(assignment))
    assert handed is not None
    answer = end_exemption(world.opener(), key, author="Ola")
    assert answer.recalled == [handed.lease_id]
    stamp(world.opener())
    assert {row.gated_by for row in rows(world, "select gated_by from placement")} == {"register"}
    with pytest.raises(Conflict, match="ended already"):
        end_exemption(world.opener(), key, author="Ola")


def test_customers_with_a_tag_are_let_off_while_they_have_it(world: World) -> None:
    """Planted: tags that stamp nobody; seen to fail."""
    assignment = world.assignment()
    customers = world.customers(2, assignment)
    used(world, numbers_of(world))
    exempt(world.opener(), "PT-TEST", tag="customer-since", reason="customers", manager="Kari", author="Kari")
    stamp(world.opener())
    assert set(gates_of(world).values()) == {"register"}
    tag(world.opener(), customers[:1], ["customer-since"], source="hand", author="Kari")
    assert gates_of(world) == {customers[0]: None, customers[1]: "register"}
    handed = next_customer(world.opener(), world.seller(assignment))
    assert handed is not None
    untag(world.opener(), customers[:1], ["customer-since"])
    assert rows(world, "select ended_by from lease")[0].ended_by == "recalled"
    assert next_customer(world.opener(), world.seller(assignment)) is None


def test_an_exemption_needs_a_name_a_reason_and_one_of_two(world: World) -> None:
    world.assignment()
    used(world, ["+351912345671"])
    for wrong in (
        {"manager": " ", "tag": "x"},
        {"reason": "", "tag": "x"},
        {},
        {"tag": "x", "assignment_id": 1},
    ):
        with pytest.raises(BadInput, match="exemption"):
            exempt(world.opener(), "PT-TEST", **({"manager": "Kari", "reason": "r", "author": "Bo"} | wrong))
    with pytest.raises(Conflict, match="does not use"):
        exempt(world.opener(), "ES-TEST", tag="x", reason="r", manager="Kari", author="Kari")


# --- grown too old --------------------------------------------------------------------------------


def test_a_register_that_grew_too_old_shuts_its_country_to_the_second(world: World) -> None:
    """Its last day is the customer's own: Azores and Lisbon, so Lisbon's midnight. No row is touched."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment, zones=["Atlantic/Azores", "Europe/Lisbon"])
    used(world, ["+351210000001"])
    with world.work() as work:  # any hour, any day: what shuts is the register
        work.run(
            text("""update crm set hours = jsonb_build_object('mon', w, 'tue', w, 'wed', w, 'thu', w,
            'fri', w, 'sat', w, 'sun', w)
            from (select '[["00:00", "24:00"]]'::jsonb as w) x where id = :crm_id""")
        )
    seller = world.seller(assignment)
    ends = (NOON + 30 * DAY).replace(hour=23)  # midnight in Lisbon, where summer has begun
    assert next_customer(world.opener(ends), seller) is None
    with world.work(ends) as work:
        told = explain(work, assignment, customer)
        steps = {step.gate: step.next_at for step in funnel(work, assignment).steps}
    assert [(a.gate, a.until) for a in told.answers if not a.open] == [("register_stale", None)]
    assert "PT-TEST may be called by until 2026-04-01" in told.answers[-1].fact
    assert told.callable_at is None
    assert steps == {"register_stale": None}
    second = timedelta(seconds=1)
    handed = next_customer(world.opener(ends - second), seller)
    assert handed is not None
    assert handed.ring_by == ends
    with world.work(ends) as work, pytest.raises(NotNow):
        ring(work, handed.lease_id, seller)
    load(world, ["+351210000001"], ends.date(), ends)
    assert gates_of(world) == {customer: None}
    with world.work(ends) as work:
        assert explain(work, assignment, customer).answers[-1].gate == "window"


def test_a_register_of_another_country_shuts_nobody_here(world: World) -> None:
    assignment = world.assignment()
    world.customers(1, assignment)
    load(world, ["+34612345678"], TODAY - 200 * DAY, row=ES)
    use(world.opener(), "ES-TEST", author="Kari")
    assert next_customer(world.opener(), world.seller(assignment)) is not None


def test_a_register_that_was_never_loaded_lets_nobody_be_called(world: World) -> None:
    assignment = world.assignment()
    world.customers(1, assignment)
    use(world.opener(), "PT-TEST", author="Kari")
    seller = world.seller(assignment)
    assert next_customer(world.opener(), seller) is None
    load(world, ["+351210000001"])
    assert next_customer(world.opener(), seller) is not None


@pytest.mark.parametrize("version", [None, TODAY - 200 * DAY])
def test_a_register_that_shuts_its_country_is_a_wall_as_it_is_used(
    world: World, version: date | None
) -> None:
    """P8: whoever rings is named, what was offered comes back, nobody on the register or not.

    Planted: a use without a version in force is no wall; one that takes nothing back that was shut;
    both seen to fail.
    """
    assignment = world.assignment()
    world.customers(3, assignment)
    if version:
        load(world, ["+351210000001"], version)
    talking, reading = world.seller(assignment), world.seller(assignment)
    card = next_customer(world.opener(), talking)
    offered = next_customer(world.opener(), reading)
    assert card
    assert offered
    with ThreadPoolExecutor(1) as pool:
        with world.work() as work:  # it has passed the turnstile, and seen the doors open
            ring(work, card.lease_id, talking)
            walling = pool.submit(use, world.opener(), "PT-TEST", author="Kari")
            wait_until(lambda: walling.done() or "advisory" in world.waited_for())
        answer = walling.result()
    assert answer.rung == [card.lease_id]
    assert offered.lease_id in answer.recalled
    assert not rows(world, "select 1 from lease where state in ('offered', 'taken')")
    assert next_customer(world.opener(), reading) is None
    assert wall(world.opener()).rung == []  # it stands: nobody is asked again


def test_a_benchmark_puts_its_customers_on_a_register(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is stamped is not in the index that allocation probes."""
    monkeypatch.setattr(law, "shipped", lambda: {REGISTER: replace(PT, name=REGISTER, country="SE")})
    assignment = world.assignment()
    world.customers(200, assignment)
    assert put_on_register(Floor(world.app, world.crm_id, assignment, 200), 30) == 60
    probed = rows(world, "select 1 from placement where state = 'ready' and gated_by is null")
    assert len(probed) == 140
