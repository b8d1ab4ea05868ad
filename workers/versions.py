"""New laws, zone rules or numbering plans: every CRM is brought under the data that are installed."""

import structlog

from calling.customers.rezoning import rezone
from wiring.app import app
from workers.duty import SLOW, duty

HOUR = 3_600_000

log = structlog.get_logger(__name__)


@duty("versions", queue=SLOW, retried=True, time_limit=HOUR, max_age=HOUR, notify_shutdown=True)
def versions(crm_id: int) -> None:
    """Look at one CRM; where the data are as they were, that is all."""
    done = rezone(app().opener(crm_id))
    if done is not None:
        log.info("rezoned", rezoning=done.id, customers=done.customers, moved=done.moved,
                 recalled=done.recalled, promises=done.promises)  # fmt: skip
