"""What a preview answers. Segments and labels are named by their keys: new ones have no id yet."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """So many customers are in `from_key` now and would be in `to_key`.

    `sample`: up to 20 ids of those who move, spread over all of them, the same at each look.
    """

    from_key: str
    to_key: str
    size: int
    sample: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HeldElsewhere:
    """So many customers belong to `rule_key` by rule and are held in `held_key`: holds win."""

    rule_key: str
    held_key: str
    size: int
    sample: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SegmentForecast:
    """A segment's size now and then. `is_new`: it is not there now; `goes`: it is not there then."""

    key: str
    name: str
    before: int
    after: int
    came: int
    went: int
    is_new: bool
    goes: bool


@dataclass(frozen=True, slots=True)
class LabelForecast:
    """How many have a label now and then; to how many it is given, from how many it is taken."""

    key: str
    name: str
    before: int
    after: int
    given: int
    taken: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What publishing a draft over version `base` would do to `customers`: `stay` and `move` add up to them.

    `share`: the part of them that moves. `cells`: the move matrix, those who stay as well, the largest first.
    `segments` and `labels` in the draft's order, then Unsegmented, then those that go. `held` customers have
    a hold that stays; of whom the rules place elsewhere, `held_elsewhere` tells. `released` holds are let go
    with their segments. `warnings`: (path, message).
    """

    base: int
    customers: int
    stay: int
    move: int
    share: float
    segments: tuple[SegmentForecast, ...]
    labels: tuple[LabelForecast, ...]
    cells: tuple[Cell, ...]
    held: int
    held_elsewhere: tuple[HeldElsewhere, ...]
    released: int
    warnings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Count:
    """`matching` of `customers` meet a rule now."""

    matching: int
    customers: int
