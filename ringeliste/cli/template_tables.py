"""Templates as tables on a terminal."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from calling.segments.templates import Offer, Preview


def draw_offers(console: "Console", found: "list[Offer]") -> None:
    """A line for each template, and the fields that fit it."""
    from ringeliste.cli.output import plain_table, shown

    table = plain_table("template", "what", "fields that fit")
    for one in found:
        fields = [s.field for several in one.suggestions.values() for s in several if s.sure]
        fits = shown(", ".join(fields)) if one.fits else f"[yellow]{shown(one.why_not)}[/yellow]"
        table.add_row(one.template.key, one.template.what, fits)
    console.print(table)


def draw_preview(console: "Console", found: "Preview") -> None:
    """A line for each part, with its rule and how many meet it."""
    from ringeliste.cli.output import number, plain_table, shown
    from ringeliste.drawing import bar, count

    told = ", ".join(f"{name}={shown(value)}" for name, value in found.parameters.items())
    if told:
        console.print(f"[dim]{told}[/dim]")
    table = plain_table("", "key", "customers", "", "rule", right=("customers",))
    for part in found.parts:
        there = f" [dim](there as {shown(part.there)})[/dim]" if part.there else ""
        share = bar(part.count / found.customers, 16) if found.customers else ""
        table.add_row(
            part.kind, f"{part.key}{there}", number(part.count), f"[cyan]{share}[/cyan]", shown(part.text)
        )
    console.print(table)
    console.print(f"[dim]of {count(found.customers)} customers[/dim]")
    for note in found.notes:
        console.print(f"[yellow]{shown(note)}[/yellow]")
