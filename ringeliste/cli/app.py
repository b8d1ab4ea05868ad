"""All commands under one roof."""

import os
from typing import Annotated

import typer

from ringeliste.cli import (
    best_times,
    calls,
    causes,
    database,
    dnc,
    facets,
    fields,
    follow_ups,
    funnels,
    holders,
    hot_leads,
    hours,
    imports,
    laws,
    lease_times,
    limits,
    machinery,
    numbers,
    order,
    pause_list,
    people,
    registers,
    reports,
    retries,
    rules,
    segments,
    sellers,
    set_aside,
    suppression,
    tags,
    templates,
    trials,
    walls,
    zones,
)
from ringeliste.cli.front import Front

DEBUG = "RINGELISTE_DEBUG"

app = typer.Typer(
    cls=Front,
    name="ringeliste",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
PARTS = (
    machinery, imports, segments, facets, fields, tags, rules, templates, people, hours, laws, walls,
    pause_list, suppression, dnc, registers, limits, retries, numbers, zones, sellers, calls, holders,
    lease_times, follow_ups, hot_leads, funnels, causes, set_aside, reports, best_times, order, trials,
    database,
)  # fmt: skip
for part in PARTS:
    part.register(app)


@app.callback()
def ringeliste(
    context: typer.Context,
    debug: Annotated[
        bool, typer.Option("--debug", help=f"Show where an error came from; {DEBUG}=1 does the same.")
    ] = False,
) -> None:
    """Ringeliste decides who is called next, by whom, and when they may be called.

    \b
    Exit codes:
      0  done
      1  refused or failed; the reason stands on standard error
      2  used wrongly: an option, a setting, a rule, a file
      3  `check` found a broken promise
    """
    context.obj = debug or os.environ.get(DEBUG, "") not in ("", "0")


def main() -> None:
    """The entry point of the package."""
    app()
