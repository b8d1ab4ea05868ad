"""A unique value stands once in its CRM, whoever writes at once; who gives it up or goes frees it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from interleaving import acting_before
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from world import World, wait_until

from calling.catalogue import uniqueness
from calling.catalogue.changing import add, change
from calling.catalogue.field import Field
from calling.customers import editing
from calling.customers.editing import edit_customer
from calling.intake.importing import ImportReport, import_file
from models import sql
from models.errors import BadValues, Conflict, RingelisteError

KEEP = text("update customer set fields = fields || cast(:new as jsonb) where crm_id = :crm_id and id = :id")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


@pytest.fixture
def policy(world: World) -> None:
    """A unique field."""
    add(world.opener(), Field("policy", "text", "Policy", unique=True))


def kept(world: World) -> dict[str, int]:
    """The unique values and whose they are."""
    with world.work() as work:
        rows = work.run(text("select value, customer_id from unique_value where field = 'policy'"))
        return {row.value: row.customer_id for row in rows}


def true_ones(world: World) -> dict[str, int]:
    """The same, gathered anew from the customers."""
    sql = """select unique_text(fields -> 'policy') as value, id from customer
              where unique_text(fields -> 'policy') is not null and anonymised_at is null"""
    with world.work() as work:
        rows = work.run(text(sql)).all()
    assert len({row.value for row in rows}) == len(rows), "a value stands twice"
    return {row.value: row.id for row in rows}


def people(world: World, *policies: str | None) -> list[int]:
    return world.customers(
        len(policies), fields=lambda i: {} if policies[i] is None else {"policy": policies[i]}
    )


def edit(world: World, customer: int, policy: str | None) -> Any:
    return edit_customer(world.opener(), customer, {"fields": {"policy": policy}}, author="Kari")


def load(world: World, folder: Path, lines: str, name: str = "list.csv", **options: Any) -> ImportReport:
    path = folder / name
    path.write_text("id,phone,policy\n" + lines, encoding="utf-8")
    return import_file(world.opener(), path, region="PT", **options)


# --- the database keeps them, whoever writes ------------------------------------------------------


@pytest.mark.usefixtures("policy")
def test_whatever_is_written_is_kept_and_a_second_one_is_refused(world: World) -> None:
    """By plain SQL, past every verb of ours. Planted: the trigger of changed rows dropped; seen to fail."""
    one, other = people(world, "A1", None)
    assert kept(world) == {"A1": one}
    with world.work() as work:
        work.run(KEEP, id=other, new='{"policy": "A2"}')
    assert kept(world) == {"A1": one, "A2": other}
    with pytest.raises(IntegrityError) as refused, world.work() as work:
        work.run(KEEP, id=other, new='{"policy": "A1"}')
    assert uniqueness.is_taken(refused.value)
    with pytest.raises(IntegrityError):
        people(world, "A1")
    assert kept(world) == true_ones(world) == {"A1": one, "A2": other}


@pytest.mark.usefixtures("policy")
def test_a_value_that_is_given_up_is_free(world: World) -> None:
    """Changed, taken away, and gone with the customer. Planted: the anonymised keep theirs; seen to fail."""
    one, other, third = people(world, "A1", "A2", "A3")
    edit(world, one, "B1")
    edit(world, other, "A1")
    edit(world, one, None)
    edit(world, other, "B1")
    assert kept(world) == true_ones(world) == {"B1": other, "A3": third}
    with world.work() as work:
        work.run(text("update customer set anonymised_at = :now, fields = '{}' where id = :id"), id=third)
    edit(world, one, "A3")
    with world.work() as work:  # an anonymiser that forgot the fields
        work.run(text("update customer set anonymised_at = :now where id = :id"), id=one)
    assert kept(world) == {"B1": other}


@pytest.mark.usefixtures("policy")
def test_one_statement_may_swap_values(world: World) -> None:
    one, other = people(world, "A1", "A2")
    with world.work() as work:
        work.run(
            text("""update customer set fields = jsonb_build_object('policy',
                        case fields ->> 'policy' when 'A1' then 'A2' else 'A1' end)""")
        )
    assert kept(world) == {"A2": one, "A1": other}


@pytest.mark.usefixtures("policy")
def test_the_neighbour_may_have_the_same_value(world: World) -> None:
    neighbour = world.neighbour()
    add(neighbour.opener(), Field("policy", "text", "Policy", unique=True))
    people(world, "A1")
    people(neighbour, "A1")
    assert len(kept(world)) == len(kept(neighbour)) == 1


def test_a_number_is_one_however_it_is_written(world: World) -> None:
    add(world.opener(), Field("account", "number", "Account", unique=True))
    one, other = world.customers(2, fields=lambda i: {"account": 10.0} if i == 0 else {})
    with pytest.raises(BadValues, match="has this value already"):
        edit_customer(world.opener(), other, {"fields": {"account": 10}}, author="Kari")
    edit_customer(world.opener(), one, {"fields": {"account": 11}}, author="Kari")
    edit_customer(world.opener(), other, {"fields": {"account": 10}}, author="Kari")


# --- at once --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("policy")
def test_two_edits_at_once_give_a_value_to_one(
    world: World, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have looked, and nobody had it. Planted: no second look, so that a bug was told; seen to fail."""
    one, other = people(world, None, None)
    before = acting_before(monkeypatch)
    before(editing._WRITE, lambda: edit(world, other, "A1"))
    with pytest.raises(BadValues, match=r'fields.policy: customer "[0-9]+" has this value already'):
        edit(world, one, "A1")
    assert kept(world) == true_ones(world) == {"A1": other}


