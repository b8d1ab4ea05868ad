"""A draft as it would be in force: of a broken rule that it leaves as it was, the form that stands in."""

from calling.segments.carried import LISTS, Readable, read_body
from calling.segments.drafts import body_of
from calling.segments.publishing import own_fields, version_in_force
from models.errors import BadRule
from models.work import Work
from segmentation.catalogue import Catalogue, OwnFields, catalogue
from segmentation.language import read_rules
from segmentation.last_good import Kind, LiveRule, Standing, standing
from segmentation.nodes import LabelRule, Rules, SegmentRule

_KINDS: dict[str, Kind] = {"segments": "segment", "labels": "label"}


def read_draft(work: Work, assignment_id: int, draft: object) -> tuple[Rules, Catalogue]:
    """The rules that publishing `draft` would put in force, and the fields that they ask.

    What publishing takes is taken, and nothing else. Raises BadRule with every problem, BadInput, NotFound.
    """
    fields = own_fields(work)
    body, known = body_of(draft, fields), catalogue(fields)
    try:
        return read_rules(body, fields), known
    except BadRule:
        carried = read_body(work, assignment_id, body, fields)  # raises what publishing refuses
    found = _standing(work, assignment_id, carried, fields)
    return _called(carried, found.rules), {**found.known, **known}


def _standing(work: Work, assignment_id: int, read: Readable, fields: OwnFields) -> Standing:
    """The form of each rule that would be in force: those of the version before stand in, as they do now."""
    types = {key: one if isinstance(one, str) else one.type for key, one in fields.items()}
    version = version_in_force(work, assignment_id)
    rules = [
        LiveRule(_KINDS[which], number, one["key"], one["when"], read.asks[which, one["key"]], version)
        for which in LISTS for number, one in enumerate(read.body.get(which, []))
    ]  # fmt: skip
    return standing(work, assignment_id, rules, catalogue(types))


def _called(read: Readable, rules: Rules) -> Rules:
    """The same rules under the names that the draft gives them."""
    names = {(which, one["key"]): one["name"] for which in LISTS for one in read.body.get(which, [])}
    return Rules(
        tuple(SegmentRule(one.key, names["segments", one.key], one.when) for one in rules.segments),
        tuple(LabelRule(one.key, names["labels", one.key], one.when) for one in rules.labels),
    )
