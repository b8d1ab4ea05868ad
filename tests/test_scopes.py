"""Do-not-call for all CRMs of the data owner, or for everyone: one origin, a wall in each CRM (P7, P8)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from promises import violations
from register_scene import rows
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from world import NOON, OFFICE_HOURS, World, wait_until

from calling import register
from calling.handout.allocate import allocate, allocate_all
from calling.handout.due import open_gates
from calling.handout.hand_out import next_customer
from calling.handout.ring import ring
from calling.outcomes.outcome import Report, record_all
from calling.walls import scopes
from calling.walls.listed import import_list
from calling.walls.suppress import finish_suppressions, lift, scopes_of, suppress
from models.errors import BadInput
from models.outcomes import Outcome

HOUR = timedelta(hours=1)
NUMBER = "+351912345678"


def sister(world: World, *, same_owner: bool = True) -> World:
    """Another CRM with a customer who has the number of our first one; of our owner or of another."""
    other = world.neighbour()
    if same_owner:
        with world.app.shared() as session:
            session.execute(
                text("update crm set owner_id = :owner where id = :id"),
                {"owner": world.owner_id, "id": other.crm_id},
            )
            other.owner_id = world.owner_id
    return other


def one_number(*worlds: World) -> tuple[str, list[int]]:
    """A number that a ready customer of each of these CRMs has; the assignments."""
    assignments = []
    for world in worlds:
        assignments.append(world.assignment())
        (customer,) = world.customers(1, assignments[-1])
        with world.work() as work:
            work.run(
                text("update customer_number set e164 = :e where customer_id = :c"), e=NUMBER, c=customer
            )
    return NUMBER, assignments


def standing(world: World) -> list[tuple[str, str, bool]]:
    """(scope, author, walled) of each entry that stands in a CRM."""
    sql = "select scope, author, walled_at from suppression where lifted_at is null order by id"
    found = rows(world, sql)
    return [(row.scope, row.author, row.walled_at is not None) for row in found]


@pytest.mark.parametrize(("scope", "stopped"), [("crm", 1), ("owner", 2), ("everyone", 3)])
def test_a_number_is_stopped_in_every_crm_of_its_scope_and_in_no_other(
    world: World, scope: str, stopped: int
) -> None:
    """P7, P8. Planted: `spread` left out of `suppress`, and a scope that is not asked; seen to fail."""
    worlds = [world, sister(world), sister(world, same_owner=False)]
    number, assignments = one_number(*worlds)
    handed = [next_customer(w.opener(), w.seller(a)) for w, a in zip(worlds, assignments, strict=True)]
    answer = suppress(world.opener(), e164=number, reason="asked", author="Kari", scope=scope)
    ours, *others = handed
    assert ours is not None
    assert answer.recalled == [ours.lease_id]
    assert (answer.elsewhere.crms, answer.elsewhere.recalled) == (stopped - 1, stopped - 1)
    for n, (w, one, assignment) in enumerate(zip(worlds, handed, assignments, strict=True)):
        assert one is not None
        live = rows(w, "select 1 from lease where ended_at is null")
        assert bool(live) == (n >= stopped)
        assert standing(w) == ([(scope, "Kari", True)] if n < stopped else [])
        if n < stopped:
            assert next_customer(w.opener(), w.seller(assignment)) is None
    assert len(others) == 2
    assert [violations(w) for w in worlds] == [[], [], []]


@pytest.mark.parametrize("scope", ["owner", "everyone"])
def test_lifted_where_it_was_set_it_is_lifted_everywhere(world: World, scope: str) -> None:
    """Planted: copies that no lift reaches; seen to fail."""
    worlds = [world, sister(world)]
    number, assignments = one_number(*worlds)
    suppress(world.opener(), e164=number, reason="asked", author="Kari", scope=scope)
    assert lift(worlds[1].opener(), e164=number, author="Ola") == 0
    with worlds[1].work() as work:
        assert scopes_of(work, e164=number) == [scope]
    assert lift(worlds[1].opener(), e164=number, author="Ola", scope=scope) == 1
    for w, assignment in zip(worlds, assignments, strict=True):
        assert next_customer(w.opener(), w.seller(assignment)) is not None
        assert [row.lifted_by for row in rows(w, "select lifted_by from suppression")] == ["Ola"]


def test_another_owners_crm_neither_sees_nor_lifts_what_an_owner_shares(world: World) -> None:
    """P7, by the database. Planted: no policy on the shared table; seen to fail."""
    stranger = sister(world, same_owner=False)
    number, _ = one_number(world)
    suppress(world.opener(), e164=number, reason="asked", author="Kari", scope="owner")
    assert rows(stranger, "select 1 from shared_suppression") == []
    assert lift(stranger.opener(), e164=number, author="Eve", scope="owner") == 0
    assert standing(world) == [("owner", "Kari", True)]
    with pytest.raises(ProgrammingError, match="row-level security"), stranger.work() as work:
        work.run(
            text("""insert into shared_suppression (scope, owner_id, e164, reason, author, created_at)
                    values ('owner', :owner, '+351912345678', 'r', 'Eve', :now)"""),
            owner=world.owner_id,
        )


def test_what_stood_in_a_list_is_never_rewritten_or_deleted(world: World) -> None:
    number, _ = one_number(world)
    suppress(world.opener(), e164=number, reason="asked", author="Kari", scope="owner")
    for statement in (
        "delete from suppression", "update suppression set author = 'Eve'", "delete from shared_suppression",
        "update shared_suppression set reason = 'x'",
    ):  # fmt: skip
        with pytest.raises(ProgrammingError, match="permission denied"), world.work() as work:
            work.run(text(statement))


def test_a_crash_between_two_crms_is_finished_by_the_tick_of_either(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: origins that no tick looks for; seen to fail."""
    other = sister(world)
    number, (_, theirs) = one_number(world, other)

    class Dead(Exception):
        pass

    def die(*_: object) -> None:
        raise Dead

    with monkeypatch.context() as patch:
        patch.setattr(scopes, "spread", die)
        with pytest.raises(Dead):
            suppress(world.opener(), e164=number, reason="asked", author="Kari", scope="owner")
    assert standing(other) == []
    assert finish_suppressions(other.opener()) == 1
    assert standing(other) == [("owner", "Kari", True)]
    assert next_customer(other.opener(), other.seller(theirs)) is None
    assert rows(world, "select 1 from shared_suppression where spread_at is null") == []
    assert finish_suppressions(world.opener()) == finish_suppressions(other.opener()) == 0


