"""What rule sets, their previews and counts look like on the wire, each with an example."""

from typing import Annotated, Any

from pydantic import Field

from web.api.common import Instant, Model


class Rules(Model):
    """The rules in force: segments in order of priority, and labels. Version 0: none was published yet."""

    version: int
    segments: list[dict[str, Any]] = Field(description="Each with `key`, `name` and its rule `when`.")
    labels: list[dict[str, Any]] = Field(description="Likewise.")
    text: str = Field(description='The same as people write it; it can be published as `{"text": ..}`.')
    author: str | None
    published_at: Instant | None


class RuleWarning(Model):
    """What is allowed and most likely not meant, and where: `segments[1].when`, or `rules` for all."""

    path: str
    message: str


class Published(Model):
    """The version of the rules that is in force now. Segments follow as soon as they are rebuilt."""

    version: int
    warnings: list[RuleWarning]


class Version(Model):
    """A rule set that was published: who, when, and how many segments it has."""

    version: int
    author: str
    published_at: Instant
    segments: int


class SegmentForecast(Model):
    """A segment's size now and then. `is_new`: it is not there now; `goes`: it is not there then."""

    key: str
    name: str
    before: int
    after: int
    came: int
    went: int
    is_new: bool
    goes: bool


class LabelForecast(Model):
    """How many have a label now and then; to how many it is given, from how many it is taken."""

    key: str
    name: str
    before: int
    after: int
    given: int
    taken: int


Sample = Annotated[
    list[int],
    Field(description="Up to 20 customer ids of those who move, spread over all, the same at each look."),
]


class Cell(Model):
    """So many customers are in `from_key` now and would be in `to_key`."""

    from_key: str
    to_key: str
    size: int
    sample: Sample


class HeldElsewhere(Model):
    """So many customers belong to `rule_key` by rule and are held in `held_key`: holds win."""

    rule_key: str
    held_key: str
    size: int
    sample: Sample


class Preview(Model):
    """What publishing would do to `customers`; published over `base` with nothing in between, just that."""

    base: int = Field(
        description="The version in force: publish with `?base=` it, or get 409 if it is older."
    )
    customers: int
    stay: int
    move: int
    share: float = Field(description="The part of all customers that moves, 0 to 1.")
    segments: list[SegmentForecast] = Field(
        description="In the draft's order, then Unsegmented, then those that go."
    )
    labels: list[LabelForecast]
    cells: list[Cell] = Field(description="The move matrix, those who stay as well, the largest first.")
    held: int = Field(description="Customers whose hold stays.")
    held_elsewhere: list[HeldElsewhere] = Field(description="Of those the ones whose rule says otherwise.")
    released: int = Field(description="Holds that are let go: the draft has their segment no more.")
    warnings: list[RuleWarning]


class Count(Model):
    """`matching` of `customers` meet the rule now, wherever they are placed."""

    matching: int
    customers: int


class OneRule(Model):
    """One rule: as a tree, as text, or as an SQL predicate."""

    when: dict[str, Any] | None = None
    text: str | None = Field(None, max_length=100_000)
    sql: str | None = Field(None, max_length=100_000)


class Translated(Model):
    """One rule as it is kept, and as people write it."""

    when: dict[str, Any]
    text: str
    notes: list[str] = Field(description="Where it does not mean just what the SQL said.")


class Asked(OneRule):
    """One rule. What it names are rules of `draft`, else of those in force."""

    draft: dict[str, Any] | None = Field(None, description="A rule set, as for a preview.")


RULES: dict[str, Any] = {
    "segments": [
        {"key": "loans", "name": "Loans", "when": {"f": "loan", "op": "is_true"}},
        {
            "key": "tired", "name": "Tired",
            "when": {
                "all": [{"f": "attempts", "op": "ge", "v": 3}, {"f": "status", "op": "ne", "v": "sale"}]
            },
        },
    ]
}  # fmt: skip
TEXT = 'segment loans "Loans": loan\n\nsegment tired "Tired": attempts >= 3 and status != sale\n'
IN_FORCE: dict[str, Any] = {
    "version": 4, **RULES, "labels": [], "text": TEXT, "author": "Kari",
    "published_at": "2026-03-02T08:00:00Z",
}  # fmt: skip
VERSION: dict[str, Any] = {
    "version": 4, "author": "Kari", "published_at": "2026-03-02T08:00:00Z", "segments": 2,
}  # fmt: skip
PREVIEW: dict[str, Any] = {
    "base": 4, "customers": 45_211, "stay": 44_100, "move": 1_111, "share": 0.0246,
    "segments": [
        {
            "key": "tired", "name": "Tired", "before": 1200, "after": 2311, "came": 1111, "went": 0,
            "is_new": False, "goes": False,
        }
    ],
    "labels": [{"key": "vip", "name": "VIP", "before": 40, "after": 52, "given": 12, "taken": 0}],
    "cells": [{"from_key": "loans", "to_key": "tired", "size": 1111, "sample": [17, 99, 1841]}],
    "held": 3, "held_elsewhere": [{"rule_key": "tired", "held_key": "loans", "size": 1, "sample": [5]}],
    "released": 0,
    "warnings": [{"path": "segments[1].when", "message": "nobody comes here now: .."}],
}  # fmt: skip
ASKED: dict[str, Any] = {"text": "attempts >= 2 and tags any (vip)"}
AS_SQL: dict[str, Any] = {"sql": "status <> 'sale' and attempts >= 2"}
TRANSLATED: dict[str, Any] = {
    "when": {
        "all": [
            {"f": "status", "op": "ne", "v": "sale"}, {"f": "status", "op": "not_empty"},
            {"f": "attempts", "op": "ge", "v": 2},
        ]
    },
    "text": "status != sale and status is not empty and attempts >= 2", "notes": [],
}  # fmt: skip
COUNT: dict[str, Any] = {"matching": 391, "customers": 45_211}
