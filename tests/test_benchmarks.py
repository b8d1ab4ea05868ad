"""Every benchmark runs, on few customers, and tells ours beside a limit; how fast is no test's business."""

import pytest
from world import World

from benchmarks import NAMES, run
from models.errors import BadInput

pytestmark = pytest.mark.once


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_measures_ours_and_the_limit(world: World, name: str) -> None:
    figures = run(world.app, name, 500, rounds=3)
    assert figures
    for figure in figures:
        assert figure.value > 0
        assert figure.limit > 0
        assert figure.ratio > 0
        assert figure.limit_name


def test_an_unknown_name_is_told(world: World) -> None:
    with pytest.raises(BadInput, match="one of import, rebuild"):
        run(world.app, "everything", 500)
