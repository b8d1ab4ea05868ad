"""Puts a share of a floor's customers on a national register, as a load and the stamps behind it do."""

from sqlalchemy import text

from benchmarks.floor import NOON, Floor
from calling.registers.law import register_named
from calling.registers.loading import in_chunks, load_numbers
from calling.registers.stamping import stamp
from calling.registers.using import use

REGISTER = "SE-NIX"
"""Of another country, and one that shuts no clock: all that counts here is whom it names."""

_SOME = text("""
    select e164 from customer_number where crm_id = :crm_id and customer_id % 100 < :percent order by e164
""")


def put_on_register(floor: Floor, percent: int) -> int:
    """So many of a hundred customers are named, and stamped; how many placements changed."""
    open_work = floor.app.opener(floor.crm_id, now=NOON)
    with open_work() as work:
        numbers = list(work.run(_SOME, percent=percent).scalars())
    load_numbers(
        floor.app.shared, register_named(REGISTER), in_chunks(numbers),
        file="benchmark", dated=NOON.date(), author="benchmark", now=NOON,
    )  # fmt: skip
    use(open_work, REGISTER, author="benchmark")
    return stamp(open_work)
