"""What a crash left between a pause, a suppression or a move and its recalls is finished."""

from calling.segments.resegmenting import take_back_strays
from calling.walls.pause import finish_pauses
from calling.walls.suppress import finish_suppressions
from wiring.app import app
from workers.duty import duty


@duty("walls")
def walls(crm_id: int) -> None:
    """Finish the walls of one CRM, and take back who was moved while they were offered."""
    finish_pauses(app().opener(crm_id))
    finish_suppressions(app().opener(crm_id))
    take_back_strays(app().opener(crm_id))
