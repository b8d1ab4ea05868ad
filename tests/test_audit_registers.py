"""`check` judges each ring by the registers as they were then: wrong ones are found, right ones are not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from register_scene import ES, PT, TODAY, follow_all, known, load, numbers_of
from sqlalchemy import text
from world import NOON, World

from calling.customers.tagging import tag, untag
from calling.handout.hand_out import next_customer
from calling.handout.ring import ring
from calling.hours.versions import version_id
from calling.registers import coming
from calling.registers.following import follow
from calling.registers.using import end_exemption, exempt, use, use_no_more
from calling.registers.walling import wall
from calling.views.audit import audit
from calling.views.audit_registers import FOUND, on_a_register, rung_by_old_registers
from models.outcomes import Outcome

MINUTE, HOUR, DAY = (timedelta(minutes=n) for n in (1, 60, 1440))
NOBODY_ELSE = "+351210000001"


@pytest.fixture(autouse=True)
def _registers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with known(monkeypatch, PT, replace(PT, name="PT-WARN", policy="warn"), ES):
        yield


class Scene:
    """A customer of an assignment, and calls to them at hours of the test's choice (after noon)."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.assignment = world.assignment()
        (self.customer,) = world.customers(1, self.assignment)
        (self.number,) = numbers_of(world)
        self.seller, self.dialer = world.seller(self.assignment), world.dialer(self.assignment)

    def opener(self, hours: float) -> Any:
        return self.world.opener(NOON + hours * HOUR)

    def load(self, *numbers: str, hours: float = 0, dated: date = TODAY, follow: bool = True) -> None:
        load(self.world, numbers or [NOBODY_ELSE], dated, NOON + hours * HOUR)
        if follow:
            follow_all(self.world, NOON + hours * HOUR)

    def use(self, hours: float = 0, name: str = "PT-TEST") -> None:
        use(self.opener(hours), name, author="Kari")

    def rung(self, hours: float, *, sent: float | None = None, **columns: Any) -> None:
        """A call that was offered, taken and rung at one instant; or sent to a dialer, and rung there."""
        at = NOON + hours * HOUR
        row = {
            "id": UUID(int=int(at.timestamp())), "assignment": self.assignment, "customer": self.customer,
            "e164": self.number, "seller": self.seller, "dialer": None, "offered": at, "taken": at,
            "sent": None, "rung": at, "ended": at + MINUTE, "ring_by": at + MINUTE, "version": None,
        }  # fmt: skip
        if sent is not None:
            out = NOON + sent * HOUR
            row |= {"seller": None, "dialer": self.dialer, "offered": out, "sent": out, "ring_by": at}
        with self.world.work(at) as work:
            work.run(
                text("""
                    insert into lease (crm_id, id, assignment_id, customer_id, segment_id, rule_version,
                                       seller_id, dialer_id, state, e164, zone, offered_at, ring_by,
                                       expires_at, sent_at, taken_at, rung_at, ended_at, ended_by,
                                       data_version)
                    select :crm_id, :id, p.assignment_id, p.customer_id, p.segment_id, 0,
                           :seller, :dialer, case when cast(:ended as timestamptz) is null then 'offered'
                                                  else 'ended' end,
                           :e164, 'Europe/Lisbon', :offered, :ring_by, :ring_by, :sent, :taken, :rung, :ended,
                           case when cast(:ended as timestamptz) is not null then 'outcome' end, :version
                      from placement p where p.customer_id = :customer and p.assignment_id = :assignment
                """),
                **row | columns,
            )  # fmt: skip

    def judged(self, hours: float = 10_000) -> dict[str, int]:
        """What the audit finds of it, under `FOUND`'s short names; `old`: by a register too old."""
        with self.world.work(NOON + hours * HOUR) as work:
            found = on_a_register(work)
            steps = {step: found[what] for step, what in FOUND.items() if found[what]}
            old = rung_by_old_registers(work)
        return steps | ({"old": old} if old else {})


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


WRONG = {"offered": 1, "taken": 1, "rung": 1}


def test_who_is_on_a_register_may_not_be_rung_behind_its_wall(scene: Scene) -> None:
    scene.load(scene.number)
    scene.use(1)
    scene.rung(0.5)
    assert scene.judged() == {}
    scene.rung(2)
    assert scene.judged() == WRONG


