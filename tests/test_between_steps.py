"""Between two steps of a wall, a promise or an outcome: what was lost there once, each seen to fail before.

Found when the parts that were built side by side were looked at together.
"""

from collections.abc import Callable, Iterable, Iterator
from threading import Thread

import pytest
from calls import say, take
from interleaving import acting_after, acting_before
from promises import HOUR, MINUTE, live, promise, watch
from register_scene import ES, PT, gates_of, known, load, numbers_of, rows
from sqlalchemy import text
from test_scopes import one_number, sister, standing
from world import NOON, World, wait_until

from calling import register
from calling.customers import tagging
from calling.follow_ups.asking import Wish
from calling.handout import gates
from calling.handout.allocate import allocate_all
from calling.handout.hand_out import next_customer
from calling.handout.reaper import reap
from calling.outcomes import outcome as outcomes
from calling.outcomes.outcome import Report, record_all
from calling.registers.stamping import stamp
from calling.registers.using import exempt, use, use_no_more
from calling.registers.walling import wall
from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.walls import hours, scopes
from calling.walls import suppress as walls
from calling.walls.hours import set_hours
from calling.walls.suppress import finish_suppressions, lift, suppress
from models.outcomes import Outcome
from models.work import Work
from segmentation.resegment import differing


@pytest.fixture(autouse=True)
def _portugal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with known(monkeypatch, PT, ES):
        yield


def test_a_register_no_longer_used_frees_whose_other_number_is_suppressed(world: World) -> None:
    assignment = world.assignment()
    (one,) = world.customers(1, assignment)
    (first,) = numbers_of(world, one)
    second = "+351913333333"
    with world.work() as work:
        work.run(
            text("""insert into customer_number (crm_id, customer_id, e164, position, zones)
                    select crm_id, customer_id, :e, 1, zones from customer_number where customer_id = :c"""),
            e=second,
            c=one,
        )
    load(world, [second])
    use(world.opener(), "PT-TEST", author="Kari")
    stamp(world.opener())
    suppress(world.opener(), e164=first, reason="asked", author="Kari")
    assert gates_of(world)[one] == "suppressed"
    use_no_more(world.opener(), "PT-TEST", author="Kari")
    stamp(world.opener())
    assert gates_of(world)[one] is None
    assert next_customer(world.opener(), world.seller(assignment)) is not None


class Beside:
    """Act in a thread; the caller goes on once it is done, or waits for the caller."""

    def __init__(self, world: World, act: Callable[[], object]) -> None:
        self.world, self.thread = world, Thread(target=act)

    def __call__(self) -> None:
        self.thread.start()
        wait_until(lambda: not self.thread.is_alive() or bool(self.world.waited_for()))


def test_a_lift_beside_an_adoption_reaches_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """CRM 2's tick adopts an origin; before it commits, CRM 1 lifts it."""
    other = sister(world)
    number, _ = one_number(world, other)
    with world.work() as work:
        scopes.share(work, [number], scope="owner", reason="r", author="Kari")
    after = acting_after(monkeypatch)
    lifting = Beside(world, lambda: lift(world.opener(), e164=number, author="Ola", scope="owner"))
    after(scopes._ADOPT, lifting)
    finish_suppressions(other.opener())
    lifting.thread.join(20)
    finish_suppressions(other.opener())
    finish_suppressions(world.opener())
    assert standing(other) == []


def test_a_crm_founded_while_a_number_is_lifted_has_it_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, _ = one_number(world)
    suppress(world.opener(), e164=number, reason="asked", author="Kari", scope="everyone")
    with world.app.shared() as session:
        crm = register.add_crm(session, "Ny AS", "Ny", now=NOON, region="PT", hours={})
        lifting = Beside(world, lambda: lift(world.opener(), e164=number, author="Ola", scope="everyone"))
        lifting()
    lifting.thread.join(20)
    finish_suppressions(world.opener())
    finish_suppressions(world.app.opener(crm, now=NOON))
    with world.app.work(crm, now=NOON) as work:
        left = work.run(text("select 1 from suppression where lifted_at is null")).all()
    assert left == []


