"""Who called last: the same to an outcome, a rebuild, an explanation and plain Python."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from world import NOON, World

from calling.handout.hand_out import next_customer
from calling.outcomes.outcome import Report, record_all
from calling.segments.explaining import explain_segment
from calling.segments.previewing import count_rule
from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from models.outcomes import Outcome
from segmentation.catalogue import catalogue
from segmentation.evaluate import meets
from segmentation.language import read_rule
from segmentation.resegment import differing


def leaf(op: str, *v: object) -> dict[str, Any]:
    return {"f": "last_seller", "op": op} | ({"v": v[0]} if v else {})


class Floor:
    """Ana and Bo work some customers; the rules ask who called last."""

    def __init__(self, world: World, customers: int = 3) -> None:
        self.world = world
        self.assignment = world.assignment(gap_seconds=0)
        self.customers = world.customers(customers, self.assignment)
        self.ana, self.bo = (world.seller(self.assignment, name=name) for name in ("Ana", "Bo Ås"))

    def put(self, **segments: dict[str, Any]) -> None:
        body = {"segments": [{"key": key, "when": when} for key, when in segments.items()]}
        publish(self.world.opener(), self.assignment, body, author="Ann")
        for one in rebuilds_to_do(self.world.opener()):
            run_rebuild(self.world.opener(), one)

    def call(self, seller: int, now: datetime = NOON) -> int:
        handed = next_customer(self.world.opener(now), seller)
        assert handed is not None
        record_all(self.world.opener(now), [Report(handed.lease_id, Outcome.NO_ANSWER, "seller")])
        return handed.customer_id

    def placed(self) -> dict[int, str]:
        with self.world.work() as work:
            assert differing(work, self.assignment) == 0
            sql = "select customer_id, s.key from placement p join segment s on s.id = p.segment_id"
            return {row.customer_id: row.key for row in work.run(text(sql))}


@pytest.fixture
def floor(world: World) -> Floor:
    return Floor(world)


def test_who_called_last_decides_at_once(floor: Floor) -> None:
    """Planted: Ana, whoever the lease was of; seen to fail."""
    floor.put(hers=leaf("eq", "Ana"), his=leaf("starts_with", "bo"), never=leaf("empty"))
    first = floor.call(floor.ana)
    assert floor.placed() == {one: "hers" if one == first else "never" for one in floor.customers}
    second = floor.call(floor.bo)
    assert (floor.placed()[first], floor.placed()[second]) == ("hers", "his")
    with floor.world.work() as work:
        said = explain_segment(work, floor.assignment, second)
        told = [(one.is_true, one.reason.shown) for one in said.segments[:2]]
        assert told == [(False, "Bo Ås"), (True, "Bo Ås")]
        what_if = explain_segment(work, floor.assignment, second, supposed={"last_seller": "Ana"})
        assert what_if.rule_key == "hers"
        assert count_rule(work, floor.assignment, {"text": 'last_seller in ("Bo Ås")'}).matching == 1


def test_the_last_call_counts_not_the_first(world: World) -> None:
    floor = Floor(world, customers=1)
    floor.put(hers=leaf("eq", "Ana"), his=leaf("eq", "Bo Ås"))
    (customer,) = floor.customers
    for minute, (seller, key) in enumerate(((floor.ana, "hers"), (floor.bo, "his"), (floor.ana, "hers"))):
        assert floor.call(seller, NOON + timedelta(minutes=minute)) == customer
        assert floor.placed() == {customer: key}
        with world.work() as work:
            work.run(text("update placement set state = 'ready', due_at = null, gated_by = null"))


def test_a_dialers_call_is_no_sellers(floor: Floor) -> None:
    floor.put(somebody=leaf("not_empty"))
    world = floor.world
    customer = floor.call(floor.ana)
    assert floor.placed()[customer] == "somebody"
    dialer = world.dialer(floor.assignment, name="robot")
    with world.work() as work:
        work.run(
            text("update lease set seller_id = null, dialer_id = :d where customer_id = :c"),
            d=dialer, c=customer,
        )  # fmt: skip
    floor.put(somebody=leaf("not_empty"), others=leaf("empty"))
    assert floor.placed()[customer] == "others"


@pytest.mark.parametrize(
    "asked",
    [
        leaf("eq", "Ana"), leaf("ne", "Ana"), leaf("in", ["Ana", "Bo Ås"]), leaf("not_in", ["Bo Ås"]),
        leaf("contains", "ÅS"), leaf("ends_with", "na"), leaf("empty"), leaf("not_empty"),
    ],
)  # fmt: skip
def test_python_says_what_postgresql_says(floor: Floor, asked: dict[str, Any]) -> None:
    floor.put(it=asked)
    names = {floor.call(floor.ana): "Ana", floor.call(floor.bo): "Bo Ås"}
    tree, known = read_rule(asked, catalogue({})), catalogue({})
    placed = floor.placed()
    for customer in floor.customers:
        row = {"last_seller": names.get(customer), "zone": "Europe/Lisbon"}
        assert (placed[customer] == "it") is meets(tree, row, known, NOON), (customer, row)
