"""What deeds on segments ask for, each with one name and one meaning."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from models.ends import LONGEST_HOLD

if TYPE_CHECKING:
    from wiring.app import App

Segment = Annotated[str, typer.Argument(metavar="SEGMENT", help="A segment by name, key or id.")]
MaybeSegment = Annotated[
    str | None, typer.Argument(metavar="SEGMENT", help="A segment by name, key or id.", show_default=False)
]
Reason = Annotated[str, typer.Option(help="Why; it stands in the history.")]
MaybeReason = Annotated[
    str | None, typer.Option(help="Why they are held; it stands in the history.", show_default=False)
]
Expect = Annotated[
    int | None,
    typer.Option(
        "--expect", "--expected", min=0, metavar="N",
        help="How many you expect: it is refused when there are others.",
    ),
]  # fmt: skip
TolerancePercent = Annotated[
    float, typer.Option("--tolerance", min=0, max=100, metavar="PERCENT", help="How far that may be off.")
]
Days = Annotated[
    int | None,
    typer.Option(min=1, max=LONGEST_HOLD.days, help="Held for so many days; else until released."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether you are sure.")]


def ends_at(app: "App", days: int | None) -> datetime | None:
    """So many days of business time from now; None: until released."""
    return app.now() + timedelta(days=days) if days else None
