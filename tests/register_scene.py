"""A register for Portugal, where the tests' customers live, and short ways to load it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import Row, text
from world import NOON, World

from calling.registers import age, law
from calling.registers.coming import Loaded
from calling.registers.following import Followed, follow_everywhere
from calling.registers.law import NationalRegister
from calling.registers.loading import load_numbers

PT = NationalRegister(
    name="PT-TEST", country="PT", title="Lista", binds=("b2c",), warn_after=20, refuse_after=30,
    policy="refuse", source="a test", evidence="text", note="",
)  # fmt: skip
ES = NationalRegister(
    name="ES-TEST", country="ES", title="Lista", binds=("b2c",), warn_after=20, refuse_after=30,
    policy="refuse", source="a test", evidence="text", note="",
)  # fmt: skip
TODAY = NOON.date()


@contextmanager
def known(monkeypatch: pytest.MonkeyPatch, *rows: NationalRegister) -> Iterator[None]:
    """These registers, and no others, are known to the program."""
    monkeypatch.setattr(law, "shipped", lambda: {row.name: row for row in rows})
    age.refusals.cache_clear()
    yield
    age.refusals.cache_clear()


def load(
    world: World, numbers: Iterable[str], dated: date = TODAY, now: datetime = NOON,
    row: NationalRegister = PT, **how: Any,
) -> Loaded:  # fmt: skip
    """A version takes force; nobody has followed it yet."""
    values: dict[str, Any] = {"file": "test.txt", "dated": dated, "author": "Kari", "now": now, "force": True}
    return load_numbers(world.app.shared, row, [list(numbers)], **{**values, **how})


def follow_all(world: World, now: datetime = NOON) -> Followed:
    """Every CRM there is follows."""
    openers = {crm: world.app.opener(crm, now=now) for crm in world.app.crms()}
    return follow_everywhere(world.app.shared, openers, now=now)


def numbers_of(world: World, *customers: int) -> list[str]:
    """The numbers of these customers, in their order; of all if none is named."""
    with world.work() as work:
        rows = work.run(
            text("""select customer_id, e164 from customer_number
                     where :all or customer_id = any(:c) order by customer_id, position"""),
            c=list(customers), all=not customers,
        ).all()  # fmt: skip
    return [row.e164 for row in rows]


def rows(world: World, sql: str, **values: Any) -> list[Row[Any]]:
    """What a question of the test's own answers in this CRM."""
    with world.work() as work:
        return list(work.run(text(sql), **values))


def gates_of(world: World) -> dict[int, str | None]:
    """Customer -> what stops them, as stamped."""
    return {
        row.customer_id: row.gated_by for row in rows(world, "select customer_id, gated_by from placement")
    }
