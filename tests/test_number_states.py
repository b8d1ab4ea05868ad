"""A customer's numbers: good by an answer, changed by hand, and which of them is rung."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from interleaving import acting_after
from shell import Shell
from sqlalchemy import text
from web_client import Caller, api_of
from world import NOON, World, wait_until

from calling.customers.editing import edits
from calling.customers.numbers import set_number
from calling.dialers.orders import recalls, to_offer
from calling.handout import ring as ringing
from calling.handout.allocate import allocate_all
from calling.handout.due import wake_due
from calling.handout.hand_out import HandOut, next_customer
from calling.handout.ring import release, ring
from calling.outcomes.outcome import Report, record_all
from calling.views.audit import audit
from models.errors import BadValues, NotFound, NotNow
from models.outcomes import EFFECTS, Outcome

HOUR = timedelta(hours=1)
OTHER = "+351919999999"
SECOND = """insert into customer_number (crm_id, customer_id, e164, position, zones)
    values (:crm_id, :c, :e164, 1, '{Europe/Lisbon}')"""


class Two:
    """A customer with two numbers, and a seller."""

    def __init__(self, world: World, **columns: Any) -> None:
        self.world, self.assignment = world, world.assignment(gap_seconds=0, **columns)
        (self.customer,) = world.customers(1, self.assignment)
        self.seller = world.seller(self.assignment)
        with world.work() as work:
            work.run(text(SECOND), c=self.customer, e164=OTHER)
            first = "select e164 from customer_number where position = 0"
            self.first = str(work.run(text(first)).scalar_one())

    def take(self, hours: int = 0) -> HandOut | None:
        now = NOON + hours * HOUR
        wake_due(self.world.opener(now))
        return next_customer(self.world.opener(now), self.seller)

    def say(self, card: HandOut, outcome: Outcome, hours: int = 0) -> None:
        record_all(self.world.opener(NOON + hours * HOUR), [Report(card.lease_id, outcome, "seller")])

    def states(self) -> dict[str, str]:
        with self.world.work() as work:
            rows = work.run(text("select e164, state from customer_number order by position"))
            return {row.e164: row.state for row in rows}

    def violations(self, hours: int = 0) -> list[str]:
        with self.world.work(NOON + hours * HOUR) as work:
            return [f"{f.promise} {f.what}" for f in audit(work) if f.count]


@pytest.fixture
def two(world: World) -> Two:
    return Two(world)


@pytest.mark.parametrize("outcome", Outcome)
def test_a_number_where_the_customer_answered_is_good(two: Two, outcome: Outcome) -> None:
    """And by nothing else. Planted: good by any ring; seen to fail."""
    card = two.take()
    assert card is not None
    two.say(card, outcome)
    effect = EFFECTS[outcome]
    nobody_knows = outcome in (Outcome.ABANDONED, Outcome.LANGUAGE)  # who it was
    good = effect.contact and effect.number_state is None and not nobody_knows
    assert two.states()[two.first] == (effect.number_state or ("good" if good else "unverified"))
    assert two.states()[OTHER] == "unverified"


def test_an_answer_makes_no_bad_number_good(two: Two) -> None:
    """Somebody said so while they talked. Planted: it does; seen to fail."""
    card = two.take()
    assert card is not None
    set_number(two.world.opener(), two.customer, two.first, state="wrong_person", author="Kari")
    two.say(card, Outcome.ANSWERED)
    assert two.states()[two.first] == "wrong_person"


def test_a_good_number_is_rung_before_the_first(two: Two) -> None:
    """Planted: the order alone; seen to fail."""
    set_number(two.world.opener(), two.customer, OTHER, state="good", author="Kari")
    card = two.take()
    assert card is not None
    assert card.e164 == OTHER
    assert two.violations() == []


def test_the_order_by_hand_decides_among_equals(two: Two) -> None:
    done = set_number(two.world.opener(), two.customer, OTHER, place=1, author="Kari")
    assert done.changed == ("numbers.order",)
    assert [one.e164 for one in done.numbers] == [OTHER, two.first]
    card = two.take()
    assert card is not None
    assert card.e164 == OTHER
    again = set_number(two.world.opener(), two.customer, OTHER, place=1, author="Kari")
    assert again.changed == ()
    with two.world.work() as work:
        (edit,) = edits(work, two.customer, 0, 9)
    assert (edit.author, edit.changed) == ("Kari", ["numbers.order"])


def test_whoever_has_no_number_left_is_gated_and_comes_back_with_one(two: Two) -> None:
    """Planted: no stamp; seen to fail."""
    for e164 in (two.first, OTHER):
        set_number(two.world.opener(), two.customer, e164, state="disconnected", author="Kari")
    assert two.take() is None
    with two.world.work() as work:
        assert work.run(text("select gated_by from placement")).scalar() == "no_number"
    set_number(two.world.opener(), two.customer, OTHER, state="unverified", author="Kari")
    card = two.take()
    assert card is not None
    assert card.e164 == OTHER


def test_what_is_offered_comes_back_and_is_dealt_with_the_number_to_ring(two: Two) -> None:
    """A seller's at once, a dialer's by its link. Planted: no recall; seen to fail."""
    world = two.world
    allocate_all(world.opener(), two.assignment)
    set_number(world.opener(), two.customer, two.first, state="disconnected", author="Kari")
    with world.work() as work:
        assert work.run(text("select ended_by from lease")).scalars().all() == ["recalled"]
        work.run(text("update seller set presence = 'away'"))
    dialer = world.dialer(two.assignment, wanted=1, wanted_at=NOON)
    allocate_all(world.opener(), two.assignment)
    with world.work() as work:
        (order,) = to_offer(work, dialer)
    assert order.e164 == OTHER
    set_number(world.opener(), two.customer, two.first, state="good", author="Kari")
    with world.work() as work:
        assert recalls(work, dialer) == [order.lease_id]


def test_a_number_called_bad_while_somebody_rings_it_is_rung_or_refused(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is at it first has it: the ring goes on, and the state waits for it.

    Planted: placements are not locked; seen to fail.
    """
    world, card = two.world, two.take()
    assert card is not None
    before: list[bool] = []
    with ThreadPoolExecutor(1) as pool:
        other: list[Future[Any]] = []

        def call_it_bad() -> None:
            set_number(world.opener(), two.customer, two.first, state="disconnected", author="Kari")

        def meanwhile() -> None:
            other.append(pool.submit(call_it_bad))
            wait_until(lambda: other[0].done() or bool(world.waited_for()))
            before.append(other[0].done())

        acting_after(monkeypatch)(ringing._RING, meanwhile)
        with world.work() as work:
            ring(work, card.lease_id, two.seller)
        other[0].result(10)
    assert before == [False]
    two.say(card, Outcome.CONGESTION)
    card = two.take(1)
    assert card is not None
    set_number(world.opener(), two.customer, card.e164, state="wrong_person", author="Kari")
    with world.work(NOON + HOUR) as work, pytest.raises(NotNow, match="no_number"):
        ring(work, card.lease_id, two.seller)
    with world.work(NOON + HOUR) as work:
        release(work, card.lease_id, two.seller)
    assert two.violations(1) == []


