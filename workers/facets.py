"""The outbox of changes for facets is kept short."""

from segmentation.facets.changes import prune
from wiring.app import app
from workers.duty import SLOW, duty


@duty("facets", queue=SLOW, retried=True)
def facets(crm_id: int) -> None:
    """Throw away what every cache has read, or has had an hour to read."""
    with app().work(crm_id) as work:
        prune(work)
