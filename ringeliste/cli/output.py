"""How answers are printed: tables for people, one JSON document for programs."""

import os
import re
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ringeliste.drawing import count

PIPE_WIDTH = 160

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Draw = Callable[[Console], None]


def console() -> Console:
    """Standard output; without colours, and wide enough for whole names, when it is no terminal."""
    narrow = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, emoji=False, width=None if narrow else PIPE_WIDTH)


def answer(document: Any, draw: Draw, *, as_json: bool) -> None:
    """Print `document` as JSON, or let `draw` show it."""
    if as_json:
        print_json(document)
    else:
        draw(console())


def print_json(document: Any) -> None:
    """One document and a line's end; instants are ISO 8601."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
    sys.stdout.write(orjson.dumps(document, default=str, option=options).decode())


def plain_table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """A table without lines; the columns in `right` hold numbers."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", no_wrap=column in right)
    return table


def instant(at: datetime | None) -> str:
    """Business time for people, in UTC."""
    return f"{at:%a %Y-%m-%d %H:%M} UTC" if at else "—"


def number(value: int) -> str:
    """A figure; zero is nearly invisible, so that the others stand out."""
    return count(value) if value else "[dim]0[/dim]"


def shown(value: object) -> str:
    """A value for the screen, as it is: what somebody wrote in a list is no markup and moves no cursor.

    Every value that is not ours goes through here before it is printed or put into a table.
    """
    text = _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", str(value))
    # Rich doubles a last backslash, and takes one back only where a tag follows: so one does.
    return escape(text) + ("[none][/none]" if text.endswith("\\") else "")


def moving(worked: bool) -> str:
    """Who moves the customers to their segments, after what was changed."""
    if worked:
        return "The workers move the customers now; `ringeliste segments` shows how far they are."
    return "Nobody works yet; once `ringeliste up` runs, the customers are moved."


def would(dry_run: bool) -> str:
    """The head of an answer, on a line of its own."""
    return "[yellow]Dry run, nothing is changed.[/yellow]\n" if dry_run else ""
