"""The portrait of a segment, from the side: its typical member, what sets them apart, when they answer."""

from nicegui.element import Element
from starlette.concurrency import run_in_threadpool

from calling.views.portraits import NamedPortrait, named_portrait
from calling.views.segment_list import SegmentNow
from segmentation.portrait import MOST_CALLS, Worked
from web.keys import Holder
from web.pages.parts import NARROW, box, count, share, words
from web.pages.sheet import Drawer
from wiring.app import App

MOST_STANDOUTS = 12
FIRST_HOUR, LAST_HOUR = 8, 21


class PortraitDrawer(Drawer):
    """One for the page."""

    def __init__(self, app: App, holder: Holder, assignment_id: int) -> None:
        super().__init__()
        self._app, self._holder, self._assignment_id = app, holder, assignment_id

    async def tell(self, segment: SegmentNow) -> None:
        """Show the portrait of a segment."""
        found = await run_in_threadpool(self._read, segment.id)
        of = found.of
        with self.fresh():
            self.head(segment.name, f"{count(of.size)} of {count(of.assignment)} customers")
            with box("rates"):
                _rate("Reached", of.calls.worked.contact_rate, f"of {count(of.calls.worked.attempts)} calls")
                _rate(
                    "Bought", of.calls.worked.conversion_rate, f"of {count(of.calls.worked.contacts)} reached"
                )
            words("More often here", "label")
            self._standouts(found)
            words(_numbers_of(found), "label")
            self._numbers(found)
            words(_calls_of(found), "label")
            self._hours(found)

    def _read(self, segment_id: int) -> NamedPortrait:
        with self._app.work(self._holder.crm_id) as work:
            return named_portrait(work, self._assignment_id, segment_id)

    def _standouts(self, found: NamedPortrait) -> None:
        if not found.standouts:
            words("Nothing: they are like everybody else.", "soft")
        most = max((one.lift for one in found.standouts), default=1)
        with box("standouts"):
            for one in found.standouts[:MOST_STANDOUTS]:
                with box("standout"):
                    with box("names"):
                        words(one.title, "soft")
                        words(one.name, "strong")
                    with box("track"):
                        box("part free").style(f"width: {100 * one.lift / most:.1f}%")
                    words(f"{one.lift:.1f}×", "strong lift")
                    words(f"{count(one.count)} of {count(one.of_all)}", "soft")

    def _numbers(self, found: NamedPortrait) -> None:
        with box("numbers", role="table"):
            with box("number-row", role="row"):
                for name in ("", "Mean", "Median", "Everybody"):
                    words(name, "soft")
            for one in found.numbers:
                with box("number-row", role="row"):
                    words(one.title)
                    words(_number(one.figures.mean), "strong")
                    words(_number(one.figures.median), "strong")
                    words(_number(one.figures.mean_of_all), "soft")

    def _hours(self, found: NamedPortrait) -> None:
        by_hour = dict(found.of.calls.hours)
        if not by_hour:
            words("Nobody was called from here yet.", "soft")
            return
        best = max((work.contact_rate or 0 for work in by_hour.values()), default=0)
        with box("clock-hours"):
            for hour in range(min(FIRST_HOUR, *by_hour), max(LAST_HOUR, *by_hour) + 1):
                _hour(hour, by_hour.get(hour), best)


def _numbers_of(found: NamedPortrait) -> str:
    numbers = found.of.numbers
    if numbers.sample_of_all == found.of.assignment:
        return "Their numbers"
    return (
        f"Their numbers, of {count(numbers.sample)} of them and {count(numbers.sample_of_all)} of everybody"
    )


def _calls_of(found: NamedPortrait) -> str:
    calls = found.of.calls
    which = f", the last {count(MOST_CALLS)} calls" if calls.cut else ""
    return f"When they answer, since {calls.since:%d %b %Y}{which}"


def _rate(name: str, rate: float | None, meaning: str) -> None:
    with box("rate"):
        words(name, "soft")
        words("–" if rate is None else f"{100 * rate:.1f}{NARROW}%", "rate-number")
        words(meaning, "soft")


def _hour(hour: int, work: Worked | None, best: float) -> Element:
    rate = (work.contact_rate or 0) if work else 0
    said = (
        f"{hour:02}:00: {share(work.contacts, work.attempts)} of {count(work.attempts)} calls" if work else ""
    )
    with box("clock-hour", title=said) as made:
        with box("well"):
            box("level").style(f"height: {100 * rate / best if best else 0:.0f}%")
        words(f"{hour:02}", "soft")
    return made


def _number(value: float) -> str:
    """1 234, 40.9."""
    written = count(round(value)) if abs(value) >= 1_000 else f"{value:.1f}"
    return written.replace("-", "\u2212")
