"""What comes of a template: its parts with their counts, and whom they move."""

from collections.abc import Sequence
from typing import Any

from calling.segments.templates import PlannedPart, Preview
from segmentation.preview import Preview as Forecast
from web.pages.parts import box, count, share, words
from web.pages.template_deeds import Looked


def new_parts(preview: Preview) -> list[PlannedPart]:
    """Those that are not there yet."""
    return [part for part in preview.parts if not part.there]


def show_result(looked: Looked, preview: Preview) -> None:
    """Its parts, what is to be said of them, and who moves or why nobody can say it."""
    new = new_parts(preview)
    words(f"It adds {parts_in_words(new)}" if new else "All of it is there already.", "label")
    for part in preview.parts:
        _part_row(part, preview.customers)
    for note in preview.notes:
        words(note, "soft")
    if looked.forecast is not None:
        _who_moves(looked.forecast)
    if looked.untold:
        words(f"Who moves cannot be told: {looked.untold}", "warned")


def parts_in_words(parts: Sequence[PlannedPart]) -> str:
    """5 segments and 2 labels."""
    of = {kind: sum(part.kind == kind for part in parts) for kind in ("segment", "label")}
    return " and ".join(f"{n} {kind}{'' if n == 1 else 's'}" for kind, n in of.items() if n)


def _part_row(part: PlannedPart, customers: int) -> None:
    with box("part-row there" if part.there else "part-row"):
        with box("names"):
            words(part.name, "strong")
            words(part.text, "soft rule-text")
        with box("track"):
            box("part free").style(f"width: {100 * part.count / customers if customers else 0:.2f}%")
        words("there already" if part.there else count(part.count), "number")


def _who_moves(forecast: Forecast) -> None:
    moved = [one for one in forecast.segments if one.came or one.went or one.is_new]
    words("Who moves", "label")
    part = share(forecast.move, forecast.customers)
    words(f"{count(forecast.move)} of {count(forecast.customers)} customers ({part}) change segment.", "soft")
    with box("forecasts", role="table", aria_label="Who moves"):
        for one in moved:
            with box("forecast", role="row"):
                words(one.name, "strong")
                words(f"{count(one.before)} → {count(one.after)}")
                words(_change(one), "soft")
    for _, message in forecast.warnings:
        words(message, "warned")


def _change(one: Any) -> str:
    return "new" if one.is_new else f"+{count(one.came)} \u2212{count(one.went)}"
