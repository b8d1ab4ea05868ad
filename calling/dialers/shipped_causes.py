"""The causes that come with the program: reviewed rows of calling/dialers/causes.toml, by adapter."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from calling.dialers.results import normal
from models.errors import BadInput
from models.outcomes import Outcome

EVIDENCE = ("measured", "standard", "documented")


@dataclass(frozen=True, slots=True)
class Shipped:
    """What a cause comes to unless somebody says otherwise, and from where we know it."""

    outcome: Outcome
    evidence: str
    source: str


@cache
def shipped(adapter: str) -> Mapping[str, Shipped]:
    """Cause -> what it comes to, of the dialers that an adapter speaks to."""
    return read_shipped((files("calling") / "dialers" / "causes.toml").read_text(encoding="utf-8")).get(
        adapter, {}
    )


def read_shipped(text: str) -> dict[str, dict[str, Shipped]]:
    """Adapter -> cause -> row, of TOML (its keys are explained on top of the file). Raises BadInput."""
    made: dict[str, dict[str, Shipped]] = {}
    for group in tomllib.loads(text)["group"]:
        for cause, row in _read(group):
            for adapter in group["adapters"]:
                if cause in made.setdefault(adapter, {}):
                    raise BadInput(f"cause {cause!r} is there twice for {adapter}")
                made[adapter][cause] = row
    return made


def _read(group: Mapping[str, Any]) -> Iterator[tuple[str, Shipped]]:
    if group["evidence"] not in EVIDENCE:
        raise BadInput(f"evidence {group['evidence']!r}: there are {', '.join(EVIDENCE)}")
    for cause, outcome in group["outcomes"].items():
        if cause != normal(cause) or outcome not in set(Outcome):
            raise BadInput(f"cause {cause!r} = {outcome!r}: a cause in lower case, and one of our outcomes")
        yield cause, Shipped(Outcome(outcome), group["evidence"], group["source"])
