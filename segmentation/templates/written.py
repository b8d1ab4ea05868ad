"""What somebody writes for a template's parameter, on the command line or in a field of a page."""

from typing import Any


def read_written(name: str, written: str) -> Any:
    """`written` as parameter `name` takes it: numbers are numbers, commas part a list.

    What is no number stays a text: the template says what is wrong with it.
    """
    if name in ("limits", "values"):
        several = [one.strip() for one in written.split(",") if one.strip()]
        return [_number(one) if name == "limits" else one for one in several]
    return written if name == "field" else _number(written)


def written_as(value: Any) -> str:
    """The same the other way round: what a field of a page begins with."""
    if isinstance(value, list | tuple):
        return ", ".join(map(written_as, value))
    return "" if value is None else str(value)


def _number(written: str) -> Any:
    for read in (int, float):
        try:
            return read(written)
        except ValueError:
            continue
    return written
