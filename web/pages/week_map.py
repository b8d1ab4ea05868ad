"""The week as a map: as bright as many customers answer, an hour of their own clocks a field."""

from calling.views.best_times import BestTimes, Slot
from web.pages.parts import NARROW, box, count, words

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def week_map(found: BestTimes) -> None:
    """Draw it, from the first hour in which anybody was called to the last."""
    called = [slot for slot in found.slots if slot.attempts]
    first, last = min(slot.hour for slot in called), max(slot.hour for slot in called)
    low, high = min(slot.rate for slot in called), max(slot.rate for slot in called)
    with box("week-map", role="img", aria_label="Share of calls that reach a person, by weekday and hour"):
        with box("week-day"):
            words("", "soft")
            for hour in range(first, last + 1):
                words(f"{hour:02}", "soft")
        for weekday, name in enumerate(DAYS):
            with box("week-day"):
                words(name, "soft")
                for slot in found.slots:
                    if slot.weekday == weekday and first <= slot.hour <= last:
                        _field(slot, (slot.rate - low) / (high - low) if high > low else 1.0)


def _field(slot: Slot, share: float) -> None:
    if not slot.attempts:
        box("week-hour none")
        return
    rate = f"{100 * slot.rate:.0f}{NARROW}% of {count(slot.attempts)} calls"
    said = f"{DAYS[slot.weekday]} {slot.hour:02}:00: {rate}"
    box("week-hour", title=said).style(f"--share: {100 * share:.0f}%")