@pytest.mark.usefixtures("policy")
def test_many_edits_of_few_values_at_once(world: World, pool: ThreadPoolExecutor) -> None:
    """Everybody gives and takes the same values: no deadlock, and none twice."""
    ids = people(world, *[f"A{i}" for i in range(8)])
    together = Barrier(8, timeout=30)

    def go(me: int) -> int:
        together.wait()
        done = 0
        for turn in range(40):
            try:
                edit(world, ids[(me + turn) % 8], f"A{(me * 3 + turn * 5) % 10}")
                done += 1
            except BadValues:
                edit(world, ids[(me + turn) % 8], None)
            except Conflict as conflict:  # again and again overtaken; a deadlock has a state
                if conflict.data.get("sqlstate") is not None:
                    raise
        return done

    done = [future.result() for future in [pool.submit(go, me) for me in range(8)]]
    assert all(done)
    assert kept(world) == true_ones(world)


@pytest.mark.usefixtures("policy")
def test_swapping_at_once_never_deadlocks(world: World, pool: ThreadPoolExecutor) -> None:
    """Two statements of many rows, each giving to its customers what the other's have.

    Planted: the trigger without its locks in the order of the key; seen to deadlock.
    """
    ids = people(world, *[f"A{i:02}" for i in range(40)])
    together = Barrier(2, timeout=30)
    swap = text("""
        update customer set fields = jsonb_build_object('policy', w.value)
          from unnest(cast(:ids as bigint[]), cast(:values as text[])) as w(id, value)
         where customer.id = w.id
    """)

    def go(mine: list[int], names: list[str]) -> None:
        for turn in range(30):
            together.wait()
            turned = names[turn % len(names) :] + names[: turn % len(names)]
            try:
                with world.work() as work:
                    work.run(swap, ids=mine, values=turned)
            except IntegrityError as error:
                if not uniqueness.is_taken(error):
                    raise

    halves = [
        (ids[:20], [f"A{i:02}" for i in range(10, 30)]),
        (ids[20:], [f"A{i:02}" for i in range(30, 10, -1)]),
    ]
    for future in [pool.submit(go, *half) for half in halves]:
        future.result()
    assert kept(world) == true_ones(world)