def test_two_ticks_at_once_adopt_an_origin_once(world: World) -> None:
    """Planted: no unique origin; seen to fail."""
    other = sister(world)
    number, _ = one_number(world)
    with world.work() as work:
        scopes.share(work, [number], scope="owner", reason="r", author="a")
    with ThreadPoolExecutor(1) as pool:
        with other.work() as work:
            assert scopes.adopt(work) == 1
            waiting = pool.submit(finish_suppressions, other.opener())
            wait_until(lambda: waiting.done() or bool(other.waited_for()))
        waiting.result()
    assert standing(other) == [("owner", "a", True)]


def test_a_crm_founded_later_has_what_was_shared_before(world: World) -> None:
    """Planted: nothing inherited; seen to fail. Who founds while somebody shares waits for them."""
    number, _ = one_number(world)
    suppress(world.opener(), e164=number, reason="asked", author="Kari", scope="everyone")
    suppress(world.opener(), e164="+351912345679", reason="asked", author="Kari", scope="owner")
    suppress(world.opener(), e164="+351912345670", reason="over", author="a", scope="owner", expires_at=NOON)
    with world.app.shared() as session:
        named = text("select name from data_owner where id = :o")
        owner = session.execute(named, {"o": world.owner_id}).scalar_one()
        of_ours = register.add_crm(session, owner, "new", now=NOON, region="PT", hours=OFFICE_HOURS)
        of_others = register.add_crm(session, "Others", "new", now=NOON, region="PT", hours=OFFICE_HOURS)
    for crm_id, wanted in ((of_ours, [number, "+351912345679"]), (of_others, [number])):
        with world.app.work(crm_id, now=NOON) as work:
            found = work.run(text("select e164 from suppression where walled_at is not null order by id"))
            assert list(found.scalars()) == wanted


