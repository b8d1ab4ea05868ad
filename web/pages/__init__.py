"""The pages for people: NiceGUI on the same application, everything served from here, nothing from afar."""

from pathlib import Path

from fastapi import FastAPI, Request
from nicegui import ui
from starlette.responses import RedirectResponse, Response

from web.keys import KeyRing
from web.pages import floor_page, promises_page, segments_page, sign_in
from web.pages.readers import Readers
from wiring.app import App

TITLE = "Ringeliste"
ICON = Path(__file__).parent.parent / "static" / "icon.svg"


def attach(site: FastAPI, app: App, keys: KeyRing) -> None:
    """Put the pages into the application, once in a process: NiceGUI has one of everything."""
    readers = Readers(app)
    site.include_router(sign_in.routes(keys))

    @ui.page("/", title=TITLE)
    async def floor(
        request: Request, key: str | None = None, assignment: int | None = None
    ) -> Response | None:
        """A manager's floor. A key in the address signs in, once, and leaves the address."""
        if key is not None:
            return await sign_in.enter(request, keys, key)
        holder = await sign_in.holder_of(request, keys)
        if holder is None:
            return RedirectResponse("/sign-in", 303)
        if holder.role != "manager":
            return RedirectResponse("/sign-in?why=role", 303)
        await floor_page.build(app, keys, readers, holder, sign_in.key_of(request), assignment)
        return None

    @ui.page("/segments", title=TITLE)
    async def segments(
        request: Request, assignment: int | None = None, filters: str | None = None
    ) -> Response | None:
        """A manager's segments: bars, selections, history."""
        holder = await sign_in.holder_of(request, keys)
        if holder is None:
            return RedirectResponse("/sign-in", 303)
        if holder.role != "manager":
            return RedirectResponse("/sign-in?why=role", 303)
        await segments_page.build(app, keys, holder, sign_in.key_of(request), assignment, filters)
        return None

    @ui.page("/promises", title=TITLE)
    async def promises(request: Request, assignment: int | None = None) -> Response | None:
        """A manager's promised calls: late, today and coming, by whose they are."""
        holder = await sign_in.holder_of(request, keys)
        if holder is None:
            return RedirectResponse("/sign-in", 303)
        if holder.role != "manager":
            return RedirectResponse("/sign-in?why=role", 303)
        await promises_page.build(app, keys, holder, sign_in.key_of(request), assignment)
        return None

    ui.run_with(
        site,
        title=TITLE,
        favicon=ICON,
        dark=None,
        tailwind=False,
        show_welcome_message=False,
        reconnect_timeout=30,
    )
