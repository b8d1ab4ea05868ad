"""A rule set before it is published: what it would move; and one rule while it is written: whom it finds."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import text

from calling.segments.drafted import read_draft
from calling.segments.drafts import tree_of
from calling.segments.publishing import own_fields
from models.work import OpenWork, Work
from segmentation import preview as previews
from segmentation.catalogue import Catalogue, catalogue
from segmentation.in_force import rules_in_force
from segmentation.nodes import Rules
from segmentation.preview import WARN_ABOVE, Count, Preview
from segmentation.warning import warnings_of

__all__ = [
    "WARN_ABOVE",
    "count_rule",
    "external_ids",
    "preview",
    "read_draft",
    "warnings_in_force",
    "warnings_of",
]

_EXTERNAL_IDS = text("select id, external_id from customer where crm_id = :crm_id and id = any(:ids)")


def read_in_force(work: Work, assignment_id: int) -> tuple[Rules, Catalogue]:
    """The rules in force as they were written, and the fields that they ask: what warnings_of takes.

    In the place of a rule that cannot be read any more stands what is in force for it. Raises NotFound.
    """
    found = rules_in_force(work, assignment_id)
    return found.as_written, {**found.known, **catalogue(own_fields(work))}


def warnings_in_force(open_work: OpenWork, assignment_id: int) -> list[tuple[str, str]]:
    """What warnings_of tells of the rules in force, for whoever has just published them. Raises NotFound."""
    with open_work() as work:
        found = read_in_force(work, assignment_id)
    return warnings_of(*found)  # reckoned while no transaction waits for it


def preview(
    work: Work, assignment_id: int, draft: object, *,
    warnings: Sequence[tuple[str, str]] | None = None, warn_above: float = WARN_ABOVE,
) -> Preview:  # fmt: skip
    """What publishing `draft` (a rule set as JSON, or {"text": ..}) would do. Nothing is written.

    `warnings`: those of the language, if they were reckoned before the transaction began, as they should be.
    Published as of its `base` with nothing in between, it moves exactly these. `warn_above`: the share of
    customers that may move without a warning. Raises BadRule with every problem, NotFound, Unavailable.
    """
    rules, known = read_draft(work, assignment_id, draft)
    return previews.preview(work, assignment_id, rules, known, warnings=warnings, warn_above=warn_above)


def count_rule(
    work: Work, assignment_id: int, rule: Mapping[str, Any], *, draft: object | None = None
) -> Count:
    """How many meet one rule ({"when": tree} or {"text": ..}) now, wherever they are placed.

    What it names are rules of `draft`, else of those in force. Raises BadRule, NotFound, Unavailable.
    """
    known = catalogue(own_fields(work))
    if draft is not None:
        others, asked = read_draft(work, assignment_id, draft)
        tree, known = tree_of(rule, known, others), {**asked, **known}
    else:
        in_force = rules_in_force(work, assignment_id)
        tree = tree_of(rule, known, in_force.as_written)
        known = {**in_force.known, **known}  # those in force may ask fields that have retired
    return previews.count_matching(work, assignment_id, tree, known)


def external_ids(work: Work, customers: Iterable[int]) -> dict[int, str]:
    """How the owner of the list calls these customers: id -> external id."""
    return {row.id: row.external_id for row in work.run(_EXTERNAL_IDS, ids=sorted(set(customers)))}
