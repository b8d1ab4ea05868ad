"""Calls per hour of the local day: attempts, the contacts among them, and the sales above."""

from typing import Any

from nicegui import ui

from calling.views.report import Hour
from web.pages.parts import box, words
from web.pages.snapshot import Snapshot, hour_of

FIRST, LAST = 8, 21
"""Local hours that are always shown; earlier and later ones when something was reported in them."""

# The chart is SVG, so its colours are the stylesheet's own and follow the theme without being drawn again.
_TEXT = {"color": "var(--muted)", "fontFamily": "inherit", "fontSize": 12}


class HoursChart:
    """A bar each hour."""

    def __init__(self) -> None:
        with box("panel hours", "section", aria_label="Calls per hour"):
            with box("panel-head"):
                words("Calls per hour", "title")
                with box("legend"):
                    for name in ("Attempts", "Contacts", "Sales"):
                        with box("key"):
                            box(f"swatch {name.lower()}")
                            words(name)
            self._chart = ui.echart(_options(), renderer="svg").classes("chart")
        self._shown: Any = None

    def show(self, now: Snapshot) -> None:
        """Draw the hours of a snapshot, if they have changed."""
        by_hour = {hour_of(hour, now.zone): hour for hour in now.today}
        hours = range(min([FIRST, *by_hour]), max([LAST, *by_hour]) + 1)
        current = now.now.astimezone(now.zone).hour
        rows = [(hour, by_hour.get(hour)) for hour in hours]
        if (rows, current) == self._shown:
            return
        self._shown = (rows, current)
        options = self._chart.options
        options["xAxis"]["data"] = [
            {"value": f"{hour:02}", "textStyle": {"color": "var(--text)", "fontWeight": 600}}
            if hour == current
            else f"{hour:02}"
            for hour in hours
        ]
        attempts, contacts, sales = options["series"]
        attempts["data"] = [_labelled(found) for _, found in rows]
        contacts["data"] = [found.contacts if found else 0 for _, found in rows]
        sales["data"] = [found.sales if found else 0 for _, found in rows]
        self._chart.update()


def _labelled(hour: Hour | None) -> dict[str, Any]:
    """The attempts of an hour, with its sales written above the bar."""
    if hour is None:
        return {"value": 0}
    return {"value": hour.attempts, "label": {"show": hour.sales > 0, "formatter": str(hour.sales)}}


def _bar(colour: str, width: str, z: int) -> dict[str, Any]:
    return {
        "type": "bar", "barWidth": width, "barGap": "-100%", "z": z, "data": [],
        "itemStyle": {"color": colour, "borderRadius": [3, 3, 0, 0]},
        "emphasis": {"disabled": True},
    }  # fmt: skip


def _options() -> dict[str, Any]:
    return {
        "animationDuration": 300, "animationDurationUpdate": 300,
        "grid": {"left": 44, "right": 12, "top": 26, "bottom": 24},
        "tooltip": {
            "trigger": "axis", "axisPointer": {"type": "none"}, "borderWidth": 0, "padding": [8, 12],
            "backgroundColor": "var(--raised)", "textStyle": {"color": "var(--text)", "fontSize": 13},
            "extraCssText": "box-shadow: var(--shadow); border-radius: 8px;",
        },
        "xAxis": {
            "type": "category", "data": [], "axisLabel": {**_TEXT, "interval": 0, "hideOverlap": True},
            "axisTick": {"show": False}, "axisLine": {"lineStyle": {"color": "var(--line)"}},
        },
        "yAxis": {
            "type": "value", "minInterval": 1, "splitNumber": 3, "axisLabel": _TEXT,
            "splitLine": {"lineStyle": {"color": "var(--line)"}},
        },
        "series": [
            {
                "name": "Attempts", **_bar("var(--attempts)", "62%", 2),
                "label": {"position": "top", "color": "var(--accent-text)", "fontWeight": 650},
            },
            {"name": "Contacts", **_bar("var(--contacts)", "62%", 3)},
            {"name": "Sales", **_bar("var(--sales)", "62%", 4)},
        ],
    }  # fmt: skip