def test_a_lift_beside_its_wall_is_no_deadlock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    number, _ = one_number(world)
    errors: list[BaseException] = []
    threads: list[Thread] = []
    real = gates.restamp

    def lifting() -> None:
        try:
            lift(world.opener(), e164=number, author="Ola")
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    def restamp(work: Work, customers: Iterable[int], *, locked: bool = False) -> int:
        done = real(work, customers, locked=locked)
        if not threads:
            threads.append(Thread(target=lifting))
            threads[0].start()
            wait_until(lambda: bool(world.waited_for()))
        return done

    monkeypatch.setattr(gates, "restamp", restamp)
    try:
        suppress(world.opener(), e164=number, reason="asked", author="Kari")
    except BaseException as error:  # noqa: BLE001
        errors.append(error)
    threads[0].join(20)
    assert errors == []


def test_use_of_a_register_never_loaded_takes_back_what_is_in_the_air(world: World) -> None:
    """`use` says: never loaded lets nobody in its country be called; what was in the air (P8)."""
    assignment = world.assignment()
    world.customers(1, assignment)
    handed = next_customer(world.opener(), world.seller(assignment))
    assert handed is not None
    answer = use(world.opener(), "PT-TEST", author="Kari")
    assert answer.recalled == [handed.lease_id]


def test_a_promise_that_is_anybodys_is_taken_back_though_its_owner_talks(world: World) -> None:
    """Grace over, owner on the telephone, another has room: who was offered elsewhere gives back."""
    due = NOON + MINUTE
    assignment, elsewhere = world.assignment(), world.assignment()
    _, customer = world.customers(2, assignment)
    world.place([customer], elsewhere)
    owner = world.seller(assignment)
    assert next_customer(world.opener(), owner) is not None  # the owner is busy
    promise(world, assignment, customer, due, seller=owner)
    other = world.seller(elsewhere)
    allocate_all(world.opener(NOON), elsewhere)
    assert customer in {lease.customer_id for lease in live(world) if lease.seller_id == other}
    watch(world, due)
    later = due + 20 * MINUTE
    with world.work() as work:  # still talking, still offered
        work.run(text("update lease set expires_at = :at, ring_by = :at"), at=NOON + 6 * HOUR)
    free = world.seller(assignment)
    assert watch(world, later) == 1
    assert (card := next_customer(world.opener(later), free)) is not None
    assert card.customer_id == customer


def test_whoever_spreads_anothers_origin_has_it_too(world: World) -> None:
    """P8. CRM 2 has shared X and is at its own wall (or died there); CRM 1 shares Y and spreads both: X is
    marked as spread everywhere, and CRM 1 never adopted it."""
    other = sister(world)
    number, (ours, _) = one_number(world, other)
    with other.work() as work:
        scopes.share(work, [number], scope="owner", reason="r", author="Kari")
    suppress(world.opener(), e164="+351919999999", reason="r", author="Ola", scope="owner")
    for each in (world, other):
        finish_suppressions(each.opener())
    assert next_customer(world.opener(), world.seller(ours)) is None


def test_both_share_at_once_and_neither_lacks_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same without a crash: while CRM 2 builds its own wall, CRM 1 shares another number."""
    other = sister(world)
    number, (ours, _) = one_number(world, other)
    before = acting_before(monkeypatch)
    before(
        walls._REASONS,  # the wall of CRM 2 begins
        lambda: suppress(world.opener(), e164="+351919999999", reason="r", author="Ola", scope="owner"),
    )
    suppress(other.opener(), e164=number, reason="asked", author="Kari", scope="owner")
    assert next_customer(world.opener(), world.seller(ours)) is None


def test_adoption_goes_in_bounded_steps(world: World) -> None:
    """One statement for all that is unspread: past what 30 s allow (1.1 M here) it fails at every tick."""
    other = sister(world)
    with world.work() as work:
        scopes.share(
            work, [f"+35193{n:07d}" for n in range(12_000)], scope="owner", reason="r", author="Kari"
        )
    with other.work() as work:
        assert scopes.adopt(work) <= 10_000


SOON = {"key": "soon", "name": "Soon", "when": {"f": "due", "op": "due_within", "v": "6h"}}
FROM_SEVEN = {"mon": [["19:00", "20:00"]]}


def soon(world: World) -> int:
    """An assignment with a segment of whoever is due within six hours, worked from seven o'clock on."""
    assignment = world.assignment(
        gap_seconds=0, retry_plan={"no_answer": {"delay": 3600, "jitter": 0, "other_part": True}}
    )
    publish(world.opener(), assignment, {"segments": [SOON]}, author="Ann")
    for key in rebuilds_to_do(world.opener()):
        run_rebuild(world.opener(), key)
    with world.work() as work:
        segment = work.run(text("select id from segment where key = 'soon'")).scalar_one()
    set_hours(world.opener(), segment_id=segment, week=FROM_SEVEN, reason="r", author="k")
    return assignment


