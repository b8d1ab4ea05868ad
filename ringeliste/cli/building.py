"""Building the demo world from the command line: servers, schema, list, people."""

from pathlib import Path
from typing import Any

from rich.console import Console

import migrations
from ringeliste import embedded
from ringeliste.demo import build_demo, find_demo
from ringeliste.progress import import_bar
from wiring.app import App
from wiring.settings import Settings


def planned(data: Path | None, sellers: int) -> dict[str, Any]:
    """What `build` would do."""
    settings = Settings.from_env()
    return {
        "directory": settings.data,
        "list": data or "the bank's list, 45,211 customers",
        "sellers": sellers,
        "database": settings.database_url or "an embedded PostgreSQL, started",
    }


def build(data: Path | None, *, sellers: int, seed: int) -> dict[str, Any]:
    """Build the demo unless it is there; where everything is."""
    folder = Settings.from_env().data.expanduser().resolve()
    servers = embedded.start(folder)
    migrations.upgrade(servers.owner_url)
    app = App(Settings.from_env())
    try:
        world = find_demo(app, folder)
        if world is None:
            with import_bar(Console(stderr=True), "Importing the list") as progress:
                world = build_demo(app, folder, data=data, seed=seed, sellers=sellers, progress=progress)
    finally:
        app.close()
    return {
        "directory": folder,
        "crm": world.crm_id,
        "assignment": world.assignment_id,
        "sellers": len(world.seller_ids),
        "dialer": world.dialer_name,
        "manager_key": world.manager_key,
        "seller_keys": folder / "demo.json",
    }
