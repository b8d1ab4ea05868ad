"""`ringeliste simulate --faults` on the terminal: which seeds broke a promise, at which step, and how."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console

from models.errors import BadInput
from ringeliste import throwaway
from ringeliste.cli.output import number, plain_table, shown
from ringeliste.drawing import count
from ringeliste.faults.apart import FOLDER, Size, replay, search
from ringeliste.faults.playing import Verdict
from wiring.settings import Settings

SEED_SECONDS, BUILD_SECONDS = 1.5, 8
"""What a seed of the small world takes on a quiet machine, and its servers before it, roughly."""


def sized(customers: int | None, sellers: int | None, minutes: float | None) -> Size:
    """The small world, or what was said instead."""
    usual = Size()
    return Size(customers or usual.customers, sellers or usual.sellers, minutes or usual.minutes)


def check(seeds: int, until_step: int | None) -> None:
    """Raises BadInput for a step of several seeds."""
    if until_step is not None and seeds != 1:
        raise BadInput("--until-step: one seed has steps; give --seed K without --seeds")


def plan(seed: int, seeds: int, size: Size) -> dict[str, Any]:
    """What would be played, where, and roughly how long. Raises BadInput as it would."""
    folder = _folder() / FOLDER
    throwaway.check(folder)
    return {
        "directory": folder,
        "replaces": "an earlier run" if folder.exists() else "nothing",
        "seeds": f"{seed} to {seed + seeds - 1}",
        **asdict(size),
        "seconds": round(BUILD_SECONDS + seeds * SEED_SECONDS * size.minutes / Size().minutes),
        "afterwards": "stays there, servers stopped" if seeds == 1 else "removed",
    }


def run(seed: int, seeds: int, size: Size, until_step: int | None) -> list[Verdict]:
    """Play them, and say on standard error how far it is."""
    with Console(stderr=True).status("Starting PostgreSQL and building the small world") as status:
        if seeds == 1:
            return [replay(_folder(), seed, size, until_step)]
        verdicts = []
        for verdict in search(_folder(), range(seed, seed + seeds), size):
            verdicts.append(verdict)
            broken = sum(one.broken is not None for one in verdicts)
            status.update(f"{count(len(verdicts))} of {count(seeds)} seeds, {broken} broke a promise")
        return verdicts


def document(verdicts: Sequence[Verdict], size: Size) -> dict[str, Any]:
    """As JSON: totals, and every seed."""
    return {
        **asdict(size),
        "played": len(verdicts),
        "broken": [one.seed for one in verdicts if one.broken is not None],
        "seeds": [asdict(one) for one in verdicts],
    }


def draw(console: Console, verdicts: Sequence[Verdict], *, steps: bool) -> None:
    """For people. `steps`: the last ones also of a seed that kept its promises."""
    for one in verdicts:
        if one.broken is not None or steps:
            console.print("\n".join(shown(line) for line in one.last))
        if one.broken is not None:
            console.print(f"[red]seed {one.seed}, step {one.steps}: {shown(one.broken)}[/red]")
            console.print(f"Again: [bold]ringeliste simulate --faults --seed {one.seed}[/bold]")
    table = plain_table(
        "seeds", "steps", "rings", "words", "broken", right=("seeds", "steps", "rings", "words")
    )
    broken = sum(one.broken is not None for one in verdicts)
    table.add_row(
        number(len(verdicts)), number(sum(one.steps for one in verdicts)),
        number(sum(one.rings for one in verdicts)), number(sum(one.words for one in verdicts)),
        number(broken),
    )  # fmt: skip
    console.print(table)
    console.print(
        "[green]every promise kept[/green]" if not broken else f"[red]{broken} broke a promise[/red]"
    )


def _folder() -> Any:
    return Settings.from_env().data.expanduser().resolve()
