"""/healthz, /readyz and /metrics: what the machines that watch us ask."""

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.responses import JSONResponse, Response

from web.upkeep import drifted
from wiring import health
from wiring.app import App
from wiring.gauges import DatabaseGauges
from wiring.metrics import REGISTRY


def routes(app: App) -> APIRouter:
    """The three of them, outside the API: no key, no version."""
    router = APIRouter(include_in_schema=False)
    of_database = CollectorRegistry(auto_describe=True)
    of_database.register(DatabaseGauges(app))

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process is up; asks nobody."""
        return health.health()

    @router.get("/readyz")
    def readyz(_: Request) -> JSONResponse:
        """PostgreSQL answers behind the walls, at the schema that this release knows; caches are right."""
        found = health.ready(app)
        if drift := drifted():
            found = found.also("facets", health.Part("degraded", drift))
        return JSONResponse(found.as_json(), 200 if found.ready else 503)

    @router.get("/metrics")
    def metrics(_: Request) -> Response:
        """This process's counters, and what the database itself knows."""
        return Response(
            generate_latest(REGISTRY) + generate_latest(of_database), media_type=CONTENT_TYPE_LATEST
        )

    return router
