"""Filters in the address of the Segments page, so that a selection can be sent to somebody."""

from urllib.parse import urlencode

import orjson

from calling.views.bars import read_selection
from models.errors import RingelisteError
from segmentation.facets import Filters
from segmentation.facets.spelling import spelled_filters
from wiring.app import App

LONGEST = 4_000


def filters_of(app: App, crm_id: int, assignment_id: int, written: str | None) -> Filters:
    """The filters of an address; none where they cannot be read: an old link shows everybody."""
    if not written or len(written) > LONGEST:
        return {}
    try:
        document = orjson.loads(written)
        with app.work(crm_id) as work:
            return read_selection(work, assignment_id, document)
    except (RingelisteError, orjson.JSONDecodeError):
        return {}


def spelled_address(assignment_id: int, filters: Filters) -> str:
    """A script that puts the filters into the browser's address."""
    asked: dict[str, object] = {"assignment": assignment_id}
    if filters:
        asked["filters"] = orjson.dumps(spelled_filters(filters)).decode()
    address = urlencode(asked)
    shown = address if len(address) <= LONGEST else urlencode({"assignment": assignment_id})
    return f"history.replaceState(null, '', '/segments?{shown}')"
