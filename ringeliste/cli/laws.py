"""The law of each place, and the data by which zones and hours are told."""

from typing import Annotated

import typer

from ringeliste.cli.front import add
from ringeliste.cli.hours import PANEL
from ringeliste.cli.options import AsJson, CrmName


def register(app: typer.Typer) -> None:
    """Add these commands."""
    add(app, laws, PANEL)
    add(app, versions, PANEL)


def laws(
    place: Annotated[
        str | None, typer.Argument(metavar="PLACE", help="A country or state, such as NO or US-FL.")
    ] = None,
    crm: CrmName = None,
    as_json: AsJson = False,
) -> None:
    """Show the calling hours of each place, where they stand written, and who is exempted.

    A place without a source has the CRM's own hours alone, and says so.

    \b
    Examples:
      ringeliste laws
      ringeliste laws US-FL
      ringeliste laws --json
    """
    from calling.views.hours import laws as all_laws
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.hours_drawing import draw_laws
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        rows = all_laws(work, place)
    answer(rows, lambda console: draw_laws(console, rows, whole=place is not None), as_json=as_json)


def versions(crm: CrmName = None, as_json: AsJson = False) -> None:
    """Show which laws, zones and numbering plans are in use, and whom new ones moved to another clock.

    The law is that of hours, limits and registers: its day of review, and a hash of all three.

    \b
    Examples:
      ringeliste versions
      ringeliste versions --json
    """
    from calling.views.versions import data_in_use
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.hours_drawing import draw_versions
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        found = data_in_use(work)
    answer(found, lambda console: draw_versions(console, found), as_json=as_json)
