"""What hours rest on, and why they are shut, in words."""

from dataclasses import dataclass
from datetime import datetime

from calling.hours.law import Law, Silence
from calling.hours.stricter import Exemption

OWN_HOURS = "own hours, no source"
THE_CRMS_OWN = "the CRM's own hours"
NO_ZONE = "nobody knows where they are: a person has to verify the zone"
GONE_ZONE = "the zone data know no {zones} any more: a person has to verify the zone"


@dataclass(frozen=True, slots=True)
class Basis:
    """What the hours of a place rest on: a law row, or the CRM's own hours alone (`law` None).

    `silent`: what was looked for there in vain. `exempted`: who let them off this row, and until when.
    """

    place: str
    law: Law | None
    silent: tuple[Silence, ...] = ()
    exempted: Exemption | None = None

    def __str__(self) -> str:
        if self.law is None:
            return "; ".join([f"{self.place}: {OWN_HOURS}", *(f"{s.name}: {s.note}" for s in self.silent)])
        told = f"{self.place}: {self.law.name} ({self.law.source})"
        return f"{told}, {self.exempted}" if self.exempted else told


@dataclass(frozen=True, slots=True)
class Shut:
    """One reason why a clock is shut. `local`: what the clock on the wall of `zone` shows.

    `hours`: what the rule says of that local day; `less_margin`: what is left of them.
    """

    zone: str | None
    local: datetime | None
    rule: str
    hours: str
    less_margin: str = ""

    def __str__(self) -> str:
        if self.local is None:
            return self.rule
        says = "say" if self.rule.startswith("the ") else "says"
        told = f"{self.local:%a %H:%M} in {self.zone}, but {self.rule} {says} {self.hours} that day"
        return told if self.less_margin == self.hours else f"{told}, with the margin {self.less_margin}"
