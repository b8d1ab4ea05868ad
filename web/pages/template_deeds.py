"""What the sheet of templates asks and does: the same verbs as the API, signed by whoever is signed in."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from calling.segments import templates as verbs
from calling.segments.templates import Applied, Offer, Preview, Wish
from models.errors import RingelisteError
from segmentation.preview import Preview as Forecast
from segmentation.templates.catalogue import Kind
from segmentation.templates.written import read_written
from web.keys import Holder
from wiring.app import App
from wiring.logs import bound
from wiring.metrics import timed


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody has chosen of a template. `written`: parameter -> what stands in its field."""

    written: Mapping[str, str] = field(default_factory=dict)
    as_: Kind | None = None
    before: str | None = None

    def with_written(self, written: Mapping[str, str]) -> "Chosen":
        """The same with other words in some fields; equal to it where they say the same."""
        told = {name: text for name, text in {**self.written, **written}.items() if text.strip()}
        return replace(self, written=told)

    def wish(self) -> Wish:
        """As the verbs take it; an empty field is left to what is suggested."""
        told = {name: read_written(name, text.strip()) for name, text in self.written.items() if text.strip()}
        return Wish(told, None, self.as_, self.before)


@dataclass(frozen=True, slots=True)
class Looked:
    """A template as it would come out, so `chosen`: `preview` of its parts, or why not.

    `forecast` of who moves; `untold`: why nobody can say it.
    """

    chosen: Chosen
    preview: Preview | None
    forecast: Forecast | None
    why_not: str = ""
    untold: str = ""


@dataclass(frozen=True, slots=True)
class TemplateDeeds:
    """One manager's templates on one assignment. Each may take a while, and belongs in a thread."""

    app: App
    holder: Holder
    assignment_id: int

    def offers(self) -> list[Offer]:
        """Every template, and what of it fits. Raises NotFound."""
        with self.app.work(self.holder.crm_id) as work:
            return verbs.offers(work, self.assignment_id)

    def look(self, key: str, chosen: Chosen, *, who_moves: bool) -> Looked:
        """What it would make, and whom that would move if that is asked. A problem is told, not raised."""
        try:
            with self.app.work(self.holder.crm_id) as work:
                preview = verbs.preview(work, self.assignment_id, key, chosen.wish())
        except RingelisteError as error:
            return Looked(chosen, None, None, error.message)
        if not who_moves or all(part.there for part in preview.parts):
            return Looked(chosen, preview, None)
        try:
            with self.app.work(self.holder.crm_id, snapshot=True) as work:
                same = self._same(preview, chosen)
                return Looked(chosen, preview, verbs.forecast(work, self.assignment_id, key, same))
        except RingelisteError as error:  # it takes too long, say: the template may be added all the same
            return Looked(chosen, preview, None, untold=error.message)

    def apply(self, preview: Preview, chosen: Chosen) -> Applied:
        """Add just what was shown of a choice. Raises Conflict for somebody else's newer rules, BadInput."""
        with timed("apply_template"), bound(crm=self.holder.crm_id, assignment=self.assignment_id):
            return verbs.apply(
                self.app.opener(self.holder.crm_id), self.assignment_id, preview.template,
                self._same(preview, chosen), author=self.holder.author, version=preview.version,
            )  # fmt: skip

    @staticmethod
    def _same(preview: Preview, chosen: Chosen) -> Wish:
        parameters: Mapping[str, object] = preview.parameters
        return Wish(parameters, None, chosen.as_, chosen.before)
