"""What the registers are: reviewed rows of calling/laws/registers.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from models.errors import BadInput, NotFound
from models.tables.registers import POLICIES

KINDS = frozenset({"b2b", "b2c"})


@dataclass(frozen=True, slots=True)
class NationalRegister:
    """One row. `sourced` False: nobody's rule says how old a version may grow, the days are our own."""

    name: str
    country: str
    title: str
    binds: tuple[str, ...]
    warn_after: int
    refuse_after: int
    policy: str
    source: str
    evidence: str
    note: str
    sourced: bool = True

    @property
    def refuses(self) -> bool:
        """Without a version that is young enough nobody in the country is called."""
        return self.policy == "refuse"

    def last_day_of(self, dated: date) -> date:
        """The last day on which a version of that day may be called by."""
        return dated + timedelta(days=self.refuse_after)

    def age_told(self, dated: date | None, today: date) -> str:
        """ "fresh", "old" (warned of), "stale", or "never loaded"."""
        if dated is None:
            return "never loaded"
        if today > self.last_day_of(dated):
            return "stale"
        return "old" if today > dated + timedelta(days=self.warn_after) else "fresh"


@cache
def shipped() -> Mapping[str, NationalRegister]:
    """The rows that come with the program, by name."""
    return read_registers((files("calling") / "laws" / "registers.toml").read_text(encoding="utf-8"))


def read_registers(text: str) -> Mapping[str, NationalRegister]:
    """Rows from TOML (its keys are explained on top of the shipped file). Raises BadInput."""
    rows = [_read(row) for row in tomllib.loads(text)["register"]]
    problems = [problem for row in rows for problem in _wrong(row)]
    found = {row.name: row for row in rows}
    if len(found) < len(rows):
        problems.append("two rows have one name")
    if problems:
        raise BadInput("; ".join(problems), problems=problems)
    return found


def register_named(name: str) -> NationalRegister:
    """The row of that name, in any case. Raises NotFound with what may have been meant."""
    row = shipped().get(name.upper())
    if row is None:
        near = get_close_matches(name.upper(), shipped(), 1, 0.4)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(shipped())}"
        raise NotFound("register", name, hint)
    return row


def _read(row: Mapping[str, Any]) -> NationalRegister:
    return NationalRegister(**{**row, "binds": tuple(sorted(row["binds"]))})


def _wrong(row: NationalRegister) -> list[str]:
    problems = []
    if not row.binds or set(row.binds) - KINDS:
        problems.append(f"{row.name}: binds is one or both of b2b and b2c")
    if row.policy not in POLICIES:
        problems.append(f"{row.name}: policy is one of {', '.join(POLICIES)}")
    if not 0 < row.warn_after < row.refuse_after:
        problems.append(f"{row.name}: a warning comes before the refusal")
    if row.sourced == (not row.source):
        problems.append(f"{row.name}: a row without a source says so, one with a source has it")
    return problems