@pytest.mark.usefixtures("policy")
def test_two_imports_at_once_take_a_value_once(
    world: World, tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    """Different customers, the same values, small chunks: each line is created or told."""
    together = Barrier(2, timeout=30)

    def go(prefix: str) -> ImportReport:
        lines = "".join(f"{prefix}{i},,P{i % 60}\n" for i in range(100))
        together.wait()
        return load(world, tmp_path, lines, f"{prefix}.csv")

    reports = [future.result() for future in [pool.submit(go, prefix) for prefix in "xy"]]
    assert sum(report.created for report in reports) == 60
    assert sum(report.rejected for report in reports) == 140
    assert kept(world) == true_ones(world)
    assert len(kept(world)) == 60


@pytest.mark.usefixtures("policy")
def test_an_import_of_known_customers_that_is_overtaken(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit takes the value after the import has looked. Planted: no second look; the import broke off."""
    load(world, tmp_path, "A,,\nB,,\n")
    with world.work() as work:
        ids = {row.external_id: row.id for row in work.run(text("select external_id, id from customer"))}
    before = acting_before(monkeypatch)
    before(sql.load("import_update"), lambda: edit(world, ids["B"], "P1"))
    report = load(world, tmp_path, "A,,P1\n")
    assert (report.updated, report.rejected) == (0, 1)
    assert report.rejects[0].reason == 'customer "B" has this value already (unique field policy)'
    assert kept(world) == {"P1": ids["B"]}


@pytest.mark.usefixtures("policy")
def test_an_import_of_new_customers_that_is_overtaken(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same before new customers are written: the other rows of the chunk are taken all the same."""
    (other,) = people(world, None)
    before = acting_before(monkeypatch)
    before(sql.load("import_new"), lambda: edit(world, other, "P1"))
    report = load(world, tmp_path, "A,,P1\nB,,P2\nC,,\n")
    assert (report.created, report.rejected, report.rejects[0].line) == (2, 1, 2)
    assert kept(world) == true_ones(world)
    assert kept(world)["P1"] == other


def test_a_field_that_becomes_unique_while_others_write(world: World, pool: ThreadPoolExecutor) -> None:
    """A writer who began before sees no unique field; its value is gathered all the same.

    Planted: gathered without waiting for those who write; seen to fail.
    """
    add(world.opener(), Field("policy", "text", "Policy"))
    one, other = people(world, None, "A2")
    with world.work() as work:
        work.run(KEEP, id=one, new='{"policy": "A1"}')
        making = pool.submit(change, world.opener(), "policy", {"unique": True})
        wait_until(lambda: waits(world) or making.done())
        assert not making.done()
    making.result()
    assert kept(world) == true_ones(world) == {"A1": one, "A2": other}


def test_a_double_that_comes_while_a_field_becomes_unique(world: World, pool: ThreadPoolExecutor) -> None:
    """The field stays as it was, and says so. Nothing of what was gathered hinders anybody."""
    add(world.opener(), Field("policy", "text", "Policy"))
    one, _ = people(world, None, "A2")
    with world.work() as work:
        work.run(KEEP, id=one, new='{"policy": "A2"}')
        making = pool.submit(change, world.opener(), "policy", {"unique": True})
        wait_until(lambda: waits(world) or making.done())
    with pytest.raises(Conflict, match="a second time"):
        making.result()
    with world.work() as work:
        assert work.run(text("select is_unique from field")).scalar_one() is False
    edit(world, one, "A3")
    change(world.opener(), "policy", {"unique": True})
    assert kept(world) == true_ones(world)


def waits(world: World) -> bool:
    """Somebody waits for a lock in this database."""
    sql = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    with world.app.shared() as session:
        return session.execute(text(sql)).first() is not None


# --- in one file, and over several ----------------------------------------------------------------


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Transactions of 3 rows."""
    monkeypatch.setattr("calling.intake.parallel.CHUNK", 3)


def told(report: ImportReport) -> list[tuple[int, str, str, str]]:
    return [(one.line, one.column, one.value, one.reason.partition(" (")[0]) for one in report.rejects]


@pytest.mark.usefixtures("policy")
@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("chunks", [3, 10_000])
def test_in_one_file_the_first_line_has_the_value(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dry_run: bool, chunks: int
) -> None:
    """In the same chunk and in a later one; a dry run tells the same. Planted: given only within a chunk."""
    monkeypatch.setattr("calling.intake.parallel.CHUNK", chunks)
    load(world, tmp_path, "K,,P9\n")
    lines = "A,,P1\nB,,P1\nC,,P2\nD,,P1\nE,,P9\nK,,P9\nF,,\nG,,\nC,,P3\n"
    report = load(world, tmp_path, lines, dry_run=dry_run)
    assert told(report) == [
        (3, "policy", "P1", "line 2 has this value already"),
        (5, "policy", "P1", "line 2 has this value already"),
        (6, "policy", "P9", 'customer "K" has this value already'),
        (10, "id", "C", "line 4 has this customer id already"),
    ]
    assert (report.created, report.unchanged, report.rejected) == (4, 1, 4)
    if not dry_run:
        assert kept(world) == true_ones(world)
        assert kept(world).keys() == {"P1", "P2", "P9"}
        again = load(world, tmp_path, lines)
        assert (again.created, again.updated, again.unchanged, again.rejected) == (0, 0, 5, 4)


@pytest.mark.usefixtures("policy", "small_chunks")
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_row_that_was_not_taken_stands_in_nobodys_way(world: World, tmp_path: Path, dry_run: bool) -> None:
    """Neither with its customer id nor with its value. Planted: its id stays taken; seen to fail."""
    load(world, tmp_path, "K,,P9\n")
    report = load(world, tmp_path, "A,,P9\nB,1,P1\nC,,\nA,,P1\nD,,\nE,,\n", dry_run=dry_run)
    assert [(line, column) for line, column, *_ in told(report)] == [(2, "policy"), (3, "phone")]
    assert (report.created, report.rejected) == (4, 2)


@pytest.mark.usefixtures("policy")
def test_a_file_moves_a_value_on_in_two_imports(world: World, tmp_path: Path) -> None:
    """Who has a value keeps it against a line before it gives it up; the next import finds it free."""
    load(world, tmp_path, "A,,P1\nB,,P2\n")
    lines = "A,,P3\nB,,P1\n"
    first, second = load(world, tmp_path, lines), load(world, tmp_path, lines)
    assert told(first) == [(3, "policy", "P1", 'customer "A" has this value already')]
    assert (first.updated, second.updated, second.rejected) == (1, 1, 0)
    assert kept(world).keys() == {"P3", "P1"}


@pytest.mark.usefixtures("policy", "small_chunks")
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_value_given_up_chunks_before_is_free(world: World, tmp_path: Path, dry_run: bool) -> None:
    """A dry run, which wrote nothing, tells the same. Planted: it asks the database alone; seen to fail."""
    load(world, tmp_path, "K,,P9\n")
    report = load(world, tmp_path, "K,,P5\nA,,\nB,,\nZ,,P9\n", dry_run=dry_run)
    assert (report.created, report.updated, told(report)) == (3, 1, [])


@pytest.mark.usefixtures("policy")
def test_both_of_a_rows_problems_are_told(world: World, tmp_path: Path) -> None:
    add(world.opener(), Field("account", "number", "Account", unique=True))
    path = tmp_path / "list.csv"
    path.write_text("id,phone,policy,account\nA,,P1,1\nB,,P1,1.0\n", encoding="utf-8")
    report = import_file(world.opener(), path, region="PT", rejects=tmp_path / "bad.csv")
    assert told(report)[-2:] == [
        (3, "account", "1", "line 2 has this value already"),
        (3, "policy", "P1", "line 2 has this value already"),
    ]
    assert report.rejected == 1


def test_what_is_refused_is_one_of_our_errors(world: World) -> None:
    assert issubclass(BadValues, RingelisteError)
    with pytest.raises(BadValues) as refused:
        edit_customer(world.opener(), people(world, None)[0], {"fields": {"policy": 1}}, author="Kari")
    assert refused.value.data["problems"][0]["path"] == "fields.policy"
