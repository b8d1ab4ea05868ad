"""A scene for facets: customers with every kind of value, random changes, and a naive count in Python."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any

import orjson
from sqlalchemy import text
from world import NOON, World

from models.tables import Label
from segmentation.catalogue import KnownField
from segmentation.evaluate import value_of
from segmentation.facets.dimensions import Dimension, Frame
from segmentation.facets.values import EMPTY, FacetValue, Others, Range

JOBS = ("student", "retired", "services", "", """o'clock" %(crm_id)s %s :now \\ {}--""")
TAGS = ("vip", "late", "press")
OWN = {"age": "number", "job": "choice", "loan": "yes_no", "since": "date", "note": "text"}

_ROWS = text("""
    select p.customer_id, p.segment_id, p.status, p.state, p.attempts, p.last_outcome, c.place,
           c.reckoning_zone, c.reckoning_zone as zone, p.labels, c.fields,
           coalesce(c.email, '') <> '' as has_email,
           exists (select from customer_number m where m.crm_id = :crm_id and m.customer_id = c.id
                      and m.state in ('good', 'unverified')) as has_phone,
           array(select tag from customer_tag t where t.crm_id = :crm_id and t.customer_id = c.id) as tags
      from placement p join customer c on c.crm_id = :crm_id and c.id = p.customer_id
     where p.crm_id = :crm_id and p.assignment_id = :a and p.state not in ('left', 'anonymised')
""")
_PLACEMENT = text("""
    update placement set status = :status, state = :state, attempts = :attempts, last_outcome = :last_outcome,
           gone_at = case when :state in ('left', 'anonymised') then :now end,
           segment_id = :segment_id, labels = :labels
     where crm_id = :crm_id and assignment_id = :a and customer_id = :c
""")
_CUSTOMER = text("""
    update customer set fields = cast(:fields as jsonb), place = :place, reckoning_zone = :zone,
           email = :email
     where crm_id = :crm_id and id = :c
""")
_TAG = text("""
    insert into customer_tag (crm_id, customer_id, tag, source, author, tagged_at)
    values (:crm_id, :c, :tag, 'hand', 'test', :now) on conflict do nothing
""")
_NUMBER = text("update customer_number set state = :state where crm_id = :crm_id and customer_id = :c")
_UNTAG = text("delete from customer_tag where crm_id = :crm_id and customer_id = :c and tag = :tag")


class FacetScene:
    """An assignment whose customers have every kind of value, drawn with seeded dice."""

    def __init__(self, world: World, customers: int = 60, seed: int = 1) -> None:
        self.world, self.dice = world, Random(seed)
        self.assignment = world.assignment()
        self.segments = [world.unsegmented(self.assignment), *self._segments(2)]
        self.labels = [self._label(key) for key in ("big", "small")]
        for key, type_ in OWN.items():
            world.field(key, type_)
        self.customers = world.customers(customers, self.assignment)
        for customer in self.customers:
            self.change(customer)

    def _segments(self, n: int) -> list[int]:
        nobody = {"any": [{"f": "attempts", "op": "ge", "v": 250}]}
        return [self.world.segment(self.assignment, rule=nobody) for _ in range(n)]

    def _label(self, key: str) -> int:
        label = Label(
            crm_id=self.world.crm_id, assignment_id=self.assignment, key=key, name=key, position=1,
            rule={"all": []}, created_at=NOON,
        )  # fmt: skip
        return int(self.world.add(label).id)

    def change(self, customer: int) -> None:
        """Everything about a customer is drawn anew."""
        with self.world.work() as work:
            self.change_within(work, customer)

    def change_placement(self, customer: int) -> None:
        """Its place in the assignment alone is drawn anew."""
        with self.world.work() as work:
            self._place(work, customer)

    def change_within(self, work: Any, customer: int) -> None:
        """Everything, inside somebody's transaction."""
        dice = self.dice
        self._place(work, customer)
        work.run(
            _CUSTOMER, c=customer, fields=orjson.dumps(self._fields()).decode(),
            place=dice.choice((None, "PT", "ES")), zone=dice.choice(("Europe/Lisbon", "Etc/UTC")),
            email=dice.choice((None, "", "a@b.no")),
        )  # fmt: skip
        work.run(_NUMBER, c=customer, state=dice.choice(("good", "unverified", "disconnected")))
        work.run(dice.choice((_TAG, _UNTAG)), c=customer, tag=dice.choice(TAGS))

    def _place(self, work: Any, customer: int) -> None:
        dice = self.dice
        work.run(
            _PLACEMENT, a=self.assignment, c=customer,
            status=dice.choice(("new", "sale", "no_answer")),
            state=dice.choice(("ready", "ready", "closed", "left", "anonymised")),
            attempts=dice.choice((0, 1, 2, 9, 10, 11)), last_outcome=dice.choice((None, "sale", "busy")),
            segment_id=dice.choice(self.segments),
            labels=sorted(dice.sample(self.labels, dice.randint(0, len(self.labels)))),
        )  # fmt: skip

    def _fields(self) -> dict[str, Any]:
        dice = self.dice
        fields = {
            "age": dice.choice((dice.randint(18, 90), 20, 30.5, "thirty", None)),
            "job": dice.choice((*JOBS, "clerk", 7)),
            "loan": dice.choice((True, False, None, "yes")),
            "since": dice.choice(
                (f"20{dice.randint(10, 25)}-0{dice.randint(1, 9)}-01", "2026-99-99", "soon")
            ),
            "note": f"note {dice.randint(1, 100)}",
        }
        return {key: value for key, value in fields.items() if dice.random() < 0.9}

    def rows(self) -> list[Mapping[str, Any]]:
        """The placements that count, as plain values."""
        with self.world.work() as work:
            return [dict(row._mapping) for row in work.run(_ROWS, a=self.assignment)]


