"""`make chaos`: a day of faults on the real processes, and afterwards an account of every call.

    python tests/chaos.py --minutes 2 --seed 7

Sellers and dialers work all the time. Faults are dealt by the seed, with rests between them. What is asked:

- after each fault's end both sellers and dialers are handed out customers, whom nobody held, within 10 s;
- in the calm between, telephones ring 50 times a second;
- in the end `ringeliste check` finds nothing; every outcome that was reported is an attempt, once, and every
  attempt was reported; by the telephones' own notes nobody was rung twice inside the gap, and nobody was in
  two calls at once.

The first two are about speed: where others take the machine's processors, they are stretched by what was left
to us (tests/processors.py); where others take more than a fifth the first is only told. On a machine of our
own nothing is stretched.
"""

import argparse
import os
import shutil
import sys
from bisect import bisect
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random, SystemRandom
from threading import Event
from time import monotonic, time

from chaos_faults import Fault, dealt
from chaos_system import PATIENCE, SPEED, System
from chaos_world import GAP_SECONDS
from ground import open_temporary_directory
from processors import Processors
from telephones import Took, miscounted, too_soon, two_at_once

from ringeliste import embedded
from wiring.clock import ClockBase

AGAIN_SECONDS = 10.0
"""Wall time from a fault's end to both sellers and dialers being handed out customers."""

RINGS_A_SECOND = 50.0
"""Of wall time, in the calm."""

QUIET = 0.2
"""Where others take more of the machine, how soon it was again is told, not judged: who starts anew stands in
line behind everybody, for longer than their share says."""

SETTLED_SECONDS = 3.0
"""From the first hand-out after a fault to what counts as calm."""

CALM, REST = (10.0, 15.0), (1.0, 6.0)
"""Wall seconds without a fault: at the beginning and the end, and between two faults."""

SHOWN = 20
"""Of what is wrong; all of it is in the notes and the database."""

REST_SPEED = 120
"""Business seconds a second while the last calls end."""

Say = Callable[[str], None]


