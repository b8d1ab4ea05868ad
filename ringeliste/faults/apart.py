"""Seeds played in a data directory of their own, made for it and never anybody's real list."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

import migrations
from ringeliste import embedded, throwaway
from ringeliste.faults.databases import CUSTOMERS, SELLERS, Databases
from ringeliste.faults.playing import MINUTES, Verdict, play
from ringeliste.simulation.apart import SETTINGS
from wiring.settings import Settings

FOLDER = "faults"

# Plans change under no seed: nobody counts rows while it plays.
_SETTINGS = {**SETTINGS, "autovacuum": "off"}


@dataclass(frozen=True, slots=True)
class Size:
    """How large the small world is, and for how many minutes of business time it is played with faults."""

    customers: int = CUSTOMERS
    sellers: int = SELLERS
    minutes: float = MINUTES


def search(folder: Path, seeds: Iterable[int], size: Size) -> Iterator[Verdict]:
    """Play one seed after the other, each in a copy of the same world; what came of each.

    Works in `folder`/faults on servers of its own and removes them. Raises BadInput when that directory is
    somebody else's.
    """
    with _laid(folder / FOLDER, size, keep=False) as databases:
        for seed in seeds:
            with databases.copy("seed") as (settings, engine):
                yield play(settings, engine, databases.world, seed, minutes=size.minutes)


def replay(folder: Path, seed: int, size: Size, until_step: int | None = None) -> Verdict:
    """Play one seed, to its end or up to a step. The world stays in `folder`/faults as it then is."""
    with _laid(folder / FOLDER, size, keep=True) as databases, databases.itself() as (settings, engine):
        return play(
            settings, engine, databases.world, seed, minutes=size.minutes, until_step=until_step
        )  # fmt: skip


@contextmanager
def _laid(own: Path, size: Size, *, keep: bool) -> Iterator[Databases]:
    """Servers in `own`, and in them the world; stopped afterwards, and removed unless they are to be kept."""
    throwaway.begin(own)
    try:
        servers = embedded.start(own, env={}, postgres_settings=_SETTINGS)
        settings = Settings(
            database_url=servers.database_url, database_owner_url=servers.owner_url,
            redis_url=servers.redis_url, data=own,
        )  # fmt: skip
        migrations.upgrade(servers.owner_url)
        with psycopg.connect(
            host=str(own / "run"), user="postgres", dbname="postgres", autocommit=True
        ) as superuser:  # fmt: skip
            yield Databases.build(superuser, settings, customers=size.customers, sellers=size.sellers)
    finally:
        if keep:
            embedded.stop(own)
        else:
            throwaway.remove(own)
