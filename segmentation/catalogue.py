"""The field catalogue: what rules may ask, of which type, with which operators.

One list feeds the language, the SQL and the plain evaluator. A CRM's own fields join the built-in ones; a
built-in one wins over an own field of the same key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from models.outcomes import Outcome

Table = Literal["placement", "customer", "numbers", "tags", "seller", "clock", "local", "rules"]

TEXT = ("eq", "ne", "in", "not_in", "contains", "starts_with", "ends_with", "empty", "not_empty")
ORDERED = ("eq", "ne", "lt", "le", "gt", "ge", "between", "in", "not_in", "empty", "not_empty")
MOVING = ("older_than", "within_last", "due_within", "overdue_by")

OPERATORS: Mapping[str, tuple[str, ...]] = {
    "text": TEXT,
    "choice": TEXT,
    "number": ORDERED,
    "date": (*ORDERED, *MOVING, "on", "weekday_in", "anniversary_within"),
    "instant": ("before", "after", "between", *MOVING, "on", "weekday_in", "empty", "not_empty"),
    "yes_no": ("is_true", "is_false", "empty", "not_empty"),
    "tags": ("any", "all", "none", "count_ge", "empty", "not_empty"),
    "segments": ("any", "none"),
    "labels": ("any", "all", "none"),
}
"""Type of a field -> the operators it takes."""

WITHOUT_VALUE = frozenset({"empty", "not_empty", "is_true", "is_false"})
WITH_LIST = frozenset({"in", "not_in", "any", "all", "none"})
WITH_DURATION = frozenset({*MOVING, "anniversary_within"})
PART_OF_TEXT = frozenset({"contains", "starts_with", "ends_with"})
TRUE_OF_NOTHING = frozenset({"ne", "not_in", "none", "empty"})
"""Operators that a missing value meets; every other leaf over it is false."""

REFERENCES = frozenset({"in_segment", "label"})
"""Fields that ask another rule of the same rule set."""

STATUSES = ("new", *(outcome.value for outcome in Outcome))


@dataclass(frozen=True, slots=True)
class KnownField:
    """A field that rules may ask. `table` None: a CRM's own, kept in `customer.fields` under `key`.

    `table` says otherwise what a row is joined with for it; segmentation/sources.py has the columns.
    `choices` are all its values where they are known. `whole`: its numbers have no fraction. Of own
    fields: `declared`, the choices that are offered, while other values may still stand in old rows;
    `retired`, when and by whom ("by Kari on 2026-03-02"), so that no new rule may ask it; `kept_as`, the
    key of its values where that is another one: a field read as the type that it had once.
    """

    key: str
    type: str
    table: Table | None = None
    choices: tuple[str, ...] = ()
    whole: bool = False
    declared: tuple[str, ...] = ()
    retired: str = ""
    kept_as: str = ""

    @property
    def stored(self) -> str:
        """The key in `customer.fields`."""
        return self.kept_as or self.key


Catalogue = Mapping[str, KnownField]
OwnFields = Mapping[str, "str | KnownField"]
"""A CRM's own fields by key: each as its type (of models.tables.customers.FIELD_TYPES), or whole."""

BUILT_IN: Catalogue = {
    field.key: field
    for field in (
        KnownField("status", "choice", "placement", STATUSES),
        KnownField("attempts", "number", "placement", whole=True),
        KnownField("last_outcome", "choice", "placement", tuple(outcome.value for outcome in Outcome)),
        KnownField("last_seller", "text", "seller"),
        KnownField("external_id", "text", "customer"),
        KnownField("name", "text", "customer"),
        KnownField("email", "text", "customer"),
        KnownField("place", "text", "customer"),
        KnownField("last_call", "instant", "placement"),
        KnownField("entered", "instant", "placement"),
        KnownField("due", "instant", "placement"),
        KnownField("customer_since", "instant", "customer"),
        KnownField("has_email", "yes_no", "customer"),
        KnownField("has_phone", "yes_no", "numbers"),
        KnownField("zone", "text", "customer"),
        KnownField("local_offset", "number", "local"),
        KnownField("country", "text", "clock"),
        KnownField("tags", "tags", "tags"),
        KnownField("in_segment", "segments", "rules"),
        KnownField("label", "labels", "rules"),
    )
}

TAKEN = frozenset({*BUILT_IN, "segment", "state", "labels"})
"""Keys that an own field may not have: the built-in ones, and what facets call by other names than rules."""


def catalogue(own: OwnFields) -> Catalogue:
    """The built-in fields and a CRM's `own` ones."""
    whole = {key: KnownField(key, one) if isinstance(one, str) else one for key, one in own.items()}
    return {**whole, **BUILT_IN}
