"""What the history and the portrait of a segment look like on the wire, each with an example."""

from typing import Any

from pydantic import Field

from segmentation.portrait import MOST_CALLS, SAMPLE
from web.api.common import Instant, Model

MOST_DEEDS = 100


class Step(Model):
    """One span: the size at its end, and who came and went in it by cause."""

    begins: Instant
    size: int
    came: dict[str, int] = Field(description="By cause: entered, rule, event, time or hand.")
    went: dict[str, int] = Field(description="As `came`; `left` the assignment, or `anonymised`, as well.")


class Deed(Model):
    """What somebody did to the segment, or to all of its assignment."""

    id: int
    deed: str
    author: str
    detail: dict[str, Any]
    done_at: Instant


class History(Model):
    """A segment since an instant. Steps begin at `since`; the one under way is the last."""

    segment_id: int
    key: str
    name: str
    since: Instant
    step_seconds: int
    size_before: int
    size: int
    steps: list[Step]
    deeds: list[Deed] = Field(description=f"The last {MOST_DEEDS} since then; `/deeds` has all.")


class Worked(Model):
    """Attempts in force; contacts an attempt, sales a contact; null of nothing."""

    attempts: int
    contacts: int
    sales: int
    contact_rate: float | None
    conversion_rate: float | None


class Hour(Worked):
    """An hour of the customers' local day."""

    hour: int


class NumberField(Model):
    """A number field: how many of `sample` have it, their mean and median, everybody's mean."""

    field: str
    name: str
    known: int
    mean: float
    median: float
    mean_of_all: float


class Standout(Model):
    """A value that is more frequent here. `lift`: the share here by the share in the assignment."""

    dimension: str
    dimension_name: str
    value: Any
    name: str
    count: int
    of_all: int
    lift: float
    deviations: float = Field(description="Above the assignment's share, in standard deviations of chance.")


class Portrait(Model):
    """Who is in a segment, what sets them apart from everybody, and when they answer."""

    segment_id: int
    size: int
    assignment: int = Field(description="Customers of the whole assignment.")
    numbers: list[NumberField]
    sample: int = Field(description=f"Of how many here the numbers are: of all, or of {SAMPLE:,} and less.")
    sample_of_all: int = Field(description="Of how many of the assignment everybody's mean is.")
    standouts: list[Standout] = Field(description="What sets them apart most, first.")
    calls_since: Instant = Field(description="`worked` and `hours` are of calls from here on.")
    calls_cut: bool = Field(
        description=f"There were more since the instant asked for; these are the last {MOST_CALLS:,}."
    )
    worked: Worked
    hours: list[Hour] = Field(description="The best first: by what the contact rate hardly lies below.")
    as_of: Instant


DEED: dict[str, Any] = {
    "id": 44, "deed": "held", "author": "Kari",
    "detail": {"customers": 510, "changed": 498, "reason": "campaign", "what": "Job: student"},
    "done_at": "2026-03-02T11:20:00Z",
}  # fmt: skip
HISTORY: dict[str, Any] = {
    "segment_id": 3, "key": "loans", "name": "Loans", "since": "2026-03-02T11:00:00Z", "step_seconds": 3600,
    "size_before": 6746, "size": 7244,
    "steps": [
        {"begins": "2026-03-02T11:00:00Z", "size": 7244, "came": {"hand": 498}, "went": {}},
    ],
    "deeds": [DEED],
}  # fmt: skip
WORKED: dict[str, Any] = {
    "attempts": 391, "contacts": 171, "sales": 14, "contact_rate": 0.437, "conversion_rate": 0.082,
}  # fmt: skip
PORTRAIT: dict[str, Any] = {
    "segment_id": 3, "size": 7244, "assignment": 45211,
    "numbers": [
        {"field": "age", "name": "Age", "known": 7244, "mean": 39.2, "median": 38, "mean_of_all": 40.9}
    ],
    "standouts": [
        {"dimension": "job", "dimension_name": "Job", "value": "services", "name": "services", "count": 912,
         "of_all": 4154, "lift": 1.37, "deviations": 10.2}
    ],
    "sample": 7244, "sample_of_all": 45211,
    "calls_since": "2025-12-02T12:00:00Z", "calls_cut": False,
    "worked": WORKED, "hours": [{"hour": 11, **WORKED}], "as_of": "2026-03-02T12:00:00Z",
}  # fmt: skip
