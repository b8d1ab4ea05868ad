"""Why is this customer in this segment, and what if they were not as they are, or the rules were others?"""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any

from calling.catalogue.person import read_email, read_place
from calling.hours.clocks import whereabouts_of
from calling.segments.drafted import read_draft
from models.errors import BadRule
from models.tags import read_tag
from models.work import Work
from models.zones import zone_names
from segmentation import explanation
from segmentation.explanation import SegmentExplanation
from segmentation.explanation.supposing import Supposed
from segmentation.problems import shown

_READ: dict[str, Callable[[str], str]] = {"email": read_email, "place": read_place}


def explain_segment(
    work: Work, assignment_id: int, customer_id: int, *,
    supposed: Supposed | None = None, draft: object | None = None,
) -> SegmentExplanation:  # fmt: skip
    """Every rule and label over one customer, question by question, and when time alone changes it.

    `supposed`: field -> a value that is taken for theirs. `draft`: rules (JSON, or {"text": ..}) instead of
    those in force. What follows from supposed facts follows: the zone and the country of a place as an edit
    would make them. Nothing is written. Raises NotFound, BadRule with every problem.
    """
    problems: list[tuple[str, str]] = []
    if supposed:
        supposed = _as_kept(work, customer_id, supposed, problems)
    try:
        explained = _explained(work, assignment_id, customer_id, supposed, draft)
    except BadRule as bad:
        raise BadRule([*problems, *bad.problems]) from bad
    if problems:
        raise BadRule(problems)
    return explained


def _explained(
    work: Work, assignment_id: int, customer_id: int, supposed: Supposed | None, draft: object | None
) -> SegmentExplanation:
    if draft is None:
        return explanation.explain_segment(work, assignment_id, customer_id, supposed=supposed)
    rules = read_draft(work, assignment_id, draft)
    return explanation.explain_segment(work, assignment_id, customer_id, supposed=supposed, draft=rules)


def _as_kept(
    work: Work, customer_id: int, supposed: Supposed, problems: list[tuple[str, str]]
) -> dict[str, Any]:
    """Supposed facts in the form in which they would be kept, and the whereabouts that follow from a place.

    What nobody can have goes to `problems`, and is left out.
    """
    facts = dict(supposed)
    for key, wrong in _never_kept(supposed):
        problems += wrong
        del facts[key]
    for key in _READ.keys() & facts.keys():
        if isinstance(facts[key], str) and facts[key]:
            facts[key] = _READ[key](facts[key].strip())
    place = facts.get("place")
    if "place" in facts and (place is None or isinstance(place, str)):
        (where,) = whereabouts_of(work, [customer_id], supposed_place={customer_id: place or None}).values()
        country = next(iter([place] if place else where.places), None)
        facts = {"zone": where.reckoning, "country": country and country.partition("-")[0], **facts}
    return facts


def _never_kept(supposed: Supposed) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """(fact, its problems) of each that no customer can have. Types are looked at elsewhere."""
    for key, given in supposed.items():
        wrong: list[tuple[str, str]] = []
        match key, given:
            case "email" | "place", str() if given:
                wrong = _refused(key, given.strip(), _READ[key])
            case "tags", list():
                texts = [(f"tags[{i}]", tag) for i, tag in enumerate(given) if isinstance(tag, str) and tag]
                wrong = [one for path, tag in texts for one in _refused(path, tag, read_tag)]
            case "zone", str() if given and given not in zone_names():
                near = [f' - did you mean "{one}"?' for one in get_close_matches(given, zone_names(), n=1)]
                wrong = [(key, "".join([f"{shown(given)} is no zone", *near]))]
            case "attempts", int() | float() if given < 0:
                wrong = [(key, f"{shown(given)}: they are counted from 0 on")]
        if wrong:
            yield key, wrong


def _refused(path: str, given: str, read: Callable[[str], str]) -> list[tuple[str, str]]:
    try:
        read(given)
    except ValueError as error:
        return [(path, f"{shown(given)} {error}")]
    return []