def test_founding_and_sharing_wait_for_each_other(world: World) -> None:
    """Planted: the lock left out of `share`; seen to fail: the new CRM had not heard of it."""
    number, _ = one_number(world)

    def found() -> int:
        with world.app.shared() as session:
            return register.add_crm(session, "Others", "new", now=NOON, region="PT", hours=OFFICE_HOURS)

    with ThreadPoolExecutor(1) as pool:
        with world.work() as work:
            scopes.share(work, [number], scope="everyone", reason="r", author="a")
            founding = pool.submit(found)
            wait_until(lambda: founding.done() or bool(world.waited_for()))
        crm_id = founding.result()
    with world.app.work(crm_id, now=NOON) as work:
        assert list(work.run(text("select e164 from suppression")).scalars()) == [number]


@pytest.mark.parametrize("scope", ["crm", "owner"])
def test_an_outcome_says_it_as_widely_as_its_assignment(world: World, scope: str) -> None:
    """P8 from the answer on, there too. Planted: the assignment's scope not read; seen to fail."""
    other = sister(world)
    _, (ours, theirs) = one_number(world, other)
    with world.work() as work:
        work.run(text("update assignment set do_not_call_scope = :s where id = :a"), s=scope, a=ours)
    seller = world.seller(ours)
    handed, there = next_customer(world.opener(), seller), next_customer(other.opener(), other.seller(theirs))
    assert handed is not None
    assert there is not None
    with world.work() as work:
        ring(work, handed.lease_id, seller)
    record_all(world.opener(), [Report(handed.lease_id, Outcome.DO_NOT_CALL, "seller")])
    live = rows(other, "select 1 from lease where ended_at is null")
    assert bool(live) == (scope == "crm")
    assert sorted(one for one, _, _ in standing(world)) == sorted(["crm", scope])
    assert [one for one, _, _ in standing(other)] == ([] if scope == "crm" else ["owner"])


@pytest.mark.parametrize("by", ["seller", "dialer"])
def test_an_entry_by_outcome_names_who_heard_it_and_our_call_nowhere_else(
    world: World, by: Literal["seller", "dialer"]
) -> None:
    """P7. Planted: one author for all; the call in what is shared; seen to fail."""
    other = sister(world)
    _, (ours, _) = one_number(world, other)
    with world.work() as work:
        work.run(text("update assignment set do_not_call_scope = 'owner' where id = :a"), a=ours)
    if by == "seller":
        assert next_customer(world.opener(), world.seller(ours, "Ana"))
    else:
        world.dialer(ours, "robot", wanted=1, wanted_at=NOON)
        allocate_all(world.opener(), ours)
    (lease,) = rows(world, "select id from lease where ended_at is null")
    record_all(world.opener(), [Report(lease.id, Outcome.DO_NOT_CALL, by)])
    said = "select author, reason from suppression"
    name = "Ana" if by == "seller" else "dialer robot"
    assert {tuple(row) for row in rows(world, said)} == {(name, f"asked not to be called (call {lease.id})")}
    assert [tuple(row) for row in rows(other, said)] == [(name, "asked not to be called")]


