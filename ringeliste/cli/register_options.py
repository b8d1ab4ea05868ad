"""What the commands on registers share."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from models.work import OpenWork
    from wiring.app import App

Name = Annotated[str, typer.Argument(metavar="NAME", help="The register, such as NO-RESERVASJON.")]


@contextmanager
def changing(crm: str | None, *, dry_run: bool) -> "Iterator[tuple[App, OpenWork]]":
    """The door to the CRM named; whoever is concerned is stamped once its use of registers is changed."""
    from calling.registers.stamping import stamp
    from ringeliste.cli.doors import writing

    with writing(crm, dry_run=dry_run) as (app, open_work):
        yield app, open_work
        if not dry_run:
            stamp(open_work)
