"""What an explanation of a customer's segment answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Reason:
    """One node of a rule: `is_true` now, another from `flips_at` on (UTC; None: by time alone, never).

    A `question` has its `text`, the `value` that its field has, and the same as people read it, `shown`. One
    that names rules has them as parts (`rule`), each with its tree. `all`, `any` and `not` group their parts.
    """

    kind: Literal["question", "all", "any", "not", "rule"]
    text: str
    is_true: bool
    flips_at: datetime | None
    value: Any = None
    shown: str | None = None
    parts: tuple["Reason", ...] = ()


@dataclass(frozen=True, slots=True)
class RuleAnswer:
    """One segment's or label's rule: whether the customer meets it, and from `flips_at` on no more, or newly.

    `is_reached`: no segment before it has taken them; of labels always. `places`: it is the segment that the
    rules place them in, the label that they are to have. `is_broken`: an earlier form of it is in force.
    """

    key: str
    name: str
    text: str
    is_true: bool
    flips_at: datetime | None
    is_reached: bool
    places: bool
    is_broken: bool
    reason: Reason


@dataclass(frozen=True, slots=True)
class HoldNow:
    """The hold in force: in which segment, by whom and why, since when and until when (UTC)."""

    key: str
    name: str
    author: str
    reason: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class NextChange:
    """When time alone will place the customer in another segment, and in which."""

    at: datetime
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class SegmentExplanation:
    """Why a customer is in a segment, as of the instant `at`, by the rules of `version`.

    `segment_key` is where they stand; `rule_key` where the rules place them; `belongs_key` the same with the
    hold, which wins. `is_pending`: they are still to be moved there. `why` says it in one line. `looked_to`:
    what time changes later than that is not known; None: everything was looked at.
    """

    customer_id: int
    external_id: str
    name: str
    assignment_id: int
    at: datetime
    version: int
    segment_key: str
    segment: str
    rule_key: str
    belongs_key: str
    hold: HoldNow | None
    is_pending: bool
    why: str
    next_change: NextChange | None
    looked_to: datetime | None
    segments: tuple[RuleAnswer, ...]
    labels: tuple[RuleAnswer, ...]
