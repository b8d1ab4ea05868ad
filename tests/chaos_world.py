"""The world of a chaos: two assignments that ring the same customers, a hundred sellers, four dialers.

Half of each works either assignment. Some customers have two numbers, some share one with their neighbour:
whoever is rung twice inside the gap may have been rung for somebody else.
"""

import csv
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from running import short_list
from world import flat_rest

from calling import register
from calling.intake.importing import import_file
from calling.outcomes.attempts import ensure_months
from calling.outcomes.retrying import DEFAULTS
from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from ringeliste.demo import MONDAY_0800
from ringeliste.demo_list import DemoList, write_demo_list
from ringeliste.demo_rules import RULES
from wiring.app import App
from wiring.clock import set_clock

TEN_O_CLOCK = MONDAY_0800 + timedelta(hours=2)
"""When everybody in Portugal may be rung, on the Azores too."""

HOURS = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
"""Always: an hour of chaos is ten of business. What hours do is attacked elsewhere."""

GAP_SECONDS = 300
"""Business time between two rings to a person: short, so that whoever may be rung again soon is."""

ASSIGNMENTS = ("Loans", "Cards")
SELLERS, DIALERS = 100, 4
TWO_NUMBERS, NEIGHBOURS = 0.2, 0.05


@dataclass(frozen=True, slots=True)
class ChaosWorld:
    """Who is in it. `floors`: by assignment, where its sellers' demo.json lies. `dialers`: by name."""

    crm_id: int
    assignments: tuple[int, ...]
    floors: tuple[Path, ...]
    dialers: dict[str, int]
    truth: Path


def build_world(app: App, folder: Path, *, customers: int, seed: int) -> ChaosWorld:
    """Import the list, cut it, employ everybody; the clock stands at ten."""
    made = write_demo_list(folder, data=short_list(folder, customers), seed=seed)
    _more_numbers(made.customers, Random(seed))
    with app.shared() as session:
        set_clock(session, TEN_O_CLOCK, 0)
        ensure_months(session, TEN_O_CLOCK)
        crm_id = register.add_crm(session, "Bank", "Customers", now=TEN_O_CLOCK, region="PT", hours=HOURS)
    assignments = tuple(_assignment(app, crm_id, name, made) for name in ASSIGNMENTS)
    with app.work(crm_id, now=TEN_O_CLOCK) as work:
        dialers = {
            f"robot {n + 1}": register.add_dialer(
                work, f"robot {n + 1}", adapter="redis_queue", mode="voice_robot", settings={},
                assignment_id=assignments[n % len(assignments)],
            )
            for n in range(DIALERS)
        }  # fmt: skip
    floors = tuple(
        _floor(app, crm_id, assignment, folder / f"floor-{n + 1}", made.truth)
        for n, assignment in enumerate(assignments)
    )
    return ChaosWorld(crm_id, assignments, floors, dialers, made.truth)


def _more_numbers(path: Path, dice: Random) -> None:
    """A second column of telephones."""
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    phone = head.index("phone")
    with path.open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file).writerow
        write([*head, "home phone"])
        before = ""
        for row in rows:
            draw, other = dice.random(), ""
            if draw < TWO_NUMBERS:
                other = f"+35121{dice.randrange(10**7):07d}"
            elif draw < TWO_NUMBERS + NEIGHBOURS:
                other = before
            write([*row, other])
            before = row[phone]


def _assignment(app: App, crm_id: int, name: str, made: DemoList) -> int:
    """Whoever is not closed by an outcome is tried again when the gap is over, and so for ever."""
    retries = {outcome.value: flat_rest(GAP_SECONDS) for outcome in DEFAULTS}
    with app.work(crm_id, now=TEN_O_CLOCK) as work:
        assignment = register.add_assignment(
            work, name, gap_seconds=GAP_SECONDS, retry_plan=retries, max_attempts=255, offer_seconds=60,
        )  # fmt: skip
    open_work = app.opener(crm_id, now=TEN_O_CLOCK)
    mapping = made.mapping
    import_file(open_work, made.customers, region="PT", mapping=mapping, assignment_id=assignment)
    publish(open_work, assignment, RULES, author="chaos")
    for rebuild in rebuilds_to_do(open_work):
        run_rebuild(open_work, rebuild)
    return assignment


def _floor(app: App, crm_id: int, assignment: int, folder: Path, truth: Path) -> Path:
    """Half the sellers, with what ringeliste/sellers.py reads of them."""
    folder.mkdir()
    count = SELLERS // len(ASSIGNMENTS)
    with app.work(crm_id, now=TEN_O_CLOCK) as work:
        sellers = [register.add_seller(work, f"{folder.name} {n + 1}") for n in range(count)]
    with app.shared() as session:
        keys = {
            seller: register.add_key(session, crm_id, "seller", "chaos", now=TEN_O_CLOCK, seller_id=seller)
            for seller in sellers
        }
    told: dict[str, Any] = {"assignment_id": assignment, "seller_keys": keys, "truth": str(truth)}
    (folder / "demo.json").write_text(json.dumps(told), encoding="utf-8")
    return folder
