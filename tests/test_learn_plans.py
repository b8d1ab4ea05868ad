"""How the sample that bars are chosen from is read."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from world import World

from models.work import Work
from segmentation.facets.learn import learn
from segmentation.statements import Statement


def test_no_customer_of_the_sample_is_sought_in_all_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 11 million customers a statement took more than it may. Planted: loops."""
    world.field("age")
    world.field("job", "choice")
    assignment = world.assignment()
    world.customers(3, assignment, fields=lambda i: {"age": i, "job": "clerk"})
    plans: list[str] = []
    real = Statement.run

    def run(self: Statement, work: Work, **values: Any) -> Any:
        explained = replace(self, sql=f"explain {self.sql}")
        plans.append("\n".join(real(explained, work, **values).scalars()))
        return real(self, work, **values)

    monkeypatch.setattr(Statement, "run", run)
    with world.work() as work:
        learn(work, assignment)
        assert work.run(text("show enable_nestloop")).scalar_one() == "on"
    assert plans
    for plan in plans:
        assert "Nested Loop" not in plan, plan