@dataclass(slots=True)
class Account:
    """What was seen. `judged`: how many faults were held to ten seconds. `wrong`: whatever should not be."""

    seed: int
    faults: list[str] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    judged: int = 0
    calm_seconds: float = 0.0
    calm_rings: int = 0
    rate_wanted: float = RINGS_A_SECOND
    rings: int = 0
    outcomes: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Rings a second in the calm."""
        return self.calm_rings / self.calm_seconds if self.calm_seconds else 0.0

    def lines(self) -> list[str]:
        """For people."""
        again = sorted(self.again) or [0.0]
        return [
            f"seed {self.seed}: {len(self.faults)} faults, {self.rings} rings, {self.outcomes} outcomes",
            f"handed out again after {again[len(again) // 2]:.1f} s (median), {again[-1]:.1f} s (longest); "
            f"judged: {self.judged}, the others on a machine too busy with other work",
            f"{self.rate:.1f} rings a second in {self.calm_seconds:.0f} s of calm, "
            f"asked: {self.rate_wanted:.0f}",
            *(f"WRONG: {one}" for one in self.wrong[:SHOWN]),
            *([f"and {len(self.wrong) - SHOWN} more"] if len(self.wrong) > SHOWN else []),
        ]


class Day:
    """The faults of one seed on one system."""

    def __init__(self, system: System, *, seed: int, say: Say) -> None:
        self._system, self._say = system, say
        self._dice, self._deck = Random(seed), dealt(Random(f"deck {seed}"))
        self.account = Account(seed)
        self._began = monotonic()
        self._processors = Processors(system.roots)
        self._calm: list[tuple[float, float]] = []  # monotonic

    def run(self, minutes: float) -> Account:
        """All of it; the account. Raises AssertionError where it does not come back at all."""
        try:
            self._system.start()
            clocks = [self._system.clock()]
            begins = self._handed_out("the start")
            self._tell(f"customers are handed out after {max(begins.values()):.1f} s")
            self._rest(max(CALM))
            until = monotonic() + 60 * minutes
            while monotonic() < until:
                self._strike(next(self._deck))
                self._rest(self._dice.uniform(*(CALM if self._dice.random() < 0.1 else REST)))
            self._rest(max(CALM))
            self._count_calm()
            self._system.command("pause", "crm", "--reason", "counting")
            clocks.append(self._system.clock(REST_SPEED))
            self._system.wait(self._system.ledger.at_rest, "everything acknowledged and at rest")
        finally:
            self._processors.stop()
        self._judge(lambda wall: _business(clocks, wall))
        return self.account

    def _strike(self, fault: Fault) -> None:
        """Do it; then wait until customers are handed out again. One in five does not come alone."""
        self._tell(f"{fault.name} ...")
        done = [fault.strike(self._system, self._dice)]
        if self._dice.random() < 0.2:
            done.append(next(self._deck).strike(self._system, self._dice))
        what = " and ".join(done)
        ended = monotonic()
        first = self._handed_out(what)
        again, others = max(first.values()), self._processors.others(ended, monotonic())
        self.account.faults.append(what)
        self.account.again.append(again)
        told = ", ".join(f"{kind} {seconds:.1f} s" for kind, seconds in sorted(first.items()))
        self._tell(f"{what}: again after {told}; others took {others:.0%} of the machine")
        limit = AGAIN_SECONDS * self._processors.stretch(ended, monotonic())
        if others > QUIET:
            return
        self.account.judged += 1
        if again > limit:
            self.account.wrong.append(f"{what}: again after {told}, asked: {limit:.1f} s")

    def _handed_out(self, what: str) -> dict[str, float]:
        """Wait until sellers and dialers have got somebody whom nobody had; how long it took each kind."""
        exchange, wall = self._system.exchange, time()
        held = self._system.ledger.held()
        first: dict[str, float] = {}
        seen = len(exchange.took)

        def both() -> bool:
            nonlocal seen
            exchange.look()
            for took in exchange.took[seen:]:
                if took.at >= wall and took.customer not in held:
                    first.setdefault(_kind(took), took.at - wall)
            seen = len(exchange.took)
            return len(first) == 2

        self._system.wait(both, f"customers for both after {what}; so far {first}", PATIENCE)
        return first

    def _rest(self, seconds: float) -> None:
        """No fault for so long; calm from a while on."""
        begins = monotonic() + SETTLED_SECONDS
        Event().wait(seconds)
        if monotonic() > begins:
            self._calm.append((begins, monotonic()))

    def _count_calm(self) -> None:
        """How often it rang in the calm, and how often it should have on what was left of the machine."""
        account, exchange = self.account, self._system.exchange
        exchange.look()
        ahead = time() - monotonic()
        instants = sorted(ring.at - ahead for ring in exchange.rang)
        account.calm_seconds = sum(to - since for since, to in self._calm)
        account.calm_rings = sum(bisect(instants, to) - bisect(instants, since) for since, to in self._calm)
        ours = sum((to - since) / self._processors.stretch(since, to) for since, to in self._calm)
        account.rate_wanted = RINGS_A_SECOND * ours / account.calm_seconds
        if account.rate < account.rate_wanted:
            account.wrong.append(f"{account.rate:.1f} rings a second, asked: {account.rate_wanted:.1f}")

    def _judge(self, business: Callable[[float], float]) -> None:
        system, account = self._system, self.account
        exchange = system.exchange
        exchange.look()
        told, kept = exchange.outcomes(), system.ledger.attempts()
        account.rings, account.outcomes = len(exchange.rang), len(told)
        account.wrong += miscounted(told, kept)
        account.wrong += too_soon(exchange.rang, GAP_SECONDS, business)
        account.wrong += two_at_once(exchange.rang, exchange.ended)
        account.wrong += system.ledger.broken()
        account.wrong += [f"{name} did not end when told to" for name in system.stop()]

    def _tell(self, what: str) -> None:
        self._say(f"{monotonic() - self._began:7.1f} s  {what}")


def _kind(took: Took) -> str:
    return took.who.partition("-")[0]


def _business(clocks: list[ClockBase], wall: float) -> float:
    """Business seconds at a wall instant, by whichever line of the clock held then."""
    line = max((one for one in clocks if one.wall_at.timestamp() <= wall), key=lambda one: one.wall_at)
    return line.business_at.timestamp() + (wall - line.wall_at.timestamp()) * line.speed


def customers_for(minutes: float) -> int:
    """So many that nobody runs out of them, and so few that everybody is rung again and again."""
    return min(45_211, max(3_000, round(1_000 * minutes)))


def chaos(folder: Path, *, minutes: float, seed: int, say: Say) -> Account:
    """Build the world in `folder`, run the day, leave no process behind."""
    with ExitStack() as left:
        left.callback(embedded.stop, folder / "data")
        system = System(folder, customers=customers_for(minutes), seed=seed)
        left.callback(system.close)
        return Day(system, seed=seed, say=say).run(minutes)


def main() -> int:
    """As asked on the command line; 1 when a promise broke: then the directory stays, to be looked at."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--minutes", type=float, default=2.0, help="of faults")
    asked.add_argument("--seed", type=int, default=None, help="which faults come when; else a new one")
    told = asked.parse_args()
    seed = SystemRandom().randrange(10**6) if told.seed is None else told.seed
    folder = open_temporary_directory()

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    say(f"chaos of {told.minutes:g} minutes, seed {seed}, in {folder}; {SPEED} business seconds a second")
    account = chaos(folder, minutes=told.minutes, seed=seed, say=say)
    say("\n".join(account.lines()))
    if not account.wrong:
        shutil.rmtree(folder)
        return 0
    kept = folder.rename(folder.with_name(f"ringeliste-chaos-{seed}-{os.getpid()}"))  # tests sweep theirs
    say(f"What was left is in {kept}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
