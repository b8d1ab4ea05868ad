"""What the telephones know: who was called by whom, and when. Written by whoever calls, read by the judge.

A line a moment, each one write: a kill leaves it whole, or not there. Instants are wall seconds.
"""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any


@dataclass(frozen=True, slots=True)
class Took:
    """A customer was handed out: on a screen, or as an order."""

    who: str
    lease: str
    customer: str
    at: float


@dataclass(frozen=True, slots=True)
class Rang:
    """A telephone rang at `at`. `asked`: when leave to ring was asked for, or the ring told; never later."""

    who: str
    lease: str
    customer: str
    e164: str
    asked: float
    at: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A call was over, or an order without one, and came to this. Who comes after a kill notes it again."""

    who: str
    lease: str
    outcome: str
    at: float


KINDS = {"took": Took, "rang": Rang, "ended": Ended}


class Telephones:
    """The pen of one caller."""

    def __init__(self, path: Path, who: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._who = who

    def took(self, lease: str, customer: str) -> None:
        """They got a customer."""
        self._write("took", lease=lease, customer=customer)

    def rang(self, lease: str, customer: str, e164: str, asked: float) -> None:
        """It rings now."""
        self._write("rang", lease=lease, customer=customer, e164=e164, asked=asked)

    def ended(self, lease: str, outcome: str) -> None:
        """It is over, and what it came to is about to be told."""
        self._write("ended", lease=lease, outcome=outcome)

    def _write(self, kind: str, **body: Any) -> None:
        line = json.dumps({"kind": kind, "who": self._who, "at": time(), **body}) + "\n"
        os.write(self._file, line.encode())


class Exchange:
    """Reads the lines of all telephones as they are written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, int] = defaultdict(int)
        self.took: list[Took] = []
        self.rang: list[Rang] = []
        self.ended: list[Ended] = []

    def look(self) -> None:
        """Take in what was written since the last look."""
        for path in sorted(self._folder.glob("*.telephones")):
            with path.open("rb") as file:
                file.seek(self._read[path])
                new = file.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._read[path] += len(whole)
            for line in whole.splitlines():
                body = json.loads(line)
                kind = body.pop("kind")
                getattr(self, kind).append(KINDS[kind](**body))

    def outcomes(self) -> dict[str, str]:
        """Lease -> what it came to, as it was first told."""
        told: dict[str, str] = {}
        for ended in sorted(self.ended, key=lambda one: one.at):
            told.setdefault(ended.lease, ended.outcome)
        return told


Reckon = Callable[[float], float]
"""Wall seconds -> business seconds."""


def too_soon(rings: Iterable[Rang], gap: float, business: Reckon) -> list[str]:
    """Every ring inside `gap` business seconds of an earlier one to the customer, or to the number.

    An earlier ring counts from when it was asked for: what happened to its answer on the way only delays it.
    Also every lease under which it rang twice.
    """
    found = []
    rings = sorted(rings, key=lambda ring: ring.at)
    last: dict[str, Rang] = {}
    leases: set[str] = set()
    for ring in rings:
        if ring.lease in leases:
            found.append(f"rang twice under one lease: {ring}")
        leases.add(ring.lease)
        for whom in (f"customer {ring.customer}", f"number {ring.e164}"):
            before = last.get(whom)
            if before and business(ring.at) - business(before.asked) < gap:
                found.append(f"{whom} rung again too soon: {before}, then {ring}")
            if before is None or before.asked < ring.asked:
                last[whom] = ring
    return found


def two_at_once(rings: Iterable[Rang], ends: Iterable[Ended]) -> list[str]:
    """Every ring to a customer or number in an earlier call, as far as the end of that is known."""
    over: dict[str, float] = {}
    for end in ends:
        over[end.lease] = min(end.at, over.get(end.lease, end.at))
    found = []
    last: dict[str, Rang] = {}
    for ring in sorted(rings, key=lambda one: one.at):
        for whom in (f"customer {ring.customer}", f"number {ring.e164}"):
            before = last.get(whom)
            if before and before.lease in over and over[before.lease] > ring.at:
                found.append(f"{whom} was in a call: {before}, then {ring}")
            last[whom] = ring
    return found


def miscounted(told: Mapping[str, str], kept: Mapping[str, str]) -> list[str]:
    """Where what was told of a lease and what is kept of it differ, either way."""
    return [
        f"lease {lease}: told {told.get(lease)}, kept {kept.get(lease)}"
        for lease in sorted(told.keys() | kept.keys())
        if told.get(lease) != kept.get(lease)
    ]
