"""Sellers at their desks: as people and browsers are, who repeat what nobody answers, and leave at will."""

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import TypeVar

from calling.follow_ups.asking import Wish
from calling.handout import presence, ring
from calling.handout.hand_out import HandOut, next_customer
from calling.outcomes.outcome import Report, record_all
from models.errors import Conflict, LeaseGone, NotNow
from models.outcomes import Outcome
from models.work import OpenWork
from ringeliste.faults.scene import Scene, Verb

T = TypeVar("T")

LOOK, NOTE, IDLE, GONE = (5, 40), (15, 120), (60, 200), (60, 300)
TURNS_ELSEWHERE = 0.04
"""How often a seller goes to the other assignment before they ask for the next customer."""


class SellerOnStage:
    """One seller."""

    def __init__(self, scene: Scene, number: int) -> None:
        self._scene, self._id = scene, scene.world.sellers[number]
        self._dice = scene.dice("seller", number)
        self._works = scene.world.assignments[number % 4 == 3]

    def work(self) -> None:
        """Until the scene closes."""
        self._be("available")
        while not self._scene.closing:
            self._turn()
        self._be("away")

    def _turn(self) -> None:
        if self._dice.random() < TURNS_ELSEWHERE:
            self._works = next(one for one in self._scene.world.assignments if one != self._works)
            self._be("available")
        try:
            card = self._ask("next", lambda open_work: next_customer(open_work, self._id))
        except Conflict:
            self._be("available")
            return
        if card is None:
            self._pass(IDLE)
        elif card.state in ("rung", "wrap_up"):
            self._report(card, self._scene.fate(card.lease_id).result)  # from before they left
        else:
            self._call(card)

    def _call(self, card: HandOut) -> None:
        self._pass(LOOK)
        asked_at = self._scene.baton.now
        try:
            self._ask("ring", lambda open_work: self._ring(open_work, card))
        except LeaseGone:
            return
        except NotNow:
            self._give_back(card)
            return
        its = self._scene.fate(card.lease_id)
        around = {"assignment": card.assignment_id, "segment": card.segment_id, "seller": self._id}
        if card.promised_at is not None:
            self._scene.ledger.promised.add(card.external_id)
        self._scene.ring(card.lease_id, card.e164, card.external_id, asked_at, around)
        self._scene.baton.wait(its.rings + its.talks)
        self._scene.ledger.hang_up(card.lease_id)
        self._scene.ledger.tell(card.lease_id, its.result, card.external_id)
        if self._scene.trouble.comes("seller never tells"):
            self._scene.untold[card.lease_id] = its.result  # they will, when all is over
            self._be("away")
            self._pass(GONE)
            self._be("available")
            return
        if self._scene.trouble.comes("seller leaves"):
            self._pass(GONE)
        self._pass(NOTE)
        self._report(card, its.result)

    def _ring(self, open_work: OpenWork, card: HandOut) -> None:
        with open_work() as work:
            ring.ring(work, card.lease_id, self._id)

    def _give_back(self, card: HandOut) -> None:
        def give_back(open_work: OpenWork) -> None:
            with open_work() as work:
                ring.release(work, card.lease_id, self._id)

        try:
            self._ask("release", give_back)
        except LeaseGone:
            return

    def _report(self, card: HandOut, result: Outcome) -> None:
        self._scene.ledger.tell(card.lease_id, result, card.external_id)
        said = report(self._scene, card, result, self._dice)
        self._ask(result.value, lambda open_work: record_all(open_work, [said]))
        if self._scene.trouble.comes("seller tells twice"):  # the first word counts
            other = replace(said, outcome=self._dice.choice((result, Outcome.BUSY)), promise=None)
            self._ask("again", lambda open_work: record_all(open_work, [other]))
        if result is Outcome.DO_NOT_CALL:
            self._scene.ledger.answered("customer", card.external_id, None, self._scene.baton.now)

    def _be(self, what: str) -> None:
        def be(open_work: OpenWork) -> None:
            with open_work() as work:
                presence.be(work, self._id, what, assignment_id=self._works)

        try:
            self._ask(what, be)
        except Conflict:
            self._pass(LOOK)

    def _ask(self, what: str, verb: Verb[T]) -> T:
        return self._scene.ask(self._dice, what, verb)

    def _pass(self, span: tuple[int, int]) -> None:
        least, most = span
        self._scene.baton.wait(self._dice.uniform(least, least + 5 if self._scene.closing else most))


def report(scene: Scene, card: HandOut, result: Outcome, dice: Random) -> Report:
    """What a seller says of a call; who was promised another one said when."""
    wish = None
    if result is Outcome.FOLLOW_UP and dice.random() < 0.8:
        wish = Wish(scene.baton.now + timedelta(minutes=dice.randint(2, 15)), shared=dice.random() < 0.5)
    return Report(card.lease_id, result, "seller", promise=wish)
