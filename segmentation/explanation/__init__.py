"""Why a customer is in their segment, question by question, and when time alone will change it."""

from segmentation.explanation.explaining import explain_segment
from segmentation.explanation.values import HoldNow, NextChange, Reason, RuleAnswer, SegmentExplanation

__all__ = ["HoldNow", "NextChange", "Reason", "RuleAnswer", "SegmentExplanation", "explain_segment"]
