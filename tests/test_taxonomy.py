"""The words for what a call came to: what is written of each is so, and every door takes it."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from calls import say, take
from shell import Shell
from world import NOON, World

from calling.limits.law import shipped
from calling.outcomes.reading_plans import read_plans
from calling.outcomes.retrying import DAY, DEFAULTS, HOUR, MINUTE
from calling.views.report import segments
from dialer_adapter.fate import Fate
from dialer_adapter.simulator import talk
from models.outcomes import EFFECTS, Outcome

pytestmark = pytest.mark.once

STATES = (Path(__file__).parent.parent / "docs" / "states.md").read_text(encoding="utf-8")
HEARD = (Outcome.LANGUAGE, Outcome.KEY_PRESSED, Outcome.INTENT)
UNITS = {"h": HOUR, "min": MINUTE, "day": DAY}


def written() -> dict[Outcome, list[str]]:
    """The row of each outcome in docs/states.md: then, default rest, rings, counts, what else."""
    rows = re.findall(
        r"^\| ((?:`\w+`(?:, )?)+) \|(.*)\|$", STATES.partition("## What an outcome does")[2], re.M
    )
    return {
        Outcome(word): [cell.strip() for cell in cells.split("|")]
        for words, cells in rows
        for word in re.findall(r"\w+", words)
    }


@pytest.mark.parametrize("outcome", Outcome)
def test_the_page_says_what_each_outcome_does(outcome: Outcome) -> None:
    """Planted: `language` without a row; `language` a proof of the number; each seen to fail."""
    then, rest, rings, counts, more = written()[outcome]
    effect = EFFECTS[outcome]
    assert (rings, counts) == ("yes" if effect.rang else "no", "yes" if effect.counts else "no")
    assert then.startswith("closed" if effect.after == "close" and not effect.number_state else
                           "closes the number" if effect.number_state else ("rests", "waits"))  # fmt: skip
    assert ("a contact" in more) == effect.contact
    assert ("the number is good" in more) == effect.proves
    if outcome in DEFAULTS:
        told = re.match(r"(\d+) (h|min|day)", rest)
        assert told
        assert int(told[1]) * UNITS[told[2]] == DEFAULTS[outcome].delay


@pytest.mark.parametrize("outcome", HEARD)
def test_who_was_reached_by_a_robot_or_in_another_language_rests_and_is_a_contact(
    world: World, outcome: Outcome
) -> None:
    """Planted: no contact; seen to fail."""
    assignment = world.assignment(retry_plan={outcome.value: {"delay": 7200}})
    world.customers(1, assignment)
    card = take(world, world.seller(assignment))
    came = say(world, card.lease_id, outcome)
    assert (came.kind, came.state, came.status) == ("first", "resting", outcome.value)
    with world.work(NOON + timedelta(minutes=1)) as work:
        (figures,) = segments(work, assignment)
    assert (figures.attempts, figures.contacts, figures.sales) == (1, 1, 0)


def test_plans_limits_and_the_command_line_know_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plans: dict[str, Any] = {outcome.value: {"final_after": 2} for outcome in HEARD}
    assert read_plans(plans) == plans
    assert any(set(HEARD) <= limit.after for limit in shipped())  # a talk with a debtor, read strictly
    world.assignment()
    shell = Shell(world, monkeypatch)
    for outcome in HEARD:
        shell.ok("limits", "set", "--most", "1", "--days", "30", "--after", outcome.value, "--reason", "x")
    helped = shell.ok("outcome", "--help").out
    assert [outcome for outcome in Outcome if outcome.value not in helped] == []


@pytest.mark.parametrize(
    ("mode", "told"), [("key_press", []), ("voice_robot", [("intent", {"intent": "not_understood"})])]
)
def test_who_understands_nothing_presses_nothing(mode: str, told: list[Any]) -> None:
    assert list(talk(mode, Fate(Outcome.LANGUAGE, 5, 20)))[1:] == told
