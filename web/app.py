"""The application that uvicorn serves: API v1, health, the pages, and the edge around all of them."""

from importlib.resources import files

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from web import health, problems
from web.api import PREFIX, make_api
from web.desks import Desks
from web.edge import Edge
from web.keys import KeyRing
from wiring.app import App

STATIC = str(files("web") / "static")


def create(app: App, *, pages: bool = True) -> FastAPI:
    """Everything under one roof. NiceGUI lives once in a process: further applications take `pages=False`."""
    keys = KeyRing(app)
    site = FastAPI(title="Ringeliste", openapi_url=None, docs_url=None, redoc_url=None)
    site.state.app, site.state.keys = app, keys
    site.state.desks = Desks(app.settings)
    site.add_middleware(Edge)
    problems.install(site)
    site.include_router(health.routes(app))
    site.mount(PREFIX, make_api(app, keys, site.state.desks))
    site.mount("/static", StaticFiles(directory=STATIC))
    if pages:
        from web import pages as of_people  # NiceGUI begins to work when it is imported

        of_people.attach(site, app, keys)
    return site
