"""Sees that the embedded servers run: one that was killed is started again, with what it had written."""

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from models.errors import RingelisteError
from ringeliste import embedded
from ringeliste.embedded import Status

LOOK_SECONDS = 0.5

Said = Callable[[str], None]


class Keeper:
    """Looks after the servers of one data directory until `stop`; servers of your own are left to you."""

    def __init__(self, folder: Path, say: Said) -> None:
        self._folder, self._say = folder, say
        self._stopping = Event()
        self._thread = Thread(target=self._look_after, name="keeper", daemon=True)
        self.status = embedded.status(folder)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; a start that is under way is waited for."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _look_after(self) -> None:
        said = ""
        while not self._stopping.wait(LOOK_SECONDS):
            self.status = embedded.status(self._folder)
            if not (dead := dead_servers(self.status)):
                continue
            try:
                self._say(f"{' and '.join(dead)} died; starting again")
                embedded.start(self._folder)
                said = ""
            except RingelisteError as error:
                if str(error) != said:
                    self._say(said := str(error))


def dead_servers(status: Status) -> list[str]:
    """Which of our servers should run and do not."""
    states = {"PostgreSQL": status.postgres, "Redis": status.redis}
    return [name for name, state in states.items() if state == "stopped"]
