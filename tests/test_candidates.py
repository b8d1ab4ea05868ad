"""Who is found for what is wanted: the same that a look at every customer would choose, in the same order."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import text
from world import NOON, World

from calling.handout.candidates import candidates
from calling.handout.needs import Need
from calling.handout.rank import attempts_of, rank
from models.work import Work

SEGMENTS, CLOCKS, CUSTOMERS = 4, 12, 400
ZONES = ["Europe/Lisbon", "Europe/Madrid", "Europe/Paris", "Europe/Berlin", "Europe/Rome", "Europe/Oslo"]
LATER = NOON + timedelta(hours=1)

_SPREAD = text("""
    update placement p set segment_id = t.segment, clock_id = t.clock, rank = t.rank, state = t.state,
           gated_by = t.gate, gated_until = case when t.gate is not null then 'infinity'::timestamptz end,
           due_at = case when t.state = 'resting' then cast(:now as timestamptz) + interval '1 day' end
      from unnest(cast(:customers as bigint[]), cast(:segments as bigint[]), cast(:clocks as bigint[]),
                  cast(:ranks as bigint[]), cast(:states as text[]), cast(:gates as text[]))
           as t(customer, segment, clock, rank, state, gate)
     where p.crm_id = :crm_id and p.customer_id = t.customer
""")
_CLAIM = text(
    "insert into claim_customer (crm_id, customer_id, lease_id) values (:crm_id, :customer, :lease)"
)
_BUSY_NUMBER = text("""
    insert into claim_number (crm_id, e164, lease_id)
    select :crm_id, e164, :lease from customer_number where crm_id = :crm_id and customer_id = :customer
""")


class Scene:
    """Customers spread at random over pairs of (segment, clock), some busy, gated or resting."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.dice = world, Random(seed)
        self.assignment = world.assignment()
        self.segments = [world.segment(self.assignment) for _ in range(SEGMENTS)]
        pairs = [ZONES[i : i + 1] for i in range(6)] + [ZONES[i : i + 2] for i in range(5)] + [ZONES[:3]]
        self.clocks = [world.clock(zones) for zones in pairs[:CLOCKS]]
        self.people = self._people(world.customers(CUSTOMERS, self.assignment))
        self.busy = {customer for customer in self.people if self.dice.random() < 0.1}
        with world.work() as work:
            for n, customer in enumerate(sorted(self.busy)):
                how = _CLAIM if n % 2 else _BUSY_NUMBER
                work.run(how, customer=customer, lease=work.new_id(NOON))

    def _people(self, customers: list[int]) -> dict[int, dict[str, Any]]:
        # Few distinct ranks, so that ties and the bar itself matter; some pairs are crowded, most are thin.
        dice, people = self.dice, {}
        for customer in customers:
            crowded = dice.random() < 0.5
            people[customer] = {
                "segment": dice.choice(self.segments[:1] if crowded else self.segments),
                "clock": dice.choice(self.clocks[:2] if crowded else self.clocks),
                "rank": rank(dice.randrange(3), float(dice.randrange(4)), None),
                "state": dice.choice(["ready"] * 5 + ["resting"]),
                "gate": "gap" if dice.random() < 0.1 else None,
            }
        with self.world.work() as work:
            work.run(_SPREAD, customers=list(people), **{
                f"{word}s": [one[word] for one in people.values()] for word in next(iter(people.values()))
            })  # fmt: skip
        return people

    def asked(self, work: Work, closing: Any, needs: list[Need], kept: set[int], lags: dict[int, int]) -> Any:
        assignment = {"id": self.assignment, "kept_free": sorted(kept), "lifts": lags or None}
        return candidates(work, assignment, needs, closing, sum(need.wanted for need in needs))  # type: ignore[arg-type]

    def expected(
        self, closing: Any, wanted: dict[int | None, int], kept: set[int], lags: dict[int, int]
    ) -> list[tuple[int, int, int]]:
        """By a look at everybody: the best of each segment first, as far as it is asked for."""
        place = {segment: n for n, segment in enumerate(closing)}
        free = sorted(
            (place[one["segment"]], attempts_of(one["rank"]), lags.get(one["clock"], 0), one["rank"], key)
            for key, one in self.people.items()
            if one["state"] == "ready" and one["gate"] is None and key not in self.busy | kept
            and one["clock"] in closing.get(one["segment"], {})
        )  # fmt: skip
        left, found = {key: 2 * n for key, n in wanted.items()}, []
        for *_, customer in free:
            one = self.people[customer]
            quota = one["segment"] if left.get(one["segment"], 0) else None
            if left.get(quota, 0):
                left[quota] -= 1
                found.append((customer, one["segment"], one["clock"]))
        return found


def need(segment: int | None, wanted: int) -> Need:
    return Need(None, 1, segment, wanted, timedelta(0), 0)


@pytest.mark.parametrize("seed", range(2))
def test_the_same_are_found_as_by_looking_at_everybody(
    world: World, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any order of segments, open clocks, busy and kept free customers, wishes and lags of clocks.

    Planted, each seen to fail: the bar a place too early (offset most - 2); busy heads counted in the bar;
    pairs that lag behind the bar probed to its rank; what anybody wants taken from a segment's own quota.
    """
    scene = Scene(world, seed)
    dice = scene.dice
    with world.work() as work:
        for _ in range(40):
            order = dice.sample(scene.segments, SEGMENTS)
            closing = {
                s: dict.fromkeys(dice.sample(scene.clocks, dice.randrange(CLOCKS + 1)), LATER) for s in order
            }
            kept = set(dice.sample(list(scene.people), 20)) if dice.random() < 0.5 else set()
            lags = (
                {c: dice.randrange(1, 4) for c in dice.sample(scene.clocks, 6)} if dice.random() < 0.5 else {}
            )
            monkeypatch.setattr("calling.handout.candidates.lags", lambda *_, lags=lags: lags)
            wanted: dict[int | None, int] = {
                one: dice.choice([1, 2, 5, 20, 60])
                for one in dice.sample([None, *scene.segments], dice.randrange(1, 4))
            }
            needs = [need(segment, n) for segment, n in wanted.items()]
            found = scene.asked(work, closing, needs, kept, lags)
            assert [tuple(card) for card in found] == scene.expected(closing, wanted, kept, lags)
