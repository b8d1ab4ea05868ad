"""A seed is played: half an hour of calling with faults, then peace, then everything is held to account."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import Random

import structlog
from sqlalchemy import Engine

from calling.outcomes.outcome import Report, record_all
from models.errors import PromiseBroken
from ringeliste.faults.account import account
from ringeliste.faults.baton import Baton, Gone
from ringeliste.faults.dialer import DialerOnStage
from ringeliste.faults.ledger import Ledger
from ringeliste.faults.machinery import Machinery
from ringeliste.faults.manager import Manager
from ringeliste.faults.processes import Processes
from ringeliste.faults.scene import Scene
from ringeliste.faults.sellers import SellerOnStage
from ringeliste.faults.trouble import Trouble
from ringeliste.faults.world import BUILT_AT, GAP_SECONDS, World
from wiring.hints import install_publisher
from wiring.settings import Settings

BEGINS = (timedelta(hours=4), timedelta(hours=4), timedelta(hours=11.6))
"""After the world was built: noon, or shortly before Lisbon closes."""

CALM_SECONDS, LAST_SECONDS = 480, 130
"""Until everybody has told what there was to tell; and until the link has asked after all that is left."""

MINUTES = 30.0
AFTERWARDS = timedelta(hours=3)
"""Longer than any lease lives."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a seed. `broken`: what and why, None: every promise was kept. `last`: its last steps."""

    seed: int
    steps: int
    rings: int
    words: int
    digest: str
    broken: str | None
    last: tuple[str, ...]


def play(
    settings: Settings, engine: Engine, world: World, seed: int, *, minutes: float = MINUTES,
    until_step: int | None = None,
) -> Verdict:  # fmt: skip
    """Play a seed in the database of `engine`, which holds `world` as it was built and nothing else.

    `minutes` of business time, with faults. `until_step`: it ends there, and what stands is what stood then.
    """
    dice = Random(f"{seed}|baton")  # noqa: S311 - the same seed, the same turns
    begins = BUILT_AT + dice.choice(BEGINS)
    scene = _scene(settings, engine, world, seed, Baton(begins, dice, until_step))
    broken = None
    machinery = _put_on_stage(scene)
    try:
        with _quietly(), _hints_to(machinery):
            scene.baton.run(minutes * 60)
            _make_peace(scene, machinery)
        broken = account(scene)
    except Gone:
        pass
    except PromiseBroken as found:
        broken = found.message
    except Exception as failure:  # noqa: BLE001 - whatever a verb raises that no edge expects is a finding
        broken = f"{type(failure).__name__}: {failure}"
    finally:
        scene.baton.close()
    baton = scene.baton
    return Verdict(
        seed, baton.steps, len(scene.ledger.rings), len(scene.ledger.words), baton.digest, broken,
        tuple(baton.last),
    )  # fmt: skip


def _scene(settings: Settings, engine: Engine, world: World, seed: int, baton: Baton) -> Scene:
    trouble = Trouble(seed)
    processes = Processes(settings, engine, seed, world.crm_id, baton, trouble)
    return Scene(seed, baton, trouble, processes, Ledger(timedelta(seconds=GAP_SECONDS)), world)


def _put_on_stage(scene: Scene) -> Machinery:
    dialer = DialerOnStage(scene)
    machinery, baton = Machinery(scene, dialer), scene.baton
    for number in range(len(scene.world.sellers)):
        baton.begin(f"seller {number}", SellerOnStage(scene, number).work, after=number)
    baton.begin("dialer", dialer.work)
    baton.begin("link", machinery.link)
    baton.begin("manager", Manager(scene).work, after=60)
    for name, every, duty in machinery.ticks():
        baton.begin(name, partial(machinery.tick, name, every, duty), after=every / 2)
    return machinery


def _make_peace(scene: Scene, machinery: Machinery) -> None:
    """No fault comes any more: all that was left comes to its end, and what nobody told is told at last."""
    scene.closing = scene.trouble.calm = True
    scene.baton.run(CALM_SECONDS)
    scene.baton.jumped += AFTERWARDS
    scene.baton.run(LAST_SECONDS)
    reports = [Report(lease_id, word, "seller") for lease_id, word in sorted(scene.untold.items())]
    machinery.do("told at last", partial(record_all, reports=reports))
    for name, duty in machinery.duties():
        machinery.do(name, duty)


@contextmanager
def _quietly() -> Iterator[None]:
    """What its processes log is no news of this one's."""
    before = structlog.get_config() if structlog.is_configured() else None
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.reset_defaults()
        if before is not None:
            structlog.configure(**before)


@contextmanager
def _hints_to(machinery: Machinery) -> Iterator[None]:
    install_publisher(machinery.hint)
    try:
        yield
    finally:
        install_publisher(None)
