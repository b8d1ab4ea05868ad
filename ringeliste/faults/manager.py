"""A manager on the stage: pauses, suppresses, moves, promises, imports and publishes at any moment."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar
from uuid import UUID

from calling.follow_ups.asking import Wish
from calling.follow_ups.promising import promise
from calling.handout.recalling import WallAnswer
from calling.intake.importing import import_file
from calling.segments.holding import hold
from calling.segments.holding import release as let_go
from calling.segments.publishing import publish
from calling.walls.pause import pause, resume
from calling.walls.suppress import lift, suppress
from models.errors import Conflict, RingelisteError
from models.work import OpenWork
from ringeliste.faults.scene import Scene
from ringeliste.faults.world import GAP_SECONDS, MAPPING, rules, write_list

T = TypeVar("T")

RESTS = (20, 150)
"""Seconds between two deeds, from and to."""


class Manager:
    """One manager, and what they have put up and not yet taken down."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._dice = scene, scene.dice("manager")
        self._paused: list[tuple[str, int | None]] = []
        self._suppressed: list[dict[str, str]] = []
        self._jumped_at = 0.0
        self._held: list[tuple[int, list[int]]] = []
        self._deeds: list[Callable[[], None]] = [
            self._pause, self._pause, self._resume, self._suppress, self._lift, self._hold, self._let_go,
            self._promise, self._import, self._publish, self._jump,
        ]  # fmt: skip

    def work(self) -> None:
        """Until the scene closes; then whatever stands is taken down."""
        while not self._scene.closing:
            deed = self._dice.choice(self._deeds)
            self._scene.baton.step(deed.__name__.strip("_"))
            try:
                deed()
            except Conflict as refused:
                self._scene.baton.step(f"refused: {refused.message}")
            self._scene.baton.wait(self._dice.uniform(*RESTS))
        while self._paused:
            self._resume()

    def _pause(self) -> None:
        world = self._scene.world
        scope = self._dice.choice(("assignment", "segment", "seller", "dialer", "crm"))
        target: int | None = None
        if scope == "assignment":
            target = self._dice.choice(world.assignments)
        elif scope == "segment":
            target = self._dice.choice(self._segments())
        elif scope == "seller":
            target = self._dice.choice(world.sellers)
        elif scope == "dialer":
            target = world.dialer_id
        self._paused.append((scope, target))
        answer = self._ask(lambda work: pause(work, scope, target, reason="lunch", author="Kari"))
        self._scene.ledger.answered(scope, target, _named(answer), self._scene.baton.now)

    def _resume(self) -> None:
        if self._paused:
            scope, target = self._paused.pop(self._dice.randrange(len(self._paused)))
            self._paused = [one for one in self._paused if one != (scope, target)]
            self._scene.ledger.lifted(scope, target)
            self._ask(lambda work: resume(work, scope, target, author="Kari"))

    def _suppress(self) -> None:
        key, e164, customer_id = self._somebody()
        of_number = self._dice.random() < 0.5
        answer = self._ask(
            lambda work: suppress(
                work, e164=e164 if of_number else None, customer_id=None if of_number else customer_id,
                reason="a letter", author="Kari",
            )
        )  # fmt: skip
        scope, target = ("number", e164) if of_number else ("customer", key)
        self._suppressed.append({"scope": scope, "target": target})
        self._scene.ledger.answered(scope, target, _named(answer), self._scene.baton.now)

    def _lift(self) -> None:
        if self._suppressed:
            one = self._suppressed.pop(self._dice.randrange(len(self._suppressed)))
            self._scene.ledger.lifted(one["scope"], one["target"])
            if one["scope"] == "number":
                self._ask(lambda work: lift(work, e164=one["target"], author="Kari"))
            else:
                customer_id = self._id_of(one["target"])
                self._ask(lambda work: lift(work, customer_id=customer_id, author="Kari"))

    def _hold(self) -> None:
        assignment_id = self._dice.choice(self._scene.world.assignments)
        segment_id = self._dice.choice(self._segments(assignment_id))
        customers = sorted({self._somebody()[2] for _ in range(self._dice.randint(1, 20))})
        self._held.append((assignment_id, customers))
        expires_at = self._scene.baton.now + timedelta(minutes=self._dice.randint(5, 60))
        self._ask(
            lambda work: hold(
                work, assignment_id, customers, segment_id, author="Kari", reason="hers",
                expires_at=expires_at,
            )
        )  # fmt: skip

    def _let_go(self) -> None:
        if self._held:
            assignment_id, customers = self._held.pop()
            self._ask(lambda work: let_go(work, assignment_id, customers, author="Kari"))

    def _promise(self) -> None:
        key, _, customer_id = self._somebody()
        assignment_id = self._dice.choice(self._scene.world.assignments)
        seller_id = self._dice.choice((None, *self._scene.world.sellers))
        wish = Wish(
            self._scene.baton.now + timedelta(minutes=self._dice.randint(2, 15)), shared=seller_id is None
        )
        self._scene.ledger.promised.add(key)
        try:
            self._ask(
                lambda work: promise(
                    work, assignment_id, customer_id, wish, seller_id=seller_id, author="Kari", made_by="api"
                )
            )
        except RingelisteError as refused:
            self._scene.baton.step(f"no promise: {refused.message}")

    def _import(self) -> None:
        """A list comes again: some have a number more, which may be another's; some are new."""
        world = self._scene.world
        keys = sorted(self._dice.sample(sorted(world.people), 6))
        whom = {key: (*world.people[key], world.people[self._dice.choice(keys)][0]) for key in keys}
        whom = {key: tuple(dict.fromkeys(numbers)) for key, numbers in whom.items()}
        assignment_id = self._dice.choice(world.assignments)
        with TemporaryDirectory() as folder:
            file = write_list(Path(folder) / "again.csv", whom)
            self._ask(
                lambda work: import_file(
                    work, file, region="PT", mapping=MAPPING, assignment_id=assignment_id
                )
            )

    def _publish(self) -> None:
        assignment_id = self._dice.choice(self._scene.world.assignments)
        body = rules(self._dice.randint(20, 80))
        self._ask(lambda work: publish(work, assignment_id, body, author="Kari"))

    def _jump(self) -> None:
        """The wall clock is set forward; business time with it."""
        baton = self._scene.baton
        if baton.elapsed - self._jumped_at > GAP_SECONDS and self._scene.trouble.comes("time jumps"):
            self._jumped_at = baton.elapsed  # twice in one call, and nobody could keep the gap
            baton.jumped += timedelta(seconds=self._scene.trouble.seconds(1, 5400))

    def _somebody(self) -> tuple[str, str, int]:
        """External id, first number, and id of anybody."""
        key = self._dice.choice(sorted(self._scene.world.people))
        return key, self._scene.world.people[key][0], self._id_of(key)

    def _id_of(self, key: str) -> int:
        return self._scene.world.customers[key]

    def _segments(self, assignment_id: int | None = None) -> list[int]:
        return [
            segment
            for of, segments in self._scene.world.segments.items()
            if assignment_id in (None, of)
            for segment in segments
        ]

    def _ask(self, verb: Callable[[OpenWork], T]) -> T:
        return self._scene.ask(self._dice, "manager", verb)


def _named(answer: WallAnswer) -> set[UUID]:
    """Whoever may still ring by this answer."""
    return {*answer.rung, *(lease_id for lease_id, _ in answer.unknown)}
