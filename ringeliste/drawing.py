"""Figures drawn with letters: bars, stacked bars and sparklines, as wide as they are told."""

from collections.abc import Sequence

from rich.text import Text

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = "▁▂▃▄▅▆▇█"


def bar(share: float, width: int) -> str:
    """A bar of `share` (0 to 1) of `width` letters, to an eighth of a letter; something is never nothing."""
    eighths = round(max(0.0, min(share, 1.0)) * width * 8)
    if share > 0:
        eighths = max(eighths, 1)
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")


def stacked(parts: Sequence[tuple[float, str]], whole: float, width: int) -> Text:
    """Parts of `whole` side by side, each with its style; cut to whole letters without losing the sum."""
    drawn, reached, total = Text(), 0, 0.0
    for size, style in parts:
        total += size
        upto = round(total / whole * width) if whole else 0
        drawn.append("█" * (upto - reached), style=style)
        reached = upto
    if not reached and total:
        drawn.append("▏", style=next(style for size, style in parts if size))
    return drawn


def sparkline(values: Sequence[float]) -> str:
    """A column for each value, from 0 to the largest; zero is a blank."""
    top = max(values, default=0)
    return "".join(_LEVELS[min(7, int(value / top * 8))] if value else " " for value in values)


def counted(number: float, one: str, more: str = "") -> str:
    """1 row, 12,345 rows; `more` where it is not `one` with an s."""
    return f"{count(number)} {one if number == 1 else more or one + 's'}"


def count(number: float) -> str:
    """12,345"""
    return f"{number:,.0f}"