def differing_now(world: World, assignment: int) -> int:
    with world.work() as work:
        return differing(work, assignment)


def test_a_promise_that_slides_is_where_its_rules_say(world: World) -> None:
    """P6: asked for one, it is moved to `soon`, whose hours make it seven: a full rebuild moves it back."""
    assignment = soon(world)
    (customer,) = world.customers(1, assignment)
    promise(world, assignment, customer, NOON + HOUR)
    assert differing_now(world, assignment) == 0


def test_a_rest_reckoned_anew_is_where_its_rules_say(world: World) -> None:
    """P6: the same of who rests, by when_again.after_moves."""
    assignment = soon(world)
    world.customers(1, assignment)
    say(world, take(world, world.seller(assignment)).lease_id, Outcome.NO_ANSWER)
    assert differing_now(world, assignment) == 0


def test_what_is_promised_in_a_call_is_where_its_rules_say(world: World) -> None:
    assignment = soon(world)
    world.customers(1, assignment)
    say(world, take(world, world.seller(assignment)).lease_id, Outcome.FOLLOW_UP, promise=Wish(NOON + HOUR))
    assert differing_now(world, assignment) == 0


def test_hours_that_are_set_while_a_wall_is_built_have_one_of_their_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P3: `set_at <= begun` takes what was committed after the turnstiles were passed for walled."""
    assignment = world.assignment()
    world.customers(1, assignment)
    seller = world.seller(assignment)
    answers = []

    def set_and_walk(*_: object) -> None:
        with world.work() as work:  # the other one's first half, committed at the same business instant
            week = {"mon": [["17:00", "20:00"]]}
            hours._insert(
                work, assignment_id=assignment, segment_id=None, week=week, days={}, valid_from=None,
                valid_to=None, reason="r", author="b", replaces=None,
            )  # fmt: skip

    card = next_customer(world.opener(), seller)
    assert card is not None
    before = acting_before(monkeypatch)
    before(hours._WALLED[0], set_and_walk)
    hours.set_hours(
        world.opener(), assignment_id=assignment, week={"mon": [["09:00", "20:00"]]}, reason="r", author="a"
    )
    answers.append(hours.finish_hours(world.opener()))  # the other one's second half
    assert answers[0].recalled == [card.lease_id]


def test_a_tag_taken_away_and_dead_before_the_recall(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """P8: nothing finds again what a crash left between `untag` and its recall."""
    assignment = world.assignment()
    (one,) = world.customers(1, assignment)
    load(world, numbers_of(world, one))
    use(world.opener(), "PT-TEST", author="Kari")
    exempt(world.opener(), "PT-TEST", tag="ours", reason="r", manager="m", author="m")
    tagging.tag(world.opener(), [one], ["ours"], source="api", author="a")
    stamp(world.opener())
    world.seller(assignment)
    allocate_all(world.opener(), assignment)
    assert len(rows(world, "select 1 from lease where ended_at is null")) == 1

    class Dead(Exception):
        pass

    def die(*_: object) -> None:
        raise Dead

    with monkeypatch.context() as patch:
        patch.setattr(tagging, "recall_leases", die)
        with pytest.raises(Dead):
            tagging.untag(world.opener(), [one], ["ours"])
    wall(world.opener())
    stamp(world.opener())
    reap(world.opener())
    assert rows(world, "select 1 from lease where ended_at is null") == []


def test_a_do_not_call_told_again_after_a_failure_waits_for_the_wall(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P8: the first answer was an error behind the commit; the second must not come before the wall."""
    assignment = world.assignment()
    world.customers(1, assignment)
    lease = take(world, world.seller(assignment)).lease_id

    class Dead(Exception):
        pass

    def die(*_: object) -> None:
        raise Dead

    report = Report(lease, Outcome.DO_NOT_CALL, "seller")
    with monkeypatch.context() as patch:
        patch.setattr(outcomes, "finish_suppressions", die)
        with pytest.raises(Dead):
            record_all(world.opener(), [report])
    record_all(world.opener(), [report])
    assert rows(world, "select 1 from suppression where walled_at is null") == []
