"""One customer's segment explained: every rule, every question, and when time alone changes it."""

from collections.abc import Collection
from datetime import datetime

from models.errors import NotFound
from models.tables.assignments import UNSEGMENTED
from models.work import Work
from segmentation.catalogue import Catalogue
from segmentation.explanation.course import Course, Outlook
from segmentation.explanation.parts import Part
from segmentation.explanation.reasons import Reasons, text_of
from segmentation.explanation.sentence import why
from segmentation.explanation.standing import Standing, standing
from segmentation.explanation.supposing import Supposed, supposing
from segmentation.explanation.values import NextChange, RuleAnswer, SegmentExplanation
from segmentation.in_force import rules_in_force
from segmentation.nodes import LabelRule, Rules, SegmentRule
from segmentation.probe import Facts, Probe
from segmentation.references import inlined


def explain_segment(
    work: Work, assignment_id: int, customer_id: int, *,
    supposed: Supposed | None = None, draft: tuple[Rules, Catalogue] | None = None,
) -> SegmentExplanation:  # fmt: skip
    """Why a customer is in their segment: by the rules in force, or by a draft of others.

    `supposed`: field -> value that is taken for theirs. In a snapshot all of it is of one instant.
    Raises NotFound, BadInput for what cannot be supposed, BadRule.
    """
    in_force = rules_in_force(work, assignment_id)
    rules, known = draft or (in_force.as_written, in_force.known)
    probe = Probe(inlined(rules), known) if draft else in_force.probe
    stands = standing(work, assignment_id, customer_id, rules if draft else None)
    facts = probe.facts(work, assignment_id, customer_id)
    if facts is None:
        raise NotFound("customer in the assignment", customer_id)
    if supposed:
        facts = supposing(facts, supposed, known, work.now)
    kept = {key: value for key, value in stands.kept.items() if key not in (supposed or {})}
    broken = () if draft else [one.key for one in in_force.broken]
    told = _Told(stands, rules, facts, Reasons(facts, known, kept, work.now), known, broken, work.now)
    return told.explanation(assignment_id, customer_id, in_force.version)


class _Told:
    """One explanation in the making."""

    def __init__(
        self, stands: Standing, rules: Rules, facts: Facts, reasons: Reasons, known: Catalogue,
        broken: Collection[str], now: datetime,
    ) -> None:  # fmt: skip
        self._stands, self._rules, self._reasons, self._now = stands, rules, reasons, now
        self._broken = frozenset(broken)
        # As publishing would: a hold in a segment that is no more is let go.
        keys = {UNSEGMENTED, *(one.key for one in rules.segments)}
        self._stay = stands.stay if stands.stay and stands.stay.key in keys else None
        self._course = Course(rules, facts, known, now)
        self._outlook: Outlook = self._course.run(self._stay)

    def explanation(self, assignment_id: int, customer_id: int, version: int) -> SegmentExplanation:
        stands, outlook = self._stands, self._outlook
        segments, labels = self._segments(), self._labels()
        rule = next(((one.name, one.text) for one in segments if one.places), None)
        change = self._change()
        hold = stands.hold if self._stay else None
        is_pending = outlook.belongs != stands.key or any(
            one.places != (one.key in stands.labels) for one in labels
        )
        return SegmentExplanation(
            customer_id, stands.external_id, stands.name, assignment_id, self._now, version,
            stands.key, stands.segment, outlook.by_rule, outlook.belongs, hold, is_pending,
            why(stands, hold, rule, outlook.belongs, change), change, outlook.looked_to, segments, labels,
        )  # fmt: skip

    def _change(self) -> NextChange | None:
        if self._outlook.change is None:
            return None
        at, key = self._outlook.change
        return NextChange(at, key, self._stands.segment_name(key))

    def _segments(self) -> tuple[RuleAnswer, ...]:
        answers, is_reached = [], True
        for one in self._rules.segments:
            part = self._course.segments[one.key]
            name = self._stands.segment_name(one.key)
            answers.append(self._answer(one, name, part, is_reached, is_reached and part.was))
            is_reached = is_reached and not part.was
        return tuple(answers)

    def _labels(self) -> tuple[RuleAnswer, ...]:
        return tuple(
            self._answer(one, self._stands.label_name(one.key), part, True, part.was)
            for one, part in ((one, self._course.labels[one.key]) for one in self._rules.labels)
        )

    def _answer(
        self, one: SegmentRule | LabelRule, name: str, part: Part, is_reached: bool, places: bool
    ) -> RuleAnswer:
        text, reason = text_of(one.when), self._reasons.of(part)
        is_broken = one.key in self._broken
        return RuleAnswer(one.key, name, text, part.was, part.flips_at, is_reached, places, is_broken, reason)
