"""What templates, previews and turnover classes look like on the wire, each with an example."""

from typing import Any, Literal

from pydantic import Field

from calling.segments import templates as verbs
from web.api.common import Instant, Model, Words

Kind = Literal["segment", "label"]


class Suggestion(Model):
    """A field that may be meant. `sure`: its name says so, and its values can be it."""

    field: str
    label: str
    type: str
    why: str
    sure: bool
    known: int = Field(description="How many of the customers who were looked at have a value.")


class Told(Model):
    """What a template may be told. Without `default` it is suggested, or worked out of the customers."""

    name: str
    what: str
    default: int | list[int] | None
    types: list[str] = Field(description="It is a field of one of these types; empty: it is no field.")
    suggestions: list[Suggestion] = Field(description="The likeliest first; the first is taken.")


class Offer(Model):
    """A template, and whether it fits this CRM as it is: then `{}` applies it."""

    key: str
    name: str
    what: str
    parts: list[str] = Field(description="Names of its segments and labels; empty: bands, made of a field.")
    parameters: list[Told]
    fits: bool
    why_not: str | None


class Offers(Model):
    """Every template there is."""

    items: list[Offer]


class Wish(Model):
    """What to make of a template. `{}` takes what is suggested and worked out."""

    parameters: dict[str, Any] = Field(default_factory=dict)
    only: list[Words] | None = Field(None, max_length=200, description="Keys of some parts; null: all.")
    as_: Kind | None = Field(None, alias="as", description="Bands as segments or as labels.")
    before: Words | None = Field(None, description="New segments come in front of this one; null: last.")
    version: int | None = Field(None, ge=0, description="Of the preview: 409 if it is in force no more.")

    def as_wish(self) -> verbs.Wish:
        """As the verb takes it."""
        return verbs.Wish(self.parameters, self.only, self.as_, self.before)


class PlannedPart(Model):
    """A segment or label to be, its rule as people write it, and how many customers meet it now."""

    kind: Kind
    key: str
    name: str
    text: str
    when: dict[str, Any]
    count: int
    there: str | None = Field(description="The key of one that asks just the same; it is not made again.")


class Preview(Model):
    """What applying would do. Give `parameters` and `version` back, and just this is applied."""

    template: str
    version: int
    parameters: dict[str, Any]
    parts: list[PlannedPart]
    customers: int = Field(description="Of the assignment; bands add up to it.")
    notes: list[str]


class Applied(Model):
    """The version of the rules in force now, and the keys that came with it. A rebuild follows."""

    version: int
    keys: list[str]


class NewTurnover(Model):
    """Where the classes begin, in the unit of a number field."""

    field: Words
    silver: float
    gold: float
    platinum: float
    version: int | None = Field(None, ge=1, description="What you looked at: 409 if it has moved since.")


class Turnover(Model):
    """Where silver, gold and platinum begin in the whole CRM."""

    version: int
    field: str
    silver: float
    gold: float
    platinum: float
    author: str
    changed_at: Instant


class Left(Model):
    """A label called like a class, whose rule somebody has written by hand: it was left as it is."""

    assignment_id: int
    key: str


class Changed(Model):
    """The classes now; the assignments published for them, with their versions; labels left alone."""

    turnover: Turnover
    published: dict[int, int]
    left: list[Left]


OFFER: dict[str, Any] = {
    "key": "age", "name": "Age", "what": "Bands of age, from a number or from a date of birth.", "parts": [],
    "parameters": [
        {
            "name": "field", "what": "The age, or the date of birth.", "default": None,
            "types": ["number", "date", "choice", "text"],
            "suggestions": [
                {"field": "alder", "label": "Alder", "type": "number", "sure": True, "known": 20_000,
                 "why": "its name says that it is the age"}
            ],
        },
        {"name": "limits", "what": "Years at which bands begin.", "default": [18, 25, 35, 45, 55, 65, 75],
         "types": [], "suggestions": []},
    ],
    "fits": True, "why_not": None,
}  # fmt: skip
WISH: dict[str, Any] = {"parameters": {"field": "alder", "limits": [18, 30]}, "as": "segment", "version": 4}
PREVIEW: dict[str, Any] = {
    "template": "age", "version": 4, "parameters": {"field": "alder", "limits": [18, 30]},
    "parts": [
        {"kind": "segment", "key": "age-under-18", "name": "Age under 18", "text": "alder < 18",
         "when": {"f": "alder", "op": "lt", "v": 18}, "count": 12, "there": None}
    ],
    "customers": 45211, "notes": [],
}  # fmt: skip
NEW_TURNOVER = {"field": "turnover", "silver": 10_000, "gold": 50_000, "platinum": 250_000, "version": 1}
TURNOVER: dict[str, Any] = {
    "version": 2, "field": "turnover", "silver": 10_000, "gold": 50_000, "platinum": 250_000,
    "author": "Kari", "changed_at": "2026-03-02T12:00:00Z",
}  # fmt: skip
CHANGED: dict[str, Any] = {
    "turnover": TURNOVER, "published": {"1": 6}, "left": [{"assignment_id": 2, "key": "gold"}],
}  # fmt: skip