def naive(
    frame: Frame, rows: Sequence[Mapping[str, Any]], filters: Mapping[str, Sequence[FacetValue]]
) -> tuple[dict[str, dict[FacetValue, tuple[int, int]]], int]:
    """dimension -> value -> (selected, total), nothing of who is not there; and how many pass."""
    has = [{one.key: values_of(one, row) for one in frame.dimensions} for row in rows]
    bars: dict[str, dict[FacetValue, tuple[int, int]]] = {}
    for one in frame.dimensions:
        chosen: Counter[FacetValue] = Counter()
        every: Counter[FacetValue] = Counter()
        for row in has:
            every.update(row[one.key])
            if all(meets(row, key, wanted) for key, wanted in filters.items() if key != one.key):
                chosen.update(row[one.key])
        bars[one.key] = {value: (chosen[value], every[value]) for value in every}
    return bars, sum(all(meets(row, key, wanted) for key, wanted in filters.items()) for row in has)


def meets(row: Mapping[str, set[FacetValue]], key: str, wanted: Sequence[FacetValue]) -> bool:
    """Whether a row has one of the wanted values."""
    return bool(row[key] & set(wanted))


def values_of(one: Dimension, row: Mapping[str, Any]) -> set[FacetValue]:
    """The values of the frame that a row has: one, or several where there may be several."""
    if one.kind == "many":
        known = set(one.listed)
        return {mark if mark in known else Others(one.listed) for mark in row[one.key]} or {EMPTY}
    field = one.field
    value = row[field.key] if field.table else value_of(KnownField(field.key, field.type), row, NOON)
    if value is None or value == "":
        return {EMPTY}
    if one.kind == "ranges":
        return {next(v for v in one.values if v == value or _within(v, value))}
    return {value if value in one.values else Others(one.listed)}


def _within(bar: FacetValue, value: Any) -> bool:
    if not isinstance(bar, Range):
        return False
    low, high = (Decimal(str(b)) if isinstance(b, int | float) else b and str(b) for b in (bar.low, bar.high))
    return (low is None or low <= value) and (high is None or value < high)


def bars_of(facets: Any) -> dict[str, dict[FacetValue, tuple[int, int]]]:
    """The bars that anybody is in, as `naive` gives them."""
    return {
        key: {bar.value: (bar.selected, bar.total) for bar in bars if bar.total}
        for key, bars in facets.dimensions.items()
    }


def random_filters(frame: Frame, dice: Random) -> dict[str, list[FacetValue]]:
    """Up to four dimensions, each with up to three of its bars; sometimes none of them."""
    chosen = dice.sample(frame.dimensions, dice.randint(0, 4))
    return {one.key: dice.sample(one.values, min(len(one.values), dice.randint(0, 3))) for one in chosen}
