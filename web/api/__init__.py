"""API v1: an application of its own, mounted at /api/v1, so that each of its errors is a problem."""

from fastapi import FastAPI

from web import problems
from web.api import (
    assignments,
    audit,
    causes,
    customers,
    fields,
    follow_up_grace,
    follow_ups,
    holders,
    holds,
    hot_leads,
    hours,
    lease_times,
    leases,
    limits,
    me,
    news,
    number_plans,
    order,
    outcomes,
    own_hours,
    own_limits,
    pauses,
    rebuilds,
    registers,
    retries,
    rules,
    screen,
    segment_explanations,
    segment_stories,
    segments,
    selections,
    sellers,
    set_aside,
    suppressions,
    tags,
    templates,
    versions,
    zones,
)
from web.api.docs import describe_problems
from web.desks import Desks
from web.keys import KeyRing
from wiring.app import App

PREFIX = "/api/v1"
PARTS = (
    me, screen, news, sellers, leases, holders, follow_ups, follow_up_grace, hot_leads, assignments,
    lease_times, retries, number_plans, order, rules, segments, rebuilds, segment_stories, selections, holds,
    hours, own_hours,
    pauses, suppressions, registers, limits, own_limits, customers, zones, segment_explanations, tags, fields,
    templates, versions, outcomes, set_aside, causes, audit,
)  # fmt: skip

_DESCRIPTION = """
Who is called next, by whom, and when they may be called.

**Keys.** `Authorization: Bearer rl_…`. The key says the CRM and the role (manager, seller or dialer);
nothing in a request names another CRM, and what is not in yours does not exist.

**Times** are business time in UTC (RFC 3339), unless a field says wall time. `GET /clock` relates the two.

**Errors** are `application/problem+json` (RFC 9457): `type`, `title`, `status`, `detail`, `request` (the id
under which the log knows it), and the error's own data. 409 means *true once, no longer: look again*;
503 carries `Retry-After`.

**Lists** come in a stable order, at most 200 at a time; pass `next` of one page as `cursor` of the next.
"""
_TAGS = [
    {"name": "me", "description": "The holder of the key; a seller's presence and next customer."},
    {"name": "sellers", "description": "Who is there, who is away and why; said by a manager too."},
    {"name": "leases", "description": "A customer held by a seller: ring, give back, skip, hang up, report."},
    {"name": "holders", "description": "Who has whom; taken away by a manager; skipped; not told of."},
    {"name": "follow-ups", "description": "Promised calls: made, changed, handed over, listed."},
    {"name": "hot-leads", "description": "Whoever is rung before all others, now."},
    {"name": "assignments", "description": "Pieces of calling work: segments, figures, the floor."},
    {
        "name": "segments",
        "description": "Made, renamed, ordered, deleted; emptied; their history and portrait.",
    },
    {"name": "selections", "description": "Customers chosen by bars: counted, moved, made into a segment."},
    {"name": "holds", "description": "Who was put where by hand, and what of it is under way."},
    {"name": "rules", "description": "What cuts an assignment: in force, drafts, versions."},
    {"name": "templates", "description": "Segments and labels ready-made; turnover classes of the CRM."},
    {"name": "hours", "description": "When who may be called: law, stricter hours, exemptions."},
    {"name": "pauses", "description": "Stop a segment, an assignment, a seller, a dialer or the whole CRM."},
    {"name": "suppressions", "description": "Numbers and customers that may not be called."},
    {"name": "registers", "description": "National registers of those who may not be called."},
    {
        "name": "set-aside",
        "description": "What was told and could not be used; what dialers' causes come to.",
    },
    {"name": "limits", "description": "How often somebody may be rung."},
    {"name": "customers", "description": "Who may be called, and why not now; their data."},
    {"name": "tags", "description": "Marks of customers, by whom and when."},
    {"name": "fields", "description": "What is kept of customers, and what a value has to be."},
    {"name": "outcomes", "description": "What calls came to, in batches."},
    {"name": "audit", "description": "The promises, held against the database."},
]


def make_api(app: App, keys: KeyRing, desks: Desks | None = None) -> FastAPI:
    """API v1 over this application."""
    api = FastAPI(
        title="Ringeliste",
        version="1",
        summary="Decides who is called next, by whom, and when they may be called.",
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        docs_url=None,  # FastAPI's own pages load their scripts from afar
        redoc_url=None,
        servers=[{"url": PREFIX}],
        separate_input_output_schemas=False,
    )
    api.state.app, api.state.keys, api.state.desks = app, keys, desks or Desks(app.settings)
    problems.install(api)
    describe_problems(api)
    for part in PARTS:
        api.include_router(part.router)
    return api
