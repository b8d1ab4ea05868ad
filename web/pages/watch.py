"""Reading again and again for one page: at once when somebody clicks, else now and then."""

from asyncio import Lock
from collections.abc import Callable
from math import inf
from time import monotonic

import structlog
from starlette.concurrency import run_in_threadpool

from models.errors import BadInput, RingelisteError
from segmentation.facets import Filters
from web.pages.board_reading import Reading, read
from wiring.app import App

REST_SECONDS, REST_TIMES = 2.0, 8
"""The page reads again after so long, or so many times as long as reading took, whichever is longer."""

log = structlog.get_logger(__name__)


class Watch:
    """What one page shows, under `filters`. `show` is told each reading, `trouble` why there is none."""

    def __init__(
        self, app: App, crm_id: int, assignment_id: int, show: Callable[[Reading], None],
        trouble: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._app, self._crm_id, self._assignment_id = app, crm_id, assignment_id
        self._show, self._trouble = show, trouble
        self.filters: Filters = {}
        self.now: Reading | None = None
        self._reading, self._changed = Lock(), False
        self._next_look = inf  # monotonic; nothing before the first refresh

    async def look(self) -> None:
        """Read again if it is time."""
        if monotonic() >= self._next_look:
            await self.refresh()

    async def refresh(self) -> None:
        """Read and show what is so from now on: when it returns, that was shown, or why it cannot be.

        A click while it reads is read after it, and the stale answer is not shown.
        """
        self._changed = True
        async with self._reading:
            while self._changed:
                self._changed = False
                await self._read_once()

    async def caught_up(self) -> Reading | None:
        """The reading of the filters as they are; None where they cannot be read."""
        if self.now is None or self.now.bars.filters is not self.filters:
            await self.refresh()
        return self.now if self.now is not None and self.now.bars.filters is self.filters else None

    async def _read_once(self) -> None:
        begun, self._next_look = monotonic(), inf
        try:
            now = await run_in_threadpool(self._read, self.filters)
        except BadInput:  # what was filtered is gone: a field was retired
            self._changed, self.filters = bool(self.filters), {}
        except RingelisteError as error:
            self._trouble(error.message.removesuffix("; try again"))  # it does so by itself
        except Exception:
            log.exception("segments cannot be read", crm=self._crm_id, assignment=self._assignment_id)
            self._trouble("something of ours is broken; the log has it")
        else:
            if not self._changed:
                self.now = now
                self._show(now)
        finally:
            self._next_look = monotonic() + max(REST_SECONDS, REST_TIMES * (monotonic() - begun))

    def _read(self, filters: Filters) -> Reading:
        with self._app.work(self._crm_id) as work:
            return read(work, self._assignment_id, filters)