def test_a_ring_stays_wrong_whatever_is_loaded_since(scene: Scene) -> None:
    """Planted: judged by the walls as they stand now; seen to fail."""
    scene.load(scene.number)
    scene.use(1)
    scene.rung(2)
    scene.load(hours=3)
    assert scene.judged() == WRONG
    scene.rung(4)
    assert scene.judged() == WRONG
    scene.load(scene.number, hours=5)
    scene.rung(4.5)
    assert scene.judged() == WRONG
    scene.rung(6)
    assert scene.judged() == dict.fromkeys(WRONG, 2)


def test_a_number_that_was_loaded_later_and_a_wall_that_was_not_yet(scene: Scene) -> None:
    """In force for nobody's answer yet, a version is no wall. Planted: from in force on; seen to fail."""
    scene.load()
    scene.use(1)
    scene.rung(2)
    scene.load(scene.number, hours=3, follow=False)
    scene.rung(4)
    wall(scene.opener(5))
    assert scene.judged() == {}
    scene.rung(6)
    assert scene.judged() == WRONG


def test_a_load_that_died_judges_nobody(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its numbers lie there until the next load clears them away."""
    scene.load()
    scene.use(1)
    with monkeypatch.context() as patch:
        patch.setattr(coming, "take_force", lambda *_: 1 // 0)
        patch.setattr(coming, "discard", lambda *_: None)
        with pytest.raises(ZeroDivisionError):
            scene.load(scene.number, hours=2)
    scene.rung(3)
    assert scene.judged() == {}


def test_a_register_that_is_used_no_more_binds_nobody_and_did(scene: Scene) -> None:
    """Planted: uses that ended not looked at; seen to fail."""
    scene.load(scene.number)
    scene.use(1)
    use_no_more(scene.opener(3), "PT-TEST", author="Kari")
    follow(scene.opener(3))
    scene.rung(4)
    assert scene.judged() == {}
    scene.rung(2)
    assert scene.judged() == WRONG
    scene.use(5)
    assert scene.judged() == WRONG


def test_an_assignment_that_was_let_off_then(scene: Scene) -> None:
    """Planted: exemptions as they stand now; seen to fail."""
    scene.load(scene.number)
    scene.use(1)
    key = exempt(
        scene.opener(3), "PT-TEST", assignment_id=scene.assignment, reason="asked", manager="Kari",
        author="Kari",
    )  # fmt: skip
    scene.rung(4)
    end_exemption(scene.opener(5), key, author="Kari")
    assert scene.judged() == {}
    scene.rung(2)
    assert scene.judged() == WRONG
    scene.rung(6)
    assert scene.judged() == dict.fromkeys(WRONG, 2)


def test_the_end_of_an_exemption_counts_from_its_wall_on(scene: Scene) -> None:
    """A crash between the two. Planted: from its end on; seen to fail."""
    scene.load(scene.number)
    scene.use(1)
    key = exempt(
        scene.opener(3), "PT-TEST", assignment_id=scene.assignment, reason="asked", manager="Kari",
        author="Kari",
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("calling.registers.using.wall", lambda *_: None)
        end_exemption(scene.opener(5), key, author="Kari")
    scene.rung(6)
    assert scene.judged() == {}
    wall(scene.opener(7))
    assert scene.judged() == {}
    scene.rung(8)
    assert scene.judged() == WRONG


def test_who_had_the_tag_that_lets_off_then(scene: Scene) -> None:
    """Taken since, and given again. Planted: whoever has it now; seen to fail."""
    scene.load(scene.number)
    scene.use(1)
    exempt(scene.opener(1), "PT-TEST", tag="client", reason="ours", manager="Kari", author="Kari")
    tag(scene.opener(3), [scene.customer], ["client"], source="hand", author="Kari")
    untag(scene.opener(5), [scene.customer], ["client"])
    tag(scene.opener(7), [scene.customer], ["client"], source="hand", author="Kari")
    scene.rung(4)
    scene.rung(8)
    assert scene.judged() == {}
    scene.rung(2)
    assert scene.judged() == WRONG
    scene.rung(6)
    assert scene.judged() == dict.fromkeys(WRONG, 2)


def test_a_dialer_is_judged_by_when_its_order_was_sent(scene: Scene) -> None:
    """Behind that the wall's answer names it. Planted: by the ring; seen to fail."""
    scene.load(scene.number)
    scene.use(1)
    scene.rung(2, sent=0.5)
    assert scene.judged() == {}
    scene.rung(4, sent=3)
    assert scene.judged() == {"offered": 1, "sent": 1}


def test_what_an_outcome_tells_late_is_no_ring_behind_a_wall(scene: Scene) -> None:
    """Recalled by the wall, told behind it. Planted: every ring; seen to fail."""
    scene.load(scene.number)
    scene.use(1)
    early = NOON + 0.5 * HOUR
    scene.rung(2, offered=early, taken=early, ended=NOON + HOUR)
    assert scene.judged() == {}


def test_another_crm_is_judged_by_its_own_registers(scene: Scene) -> None:
    other = Scene(scene.world.neighbour())
    scene.load(scene.number, other.number)
    scene.use(1)
    other.rung(2)
    assert other.judged() == scene.judged() == {}
    scene.rung(2)
    assert (other.judged(), scene.judged()) == ({}, WRONG)


# --- too old --------------------------------------------------------------------------------------

LAST = 24.0 * 30
"""Hours from noon of the day of a version until noon of the last day on which it may be called by."""


def test_nobody_is_rung_by_a_register_that_was_never_loaded(scene: Scene) -> None:
    """Planted: uses without a version left out; seen to fail."""
    scene.use(1)
    scene.rung(0.5)
    assert scene.judged() == {}
    scene.rung(2)
    assert scene.judged() == {"old": 1}
    scene.load(hours=3)
    scene.rung(4)
    assert scene.judged() == {"old": 1}


def test_a_register_that_was_too_old_then_whatever_is_loaded_since(scene: Scene) -> None:
    """Midnight in Lisbon, where it is summer by then. Planted: by the version in force now; seen to fail."""
    scene.load()
    scene.use(1)
    midnight = LAST + 11
    scene.rung(midnight - 1 / 60)
    assert scene.judged() == {}
    scene.rung(midnight)
    assert scene.judged() == {"old": 1}
    scene.load(hours=midnight + 5, dated=TODAY + 31 * DAY)
    scene.rung(midnight + 6)
    assert scene.judged() == {"old": 1}


def test_a_register_that_warns_one_of_elsewhere_and_one_that_was_left_shut_nobody(scene: Scene) -> None:
    scene.use(1, "PT-WARN")
    scene.use(1, "ES-TEST")
    scene.use(1)
    use_no_more(scene.opener(2), "PT-TEST", author="Kari")
    scene.rung(3)
    assert scene.judged() == {}
    scene.rung(1.5)
    assert scene.judged() == {"old": 1}


def test_a_ring_that_was_decided_by_another_law_is_not_judged_by_this_one(scene: Scene) -> None:
    scene.use(1)
    with scene.world.work() as work:
        mine = version_id(work)
    scene.rung(2, version=mine + 1)
    assert scene.judged() == {}
    scene.rung(3, version=mine)
    assert scene.judged() == {"old": 1}


def test_an_order_that_may_ring_behind_the_last_day_is_found_while_it_is_out(scene: Scene) -> None:
    """Planted: rings alone; seen to fail."""
    scene.load()
    scene.use(1)
    midnight = LAST + 11
    scene.rung(midnight, sent=midnight - 1, rung=None, ended=None, taken=None)
    assert scene.judged() == {}
    scene.rung(midnight + 1 / 60, sent=midnight - 1, rung=None, ended=None, taken=None)
    assert scene.judged() == {"old": 1}


# --- the program itself ---------------------------------------------------------------------------


def test_what_the_program_does_itself_is_right(scene: Scene) -> None:
    """Rung, and then named; let off and rung; the tag taken; the register left: `check` says nothing."""
    from calls import say

    world = scene.world
    scene.load()
    scene.use()
    exempt(scene.opener(0), "PT-TEST", tag="client", reason="ours", manager="Kari", author="Kari")

    def call(at: datetime) -> bool:
        card = next_customer(world.opener(at), scene.seller)
        if card is None:
            return False
        with world.work(at) as work:
            ring(work, card.lease_id, scene.seller)
        say(world, card.lease_id, Outcome.NO_ANSWER, at + MINUTE)
        with world.work(at) as work:
            work.run(text("update placement set state = 'ready', due_at = null"))
        return True

    days = [NOON + n * DAY for n in range(1, 5)]
    assert call(days[0])
    scene.load(scene.number, hours=25)
    assert not call(days[1])
    tag(world.opener(days[1] + MINUTE), [scene.customer], ["client"], source="hand", author="Kari")
    assert call(days[1] + 10 * MINUTE)
    untag(world.opener(days[2]), [scene.customer], ["client"])
    assert not call(days[2] + MINUTE)
    use_no_more(world.opener(days[2] + HOUR), "PT-TEST", author="Kari")
    follow(world.opener(days[2] + HOUR))
    assert call(days[3])
    with world.work(days[3] + HOUR) as work:
        assert [finding for finding in audit(work) if finding.count] == []
