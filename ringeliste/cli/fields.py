"""The field catalogue: list, add, change, retire and revive fields."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import BadInput
from ringeliste.cli.field_drawing import draw_changed, draw_fields, draw_retired
from ringeliste.cli.front import add as add_command
from ringeliste.cli.options import AsJson, Author, CrmName, DryRun, whoever

if TYPE_CHECKING:
    from calling.catalogue.field import Field

FIELDS = """Fields: what you keep of your customers, and what a value has to be.

\b
Examples:
  ringeliste fields list
  ringeliste fields add policy text --unique --pattern "[A-Z]{2}[0-9]{6}"
  ringeliste fields change policy --required --dry-run
"""

Key = Annotated[str, typer.Argument(metavar="KEY", help="The field's key, such as policy.")]
Label = Annotated[str | None, typer.Option(help="What people read; else the key.")]
Pattern = Annotated[
    str | None, typer.Option(metavar="REGEX", help="A text has to match it whole (docs/fields.md).")
]
Choices = Annotated[
    list[str] | None, typer.Option("--choice", metavar="TEXT", help="What a choice may be; once for each.")
]
Position = Annotated[int | None, typer.Option(min=1, help="Its place in the order, from 1.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    add_command(group, list_fields, name="list")
    for command in (handbook, add, change, retire, revive):
        add_command(group, command)
    app.add_typer(group, name="fields", rich_help_panel="Lists", help=FIELDS)


def list_fields(
    crm: CrmName = None,
    retired: Annotated[bool, typer.Option("--retired", help="Those no longer in use, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the fields in their order, with what is demanded of a value.

    \b
    Examples:
      ringeliste fields list
      ringeliste fields list --retired --json
    """
    from calling.catalogue.reading import all_fields, in_use
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        found = all_fields(work) if retired else in_use(work)
    answer(found, lambda console: draw_fields(console, found), as_json=as_json)


def handbook(crm: CrmName = None, as_json: AsJson = False) -> None:
    """Print what is kept of customers, what lists may hold and rules can ask, as Markdown.

    \b
    Examples:
      ringeliste fields handbook > fields.md
    """
    from calling.catalogue.handbook import handbook as written
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        page = written(work)
    answer(
        {"markdown": page},
        lambda console: console.print(page, markup=False, highlight=False, soft_wrap=True),
        as_json=as_json,
    )


def add(
    key: Key,
    type_: Annotated[
        str, typer.Argument(metavar="TYPE", help="text, number, date, yes_no or choice; it never changes.")
    ],
    label: Label = None,
    required: Annotated[bool, typer.Option("--required", help="No customer without it from now on.")] = False,
    unique: Annotated[bool, typer.Option("--unique", help="No two customers with one value.")] = False,
    pattern: Pattern = None,
    choice: Choices = None,
    position: Position = None,
    crm: CrmName = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Add a field. Rules, bars, lists and edits know it at once.

    \b
    Examples:
      ringeliste fields add policy text --label "Policy no." --unique
      ringeliste fields add size choice --choice small --choice medium --choice large
    """
    from calling.catalogue.changing import add as add_field
    from calling.catalogue.field import Field
    from ringeliste.cli.doors import writing

    field = Field(key, type_, label or key, required, unique, pattern, tuple(choice or ()))
    with writing(crm, dry_run=dry_run) as (_, open_work):
        added = add_field(open_work, field, position=position)
    _answer(added, "is added", dry_run=dry_run, as_json=as_json)


def change(
    key: Key,
    label: Label = None,
    required: Annotated[
        bool | None, typer.Option("--required/--optional", help="Whether a customer has to have it.")
    ] = None,
    unique: Annotated[
        bool | None, typer.Option("--unique/--shared", help="Whether a value may stand once only.")
    ] = None,
    pattern: Pattern = None,
    any_text: Annotated[bool, typer.Option("--any-text", help="Take the pattern away.")] = False,
    choice: Choices = None,
    any_choice: Annotated[bool, typer.Option("--any-choice", help="Take the choices away.")] = False,
    position: Position = None,
    crm: CrmName = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Change what is demanded of a field's values. What was written before and breaks it is told, and stays.

    A field cannot become unique while two customers share a value. The choices named replace all there were.

    \b
    Examples:
      ringeliste fields change policy --required --dry-run
      ringeliste fields change size --choice small --choice large --position 1
      ringeliste fields change policy --any-text --shared
    """
    from calling.catalogue.changing import change as change_field
    from ringeliste.cli.doors import writing
    from ringeliste.cli.output import answer

    if (any_text and pattern is not None) or (any_choice and choice):
        raise BadInput("say what is demanded, or that anything is: one of the two")
    wanted: dict[str, Any] = {"label": label, "required": required, "unique": unique, "pattern": pattern}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    wanted |= {"pattern": None} if any_text else {}
    wanted |= {"choices": tuple(choice or ())} if choice or any_choice else {}
    if not wanted and position is None:
        raise BadInput(
            "name something to change: --label, --required, --unique, --pattern, --choice, --position"
        )
    with writing(crm, dry_run=False) as (_, open_work):
        done = change_field(open_work, key, wanted, position=position, dry_run=dry_run)
    answer(done, lambda console: draw_changed(console, done), as_json=as_json)


def retire(
    key: Key, crm: CrmName = None, author: Author = None, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Take a field out of use. Its values stay; rules in force go on asking it until published again.

    \b
    Examples:
      ringeliste fields retire policy --dry-run
      ringeliste fields retire policy
    """
    from calling.catalogue.retiring import retire as retire_field
    from ringeliste.cli.doors import writing
    from ringeliste.cli.output import answer

    with writing(crm, dry_run=dry_run) as (_, open_work):
        gone = retire_field(open_work, key, author=whoever(author))
    document = {"field": gone.field, "askers": gone.askers, "dry_run": dry_run}
    answer(document, lambda console: draw_retired(console, gone, dry_run=dry_run), as_json=as_json)


def revive(key: Key, crm: CrmName = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Take a retired field into use again, with the values that it had.

    \b
    Examples:
      ringeliste fields revive policy
      ringeliste fields revive policy --dry-run --json
    """
    from calling.catalogue.retiring import revive as revive_field
    from ringeliste.cli.doors import writing

    with writing(crm, dry_run=dry_run) as (_, open_work):
        live = revive_field(open_work, key)
    _answer(live, "is in use again", dry_run=dry_run, as_json=as_json)


def _answer(field: "Field", said: str, *, dry_run: bool, as_json: bool) -> None:
    from ringeliste.cli.output import answer, shown, would

    line = f"{would(dry_run)}The field {shown(field.key)} {said}."
    answer({"field": field, "dry_run": dry_run}, lambda console: console.print(line), as_json=as_json)
