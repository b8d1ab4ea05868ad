"""Why is this customer in this segment, and what if they were not as they are, or the rules were others?"""

from calling.segments.drafts import rules_of
from calling.segments.publishing import own_fields
from models.work import Work
from segmentation import explanation
from segmentation.catalogue import catalogue
from segmentation.explanation import SegmentExplanation
from segmentation.explanation.supposing import Supposed


def explain_segment(
    work: Work, assignment_id: int, customer_id: int, *,
    supposed: Supposed | None = None, draft: object | None = None,
) -> SegmentExplanation:  # fmt: skip
    """Every rule and label over one customer, question by question, and when time alone changes it.

    `supposed`: field -> a value that is taken for theirs. `draft`: rules (JSON, or {"text": ..}) instead of
    those in force. Nothing is written. Raises NotFound, BadRule with every problem.
    """
    if draft is None:
        return explanation.explain_segment(work, assignment_id, customer_id, supposed=supposed)
    fields = own_fields(work)
    rules = rules_of(draft, fields), catalogue(fields)
    return explanation.explain_segment(work, assignment_id, customer_id, supposed=supposed, draft=rules)
