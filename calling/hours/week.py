"""Hours of a week as people write them, read strictly: every problem named at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from calling.hours.spans import DAY, Span, Spans, merge
from models.errors import BadInput

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


@dataclass(frozen=True, slots=True)
class Week:
    """Spans of each day, Monday first, in minutes of the local day."""

    days: tuple[Spans, ...]

    def on(self, weekday: int) -> Spans:
        """The spans of a weekday (Monday is 0)."""
        return self.days[weekday]

    @property
    def empty(self) -> bool:
        """It is never open."""
        return not any(self.days)


def read_week(body: object) -> Week:
    """Hours from `{"mon": [["09:00", "20:00"]], ...}`; a day that is missing is shut.

    Raises BadInput with every problem.
    """
    if not isinstance(body, Mapping):
        raise _bad([("hours", 'must be an object such as {"mon": [["09:00", "20:00"]]}')])
    problems: list[tuple[str, str]] = []
    days: dict[str, Spans] = {}
    for day, intervals in body.items():
        if day in DAYS:
            days[day] = read_intervals(intervals, str(day), problems)
        else:
            near = get_close_matches(str(day), DAYS, 1)
            hint = f"did you mean {near[0]}?" if near else f"days are {', '.join(DAYS)}"
            problems.append((str(day), f"is no day of the week; {hint}"))
    if problems:
        raise _bad(problems)
    return Week(tuple(days.get(day, ()) for day in DAYS))


def read_intervals(body: object, path: str, problems: list[tuple[str, str]]) -> Spans:
    """The spans of one day's `[["09:00", "13:00"], ...]`; what is wrong is added to `problems`."""
    if not isinstance(body, list):
        problems.append((path, 'must be a list of intervals such as [["09:00", "20:00"]]'))
        return ()
    spans: list[Span] = []
    for number, pair in enumerate(body):
        where = f"{path}[{number}]"
        if not (isinstance(pair, list | tuple) and len(pair) == 2):
            problems.append((where, 'must be a pair such as ["09:00", "20:00"]'))
            continue
        start, end = (_minute(text, where, problems) for text in pair)
        if start is None or end is None:
            continue
        if start >= end:
            problems.append((where, f"{pair[0]} is not before {pair[1]}; cut what passes midnight in two"))
        elif any(start < other_end and other_start < end for other_start, other_end in spans):
            problems.append((where, "overlaps another interval of the day"))
        else:
            spans.append((start, end))
    return merge(spans)


def _minute(text: object, where: str, problems: list[tuple[str, str]]) -> int | None:
    """Minutes since midnight of "09:30"; "24:00" is the end of the day."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        problems.append((where, f"{text!r} is no time of day; write it as 09:30"))
        return None
    return DAY if match[1] is None else int(match[1]) * 60 + int(match[2])


def _bad(problems: list[tuple[str, str]]) -> BadInput:
    lines = "; ".join(f"{path}: {message}" for path, message in problems)
    return BadInput(f"hours: {lines}", problems=[{"path": p, "message": m} for p, m in problems])


def as_text(spans: Spans) -> str:
    """The way people read spans: "10:00-13:00, 14:00-20:00", or "never"."""
    return ", ".join(f"{_clock(start)}-{_clock(end)}" for start, end in spans) or "never"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def week_as_text(week: Week) -> str:
    """The way people read a week, days alike together: "mon-fri 09:00-20:00; sat-sun never"."""
    told: list[str] = []
    first = 0
    for day in range(1, len(DAYS) + 1):
        if day == len(DAYS) or week.on(day) != week.on(first):
            names = DAYS[first] if day - first == 1 else f"{DAYS[first]}-{DAYS[day - 1]}"
            told.append(f"{names} {as_text(week.on(first))}")
            first = day
    return "; ".join(told)


def week_from_text(text: str) -> dict[str, list[list[str]]]:
    """Hours written as "mon-fri 10:00-13:00, 14:00-20:00; sat never", in the form that `read_week` takes.

    Days that are not named are shut. Raises BadInput with every problem.
    """
    body: dict[str, list[list[str]]] = {}
    problems: list[tuple[str, str]] = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        names, _, intervals = part.partition(" ")
        first, _, last = names.partition("-")
        if first not in DAYS or (last or first) not in DAYS or DAYS.index(first) > DAYS.index(last or first):
            problems.append((names, "is no day or stretch of days; write mon, or mon-fri"))
            continue
        for day in DAYS[DAYS.index(first) : DAYS.index(last or first) + 1]:
            if day in body:
                problems.append((day, "is named twice"))
            body[day] = intervals_from_text(intervals)
    if problems:
        raise _bad(problems)
    read_week(body)
    return body


def intervals_from_text(text: str) -> list[list[str]]:
    """ "10:00-13:00, 14:00-20:00" as pairs; "never", or nothing, is no interval."""
    pieces = [piece.strip() for piece in text.split(",") if piece.strip() not in ("", "never")]
    return [[time.strip() for time in piece.split("-", 1)] for piece in pieces]
