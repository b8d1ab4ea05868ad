"""What changed gets into a cache of facets: its cost grows with how much it is, and no flood stops it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from facet_scene import FacetScene
from ground import Database
from sqlalchemy import create_engine, text
from world import World

from models.work import Work
from segmentation.facets.learn import learn
from segmentation.facets.reading import Reader

_TAGS = text("""
    insert into customer_tag (crm_id, customer_id, tag, source, author, tagged_at)
    select :crm_id, id, tag, 'hand', 'test', :now from customer, unnest(array['vip', 'late', 'new']) tag
     where crm_id = :crm_id on conflict do nothing
""")


def steps_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from steps_of(below)


def plan_of_slice(work: Work, scene: FacetScene, customers: list[int]) -> list[dict[str, Any]]:
    """Every step that PostgreSQL takes to read these customers, with how often it took it."""
    frame = learn(work, scene.assignment)
    statement = Reader(frame.dimensions).statement
    asked = statement.sql.removeprefix("copy (").rsplit(") to stdout", 1)[0]
    bound = {**statement.constants, "crm_id": work.crm_id, "now": work.now,
             "assignment_id": scene.assignment, "customer_ids": customers}  # fmt: skip
    explain = f"explain (analyze, timing off, format json) {asked}"
    found = work.session.connection().exec_driver_sql(explain, bound).scalar_one()
    (told,) = found if isinstance(found, list) else json.loads(found)
    return list(steps_of(told["Plan"]))


@pytest.mark.parametrize("statistics", [False, True])
@pytest.mark.parametrize("tagged", [False, True])
def test_no_step_goes_through_the_whole_list_for_each_row(
    world: World, database: Database, *, tagged: bool, statistics: bool
) -> None:
    """Seen to fail: customers and tags were asked with the whole list for each row: 14 s for 8,000."""
    scene = FacetScene(world, customers=20)
    scene.customers += world.customers(1_500, scene.assignment)
    with world.work() as work:
        if tagged:
            work.run(_TAGS)
    if statistics:
        owner = create_engine(database.owner_url)
        with owner.begin() as connection:
            connection.execute(text("analyze customer, customer_tag, customer_number, placement, hold"))
        owner.dispose()
    with world.work() as work:
        steps = plan_of_slice(work, scene, scene.customers[100:1_300])
    assert max(step["Actual Loops"] for step in steps) == 1_200  # row by row down the list
    for step in steps:
        said = " ".join(
            str(step.get(key, "")) for key in ("Filter", "Index Cond", "Join Filter", "Hash Cond")
        )
        assert not (step["Actual Loops"] > 1 and "ANY ((InitPlan" in said), step
        per_loop = step["Actual Rows"] + step.get("Rows Removed by Filter", 0)
        assert step["Actual Loops"] == 1 or per_loop <= 20, step  # tags of one page are read whole
