"""How fields are shown to people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from calling.catalogue.breakers import Broken
    from calling.catalogue.changing import Changed
    from calling.catalogue.field import Field
    from calling.catalogue.retiring import Retired

_BROKEN = {
    "required": "{} without a value",
    "pattern": "{} with a text that does not match",
    "choices": "{} with a value that is no choice",
    "unique": "{} who share a value with another",
    "length": "{} with a text too long to be unique",
}


def draw_fields(console: "Console", fields: "Sequence[Field]") -> None:
    """A table of fields."""
    from ringeliste.cli.output import plain_table, shown

    if not fields:
        console.print(
            "No fields yet: an import makes them of its columns, `ringeliste fields add` one by one."
        )
        return
    table = plain_table("key", "type", "label", "a value")
    for field in fields:
        style = "dim" if field.retired_at else ""
        table.add_row(shown(field.key), field.type, shown(field.label), _demands(field), style=style)
    console.print(table)


def draw_changed(console: "Console", done: "Changed") -> None:
    """A change, and what breaks it."""
    from ringeliste.cli.output import shown, would

    said = "would change" if done.dry_run else "is changed"
    console.print(f"{would(done.dry_run)}The field {shown(done.field.key)} {said}: {_demands(done.field)}")
    for broken in done.broken:
        console.print(_told(broken))
    if not done.broken:
        return
    stops = any(broken.demand in ("unique", "length") for broken in done.broken)
    console.print(
        "They have to get other values first." if stops
        else "They stay; what is written from now on has to keep to it."
    )  # fmt: skip


def draw_retired(console: "Console", gone: "Retired", *, dry_run: bool) -> None:
    """A field that is out of use, and who goes on asking it."""
    from ringeliste.cli.output import plain_table, shown, would

    console.print(f"{would(dry_run)}The field {shown(gone.field.key)} is retired; its values stay.")
    if not gone.askers:
        console.print("No rule in force asks it.")
        return
    console.print("These go on asking it until they are published again:")
    table = plain_table("assignment", "what", "key", "name")
    for one in gone.askers:
        table.add_row(shown(one.assignment), one.kind, shown(one.key), shown(one.name))
    console.print(table)


def _demands(field: "Field") -> str:
    from ringeliste.cli.output import shown

    said = [word for word, is_so in (("required", field.required), ("unique", field.unique)) if is_so]
    said += [f"matches {shown(field.pattern)}"] if field.pattern is not None else []
    said += [f"one of {shown(', '.join(field.choices))}"] if field.choices else []
    said += [f"[yellow]retired {shown(field.retired)}[/yellow]"] if field.retired_at else []
    return ", ".join(said) or "any"


def _told(broken: "Broken") -> str:
    from ringeliste.cli.output import shown
    from ringeliste.drawing import counted

    many = _BROKEN[broken.demand].format(counted(broken.customers, "customer"))
    some = [
        f"{one.value!r} of {', '.join(one.customers)}" if one.value else one.customers[0]
        for one in broken.samples
    ]
    return f"[yellow]{many}[/yellow], such as {shown('; '.join(some))}"
