"""Round numbers: the one in a range that people would choose to say."""

from collections.abc import Sequence
from decimal import Decimal

Number = int | float

_STEPS = (Decimal(10), Decimal(5), Decimal("2.5"), Decimal(2), Decimal(1))
_ODD = Decimal("2.5")  # not itself: 25 and 250 are round, 12.5 is not


def roundest(low: Decimal, high: Decimal) -> Number:
    """The roundest number from `low` to `high`, both included: 200 of 183..221, 1,500 of 1,480..1,590.

    Of several that are as round the one nearest to the middle.
    """
    if low <= 0 <= high:
        return 0
    if low == high:
        return shortest(low)
    middle = (low + high) / 2
    exponent = max(abs(low), abs(high)).adjusted() + 1
    while True:
        for step in (one.scaleb(exponent - 1) for one in _STEPS if one != _ODD or exponent > 1):
            nearest = (middle / step).to_integral_value() * step
            found = [one for one in (nearest, nearest - step, nearest + step) if low <= one <= high]
            if found:
                return shortest(min(found, key=lambda one: abs(one - middle)))
        exponent -= 1


def ascending(ranges: Sequence[tuple[Decimal, Decimal]], lowest: Decimal) -> list[Number]:
    """A round limit of each range, in order, without doubles; each above `lowest`: nobody lies below it else.

    Values that many share give the same limit twice, and so fewer bands.
    """
    limits: list[Number] = []
    for low, high in ranges:
        limit = roundest(low, high)
        if limit > lowest and (not limits or limit > limits[-1]):
            limits.append(limit)
    return limits


def shortest(number: Decimal) -> Number:
    """3 and not 3.0."""
    return int(number) if number == int(number) else float(number)
