"""What a crash left between a pause, a suppression, a register or other hours and their answer is finished:
then it is a wall."""

from calling.registers.walling import wall
from calling.walls.hours import finish_hours
from calling.walls.pause import finish_pauses
from calling.walls.suppress import finish_suppressions
from wiring.app import app
from workers.duty import duty


@duty("walls")
def walls(crm_id: int) -> None:
    """Finish the walls of one CRM."""
    finish_pauses(app().opener(crm_id))
    finish_suppressions(app().opener(crm_id))
    finish_hours(app().opener(crm_id))
    wall(app().opener(crm_id))
