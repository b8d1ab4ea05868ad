"""What may go wrong between and with real processes: a deck of faults, dealt by a seed.

A deck holds each fault once, shuffled; then comes another: an hour meets all of them often.
"""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from threading import Event

from chaos_system import System
from wires_proxy import How

OURS = ("web", "worker", "worker 1", "worker 2", "scheduler", "dialer", "up")
STRANGERS = ("sellers", "robot")
CALLERS = {
    "db": ("web", "worker", "scheduler", "dialer", ""),
    "redis": ("web", "worker", "scheduler", "dialer", "robot", ""),
    "web": ("",),
}
"""Who calls at each front of the wires; "": everybody."""

SHORTEST, LONGEST = 0.5, 7.0
"""Wall seconds that bad weather lasts: past the five after which a question to Redis is given up."""

Strike = Callable[[System, Random], str]
"""Does it and returns when it is over: what was done."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault."""

    name: str
    strike: Strike


def kill(victim: str) -> Strike:
    """kill -9, and wait until whoever watches over it has started it again."""

    def strike(system: System, dice: Random) -> str:
        them = sorted(name for name in system.processes() if name == victim or name.startswith(f"{victim} "))
        name = dice.choice(them) if victim in STRANGERS else victim
        system.wait(lambda: name in system.processes(), f"{name} at all")
        pid = system.processes()[name]
        os.kill(pid, signal.SIGKILL)
        system.gone(pid)
        if name == "up":
            system.up()
        system.wait(lambda: system.processes().get(name) not in (None, pid), f"{name} again")
        return f"kill -9 {name}"

    return strike


def end_server(name: str, wish: signal.Signals) -> Strike:
    """A server ends, however it is told to, and is started again."""

    def strike(system: System, _: Random) -> str:
        pid = system.processes()[name]
        os.kill(pid, wish)
        system.gone(pid)
        system.start_servers()
        return f"{wish.name} to {name}"

    return strike


def kill_session(system: System, dice: Random) -> str:
    """PostgreSQL loses a session's process: it ends all others and puts itself in order."""
    system.wait(lambda: bool(system.sessions()), "a session")
    os.kill(dice.choice(system.sessions()), signal.SIGKILL)
    system.ledger.held()  # asked until it answers again
    return "kill -9 of a session of postgres"


def flush(system: System, _: Random) -> str:
    """Redis forgets everything."""
    with system.redis() as client:
        client.flushall()
    return "redis is flushed"


def weather(front: str, how: How) -> Strike:
    """Bad weather on the wires of one caller, or of all."""

    def strike(system: System, dice: Random) -> str:
        who = dice.choice(CALLERS[front])
        them = [pid for name, pid in system.processes().items() if name == who or name.startswith(f"{who} ")]
        seconds = round(dice.uniform(SHORTEST, LONGEST), 1)
        key, hit = system.wires.begin(front, how, them if who else None)
        Event().wait(seconds)  # the fault itself: nothing else is waited for
        system.wires.lift(key)
        return f"{how} for {seconds} s: {who or 'everybody'} to {front}, {hit} connections"

    return strike


DECK = (
    *(Fault(f"kill {name}", kill(name)) for name in (*OURS, *STRANGERS)),
    Fault("kill postgres", end_server("postgres", signal.SIGKILL)),
    Fault("kill redis", end_server("redis", signal.SIGKILL)),
    Fault("kill a session", kill_session),
    Fault("restart postgres, fast", end_server("postgres", signal.SIGINT)),
    Fault("restart postgres, immediate", end_server("postgres", signal.SIGQUIT)),
    Fault("restart redis", end_server("redis", signal.SIGTERM)),
    Fault("flush redis", flush),
    *(
        Fault(f"{how} {front}", weather(front, how))
        for front in CALLERS
        for how in ("stall", "slow", "mute", "cut")
    ),
)  # fmt: skip


def dealt(dice: Random) -> Iterator[Fault]:
    """Faults for ever, each kind once before any comes again."""
    while True:
        yield from dice.sample(DECK, len(DECK))
