"""The order of free customers: one number, lower first, written whenever an input changes.

    bits 52-59  attempts: fewer first
    bits 25-51  the assignment's order field, ascending or descending; customers without it come last
    bits  0-24  minutes from 2020 to the last attempt, 0 if there was none: the longest rest first

Ties go to the lower customer id (the index says so). SQL and Python give the same number.
"""

import struct
from datetime import UTC, datetime, timedelta
from math import copysign

ATTEMPTS_MOST = (1 << 8) - 1
FIELD_BITS, REST_BITS = 27, 25
MISSING = (1 << FIELD_BITS) - 1  # no value has this code: that of the largest float is smaller
REST_MOST = (1 << REST_BITS) - 1
REST_FROM = datetime(2020, 1, 1, tzinfo=UTC)
LARGEST, SMALLEST = 3e38, 1e-37  # what a 4-byte float holds with all its digits

# The 27 highest bits of a 4-byte float keep the order of numbers of every size, to 5 digits and more:
# a balance in the thousands and a probability are told apart equally well. Those of a negative number
# are flipped, since its bits grow as it sinks.
_VALUE = f"least(greatest((c.fields ->> a.order_field)::numeric, -{LARGEST}::numeric), {LARGEST}::numeric)"
_FLOAT = f"case when abs({_VALUE}) < {SMALLEST}::numeric then 0 else {_VALUE}::float8::float4 end"
_BITS = f"('x' || encode(float4send({_FLOAT}), 'hex'))::bit(32)::bigint"
_CODE = f"(case when {_BITS} >= 2147483648 then 4294967295 - {_BITS} else {_BITS} + 2147483648 end >> 5)"
_FIELD = f"""case when jsonb_typeof(c.fields -> a.order_field) is distinct from 'number' then {MISSING}
    when a.order_descending then {MISSING - 1} - {_CODE} else {_CODE} end"""


def rank_sql(attempts: str = "p.attempts", last_attempt_at: str = "p.last_attempt_at") -> str:
    """The rank as SQL (bigint) over `a` assignment, `c` customer and, by default, `p` placement.

    `attempts`, `last_attempt_at`: SQL of the values that are about to be written.
    """
    since = f"({last_attempt_at} - timestamptz '2020-01-01 00:00+00')"
    minutes = f"floor(extract(epoch from {since}) / 60)::bigint"
    rest = f"coalesce(least(greatest({minutes}, 0), {REST_MOST}), 0)"
    tried = f"least(greatest({attempts}, 0), {ATTEMPTS_MOST})::bigint"
    return f"(({tried} << {FIELD_BITS + REST_BITS}) | (({_FIELD}) << {REST_BITS}) | {rest})"


def rank(
    attempts: int, value: float | None, last_attempt_at: datetime | None, *, descending: bool = False
) -> int:
    """The same as `rank_sql`, for simulations and tests. `value`: of the order field, None if it has none."""
    rest = 0
    if last_attempt_at is not None:
        rest = min(max((last_attempt_at - REST_FROM) // timedelta(minutes=1), 0), REST_MOST)
    code = MISSING if value is None else _code(value)
    if descending and value is not None:
        code = MISSING - 1 - code
    return min(max(attempts, 0), ATTEMPTS_MOST) << (FIELD_BITS + REST_BITS) | code << REST_BITS | rest


def attempts_of(rank: int) -> int:
    """The attempts that a rank stands for, at most ATTEMPTS_MOST."""
    return rank >> (FIELD_BITS + REST_BITS)


def _code(value: float) -> int:
    """The 27 bits that stand for a number: a larger number never has a smaller code."""
    value = min(max(value, -LARGEST), LARGEST)
    if abs(value) < SMALLEST:
        value = copysign(0, 1)
    bits = int.from_bytes(struct.pack(">f", value))
    return (0xFFFFFFFF - bits if bits >= 1 << 31 else bits + (1 << 31)) >> 5
