"""The demo world: a bank's real list in a CRM of its own, cut into segments, with sellers and a robot.

Building goes through the verbs of any other CRM. It may be cut off and begun again: what is there is kept.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select, update

from calling import register
from calling.intake.importing import Progress as Imported
from calling.intake.importing import import_file
from calling.outcomes.attempts import ensure_months
from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from models.tables import Assignment, Dialer, Segment, Seller
from models.tables.assignments import UNSEGMENTED
from models.work import Work
from ringeliste.demo_list import write_demo_list
from ringeliste.demo_rules import RULES
from wiring.app import App
from wiring.clock import WALL, read_base, set_clock

MONDAY_0800 = datetime(2026, 3, 2, 8, tzinfo=UTC)
"""A Monday in winter, when Lisbon's time is UTC: an hour before the first window opens."""

OWNER, CRM, ASSIGNMENT, ROBOT = "Demo bank", "Private customers", "Term deposit", "robot"
FILE = "demo.json"

HOURS: Mapping[str, Any] = {
    **{day: [["09:00", "21:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    "sat": [["10:00", "14:00"]],
    "sun": [],
}
SETTINGS = {
    "order_field": "balance",
    "order_descending": True,
    "offer_seconds": 600,  # on a clock of 60 times the speed a minute is one second of a link's time
}
NAMES = (
    "Ana", "Bruno", "Carla", "Diogo", "Elsa", "Filipe", "Graça", "Hugo", "Inês", "João", "Lara", "Miguel",
    "Nuno", "Olga", "Paulo", "Rita", "Sofia", "Tiago", "Vera", "Xavier",
)  # fmt: skip

Progress = Callable[[Imported], None]


@dataclass(frozen=True, slots=True)
class DemoWorld:
    """Who and what is in the demo. `truth`: the file that tells who buys once reached."""

    crm_id: int
    assignment_id: int
    seller_ids: list[int]
    seller_keys: dict[int, str]
    dialer_id: int
    dialer_name: str
    manager_key: str
    truth: Path


def build_demo(
    app: App, folder: Path, *, data: Path | None = None, seed: int = 1, sellers: int = 20,
    starts: datetime = MONDAY_0800, speed: float = 60.0, progress: Progress | None = None,
) -> DemoWorld:  # fmt: skip
    """Import the list (`data`: another file of its shape), cut it, employ `sellers`, start the clock.

    `seed` makes the telephone numbers. The keys are kept in `folder`/demo.json, for its owner's eyes only.
    `starts` (UTC) and `speed` set a database's first clock; one that runs is left alone.
    Raises what importing raises.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = write_demo_list(folder, data=data, seed=seed)
    with app.shared() as session:
        crm_id = register.find_crm(session, CRM) or register.add_crm(
            session, OWNER, CRM, now=starts, region="PT", hours=HOURS
        )
        ensure_months(session, starts)
    open_work = app.opener(crm_id, now=starts)
    with open_work() as work:
        assignment_id = _assignment(work)
    import_file(
        open_work, made.customers, region="PT", mapping=made.mapping, assignment_id=assignment_id,
        progress=progress, rejects=None,
    )  # fmt: skip
    publish(open_work, assignment_id, RULES, author="demo")
    for rebuild_id in rebuilds_to_do(open_work):
        run_rebuild(open_work, rebuild_id)
    with open_work() as work:
        seller_ids = [_seller(work, name) for name in _names(sellers)]
        dialer_id = _robot(work, assignment_id)
    world = DemoWorld(
        crm_id, assignment_id, seller_ids, _keys(app, crm_id, seller_ids, starts), dialer_id, ROBOT,
        _manager_key(app, crm_id, starts), made.truth,
    )  # fmt: skip
    with app.shared() as session:
        if read_base(session) is WALL:
            set_clock(session, starts, speed)
    _keep(folder / FILE, world)
    return world


def find_demo(app: App, folder: Path) -> DemoWorld | None:
    """The demo of this data directory and this database, if it was built to its end."""
    try:
        kept = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    kept["seller_keys"] = {int(seller): key for seller, key in kept["seller_keys"].items()}
    world = DemoWorld(**{**kept, "truth": folder / kept["truth"]})
    with app.shared() as session:
        return world if register.holder_of(session, world.manager_key) else None


def _assignment(work: Work) -> int:
    found = work.session.scalar(_id_of(Assignment, work.crm_id, ASSIGNMENT))
    return found or register.add_assignment(work, ASSIGNMENT, **SETTINGS)


def _seller(work: Work, name: str) -> int:
    return work.session.scalar(_id_of(Seller, work.crm_id, name)) or register.add_seller(work, name)


def _robot(work: Work, assignment_id: int) -> int:
    """The robot takes the long tail, Unsegmented; sellers come to it when they have nothing better."""
    found = work.session.scalar(_id_of(Dialer, work.crm_id, ROBOT))
    dialer_id = found or register.add_dialer(
        work, ROBOT, adapter="redis_queue", mode="voice_robot", assignment_id=assignment_id, settings={}
    )
    tail = select(Segment.id).where(
        Segment.crm_id == work.crm_id,
        Segment.assignment_id == assignment_id,
        Segment.key == UNSEGMENTED,
    )
    work.session.execute(
        update(Dialer)
        .where(Dialer.crm_id == work.crm_id, Dialer.id == dialer_id)
        .values(segment_id=tail.scalar_subquery())
    )
    return dialer_id


def _id_of(table: type[Assignment | Seller | Dialer], crm_id: int, name: str) -> Select[int]:
    return select(table.id).where(table.crm_id == crm_id, table.name == name)


def _names(sellers: int) -> list[str]:
    """Ana, Bruno, ..., Ana 2, Bruno 2, ..."""
    return [
        name if lap == 0 else f"{name} {lap + 1}"
        for lap in range(sellers // len(NAMES) + 1)
        for name in NAMES[: sellers - lap * len(NAMES)]
    ]


def _keys(app: App, crm_id: int, seller_ids: list[int], now: datetime) -> dict[int, str]:
    with app.shared() as session:
        return {
            seller: register.add_key(session, crm_id, "seller", "demo", now=now, seller_id=seller)
            for seller in seller_ids
        }


def _manager_key(app: App, crm_id: int, now: datetime) -> str:
    with app.shared() as session:
        return register.add_key(session, crm_id, "manager", "demo", now=now)


def _keep(file: Path, world: DemoWorld) -> None:
    """Whole or not at all, and readable by its owner only from the first byte."""
    unfinished = file.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    body = {**asdict(world), "truth": world.truth.name}
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(body, out, indent=2)
    unfinished.replace(file)