def test_what_makes_no_sense_is_refused(two: Two) -> None:
    with pytest.raises(BadValues, match="did you mean good"):
        set_number(two.world.opener(), two.customer, OTHER, state="god", place=0, author="Kari")
    with pytest.raises(BadValues):
        set_number(two.world.opener(), two.customer, OTHER, author="Kari")
    with pytest.raises(NotFound):
        set_number(two.world.opener(), two.customer, "+351910000001", state="good", author="Kari")
    with pytest.raises(NotFound):
        set_number(two.world.opener(), 9999, OTHER, state="good", author="Kari")


@pytest.fixture
def kari(world: World) -> Iterator[Caller]:
    with api_of(world) as made:
        yield made.manager()


def test_by_the_api(kari: Caller, two: Two) -> None:
    path = f"/customers/{two.customer}/numbers"
    done = kari.ok("PATCH", path, json={"number": "919 999 999", "state": "good", "place": 1})
    assert done["changed"] == ["numbers.state", "numbers.order"]
    assert done["numbers"][0] == {"e164": OTHER, "state": "good", "kind": None}
    listed = [{**one, "suppressed": None, "registers": []} for one in done["numbers"]]
    assert kari.ok("GET", f"/customers/{two.customer}")["numbers"] == listed
    assert "good" in kari.refused(422, "PATCH", path, json={"number": OTHER, "state": "god"})["detail"]
    kari.refused(404, "PATCH", path, json={"number": "912 000 000", "state": "good"})
    kari.refused(422, "PATCH", path, json={"number": "12", "state": "good"})


def test_a_seller_changes_whom_they_have_on_the_screen(two: Two) -> None:
    """Nobody else. Planted: anybody; seen to fail."""
    with api_of(two.world) as api:
        ana = api.seller(two.seller)
        path, wish = f"/customers/{two.customer}/numbers", {"number": OTHER, "state": "wrong_person"}
        ana.refused(404, "PATCH", path, json=wish)
        ana.ok("POST", "/me/next")
        assert ana.ok("PATCH", path, json=wish)["changed"] == ["numbers.state"]


def test_from_the_command_line(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = Shell(two.world, monkeypatch)
    with two.world.work() as work:
        customer = str(work.run(text("select external_id from customer")).scalar_one())
    before = shell.everything()
    shell.ok("numbers", "set", customer, "919 999 999", "--place", "1", "--dry-run")
    assert shell.everything() == before
    shell.ok("numbers", "set", customer, "919 999 999", "--place", "1", "--author", "Bo")
    listed = shell.ok("numbers", "list", customer, "--json").document
    assert [one["e164"] for one in listed] == [OTHER, two.first]
    assert "Nothing changed." in shell.ok("numbers", "set", customer, OTHER, "--place", "1").out
    assert shell.run("numbers", "set", customer, OTHER, "--state", "god").code == 2
    assert shell.run("numbers", "list", "nobody").code == 1
