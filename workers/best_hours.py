"""What calls have taught of the hours, for assignments that order by them."""

from calling.handout.best_hours import learn_best_hours
from wiring.app import app
from workers.duty import SLOW, duty

MINUTES = 600_000


@duty("best_hours", queue=SLOW, time_limit=MINUTES, max_age=MINUTES)
def best_hours(crm_id: int) -> None:
    """Learn anew in one CRM; where nothing is due, that is all."""
    learn_best_hours(app().opener(crm_id))