@pytest.mark.parametrize("scope", ["owner", "everyone"])
def test_the_wall_elsewhere_waits_for_whoever_has_passed_there(world: World, scope: str) -> None:
    """P8 by steps, in the other CRM. Planted: entries adopted without their wall; seen to fail."""
    other = sister(world)
    number, (_, theirs) = one_number(world, other)
    other.seller(theirs)
    with ThreadPoolExecutor(1) as pool:
        with other.work() as work:
            assert allocate(work, theirs).leased == 1
            waiting = pool.submit(suppress, world.opener(), e164=number, reason="r", author="a", scope=scope)
            wait_until(lambda: waiting.done() or bool(other.waited_for()))
            assert other.waited_for() == ["advisory"]
        answer = waiting.result()
    assert (answer.elsewhere.crms, answer.elsewhere.recalled) == (1, 1)
    allocate_all(other.opener(), theirs)
    assert rows(other, "select 1 from lease where ended_at is null") == []


def test_it_expires_at_its_second_everywhere(world: World) -> None:
    other = sister(world)
    number, assignments = one_number(world, other)
    until = NOON + HOUR
    suppress(world.opener(), e164=number, reason="r", author="a", scope="owner", expires_at=until)
    second = timedelta(seconds=1)
    for w, assignment in zip((world, other), assignments, strict=True):
        open_gates(w.opener(until - second))
        seller = w.seller(assignment)
        assert next_customer(w.opener(until - second), seller) is None
        assert rows(w, "select gated_by from placement")[0].gated_by == "suppressed"
        open_gates(w.opener(until))
        assert rows(w, "select gated_by from placement")[0].gated_by is None
        assert next_customer(w.opener(until), seller) is not None


def test_what_cannot_be_shared_is_told(world: World) -> None:
    _, (assignment,) = one_number(world)
    (customer,) = world.customers(1, assignment)
    with pytest.raises(BadInput, match="belongs to one CRM"):
        suppress(world.opener(), customer_id=customer, reason="r", author="a", scope="owner")
    with pytest.raises(BadInput, match="none of crm, owner, everyone"):
        suppress(world.opener(), e164="+351912345678", reason="r", author="a", scope="moon")
    with pytest.raises(BadInput, match="belongs to one CRM"):
        lift(world.opener(), customer_id=customer, author="a", scope="owner")


def test_one_module_goes_through_the_door_to_other_crms() -> None:
    """P7: whoever reads `elsewhere` reads another CRM; nobody does but what spreads walls."""
    calling = Path(scopes.__file__).parent.parent
    ours = [path for folder in (calling, calling.parent / "segmentation") for path in folder.rglob("*.py")]
    assert len(ours) > 200
    found = {path.name for path in ours if "work.elsewhere" in path.read_text(encoding="utf-8")}
    assert found == {"spreading.py"}


@pytest.mark.parametrize("scope", ["crm", "owner"])
def test_a_list_outlives_an_entry_that_expires_before_it(
    world: World, tmp_path: Path, scope: Literal["crm", "owner"]
) -> None:
    """What stands as long as the list says is left as it is. Seen to fail before: they were rung next day."""
    number, (assignment,) = one_number(world)
    seller = world.seller(assignment)
    file = tmp_path / "ours.txt"
    file.write_text(number, encoding="utf-8")
    how: dict[str, Any] = {"region": "PT", "scope": scope, "reason": "list of 2025", "author": "Bo"}
    suppress(
        world.opener(), e164=number, reason="this week", author="Ana", scope=scope, expires_at=NOON + HOUR
    )
    assert import_list(world.opener(), file, **how, expires_at=NOON + HOUR).added == 0
    assert import_list(world.opener(), file, **how, expires_at=NOON + 3 * HOUR).added == 1
    assert import_list(world.opener(), file, **how).added == 1
    for later in (HOUR, 3 * HOUR):
        open_gates(world.opener(NOON + later))
        assert next_customer(world.opener(NOON + later), seller) is None
    assert import_list(world.opener(), file, **how, expires_at=NOON + 9 * HOUR).added == 0
