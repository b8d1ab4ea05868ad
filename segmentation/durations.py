"""Stretches of time as rules write them: "30m", "12h", "3d", "2w"."""

import re
from dataclasses import dataclass

DAY_SECONDS = 86_400
MAX_DAYS = 36_500

_UNITS = {"w": 7 * DAY_SECONDS, "d": DAY_SECONDS, "h": 3_600, "m": 60}
_WRITTEN = re.compile(r"([0-9]{1,8})([wdhm])")


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time in whole minutes, none or more. As text it takes the largest exact unit."""

    seconds: int

    @property
    def days(self) -> int:
        """The whole days in it."""
        return self.seconds // DAY_SECONDS

    def __str__(self) -> str:
        if not self.seconds:
            return "0d"
        unit, length = next(
            (unit, length) for unit, length in _UNITS.items() if self.seconds % length == 0
        )  # fmt: skip
        return f"{self.seconds // length}{unit}"


def read_duration(written: object) -> Duration | None:
    """The duration that `written` spells; None if it spells none, or one of more than 36,500 days."""
    found = _WRITTEN.fullmatch(written) if isinstance(written, str) else None
    if found is None:
        return None
    seconds = int(found[1]) * _UNITS[found[2]]
    return Duration(seconds) if seconds <= MAX_DAYS * DAY_SECONDS else None
