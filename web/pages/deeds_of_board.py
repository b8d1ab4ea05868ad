"""What the Segments page does: the same verbs as the API, signed by whoever is signed in."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from calling.handout.recalling import WallAnswer
from calling.segments import editing, freeing, selection
from calling.segments.bulk import BulkDone, Progress
from calling.segments.selection import Created, Expected
from calling.views.bars import in_words
from calling.walls.pause import pause, resume
from models.errors import BadInput
from models.work import Work
from segmentation.facets import Filters
from web.api.walls import patience
from web.keys import Holder
from web.pages.parts import count
from wiring.app import App
from wiring.logs import bound
from wiring.metrics import timed


@dataclass(frozen=True, slots=True)
class Deeds:
    """One manager's deeds on one assignment. Each may take a while, and belongs in a thread.

    What they answer is told in words. `lasting`: business time; None: until released.
    """

    app: App
    holder: Holder
    assignment_id: int

    def move(
        self, filters: Filters, segment_id: int, reason: str, lasting: timedelta | None, expected: Expected,
        progress: Progress,
    ) -> str:  # fmt: skip
        """Hold a selection in a segment."""
        with self._noted("move"):
            done = selection.move_selection(
                self._open, self.assignment_id, filters, segment_id, expected=expected,
                author=self.holder.author, reason=reason, expires_at=self._until(lasting),
                what=self._what(filters), progress=progress,
            )  # fmt: skip
        return f"{_customers(done)} moved there.{_others(done)}"

    def wake(self, filters: Filters, reason: str, expected: Expected, progress: Progress) -> str:
        """Make ready whoever of a selection rests."""
        with self._noted("wake"):
            done = selection.wake_selection(
                self._open, self.assignment_id, filters, expected=expected, author=self.holder.author,
                reason=reason, what=self._what(filters), progress=progress,
            )  # fmt: skip
        return f"{_customers(done)} ready now."

    def new_by_rule(self, filters: Filters, name: str, expected: Expected, *, last: bool) -> Created:
        """A new segment whose standing rule is the selection."""
        with self._noted("new segment"):
            return selection.save_as_rule(
                self._open, self.assignment_id, filters, name, expected=expected, author=self.holder.author,
                last=last,
            )  # fmt: skip

    def new_by_hand(
        self, filters: Filters, name: str, reason: str, lasting: timedelta | None, expected: Expected,
        progress: Progress, *, last: bool,
    ) -> Created:  # fmt: skip
        """A new segment, and the selection held in it."""
        with self._noted("new segment"):
            return selection.hold_in_new(
                self._open, self.assignment_id, filters, name, expected=expected, author=self.holder.author,
                reason=reason, expires_at=self._until(lasting), last=last, what=self._what(filters),
                progress=progress,
            )  # fmt: skip

    def of_segment(
        self, verb: str, segment_id: int, reason: str, expected: Expected, progress: Progress
    ) -> str:
        """Free, wake or release everybody in a segment."""
        act, told = {
            "free": (freeing.free_segment, "moved back to free"),
            "wake": (freeing.wake_segment, "ready now"),
            "release": (freeing.release_segment, "moved to where the rules say"),
        }[verb]
        with self._noted(verb):
            done = act(
                self._open, self.assignment_id, segment_id, expected=expected, author=self.holder.author,
                reason=reason, progress=progress,
            )  # fmt: skip
        return f"{_customers(done)} {told}.{_others(done)}"

    def why_no_rule(self, filters: Filters) -> str:
        """Why no rule can be made of a selection; empty when one can."""
        try:
            with self._open() as work:
                selection.rule_of(work, self.assignment_id, filters)
        except BadInput as error:
            return error.message
        return ""

    def resting(self, filters: Filters) -> int:
        """How many of a selection rest."""
        with self._open() as work:
            return selection.count(work, self.assignment_id, selection.resting(filters))

    def affected(self, segment_id: int) -> dict[str, int]:
        """How many each of those would touch now."""
        with self._open() as work:
            return freeing.affected(work, self.assignment_id, segment_id)

    def rename(self, key: str, name: str) -> None:
        """Give a segment another name."""
        editing.rename(self._open, self.assignment_id, key, name, author=self.holder.author)

    def delete(self, key: str) -> None:
        """Take a segment away."""
        editing.delete(self._open, self.assignment_id, key, author=self.holder.author)

    def reorder(self, keys: list[str]) -> None:
        """Put all segments into this order."""
        editing.reorder(self._open, self.assignment_id, keys, author=self.holder.author)

    def pause(self, segment_id: int, reason: str, lasting: timedelta | None) -> WallAnswer:
        """Stop a segment; what was in the air."""
        with self._noted("pause"):
            return pause(
                self._open, "segment", segment_id, reason=reason, author=self.holder.author,
                ends_at=self._until(lasting), patience=patience(self.app),
            )  # fmt: skip

    def resume(self, segment_id: int) -> None:
        """Let a segment go on."""
        resume(self._open, "segment", segment_id, author=self.holder.author)

    def _open(self) -> AbstractContextManager[Work]:
        return self.app.work(self.holder.crm_id)

    @contextmanager
    def _noted(self, verb: str) -> Iterator[None]:
        with timed(verb), bound(crm=self.holder.crm_id, assignment=self.assignment_id):
            yield

    def _what(self, filters: Filters) -> str:
        with self._open() as work:
            return in_words(work, self.assignment_id, filters)

    def _until(self, lasting: timedelta | None) -> datetime | None:
        return self.app.now() + lasting if lasting else None


def _customers(done: BulkDone) -> str:
    return f"{count(done.changed)} customer{'' if done.changed == 1 else 's'}"


def _others(done: BulkDone) -> str:
    others = done.customers - done.changed
    return f" {count(others)} stood there already." if others else ""
